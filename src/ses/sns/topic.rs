//! A topic's name, as SNS writes it, and the host that SNS has in its region.

use std::fmt;

/// Longest name of a topic, and longest region.
const NAME_MAX: usize = 256;
const REGION_MAX: usize = 32;

/// The name of a topic: `arn:aws:sns:eu-west-1:123456789012:ses-events`. Nothing in it can do harm on a screen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicArn {
    whole: String,
    host: String,
}

impl TopicArn {
    /// `None` if SNS writes none like it, or its host is not known.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let mut next = || parts.next();
        let (Some("arn"), Some(partition), Some("sns")) = (next(), next(), next()) else { return None };
        let (region, account, name) = (next()?, next()?, next()?);
        let is_region = (3..=REGION_MAX).contains(&region.len())
            && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !region.starts_with('-')
            && !region.ends_with('-');
        let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let plain_name = name.strip_suffix(".fifo").unwrap_or(name);
        let is_name = (1..=NAME_MAX).contains(&name.len())
            && !plain_name.is_empty()
            && plain_name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !is_region || !is_account || !is_name || next().is_some() {
            return None;
        }
        let domain = match partition {
            "aws" | "aws-us-gov" if !region.starts_with("cn-") => "amazonaws.com",
            "aws-cn" if region.starts_with("cn-") => "amazonaws.com.cn",
            _ => return None,
        };
        Some(Self { whole: text.to_owned(), host: format!("sns.{region}.{domain}") })
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.whole
    }

    /// SNS's host in the topic's region: the only one that speaks for it.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl fmt::Display for TopicArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_topic_has_its_host() {
        let table = [
            ("arn:aws:sns:us-east-1:123456789012:ses-events", Some("sns.us-east-1.amazonaws.com")),
            ("arn:aws:sns:eu-west-1:123456789012:Ses_Events.fifo", Some("sns.eu-west-1.amazonaws.com")),
            ("arn:aws-us-gov:sns:us-gov-west-1:123456789012:e", Some("sns.us-gov-west-1.amazonaws.com")),
            ("arn:aws-cn:sns:cn-north-1:123456789012:e", Some("sns.cn-north-1.amazonaws.com.cn")),
            ("arn:aws:sns:cn-north-1:123456789012:e", None),
            ("arn:aws-cn:sns:us-east-1:123456789012:e", None),
            ("arn:evil:sns:us-east-1:123456789012:e", None),
            ("arn:aws:sqs:us-east-1:123456789012:e", None),
            ("arn:aws:sns:us-east-1:123456789012:e:9f0c", None),
            ("arn:aws:sns:us-east-1:12345678901:e", None),
            ("arn:aws:sns:us-east-1:123456789012:", None),
            ("arn:aws:sns:us-east-1:123456789012:.fifo", None),
            ("arn:aws:sns:us-east-1:123456789012:e\u{202e}", None),
            ("arn:aws:sns:attacker.com/:123456789012:e", None),
            ("arn:aws:sns:us-east-1.attacker.com#:123456789012:e", None),
            ("arn:aws:sns:US-EAST-1:123456789012:e", None),
            ("arn:aws:sns:-us:123456789012:e", None),
            ("arn:aws:sns::123456789012:e", None),
            ("", None),
        ];
        for (text, host) in table {
            assert_eq!(TopicArn::parse(text).as_ref().map(TopicArn::host), host, "{text}");
        }
        assert_eq!(TopicArn::parse(&format!("arn:aws:sns:us-east-1:123456789012:{}", "e".repeat(257))), None);
    }
}
