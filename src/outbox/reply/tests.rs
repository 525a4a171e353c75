use super::*;

fn addresses() -> (EmailAddress, EmailAddress) {
    (EmailAddress::parse("no-reply@example.org").unwrap(), EmailAddress::parse("Robin@example.com").unwrap())
}

pub(super) fn of(stage: Stage, line: &str) -> Verdict {
    let (code, text) = line.split_once(' ').unwrap_or((line, ""));
    let (sender, recipient) = addresses();
    let reply = Reply::new(code.parse().unwrap(), text);
    judge(&Failure { stage, cause: Cause::Reply(reply) }, &sender, &recipient)
}

const TRANSIENT: Class = Class::Transient { after: None };
const UNREACHABLE: Class = Class::Unreachable { after: None };
const AT_ONCE: Class = Class::Transient { after: Some(Duration::ZERO) };

#[test]
fn what_ses_says() {
    use Class::{Account, Crowd, DailyQuota, Message, Rate, Recipient, Worker};
    use Stage::{Auth, Data, EndOfData, Greeting, Mail, Rcpt};
    let table = [
        (Greeting, "421 Too many concurrent SMTP connections", Crowd, "too many connections"),
        (EndOfData, "451 Temporary service failure", TRANSIENT, "trouble of its own"),
        (Mail, "451 Timeout waiting for data from client.", AT_ONCE, "idle"),
        (Mail, "451 4.4.2 Timeout waiting for data from client.", AT_ONCE, "idle"),
        (EndOfData, "454 Throttling failure: Maximum sending rate exceeded.", Rate, "a second"),
        (EndOfData, "454 Throttling failure: Daily message quota exceeded.", DailyQuota, "24 hours"),
        (Auth, "454 Throttling failure: Maximum SigV2 SMTP sending rate exceeded", Worker, "old kind"),
        (Auth, "454 Temporary authentication failure", UNREACHABLE, "sign-in"),
        (EndOfData, "454 Temporary service failure", TRANSIENT, "trouble of its own"),
        (Mail, "530 Authentication required", Worker, "wants a sign-in"),
        (Auth, "535 Authentication Credentials Invalid", Worker, "password is wrong"),
        (Auth, "535 Account not subscribed to SES", Worker, "not subscribed"),
        (EndOfData, "552 Message is too long.", Message, "too large"),
        (Mail, "553 <no-reply@> Invalid email address", Account, "refused the sender no-reply@example.org: 553"),
        (Rcpt, "553 <robin@> address unknown", Recipient, "refused the recipient Robin@example.com: 553"),
        (
            EndOfData,
            "554 Access denied: User arn:aws:iam::1:user/x is not authorized to perform ses:SendRawEmail on resource y",
            Account,
            "IAM user",
        ),
        (EndOfData, "554 Transaction failed: Duplicate header 'Subject'.", Message, "as it is made"),
        (
            EndOfData,
            "554 Message rejected: Sending paused for this account. For more information, please check the inbox",
            Account,
            "paused",
        ),
        (EndOfData, "554 Configuration set my-set does not exist.", Account, "configuration set"),
        // Nothing that SES is known to say.
        (Rcpt, "450 4.2.0 greylisted", TRANSIENT, "put it off at naming the recipient: 450 4.2.0 greylisted"),
        (Rcpt, "550 5.1.1 no such user", Recipient, "refused the recipient"),
        (Rcpt, "552 5.2.2 mailbox full", Recipient, "refused the recipient"),
        (Mail, "550 5.7.1 sender rejected", Account, "refused the sender"),
        (Data, "554 no valid recipients", Message, "refused the mail"),
        (EndOfData, "571 spam", Message, "refused the mail: 571 spam"),
        (Greeting, "554 no SMTP service here", Worker, "refused at the greeting"),
        (Data, "250 odd", TRANSIENT, "250 odd"),
        (EndOfData, "500", Message, "500"),
    ];
    for (stage, line, class, words) in table {
        let verdict = of(stage, line);
        assert_eq!(verdict.class, class, "{line}: {verdict:?}");
        assert!(verdict.happened.contains(words), "{line}: {verdict:?} lacks {words}");
        assert!(!verdict.next.is_empty() && !verdict.reason().contains('\n'));
    }
}

#[test]
fn a_server_that_wants_tls_first_is_not_said_to_want_a_sign_in() {
    for (stage, line) in [
        (Stage::Mail, "530 5.7.0 Must issue a STARTTLS command first"),
        (Stage::Auth, "530 Must issue a STARTTLS command first."),
        (Stage::Mail, "451 5.7.3 STARTTLS is required to send mail"),
        (Stage::Auth, "538 5.7.11 Encryption required for requested authentication mechanism"),
    ] {
        let verdict = of(stage, line);
        assert_eq!((verdict.class, verdict.next), (Class::Worker, "set `smtp.tls` = \"starttls\""), "{line}");
    }
}

#[test]
fn access_denied_is_what_relays_say_of_a_recipient() {
    let iam = "554 Access denied: User arn:aws:iam::1:user/x is not authorized to perform ses:SendRawEmail";
    let table = [
        (
            Stage::Rcpt,
            "554 5.7.1 <robin@example.com>: Recipient address rejected: Access denied",
            Class::Recipient,
            "refused the recipient",
        ),
        (
            Stage::Rcpt,
            "550 5.4.1 Recipient address rejected: Access denied. [x.prod.outlook.com]",
            Class::Recipient,
            "refused the recipient",
        ),
        (
            Stage::Rcpt,
            "450 4.7.1 <robin@example.com>: Recipient address rejected: Access denied",
            TRANSIENT,
            "put it off",
        ),
        (Stage::Rcpt, "554 Access denied for ses:SendRawEmail", Class::Account, "IAM user"),
        (Stage::Rcpt, iam, Class::Account, "IAM user"),
        (Stage::Mail, iam, Class::Account, "IAM user"),
        (Stage::EndOfData, "554 Access denied", Class::Account, "IAM user"),
    ];
    for (stage, line, class, words) in table {
        let verdict = of(stage, line);
        assert_eq!(verdict.class, class, "{stage}: {line}: {verdict:?}");
        assert!(verdict.happened.contains(words), "{line}: {verdict:?} lacks {words}");
    }
}

