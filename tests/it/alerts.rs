//! Someone is told when something begins to be wrong, and when that ends: once each, however many workers there are.

mod domains;
mod hooks;
mod posted;
mod workers;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use verifydesk::alerts::Watch;
use verifydesk::config::{Secret, Settings};
use verifydesk::desk::Desk;
use verifydesk::domain::amazon::DeadLetters;
use verifydesk::outbox::worker::Mode;
use verifydesk::store::Store;
use verifydesk::store::alerts::{Judged, Teller};

use crate::roles::Logins;
use crate::support::world::{AtWork, World, operator, worker};
use crate::support::{Program, until};

/// A world whose alerts go to a program that keeps what it gets.
struct Told {
    site: World,
    dir: PathBuf,
}

impl Told {
    /// The program is a shell's; `$1` in it is the directory where it keeps things.
    async fn by(script: &str) -> Self {
        let mut dir = PathBuf::new();
        let site = World::with(|settings| {
            dir = settings.capture.dir.as_ref().unwrap().parent().unwrap().to_path_buf();
            settings.alert.command = command(&dir, script);
            settings.brake.sends = 10;
        })
        .await;
        Self { site, dir }
    }

    fn watch(&self) -> Watch {
        self.watch_of(Teller::Worker)
    }

    fn watch_of(&self, teller: Teller) -> Watch {
        Watch::new(teller, &Store::open(&self.site.settings).unwrap(), &self.site.settings).unwrap()
    }

    /// Both judge and both tell, at once. Returns what began and ended, and what someone was told.
    async fn both(&self, watches: &[Watch; 2]) -> (Judged, Vec<(String, String)>) {
        let before = self.messages().len();
        let (one, other) = tokio::join!(watches[0].judge(), watches[1].judge());
        (one.unwrap() + other.unwrap(), self.both_tell(watches, before).await)
    }

    /// Both tell at once. Returns what someone was told since there were so many messages.
    async fn both_tell(&self, watches: &[Watch; 2], before: usize) -> Vec<(String, String)> {
        let (told, told_too) = tokio::join!(watches[0].tell(), watches[1].tell());
        let messages = self.messages();
        assert_eq!(told.unwrap() + told_too.unwrap(), messages.len() - before);
        let said = messages[before..].iter().map(|message| {
            let of = |field: &str| message[field].as_str().unwrap().to_owned();
            (of("phase"), of("kind"))
        });
        said.collect()
    }

