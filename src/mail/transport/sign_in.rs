//! What is said to sign in. lettre knows a few questions by their words, in base64; servers ask in words of their own,
//! in other languages, in clear text or without any words, but nearly all ask for the user first.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The known ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    /// RFC 4616.
    Plain,
    /// draft-murchison-sasl-login.
    Login,
}

/// What is left to be said, each thing once. Never printed.
pub(super) struct SignIn {
    begin: String,
    user: Option<String>,
    password: Option<String>,
}

impl SignIn {
    pub(super) fn new(mechanism: Mechanism, user: &str, password: &str) -> Self {
        match mechanism {
            Mechanism::Plain => {
                let both = STANDARD.encode(format!("\0{user}\0{password}"));
                // Some servers ask once more for what came with the command.
                Self { begin: format!("AUTH PLAIN {both}\r\n"), user: Some(both), password: None }
            }
            Mechanism::Login => Self {
                begin: "AUTH LOGIN\r\n".to_owned(),
                user: Some(STANDARD.encode(user)),
                password: Some(STANDARD.encode(password)),
            },
        }
    }

    /// The command.
    pub(super) fn begin(&self) -> &str {
        &self.begin
    }

    /// What to say to a question; `None` if that has been said. If its words do not say what it asks for, the
    /// user comes first.
    pub(super) fn answer(&mut self, question: &str) -> Option<String> {
        let asked = question.trim();
        let decoded = STANDARD.decode(asked).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        let asks = |word: &str| [asked, decoded.as_str()].iter().any(|text| text.to_lowercase().contains(word));
        let answer = match (asks("user"), asks("pass")) {
            (true, false) => self.user.take(),
            (false, true) => self.password.take(),
            _ => self.user.take().or_else(|| self.password.take()),
        };
        answer.map(|answer| format!("{answer}\r\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(mechanism: Mechanism, questions: &[&str]) -> Vec<Option<String>> {
        let mut sign_in = SignIn::new(mechanism, "user", "correct horse");
        questions.iter().map(|question| sign_in.answer(question)).collect()
    }

    #[test]
    fn any_question_is_answered_once() {
        let (user, password) = (Some("dXNlcg==\r\n".to_owned()), Some("Y29ycmVjdCBob3JzZQ==\r\n".to_owned()));
        for questions in [
            ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"],
            ["Username:", "Password:"],
            ["dXNlcm5hbWU6", "cGFzc3dvcmQ6"],
            ["VXNlciBOYW1lAA==", "UGFzc3dvcmQA"],
            ["", ""],
            ["QmVudXR6ZXJuYW1lOg==", "S2VubndvcnQ6"],
            ["=?", "사용자"],
            ["VXNlcm5hbWU6", "VXNlciBwYXNzd29yZDo="],
        ] {
            assert_eq!(said(Mechanism::Login, &questions), [user.clone(), password.clone()], "{questions:?}");
        }
        assert_eq!(said(Mechanism::Login, &["UGFzc3dvcmQ6", "VXNlcm5hbWU6"]), [password.clone(), user.clone()]);
        assert_eq!(said(Mechanism::Login, &["", "", ""]), [user.clone(), password.clone(), None]);
        let twice = ["UGFzc3dvcmQ6", "UGFzc3dvcmQ6"];
        assert_eq!(said(Mechanism::Login, &twice), [password.clone(), None], "nothing else is sent for a password");
        let twice = ["VXNlcm5hbWU6", "VXNlcm5hbWU6"];
        assert_eq!(said(Mechanism::Login, &twice), [user, None], "a password is not sent for a user");
    }

    #[test]
    fn plain_says_it_all_at_once() {
        let sign_in = SignIn::new(Mechanism::Plain, "user", "correct horse");
        assert_eq!(sign_in.begin(), "AUTH PLAIN AHVzZXIAY29ycmVjdCBob3JzZQ==\r\n");
        let again = Some("AHVzZXIAY29ycmVjdCBob3JzZQ==\r\n".to_owned());
        assert_eq!(said(Mechanism::Plain, &["", ""]), [again, None]);
    }
}