#[test]
fn a_sender_may_be_refused_when_the_recipient_is_named() {
    let table = [
        ("553 5.7.1 <no-reply@example.org>: Sender address rejected: not owned by user x", Class::Account),
        ("550 5.1.8 <No-Reply@Example.org>: Sender address rejected: Domain not found", Class::Account),
        ("550 5.7.1 Sender address is not allowed", Class::Account),
        ("550 5.7.1 no-reply@example.org: may not send.", Class::Account),
        ("550 mail from no-reply@example.org to Robin@example.com refused", Class::Recipient),
        ("550 5.1.1 <robin@example.com>: Recipient address rejected: undeliverable", Class::Recipient),
        ("550 <robin@example.com>: Recipient address rejected: sender address is not welcome", Class::Recipient),
        ("550 5.1.1 <my-no-reply@example.org> is unknown", Class::Recipient),
        ("450 4.1.8 <no-reply@example.org>: Sender address rejected: Domain not found", TRANSIENT),
    ];
    for (line, class) in table {
        let verdict = of(Stage::Rcpt, line);
        assert_eq!(verdict.class, class, "{line}: {verdict:?}");
        let says_sender = verdict.happened.contains("the sender no-reply@example.org");
        assert_eq!(says_sender, class == Class::Account, "{verdict:?}");
    }

    // Who mails themselves is named in both roles.
    let myself = EmailAddress::parse("no-reply@example.org").unwrap();
    let refused = |text: &str| {
        let failure = Failure { stage: Stage::Rcpt, cause: Cause::Reply(Reply::new(550, text)) };
        judge(&failure, &myself, &myself).class
    };
    assert_eq!(refused("<no-reply@example.org>: no such user"), Class::Recipient);
    assert_eq!(refused("<no-reply@example.org>: Sender address rejected"), Class::Account);
}

#[test]
fn an_unverified_sender_is_not_an_unverified_recipient() {
    let start =
        "554 Message rejected: Email address is not verified. The following identities failed the check in region";
    let table = [
        ("AP-NORTHEAST-2: robin@example.com", Class::Sandbox),
        ("AP-NORTHEAST-2: Robin <Robin@Example.com>.", Class::Sandbox),
        ("AP-NORTHEAST-2: no-reply@example.org", Class::Account),
        ("AP-NORTHEAST-2: Example <no-reply@example.org>, robin@example.com", Class::Account),
        ("US-EAST-1: arn:aws:ses:us-east-1:1:identity/example.org", Class::Account),
        ("US-EAST-1: arn:aws:ses:us-east-1:1:identity/robin@example.com", Class::Sandbox),
        // Someone else's identity, such as a return path: no other mail would pass either.
        ("US-EAST-1: bounces@example.net, robin@example.com", Class::Account),
    ];
    for (list, class) in table {
        let verdict = of(Stage::EndOfData, &format!("{start} {list}"));
        assert_eq!(verdict.class, class, "{list}: {verdict:?}");
        let words = if class == Class::Sandbox { "sandbox" } else { "the sender no-reply@example.org" };
        assert!(verdict.happened.contains(words), "{verdict:?}");
    }
    // Without a list nothing may be given up for good.
    assert_eq!(of(Stage::EndOfData, "554 Email address is not verified.").class, Class::Account);

    let myself = EmailAddress::parse("no-reply@example.org").unwrap();
    let text =
        "Email address is not verified. The following identities failed the check in region X: no-reply@example.org";
    let failure = Failure { stage: Stage::EndOfData, cause: Cause::Reply(Reply::new(554, text)) };
    assert_eq!(judge(&failure, &myself, &myself).class, Class::Account);
}

#[test]
fn failures_without_an_answer() {
    let (sender, recipient) = addresses();
    let network = || Cause::Network("connection reset".into());
    let table = [
        (Stage::Connect, network(), UNREACHABLE),
        (Stage::Data, Cause::TimedOut(Duration::from_secs(20)), TRANSIENT),
        (Stage::EndOfData, network(), Class::Unknown),
        (Stage::EndOfData, Cause::TimedOut(Duration::from_mins(1)), Class::Unknown),
        (Stage::EndOfData, Cause::Reply(Reply::new(354, "go ahead")), Class::Unknown),
        (Stage::StartTls, Cause::Certificate("UnknownIssuer".into()), Class::Worker),
        (Stage::StartTls, Cause::NoStartTls, Class::Worker),
        (Stage::Auth, Cause::NoAuth, Class::Worker),
        (Stage::EndOfData, Cause::File("/mail: no space left".into()), Class::Worker),
    ];
    for (stage, cause, class) in table {
        let verdict = judge(&Failure { stage, cause }, &sender, &recipient);
        assert_eq!(verdict.class, class, "{verdict:?}");
    }
}

#[test]
fn hostile_replies_stay_harmless() {
    let hostile = format!("550 \u{1b}]0;x\u{7}\u{202e}<script>\r\nBcc: {}", "x".repeat(10_000));
    for stage in [Stage::Greeting, Stage::Mail, Stage::Rcpt, Stage::EndOfData] {
        let reason = of(stage, &hostile).reason();
        assert!(!reason.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r', '\n']) && reason.chars().count() < 1_300);
    }
}
