//! What the sender's domain says in DNS: SPF, DMARC, and the records that SES asks for. What others read there, and so
//! whether mails are believed. All of it is from outside.

mod query;

use std::net::SocketAddr;

use self::query::Kind;
use super::{Finding, Room, account, check::Examined};
use crate::domain::account::{Figures, Identity, PanelKind};
use crate::mail::sender::Sender;
use crate::text::plain;

/// What lets SES send for a domain.
const SES: &str = "include:amazonses.com";

/// Asks a name server: the system's, or one of the caller's.
pub(super) struct Dns(Option<SocketAddr>);

impl Dns {
    pub(super) fn new(server: Option<SocketAddr>) -> Self {
        Self(server)
    }

    /// The records of a name, as text; none where there is no such name.
    async fn records(&self, name: &str, kind: Kind) -> Result<Vec<String>, Finding> {
        let servers = match self.0 {
            Some(server) => Ok(vec![server]),
            None => query::system_servers(),
        };
        let found = match servers {
            Ok(servers) => query::records(&servers, name, kind).await,
            Err(error) => Err(error),
        };
        found.map_err(|error| {
            Finding::yellow(
                format!("DNS does not answer for {name}: {error}"),
                "see whether this host's name servers (/etc/resolv.conf) answer; `--offline` leaves this out",
            )
        })
    }
}

/// The sender's domain: as set here, else as workers asked SES about it.
async fn domain(room: &Room) -> Result<String, Finding> {
    room.is_to_ask_others()?;
    if let Some(from) = &room.settings.mail.from {
        let sender = Sender::from_setting("mail.from", from).map_err(|error| Finding::red(&error.what, &error.hint))?;
        return checked(sender.address().domain());
    }
    let no = || Finding::of_workers("`mail.from` is not set here, and no worker has asked SES about a domain");
    let account = room.account().await.map_err(|_| no())?;
    let panel = account.panels.iter().find(|panel| panel.kind == PanelKind::Domain).ok_or_else(no)?;
    checked(panel.subject.raw())
}

/// A name that others may be asked about: none that belongs to no one (RFC 2606), where there is nothing to find.
fn checked(domain: &str) -> Result<String, Finding> {
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let last = domain.rsplit('.').next().unwrap_or_default();
    let is_name = domain.contains('.')
        && domain.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        && domain.len() <= 253;
    if !is_name {
        return Err(Finding::skipped(format!("{} is no domain that has records", plain(&domain))));
    }
    let is_example = ["example", "test", "invalid", "localhost"].contains(&last)
        || ["example.com", "example.net", "example.org"]
            .iter()
            .any(|example| domain == *example || domain.ends_with(&format!(".{example}")));
    if is_example {
        return Err(Finding::skipped(format!("{domain} is an example's domain: it has no records")));
    }
    Ok(domain)
}

/// What SES says of the domain's identity, if workers know.
async fn identity(room: &Room) -> Option<&Identity> {
    let account = room.account().await.ok()?;
    let figures = account.panels.iter().find(|panel| panel.kind == PanelKind::Domain)?.answer.as_ref();
    match figures {
        Some((_, Figures::Identity(identity))) => Some(identity),
        _ => None,
    }
}

pub(super) fn spf(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let domain = domain(room).await?;
        let own = identity(room).await.map(|identity| identity.mail_from.raw().to_owned()).unwrap_or_default();
        // Receivers look at the envelope's domain.
        let (domain, is_envelope) = match checked(&own) {
            Ok(own) if !own.is_empty() => (own, true),
            _ => (domain, false),
        };
        let goes_through_ses = room.means_ses() || room.account().await.is_ok_and(|account| account.account.is_some());
        let records = room.dns.records(&domain, Kind::Txt).await?;
        Ok(judged_spf(&domain, &records, is_envelope, goes_through_ses))
    })
}

fn is_spf(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text == "v=spf1" || text.starts_with("v=spf1 ")
}

