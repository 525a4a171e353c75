//! Reads the settings: the file first, then the environment over it, one variable at a time, so that an error can
//! name the variable.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use serde::Deserialize as _;
use toml::{Table, Value};

use super::{SettingError, Settings};
use crate::text::plain;

/// Variables of other programs that set one of ours, weakest first.
pub(super) const FOREIGN: [(&str, &[&str]); 6] = [
    ("DATABASE_URL", &["database_url"]),
    ("AWS_ACCESS_KEY_ID", &["ses", "access_key_id"]),
    ("AWS_SECRET_ACCESS_KEY", &["ses", "secret_access_key"]),
    ("AWS_REGION", &["ses", "region"]),
    ("AWS_SES_REGION_NAME", &["ses", "region"]),
    ("AWS_SES_REGION_ENDPOINT", &["ses", "endpoint"]),
];

const PREFIX: &str = "VERIFYDESK_";

/// The variable of a setting.
pub(super) fn own_variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// Reads settings from the given file, or from the usual place if there is a file there, and from the environment.
pub fn load(
    config: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Settings, SettingError> {
    let table = match config {
        Some(path) => read(path)?,
        None => match config_path() {
            Some(path) if path.exists() => read(&path)?,
            _ => Table::new(),
        },
    };
    let mut settings = overlay(table, environment)?;
    settings.ses.read_key_file()?;
    settings.check()?;
    Ok(settings)
}

/// Where the settings file is looked for: `$XDG_CONFIG_HOME/verifydesk/config.toml`.
#[must_use]
pub fn config_path() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|base| base.config_dir().join("verifydesk/config.toml"))
}

fn read(path: &Path) -> Result<Table, SettingError> {
    let shown = plain(&path.display().to_string());
    let text = std::fs::read_to_string(path).map_err(|error| {
        SettingError::new(
            format!("cannot read the settings file {shown}: {error}"),
            "check the path and its permissions",
        )
    })?;
    let refuse = |error: &toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        SettingError::new(
            format!("{shown}, line {line}: {}", plain(error.message())),
            "docs/settings.md lists every key; correct or remove this one",
        )
    };
    let table = text.parse::<Table>().map_err(|error| refuse(&error))?;
    toml::from_str::<Settings>(&text).map_err(|error| refuse(&error))?;
    Ok(table)
}

pub(super) fn overlay(
    mut table: Table,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Settings, SettingError> {
    let mut variables: Vec<(usize, String, Vec<String>, String)> = Vec::new();
    for (name, value) in environment {
        if value.is_empty() {
            continue;
        }
        if let Some(rank) = FOREIGN.iter().position(|(foreign, _)| *foreign == name) {
            let path = FOREIGN[rank].1.iter().map(ToString::to_string).collect();
            variables.push((rank, name, path, value));
        } else if let Some(rest) = name.strip_prefix(PREFIX) {
            let path = rest.to_lowercase().split("__").map(ToOwned::to_owned).collect();
            variables.push((FOREIGN.len(), name, path, value));
        }
    }
    variables.sort();
    let mut settings =
        parse(&table).map_err(|error| SettingError::new(error.to_string(), "correct the settings file"))?;
    for (_, name, path, value) in variables {
        let refuse = |error: &toml::de::Error| {
            SettingError::new(
                format!("{}: {}", plain(&name), plain(error.message())),
                "docs/settings.md lists every variable; correct or unset this one",
            )
        };
        // A token of digits is a string, a port is a number: the struct knows which.
        let mut candidates = vec![Value::String(value.clone())];
        candidates.extend(value.parse::<i64>().map(Value::Integer));
        candidates.extend(value.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::Float));
        candidates.extend(value.parse::<bool>().map(Value::Boolean));
        let mut result = Err(None);
        for candidate in candidates {
            let mut trial = table.clone();
            if !insert(&mut trial, &path, candidate) {
                break;
            }
            match parse(&trial) {
                Ok(parsed) => {
                    table = trial;
                    result = Ok(parsed);
                    break;
                }
                Err(error) => result = Err(Some(error)),
            }
        }
        // Last, and without a word of its own: an error that speaks of a sequence would help no one.
        if result.is_err() {
            let list = value.split(',').map(|item| Value::String(item.trim().to_owned())).collect();
            let mut trial = table.clone();
            if insert(&mut trial, &path, Value::Array(list))
                && let Ok(parsed) = parse(&trial)
            {
                table = trial;
                result = Ok(parsed);
            }
        }
        settings = result.map_err(|error| match error {
            Some(error) => refuse(&error),
            None => SettingError::new(format!("{}: there is no such setting", plain(&name)), "unset it"),
        })?;
    }
    Ok(settings)
}

