//! Whether mail flows, and what is wrong if not: what the first screen must show.

use crate::domain::brake::{Brake, BrakeCause, BrakeState};
use crate::domain::secrets;
use crate::domain::worker::{OutboxView, QUEUED_MAX, WorkerRow};
use crate::text::Plain;
use crate::tui::Model;
use crate::tui::model::Link;
use crate::tui::theme::Tone;
use crate::tui::view::queue;
use crate::tui::when;
use crate::tui::widget::number::{thousands, up_to};

/// The line under the tabs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Banner {
    /// How bad it is.
    pub tone: Tone,
    /// What is wrong, the longest words first.
    pub what: Vec<String>,
    /// What to do.
    pub hint: String,
    /// The same where there is hardly any room; `None` if it cannot be said shorter.
    pub short: &'static str,
}

/// The workers that are at work.
fn alive(model: &Model) -> Vec<&WorkerRow> {
    let workers = model.outbox.as_ref().map_or(&[][..], |outbox| &outbox.workers);
    workers.iter().filter(|worker| worker.works(model.now)).collect()
}

/// What is wrong, the worst only.
#[must_use]
pub fn banner(model: &Model) -> Option<Banner> {
    if let Link::Away { problem, retry_at } = &model.link {
        let retry = match when::seconds_until(*retry_at, model.now) {
            0 => "trying again now".to_owned(),
            seconds => format!("trying again in {seconds} s"),
        };
        let hint = if problem.hint.is_empty() { retry } else { format!("{retry}; {}", problem.hint) };
        return Some(Banner { tone: Tone::Bad, what: vec![problem.what.clone()], hint, short: "" });
    }
    let outbox = model.outbox.as_ref()?;
    // Where the view of the outbox says so itself, in full, the next trouble has its turn.
    if !model.queue_shows_trouble()
        && let Some(banner) = stopped(model, outbox)
    {
        return Some(banner);
    }
    let alive = alive(model);
    if alive.is_empty() && outbox.queued + outbox.sending > 0 && outbox.brake.is_none() {
        let waiting = outbox.queued + outbox.sending;
        if let Some((host, error)) = stopped_by(outbox) {
            return Some(Banner {
                tone: Tone::Bad,
                // No shorter words: without the reason no one knows what to fix.
                what: vec![format!(
                    "{} {}: the worker on {host} stopped: {error}",
                    up_to(QUEUED_MAX, waiting),
                    mails(waiting)
                )],
                hint: "fix it, then run: verifydesk worker".into(),
                short: "",
            });
        }
        if model.worker_due().is_some() {
            return None;
        }
        let since = outbox.due_since.map(|due| format!(", the oldest for {}", when::since(due, model.now)));
        let short = format!("No worker is sending: {} {}", up_to(QUEUED_MAX, waiting), mails(waiting));
        let long = since.map(|since| format!("{short}{since}"));
        return Some(Banner {
            tone: Tone::Warn,
            what: long.into_iter().chain([short]).collect(),
            hint: "run: verifydesk worker".into(),
            short: "",
        });
    }
    if let Some(trouble) = outbox.secret_trouble(model.now) {
        return Some(Banner { tone: Tone::Warn, what: trouble.words(), hint: secrets::HINT.into(), short: "" });
    }
    if outbox.paces_differ() {
        return Some(Banner {
            tone: Tone::Warn,
            what: vec![
                "The workers' settings of the pace differ; the smallest of each holds".into(),
                "The workers' paces differ".into(),
            ],
            hint: "set the same pace on every worker".into(),
            short: "",
        });
    }
    let error = alive.iter().find_map(|w| Some((w, w.last_error.as_ref()?)));
    if let Some((worker, error)) = error
        && outbox.queued > 0
        && !model.queue_shows_trouble()
    {
        return Some(Banner {
            tone: Tone::Warn,
            what: vec![format!("The worker on {} reports: {}", worker.host.plain(), error.plain())],
            hint: format!("{} wait", up_to(QUEUED_MAX, outbox.queued)),
            short: "",
        });
    }
    // What stops all has its place above, or in the view of the outbox.
    let why = outbox.why_waiting().filter(|_| outbox.brake.is_none() && outbox.pace.left() != Some(0))?;
    Some(Banner {
        tone: Tone::Warn,
        what: vec![format!("Mail waits: {why}"), "Mail waits".into()],
        hint: format!("{} wait", up_to(QUEUED_MAX, outbox.queued)),
        short: "",
    })
}

