//! SES's host names and the regions in them.

use crate::config::{Ses, SettingError};
use crate::text::plain;

#[must_use]
pub fn smtp_host(region: &str) -> String {
    format!("email-smtp.{region}.amazonaws.com{}", if region.starts_with("cn-") { ".cn" } else { "" })
}

/// What AWS's own host names end in: those of China, of the dual-stack endpoints, of all others.
const SUFFIXES: [&str; 3] = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"];

/// The region in an API host such as `email.ap-northeast-2.amazonaws.com`, also one written as a URL, with a port, or
/// of the FIPS or SMTP kind. `None` for a host that is not AWS's own, down to its last label.
#[must_use]
pub fn region_of(endpoint: &str) -> Option<&str> {
    let host = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    let (service, region) = SUFFIXES.iter().find_map(|suffix| host.strip_suffix(suffix))?.split_once('.')?;
    let is_ses = matches!(service, "email" | "email-fips" | "email-smtp" | "email-smtp-fips");
    (is_ses && is_region(region)).then_some(region)
}

/// The region of a host that is SES's for SMTP, in lower case and without a dot behind it: its own names, and those of a
/// VPC endpoint for it, such as `vpce-….email-smtp.ap-northeast-2.vpce.amazonaws.com`.
#[must_use]
pub fn smtp_region(host: &str) -> Option<&str> {
    let public = host.starts_with("email-smtp").then(|| region_of(host)).flatten();
    public.or_else(|| {
        let name = SUFFIXES.iter().find_map(|suffix| host.strip_suffix(suffix))?.strip_suffix(".vpce")?;
        let (endpoint, rest) = name.split_once('.')?;
        let (service, region) = rest.split_once('.')?;
        let is_smtp = matches!(service, "email-smtp" | "email-smtp-fips");
        (endpoint.starts_with("vpce-") && is_smtp && is_region(region)).then_some(region)
    })
}

/// The region of a queue's host, such as `sqs.ap-northeast-2.amazonaws.com`.
#[must_use]
pub fn sqs_region(host: &str) -> Option<&str> {
    let (service, region) = SUFFIXES.iter().find_map(|suffix| host.strip_suffix(suffix))?.split_once('.')?;
    (matches!(service, "sqs" | "sqs-fips") && is_region(region)).then_some(region)
}

/// The account's region: as set, else out of the endpoint.
pub fn region(ses: &Ses) -> Result<Option<String>, SettingError> {
    if let Some(region) = ses.region.as_deref().map(str::trim) {
        if is_region(region) {
            return Ok(Some(region.to_owned()));
        }
        return Err(SettingError::new(
            format!("`ses.region` is not a region: {}", plain(region)),
            "set AWS_SES_REGION_NAME to one such as ap-northeast-2",
        ));
    }
    let Some(endpoint) = ses.endpoint.as_deref().map(str::trim) else { return Ok(None) };
    match region_of(endpoint) {
        Some(region) => Ok(Some(region.to_owned())),
        None => Err(SettingError::new(
            format!("`ses.endpoint` names no region: {}", plain(endpoint)),
            "write it as email.ap-northeast-2.amazonaws.com, or set AWS_SES_REGION_NAME",
        )),
    }
}

/// `ap-northeast-2`, `us-gov-west-1`: it goes into a host name, so nothing else may.
fn is_region(region: &str) -> bool {
    let parts: Vec<&str> = region.split('-').collect();
    parts.len() >= 3
        && parts
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
        && parts.last().is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_regions() {
        assert_eq!(smtp_host("ap-northeast-2"), "email-smtp.ap-northeast-2.amazonaws.com");
        assert_eq!(smtp_host("cn-north-1"), "email-smtp.cn-north-1.amazonaws.com.cn");
    }

    #[test]
    fn regions_of_endpoints() {
        let table = [
            ("email.ap-northeast-2.amazonaws.com", Some("ap-northeast-2")),
            ("https://email.us-east-1.amazonaws.com/", Some("us-east-1")),
            ("email-fips.us-gov-west-1.amazonaws.com:443", Some("us-gov-west-1")),
            ("email-smtp.eu-central-1.amazonaws.com", Some("eu-central-1")),
            ("email.eu-west-1.api.aws", Some("eu-west-1")),
            ("email.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("email.us-east-1.amazonaws.com.example.org", None),
            ("email.us-east-1.amazonaws.example.org", None),
            ("email.us-east-1.api.example.org", None),
            ("email.example.org", None),
            ("sqs.eu-west-1.amazonaws.com", None),
            ("localhost:4566", None),
            ("", None),
        ];
        for (endpoint, region) in table {
            assert_eq!(region_of(endpoint), region, "{endpoint}");
        }
    }

    #[test]
    fn a_region_that_is_set_wins_and_is_checked() {
        let mut ses = Ses { endpoint: Some("email.us-east-1.amazonaws.com".into()), ..Ses::default() };
        assert_eq!(region(&ses).unwrap().as_deref(), Some("us-east-1"));
        ses.region = Some("ap-northeast-2".into());
        assert_eq!(region(&ses).unwrap().as_deref(), Some("ap-northeast-2"));
        for wrong in ["seoul", "evil.example.org/ap-northeast-2", "ap-northeast-2\r\n-1", "AP-NORTHEAST-2"] {
            ses.region = Some(wrong.into());
            assert!(region(&ses).unwrap_err().what.contains("`ses.region`"), "{wrong}");
        }
        let ses = Ses { endpoint: Some("email.example.org".into()), ..Ses::default() };
        assert!(region(&ses).unwrap_err().what.contains("`ses.endpoint`"));
        assert_eq!(region(&Ses::default()).unwrap(), None);
    }
}