fn judged_spf(domain: &str, records: &[String], is_envelope: bool, goes_through_ses: bool) -> Finding {
    let found: Vec<&String> = records.iter().filter(|text| is_spf(text)).collect();
    let wanted =
        if goes_through_ses { format!("\"v=spf1 {SES} ~all\"") } else { "one that names your relay".to_owned() };
    let record = match found.as_slice() {
        [] => {
            let next = format!("put into DNS: {domain} TXT {wanted}");
            let words = format!("{domain} has no SPF record");
            return if is_envelope { Finding::red(words, next) } else { Finding::yellow(words, next) };
        }
        [one] => *one,
        several => {
            return Finding::red(
                format!("{domain} has {} SPF records: receivers take none of them", several.len()),
                "make one of them, with all that they include",
            );
        }
    };
    let words: Vec<String> = record.split_whitespace().map(str::to_ascii_lowercase).collect();
    let lets_ses = words.iter().any(|word| word.trim_start_matches('+') == SES);
    let leads_on = words.iter().any(|word| word.starts_with("redirect="));
    if words.iter().any(|word| word == "all" || word == "+all") {
        return Finding::yellow(
            format!("{domain} lets everyone send in its name: {record}"),
            "end it with ~all or -all",
        );
    }
    if goes_through_ses && !lets_ses && !leads_on {
        let (words, next) = (format!("{domain} does not let SES send: {record}"), format!("add {SES} to it"));
        return if is_envelope { Finding::red(words, next) } else { Finding::yellow(words, next) };
    }
    Finding::green(format!("{domain}: {record}"))
}

pub(super) fn dmarc(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let domain = domain(room).await?;
        // That of the domain itself, else of the nearest above it that has one.
        let mut above = domain.as_str();
        while above.contains('.') {
            let records = room.dns.records(&format!("_dmarc.{above}"), Kind::Txt).await?;
            let found: Vec<&String> = records.iter().filter(|text| is_dmarc(text)).collect();
            if !found.is_empty() {
                return Ok(judged_dmarc(above, &found));
            }
            above = above.split_once('.').map_or("", |(_, rest)| rest);
        }
        Ok(Finding::yellow(
            format!("{domain} has no DMARC record: large providers ask for one"),
            format!("put into DNS: _dmarc.{domain} TXT \"v=DMARC1; p=none\", and raise p when its reports are clean"),
        ))
    })
}

fn is_dmarc(text: &str) -> bool {
    let first = text.split(';').next().unwrap_or_default();
    first.split_whitespace().collect::<String>().eq_ignore_ascii_case("v=dmarc1")
}

fn judged_dmarc(domain: &str, found: &[&String]) -> Finding {
    let [record] = found else {
        return Finding::red(
            format!("_dmarc.{domain} has {} DMARC records: receivers take none of them", found.len()),
            "leave one of them",
        );
    };
    let policy = record.split(';').find_map(|tag| {
        let (name, value) = tag.split_once('=')?;
        name.trim().eq_ignore_ascii_case("p").then(|| value.trim().to_ascii_lowercase())
    });
    match policy.as_deref() {
        Some("none" | "quarantine" | "reject") => Finding::green(format!("_dmarc.{domain}: {record}")),
        _ => Finding::yellow(
            format!("_dmarc.{domain} says no policy that there is: {record}"),
            "write p=none, p=quarantine or p=reject behind v=DMARC1",
        ),
    }
}

pub(super) fn dkim(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let domain = domain(room).await?;
        let tokens: Vec<String> = identity(room)
            .await
            .map(|identity| identity.dkim_tokens.iter().map(|token| token.raw().to_ascii_lowercase()).collect())
            .unwrap_or_default();
        // They become parts of names.
        let is_token =
            |token: &String| (1..=63).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_alphanumeric());
        if tokens.is_empty() || !tokens.iter().all(is_token) {
            return Err(Finding::skipped(
                "SES's three tokens are not known: no worker has asked, or DKIM has keys of its own",
            ));
        }
        let mut wrong = Vec::new();
        for token in &tokens {
            let (name, wanted) = (format!("{token}._domainkey.{domain}"), format!("{token}.dkim.amazonses.com"));
            let is_there = room.dns.records(&name, Kind::Cname).await?.contains(&wanted);
            if !is_there {
                wrong.push(format!("{name} CNAME {wanted}"));
            }
        }
        Ok(if wrong.is_empty() {
            Finding::green(format!("{domain} has all {} records that SES asks for", tokens.len()))
        } else {
            Finding::red(
                format!(
                    "{} of {} records that SES asks for are missing: mails will not be signed",
                    wrong.len(),
                    tokens.len()
                ),
                format!("put into DNS: {}", wrong.join("; ")),
            )
        })
    })
}

