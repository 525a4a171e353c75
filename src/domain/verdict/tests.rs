use chrono::{Duration, TimeDelta};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::amazon::Suppression;
use crate::domain::audit::AuditEntry;
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::locale::Locale;
use crate::domain::send::{SendEvent, SendRow, SendState};
use crate::domain::user::User;
use crate::domain::verification::{Counted, InAll, Verification};

const ID: VerificationId = VerificationId(7);

fn now() -> Time {
    Time::from_timestamp(1_800_000_000, 0).unwrap()
}

fn ago(minutes: i64) -> Time {
    now() - Duration::minutes(minutes)
}

/// Minutes, as nothing but the tests writes them.
fn shown(at: Time) -> String {
    let minutes = (now() - at).num_minutes();
    if minutes < 0 { format!("in {}", -minutes) } else { format!("{minutes} ago") }
}

fn verification(id: VerificationId, expires_at: Time) -> Verification {
    Verification {
        id,
        user_id: UserId(3),
        created_at: ago(5_000),
        expires_at,
        verified_at: None,
        revoked_at: None,
        opened_at: None,
        key_fingerprint: Some("a83f0b1c".into()),
    }
}

fn mail(state: SendState) -> SendRow {
    SendRow {
        id: SendId(Uuid::nil()),
        verification_id: Some(ID),
        user_id: Some(UserId(3)),
        recipient: "mina@example.net".into(),
        locale: Locale::En,
        state,
        queued_at: ago(61),
        due_at: ago(61),
        changed_at: ago(60),
        attempts: 1,
        lost: 0,
        retry_at: None,
        ses_id: Some("0100".into()),
        reply: Some("250 Ok 0100".into()),
        reason: None,
        test_of: None,
        is_verified: false,
        is_leaving: false,
        made_of: None,
        delivered_at: None,
        events: Vec::new(),
    }
}

fn event(kind: &str, sub_kind: &str, detail: &str) -> SendEvent {
    SendEvent {
        id: Uuid::nil(),
        kind: kind.into(),
        sub_kind: sub_kind.into(),
        occurred_at: ago(59),
        detail: detail.into(),
        until: None,
    }
}

fn with(state: SendState, events: Vec<SendEvent>) -> VerificationDetail {
    of(vec![SendRow { events, ..mail(state) }])
}

fn of(sends: Vec<SendRow>) -> VerificationDetail {
    VerificationDetail {
        verification: verification(ID, now() + Duration::hours(66)),
        user: User {
            id: UserId(3),
            email: "mina@example.net".into(),
            name: "Mina".into(),
            locale: Locale::En,
            created_at: ago(5_000),
            verified_at: None,
            delete_after: None,
        },
        others: Vec::new(),
        in_all: InAll { verifications: Counted::of(1), mails: Counted::of(1) },
        sends,
        other_sends: Vec::new(),
        audit: Vec::new(),
        suppression: None,
        act: None,
        is_oddly_opened: false,
    }
}

fn expired(mut detail: VerificationDetail) -> VerificationDetail {
    detail.verification.expires_at = ago(50);
    detail
}

fn verdict(detail: &VerificationDetail) -> Verdict {
    Facts { detail, held_by: None, now: now() }.verdict(shown)
}

