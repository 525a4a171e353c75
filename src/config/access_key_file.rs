//! `accessKeys.csv`, as AWS offers it for download when an access key is made.

use std::io::Read as _;
use std::path::Path;

use super::{Secret, SettingError};
use crate::text::plain;

/// Longest file that is read: one has a hundred bytes.
const LENGTH_MAX: u64 = 64 * 1024;

/// An access key: its id, and its secret.
type Key = (String, Secret);

/// Reads the key in a file. Errors quote nothing of what is in it.
pub(super) fn read(path: &Path) -> Result<Key, SettingError> {
    let shown = plain(&path.display().to_string());
    let refuse = |what: String, hint: &str| SettingError::new(format!("ses.access_key_file, {shown}: {what}"), hint);
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LENGTH_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| refuse(format!("it cannot be read: {error}"), "check the path and its permissions"))?;
    if bytes.len() as u64 > LENGTH_MAX {
        return Err(refuse("it is too large to be an access key".into(), USUAL));
    }
    let text = String::from_utf8(bytes).map_err(|_| refuse("it is not text in UTF-8".into(), USUAL))?;
    key(&text).map_err(|wrong| refuse(wrong.what.into(), wrong.hint))
}

/// What to do about a file that is none of the kind.
const USUAL: &str = "name the accessKeys.csv that AWS offers for download when an access key is made";

/// Why there is no key in a file.
#[derive(Debug, PartialEq, Eq)]
struct Wrong {
    what: &'static str,
    hint: &'static str,
}

const fn wrong(what: &'static str, hint: &'static str) -> Wrong {
    Wrong { what, hint }
}

/// The key in it: a line that names the columns, and one with what stands in them, a user's name perhaps among it.
fn key(text: &str) -> Result<Key, Wrong> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(cells);
    let names: Vec<String> = lines.next().unwrap_or_default().iter().map(|name| name.to_lowercase()).collect();
    let column = |name: &str| names.iter().position(|one| one == name);
    let (Some(id), Some(secret)) = (column("access key id"), column("secret access key")) else {
        return Err(other(&names));
    };
    let Some(row) = lines.next() else {
        return Err(wrong("it has a line that names the columns, and none with a key", USUAL));
    };
    if lines.next().is_some() {
        return Err(wrong("it has more than one key", "leave the line of the one that is to be used"));
    }
    if row.len() != names.len() {
        return Err(wrong("its second line has not as many columns as the first one names", USUAL));
    }
    let (id, secret) = (&row[id], &row[secret]);
    if !(16..=128).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        return Err(wrong("what stands under `Access key ID` is none, such as AKIA…", USUAL));
    }
    let is_secret = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
    if secret.is_empty() {
        return Err(wrong(
            "nothing stands under `Secret access key`",
            "AWS shows a secret once, when the key is made: make another key, and download its file",
        ));
    }
    if !(16..=128).contains(&secret.len()) || !secret.bytes().all(is_secret) {
        return Err(wrong("what stands under `Secret access key` is none: it has 40 letters, digits, + and /", USUAL));
    }
    Ok((id.clone(), Secret::new(secret.as_str())))
}

/// What a file is whose columns have other names.
fn other(names: &[String]) -> Wrong {
    let has = |name: &str| names.iter().any(|one| one.contains(name));
    if has("smtp password") {
        wrong(
            "it has SMTP credentials of SES, and no access key",
            "set smtp.username and smtp.password from it, or name the accessKeys.csv of an IAM user",
        )
    } else if has("awsaccesskeyid") {
        wrong(
            "it is the key of the account's root user, which may do everything",
            "make an IAM user that may only send (docs/setup.md), and name the file of its key",
        )
    } else if has("password") {
        wrong("it has a password for AWS's web console, and no access key", USUAL)
    } else if names.iter().all(String::is_empty) {
        wrong("it is empty", USUAL)
    } else {
        wrong("its first line does not name the columns `Access key ID` and `Secret access key`", USUAL)
    }
}

/// The cells of a line, which may be in quotes.
fn cells(line: &str) -> Vec<String> {
    line.split(',').map(|cell| cell.trim().trim_matches('"').to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "AKIAIOSFODNN7EXAMPLE";
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    #[test]
    fn the_key_is_read_from_each_form_of_the_file() {
        let table = [
            // As it is today: with a mark of its encoding, and Windows' line ends.
            format!("\u{feff}Access key ID,Secret access key\r\n{ID},{SECRET}\r\n"),
            format!("Access key ID,Secret access key\n{ID},{SECRET}"),
            // The older one, and the one of a new user.
            format!("User Name,Access key ID,Secret access key\r\nverifydesk-mail,{ID},{SECRET}\r\n"),
            format!(
                "User name,Password,Access key ID,Secret access key,Console login link\r\n\
                 verifydesk,,{ID},{SECRET},https://123456789012.signin.aws.amazon.com/console\r\n"
            ),
            // As a spreadsheet writes it.
            format!("\"Access key ID\",\"Secret access key\"\n\"{ID}\",\"{SECRET}\"\n\n"),
        ];
        for text in table {
            let (id, secret) = key(&text).unwrap_or_else(|wrong| panic!("{}: {text}", wrong.what));
            assert_eq!((id.as_str(), secret.expose()), (ID, SECRET), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_another_file_is_told_and_nothing_of_it() {
        let heading = "Access key ID,Secret access key\r\n";
        let table = [
            (String::new(), "it is empty"),
            ("\u{feff}\r\n".into(), "it is empty"),
            (format!("{ID},{SECRET}\n"), "does not name the columns"),
            (heading.into(), "none with a key"),
            (format!("{heading}{ID},{SECRET}\r\n{ID},{SECRET}\r\n"), "more than one key"),
            (format!("{heading}{ID}\r\n"), "not as many columns"),
            (format!("{heading}{ID},\r\n"), "nothing stands under `Secret access key`"),
            (format!("{heading}{SECRET},{ID}\r\n"), "under `Access key ID` is none"),
            (format!("{heading}{ID},{SECRET} {SECRET}\r\n"), "under `Secret access key` is none"),
            (format!("IAM User Name,Smtp Username,Smtp Password\r\nmail,{ID},{SECRET}\r\n"), "SMTP credentials of SES"),
            (format!("AWSAccessKeyId={ID}\r\nAWSSecretKey={SECRET}\r\n"), "root user"),
            (format!("User name,Password,Console sign-in URL\r\nmina,{SECRET},https://x\r\n"), "web console"),
            ("[default]\naws_access_key_id = AKIA\n".into(), "does not name the columns"),
        ];
        for (text, what) in table {
            let wrong = key(&text).unwrap_err();
            assert!(wrong.what.contains(what), "{text}: {}", wrong.what);
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.csv");
        let long = "x".repeat(usize::try_from(LENGTH_MAX).unwrap() + 1);
        let files: [(&[u8], &str); 3] = [
            (format!("{heading}{ID},{SECRET}!\n").into_bytes().leak(), "`Secret access key` is none"),
            (b"\xff\xfeA\0c\0", "not text in UTF-8"),
            (long.as_bytes(), "too large"),
        ];
        for (bytes, what) in files {
            std::fs::write(&path, bytes).unwrap();
            let error = format!("{:?}", read(&path).unwrap_err());
            assert!(error.contains(what) && !error.contains(SECRET) && !error.contains(ID), "{error}");
        }
        for path in [dir.path().join("none.csv"), dir.path().to_owned()] {
            assert!(read(&path).unwrap_err().to_string().contains("cannot be read"), "{}", path.display());
        }
    }
}
