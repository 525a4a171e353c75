//! A test mail: a template with sample values and a link that opens nothing, to someone who may get tests.
//!
//! It goes through the same transport as every mail, and the conversation is reported line by line. Where there
//! is a database it draws its moment from the pace, obeys the brake, and is recorded like every send, marked as a test;
//! it stays with the process that made it, so that no worker ever has to do with it. Without a database it is only
//! shown.

use std::fmt;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use uuid::Uuid;

use super::{Error, Refusal};
use crate::config::Settings;
use crate::contain;
use crate::domain::Time;
use crate::domain::address::EmailAddress;
use crate::domain::audit::{Action, Actor};
use crate::domain::change::Change;
use crate::domain::id::SendId;
use crate::domain::locale::Locale;
use crate::domain::send::SendState;
use crate::mail::message::{Composed, Composer};
use crate::mail::templates::{Rendered, Templates};
use crate::mail::transport::dialogue::{Dialogue, DialogueLine, Speaker};
use crate::mail::transport::{Cause, Failure, Lease, Receipt, Stage, Transport};
use crate::outbox::reply::{Class, judge};
use crate::ses::simulator::Simulator;
use crate::store::Store;
use crate::store::audit::{self, NewEntry};
use crate::store::outbox::result::SendResult;
use crate::store::outbox::test::{self, NewTest};
use crate::text::{Plain, Untrusted, plain};

/// How long a test mail holds on beyond the longest that its content can take: connecting and signing in.
const LEASE_MARGIN: Duration = Duration::from_mins(5);

/// How long it waits for a send slot of the pace.
const MOMENT_MAX: Duration = Duration::from_secs(30);

/// Shortest wait before the pace is asked again.
const MOMENT_MIN: Duration = Duration::from_millis(50);

/// Longest name of what was tested; names of files may be longer.
const OF_MAX: usize = 200;

/// How often its result is tried to be recorded, how far apart, and for how long at most.
const RECORD_TRIES: usize = 3;
const RECORD_APART: Duration = Duration::from_millis(500);
const RECORD_MAX: Duration = Duration::from_secs(20);

/// Where a test mail goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// An address, as typed; the settings must allow it.
    Address(String),
    /// A mailbox of SES's simulator, which may always be tried.
    Simulator(Simulator),
}

/// A test mail that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestSend {
    pub template: String,
    /// In which language.
    pub locale: Locale,
    /// With the values of which fixture.
    pub fixture: String,
    pub to: Recipient,
}

impl TestSend {
    /// Of what it is a test, as it is recorded.
    #[must_use]
    pub fn of(&self) -> String {
        format!("{} ({})", self.template, self.fixture).chars().take(OF_MAX).collect()
    }
}

/// What became of a test mail.
#[derive(Clone, Debug, PartialEq)]
pub struct TestSent {
    /// Its id, which the mail carries.
    pub id: SendId,
    pub recipient: EmailAddress,
    /// *Accepted*, *failed* or *unknown*.
    pub state: SendState,
    /// The server's reply if it was accepted, else why not.
    pub words: Untrusted,
    /// SES's message id.
    pub ses_id: Option<Untrusted>,
    /// Whether it is among the sends.
    pub recorded: Recorded,
}

/// Whether what became of a test mail is among the sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is, marked as a test.
    Yes,
    /// There is no database.
    NoDatabase,
    /// The mail server has answered, but the database did not take it, for this reason.
    Failed(Plain),
}

