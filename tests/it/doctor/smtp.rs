//! The mail server, up to where a recipient would be named, and the password by its form.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use verifydesk::config::{Secret, Tls, TransportKind};

use super::*;
use crate::mail_servers::{Authority, Sink, SmtpServer};
use crate::support::until;
use crate::support::world::{mail_to, server};

/// A worker's host whose mails go there.
fn to(port: u16, tls: Tls) -> Settings {
    let mut settings = Settings { secret: Some(Secret::new(SECRET)), ..Settings::default() };
    settings.mail.from = Some("Books <no-reply@example.org>".into());
    mail_to(&mut settings, port, tls);
    if tls != Tls::None {
        settings.smtp.ca_file = Some(Authority::shared().ca_file());
        settings.smtp.username = Some("user".into());
        settings.smtp.password = Some(Secret::new("password"));
    }
    settings
}

/// What its four checks find in one conversation.
async fn all(settings: &Settings) -> [Finding; 4] {
    let names = ["smtp.greeting", "smtp.tls", "smtp.sign_in", "smtp.sender"];
    let found = Doctor::new(settings.clone()).examine_of(&names).await;
    found.into_iter().map(|(_, finding)| finding).collect::<Vec<_>>().try_into().unwrap()
}

/// These states, and these words in them.
fn expect_all(found: &[Finding; 4], expected: [(State, &str); 4]) {
    for (finding, (state, words)) in found.iter().zip(expected) {
        expect("smtp", finding, state, words);
    }
}

const TOO_FAR: (State, &str) = (State::Skipped, "did not come so far");

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_well_is_green_and_gets_no_mail() {
    let server = server().start();
    expect_all(
        &all(&to(server.port(), Tls::Starttls)).await,
        [
            (State::Green, ": 220 mail.example.test"),
            (State::Green, "TLSv1_3, "),
            (State::Green, "lets us in"),
            (State::Green, "takes mails of no-reply@example.org: 250"),
        ],
    );
    server.wait_for_lines("QUIT", 1);
    assert_eq!(server.lines_with("<< b'220 mail.example.test"), 1, "one conversation for all");
    assert_eq!((server.lines_with(">> b'MAIL FROM"), server.lines_with(">> b'RCPT")), (1, 0));
    assert!(server.mails().is_empty());
    let offline = Doctor::new(to(server.port(), Tls::Starttls)).offline(true);
    expect("smtp.greeting", &offline.examine_one("smtp.greeting").await.unwrap(), State::Skipped, "--offline");

    let from_the_first_byte = SmtpServer::tls().sign_in("user", "password").start();
    let found = all(&to(from_the_first_byte.port(), Tls::Tls)).await;
    assert!(found.iter().all(|finding| finding.state == State::Green), "{found:?}");

    // One of postfix's, which asks no one to sign in.
    let sink = Sink::start(&[]);
    let clear = all(&to(sink.port(), Tls::None)).await;
    let asks_no_one = [
        (State::Green, ": 220 "),
        (State::Skipped, "\"none\""),
        (State::Skipped, "no user is set"),
        (State::Green, "takes mails"),
    ];
    expect_all(&clear, asks_no_one);
    // It begins a file for a sender, and takes it away at the end of one who had nothing to send.
    until("nothing is left of it", async || sink.mails().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_that_fails_is_told_and_those_behind_it_are_not_blamed() {
    let refuses = server().fault("greeting=each-reply:554 go away \u{1b}[2J").start();
    let found = all(&to(refuses.port(), Tls::Starttls)).await;
    expect_all(&found, [(State::Red, "554 go away"), TOO_FAR, TOO_FAR, TOO_FAR]);
    assert!(!found[0].found.as_str().contains('\u{1b}'), "{found:?}");

    let nowhere = all(&to(1, Tls::Starttls)).await;
    expect_all(&nowhere, [(State::Red, "connecting"), TOO_FAR, TOO_FAR, TOO_FAR]);

    let plain = SmtpServer::plain().start();
    let found = all(&to(plain.port(), Tls::Starttls)).await;
    expect_all(&found, [(State::Green, "220"), (State::Red, "no STARTTLS"), TOO_FAR, TOO_FAR]);

    let stranger = Authority::new();
    let other = server().certificate(&stranger).start();
    let found = all(&to(other.port(), Tls::Starttls)).await;
    expect_all(&found, [(State::Green, "220"), (State::Red, "not trusted"), TOO_FAR, TOO_FAR]);
    let other = SmtpServer::tls().certificate(&stranger).start();
    let found = all(&to(other.port(), Tls::Tls)).await;
    expect_all(&found, [TOO_FAR, (State::Red, "not trusted"), TOO_FAR, TOO_FAR]);

    let asks_another = SmtpServer::starttls().sign_in("user", "another").start();
    let found = all(&to(asks_another.port(), Tls::Starttls)).await;
    expect_all(&found, [(State::Green, ""), (State::Green, "TLS"), (State::Red, "535"), TOO_FAR]);
    assert!(found[2].found.as_str().contains("user or password is wrong"), "{found:?}");

    let busy = server().fault("auth=each-reply:454 Temporary authentication failure").start();
    let found = all(&to(busy.port(), Tls::Starttls)).await;
    expect_all(&found, [(State::Green, ""), (State::Green, ""), (State::Yellow, "454"), TOO_FAR]);

    let old =
        server().fault("auth=each-reply:454 Throttling failure: Maximum SigV2 SMTP sending rate exceeded").start();
    expect("smtp.sign_in", &all(&to(old.port(), Tls::Starttls)).await[2], State::Red, "old kind (before 2019)");

    let picky = server().fault("mail=each-reply:553 5.7.1 <no-reply@example.org>: Sender address rejected").start();
    let found = all(&to(picky.port(), Tls::Starttls)).await;
    expect_all(
        &found,
        [(State::Green, ""), (State::Green, ""), (State::Green, ""), (State::Red, "refused the sender no-reply@")],
    );
    let wants_a_sign_in = server().start();
    let mut settings = to(wants_a_sign_in.port(), Tls::Starttls);
    (settings.smtp.username, settings.smtp.password) = (None, None);
    let found = all(&settings).await;
    expect_all(
        &found,
        [(State::Green, ""), (State::Green, ""), (State::Skipped, "no user"), (State::Red, "wants a sign-in first")],
    );
}

/// What it repeats of a sign-in, in whatever form, goes to no screen.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_repeats_the_password_makes_no_one_read_it() {
    let password = "correct-horse-battery";
    // base64 of NUL, user, NUL, password.
    let both = "AHVzZXIAY29ycmVjdC1ob3JzZS1iYXR0ZXJ5";
    for said in [format!("535-5.7.8 wrong: {password}\\n535 5.7.8 {both}"), format!("500 what is AUTH PLAIN {both}")] {
        let echoes = server().fault(&format!("auth=each-reply:{said}")).start();
        let mut settings = to(echoes.port(), Tls::Starttls);
        settings.smtp.password = Some(Secret::new(password));
        let found = all(&settings).await;
        assert_eq!(found[2].state, State::Red, "{found:?}");
        let shown = format!("{found:?}");
        for secret in [password, both, "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

/// A server that says this for ever, or says it and then nothing; it never closes.
async fn says(piece: &'static [u8], is_endless: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                while socket.write_all(piece).await.is_ok() && is_endless {}
                while socket.read(&mut [0; 1024]).await.is_ok_and(|count| count > 0) {}
            });
        }
    });
    port
}

