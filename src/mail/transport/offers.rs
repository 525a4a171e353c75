//! What a server offers in its answer to EHLO. lettre reads keywords in capital letters only, where SMTP knows no case
//! (RFC 5321, 2.4).

use super::sign_in::Mechanism;

/// What matters here of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Offers {
    pub(super) starttls: bool,
    plain: bool,
    login: bool,
}

impl Offers {
    /// Reads the lines of an answer, with their codes. The first only greets.
    pub(super) fn of(lines: &[String]) -> Self {
        let mut offers = Self::default();
        for line in lines.iter().skip(1) {
            let words = line.get(4..).unwrap_or_default().to_ascii_uppercase();
            // "AUTH=LOGIN" is how servers wrote it before RFC 2554, and some still do.
            let mut words = words.split(|c: char| c == '=' || c.is_whitespace()).filter(|word| !word.is_empty());
            match words.next() {
                Some("STARTTLS") => offers.starttls = true,
                Some("AUTH") => {
                    for mechanism in words {
                        offers.plain |= mechanism == "PLAIN";
                        offers.login |= mechanism == "LOGIN";
                    }
                }
                _ => {}
            }
        }
        offers
    }

    /// The way to sign in: LOGIN was never made a standard.
    pub(super) fn mechanism(self) -> Option<Mechanism> {
        match self {
            Self { plain: true, .. } => Some(Mechanism::Plain),
            Self { login: true, .. } => Some(Mechanism::Login),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_have_no_case() {
        let table: [(&[&str], bool, Option<Mechanism>); 9] = [
            (&["250-mail.example.test", "250-STARTTLS", "250 AUTH PLAIN LOGIN"], true, Some(Mechanism::Plain)),
            (&["250-mail.example.test", "250-starttls", "250 auth login plain"], true, Some(Mechanism::Plain)),
            (&["250-mail.example.test", "250-StartTLS", "250 Auth Login"], true, Some(Mechanism::Login)),
            (&["250-mail.example.test", "250 AUTH=LOGIN"], false, Some(Mechanism::Login)),
            (&["250-mail.example.test", "250-AUTH  CRAM-MD5\tXOAUTH2", "250-", "250"], false, None),
            (&["250-mail.example.test", "250-STARTTLS2", "250 AUTHPLAIN"], false, None),
            (&["250 STARTTLS"], false, None),
            (&["250-x", "250-가나다", "250 8BITMIME"], false, None),
            (&[], false, None),
        ];
        for (lines, starttls, mechanism) in table {
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            let offers = Offers::of(&lines);
            assert_eq!((offers.starttls, offers.mechanism()), (starttls, mechanism), "{lines:?}");
        }
    }
}
