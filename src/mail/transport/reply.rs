//! A server's answer, and the message id in it.

use std::fmt;

use crate::text::Untrusted;

/// Longest message id that is believed; SES's have 60 characters, those of other servers less.
const ID_MAX: usize = 200;

/// An SMTP answer: its code, and its text whole, lines joined by a space.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three digits.
    pub code: u16,
    /// What the server wrote behind them.
    pub text: Untrusted,
}

impl Reply {
    /// An answer.
    pub fn new(code: u16, text: impl Into<Untrusted>) -> Self {
        Self { code, text: text.into() }
    }

    /// Code and text, as the server said it.
    #[must_use]
    pub fn whole(&self) -> Untrusted {
        Untrusted::new(format!("{} {}", self.code, self.text.raw()).trim_end())
    }

    /// The id in an answer to a mail that was taken: what follows SES's `250 Ok `, or the `queued as` of Postfix and
    /// its like. SES may append a domain, which is not part of the id.
    #[must_use]
    pub fn message_id(&self) -> Option<Untrusted> {
        if self.code != 250 {
            return None;
        }
        let text = without_status(self.text.raw().trim());
        let id = match text.to_ascii_lowercase().find("queued as ") {
            Some(at) => text.get(at + "queued as ".len()..)?,
            None => text.get(..3).filter(|ok| ok.eq_ignore_ascii_case("ok ")).and_then(|_| text.get(3..))?,
        };
        let id = id.trim().split('@').next().unwrap_or_default();
        let fits = (1..=ID_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Untrusted::new(id))
    }
}

/// The text without an enhanced status code (RFC 2034) before it.
pub(crate) fn without_status(text: &str) -> &str {
    let Some((first, rest)) = text.split_once(' ') else { return text };
    let is_status = first.split('.').count() == 3
        && first.split('.').all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    if is_status { rest.trim_start() } else { text }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.whole())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_what_servers_say() {
        let ses = "01010160d7de98d8-21e57d9a-JZho-416c-bbe1-8ebaAexample-000000";
        let table = [
            (format!("Ok {ses}"), Some(ses)),
            (format!("ok {ses}@ap-northeast-2.amazonses.com"), Some(ses)),
            ("2.0.0 Ok: queued as ABC123".to_owned(), Some("ABC123")),
            ("2.0.0 Ok: queued as 4VqK2w6Dz1z9rxX".to_owned(), Some("4VqK2w6Dz1z9rxX")),
            (
                "Ok captured-01990000-0000-7000-8000-00000000002a".to_owned(),
                Some("captured-01990000-0000-7000-8000-00000000002a"),
            ),
            ("OK".to_owned(), None),
            ("Ok ".to_owned(), None),
            ("OK : queued".to_owned(), None),
            ("Message accepted for delivery".to_owned(), None),
            ("Ok \u{1b}[31m".to_owned(), None),
            ("Ok 가나다".to_owned(), None),
            (format!("Ok {}", "x".repeat(300)), None),
            (String::new(), None),
        ];
        for (text, id) in table {
            let reply = Reply::new(250, text.as_str());
            assert_eq!(reply.message_id().as_ref().map(Untrusted::raw), id, "{text:?}");
        }
        assert_eq!(Reply::new(354, "Ok go").message_id(), None);
    }

    #[test]
    fn whole_and_harmless() {
        let reply = Reply::new(550, "5.1.1 no \u{1b}]0;x\u{7}");
        assert_eq!(reply.whole().raw(), "550 5.1.1 no \u{1b}]0;x\u{7}");
        assert!(!format!("{reply:?}").contains('\u{1b}'));
        assert_eq!(Reply::new(250, "").whole().raw(), "250");
    }
}