/// Sends a test mail, and reports the conversation on the way. Ends when the server has answered; the dialogue ends a moment
/// later, with QUIT.
///
/// # Errors
/// Addresses that may not get tests, a brake or a used-up quota, settings, templates, the database. A mail that the
/// server refuses is no error here: [`TestSent`] reports it.
pub async fn run(
    store: Option<&Store>,
    settings: &Settings,
    actor: &Actor,
    request: &TestSend,
    dialogue: Dialogue,
) -> Result<TestSent, Error> {
    if settings.read_only {
        return Err(Refusal::ReadOnly.into());
    }
    let recipient = recipient(settings, &request.to)?;
    let id = SendId::new();
    let mail = mail(settings, request, id, &recipient, chrono::Utc::now())?;
    let transport = Transport::from_settings(settings)?;
    let lease = transport.longest_content() + LEASE_MARGIN;
    let by = Uuid::now_v7();
    if let Some(store) = store {
        may_go(store).await?;
        // Files use up no quota.
        if transport.kind() == "smtp" {
            set_first_pace(store, settings).await?;
            wait_for_moment(store, &dialogue).await?;
        }
        let test_of = request.of();
        let test = NewTest { id, recipient: recipient.as_str(), locale: request.locale, test_of: &test_of, by, lease };
        let mut tx = store.begin().await?;
        test::begin(&mut tx, test).await?;
        let entry = NewEntry {
            actor,
            action: Action::TestSend,
            outcome: "begun",
            reason: Some(&test_of),
            user: None,
            verification: None,
            send: Some(id),
        };
        audit::append(&mut tx, entry).await?;
        tx.commit().await?;
        store.notify(Change::Many).await;
    }
    let (_held, end) = watch::channel(Instant::now() + lease);
    let mut lane = transport.lane_telling(dialogue);
    let answer = lane.send(&mail, id, &Lease::new(end)).await;
    // No one has to wait for the QUIT to know the result.
    contain::spawn(lane.close());
    let (result, reply, class) = result_of(&answer, &mail);
    let mut recorded = Recorded::NoDatabase;
    if let Some(store) = store {
        // The mail is out, or it is not: nothing from here on may say otherwise.
        recorded = record(store, id, by, &result, reply.as_ref()).await;
        if transport.kind() == "smtp" {
            tell_pace(store, &answer, class, Simulator::is(&recipient)).await;
        }
        store.notify(Change::Many).await;
    }
    let (state, words, ses_id) = match result {
        SendResult::Accepted { ses_id } => (SendState::Accepted, reply.unwrap_or_default(), ses_id.map(Untrusted::new)),
        SendResult::Unknown { reason } => (SendState::Unknown, reason.into(), None),
        SendResult::Failed { reason } | SendResult::Deferred { reason, .. } => (SendState::Failed, reason.into(), None),
    };
    Ok(TestSent { id, recipient, state, words, ses_id, recorded })
}

/// The address, if it may get tests.
fn recipient(settings: &Settings, to: &Recipient) -> Result<EmailAddress, Error> {
    let parsed = |text: &str| {
        let refuse = |why: &dyn fmt::Display| Error::Invalid(plain(&format!("\"{text}\" is not an address: {why}")));
        EmailAddress::parse(text).map_err(|why| refuse(&why))
    };
    match to {
        Recipient::Simulator(simulator) => parsed(&simulator.address()),
        Recipient::Address(text) => {
            let address = parsed(text)?;
            if settings.test_send.allows(&address) || Simulator::is(&address) {
                Ok(address)
            } else {
                Err(Refusal::NotAllowListed { address }.into())
            }
        }
    }
}

/// The whole mail, as it is sent.
fn mail(settings: &Settings, request: &TestSend, id: SendId, to: &EmailAddress, now: Time) -> Result<Composed, Error> {
    let rendered = content(settings, request, now)?;
    // Addressed to no one by name: the sample's is not the recipient's.
    let composed = Composer::from_settings(settings)?.compose(id, 1, to, "", &rendered, now);
    composed.map_err(|error| Error::Template(plain(&error.to_string())))
}

/// What the mail says. Its link is the sample's, which opens nothing.
fn content(settings: &Settings, request: &TestSend, now: Time) -> Result<Rendered, Error> {
    let TestSend { template, locale, fixture, .. } = request;
    let templates = Templates::gather(settings);
    let known = templates.names();
    if !known.contains(template) {
        let broken = templates.mistakes().first().map(|mistake| format!("; {mistake}")).unwrap_or_default();
        let what = format!("there is no template {template}; known are {}{broken}", known.join(", "));
        return Err(Error::NoTemplate(plain(&what)));
    }
    let fixtures = templates.fixtures(template);
    let Some(values) = fixtures.iter().find(|known| known.id == *fixture) else {
        let known: Vec<&str> = fixtures.iter().map(|fixture| fixture.id.as_str()).collect();
        let what = format!("the template {template} has no fixture {fixture}; it has {}", known.join(", "));
        return Err(Error::NoTemplate(plain(&what)));
    };
    let context = templates.context(template, *locale, values, settings, now);
    templates.render(template, *locale, &context).map_err(|error| Error::Template(plain(&error.to_string())))
}