pub(super) fn mail_from(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        room.is_to_ask_others()?;
        let own = identity(room).await.map(|identity| identity.mail_from.raw().to_owned()).unwrap_or_default();
        if own.is_empty() {
            return Err(Finding::skipped("the envelope's domain is SES's own, as far as is known here"));
        }
        let own = checked(&own)?;
        let exchanges = room.dns.records(&own, Kind::Mx).await?;
        let is_ses = |name: &&String| name.starts_with("feedback-smtp.") && name.ends_with(".amazonses.com");
        let region = match room.account().await {
            Ok(view) => account::region(view, &room.settings),
            Err(_) => "REGION".into(),
        };
        let next = format!("put into DNS: {own} MX 10 feedback-smtp.{region}.amazonses.com, and no other MX");
        Ok(match exchanges.iter().filter(is_ses).count() {
            0 => Finding::red(format!("{own} has no MX record that leads to SES"), next),
            1 if exchanges.len() == 1 => Finding::green(format!("{own} MX {}", exchanges[0])),
            _ => Finding::red(format!("{own} has other MX records as well as SES's: {}", exchanges.join(", ")), next),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn spf_is_judged_by_who_reads_it() {
        let table: [(&[&str], bool, bool, State); 10] = [
            (&["v=spf1 include:amazonses.com ~all"], true, true, State::Green),
            (&["other", "V=SPF1 +include:amazonses.com -all"], false, true, State::Green),
            (&["v=spf1 redirect=_spf.example"], false, true, State::Green),
            (&["v=spf1 mx -all"], false, false, State::Green),
            (&["v=spf1 mx -all"], false, true, State::Yellow),
            (&["v=spf1 mx -all"], true, true, State::Red),
            (&["v=spf10 include:amazonses.com"], false, true, State::Yellow),
            (&[], true, true, State::Red),
            (&["v=spf1 include:amazonses.com +all"], true, true, State::Yellow),
            (&["v=spf1 mx ~all", "v=spf1 include:amazonses.com ~all"], false, true, State::Red),
        ];
        for (records, is_envelope, goes_through_ses, state) in table {
            let records: Vec<String> = records.iter().map(|text| (*text).to_owned()).collect();
            let finding = judged_spf("shop.kr", &records, is_envelope, goes_through_ses);
            assert_eq!(finding.state, state, "{records:?} {is_envelope}: {finding:?}");
        }
    }

    #[test]
    fn dmarc_is_one_record_with_a_policy() {
        let table: [(&[&str], State); 5] = [
            (&["v=DMARC1; p=none"], State::Green),
            (&["v=DMARC1;P = Reject; rua=mailto:x@shop.kr"], State::Green),
            (&["v=DMARC1; p=monitor"], State::Yellow),
            (&["v=DMARC1"], State::Yellow),
            (&["v=DMARC1; p=none", "v=DMARC1; p=reject"], State::Red),
        ];
        for (records, state) in table {
            let records: Vec<String> = records.iter().map(|text| (*text).to_owned()).collect();
            assert!(records.iter().all(|record| is_dmarc(record)));
            assert_eq!(judged_dmarc("shop.kr", &records.iter().collect::<Vec<_>>()).state, state, "{records:?}");
        }
        assert!(!is_dmarc("v=DMARC11; p=none") && !is_dmarc("v=spf1"));
    }

    #[test]
    fn only_domains_that_can_have_records_are_asked_about() {
        for wrong in ["example.org", "demo.example.com", "shop.test", "localhost", "", "a b.kr", "가.kr"] {
            assert!(checked(wrong).is_err(), "{wrong}");
        }
        assert_eq!(checked("Mail.Shop.KR.").unwrap(), "mail.shop.kr");
    }
}
