//! The addresses in SNS's messages. A message names where its own certificate lies, so that a forger would name a host
//! of theirs; nothing is ever asked of a host that is not SNS's in the topic's region.
//!
//! The text is compared, not parsed: parsers differ on user names, ports, dots and cases, and SNS writes its addresses
//! in one way only.

use std::fmt;

use super::TopicArn;

/// Longest address.
const URL_MAX: usize = 2_048;

/// Longest name of a certificate.
const NAME_MAX: usize = 64;

/// An address at SNS's own host, over HTTPS. That of a subscription holds its token, so it is not shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CheckedUrl {
    whole: String,
    host_end: usize,
}

const SCHEME: &str = "https://";

impl CheckedUrl {
    /// Where a certificate lies: `/SimpleNotificationService-<hex>.pem`.
    pub(super) fn of_certificate(text: &str, topic: &TopicArn) -> Option<Self> {
        let path = Self::path_at(text, topic)?;
        let name = path.strip_prefix("/SimpleNotificationService-")?.strip_suffix(".pem")?;
        let is_name = (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_hexdigit());
        is_name.then(|| Self::new(text, topic))
    }

    /// Where a subscription to this topic is confirmed.
    #[must_use]
    pub fn of_subscription(text: &str, topic: &TopicArn) -> Option<Self> {
        let query = Self::path_at(text, topic)?.strip_prefix("/?")?;
        let is_plain = query.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'#' | b'\\' | b'"' | b'<' | b'>'));
        let only = |name: &str| {
            let mut all = url::form_urlencoded::parse(query.as_bytes()).filter(|(found, _)| found == name);
            all.next().filter(|_| all.next().is_none()).map(|(_, value)| value.into_owned())
        };
        let is_right = only("Action").as_deref() == Some("ConfirmSubscription")
            && only("TopicArn").as_deref() == Some(topic.as_str());
        (is_plain && is_right && text.len() <= URL_MAX).then(|| Self::new(text, topic))
    }

    fn path_at<'a>(text: &'a str, topic: &TopicArn) -> Option<&'a str> {
        text.strip_prefix(SCHEME)?.strip_prefix(topic.host())
    }

    fn new(text: &str, topic: &TopicArn) -> Self {
        Self { whole: text.to_owned(), host_end: SCHEME.len() + topic.host().len() }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.whole
    }

    #[must_use]
    pub fn host(&self) -> &str {
        self.whole.get(SCHEME.len()..self.host_end).unwrap_or_default()
    }

    /// What stands behind the host.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        self.whole.get(self.host_end..).unwrap_or_default()
    }
}

