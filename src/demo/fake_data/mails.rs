//! What the mail server says to a mail, and what SES reports about it afterwards.

use chrono::Duration;
use fastrand::Rng;
use uuid::{Builder, Uuid};

use crate::domain::Time;
use crate::domain::send::SendState;

pub struct Mail {
    pub id: Uuid,
    pub person: usize,
    pub issue: usize,
    pub bulk: bool,
    pub state: SendState,
    pub queued_at: Time,
    pub due_at: Time,
    pub changed_at: Time,
    pub attempts: i16,
    pub ses_id: Option<String>,
    pub reply: Option<String>,
    pub reason: Option<String>,
}

/// What SES reported about a mail.
pub struct Event {
    pub id: Uuid,
    pub mail: Uuid,
    pub kind: &'static str,
    pub sub_kind: &'static str,
    pub occurred_at: Time,
    pub received_at: Time,
    pub detail: String,
    pub ses_id: String,
    pub recipient: String,
}

/// What becomes of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// Not looked at by any worker yet.
    Waits,
    /// Put off by the mail server, and due again in a while.
    Retries,
    /// Accepted by SES, which reports nothing.
    Unreported,
    /// Accepted by the recipient's server.
    Arrives,
    /// After a while.
    ArrivesLate,
    /// Still on its way.
    Hangs,
    /// Refused by the recipient's server, or suppressed by SES.
    Bounces,
    /// Arrives and is called spam.
    Annoys,
    /// SES finds a virus in it.
    Rejected,
    /// The mail server refuses it for good.
    Refused,
    /// The day's quota is used up, until the worker gives up.
    Throttled,
    /// The connection breaks before the answer.
    Lost,
    /// The user verifies before it is sent.
    Moot,
}

/// What bounces say: bounce type and subtype as SES names them, and the recipient's server's words.
const BOUNCES: [(&str, &str); 10] = [
    ("Permanent/General", "smtp; 550 5.1.1 <{}>: Recipient address rejected: User unknown"),
    ("Permanent/General", "smtp; 550 5.1.1 The email account that you tried to reach does not exist"),
    ("Permanent/General", "smtp; 554 5.4.14 Hop count exceeded - possible mail loop"),
    ("Permanent/NoEmail", "smtp; 550 5.1.2 bad destination mailbox address"),
    (
        "Permanent/OnAccountSuppressionList",
        "Amazon SES did not send the message: it is on your account's suppression list",
    ),
    ("Permanent/Suppressed", "Amazon SES has suppressed sending to this address: recent history of bouncing"),
    ("Transient/MailboxFull", "smtp; 552 5.2.2 The recipient's mailbox is over quota"),
    ("Transient/General", "smtp; 451 4.4.1 No answer from host"),
    ("Transient/ContentRejected", "smtp; 554 5.7.1 \u{1b}[5mRejected as spam\u{1b}[0m \u{202e}ereh kcilc\u{202c}"),
    ("Undetermined/Undetermined", "smtp; 550 5.7.1 =?utf-8?B?8J+SqQ==?= {{ 7 * 7 }} <b>no</b>"),
];

const DELAYS: [(&str, &str); 3] = [
    ("MailboxFull", "smtp; 452 4.2.2 The recipient's mailbox is full"),
    ("TransientCommunicationFailure", "smtp; 421 4.4.2 Connection timed out"),
    ("SpamDetected", "smtp; 451 4.7.1 Greylisted, try again in 300 seconds"),
];

