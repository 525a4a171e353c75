//! Whether all that is set means one region. SES's identities, quotas and suppression list are of one region: a mail that
//! goes through another is refused, or reported to no one.

use url::Url;

use super::{Finding, Room, check::Examined};
use crate::config::Settings;
use crate::ses::{endpoint, sns::TopicArn};
use crate::text::plain;

pub(super) fn one(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let mut named = named(&room.settings).map_err(|error| Finding::red(&error.what, &error.hint))?;
        // What SES said, where that can be read.
        if let Ok(view) = room.account().await
            && let Some(standing) = view.account.as_ref().and_then(|account| account.standing.as_ref())
        {
            named.push(("the account that workers asked".into(), standing.region.plain().into_string()));
        }
        if let Ok(outbox) = room.outbox().await {
            for queue in &outbox.event_queues {
                if let Some(region) = region_of_queue(queue.url.raw()) {
                    named.push(("the queue that workers read".into(), region));
                }
            }
        }
        Ok(judged(&named))
    })
}

fn region_of_queue(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    endpoint::sqs_region(url.host_str()?).map(str::to_owned)
}

/// What names a region, and which.
fn named(settings: &Settings) -> Result<Vec<(String, String)>, crate::config::SettingError> {
    let mut named = Vec::new();
    let region = endpoint::region(&settings.ses)?;
    if let (Some(region), Some(_)) = (&region, &settings.ses.region) {
        named.push(("`ses.region`".to_owned(), region.clone()));
    }
    let hosts = [("`ses.endpoint`", &settings.ses.endpoint), ("`smtp.host`", &settings.smtp.host)];
    for (setting, host) in hosts {
        let host = host.as_deref().map(|host| host.trim().trim_end_matches('.').to_ascii_lowercase());
        if let Some(region) =
            host.as_deref().and_then(|host| endpoint::region_of(host).or_else(|| endpoint::smtp_region(host)))
        {
            named.push((setting.to_owned(), region.to_owned()));
        }
    }
    if let Some(region) = settings.ses.queue.as_deref().and_then(region_of_queue) {
        named.push(("`ses.queue`".to_owned(), region));
    }
    for topic in &settings.ses.topics {
        if let Some(region) = TopicArn::parse(topic).and(topic.split(':').nth(3)) {
            named.push((format!("the topic {}", plain(topic)), region.to_owned()));
        }
    }
    Ok(named)
}

fn judged(named: &[(String, String)]) -> Finding {
    let Some((_, first)) = named.first() else { return Finding::skipped("nothing here names a region of AWS's") };
    if named.iter().all(|(_, region)| region == first) {
        return Finding::green(format!("{first}, wherever one is named"));
    }
    let all: Vec<String> = named.iter().map(|(what, region)| format!("{what}: {region}")).collect();
    Finding::red(
        format!("different regions are meant: {}", all.join(", ")),
        "have all name the region in which the sender's identity is verified: identities, quotas and events are of one region",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn regions_are_compared_wherever_they_are_named() {
        let mut settings = Settings::default();
        assert_eq!(judged(&named(&settings).unwrap()).state, State::Skipped);
        settings.ses.region = Some("eu-central-1".into());
        settings.smtp.host = Some("Email-SMTP.eu-central-1.amazonaws.com.".into());
        settings.ses.endpoint = Some("https://email.eu-central-1.amazonaws.com".into());
        settings.ses.queue = Some("https://sqs.eu-central-1.amazonaws.com/123456789012/events".into());
        settings.ses.topics = vec!["arn:aws:sns:eu-central-1:123456789012:events".into()];
        let green = judged(&named(&settings).unwrap());
        assert_eq!((green.state, green.found.as_str()), (State::Green, "eu-central-1, wherever one is named"));
        let others: [fn(&mut Settings); 4] = [
            |it| it.smtp.host = Some("email-smtp.us-east-1.amazonaws.com".into()),
            |it| it.ses.endpoint = Some("email.us-east-1.amazonaws.com".into()),
            |it| it.ses.queue = Some("https://sqs.us-east-1.amazonaws.com/123456789012/events".into()),
            |it| it.ses.topics = vec!["arn:aws:sns:us-east-1:123456789012:events".into()],
        ];
        for change in others {
            let mut settings = settings.clone();
            change(&mut settings);
            let red = judged(&named(&settings).unwrap());
            assert_eq!(red.state, State::Red);
            assert!(red.found.as_str().contains("us-east-1") && red.next.is_some(), "{red:?}");
        }
    }
}
