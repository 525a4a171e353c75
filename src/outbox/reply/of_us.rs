//! What a refusal says of us rather than of the recipient: that this client may not relay, is on a blocklist, has no
//! more mails today. Postfix, for one, says at RCPT whatever it has against the client. Taken for the recipient's
//! failure, each of these would end every mail of the outbox.
//!
//! Words decide before codes: 5.7.1 is said for everything. What names the recipient or the mailbox is the recipient's,
//! unless it speaks of relaying, since servers put the address before those words as well.

use crate::mail::transport::{Reply, Stage};

/// What was said of us.
pub(super) struct About {
    pub(super) happened: &'static str,
    pub(super) next: &'static str,
}

const RELAYING: About = About {
    happened: "the server does not relay for this client",
    next: "check `smtp.host`, set `smtp.username` and `smtp.password`, or have this machine's address allowed there",
};
const CLIENT: About = About {
    happened: "the server refuses this client",
    next: "ask who runs it, with the reply; name, address and credentials of this machine are what it judges by",
};
const LISTED: About = About {
    happened: "this machine's address, or the relay's, is on a blocklist",
    next: "ask for removal at the list that the reply names, or send through another relay",
};
const USED_UP: About = About {
    happened: "the provider's quota of mails is used up",
    next: "sending goes on when it takes mails again; ask for a larger quota if this is usual",
};
const TROUBLE: About = About { happened: "the server has trouble of its own", next: "ask who runs it, with the reply" };

/// Relaying is not for us, whatever recipient the reply names.
const RELAY_WORDS: &[&str] = &[
    "unable to relay",
    "relay access denied",
    "relaying denied",
    "relay denied",
    "relay not permitted",
    "relaying not permitted",
    "not permitted to relay",
    "relaying is not permitted",
    "relaying not allowed",
    "relay not allowed",
    "relay is not allowed",
    "relay prohibited",
    "relaying prohibited",
    "we do not relay",
    "not a relay",
    "open relay",
    "credentials for relay",
    "authentication required",
    "authentication is required",
    "not authenticated",
    "must authenticate",
    "authenticate first",
    "log in to send",
    "unauthenticated senders",
];

/// The client's name, address or account.
const CLIENT_WORDS: &[&str] = &[
    "client host rejected",
    "client host blocked",
    "helo command rejected",
    "bad helo",
    "invalid helo",
    "ehlo rejected",
    "reverse dns",
    "reverse hostname",
    "ptr record",
    "client was not authenticated",
    "unauthorized ip",
    "ip not authorized",
    "ip address is not authorized",
    "not allowed to send",
    "not authorized to send",
    "account disabled",
    "account suspended",
    "account is suspended",
    "sending is disabled",
    "administrative prohibition",
    "traffic not accepted from this ip",
    "unsolicited mail originating from your ip",
    "poor reputation",
    "low reputation of the sending",
    "bad outbound sender",
];

const LISTED_WORDS: &[&str] = &[
    "blocked using",
    "blocklist",
    "block list",
    "blacklist",
    "black list",
    "dnsbl",
    " rbl",
    "spamhaus",
    "spamcop",
    "barracudacentral",
    "banned sending ip",
];

/// A quota of ours: these need a word for the end of it as well.
const QUOTA_WORDS: &[&str] = &[
    "daily",
    "per day",
    "hourly",
    "per hour",
    "sending limit",
    "sending quota",
    "submission quota",
    "message quota",
    "smtp relay limit",
    "limit for message recipients",
    "credits",
];
const USED_UP_WORDS: &[&str] = &["exceed", "reached", "used up", "no more", "over the limit", "insufficient"];

/// What a server says of a mailbox or its name.
const RECIPIENT_WORDS: &[&str] = &[
    "recipient address rejected",
    "user unknown",
    "unknown user",
    "unknown recipient",
    "recipient unknown",
    "no such user",
    "no such recipient",
    "no such mailbox",
    "mailbox",
    "unrouteable address",
    "unroutable address",
    "over quota",
    "recipient verify failed",
    "recipient not found",
    "recipient rejected",
];

/// What it says of the mail itself.
const CONTENT_WORDS: &[&str] =
    &["spam", "virus", "malware", "content", "message size", "too large", "too long", "dmarc"];