/// Whether the brake lets new mails out.
async fn may_go(store: &Store) -> Result<(), Error> {
    match store.brake().await? {
        Some(brake) => Err(Refusal::Stopped { state: brake.state, reason: brake.reason.plain() }.into()),
        None => Ok(()),
    }
}

/// Records what became of it, if not at once then in a moment.
async fn record(store: &Store, id: SendId, by: Uuid, result: &SendResult, reply: Option<&Untrusted>) -> Recorded {
    let recording = async {
        for _ in 1..RECORD_TRIES {
            match store.end_test(id, by, result, reply.map(Untrusted::raw)).await {
                Err(error) if !error.is_of_the_row() => sleep(RECORD_APART).await,
                done => return done,
            }
        }
        store.end_test(id, by, result, reply.map(Untrusted::raw)).await
    };
    match timeout(RECORD_MAX, recording).await {
        Ok(Ok(true)) => Recorded::Yes,
        Ok(Ok(false)) => Recorded::Failed(plain("it is not among the mails any more")),
        Ok(Err(error)) => Recorded::Failed(plain(&error.to_string())),
        Err(_) => Recorded::Failed(plain("the database does not answer")),
    }
}

/// What the answer means for the pace of all. Should the database not take it, the pace is a little off.
async fn tell_pace(store: &Store, answer: &Result<Receipt, Failure>, class: Option<Class>, is_simulator: bool) {
    let never_reached = answer.as_ref().is_err_and(|failure| {
        failure.stage < Stage::Mail
            || matches!(class, Some(Class::Worker | Class::Crowd))
            || failure.cause == Cause::LeaseEnds
    });
    // Neither counts towards the mails of the day.
    if never_reached || is_simulator {
        let _ = store.reserve(0, 1, 0).await;
    }
    if class == Some(Class::Rate) {
        let _ = store.lower_pace(Class::Rate.wait().unwrap_or_default()).await;
    }
}

/// If no worker has ever set it, the pace is what this machine's settings say.
async fn set_first_pace(store: &Store, settings: &Settings) -> Result<(), Error> {
    let (pace, own) = (store.pace().await?, &settings.pace);
    let is_untouched = pace.daily_quota.is_none() && pace.lowered_at.is_none();
    if is_untouched && store.outbox().await?.workers.is_empty() {
        store.set_pace(None, own.rate(None), own.daily_quota()).await?;
    }
    Ok(())
}

/// Waits until the pace that all workers share has a moment for it.
async fn wait_for_moment(store: &Store, dialogue: &Dialogue) -> Result<(), Error> {
    let deadline = Instant::now() + MOMENT_MAX;
    let mut is_reported = false;
    loop {
        let reserved = store.reserve(1, 0, 0).await?;
        if reserved.is_stopped {
            may_go(store).await?;
        }
        if reserved.is_quota_used {
            return Err(Refusal::QuotaUsed.into());
        }
        if reserved.count > 0 {
            sleep_until(reserved.slot(0)).await;
            return Ok(());
        }
        if Instant::now() + reserved.wait > deadline {
            return Err(Refusal::NoMoment.into());
        }
        if !is_reported {
            is_reported = true;
            let _ = dialogue.send(DialogueLine::new(Speaker::Note, "waiting for a send slot of the pace"));
        }
        sleep(reserved.wait.clamp(MOMENT_MIN, MOMENT_MAX)).await;
    }
}

/// What is recorded of the answer, and what it means for the others.
fn result_of(answer: &Result<Receipt, Failure>, mail: &Composed) -> (SendResult, Option<Untrusted>, Option<Class>) {
    let failure = match answer {
        Ok(receipt) => {
            let ses_id = receipt.ses_id.as_ref().map(|id| id.raw().to_owned());
            return (SendResult::Accepted { ses_id }, Some(receipt.reply.clone()), None);
        }
        Err(failure) => failure,
    };
    let verdict = judge(failure, &mail.from, &mail.to);
    // A test is not tried again, whatever is usual.
    let reason =
        if verdict.next.starts_with("it is tried again") { verdict.happened.clone() } else { verdict.reason() };
    let reply = failure.answer();
    let result =
        if verdict.class == Class::Unknown { SendResult::Unknown { reason } } else { SendResult::Failed { reason } };
    (result, reply, Some(verdict.class))
}
