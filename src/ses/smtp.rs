//! Where mail goes by SMTP and who signs in there, out of what is set and what can be derived.

use super::{credentials, endpoint};
use crate::config::{Secret, SettingError, Settings, Tls, is_loopback};
use crate::text::plain;

/// A user name and a password. `Debug` shows no password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The SMTP user.
    pub username: String,
    /// Its password.
    pub password: Secret,
    /// Whether they were derived from an IAM key that may be there for other reasons: a relay that asks nobody to sign
    /// in gets mail without them.
    pub derived: bool,
}

/// The SMTP server that takes the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpTarget {
    /// Its host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who signs in; a private relay may ask for nobody.
    pub credentials: Option<Credentials>,
}

/// The SMTP server and the credentials that the settings mean. What `smtp.*` says wins; the host is derived from the
/// SES region, the user is the access key, the password is derived from its secret.
pub fn smtp_settings(settings: &Settings) -> Result<SmtpTarget, SettingError> {
    let region = endpoint::region(&settings.ses)?;
    let host = match (&settings.smtp.host, &region) {
        (Some(host), _) => checked_host(host)?,
        (None, Some(region)) => endpoint::smtp_host(region),
        (None, None) => {
            return Err(SettingError::new(
                "no SMTP server is set, and no SES region that tells one",
                "set AWS_SES_REGION_NAME to the region of your SES account, such as ap-northeast-2, \
                 or VERIFYDESK_SMTP__HOST",
            ));
        }
    };
    let tls = settings.smtp.tls;
    if tls == Tls::None && !is_loopback(&host) {
        return Err(SettingError::new(
            format!("`smtp.tls` is \"none\", but {} is not this machine", plain(&host)),
            "use \"starttls\" or \"tls\"; passwords and links do not go over the network in clear text",
        ));
    }
    let port = settings.smtp.port.unwrap_or(match tls {
        Tls::Starttls => 587,
        Tls::Tls => 465,
        Tls::None => 25,
    });
    let credentials = sign_in(settings, region.as_deref(), &host)?;
    Ok(SmtpTarget { host, port, tls, credentials })
}

fn checked_host(host: &str) -> Result<String, SettingError> {
    let host = host.trim();
    let address = host.trim_matches(['[', ']']);
    let fits = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    if fits {
        return Ok(host.to_owned());
    }
    if address.parse::<std::net::Ipv6Addr>().is_ok() {
        return Ok(address.to_owned());
    }
    Err(SettingError::new(
        format!("`smtp.host` is not a host name: {}", plain(host)),
        "write the name alone, such as email-smtp.ap-northeast-2.amazonaws.com; the port goes into `smtp.port`",
    ))
}