/// What a refusal for good says of us, if it does. `stage` is what it is about, which may come before where it came.
pub(super) fn said(stage: Stage, reply: &Reply) -> Option<About> {
    if stage < Stage::Mail {
        return None;
    }
    let text = reply.text.raw().to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(RELAY_WORDS) {
        return Some(RELAYING);
    }
    let status = status(&text);
    // 5.1.x and 5.2.x are addresses and mailboxes, 5.4.1 a domain (RFC 3463), but for what Exchange says of senders
    // (8).
    let is_recipient_s = has(RECIPIENT_WORDS)
        || matches!(status, Some([1, detail]) if detail != 8 && detail != 90)
        || matches!(status, Some([2, 0..=4] | [4, 1]));
    let is_quota = has(QUOTA_WORDS) && has(USED_UP_WORDS);
    if stage != Stage::Mail && is_recipient_s && !is_quota {
        return None;
    }
    if has(LISTED_WORDS) {
        return Some(LISTED);
    }
    if is_quota && !text.contains("mailbox") {
        return Some(USED_UP);
    }
    if has(CLIENT_WORDS) {
        return Some(CLIENT);
    }
    match (stage, status) {
        // The system is not accepting, but for mails that are too large (RFC 3463, 3.4).
        (_, Some([3, detail])) if detail != 4 => Some(TROUBLE),
        // Policy: at RCPT the server has seen no more than who we are and which recipient we name.
        (Stage::Rcpt, Some([7, _])) if !has(CONTENT_WORDS) => Some(CLIENT),
        // What the sender did wrong is for `mail.from` to answer.
        _ => None,
    }
}

/// Whether an answer begins with an enhanced status code.
pub(super) fn has_status(text: &str) -> bool {
    status(text).is_some()
}

/// Subject and detail of an enhanced status code of class 5 at the beginning (RFC 3463).
fn status(text: &str) -> Option<[u16; 2]> {
    let first = text.split_whitespace().next()?;
    let mut parts = first.trim_matches(['#', '(', ')']).split('.');
    let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
    (class == "5" && parts.next().is_none()).then_some([subject.parse().ok()?, detail.parse().ok()?])
}

#[cfg(test)]
mod tests {
    use super::super::Class::{self, Account, Message, Recipient, Relay, Worker};
    use super::super::LATER;
    use super::super::tests::of;
    use crate::mail::transport::Stage::{self, EndOfData, Mail, Rcpt};

