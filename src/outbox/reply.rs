//! What a mail server's reply means. It is judged once, into a [`Class`]; from that follow what becomes of the mail
//! (`retry.rs`), what the worker does with the mails behind it (`feedback.rs`), and what an operator reads.
//!
//! | reply | class | this mail | the others |
//! |---|---|---|---|
//! | 421 too many concurrent connections | `Crowd` | again after 5 s | pause for 1 s, half the lanes |
//! | 451 timeout waiting for data | `Transient` | again at once, then as any 4xx | go on |
//! | 454 maximum sending rate exceeded | `Rate` | again after 1.5 s | all workers pause, then go slower |
//! | 454 daily message quota exceeded | `DailyQuota` | again with the others | all workers pause for 15 min |
//! | 454 maximum `SigV2` sending rate | `Worker` | again when it is fixed | this worker stops |
//! | 4xx before MAIL, or no connection | `Unreachable` | again after a second | the worker pauses: 1 s, 2 s … 1 min |
//! | any other 4xx | `Transient` | again after 5 s, 10 s, 30 s, then every 20 min | go on |
//! | 530, 535, 538: sign-in, TLS | `Worker` | again when it is fixed | this worker stops |
//! | 5xx: sender, rights, account | `Account` | again when it is fixed | all workers pause |
//! | 5xx that speaks of this client | `Relay` | again as for a 4xx | go on; many pause all workers |
//! | 5xx at RCPT, or behind DATA | `Recipient`, `Message`, `Sandbox` | *failed* | go on |
//! | none after the whole mail | `Unknown` | *unknown* | go on |
//!
//! SES's API has a table of its own (`of_api.rs`).
//!
//! The words are those of the AWS guide "Amazon SES SMTP response codes". Whatever is not in it is judged by the class
//! digit of its code and the stage at which it came (RFC 5321, 4.2.1); the reply itself is recorded as it came, but for
//! the key.

mod of_api;
mod of_us;

use std::time::Duration;

use crate::domain::address::EmailAddress;
use crate::mail::transport::{Cause, Failure, Reply, Stage};
use crate::text::plain;

/// What a failure is: the one judgement from which everything else follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It may work later: this mail is tried again after this time, or by the back-off. The others go on.
    Transient {
        /// How long to wait, where that is known.
        after: Option<Duration>,
    },
    /// The server could not be reached, or refused for a while before any mail was named: the worker pauses, longer
    /// each time in a row, and the try does not count.
    Unreachable {
        /// How long this mail waits, where that is known.
        after: Option<Duration>,
    },
    /// Too many connections: the worker pauses a moment, and continues with half of the lanes.
    Crowd,
    /// Too many mails a second: all workers pause a moment, and go on more slowly.
    Rate,
    /// The mails of the day are used up: the outbox pauses for all workers, for a while.
    DailyQuota,
    /// This worker can send nothing until an operator fixes its settings (credentials, server, certificates, files): it
    /// stops.
    Worker,
    /// The account can send nothing, through any worker, until someone fixes it (sender, rights, AWS's pause): the
    /// outbox pauses for all workers.
    Account,
    /// The server refuses this client, not this recipient: what it said speaks of us. The mail is tried again; if many
    /// are refused, the outbox pauses ([`crate::store::refusals`]).
    Relay,
    /// The account is in the sandbox, and this recipient is not one of those who can be mailed from there: failed.
    Sandbox,
    /// This recipient cannot be mailed; others can: failed.
    Recipient,
    /// This mail is refused as it is; others may pass: failed.
    Message,
    /// The answer was lost, so the mail may or may not have gone out: *unknown*.
    Unknown,
}

/// A failure in an operator's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What follows from it.
    pub class: Class,
    /// What happened. Plain.
    pub happened: String,
    pub next: &'static str,
}

impl Verdict {
    fn new(class: Class, happened: impl Into<String>, next: &'static str) -> Self {
        Self { class, happened: happened.into(), next }
    }

    /// Both in one line: the reason that is recorded on the send.
    #[must_use]
    pub fn reason(&self) -> String {
        format!("{}; {}", self.happened, self.next)
    }
}

