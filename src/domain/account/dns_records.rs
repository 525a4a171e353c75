//! What has to be in DNS for a domain that mails come from, ready to be copied.

use std::fmt;

use super::Identity;
use crate::text::{Untrusted, plain};

/// The zone that the records of DKIM lead to where SES does not say: that of most regions.
const ZONE: &str = "dkim.amazonses.com";

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsRecord {
    /// What it is for: `DKIM`, `MAIL FROM`, `DMARC`.
    pub purpose: &'static str,
    pub name: String,
    pub kind: &'static str,
    /// In quotes where it is a text.
    pub value: String,
    /// Whether it is a proposal: SES does not look at it, and there may be one already.
    pub is_proposal: bool,
}

/// As in the file of a zone.
impl fmt::Display for DnsRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.name, self.kind, self.value)
    }
}

/// All that a domain needs, whether it is there or not: DKIM, by which SES also verifies it; what its own MAIL FROM needs,
/// if it has one; and a proposal for DMARC. `region` is where the account is, if SES has said.
#[must_use]
pub fn records(domain: &Untrusted, identity: &Identity, region: &Untrusted) -> Vec<DnsRecord> {
    let domain = domain.plain().into_string();
    let record =
        |purpose, name: String, kind, value: String| DnsRecord { purpose, name, kind, value, is_proposal: false };
    let zone = if identity.dkim_zone.is_empty() { plain(ZONE) } else { identity.dkim_zone.plain() };
    let mut records: Vec<DnsRecord> = identity
        .dkim_tokens
        .iter()
        .map(|token| {
            let token = token.plain();
            record("DKIM", format!("{token}._domainkey.{domain}"), "CNAME", format!("{token}.{zone}"))
        })
        .collect();
    if !identity.mail_from.is_empty() {
        let from = identity.mail_from.plain().into_string();
        if !region.is_empty() {
            let server = format!("10 feedback-smtp.{}.amazonses.com", region.plain());
            records.push(record("MAIL FROM", from.clone(), "MX", server));
        }
        records.push(record("MAIL FROM", from, "TXT", "\"v=spf1 include:amazonses.com ~all\"".into()));
    }
    records.push(DnsRecord {
        is_proposal: true,
        ..record("DMARC", format!("_dmarc.{domain}"), "TXT", "\"v=DMARC1; p=none\"".into())
    });
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(identity: &Identity, region: &str) -> Vec<String> {
        records(&"example.org".into(), identity, &region.into()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_as_it_is_copied() {
        let identity = Identity { dkim_tokens: vec!["aaa".into(), "b\u{1b}b".into()], ..Identity::default() };
        let dmarc = "_dmarc.example.org TXT \"v=DMARC1; p=none\"";
        assert_eq!(
            lines(&identity, ""),
            [
                "aaa._domainkey.example.org CNAME aaa.dkim.amazonses.com",
                "b\u{241b}b._domainkey.example.org CNAME b\u{241b}b.dkim.amazonses.com",
                dmarc
            ]
        );
        // Newer regions have a zone of their own.
        let identity = Identity {
            dkim_tokens: vec!["aaa".into()],
            dkim_zone: "dkim.eu-central-2.amazonses.com".into(),
            mail_from: "bounce.example.org".into(),
            ..Identity::default()
        };
        let spf = "bounce.example.org TXT \"v=spf1 include:amazonses.com ~all\"";
        assert_eq!(
            lines(&identity, "eu-central-2"),
            [
                "aaa._domainkey.example.org CNAME aaa.dkim.eu-central-2.amazonses.com",
                "bounce.example.org MX 10 feedback-smtp.eu-central-2.amazonses.com",
                spf,
                dmarc
            ]
        );
        assert_eq!(lines(&identity, "").len(), 3, "without a region, the server of MAIL FROM is not known");
    }
}
