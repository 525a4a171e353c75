//! The password for the mail server, by its form.

use verifydesk::config::{Secret, Tls};

use super::*;
use crate::support::world::mail_to;

/// A worker's host whose mails go there.
fn to(port: u16, tls: Tls) -> Settings {
    let mut settings = Settings { secret: Some(Secret::new(SECRET)), ..Settings::default() };
    mail_to(&mut settings, port, tls);
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_known_by_their_form() {
    let with = |password: &str| {
        let mut settings = to(587, Tls::Starttls);
        settings.smtp.host = Some("email-smtp.eu-central-1.amazonaws.com".into());
        settings.smtp.password = Some(Secret::new(password));
        settings
    };
    let old = "AnkqhOiWEcszZZzAnkqhOiWEcszZZzAnkqhOiWEcszZZ";
    let table = [
        ("BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2", State::Green, "today's form"),
        (old, State::Red, "before 2019-01-10"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", State::Red, "secret access key"),
        ("hunter2", State::Yellow, "has not the form"),
    ];
    for (password, state, words) in table {
        let finding = look(&with(password), "smtp.password").await;
        expect("smtp.password", &finding, state, words);
        assert!(!format!("{finding:?}").contains(password), "{finding:?}");
    }
    expect("smtp.password", &look(&to(25, Tls::None), "smtp.password").await, State::Skipped, "");
}