/// What stops the whole outbox: the brake, or a quota that is used up.
fn stopped(model: &Model, outbox: &OutboxView) -> Option<Banner> {
    const RESUME: &str = "press U, or run: verifydesk queue resume";
    let until = |at| format!("{}, {}", when::time_of_day(at, model.setup.zone), when::relative(at, model.now));
    let Some(brake) = &outbox.brake else {
        let quota = outbox.pace.daily_quota.filter(|_| outbox.pace.left() == Some(0))?;
        let ends = outbox.pace.next_place_at.map(|at| format!(" until {}", until(at))).unwrap_or_default();
        let quota = thousands(quota);
        return Some(Banner {
            tone: Tone::Warn,
            what: vec![
                format!("The {quota} mails that may go out in 24 h are used up{ends}"),
                format!("The quota is used up{ends}"),
            ],
            hint: "mail waits by itself; AWS raises the quota on request".into(),
            short: "mail waits",
        });
    };
    let (who, reason) = (brake.set_by.plain(), brake.reason.plain());
    let ago = when::relative(brake.set_at, model.now);
    let ends = brake.until.map(|at| format!(", until {}", until(at)));
    let probed = brake.probe_at.map(|at| format!(", next try {}", until(at)));
    let ends = ends.or(probed).unwrap_or_default();
    let (is, tone) = match (brake.state, brake.cause) {
        (BrakeState::Draining, _) => ("The outbox is being drained", Tone::Warn),
        (_, BrakeCause::Operator | BrakeCause::Quota | BrakeCause::Restored) => ("Sending is paused", Tone::Warn),
        (_, BrakeCause::Reputation | BrakeCause::Configuration | BrakeCause::Refusals) => {
            ("Sending is paused", Tone::Bad)
        }
    };
    let is_fixable = matches!(brake.cause, BrakeCause::Reputation | BrakeCause::Configuration);
    Some(Banner {
        tone,
        // No words without the reason: no one would know what to fix, or who to ask.
        what: vec![format!("{is} by {who}, {ago}{ends}: {reason}"), format!("{is} by {who}: {reason}")],
        hint: match brake.cause {
            BrakeCause::Refusals => format!("it goes on by itself when a mail is taken; to try all now {RESUME}"),
            _ if is_fixable => format!("fix it, then {RESUME}"),
            _ => RESUME.into(),
        },
        short: if is_fixable { "fix it, press U" } else { "press U" },
    })
}

fn mails(waiting: i64) -> &'static str {
    if waiting == 1 { "mail waits" } else { "mails wait" }
}

/// The machine and the last words of the worker that stopped last, if it stopped because of them.
fn stopped_by(outbox: &OutboxView) -> Option<(Plain, Plain)> {
    let last = outbox.workers.iter().max_by_key(|worker| worker.beat_at)?;
    last.stopped_at?;
    Some((last.host.plain(), last.last_error.as_ref()?.plain()))
}

/// Who is sending: a glyph's meaning (a worker, none, not known), its tone, and the words, the longest first.
#[must_use]
pub fn sending(model: &Model) -> (Option<bool>, Tone, Vec<String>) {
    if matches!(model.link, Link::Away { .. }) {
        return (Some(false), Tone::Bad, vec!["database away".into(), "away".into()]);
    }
    let Some(outbox) = &model.outbox else {
        return (None, Tone::Quiet, vec!["connecting…".into()]);
    };
    let held = match (&outbox.brake, outbox.pace.left()) {
        (Some(Brake { state: BrakeState::Draining, .. }), _) => Some(["the outbox drains", "draining"]),
        (Some(_), _) => Some(["sending is paused", "paused"]),
        (None, Some(0)) => Some(["the quota is used up", "no quota"]),
        _ => None,
    };
    if let Some(words) = held {
        return (Some(false), Tone::Warn, words.map(String::from).into());
    }
    let count = alive(model).len();
    if count == 0 && model.worker_due().is_some() && stopped_by(outbox).is_none() {
        return (None, Tone::Quiet, vec!["a worker starts…".into(), "starting…".into()]);
    }
    if count == 0 {
        return (Some(false), Tone::Warn, vec!["no worker is sending".into(), "no worker".into()]);
    }
    let workers = if count == 1 { "1 worker".to_owned() } else { format!("{count} workers") };
    if outbox.to_go() == 0 {
        return (Some(true), Tone::Good, vec![format!("{workers} ready"), "ready".into()]);
    }
    let words = format!("{workers} sending");
    let texts = vec![format!("{words}, {} to go", queue::mails_to_go(outbox)), words, "sending".into()];
    (Some(true), Tone::Good, texts)
}

/// A quiet remark on where mail goes, while there is nothing more important to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub text: String,
    /// Whether keys that have no room elsewhere give way to it.
    pub is_needed: bool,
}

/// What there is to remark.
#[must_use]
pub fn remark(model: &Model) -> Option<Remark> {
    let needed = |text: &str| Some(Remark { text: text.into(), is_needed: true });
    let alive = alive(model);
    let capture = alive.iter().find(|worker| worker.transport.raw() == "capture");
    if let Some(worker) = capture {
        let text = format!("Mail is captured in {}; none leaves this machine", worker.target.plain());
        return Some(Remark { text, is_needed: false });
    }
    if model.setup.sends.is_some_and(|own| alive.iter().any(|worker| worker.id == own)) {
        return needed("This console sends mail itself, as long as it is open");
    }
    let is_idle = model.outbox.as_ref().is_some_and(|outbox| outbox.queued + outbox.sending == 0);
    if alive.is_empty() && is_idle && model.worker_due().is_none() {
        return needed("New mail will wait until someone runs: verifydesk worker");
    }
    None
}

/// What of the outbox is on the screen, to know whether a newer state of it looks different.
#[must_use]
pub fn shown(model: &Model) -> (Option<Banner>, Vec<String>, Option<Remark>) {
    (banner(model), sending(model).2, remark(model))
}