impl fmt::Debug for CheckedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CheckedUrl({})", self.host())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(region: &str) -> TopicArn {
        let partition = if region.starts_with("cn-") { "aws-cn" } else { "aws" };
        TopicArn::parse(&format!("arn:{partition}:sns:{region}:123456789012:ses-events")).unwrap()
    }

    #[test]
    fn certificates_lie_at_sns_only() {
        const PEM: &str = "SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem";
        let us = "us-east-1";
        let good = [
            (us, format!("https://sns.us-east-1.amazonaws.com/{PEM}")),
            ("eu-central-1", format!("https://sns.eu-central-1.amazonaws.com/{PEM}")),
            ("cn-north-1", format!("https://sns.cn-north-1.amazonaws.com.cn/{PEM}")),
        ];
        for (region, url) in good {
            let checked = CheckedUrl::of_certificate(&url, &topic(region)).expect(&url);
            assert_eq!(format!("https://{}{}", checked.host(), checked.path_and_query()), url);
        }
        let hostile = [
            format!("http://sns.us-east-1.amazonaws.com/{PEM}"),
            format!("HTTPS://sns.us-east-1.amazonaws.com/{PEM}"),
            format!("https:sns.us-east-1.amazonaws.com/{PEM}"),
            format!("https:///sns.us-east-1.amazonaws.com/{PEM}"),
            format!("https:\\\\sns.us-east-1.amazonaws.com/{PEM}"),
            format!(" https://sns.us-east-1.amazonaws.com/{PEM}"),
            format!("https://sns.us-east-1.amazonaws.com:443/{PEM}"),
            format!("https://sns.us-east-1.amazonaws.com:8443/{PEM}"),
            format!("https://user@sns.us-east-1.amazonaws.com/{PEM}"),
            format!("https://user:word@sns.us-east-1.amazonaws.com/{PEM}"),
            format!("https://sns.us-east-1.amazonaws.com@attacker.com/{PEM}"),
            format!("https://sns.evil.amazonaws.com.attacker.com/{PEM}"),
            format!("https://sns.us-east-1.amazonaws.com.attacker.com/{PEM}"),
            format!("https://sns.us-east-1.amazonaws.com.cn/{PEM}"),
            format!("https://sns.us-east-1.amazonaws.com./{PEM}"),
            format!("https://sns.us-west-2.amazonaws.com/{PEM}"),
            format!("https://sns.amazonaws.com/{PEM}"),
            format!("https://evilsns.us-east-1.amazonaws.com/{PEM}"),
            format!("https://evil.sns.us-east-1.amazonaws.com/{PEM}"),
            format!("https://s3.us-east-1.amazonaws.com/sns/{PEM}"),
            format!("https://sns-us-east-1.amazonaws.com/{PEM}"),
            format!("https://sns。us-east-1。amazonaws。com/{PEM}"),
            format!("https://sns.us-east-1.amazonaws\u{2024}com/{PEM}"),
            format!("https://\u{455}ns.us-east-1.amazonaws.com/{PEM}"),
            format!("https://SNS.us-east-1.amazonaws.com/{PEM}"),
            format!("https://sns.us-east-1.amazonaws.com//{PEM}"),
            format!("https://sns.us-east-1.amazonaws.com/bucket/{PEM}"),
            format!("https://sns.us-east-1.amazonaws.com/bucket/../{PEM}"),
            format!("https://sns.us-east-1.amazonaws.com/%2e%2e/{PEM}"),
            format!("https://sns.us-east-1.amazonaws.com\\{PEM}"),
            format!("https://sns.us-east-1.amazonaws.com/{PEM}?x=1"),
            format!("https://sns.us-east-1.amazonaws.com/?x=/{PEM}"),
            format!("https://sns.us-east-1.amazonaws.com/{PEM}#x"),
            format!("https://sns.us-east-1.amazonaws.com/#/{PEM}"),
            format!("https://sns.us-east-1.amazonaws.com/{PEM}\r\nHost: attacker.com"),
            format!("https://sns.us-east-1.amazonaws.com/{PEM}\0"),
            format!("https://attacker.com/?https://sns.us-east-1.amazonaws.com/{PEM}"),
            format!("https://sns.us-east-1.amazonaws.com/{}", PEM.to_uppercase()),
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-.pem".into(),
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-xyz.pem".into(),
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-９c.pem".into(),
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-9c/../../a.pem".into(),
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-9c.pem.pem".into(),
            format!("https://sns.us-east-1.amazonaws.com/SimpleNotificationService-{}.pem", "9".repeat(65)),
            "https://sns.us-east-1.amazonaws.com".into(),
            "https://".into(),
            String::new(),
        ];
        for url in hostile {
            assert_eq!(CheckedUrl::of_certificate(&url, &topic(us)), None, "{url}");
        }
    }

    #[test]
    fn a_subscription_is_confirmed_at_sns_only() {
        let us = topic("us-east-1");
        let arn = us.as_str();
        let good = [
            format!("https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={arn}&Token=2336412f"),
            "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription\
             &TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3Ases-events&Token=2336412f"
                .into(),
        ];
        for url in good {
            let checked = CheckedUrl::of_subscription(&url, &us).expect(&url);
            assert!(!format!("{checked:?}").contains("2336412f"));
        }
        let sns = "https://sns.us-east-1.amazonaws.com";
        let hostile = [
            format!("{sns}/?Action=DeleteTopic&TopicArn={arn}"),
            format!("{sns}/?Action=ConfirmSubscription&Action=DeleteTopic&TopicArn={arn}"),
            format!("{sns}/?Action=DeleteTopic&Action=ConfirmSubscription&TopicArn={arn}"),
            format!("{sns}/?Action=ConfirmSubscription&TopicArn={arn}x&Token=2"),
            format!("{sns}/?Action=ConfirmSubscription&Token=2"),
            format!("{sns}/?Action=ConfirmSubscription&TopicArn={arn}&Token=2#x"),
            format!("{sns}/?Action=ConfirmSubscription&TopicArn={arn}&Token=2 HTTP/1.1\r\nX: y"),
            format!("{sns}/x?Action=ConfirmSubscription&TopicArn={arn}&Token=2"),
            format!("{sns}:443/?Action=ConfirmSubscription&TopicArn={arn}&Token=2"),
            format!("{sns}@attacker.com/?Action=ConfirmSubscription&TopicArn={arn}&Token=2"),
            format!("{sns}.attacker.com/?Action=ConfirmSubscription&TopicArn={arn}&Token=2"),
            format!("http://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={arn}&Token=2"),
            format!("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={arn}&Token=2"),
            format!("{sns}/?Action=ConfirmSubscription&TopicArn={arn}&Token={}", "2".repeat(2_048)),
        ];
        for url in hostile {
            assert_eq!(CheckedUrl::of_subscription(&url, &us), None, "{url}");
        }
    }
}