fn sign_in(settings: &Settings, region: Option<&str>, host: &str) -> Result<Option<Credentials>, SettingError> {
    let (smtp, ses) = (&settings.smtp, &settings.ses);
    let is_ses =
        region.is_some_and(|region| host == endpoint::smtp_host(region)) || endpoint::region_of(host).is_some();
    let derivable = ses.secret_access_key.is_some() && region.is_some();
    let wanted = is_ses || derivable || smtp.password.is_some();
    let Some(username) = smtp.username.clone().or_else(|| ses.access_key_id.clone().filter(|_| wanted)) else {
        return match (&smtp.password, is_ses) {
            (Some(_), _) => Err(SettingError::new(
                "an SMTP password is set, but no user",
                "set VERIFYDESK_SMTP__USERNAME, or AWS_ACCESS_KEY_ID",
            )),
            (None, true) => Err(SettingError::new(
                format!("no credentials are set for {}", plain(host)),
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of an IAM user with ses:SendRawEmail, \
                 or VERIFYDESK_SMTP__USERNAME and VERIFYDESK_SMTP__PASSWORD",
            )),
            (None, false) => Ok(None),
        };
    };
    if credentials::is_temporary(&username) {
        return Err(SettingError::new(
            format!("the access key {} is temporary; SES takes no temporary keys over SMTP", plain(&username)),
            "make a long-lived access key (AKIA…) of an IAM user with ses:SendRawEmail",
        ));
    }
    let password = match (&smtp.password, &ses.secret_access_key, region) {
        (Some(password), _, _) => password.clone(),
        (None, Some(secret), Some(region)) => credentials::smtp_password(secret, region),
        (None, Some(_), None) => {
            return Err(SettingError::new(
                "the SMTP password cannot be derived without the region",
                "set AWS_SES_REGION_NAME to the region of your SES account, such as ap-northeast-2",
            ));
        }
        (None, None, _) => {
            return Err(SettingError::new(
                format!("there is no password for the SMTP user {}", plain(&username)),
                "set VERIFYDESK_SMTP__PASSWORD, or AWS_SECRET_ACCESS_KEY to derive it from",
            ));
        }
    };
    let derived = smtp.username.is_none() && smtp.password.is_none();
    Ok(Some(Credentials { username, password, derived }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_keys() -> Settings {
        let mut settings = Settings::default();
        settings.ses.access_key_id = Some("AKIAIOSFODNN7EXAMPLE".into());
        settings.ses.secret_access_key = Some(Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
        settings.ses.region = Some("us-west-2".into());
        settings
    }

    #[test]
    fn all_of_it_is_derived_from_what_a_django_site_has() {
        let target = smtp_settings(&with_keys()).unwrap();
        assert_eq!((target.host.as_str(), target.port), ("email-smtp.us-west-2.amazonaws.com", 587));
        let credentials = target.credentials.unwrap();
        assert_eq!(credentials.username, "AKIAIOSFODNN7EXAMPLE");
        assert_eq!(credentials.password.expose(), "BF2PynzbSCAjX08zhZZnP/kW+T9P5zs/1Er0pi5vTEmd");
        let mut settings = with_keys();
        settings.ses.region = None;
        settings.ses.endpoint = Some("email.us-west-2.amazonaws.com".into());
        assert_eq!(smtp_settings(&settings).unwrap(), smtp_settings(&with_keys()).unwrap());
    }

    #[test]
    fn what_is_set_wins() {
        let mut settings = with_keys();
        settings.smtp.host = Some("relay.example.org".into());
        settings.smtp.username = Some("me".into());
        settings.smtp.password = Some(Secret::new("mine"));
        settings.smtp.tls = Tls::Tls;
        let target = smtp_settings(&settings).unwrap();
        assert_eq!((target.host.as_str(), target.port), ("relay.example.org", 465));
        let mine = Credentials { username: "me".into(), password: Secret::new("mine"), derived: false };
        assert_eq!(target.credentials, Some(mine));
        settings.smtp.port = Some(2465);
        assert_eq!(smtp_settings(&settings).unwrap().port, 2465);
    }

    #[test]
    fn a_private_relay_is_signed_in_to_where_that_can_be() {
        let mut settings = with_keys();
        settings.smtp.host = Some("127.0.0.1".into());
        settings.smtp.tls = Tls::None;
        let target = smtp_settings(&settings).unwrap();
        assert_eq!(target.port, 25);
        assert!(target.credentials.unwrap().derived);
        settings.smtp.host = Some("[::1]".into());
        assert_eq!(smtp_settings(&settings).unwrap().host, "::1");
        settings.ses.secret_access_key = None;
        assert_eq!(smtp_settings(&settings).unwrap().credentials, None);
    }

    #[test]
    fn what_lacks_is_named() {
        type Change = fn(&mut Settings);
        let table: [(Change, &str); 9] = [
            (|s| s.ses.region = None, "no SMTP server is set"),
            (|s| s.ses.secret_access_key = None, "no password for the SMTP user AKIAIOSFODNN7EXAMPLE"),
            (|s| s.ses.access_key_id = None, "no credentials are set for email-smtp.us-west-2"),
            (|s| s.ses.access_key_id = Some("ASIAIOSFODNN7EXAMPLE".into()), "is temporary"),
            (|s| s.smtp.host = Some("https://relay:25".into()), "`smtp.host` is not a host name"),
            (|s| s.smtp.tls = Tls::None, "`smtp.tls` is \"none\""),
            (|s| s.ses.region = Some("Seoul".into()), "`ses.region`"),
            (
                |s| {
                    s.ses.region = None;
                    s.smtp.host = Some("relay.example.org".into());
                    s.smtp.username = Some("me".into());
                },
                "cannot be derived without the region",
            ),
            (
                |s| {
                    s.ses.access_key_id = None;
                    s.smtp.host = Some("relay.example.org".into());
                    s.smtp.password = Some(Secret::new("p"));
                },
                "an SMTP password is set, but no user",
            ),
        ];
        for (change, message) in table {
            let mut settings = with_keys();
            change(&mut settings);
            let error = smtp_settings(&settings).unwrap_err();
            let what = &error.what;
            assert!(what.contains(message), "{what} does not say {message}");
            assert!(!what.contains("wJalr") && !error.hint.contains("wJalr"));
        }
    }

    #[test]
    fn debug_keeps_the_password() {
        let shown = format!("{:?}", smtp_settings(&with_keys()).unwrap());
        assert!(shown.contains("[secret]") && !shown.contains("BF2Pynzb"));
    }
}
