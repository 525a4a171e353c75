//! Someone calls: "I never got the mail." Their address is pasted, what happened and what to do are read, and one key
//! begins the right act; for each state that a mail can be in, reached by what servers and SES really say.

use std::time::Duration;

use serde_json::{Value, json};
use verifydesk::domain::send::{SendRow, SendState};
use verifydesk::outbox::worker::Mode;

use crate::mail_servers::SmtpServer;
use crate::support::Program;
use crate::support::pty::{Command, Running};
use crate::support::world::{World, server};

const PROGRAM: &str = env!("CARGO_BIN_EXE_verifydesk");

/// How someone's mail came to where it is.
enum Reached {
    /// SES reports this of it.
    By(&'static str, Value),
    /// The mail server answers so.
    Answered(&'static str),
    /// It was delivered, and then nothing happened for three days.
    Expired,
    /// An operator withdrew the link.
    Revoked,
}

/// One call: who, how it came to be, what the desk says, the key for it, and what that opens.
struct Call(&'static str, Reached, &'static [&'static str], &'static str, &'static str);

fn bounce(kind: &str, sub_kind: &str, said: &str) -> Reached {
    let said = json!([{ "diagnosticCode": said }]);
    Reached::By("bounce", json!({ "bounceType": kind, "bounceSubType": sub_kind, "bouncedRecipients": said }))
}

fn calls() -> Vec<Call> {
    use Reached::{Answered, By, Expired, Revoked};
    let suppressed = "OnAccountSuppressionList";
    vec![
        Call(
            "gone",
            bounce("Permanent", "General", "smtp; 550 5.1.1 user unknown"),
            &["example.net says that there is no such mailbox", "Ask for the right address"],
            "a",
            "Change the address",
        ),
        Call(
            "suppressed",
            bounce("Permanent", suppressed, ""),
            &["on the account's suppression list", "take it off that list"],
            "r",
            "reason",
        ),
        Call(
            "busy",
            bounce("Transient", "General", "smtp; 450 4.3.2 later"),
            &["did not take it for now", "Resend may work."],
            "r",
            "The same link is mailed again.",
        ),
        Call(
            "full",
            By("deliveryDelay", json!({ "delayType": "MailboxFull" })),
            &["the mailbox is full", "Ask them to make room"],
            "a",
            "Change the address",
        ),
        Call(
            "virus",
            By("reject", json!({ "reason": "Bad content" })),
            &["SES refused our mail", "our fault, not theirs", "Show a developer the template"],
            "p",
            "Is this your email address?",
        ),
        Call(
            "spam",
            By("delivery", json!({ "smtpResponse": "250 ok" })),
            &["not opened yet: the receiving server took it", "look in spam"],
            "r",
            "The same link is mailed again.",
        ),
        Call(
            "angry",
            By("complaint", json!({ "complaintFeedbackType": "abuse", "complainedRecipients": [{}] })),
            &["They called our mail spam", "Do not mail them again"],
            "v",
            "Force-verify",
        ),
        Call("late", Expired, &["never opened; the link's time was over", "Resend mails a new link."], "r", "new link"),
        Call("withdrawn", Revoked, &["The link was withdrawn", "Resend mails a new one."], "r", "new link"),
        Call(
            "deferred",
            Answered("rcpt=reply:451 4.3.2 try again later"),
            &["the mail server put it off", "Resend brings it forward."],
            "r",
            "it goes first",
        ),
        Call(
            "unanswered",
            Answered("end=store-drop"),
            &["may have gone out: the answer was lost", "Ask them to look"],
            "r",
            "The same link is mailed again.",
        ),
        Call(
            "mistyped",
            Answered("rcpt=reply:550 5.1.1 no such user"),
            &["the mail server says that there is no such mailbox", "Ask for the right address"],
            "a",
            "Change the address",
        ),
        Call(
            "unsent",
            Answered("end=reply:554 Transaction failed: Duplicate header"),
            &["Their mail never left", "Resend mails the link."],
            "r",
            "The same link is mailed again.",
        ),
    ]
}

fn address(who: &str) -> String {
    format!("{who}@example.net")
}

async fn mail_of(world: &World, who: &str) -> SendRow {
    let mails = world.sends().await;
    mails.into_iter().find(|mail| mail.recipient.raw() == address(who)).expect("it was made")
}

/// What SES reports of a mail.
fn report(mail: &SendRow, kind: &str, detail: &Value) -> String {
    let at = "2026-11-20T10:00:02.000Z";
    let (first, rest) = kind.split_at(1);
    let mut event = json!({
        "eventType": format!("{}{rest}", first.to_uppercase()),
        "mail": { "timestamp": at, "messageId": mail.ses_id.as_ref().expect("SES took it").raw(), "tags": { "send": [mail.id.to_string()] } },
        kind: detail,
    });
    event[kind]["timestamp"] = at.into();
    for recipients in ["bouncedRecipients", "complainedRecipients"] {
        if let Some(first) = event[kind].get_mut(recipients).and_then(|all| all.get_mut(0)) {
            first["emailAddress"] = mail.recipient.raw().into();
        }
    }
    event.to_string()
}

async fn reached(world: &World, server: &mut SmtpServer, who: &str, how: &Reached) {
    let verification = world.sign_up(&address(who)).await;
    server.set_faults(&if let Reached::Answered(fault) = how { vec![(*fault).to_owned()] } else { Vec::new() });
    let worker = world.start(Mode::Drain);
    world
        .until(async || {
            let mail = mail_of(world, who).await;
            !matches!(mail.state, SendState::Queued | SendState::Sending)
                || mail.attempts > 0 && mail.state == SendState::Queued
        })
        .await;
    worker.end().await;
    let program = Program::new(&world.db.url);
    let mail = mail_of(world, who).await;
    let import = |kind: &str, detail: &Value| {
        let file = world.dir.path().join(format!("{who}.json"));
        std::fs::write(&file, report(&mail, kind, detail)).unwrap();
        let run = program.run(&["events", "import", file.to_str().unwrap()]);
        assert_eq!(run.code, 0, "{}", run.err);
    };
    match how {
        Reached::By(kind, detail) => import(kind, detail),
        Reached::Answered(_) => {}
        Reached::Expired => {
            import("delivery", &json!({ "smtpResponse": "250 ok" }));
            let id = verification.0;
            let back = "interval '73 hours'";
            world
                .execute(&format!(
                    "update verifications set created_at = created_at - {back}, expires_at = expires_at - {back} where id = {id}"
                ))
                .await;
        }
        Reached::Revoked => {
            let run = program.run(&["revoke", &verification.to_string(), "--reason", "asked for by mail"]);
            assert_eq!(run.code, 0, "{}", run.err);
        }
    }
}

/// The screen's words, however its lines are broken.
fn says(running: &Running, words: &str) {
    running.wait(&format!("{words:?}"), |heard| {
        let text = heard.text().replace(['│', '┃'], " ");
        text.split_whitespace().collect::<Vec<_>>().join(" ").contains(words)
    });
}

/// Alone: Escape and a letter at once would be Alt and the letter.
fn escape(running: &mut Running) {
    running.keys("\x1b");
    running.quiet(Duration::from_millis(300));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paste_shows_what_happened_and_one_key_begins_what_to_do() {
    let mut server = server().start();
    let world = World::with_server(&server).await;
    for Call(who, how, ..) in &calls() {
        reached(&world, &mut server, who, how).await;
    }
    // What is tried again meanwhile stays where it is.
    server.set_faults(&["rcpt=each-reply:451 4.3.2 try again later".into()]);
    let worker = world.start(Mode::Forever);
    // They call later than a minute after their mail.
    let console = Command::new(PROGRAM, world.dir.path()).env("VERIFYDESK_VERIFICATION__COOL_DOWN", "0s");
    let mut running = console.env("DATABASE_URL", &world.db.url).start();
    running.resize(80, 24);
    running.shows("sending");
    for Call(who, _, verdict, key, opened) in &calls() {
        running.keys(&format!("\x1b[200~Kim Mina <{}>\x1b[201~", address(who).to_uppercase()));
        running.shows(&address(who));
        for words in *verdict {
            says(&running, words);
        }
        running.keys(key);
        says(&running, opened);
        // Out of the dialog or the workbench, and of the detail.
        escape(&mut running);
        escape(&mut running);
    }
    // Corrected, and what is open is the new one; from the old one Enter leads there.
    running.keys("\x1b[200~gone@example.net\x1b[201~");
    says(&running, "there is no such mailbox");
    running.keys("a");
    running.shows("Change the address");
    running.keys(&format!("{}.org\rthey had mistyped it\r", "\x7f".repeat(".net".len())));
    running.shows("The address is gone@example.org now.");
    says(&running, "gone@example.org Mina");
    says(&running, "pending, expires in 3 d");
    // The message goes first, then the detail of the one found.
    escape(&mut running);
    running.keys("\x1b[200~gone@example.org\x1b[201~");
    running.shows("2 found");
    escape(&mut running);
    running.shows("revoked");
    running.keys("j\r");
    says(&running, "An older link");
    running.keys("\r");
    says(&running, "pending, expires in 3 d");
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
    worker.end().await;
}
