//! `verifydesk account suppression`: from a host without AWS's keys, while a worker that has them is at work, and without one.

use super::acts::answers;
use super::*;
use crate::support::Program;

const MINA: &str = "mina@example.com";

/// A host without keys.
pub(super) fn bastion(world: &World) -> Program {
    Program::new(&world.db.url).set("VERIFYDESK_VERIFICATION__COOL_DOWN", "0s")
}

fn suppression(program: &Program, arguments: &[&str]) -> (i32, String, String) {
    let run = program.run(&[&["account", "suppression"], arguments].concat());
    assert!(!run.out.contains('\u{1b}') && !run.err.contains('\u{1b}'), "{}{}", run.out, run.err);
    (run.code, run.out, run.err)
}

pub(super) fn object(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A worker's poller, until the test ends.
pub(super) struct Polling(tokio::task::JoinHandle<()>);

impl Drop for Polling {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) fn polling(world: &World) -> Polling {
    let mut settings = world.settings.clone();
    settings.verification.cool_down = Duration::ZERO;
    Polling(tokio::spawn(async move {
        let poller = AccountPoller::from_settings(&Store::open(&settings).unwrap(), &settings).unwrap().unwrap();
        Box::pin(poller.run(Until::Ended, &CancellationToken::new())).await;
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_keys_asks_and_is_told() {
    let api = SesApi::start().await;
    let mut known = answers();
    known.push((ACCOUNT, account(14.0, 50_000.0)));
    api.answers(Answer::Knows(known));
    let world = World::with_ses_api(&api.endpoint()).await;
    let id = world.sign_up(MINA).await;
    world
        .execute("update sends set state = 'bounced', ses_id = '0107-old', queued_at = now() - interval '1 hour'")
        .await;
    let mail = world.one_send().await.id;
    let _polling = polling(&world);
    let bastion = bastion(&world);
    let (code, out, err) = suppression(&bastion, &["show", "Mina@example.com"]);
    assert_eq!(code, 0, "{err}");
    let first = "mina@example.com: on SES's suppression list since 2026-11-";
    assert!(out.to_lowercase().starts_with(&first.to_lowercase()), "{out}");
    assert!(out.contains(&format!("\n  cause   mail {mail} of verification {id}, queued ")), "{out}");
    assert!(out.ends_with(", bounced\n"), "{out}");
    let (_, out, _) = suppression(&bastion, &["show", MINA, "--known", "--json"]);
    let shown = object(&out);
    assert_eq!(
        (&shown["is_listed"], &shown["reason"], &shown["ses_id"]),
        (&true.into(), &"BOUNCE".into(), &"0107-old".into())
    );
    assert_eq!((&shown["cause"]["send_id"], &shown["cause"]["verification_id"]), (&json!(mail), &json!(id)));
    let (_, out, _) = suppression(&bastion, &["list", "--search", "INA@", "--json"]);
    assert_eq!((&object(&out)["address"], &object(&out)["verification_id"]), (&MINA.into(), &json!(id)));
    assert!(suppression(&bastion, &["list", "--search", "nobody"]).2.contains("no such address is known"));

    let (code, out, err) =
        suppression(&bastion, &["remove", MINA, "--reason", "they called", "--mail-again", "--json"]);
    let act = object(&out);
    assert_eq!((code, &act["state"], &act["outcome"]), (0, &"done".into(), &"done".into()), "{out}{err}");
    assert_eq!((&act["mail_again"], &act["not_mailed"]), (&json!(id), &Value::Null));
    assert_eq!(world.sends().await.len(), 2);
    let shown = bastion.run(&["show", &id.to_string()]).out;
    assert!(shown.contains("\nat AWS       taken off SES's suppression list; the link is mailed again, 2"), "{shown}");
    let (code, out, _) =
        suppression(&bastion, &["add", "x@example.com", "--as", "complaint", "--reason", "they asked"]);
    assert_eq!((code, out.as_str()), (0, "x@example.com: put on SES's suppression list\n"));
    let (code, out, _) = suppression(&bastion, &["remove", "gone@example.com", "--reason", "they called"]);
    assert_eq!((code, out.as_str()), (0, "gone@example.com: not on SES's suppression list\n"));
    // Each by this host's operator, with the reason.
    let entries = bastion.run(&["audit", "--action", "remove_suppression", "--json"]).out;
    let entries: Vec<Value> = entries.lines().map(object).collect();
    let outcomes: Vec<&Value> = entries.iter().map(|entry| &entry["outcome"]).collect();
    assert_eq!(outcomes, ["not_listed", "asked", "done", "asked"], "{entries:?}");
    assert!(entries.iter().all(|entry| entry["reason"] == "they called" && entry["origin"] == "cli"), "{entries:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_worker_it_says_so_and_stays_asked_for() {
    let world = World::new().await;
    world.sign_up(MINA).await;
    world.execute("update sends set state = 'accepted'").await;
    let bastion = bastion(&world);
    let (code, out, err) = suppression(&bastion, &["remove", MINA, "--reason", "they called", "--wait", "4"]);
    assert_eq!((code, out.as_str()), (1, "mina@example.com: waits for a worker that has AWS's keys\n"));
    assert!(err.contains("no worker that has AWS's keys is at work: start one"), "{err}");
    assert!(err.contains("it stays asked for"), "{err}");
    let (code, out, _) = suppression(&bastion, &["show", MINA, "--known"]);
    assert_eq!(code, 0);
    assert!(
        out.contains("not asked about in the last 30 days\n  at AWS  waits for a worker that has AWS's keys, 2"),
        "{out}"
    );
    assert!(out.ends_with(": they called\n"), "{out}");
    // Asked for and not waited for is done.
    assert_eq!(suppression(&bastion, &["show", MINA, "--wait", "0"]).0, 0);

    for (arguments, code, words) in [
        (&["show", "no address"][..], 2, "invalid value"),
        (&["remove", MINA], 2, "--reason"),
        (&["add", MINA, "--as", "spam", "--reason", "they asked"], 2, "use bounce or complaint"),
        (&["remove", MINA, "--reason", "xxx"], 4, "needs a reason"),
        (&["remove", "jun@example.com", "--mail-again", "--reason", "they called"], 3, "no user has the address"),
    ] {
        let (exit, _, err) = suppression(&bastion, arguments);
        assert_eq!(exit, code, "{arguments:?}: {err}");
        assert!(err.contains(words), "{arguments:?}: {err}");
    }
    let read_only = bastion.run(&["--read-only", "account", "suppression", "show", MINA]);
    assert_eq!(read_only.code, 4, "{}", read_only.err);
    world.execute("update users set verified_at = now(); update verifications set verified_at = now()").await;
    let (code, _, err) = suppression(&bastion, &["remove", MINA, "--mail-again", "--reason", "they called"]);
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("this user is verified already"), "{err}");
}
