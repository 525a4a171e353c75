//! Where mail goes by SMTP and who signs in there, out of what is set and what can be derived.

use super::{credentials, endpoint};
use crate::config::{Secret, SettingError, Settings, Tls, is_loopback};
use crate::text::plain;

/// A user name and a password. `Debug` shows no password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The SMTP user.
    pub username: String,
    pub password: Secret,
}

/// The SMTP server that takes the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpTarget {
    /// Its host name or address.
    pub host: String,
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who signs in; a private relay may ask no one.
    pub credentials: Option<Credentials>,
}

/// The SMTP server and the credentials that the settings mean. What `smtp.*` says wins; the host is derived from the
/// SES region; for SES's own hosts, and for no other, the user is the access key and the password is derived from its
/// secret.
pub fn smtp_settings(settings: &Settings) -> Result<SmtpTarget, SettingError> {
    let region = endpoint::region(&settings.ses)?;
    let host = match (&settings.smtp.host, &region) {
        (Some(host), _) => checked_host(host)?,
        (None, Some(region)) => endpoint::smtp_host(region),
        (None, None) => {
            return Err(SettingError::new(
                "no SMTP server is set, and no SES region to derive one from",
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
    let credentials = sign_in(settings, &host)?;
    Ok(SmtpTarget { host, port, tls, credentials })
}

fn checked_host(host: &str) -> Result<String, SettingError> {
    let host = host.trim();
    let address = host.trim_matches(['[', ']']);
    let fits = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    if fits {
        // Names are the same in any case, and with the dot of the root behind them.
        return Ok(host.trim_end_matches('.').to_ascii_lowercase());
    }
    if address.parse::<std::net::Ipv6Addr>().is_ok() {
        return Ok(address.to_owned());
    }
    Err(SettingError::new(
        format!("`smtp.host` is not a host name: {}", plain(host)),
        "write the name alone, such as email-smtp.ap-northeast-2.amazonaws.com; the port goes into `smtp.port`",
    ))
}

/// Who signs in. The AWS keys are meant for AWS: what is derived from them, and their id, go to SES's own hosts and to no
/// other, whatever a relay offers or asks.
fn sign_in(settings: &Settings, host: &str) -> Result<Option<Credentials>, SettingError> {
    let (smtp, ses) = (&settings.smtp, &settings.ses);
    let Some(region) = endpoint::smtp_region(host) else {
        return match (&smtp.username, &smtp.password) {
            (Some(username), Some(password)) => {
                Ok(Some(Credentials { username: username.clone(), password: password.clone() }))
            }
            (None, None) => Ok(None),
            (None, Some(_)) => Err(SettingError::new(
                "an SMTP password is set, but no user",
                "set VERIFYDESK_SMTP__USERNAME; AWS_ACCESS_KEY_ID goes to Amazon SES's own hosts only",
            )),
            (Some(username), None) => Err(SettingError::new(
                format!("there is no password for the SMTP user {}", plain(username)),
                format!(
                    "set VERIFYDESK_SMTP__PASSWORD; one derived from the AWS keys goes to Amazon SES's own hosts only, \
                     and {} is none",
                    plain(host)
                ),
            )),
        };
    };
    let Some(username) = smtp.username.clone().or_else(|| ses.access_key_id.clone()) else {
        return Err(if smtp.password.is_some() {
            SettingError::new(
                "an SMTP password is set, but no user",
                "set VERIFYDESK_SMTP__USERNAME, or AWS_ACCESS_KEY_ID",
            )
        } else {
            SettingError::new(
                format!("no credentials are set for {}", plain(host)),
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of an IAM user with ses:SendRawEmail, \
                 or VERIFYDESK_SMTP__USERNAME and VERIFYDESK_SMTP__PASSWORD",
            )
        });
    };
    if credentials::is_temporary(&username) {
        return Err(SettingError::new(
            format!("the access key {} is temporary; SES does not accept temporary keys over SMTP", plain(&username)),
            "make a long-lived access key (AKIA…) of an IAM user with ses:SendRawEmail",
        ));
    }
    let password = match (&smtp.password, &ses.secret_access_key) {
        (Some(password), _) => password.clone(),
        // For the region of the host: it is that one's SES that checks it.
        (None, Some(secret)) => credentials::smtp_password(secret, region),
        (None, None) => {
            return Err(SettingError::new(
                format!("there is no password for the SMTP user {}", plain(&username)),
                "set VERIFYDESK_SMTP__PASSWORD, or AWS_SECRET_ACCESS_KEY to derive it from",
            ));
        }
    };
    Ok(Some(Credentials { username, password }))
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
        let mine = Credentials { username: "me".into(), password: Secret::new("mine") };
        assert_eq!(target.credentials, Some(mine));
        settings.smtp.port = Some(2465);
        assert_eq!(smtp_settings(&settings).unwrap().port, 2465);
    }

    #[test]
    fn what_the_aws_keys_yield_goes_to_ses_only() {
        let ses = [
            "email-smtp.us-west-2.amazonaws.com",
            "Email-SMTP.US-West-2.AmazonAWS.com.",
            "email-smtp-fips.us-west-2.amazonaws.com",
            "email-smtp.us-west-2.api.aws",
            "vpce-0a1b2c3d4e5f60718-9a8b7c6d.email-smtp.us-west-2.vpce.amazonaws.com",
            "vpce-0a1b2c3d4e5f60718-9a8b7c6d-us-west-2a.email-smtp.us-west-2.vpce.amazonaws.com",
        ];
        for host in ses {
            let mut settings = with_keys();
            settings.smtp.host = Some(host.into());
            // The password is one region's; the host says which.
            settings.ses.region = Some("eu-central-1".into());
            let credentials = smtp_settings(&settings).unwrap().credentials.unwrap();
            assert_eq!(credentials.password.expose(), "BF2PynzbSCAjX08zhZZnP/kW+T9P5zs/1Er0pi5vTEmd", "{host}");
        }
        let others = [
            "127.0.0.1",
            "[::1]",
            "localhost",
            "relay.example.org",
            "email-smtp.us-west-2.amazonaws.com.example.org",
            "email-smtp.us-west-2.amazonaws.example.org",
            "email-smtp.us-west-2.amazonaws",
            "email-smtp.us-west-2.api.example.org",
            "email-smtp.us-west-2.example.org",
            "example.org.email-smtp.us-west-2.amazonaws.com",
            "email-smtp.example.us-west-2.amazonaws.com",
            "email-smtp-us-west-2.amazonaws.com",
            "vpce-0a1b2c3d.email-smtp.us-west-2.vpce.amazonaws.com.example.org",
            "vpce-0a1b2c3d.ec2.us-west-2.vpce.amazonaws.com",
            "ec2-203-0-113-7.us-west-2.compute.amazonaws.com",
            "s3.us-west-2.amazonaws.com",
            "inbound-smtp.us-west-2.amazonaws.com",
        ];
        for host in others {
            let mut settings = with_keys();
            settings.smtp.host = Some(host.into());
            assert_eq!(smtp_settings(&settings).unwrap().credentials, None, "{host}");
            settings.smtp.username = Some("me".into());
            let error = smtp_settings(&settings).unwrap_err();
            assert!(error.what.contains("no password for the SMTP user me"), "{host}: {error}");
            assert!(error.hint.contains("own hosts only"), "{host}: {}", error.hint);
            settings.smtp.username = None;
            settings.smtp.password = Some(Secret::new("mine"));
            let error = smtp_settings(&settings).unwrap_err();
            assert!(error.what.contains("no user"), "{host}: {error}");
        }
    }

    #[test]
    fn an_endpoint_that_is_not_amazon_s_leads_nowhere() {
        for endpoint in
            ["email.us-west-2.amazonaws.com.example.org", "email.us-west-2.amazonaws.example.org", "localhost"]
        {
            let mut settings = with_keys();
            settings.ses.region = None;
            settings.ses.endpoint = Some(endpoint.into());
            let error = smtp_settings(&settings).unwrap_err();
            assert!(error.what.contains("`ses.endpoint` names no region"), "{endpoint}: {error}");
        }
    }

    #[test]
    fn a_private_relay_needs_no_credentials() {
        let mut settings = with_keys();
        settings.smtp.host = Some("127.0.0.1".into());
        settings.smtp.tls = Tls::None;
        let target = smtp_settings(&settings).unwrap();
        assert_eq!((target.port, target.credentials), (25, None));
        settings.smtp.host = Some("[::1]".into());
        assert_eq!(smtp_settings(&settings).unwrap().host, "::1");
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
                "no password for the SMTP user me",
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