/// A UUIDv7 of that moment.
pub fn uuid_at(rng: &mut Rng, at: Time) -> Uuid {
    let mut random = [0; 10];
    rng.fill(&mut random);
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// Lets a mail run its course: how it stands now, with the events that came until now.
pub fn run(rng: &mut Rng, mut mail: Mail, recipient: &str, course: Course, now: Time) -> (Mail, Vec<Event>) {
    let mut events = Vec::new();
    if course == Course::Waits {
        return (mail, events);
    }
    // SES takes 0.6 s a mail, and the worker some time to come round to it.
    let answered = mail.queued_at + Duration::milliseconds(rng.i64(700..2_400));
    if answered > now {
        return (mail, events);
    }
    mail.attempts = 1;
    mail.changed_at = answered;
    match course {
        Course::Retries => {
            mail.attempts = 2;
            mail.changed_at = (answered + Duration::minutes(2)).min(now);
            mail.due_at = now + Duration::minutes(9);
            mail.reply = Some("454 Temporary service failure".to_owned());
            mail.reason = Some("put off by the mail server".to_owned());
            return (mail, events);
        }
        Course::Refused => {
            end(&mut mail, SendState::Failed, "the mail server refused the mail for good");
            mail.reply = Some(format!(
                "554 Message rejected: Email address is not verified. The following identities failed the check in \
                 region AP-NORTHEAST-2: {recipient}"
            ));
            return (mail, events);
        }
        Course::Throttled => {
            mail.attempts = 5;
            mail.changed_at = (answered + Duration::minutes(rng.i64(50..70))).min(now);
            end(&mut mail, SendState::Failed, "given up after 5 attempts: the day's quota is used up");
            mail.reply = Some("454 Throttling failure: Daily message quota exceeded.".to_owned());
            return (mail, events);
        }
        Course::Lost => {
            end(&mut mail, SendState::Unknown, "the connection broke before the server's answer");
            return (mail, events);
        }
        Course::Moot => {
            mail.attempts = 0;
            end(&mut mail, SendState::Cancelled, "the user is verified already");
            return (mail, events);
        }
        _ => {}
    }
    let ses_id = ses_id(rng, answered);
    mail.state = SendState::Accepted;
    mail.reply = Some(format!("250 Ok {ses_id}"));
    mail.ses_id = Some(ses_id);
    if course == Course::Unreported {
        return (mail, events);
    }

    let ses_id = mail.ses_id.clone().unwrap_or_default();
    for (kind, sub_kind, after, state, detail) in reports(rng, recipient, course) {
        let occurred_at = answered + after;
        let received_at = occurred_at + Duration::milliseconds(rng.i64(150..4_000));
        if received_at > now {
            break;
        }
        if let Some(state) = state {
            mail.state = state;
            mail.changed_at = received_at;
        }
        events.push(Event {
            id: uuid_at(rng, received_at),
            mail: mail.id,
            kind,
            sub_kind,
            occurred_at,
            received_at,
            detail,
            ses_id: ses_id.clone(),
            recipient: recipient.to_lowercase(),
        });
    }
    (mail, events)
}

type Report = (&'static str, &'static str, Duration, Option<SendState>, String);

/// The events of a mail that SES accepted: kind, sub-kind, how long after the acceptance, the state it leads to, and details.
fn reports(rng: &mut Rng, recipient: &str, course: Course) -> Vec<Report> {
    let mut all: Vec<Report> = vec![("Send", "", Duration::milliseconds(rng.i64(5..80)), None, String::new())];
    let quick = Duration::milliseconds(rng.i64(600..9_000));
    let delivery = |took: Duration| {
        let detail = format!("250 2.0.0 Ok: queued, {} ms", took.num_milliseconds());
        ("Delivery", "", took, Some(SendState::Delivered), detail)
    };
    match course {
        Course::Bounces => {
            // Unknown users are most of them.
            let (sub_kind, words) = BOUNCES[rng.usize(..BOUNCES.len()).min(rng.usize(..BOUNCES.len()))];
            let wait = if sub_kind.starts_with("Transient") { Duration::minutes(rng.i64(60..800)) } else { quick };
            let detail = words.replace("{}", recipient);
            all.push(("Bounce", sub_kind, wait, Some(SendState::Bounced), detail));
        }
        Course::Rejected => all.push(("Reject", "", quick, Some(SendState::Rejected), "Bad content".to_owned())),
        Course::ArrivesLate | Course::Hangs => {
            let (sub_kind, words) = DELAYS[rng.usize(..DELAYS.len())];
            all.push(("DeliveryDelay", sub_kind, quick, Some(SendState::Delayed), words.to_owned()));
            if course == Course::ArrivesLate {
                all.push(delivery(quick + Duration::minutes(rng.i64(4..90))));
            }
        }
        Course::Annoys => {
            all.push(delivery(quick));
            let wait = Duration::minutes(rng.i64(20..900));
            all.push(("Complaint", "abuse", wait, Some(SendState::Complained), String::new()));
        }
        _ => all.push(delivery(quick)),
    }
    all
}

fn end(mail: &mut Mail, state: SendState, reason: &str) {
    mail.state = state;
    mail.reason = Some(reason.to_owned());
}

/// As SES makes them outside of its first region: the time is in it, as far as one can see.
fn ses_id(rng: &mut Rng, at: Time) -> String {
    let random = rng.u128(..);
    let hex = format!("{random:032x}");
    format!(
        "0101{:012x}-{}-{}-{}-{}-{}-000000",
        at.timestamp_millis(),
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}