#[test]
fn of_each_bounce() {
    use Level::{Bad, Warn};
    let table = [
        ("Permanent/General", "smtp; 550 5.1.1 user unknown", Bad, "example.net says that there is no such mailbox"),
        ("Permanent/General", "550 No such user here", Bad, "there is no such mailbox"),
        ("Permanent/NoEmail", "", Bad, "there is no such mailbox"),
        ("Permanent/General", "smtp; 554 5.7.1 blocked", Bad, "example.net refuses it for good"),
        ("Permanent/General", "smtp; 550 15.1.1 no", Bad, "refuses it for good"),
        ("Permanent/OfTomorrow", "", Bad, "refuses it for good"),
        ("Permanent/OnAccountSuppressionList", "", Bad, "on the account's suppression list"),
        ("Permanent/Suppressed", "", Bad, "SES's own suppression list"),
        ("Permanent/OnTenantSuppressionList", "", Bad, "the tenant's suppression list"),
        ("Permanent/EmailValidationSuppressed", "", Bad, "does not believe"),
        ("Permanent/UnsubscribedRecipient", "", Bad, "unsubscribed"),
        ("Transient/MailboxFull", "", Warn, "stayed full"),
        ("Transient/MessageTooLarge", "", Bad, "Our fault, not theirs"),
        ("Transient/ContentRejected", "", Bad, "Our fault, not theirs"),
        ("Transient/AttachmentRejected", "", Bad, "Our fault, not theirs"),
        ("Transient/CustomTimeoutExceeded", "", Warn, "too little time"),
        ("Transient/General", "", Warn, "did not take it for now"),
        ("Undetermined/Undetermined", "", Warn, "does not say why"),
        ("", "", Warn, "does not say why"),
    ];
    for (sub_kind, said, level, part) in table {
        let found = verdict(&with(SendState::Bounced, vec![event("Send", "", ""), event("Bounce", sub_kind, said)]));
        assert_eq!(found.level, level, "{sub_kind}");
        assert!(found.what.contains(part) && found.what.ends_with(", 59 ago."), "{sub_kind}: {}", found.what);
        assert!(!found.advice.is_empty());
    }
    let held = verdict(&with(SendState::Bounced, vec![event("Complaint", "OnAccountSuppressionList", "")]));
    assert!(held.what.contains("on the account's suppression list"), "{held:?}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn of_each_state_of_a_mail() {
    use Level::{Bad, Calm, Warn};
    use SendState::{
        Accepted, Bounced, Cancelled, Complained, Delayed, Delivered, Failed, Queued, Rejected, Sending, Unknown,
    };
    let delay = |sub_kind| {
        let until = Some(now() + TimeDelta::minutes(80));
        vec![SendEvent { until, ..event("DeliveryDelay", sub_kind, "") }]
    };
    let with_reason = |state, reason: &str| of(vec![SendRow { reason: Some(reason.into()), ..mail(state) }]);
    let waiting = SendRow { due_at: now() + Duration::minutes(6), attempts: 2, ..mail(Queued) };
    let new = SendRow { attempts: 0, ..mail(Queued) };
    let refused = SendRow { reply: Some("550 5.1.1 <mina@example.net>: user unknown".into()), ..mail(Failed) };
    let retried = SendRow { retry_at: Some(now() + Duration::minutes(9)), ..mail(Unknown) };
    let recent = SendRow { changed_at: ago(2), ..mail(Accepted) };
    let table = [
        (of(vec![]), Warn, "No mail was made for them yet.", "Resend mails the link."),
        (of(vec![new]), Calm, "Their mail waits for its turn.", "Wait a moment."),
        (
            of(vec![waiting]),
            Warn,
            "Their mail waits; the mail server put it off 2 times; next try in 6.",
            "Wait; Resend brings it forward.",
        ),
        (of(vec![mail(Sending)]), Calm, "Their mail is being sent.", "Wait a moment."),
        (of(vec![recent]), Calm, "SES took their mail 2 ago.", "Wait a minute, then look in spam."),
        (
            with(Accepted, vec![]),
            Warn,
            "SES took their mail 60 ago, and has not said what became of it.",
            "Look in spam; if it is not there, Resend. If SES says nothing of any mail, its events do not come in.",
        ),
        (
            expired(with(Accepted, vec![])),
            Warn,
            "SES took their mail 60 ago and said no more; the link's time is over.",
            "Resend mails a new link.",
        ),
        (
            with(Delivered, vec![event("Delivery", "", "")]),
            Calm,
            "Delivered 59 ago, not opened yet: the receiving server took it.",
            "Ask them to look in spam and in other folders.",
        ),
        (
            expired(with(Delivered, vec![event("Delivery", "", "")])),
            Warn,
            "Delivered 59 ago, never opened; the link's time was over 50 ago.",
            "Resend mails a new link.",
        ),
        (
            with(Delayed, delay("MailboxFull")),
            Warn,
            "On its way, mailed 61 ago: the mailbox is full; SES tries until in 80.",
            "Ask them to make room in the mailbox, or for another address.",
        ),
        (
            with(Delayed, vec![]),
            Warn,
            "On its way, mailed 61 ago: no reason was given; SES tries again.",
            "Wait; if it takes too long, ask for another address.",
        ),
        (
            with(Complained, vec![event("Complaint", "", "")]),
            Bad,
            "They called our mail spam, 59 ago.",
            "Do not mail them again, unless they ask for it.",
        ),
        (
            with(Complained, vec![event("Complaint", "auth-failure", "")]),
            Bad,
            "Their provider complains, 59 ago: SPF, DKIM or DMARC fail. Our fault, not theirs.",
            "Show the person who runs the domain's DNS.",
        ),
        (
            with(Rejected, vec![event("Reject", "", "Bad content")]),
            Bad,
            "SES refused our mail, 59 ago: our fault, not theirs.",
            "Show a developer the template: SES found a virus, or could not read it.",
        ),
        (
            with_reason(Failed, "the daily quota is used up"),
            Bad,
            "Their mail never left, 60 ago. The daily quota is used up.",
            "Not the address's fault. Once the cause is gone, Resend mails the link.",
        ),
        (
            of(vec![refused]),
            Bad,
            "Cannot be delivered: the mail server says that there is no such mailbox, 60 ago.",
            "Ask for the right address: it may be mistyped.",
        ),
        (
            with_reason(Cancelled, "the user was verified"),
            Warn,
            "Their mail did not go out: the user was verified.",
            "Resend mails the link.",
        ),
        (
            of(vec![retried]),
            Warn,
            "Their mail may have gone out: the answer was lost, 60 ago.",
            "Ask them to look; it is tried once more in 9.",
        ),
        (
            with(Unknown, vec![]),
            Warn,
            "Their mail may have gone out: the answer was lost, 60 ago.",
            "Ask them to look in spam too; a Resend may give them two.",
        ),
        // A cancelled mail hides nothing.
        (
            of(vec![
                mail(Cancelled),
                SendRow { events: vec![event("Bounce", "Permanent/NoEmail", "")], ..mail(Bounced) },
            ]),
            Bad,
            "Cannot be delivered: example.net says that there is no such mailbox, 59 ago.",
            "Ask for the right address: it may be mistyped.",
        ),
    ];
    for (detail, level, what, advice) in table {
        assert_eq!(verdict(&detail), Verdict::new(level, what, advice));
    }
}

#[test]
fn what_holds_all_mail_back_is_said_of_each_that_waits() {
    let detail = of(vec![mail(SendState::Queued)]);
    let facts = Facts { detail: &detail, held_by: Some("no worker is running"), now: now() };
    let verdict = facts.verdict(shown);
    assert_eq!((verdict.level, &*verdict.what), (Level::Bad, "Their mail waits: no worker is running."));
}

#[test]
fn what_stands_before_any_mail() {
    let bounced = || with(SendState::Bounced, vec![event("Bounce", "Permanent/NoEmail", "")]);
    let mut by_link = bounced();
    (by_link.user.verified_at, by_link.verification.verified_at) = (Some(ago(30)), Some(ago(30)));
    by_link.verification.opened_at = Some(ago(30));
    let mut scanned = by_link.clone();
    scanned.is_oddly_opened = true;
    let mut forced = by_link.clone();
    forced.verification.opened_at = None;
    forced.audit = vec![AuditEntry {
        id: 1,
        at: ago(30),
        actor: "kim@bastion".into(),
        origin: "console".into(),
        action: "force_verify".into(),
        outcome: "done".into(),
        reason: None,
        before: None,
        user_id: Some(UserId(3)),
        verification_id: Some(ID),
        send_id: None,
        login: None,
        client: None,
    }];
    let mut by_another = bounced();
    by_another.user.verified_at = Some(ago(30));
    let mut replaced = bounced();
    replaced.verification.revoked_at = Some(ago(20));
    let mut withdrawn = replaced.clone();
    let older = Verification { revoked_at: Some(ago(90)), ..verification(VerificationId(2), ago(90)) };
    withdrawn.others = vec![older.clone()];
    replaced.others = vec![verification(VerificationId(9), now() + Duration::hours(1)), older];
    let listed = |reason: &str| {
        let mut detail = with(SendState::Delivered, vec![event("Delivery", "", "")]);
        detail.suppression =
            Some(Suppression { checked_at: ago(1), reason: Some(reason.into()), since: Some(ago(700)), ses_id: None });
        detail
    };
    let mut not_listed = bounced();
    not_listed.suppression = Some(Suppression { checked_at: ago(1), reason: None, since: None, ses_id: None });
    let held = |checked_at| {
        let sub_kind = "Permanent/OnAccountSuppressionList";
        let mut detail = with(SendState::Bounced, vec![event("Bounce", sub_kind, "")]);
        detail.suppression = Some(Suppression { checked_at, reason: None, since: None, ses_id: None });
        detail
    };
    let mut opened = with(SendState::Delivered, vec![event("Delivery", "", "")]);
    opened.verification.opened_at = Some(ago(10));
    let opened_late = expired(opened.clone());
    let mut opened_early = expired(opened.clone());
    opened_early.verification.opened_at = Some(ago(58));
    let table = [
        (by_link, Level::Good, "Verified by the link, 30 ago."),
        (scanned, Level::Warn, "Verified by the link, 30 ago; it was probably a mail scanner."),
        (forced, Level::Good, "Verified by an operator, 30 ago."),
        (by_another, Level::Good, "Verified by another of their links, 30 ago."),
        (replaced, Level::Calm, "An older link; verification 9 (pending) took its place."),
        (withdrawn, Level::Warn, "The link was withdrawn, 20 ago."),
        (
            listed("BOUNCE"),
            Level::Bad,
            "SES sends nothing to this address: it is on the account's suppression list, 700 ago.",
        ),
        (listed("COMPLAINT"), Level::Bad, "SES sends nothing to them: they called a mail spam, 700 ago."),
        (not_listed, Level::Bad, "Cannot be delivered: example.net says that there is no such mailbox, 59 ago."),
        (
            held(ago(1)),
            Level::Warn,
            "Not sent, 59 ago: the address was on SES's suppression list; it is off it, seen 1 ago.",
        ),
        // What was seen before says nothing of it.
        (held(ago(700)), Level::Bad, "Not sent: the address is on the account's suppression list in SES, 59 ago."),
        (opened, Level::Warn, "They opened the link 10 ago, and have not confirmed."),
        (opened_late, Level::Warn, "They opened the link 10 ago, when its time was over."),
        (opened_early, Level::Warn, "They opened the link 58 ago, and did not confirm in time."),
    ];
    for (detail, level, what) in table {
        let found = verdict(&detail);
        assert_eq!((found.level, &*found.what), (level, what));
    }
}

#[test]
fn results_in_a_few_words() {
    use SendState::{Accepted, Bounced, Complained, Delayed, Delivered, Failed, Queued, Rejected};
    let bounce = |sub_kind, said| with(Bounced, vec![event("Bounce", sub_kind, said)]);
    let table = [
        (with(Accepted, vec![]), None),
        (with(Delivered, vec![event("Delivery", "", "250 2.0.0 OK")]), None),
        (bounce("Permanent/General", "smtp; 550 5.1.1 user unknown"), Some("no such mailbox: 550 5.1.1 user unknown")),
        (bounce("Permanent/OnAccountSuppressionList", ""), Some("on the account's suppression list")),
        (bounce("Transient/MailboxFull", "smtp; 452 4.2.2 quota"), Some("mailbox full")),
        (with(Bounced, vec![]), Some("refused, not said why")),
        (of(vec![SendRow { reason: Some("user unknown".into()), ..mail(Bounced) }]), Some("user unknown")),
        (with(Delayed, vec![event("DeliveryDelay", "MailboxFull", "")]), Some("the mailbox is full")),
        (with(Delayed, vec![]), None),
        (with(Complained, vec![]), Some("called spam")),
        (with(Rejected, vec![]), Some("SES found a virus, or could not read it")),
        (of(vec![SendRow { reason: Some("quota used up".into()), ..mail(Failed) }]), Some("quota used up")),
        (of(vec![SendRow { reply: Some("451 4.7.1 later".into()), ..mail(Queued) }]), Some("451 4.7.1 later")),
    ];
    for (detail, result) in table {
        assert_eq!(detail.sends[0].result().as_deref(), result);
    }
}

proptest! {
    /// Whatever others have written: one line each, that ends like a sentence.
    #[test]
    fn of_hostile_facts(
        state in prop::sample::select(SendState::ALL.to_vec()),
        kind in "Bounce|Complaint|DeliveryDelay|.{0,8}",
        texts in prop::array::uniform4("(\u{1b}\\[2J|\n|\u{202e}|.){0,12}"),
        is_expired: bool,
    ) {
        let [sub_kind, said, reason, recipient] = texts.each_ref().map(String::as_str);
        let mut send = SendRow { events: vec![event(&kind, sub_kind, said)], ..mail(state) };
        (send.reason, send.recipient) = (Some(reason.into()), recipient.into());
        let detail = if is_expired { expired(of(vec![send])) } else { of(vec![send]) };
        let found = verdict(&detail);
        for line in [&found.what, &found.advice] {
            prop_assert!(line.ends_with('.') && crate::text::plain(line).as_str() == line, "{line:?}");
        }
    }
}

#[test]
fn of_one_who_is_being_deleted() {
    let mut detail = of(vec![mail(SendState::Delivered)]);
    // Whatever else is so.
    detail.user.verified_at = Some(ago(60));
    for (seconds, what) in
        [(8, "To be erased "), (-20, "To be erased "), (-40, "No worker has erased them yet; it was time ")]
    {
        detail.user.delete_after = Some(now() + Duration::seconds(seconds));
        let found = verdict(&detail);
        assert!(found.level == Level::Bad && found.what.starts_with(what), "{seconds}: {found:?}");
        assert!(found.advice.contains("`verifydesk undo`"), "{found:?}");
    }
}