    /// What the program got on its standard input.
    fn messages(&self) -> Vec<Value> {
        let kept = fs::read_to_string(self.dir.join("messages")).unwrap_or_default();
        kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn kept(&self, name: &str) -> String {
        fs::read_to_string(self.dir.join(name)).unwrap_or_default()
    }

    /// As if the time had passed after which it is tried again.
    async fn wait_over(&self) {
        self.site.execute("update alert_notices set next_at = now() - interval '1 second'").await;
    }
}

/// A program with one argument of its own.
pub fn command(dir: &Path, script: &str) -> Vec<String> {
    let program = dir.join("tell");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    vec![program.display().to_string(), dir.display().to_string()]
}

pub const KEEP: &str =
    r#"message=$(cat); printf '%s\n' "$message" >> "$1/messages"; shift; printf '%s|' "$@" >> "$0.arguments""#;

fn pair(phase: &str, kind: &str) -> Vec<(String, String)> {
    vec![(phase.to_owned(), kind.to_owned())]
}

async fn begin(told: &Told, watches: &[Watch; 2], kind: &str) {
    assert_eq!(told.both(watches).await, (Judged { began: 1, ended: 0 }, pair("began", kind)));
    assert_eq!(told.both(watches).await, (Judged::default(), vec![]), "{kind} goes on");
    let alerts = told.site.store().alerts().await.unwrap();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert!(alerts[0].is_told && alerts[0].kind.raw() == kind, "{alerts:?}");
}

async fn end(told: &Told, watches: &[Watch; 2], kind: &str) {
    assert_eq!(told.both(watches).await, (Judged { began: 0, ended: 1 }, pair("ended", kind)));
    assert_eq!(told.both(watches).await, (Judged::default(), vec![]), "{kind} is over");
    assert_eq!(told.site.store().alerts().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_begins_and_ends_once_with_two_workers() {
    let told = Told::by(KEEP).await;
    let site = &told.site;
    let watches = [told.watch(), told.watch()];
    for number in 0..10 {
        site.sign_up(&format!("person{number}@example.com")).await;
    }
    site.drain().await;
    assert_eq!(told.both(&watches).await, (Judged::default(), vec![]), "nothing is wrong");

    // Before the brake is released: what went out earlier counts no more then.
    site.execute(
        "update sends set state = 'bounced', against_us = true where id = (select max(id::text)::uuid from sends)",
    )
    .await;
    begin(&told, &watches, "rate_near").await;
    site.execute("update sends set state = 'delivered'").await;
    end(&told, &watches, "rate_near").await;

    site.desk.pause(&operator(), "maintenance").await.unwrap();
    begin(&told, &watches, "outbox_paused").await;
    site.desk.resume(&operator()).await.unwrap();
    end(&told, &watches, "outbox_paused").await;

    site.execute("update pace set daily_quota = 11").await;
    begin(&told, &watches, "quota_nearly_used").await;
    site.execute("update pace set daily_quota = 1000").await;
    end(&told, &watches, "quota_nearly_used").await;

    let queue = "https://sqs.example/events";
    site.store().may_ask_queue(queue).await.unwrap();
    site.store().note_queue(queue, 0, 0, DeadLetters::Count(3)).await.unwrap();
    begin(&told, &watches, "dead_letters").await;
    site.store().note_queue(queue, 0, 0, DeadLetters::Count(0)).await.unwrap();
    end(&told, &watches, "dead_letters").await;

    site.sign_up("late@example.com").await;
    site.execute(
        "update sends set due_at = now() - interval '6 minutes' where state = 'queued';
        update alert_watch set sent_at = now() - interval '6 minutes'",
    )
    .await;
    begin(&told, &watches, "nothing_sent").await;
    site.drain().await;
    end(&told, &watches, "nothing_sent").await;

    let first = site.start(Mode::Forever);
    let at_work = async |count| {
        site.store().outbox().await.unwrap().workers.iter().filter(|row| row.stopped_at.is_none()).count() == count
    };
    until("it works", async || at_work(1).await).await;
    let mut settings = site.settings.clone();
    settings.secret = Some(Secret::new("another secret of the tests, 32 bytes and more"));
    let second = AtWork::new(worker(&settings), Mode::Forever);
    until("the other waits", async || at_work(2).await).await;
    begin(&told, &watches, "secrets_differ").await;
    second.end().await;
    end(&told, &watches, "secrets_differ").await;
    first.end().await;

    let messages = told.messages();
    let [message, after] = [&messages[2], &messages[3]];
    assert_eq!((&message["subject"], &message["ended_at"]), (&Value::from("operator"), &Value::Null));
    assert_eq!(message["summary"], "the outbox is paused by mina@desk: maintenance");
    assert_eq!(message["docs"], "docs/operations.md#the-outbox-is-paused");
    assert_eq!((&after["id"], after["ended_at"].is_string()), (&message["id"], true));
    let arguments = told.kept("tell.arguments");
    let paused = "|began|outbox_paused|operator|the outbox is paused by mina@desk: maintenance|ended|outbox_paused|";
    assert!(arguments.contains(paused), "{arguments}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_could_not_be_told_is_told_later() {
    let failing = r#"[ -e "$1/works" ] || { printf 'no \033[31mroute\n to them' >&2; exit 7; }"#;
    let told = Told::by(&format!("{failing}\n{KEEP}")).await;
    let watch = told.watch();
    told.site.desk.pause(&operator(), "maintenance").await.unwrap();
    watch.judge().await.unwrap();
    assert_eq!(watch.tell().await.unwrap(), 0);
    assert_eq!(watch.tell().await.unwrap(), 0, "not at once again");
    let alert = told.site.store().alerts().await.unwrap().remove(0);
    let error = alert.error.unwrap();
    assert!(
        !alert.is_told && error.raw().contains("exit status: 7: no") && !error.raw().contains('\u{1b}'),
        "{error:?}"
    );
    fs::write(told.dir.join("works"), "").unwrap();
    told.wait_over().await;
    assert_eq!(watch.tell().await.unwrap(), 1);
    told.wait_over().await;
    assert_eq!(watch.tell().await.unwrap(), 0, "once");
    let alert = told.site.store().alerts().await.unwrap().remove(0);
    assert!(alert.is_told && alert.error.is_none(), "{alert:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_outlives_who_had_it_in_hand() {
    let told = Told::by(KEEP).await;
    let watch = told.watch();
    told.site.desk.pause(&operator(), "maintenance").await.unwrap();
    watch.judge().await.unwrap();
    let claimed =
        told.site.store().claim_alert_notice(Teller::Worker, &["command"], Duration::from_secs(50)).await.unwrap();
    assert_eq!(claimed.unwrap().phase, "began");
    assert_eq!(watch.tell().await.unwrap(), 0, "another has it in hand");
    told.wait_over().await;
    assert_eq!(watch.tell().await.unwrap(), 1);
    told.site.desk.resume(&operator()).await.unwrap();
    watch.judge().await.unwrap();
    assert_eq!(watch.tell().await.unwrap(), 1);
    let phases: Vec<_> = told.messages().iter().map(|message| message["phase"].clone()).collect();
    assert_eq!(phases, ["began", "ended"]);
}

/// Nobody wants to hear of the end of what they have not heard of.
#[tokio::test(flavor = "multi_thread")]
async fn what_ended_before_anyone_could_be_told_is_no_news() {
    let told = Told::by(KEEP).await;
    let watch = told.watch();
    told.site.desk.pause(&operator(), "maintenance").await.unwrap();
    assert_eq!(watch.judge().await.unwrap().began, 1);
    told.site.desk.resume(&operator()).await.unwrap();
    assert_eq!(watch.judge().await.unwrap().ended, 1);
    assert_eq!((watch.tell().await.unwrap(), told.messages().len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_hangs_or_floods_is_ended_with_all_that_it_started() {
    let mut told = Told::by(r#"sleep 1000 & echo $! > "$1/started"; sleep 1000"#).await;
    told.site.settings.alert.timeout = Duration::from_millis(500);
    told.site.desk.pause(&operator(), "maintenance").await.unwrap();
    told.watch().judge().await.unwrap();
    assert_eq!(told.watch().tell().await.unwrap(), 0);
    let error = told.site.store().alerts().await.unwrap().remove(0).error.unwrap();
    assert_eq!(error.raw(), "alert.command was not over after 500ms");
    let started = PathBuf::from(format!("/proc/{}", told.kept("started").trim()));
    // One that is dead, and whose parent has not asked, is a zombie.
    let is_over = || fs::read_to_string(started.join("stat")).map_or(true, |stat| stat.contains(") Z"));
    until("what it started is over", async || is_over()).await;

    told.site.settings.alert.timeout = Duration::from_secs(20);
    command(&told.dir, "cat > /dev/null; yes 'no route' >&2");
    told.wait_over().await;
    assert_eq!(told.watch().tell().await.unwrap(), 0);
    let error = told.site.store().alerts().await.unwrap().remove(0).error.unwrap();
    assert!(error.raw().contains("no route no route") && error.raw().len() < 400, "{error:?}");
}

/// It leaves something behind that keeps its standard error open: that is no failure, and takes no time.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_leaves_another_behind_has_told() {
    let told = Told::by(&format!("{KEEP}\nsleep 1000 &")).await;
    told.site.desk.pause(&operator(), "maintenance").await.unwrap();
    told.watch().judge().await.unwrap();
    assert_eq!(told.watch().tell().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_tells_under_its_role_and_hands_on_no_setting() {
    let logins = Logins::new().await;
    let mails = tempfile::tempdir().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let tell = command(dir.path(), &format!("env > \"$1/environment\"\n{KEEP}")).join(",");
    let program = |group: &str| Program::new(&logins.url(group));
    let (_worker, _) = program("worker")
        .set("VERIFYDESK_PUBLIC_URL", "https://example.org")
        .set("VERIFYDESK_SECRET", crate::support::world::SECRET)
        .set("VERIFYDESK_MAIL__FROM", "Example <no-reply@example.org>")
        .set("VERIFYDESK_MAIL__TRANSPORT", "capture")
        .set("VERIFYDESK_CAPTURE__DIR", mails.path().display().to_string())
        .set("VERIFYDESK_SITE__NAME", "Example")
        .set("VERIFYDESK_ALERT__COMMAND", tell)
        .start(&["worker"], "worker started");
    let paused = program("operator").run(&["queue", "pause", "--reason", "maintenance"]);
    assert_eq!(paused.code, 0, "{}", paused.err);
    let messages = || fs::read_to_string(dir.path().join("messages")).unwrap_or_default();
    until("someone is told", async || messages().ends_with('\n')).await;
    let message: Value = serde_json::from_str(&messages()).unwrap();
    assert_eq!((&message["kind"], &message["site"]), (&"outbox_paused".into(), &"Example".into()));
    let environment = fs::read_to_string(dir.path().join("environment")).unwrap();
    for line in environment.lines() {
        let name = line.split('=').next().unwrap();
        // The last three are the shell's own.
        assert!(["PATH", "HOME", "PWD", "SHLVL", "_"].contains(&name), "{line}");
    }
    // Who may only read sees it.
    let settings = Settings { database_url: Some(Secret::new(logins.url("viewer"))), ..Settings::default() };
    let alerts = Desk::open(&settings).unwrap().store().alerts().await.unwrap();
    assert_eq!(alerts[0].kind.raw(), "outbox_paused");
}