/// Judges a failed try to send a mail.
#[must_use]
pub fn judge(failure: &Failure, sender: &EmailAddress, recipient: &EmailAddress) -> Verdict {
    let mut verdict = judge_cause(failure, sender, recipient);
    if let Class::Transient { after } = verdict.class
        && failure.stage < Stage::Mail
    {
        verdict.class = Class::Unreachable { after };
    }
    verdict
}

fn judge_cause(failure: &Failure, sender: &EmailAddress, recipient: &EmailAddress) -> Verdict {
    if failure.is_unknown() {
        return Verdict::new(
            Class::Unknown,
            format!("the answer was lost, so the mail may or may not have gone out ({failure})"),
            "SES's events show whether it did; resend if the user reports that nothing came",
        );
    }
    match &failure.cause {
        Cause::Reply(reply) => judge_reply(failure.stage, reply, sender, recipient),
        Cause::ApiRefusal(refusal) => of_api::judge(refusal, sender, recipient),
        Cause::NoCredentials(_) => Verdict::new(
            Class::Worker,
            failure.to_string(),
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role with ses:SendEmail",
        ),
        Cause::TimedOut(_) | Cause::Network(_) => Verdict::new(
            Class::Transient { after: None },
            failure.to_string(),
            "it is tried again; if it stays so, check `smtp.host`, `smtp.port` and the firewall",
        ),
        Cause::OutOfTurn(_) => Verdict::new(
            Class::Transient { after: None },
            failure.to_string(),
            "it is tried again over a new connection; if it stays so, look at the mail server and at what stands before it",
        ),
        Cause::Certificate(_) => Verdict::new(
            Class::Worker,
            failure.to_string(),
            "check `smtp.host`, and set `smtp.ca_file` to the relay's authority if it is a private one",
        ),
        Cause::NoStartTls => Verdict::new(
            Class::Worker,
            failure.to_string(),
            "check `smtp.host` and `smtp.port`; port 465 wants `smtp.tls` = \"tls\"",
        ),
        Cause::NoAuth => Verdict::new(
            Class::Worker,
            failure.to_string(),
            "check `smtp.host`, or leave `smtp.username` and `smtp.password` out if the relay asks no one to sign in",
        ),
        Cause::LeaseEnds => {
            Verdict::new(Class::Transient { after: Some(Duration::ZERO) }, failure.to_string(), "it is tried again")
        }
        Cause::File(_) => {
            Verdict::new(Class::Worker, failure.to_string(), "check space and rights of the directory `capture.dir`")
        }
    }
}

/// One of SES's answers.
struct Known {
    /// Its code; 0 for any.
    code: u16,
    /// What its text has in it, in lower case; all of them.
    words: &'static [&'static str],
    class: Class,
    happened: &'static str,
    next: &'static str,
}

const LATER: Class = Class::Transient { after: None };

const ACCESS_DENIED: &str = "access denied";
const NOT_AUTHORIZED: &str = "is not authorized to perform";