/// Whatever stands there, it ends soon, and what is shown is short and harmless.
#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_server_costs_little_time_and_little_room() {
    let table: [(&[u8], bool, &str); 7] = [
        (b"", false, "no answer at the greeting within 1 s"),
        (b"220 half a line", false, "no answer at the greeting within 1 s"),
        (b"220-\x1b]0;owned\x07 one more\r\n", true, "too long"),
        (b"2", true, "too long"),
        (b"220-\r\n", true, "too long"),
        (b"hello\xff\xfe\r\n", true, "at the greeting"),
        (b"220 \x1b[2J\xe2\x80\xaehi\r\n220 and more\r\n", false, "out of turn"),
    ];
    for (piece, is_endless, words) in table {
        let mut settings = to(says(piece, is_endless).await, Tls::Starttls);
        settings.smtp.timeout = Duration::from_secs(1);
        let begun = Instant::now();
        let found = all(&settings).await;
        let took = begun.elapsed();
        expect_all(&found, [(State::Red, words), TOO_FAR, TOO_FAR, TOO_FAR]);
        assert!(took < Duration::from_secs(10), "{took:?}: {piece:?}");
        let shown = found[0].found.as_str();
        assert!(shown.len() < 4_000 && !shown.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{shown:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ports_are_for_is_known() {
    // Whether anything listens there does not matter: it is not SMTP's greeting that comes.
    for (port, tls, words) in
        [(465, Tls::Starttls, "first byte"), (587, Tls::Tls, "in clear text"), (25, Tls::None, "25")]
    {
        let mut settings = to(port, tls);
        settings.smtp.timeout = Duration::from_secs(1);
        let finding = look(&settings, "smtp.greeting").await;
        expect("smtp.greeting", &finding, State::Red, "");
        assert!(finding.next.as_ref().unwrap().as_str().contains(words), "{finding:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_host_does_not_do_is_skipped() {
    for (transport, words) in [(TransportKind::Capture, "written into files"), (TransportKind::Ses, "SES's API")] {
        let mut settings = Settings::default();
        settings.mail.transport = transport;
        expect_all(&all(&settings).await, [(State::Skipped, words); 4]);
    }
    // A console's host mails nothing; a worker's has to, and is told so once.
    expect_all(&all(&Settings::default()).await, [(State::Skipped, "mails nothing"); 4]);
    let worker = Settings { secret: Some(Secret::new(SECRET)), ..Settings::default() };
    let no_way = (State::Skipped, "do not lead to a mail server");
    expect_all(&all(&worker).await, [(State::Red, "no SMTP server is set"), no_way, no_way, no_way]);
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