fn parse(table: &Table) -> Result<Settings, toml::de::Error> {
    Settings::deserialize(Value::Table(table.clone()))
}

/// Puts a value at a path; false where something that is no table is in the way.
fn insert(table: &mut Table, path: &[String], value: Value) -> bool {
    match path {
        [] => false,
        [last] => {
            table.insert(last.clone(), value);
            true
        }
        [first, rest @ ..] => match table.entry(first.clone()).or_insert_with(|| Value::Table(Table::new())) {
            Value::Table(inner) => insert(inner, rest, value),
            _ => false,
        },
    }
}

/// Durations as people write them: `3 days`, `72h`, `15min`.
pub(super) mod duration {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, de::Error as _};

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_duration(&text)
            .map_err(|error| D::Error::custom(format!("{error}; write it like \"3 days\" or \"90s\"")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Tls, TransportKind};
    use std::time::Duration;

    fn with(variables: &[(&str, &str)]) -> Result<Settings, SettingError> {
        let settings = overlay(Table::new(), variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))?;
        settings.check()?;
        Ok(settings)
    }

    fn with_file(text: &str) -> Result<Settings, SettingError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        load(Some(&path), [])
    }

    #[test]
    fn environment_over_file_over_defaults() {
        let table = "[smtp]\nport = 25\nhost = \"relay\"".parse::<Table>().unwrap();
        let settings = overlay(table, [("VERIFYDESK_SMTP__PORT".to_owned(), "2587".to_owned())]).unwrap();
        assert_eq!(settings.smtp.port, Some(2587));
        assert_eq!(settings.smtp.host.as_deref(), Some("relay"));
        assert_eq!(settings.verification.lifetime, Duration::from_hours(72));
    }

    #[test]
    fn every_documented_variable_is_read() {
        let settings = with(&[
            ("DATABASE_URL", "postgres://localhost/x"),
            ("VERIFYDESK_MAIL__TRANSPORT", "capture"),
            ("VERIFYDESK_MAIL__FROM", "Site <no-reply@example.org>"),
            ("VERIFYDESK_SMTP__HOST", "localhost"),
            ("VERIFYDESK_SMTP__PORT", "25"),
            ("VERIFYDESK_SMTP__TLS", "none"),
            ("VERIFYDESK_SMTP__USERNAME", "u"),
            ("VERIFYDESK_SMTP__PASSWORD", "12345"),
            ("VERIFYDESK_SMTP__CA_FILE", "/ca.pem"),
            ("VERIFYDESK_PUBLIC_URL", "http://127.0.0.1:8080"),
            ("VERIFYDESK_SECRET", "0123456789abcdef0123456789abcdef"),
            ("VERIFYDESK_SECRET_PREVIOUS", "fedcba9876543210fedcba9876543210"),
            ("VERIFYDESK_CAPTURE__DIR", "/tmp/mail"),
            ("VERIFYDESK_VERIFICATION__LIFETIME", "2 hours"),
            ("VERIFYDESK_SERVE__TOKEN", "99999999999999999999999999999999"),
            ("VERIFYDESK_SITE__NAME", "Site"),
            ("VERIFYDESK_SITE__URL", "https://example.org/"),
            ("VERIFYDESK_SITE__ZONE__EN", "Europe/Berlin"),
            ("VERIFYDESK_CONSOLE__SEND", "true"),
            ("VERIFYDESK_TEMPLATES__CLIENTS", "gmail, outlook.windows"),
            ("VERIFYDESK_SES__TOPICS", "arn:aws:sns:eu-west-1:123456789012:a, arn:aws:sns:eu-west-1:123456789012:b"),
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_SES_REGION_NAME", "ap-northeast-2"),
            ("AWS_SES_REGION_ENDPOINT", "email.ap-northeast-2.amazonaws.com"),
            ("PATH", "/bin"),
        ])
        .unwrap();
        assert_eq!(settings.mail.transport, TransportKind::Capture);
        assert_eq!(settings.smtp.tls, Tls::None);
        assert_eq!(settings.smtp.password.unwrap().expose(), "12345");
        assert_eq!(settings.ses.region.as_deref(), Some("ap-northeast-2"));
        assert_eq!(settings.ses.topics.len(), 2);
        assert!(settings.ses.takes_posts() && !Settings::default().ses.takes_posts());
        assert_eq!(settings.verification.lifetime, Duration::from_hours(2));
        assert!(settings.console.send);
        assert_eq!(settings.templates.clients, ["gmail", "outlook.windows"]);
    }

    #[test]
    fn nonsense_is_named() {
        let (long, token) = ("가".repeat(101), "x".repeat(1_025));
        let same = "0123456789abcdef0123456789abcdef";
        let table: [(&[(&str, &str)], &str); 19] = [
            (&[("VERIFYDESK_SMTPP__HOST", "x")], "VERIFYDESK_SMTPP__HOST: unknown field `smtpp`"),
            (&[("VERIFYDESK_SMTP__PORT", "x")], "VERIFYDESK_SMTP__PORT: invalid type"),
            (&[("VERIFYDESK_SMTP__TLS", "ssl")], "VERIFYDESK_SMTP__TLS: unknown variant `ssl`"),
            (&[("VERIFYDESK_SECRET", "short")], "`secret` has 5 bytes"),
            (&[("VERIFYDESK_SERVE__TOKEN", "a")], "`serve.token` has 1 characters; it must have between 32 and 1024"),
            (&[("VERIFYDESK_SERVE__TOKEN", &token)], "`serve.token` has 1025 characters"),
            (&[("VERIFYDESK_SECRET_PREVIOUS", "short")], "`secret_previous` has 5 bytes"),
            (
                &[("VERIFYDESK_SECRET", same), ("VERIFYDESK_SECRET_PREVIOUS", same)],
                "`secret_previous` is the same as `secret`",
            ),
            (&[("VERIFYDESK_PUBLIC_URL", "example.org")], "`public_url` is not a URL"),
            (&[("VERIFYDESK_PUBLIC_URL", "ftp://example.org")], "`public_url` must be an http"),
            (&[("VERIFYDESK_VERIFICATION__LIFETIME", "soon")], "VERIFYDESK_VERIFICATION__LIFETIME: "),
            (&[("VERIFYDESK_SMTP__HOST", "relay"), ("VERIFYDESK_SMTP__TLS", "none")], "`smtp.tls` is \"none\""),
            (&[("VERIFYDESK_SITE__ZONE__EN", "Europe/Bonn")], "VERIFYDESK_SITE__ZONE__EN: "),
            (&[("VERIFYDESK_PUBLIC_URL__X", "1")], "VERIFYDESK_PUBLIC_URL__X: "),
            (
                &[("VERIFYDESK_SES__TOPICS", "arn:aws:sns:eu-west-1:123456789012:a, ses-events\u{7}")],
                "`ses.topics` names what is no topic of SNS: ses-events",
            ),
            (&[("VERIFYDESK_SITE__NAME", " \u{3000}")], "`site.name` is empty"),
            (&[("VERIFYDESK_SITE__NAME", "a\nBcc: x")], "`site.name` holds a line break"),
            (&[("VERIFYDESK_SITE__NAME", "a\u{7}")], "`site.name` holds a line break or another control character"),
            (&[("VERIFYDESK_SITE__NAME", &long)], "`site.name` is longer than 100 characters"),
        ];
        for (variables, message) in table {
            let error = with(variables).unwrap_err();
            assert!(error.what.contains(message), "{} does not say {message}", error.what);
            assert!(!error.what.contains(char::is_control));
        }
        assert!(with_file("[site]\nname = \"\"").unwrap_err().what.contains("`site.name` is empty"));
        with(&[("VERIFYDESK_SITE__NAME", &"가".repeat(100))]).unwrap();
    }

    #[test]
    fn file_errors_name_file_line_and_key() {
        let error = with_file("public_url = \"https://example.org\"\n\n[smtp]\nhots = \"x\"\n").unwrap_err();
        assert!(error.what.contains("config.toml, line 4: unknown field `hots`"), "{}", error.what);
        let error = with_file("[filters]\nlost = \"mail:failed\"\nold = \"kim status:pendng\"\n").unwrap_err();
        assert!(error.what.contains("config.toml, line 3: \"pendng\" is no status: "), "{}", error.what);
        assert!(error.what.contains("; at \"pendng\" in \"kim status:pendng\""), "{}", error.what);
        let error = with(&[("VERIFYDESK_FILTERS__LOST", "mial:failed")]).unwrap_err();
        assert!(error.what.starts_with("VERIFYDESK_FILTERS__LOST: there is no mial: in "), "{}", error.what);
        let error = with_file("a = [\n").unwrap_err();
        assert!(error.what.contains("line"), "{}", error.what);
        assert!(load(Some(Path::new("/nonexistent/x.toml")), []).unwrap_err().what.contains("/nonexistent/x.toml"));
    }

    #[test]
    fn a_key_in_a_file_and_one_beside_it_are_refused() {
        const ID: &str = "AKIAIOSFODNN7EXAMPLE";
        const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("accessKeys.csv");
        std::fs::write(&keys, format!("Access key ID,Secret access key\r\n{ID},{SECRET}\r\n")).unwrap();
        let config = dir.path().join("config.toml");
        std::fs::write(&config, format!("[ses]\naccess_key_file = {:?}\n", keys.to_str().unwrap())).unwrap();
        let with = |variables: &[(&str, &str)]| {
            load(Some(&config), variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
        };
        // A variable without a value is none, and a profile is for where no key is set.
        let of_others = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", ""), ("AWS_PROFILE", "mail")];
        for variables in [&[][..], &of_others] {
            let ses = with(variables).unwrap().ses;
            let secret = ses.secret_access_key.as_ref().unwrap().expose();
            assert_eq!((ses.access_key_id.as_deref(), secret), (Some(ID), SECRET));
        }
        // Both, or half of the other: neither wins, were they the same.
        let (id, secret) = (("AWS_ACCESS_KEY_ID", ID), ("AWS_SECRET_ACCESS_KEY", SECRET));
        for variables in [&[id, secret][..], &[id], &[secret], &[("VERIFYDESK_SES__ACCESS_KEY_ID", ID)]] {
            let error = with(variables).unwrap_err();
            assert!(error.what.contains("ses.access_key_file is set beside an access key"), "{}", error.what);
            assert!(error.hint.contains("leave one of the two out"), "{}", error.hint);
            assert!(!format!("{error:?}").contains(ID) && !format!("{error:?}").contains(SECRET));
        }
    }

    #[test]
    fn secrets_never_print() {
        let settings = with(&[
            ("VERIFYDESK_SECRET", "0123456789abcdef0123456789abcdef"),
            ("VERIFYDESK_SECRET_PREVIOUS", "fedcba9876543210fedcba9876543210"),
            ("AWS_SECRET_ACCESS_KEY", "iamsecret"),
            ("DATABASE_URL", "postgres://u:dbpassword@h/x"),
            ("VERIFYDESK_SMTP__PASSWORD", "smtppassword"),
            ("VERIFYDESK_SERVE__TOKEN", "sitetoken of thirty-two characters"),
        ])
        .unwrap();
        let error = with_file("[smtp]\npassword = 8675309\n").unwrap_err();
        assert!(error.what.contains("line 2") && !error.what.contains("8675309"), "{}", error.what);
        let shown = format!("{settings:?}");
        for secret in ["0123456789", "fedcba9876", "iamsecret", "dbpassword", "smtppassword", "sitetoken"] {
            assert!(!shown.contains(secret));
        }
    }
}