/// What SES is known to say, the more special first.
const KNOWN: [Known; 19] = [
    Known {
        code: 421,
        words: &["too many concurrent"],
        class: Class::Crowd,
        happened: "SES counts too many connections",
        next: "it is tried again; lower `worker.lanes` if it stays so",
    },
    Known {
        code: 451,
        words: &["timeout waiting for data"],
        class: Class::Transient { after: Some(Duration::ZERO) },
        happened: "SES had closed the connection while it was idle",
        next: "it is tried again, the first time at once",
    },
    Known {
        code: 0,
        words: &["maximum sigv2"],
        class: Class::Worker,
        happened: "the SMTP password is of the old kind (before 2019) that SES slows down",
        next: "make new SMTP credentials, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to have them derived",
    },
    Known {
        code: 0,
        words: &["maximum sending rate exceeded"],
        class: Class::Rate,
        happened: "more mails a second than the SES account may send",
        next: "it is tried again, slower",
    },
    Known {
        code: 0,
        words: &["daily message quota exceeded"],
        class: Class::DailyQuota,
        happened: "the SES account's mails for 24 hours are used up",
        next: "sending goes on as places come back; ask AWS for a larger quota if this is usual",
    },
    Known {
        code: 454,
        words: &["temporary authentication failure"],
        class: LATER,
        happened: "SES could not check the sign-in just now",
        next: "it is tried again",
    },
    Known {
        code: 0,
        words: &["sending paused for this account"],
        class: Class::Account,
        happened: "AWS has paused sending for this account",
        next: "read the mail that AWS sent to the account's address, and the reputation page of the SES console",
    },
    Known {
        code: 535,
        words: &["not subscribed"],
        class: Class::Worker,
        happened: "the AWS account of these credentials is not subscribed to SES",
        next: "open the SES console once in this account and region",
    },
    Known {
        code: 535,
        words: &[],
        class: Class::Worker,
        happened: "the SMTP user or password is wrong",
        next: "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the region, or `smtp.username` and `smtp.password`; \
               an IAM secret is no SMTP password",
    },
    Known {
        code: 530,
        words: &["starttls"],
        class: Class::Worker,
        happened: "the server takes mail within TLS only",
        next: "set `smtp.tls` = \"starttls\"",
    },
    Known {
        code: 0,
        words: &["starttls is required"],
        class: Class::Worker,
        happened: "the server takes mail within TLS only",
        next: "set `smtp.tls` = \"starttls\"",
    },
    Known {
        code: 538,
        words: &[],
        class: Class::Worker,
        happened: "the server lets people sign in within TLS only",
        next: "set `smtp.tls` = \"starttls\"",
    },
    Known {
        code: 530,
        words: &[],
        class: Class::Worker,
        happened: "the server wants a sign-in first",
        next: "set `smtp.username` and `smtp.password`; from the AWS keys they are derived for Amazon SES's own hosts only",
    },
    Known {
        code: 0,
        words: &[ACCESS_DENIED],
        class: Class::Account,
        happened: "the IAM user may not send this mail",
        next: "allow it ses:SendRawEmail for the sender's identity and the configuration set",
    },
    Known {
        code: 0,
        words: &[NOT_AUTHORIZED],
        class: Class::Account,
        happened: "the IAM user may not send this mail",
        next: "allow it ses:SendRawEmail for the sender's identity and the configuration set",
    },
    Known {
        code: 0,
        words: &["configuration set", "does not exist"],
        class: Class::Account,
        happened: "SES does not know the configuration set",
        next: "check `mail.configuration_set` and the region",
    },
    Known {
        code: 552,
        words: &["too long"],
        class: Class::Message,
        happened: "the mail is too large",
        next: "shorten the template",
    },
    Known {
        code: 554,
        words: &["transaction failed"],
        class: Class::Message,
        happened: "SES refuses the mail as it is made",
        next: "read the reply; it names the header or part that is wrong",
    },
    Known {
        code: 0,
        words: &["temporary service failure"],
        class: LATER,
        happened: "SES has trouble of its own",
        next: "it is tried again",
    },
];

fn judge_reply(stage: Stage, reply: &Reply, sender: &EmailAddress, recipient: &EmailAddress) -> Verdict {
    let text = reply.text.raw().to_lowercase();
    if text.contains("email address is not verified") {
        return judge_unverified(&text, sender, recipient);
    }
    // Relays refuse a recipient in the same words, and a client behind a status code, of which SES has none, or for a
    // while: only what speaks of IAM is IAM's there.
    let is_relays = (stage == Stage::Rcpt || reply.code < 500 || of_us::has_status(&text))
        && !text.contains("ses:send")
        && !text.contains(NOT_AUTHORIZED);
    let fits = |known: &&Known| {
        (known.code == 0 && reply.code >= 400 || known.code == reply.code)
            && !(is_relays && known.words == [ACCESS_DENIED])
            && known.words.iter().all(|words| text.contains(words))
    };
    match KNOWN.iter().find(fits) {
        Some(known) => Verdict::new(known.class, known.happened, known.next),
        None => judge_by_code(stage, reply, sender, recipient),
    }
}

