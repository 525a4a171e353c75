//! Keeps user and password out of what the server says: some servers repeat the command that they do not understand,
//! and an answer is recorded, shown and logged.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::reply::without_status;

/// How many letters and digits in a row count as a secret while signing in. What is taken out too much there is only
/// words: code and status stay.
const RUN_MIN: usize = 6;

/// Shortest secret that is looked for later on, as a whole: shorter ones are in many an honest answer.
const WHOLE_MIN: usize = 8;

/// What signs in, in each way in which it may come back.
#[derive(Default)]
pub(super) struct SecretRedactor {
    /// Letters and digits, in lower case.
    forms: Vec<String>,
    /// As it is, in lower case.
    password: String,
    /// Whether something came back: from then on the rest of the sign-in is kept back too.
    has_matched: bool,
}

impl std::fmt::Debug for SecretRedactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretRedactor")
    }
}

impl SecretRedactor {
    pub(super) fn new(user: &str, password: &str) -> Self {
        let hex = password.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let forms = [
            STANDARD.encode(format!("\0{user}\0{password}")),
            STANDARD.encode(user),
            STANDARD.encode(password),
            hex,
            password.to_owned(),
        ];
        let forms = forms.iter().map(|form| letters(form)).filter(|form| form.len() >= RUN_MIN).collect();
        Self { forms, password: password.to_lowercase(), has_matched: false }
    }

    /// The line without its words, if they have a part of a secret in them; `None` if it may be shown as it is.
    pub(super) fn redact(&mut self, line: &str, is_signing_in: bool) -> Option<String> {
        let is_match = self.is_in(line, is_signing_in);
        // A question's form is given, and a password may begin like one.
        let is_question = line.starts_with("334");
        if !(is_match || is_signing_in && self.has_matched && !is_question) {
            return None;
        }
        self.has_matched |= !is_question;
        let words = line.trim_start_matches(|c: char| c.is_ascii_digit());
        let code = &line[..(line.len() - words.len()).min(3)];
        let separator = if words.starts_with('-') { "-" } else { " " };
        let words = words.trim_start_matches(['-', ' ', '\t']);
        let status = &words[..words.len() - without_status(words).len()];
        Some(format!("{code}{separator}{status}…"))
    }

    fn is_in(&self, line: &str, is_signing_in: bool) -> bool {
        let said = letters(line);
        if is_signing_in {
            let is_part = |form: &String| (0..=form.len() - RUN_MIN).any(|at| said.contains(&form[at..at + RUN_MIN]));
            self.forms.iter().any(is_part) || !self.password.is_empty() && line.to_lowercase().contains(&self.password)
        } else {
            self.forms.iter().any(|form| form.len() >= WHOLE_MIN && said.contains(form.as_str()))
                || self.password.len() >= WHOLE_MIN && line.to_lowercase().contains(&self.password)
        }
    }
}

/// The letters and digits of a text, in lower case: servers fold, wrap and quote what they repeat.
fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_kept_back() {
        let table = [
            ("500 5.5.1 Command unrecognized: \"AUTH PLAIN AHVzZXIAY29ycmVjdCBob3JzZQ==\"", "500 5.5.1 …"),
            ("500-5.5.1 unrecognized: AHVZZXIAY29YCMVJDCBOB3JZZQ", "500-5.5.1 …"),
            ("535 wrong: Y29ycmVjdCBob3JzZQ==", "535 …"),
            ("535 wrong: \"correct horse\"", "535 …"),
            ("535 wrong: 636f727265637420686f727365", "535 …"),
            ("535-dXNlcg==", "535-…"),
            ("AUTH PLAIN AHVzZXIAY29y", " …"),
        ];
        for (line, shown) in table {
            assert_eq!(
                SecretRedactor::new("user", "correct horse").redact(line, true).as_deref(),
                Some(shown),
                "{line}"
            );
        }
        for line in
            ["535 Authentication Credentials Invalid", "535 5.7.8 user is not known", "334 UGFzc3dvcmQ6", "", "235"]
        {
            assert_eq!(SecretRedactor::new("user", "correct horse").redact(line, true), None, "{line}");
        }
    }

    #[test]
    fn what_follows_in_the_same_breath_is_kept_back_too() {
        let mut redactor = SecretRedactor::new("user", "correct horse");
        assert!(redactor.redact("535-5.7.8 AHVzZXIAY29ycmVj", true).is_some());
        assert_eq!(redactor.redact("535 5.7.8 ZQ==", true).as_deref(), Some("535 5.7.8 …"));
        assert_eq!(redactor.redact("221 Bye", false), None);
    }

    #[test]
    fn later_on_only_the_whole_counts() {
        let mut redactor = SecretRedactor::new("user", "abcdef0123456789");
        assert_eq!(redactor.redact("250 Ok 0102abcdef", false), None);
        assert!(redactor.redact("503 not after ABCDEF0123456789", false).is_some());
        assert_eq!(SecretRedactor::new("user", "ok").redact("250 Ok", false), None);
        assert_eq!(SecretRedactor::new("user", "").redact("250 Ok", true), None);
    }
}