    /// Replies as servers send them, from the documents and code of each and from public reports.
    const TABLE: &[(Stage, &str, Class)] = &[
        // Postfix (smtpd(8), access(5)).
        (Rcpt, "554 5.7.1 <robin@example.com>: Relay access denied", Relay),
        (Rcpt, "554 5.7.1 <app.example.org[192.0.2.7]>: Client host rejected: Access denied", Relay),
        (
            Rcpt,
            "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.7",
            Relay,
        ),
        (Rcpt, "554 5.7.1 <unknown[192.0.2.7]>: Client host rejected: cannot find your hostname, [192.0.2.7]", Relay),
        (Rcpt, "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname", Relay),
        (Rcpt, "454 4.7.1 <robin@example.com>: Relay access denied", LATER),
        (Rcpt, "450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.7]", LATER),
        (Rcpt, "451 4.3.0 <robin@example.com>: Temporary lookup failure", LATER),
        (
            Rcpt,
            "550 5.1.1 <robin@example.com>: Recipient address rejected: User unknown in local recipient table",
            Recipient,
        ),
        (Rcpt, "550 5.1.2 <robin@example.com>: Recipient address rejected: Domain not found", Recipient),
        (Rcpt, "554 5.7.1 <robin@example.com>: Recipient address rejected: Access denied", Recipient),
        (Rcpt, "552 5.2.2 <robin@example.com>: Recipient address rejected: Mailbox quota exceeded", Recipient),
        (Rcpt, "553 5.7.1 <no-reply@example.org>: Sender address rejected: not owned by user web", Account),
        (EndOfData, "550 5.7.1 Blocked by SpamAssassin", Message),
        (EndOfData, "554 5.7.1 Message rejected as spam by Content Filtering", Message),
        (EndOfData, "552 5.3.4 Error: message file too big", Message),
        (EndOfData, "554 5.3.0 Error: queue file write error", Relay),
        (Mail, "550 5.3.2 System not accepting network messages", Relay),
        // Microsoft, for a while.
        (Mail, "451 4.7.550 Access denied, please try again later", LATER),
        (EndOfData, "450 4.7.26 Access denied, a message sent over IPv6 must pass SPF or DKIM", LATER),
        // Not a right of IAM's, though the letters are there.
        (Rcpt, "550 5.1.1 addresses: <robin@example.com>: Access denied", Recipient),
        // Exchange and Microsoft 365.
        (Rcpt, "550 5.7.1 Unable to relay", Relay),
        (Rcpt, "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", Relay),
        (Rcpt, "550 5.7.64 TenantAttribution; Relay Access Denied", Relay),
        (
            Rcpt,
            "550 5.7.606 Access denied, banned sending IP [192.0.2.7]. To request removal from this list please visit https://sender.office.com/",
            Relay,
        ),
        (Rcpt, "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP", Relay),
        (EndOfData, "550 5.1.8 Access denied, bad outbound sender AS(42004)", Relay),
        (
            EndOfData,
            "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
            Relay,
        ),
        (
            EndOfData,
            "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; the sender's submission quota was exceeded",
            Relay,
        ),
        (Mail, "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM", Worker),
        (
            EndOfData,
            "550 5.7.60 SMTP; Client does not have permissions to send as this sender no-reply@example.org",
            Account,
        ),
        (Rcpt, "550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [x.prod.outlook.com]", Recipient),
        (Rcpt, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", Recipient),
        // Gmail and its relay.
        (
            Rcpt,
            "550 5.7.0 Mail relay denied [192.0.2.7]. Invalid credentials for relay for one of the domains in: example.org",
            Relay,
        ),
        (
            Rcpt,
            "550 5.7.1 Invalid credentials for relay [192.0.2.7]. The IP address you've registered in your Workspace SMTP Relay service doesn't match",
            Relay,
        ),
        (
            EndOfData,
            "550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to https://support.google.com/a/answer/166852",
            Relay,
        ),
        (Rcpt, "550 5.4.5 Daily SMTP relay limit exceeded for customer.", Relay),
        (
            EndOfData,
            "550 5.7.1 [192.0.2.7] Our system has detected an unusual rate of unsolicited mail originating from your IP address.",
            Relay,
        ),
        (
            EndOfData,
            "550 5.7.26 Unauthenticated email from example.org is not accepted due to domain's DMARC policy.",
            Message,
        ),
        (
            Rcpt,
            "550 5.1.1 The email account that you tried to reach does not exist. https://support.google.com/mail/?p=NoSuchUser",
            Recipient,
        ),
        (Rcpt, "550 5.2.1 The email account that you tried to reach is disabled.", Recipient),
        (Rcpt, "452 4.2.2 The email account that you tried to reach is over quota", LATER),
        (Rcpt, "421 4.7.0 Try again later, closing connection.", LATER),
        // Amazon SES has a table of its own; what would fit here stays there.
        (EndOfData, "554 Message rejected: Sending paused for this account.", Account),
        (EndOfData, "554 Transaction failed: Duplicate header 'From'.", Message),
        (Rcpt, "553 <robin@> address unknown", Recipient),
        // Exim and what is made with it.
        (Rcpt, "550 relay not permitted", Relay),
        (Rcpt, "550 Authentication required", Relay),
        (Rcpt, "550 Administrative prohibition", Relay),
        (Rcpt, "550 Rejected because 192.0.2.7 is in a black list at zen.spamhaus.org", Relay),
        (
            EndOfData,
            "550 Domain example.org has exceeded the max emails per hour (501/500 (100%)) allowed. Message discarded.",
            Relay,
        ),
        (Rcpt, "550 Unrouteable address", Recipient),
        (Rcpt, "550 Unknown user", Recipient),
        (Rcpt, "451 Temporary local problem - please try later", LATER),
        (EndOfData, "550 This message was classified as SPAM and may not be delivered", Message),
        // Other providers.
        (EndOfData, "550 Maximum credits exceeded", Relay),
        (EndOfData, "550 5.7.1 Exceed Sending Limit (daily)", Relay),
        (Mail, "525 5.7.1 Unauthorized IP address", Relay),
        (EndOfData, "550 Unauthenticated senders not allowed", Relay),
        (EndOfData, "554 Domain example.org is not allowed to send: Account disabled", Relay),
        // Codes alone.
        (Rcpt, "550 5.7.1 Refused", Relay),
        (Rcpt, "500 5.3.0 Error", Relay),
        (EndOfData, "500 5.3.0 Error", Relay),
        (Rcpt, "550 5.3.2 System not accepting network messages", Relay),
        (Rcpt, "550 No", Recipient),
        (Mail, "550 5.7.1 sender rejected", Account),
        (EndOfData, "571 5.7.1 Not this", Message),
    ];

    #[test]
    fn what_servers_say_of_us_and_of_recipients() {
        for &(stage, line, class) in TABLE {
            let verdict = of(stage, line);
            assert_eq!(verdict.class, class, "{stage}: {line}: {verdict:?}");
            assert!(class != Class::Relay || verdict.happened.contains(line), "{verdict:?} lacks the reply");
        }
    }
}