/// SES says the same of a sender who is not verified and, while the account is in the sandbox, of a recipient who is
/// not. The list of identities in the reply distinguishes them.
fn judge_unverified(text: &str, sender: &EmailAddress, recipient: &EmailAddress) -> Verdict {
    let mut failed: Vec<&str> = text
        .split_once("failed the check in region")
        .and_then(|(_, rest)| rest.split_once(':'))
        .map(|(_, list)| list.split(',').map(bare_identity).filter(|identity| !identity.is_empty()).collect())
        .unwrap_or_default();
    let is = |identity: &str, address: &EmailAddress| {
        identity == address.as_str().to_lowercase() || identity == address.domain()
    };
    failed.retain(|identity| !is(identity, recipient) || is(identity, sender));
    let names_someone = text.contains("failed the check in region");
    if names_someone && failed.is_empty() {
        return Verdict::new(
            Class::Sandbox,
            format!("the SES account is in the sandbox, and {} is not a verified recipient", plain(recipient.as_str())),
            "`verifydesk account identities add` lets one be mailed; ask AWS for production access to mail everyone",
        );
    }
    Verdict::new(
        Class::Account,
        format!("SES has not verified the sender {} in this region", plain(sender.as_str())),
        "verify the sender's domain or address in the SES console, or correct `mail.from` or the region",
    )
}

/// An identity out of SES's list: an address, a domain, or an ARN that ends in one.
fn bare_identity(item: &str) -> &str {
    let item = item.trim().trim_end_matches('.');
    let item = item.rsplit_once("identity/").map_or(item, |(_, identity)| identity);
    item.rsplit_once('<').map_or(item, |(_, address)| address.trim_end_matches('>'))
}

/// An answer that is not in the table, by its code and the stage at which it came.
fn judge_by_code(stage: Stage, reply: &Reply, sender: &EmailAddress, recipient: &EmailAddress) -> Verdict {
    let shown = reply.whole().plain();
    if reply.code < 500 {
        return Verdict::new(LATER, format!("the server put it off at {stage}: {shown}"), "it is tried again");
    }
    let names_sender = matches!(stage, Stage::Rcpt | Stage::Data | Stage::Content | Stage::EndOfData)
        && is_about_sender(reply, sender, recipient);
    let refused_at = if names_sender { Stage::Mail } else { stage };
    if let Some(about) = of_us::said(refused_at, reply) {
        return Verdict::new(Class::Relay, format!("{} at {stage}: {shown}", about.happened), about.next);
    }
    match refused_at {
        Stage::Connect | Stage::Greeting | Stage::StartTls | Stage::Auth => Verdict::new(
            Class::Worker,
            format!("the server refused at {stage}: {shown}"),
            "check `smtp.host`, `smtp.port` and the credentials",
        ),
        Stage::Mail => Verdict::new(
            Class::Account,
            format!("the server refused the sender {}: {shown}", plain(sender.as_str())),
            "check `mail.from`; with SES its domain or address must be verified",
        ),
        Stage::Rcpt => Verdict::new(
            Class::Recipient,
            format!("the server refused the recipient {}: {shown}", plain(recipient.as_str())),
            "ask the user for another address",
        ),
        Stage::Data | Stage::Content | Stage::EndOfData => Verdict::new(
            Class::Message,
            format!("the server refused the mail: {shown}"),
            "read the reply; resend when the cause is gone",
        ),
    }
}

/// Whether a later answer refuses the sender: Postfix waits with that until it knows both, Exchange until the end.
fn is_about_sender(reply: &Reply, sender: &EmailAddress, recipient: &EmailAddress) -> bool {
    let text = reply.text.raw().to_lowercase();
    let names = |address: &EmailAddress| {
        let address = address.as_str().to_lowercase();
        text.split(|c: char| c.is_whitespace() || "<>()[]{},;:\"'".contains(c))
            .any(|word| word.trim_matches('.') == address)
    };
    let says_so = text.contains("sender address") && !text.contains("recipient address");
    says_so || (names(sender) && !names(recipient))
}

#[cfg(test)]
mod tests;
