//! Acts at AWS: asked for by those who hold no keys, done by one worker, one call a second.

use verifydesk::desk::{Desk, Error, Refusal};
use verifydesk::domain::account::act::{AccountAct, ActKind, ActState, Came, Listing};
use verifydesk::domain::account::identity_name::IdentityName;
use verifydesk::domain::address::EmailAddress;
use verifydesk::domain::audit::{Actor, Origin};
use verifydesk::domain::id::AccountActId;
use verifydesk::domain::send::SendState;
use verifydesk::outbox::worker::Mode;
use verifydesk::store::account_acts::ListChange;
use verifydesk::text::Untrusted;

use super::*;
use crate::support::ses_api::Read;

const MINA: &str = "mina@example.com";
const WHY: &str = "the user called";

/// What SES says to each call; `its_answers_are_ses_s_as_botocore_reads_them` checks that.
pub(super) fn answers() -> Vec<(&'static str, Value)> {
    vec![
        (
            "GET /v2/email/suppression/addresses/mina%40example.com",
            json!({ "SuppressedDestination": {
                "EmailAddress": MINA,
                "Reason": "BOUNCE",
                "LastUpdateTime": 1_795_000_000,
                "Attributes": { "MessageId": "0107-old", "FeedbackId": "f" },
            } }),
        ),
        ("DELETE /v2/email/suppression/addresses/mina%40example.com", json!({})),
        ("PUT /v2/email/suppression/addresses HTTP", json!({})),
        (
            "POST /v2/email/identities HTTP",
            json!({
                "IdentityType": "DOMAIN",
                "VerifiedForSendingStatus": false,
                "DkimAttributes": {
                    "SigningEnabled": true,
                    "Status": "NOT_STARTED",
                    "Tokens": ["ddd", "eee", "fff"],
                    "SigningHostedZone": "dkim.amazonses.com",
                    "SigningAttributesOrigin": "AWS_SES",
                    "NextSigningKeyLength": "RSA_2048_BIT",
                    "CurrentSigningKeyLength": "RSA_2048_BIT",
                },
            }),
        ),
        (
            "GET /v2/email/suppression/addresses?",
            json!({
                "SuppressedDestinationSummaries": [
                    { "EmailAddress": MINA, "Reason": "BOUNCE", "LastUpdateTime": 1_795_000_000 },
                ],
                "NextToken": "two",
            }),
        ),
    ]
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

pub(super) fn jun() -> Actor {
    Actor::new("jun@bastion", Origin::Console)
}

/// A console's: no keys of AWS's.
pub(super) fn without_keys(world: &World) -> Desk {
    let mut settings = Settings { database_url: world.settings.database_url.clone(), ..Settings::default() };
    settings.verification = world.settings.verification.clone();
    Desk::open(&settings).unwrap()
}

async fn remove(world: &World, email: &str, again: Option<VerificationId>) -> AccountActId {
    let change = ListChange::Remove(again);
    without_keys(world).change_suppression_list(&jun(), &address(email), change, WHY).await.unwrap()
}

/// Does what is due, at once.
pub(super) async fn work(world: &World) {
    world
        .execute(
            "insert into ses_account (one, asked_at) values (true, now()) on conflict (one) do update set asked_at = now();
            update ses_account set called_at = '-infinity', calling_until = null;
            update account_acts set due_at = now() where state = 'waiting'",
        )
        .await;
    ask_once(&world.settings).await;
}

pub(super) async fn act(world: &World, id: AccountActId) -> AccountAct {
    world.store().account_act(id).await.unwrap().unwrap()
}

/// The calls that were acts.
fn calls(api: &SesApi) -> Vec<String> {
    let about = |request: &Request| request.line.contains("/suppression/");
    api.requests().into_iter().filter(about).map(|request| request.line).collect()
}

async fn audit(world: &World) -> Vec<String> {
    sqlx::query_scalar(
        "select concat_ws(' ', actor, origin, action, outcome, user_id, reason, after - 'act')
        from audit_log
        where action like '%suppression' or action = 'resend'
        order by id",
    )
    .fetch_all(world.pool())
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_workers_together_do_each_act_once_and_call_once_a_second() {
    let api = SesApi::start().await;
    let mut known = answers();
    known.push((ACCOUNT, account(14.0, 50_000.0)));
    api.answers(Answer::Knows(known));
    let world = World::with_ses_api(&api.endpoint()).await;
    world.sign_up("Mina@example.com").await;
    let desk = without_keys(&world);
    let look_up = desk.look_up_suppression(&jun(), &address("Mina@Example.com")).await.unwrap();
    // One that waits is as good.
    assert_eq!(desk.look_up_suppression(&jun(), &address(MINA)).await.unwrap(), look_up);
    let removal = remove(&world, MINA, None).await;
    let addition = desk
        .change_suppression_list(&jun(), &address("x@example.com"), ListChange::Add(Listing::Complaint), WHY)
        .await
        .unwrap();
    let gone = remove(&world, "gone@example.com", None).await;
    let shutdown = CancellationToken::new();
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let store = Store::open(&world.settings).unwrap();
            let poller = AccountPoller::from_settings(&store, &world.settings).unwrap().unwrap();
            let ending = shutdown.clone();
            tokio::spawn(async move { Box::pin(poller.run(Until::Ended, &ending)).await })
        })
        .collect();
    let waiting = "select count(*) from account_acts where state = 'waiting'";
    world.until(async || world.number(waiting).await == 0).await;
    shutdown.cancel();
    for worker in workers {
        worker.await.unwrap();
    }
    let requests = api.requests();
    let gaps: Vec<Duration> = requests.windows(2).map(|two: &[Request]| two[1].at - two[0].at).collect();
    assert!(gaps.iter().all(|gap| *gap >= Duration::from_secs(1)), "{gaps:?}");
    let acts: Vec<&Request> = requests.iter().filter(|asked| asked.line.contains("/suppression/")).collect();
    let acts: Vec<&Request> = acts.into_iter().filter(|asked| !asked.line.contains('?')).collect();
    let lines: Vec<&str> = acts.iter().map(|asked| asked.line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "GET /v2/email/suppression/addresses/mina%40example.com HTTP/1.1",
            "DELETE /v2/email/suppression/addresses/mina%40example.com HTTP/1.1",
            "PUT /v2/email/suppression/addresses HTTP/1.1",
            "DELETE /v2/email/suppression/addresses/gone%40example.com HTTP/1.1",
        ]
    );
    assert_eq!(acts[2].body, json!({ "EmailAddress": "x@example.com", "Reason": "COMPLAINT" }));
    for (id, came) in [(look_up, Came::Listed), (removal, Came::Done), (addition, Came::Done), (gone, Came::NotListed)]
    {
        let act = act(&world, id).await;
        assert_eq!((act.state, act.came, act.attempts), (ActState::Done, Some(came), 1), "{act:?}");
    }
    assert_eq!(
        audit(&world).await,
        [
            "jun@bastion console remove_suppression asked 1 the user called {}",
            r#"jun@bastion console add_suppression asked the user called {"listed_as": "COMPLAINT"}"#,
            "jun@bastion console remove_suppression asked the user called {}",
            "jun@bastion console remove_suppression done 1 the user called {}",
            r#"jun@bastion console add_suppression done the user called {"listed_as": "COMPLAINT"}"#,
            "jun@bastion console remove_suppression not_listed the user called {}",
        ]
    );
}

/// What the desk knew of the address goes with its place on the list, and the mail is queued though no console is left.
#[tokio::test(flavor = "multi_thread")]
async fn taken_off_and_mailed_again_as_one_act() {
    let api = SesApi::start().await;
    api.answers(Answer::Knows(answers()));
    let mut world = World::with_ses_api(&api.endpoint()).await;
    world.settings.verification.cool_down = Duration::ZERO;
    let id = world.sign_up(MINA).await;
    world.execute("update sends set state = 'bounced'").await;
    world.store().note_suppression(MINA, Some(("BOUNCE", None, None))).await.unwrap();
    let blocked = without_keys(&world).resend(&jun(), id, verifydesk::domain::send::Priority::Person, None).await;
    assert!(matches!(blocked, Err(Error::Refused(Refusal::Blocked { .. }))), "{blocked:?}");
    let removal = remove(&world, MINA, Some(id)).await;
    assert_eq!(world.sends().await.len(), 1, "AWS comes first");
    work(&world).await;
    assert_eq!(calls(&api), ["DELETE /v2/email/suppression/addresses/mina%40example.com HTTP/1.1"]);
    let sends = world.sends().await;
    assert_eq!((sends.len(), sends[0].state), (2, SendState::Queued));
    let done = act(&world, removal).await;
    assert_eq!((done.came, done.send_id), (Some(Came::Done), Some(sends[0].id)));
    assert_eq!(done.in_words(), "taken off SES's suppression list; the link is mailed again");
    let marked = "select count(*) from address_states where suppressed_at is not null";
    assert_eq!(world.number(marked).await, 0);
    assert_eq!(world.detail(id).await.suppression.unwrap().reason, None);
    let entries = audit(&world).await;
    assert_eq!(
        entries[1..],
        [
            "jun@bastion console resend same_link 1 the user called",
            "jun@bastion console remove_suppression done 1 the user called {}",
        ]
    );

    // The rule of every resend, asked again when the address is off the list.
    world.execute("update sends set state = 'bounced'").await;
    let late = remove(&world, MINA, Some(id)).await;
    world.execute("update users set verified_at = now(); update verifications set verified_at = now()").await;
    work(&world).await;
    let late = act(&world, late).await;
    assert_eq!(late.in_words(), "taken off SES's suppression list; not mailed again: this user is verified already");
    assert_eq!(world.sends().await.len(), 2);
    // What forbids it beforehand forbids the whole.
    let desk = without_keys(&world);
    let verified = desk.change_suppression_list(&jun(), &address(MINA), ListChange::Remove(Some(id)), WHY).await;
    assert!(matches!(verified, Err(Error::Refused(Refusal::AlreadyVerified))), "{verified:?}");
    let other = world.sign_up("jun@example.com").await;
    world.execute("update sends set queued_at = now() - interval '1 hour', state = 'accepted'").await;
    let theirs = desk.change_suppression_list(&jun(), &address(MINA), ListChange::Remove(Some(other)), WHY).await;
    assert!(matches!(theirs, Err(Error::Refused(Refusal::NotTheirs))), "{theirs:?}");
    for reason in ["", "xxx"] {
        let none = desk.change_suppression_list(&jun(), &address(MINA), ListChange::Remove(None), reason).await;
        assert!(matches!(none, Err(Error::Refused(Refusal::ReasonMissing { .. }))), "{none:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_right_and_a_refusal_end_it_and_are_named() {
    let api = SesApi::start().await;
    let world = World::with_ses_api(&api.endpoint()).await;
    world.sign_up(MINA).await;
    let desk = without_keys(&world);
    let add = ListChange::Add(Listing::Bounce);
    let refused = ("AccessDeniedException", "mina@example.com is not for you");
    api.answers(Answer::Refuses(403, refused.0, refused.1));
    for kind in [ActKind::LookUp, ActKind::Remove, ActKind::Add, ActKind::AddIdentity] {
        let id = match kind {
            ActKind::LookUp => desk.look_up_suppression(&jun(), &address(MINA)).await.unwrap(),
            ActKind::Remove => remove(&world, MINA, None).await,
            ActKind::Add => desk.change_suppression_list(&jun(), &address(MINA), add, WHY).await.unwrap(),
            ActKind::AddIdentity => {
                desk.add_identity(&jun(), &IdentityName::parse(MINA).unwrap(), Some(WHY)).await.unwrap()
            }
        };
        work(&world).await;
        let act = act(&world, id).await;
        assert_eq!(
            (act.state, act.permission.as_ref().map(Untrusted::raw)),
            (ActState::Failed, Some(kind.permission()))
        );
        assert!(act.in_words().starts_with(&format!("not allowed: {}", kind.permission())), "{}", act.in_words());
    }
    api.answers(Answer::Refuses(400, "BadRequestException", "sandbox"));
    let id = desk.change_suppression_list(&jun(), &address(MINA), add, WHY).await.unwrap();
    work(&world).await;
    assert_eq!(act(&world, id).await.in_words(), "failed: 400 BadRequestException sandbox");
    api.requests();
    work(&world).await;
    assert_eq!(calls(&api), [""; 0], "none is tried for ever");
    let entries = audit(&world).await;
    let last = entries.last().unwrap();
    assert!(
        last.ends_with(
            r#"add_suppression failed 1 the user called {"error": "400 BadRequestException", "listed_as": "BOUNCE"}"#
        ),
        "{last}"
    );
    assert!(entries.iter().any(|entry| entry.contains(r#""missing_right": "ses:DeleteSuppressedDestination""#)));
    assert!(!entries.join("").contains("is not for you"), "what may name them is not in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_aws_is_away_it_waits_longer_and_longer_and_is_given_up_in_the_end() {
    let api = SesApi::start().await;
    let world = World::with_ses_api(&api.endpoint()).await;
    let first = remove(&world, MINA, None).await;
    let desk = without_keys(&world);
    let second =
        desk.change_suppression_list(&jun(), &address(MINA), ListChange::Add(Listing::Bounce), WHY).await.unwrap();
    let due = "select extract(epoch from due_at - now())::bigint from account_acts order by id limit 1";
    let table = [
        (Answer::Closes(Read::All), 3..=8),
        (Answer::Refuses(500, "InternalFailure", "later"), 11..=19),
        (Answer::Refuses(429, "TooManyRequestsException", "slowly"), 35..=55),
        (Answer::Refuses(403, "SignatureDoesNotMatch", "Check your AWS Secret Access Key"), 107..=163),
        (Answer::Says("HTTP/1.1 503 x\r\ncontent-length: 0\r\n\r\n"), 235..=361),
        (Answer::Says("HTTP/1.1 503 x\r\ncontent-length: 0\r\n\r\n"), 235..=361),
    ];
    for (answer, waits) in table {
        api.answers(answer.clone());
        work(&world).await;
        let waiting = act(&world, first).await;
        assert!(waiting.state == ActState::Waiting && waiting.error.is_some(), "{answer:?}: {waiting:?}");
        let due = world.number(due).await;
        assert!(waits.contains(&due), "{answer:?}: {due} s");
    }
    // What is asked later about the same address does not overtake it.
    assert!(calls(&api).iter().all(|line| line.starts_with("DELETE ")));
    assert_eq!(act(&world, second).await.attempts, 0);
    world.execute("update account_acts set asked_at = now() - interval '25 hours', due_at = now()").await;
    assert!(world.store().claim_account_act(10.0).await.unwrap().is_none());
    assert!(world.store().keep_account_acts().await.unwrap());
    let words = [act(&world, first).await.in_words(), act(&world, second).await.in_words()];
    assert_eq!(words, ["failed: 503", "failed: no worker that has AWS's keys has done it in time"]);
    let given_up = "select count(*) from audit_log where outcome = 'failed' and after ->> 'error' = 'not done in time'";
    assert_eq!(world.number(given_up).await, 2);
    world.execute("update account_acts set ended_at = now() - interval '91 days'").await;
    assert!(!world.store().keep_account_acts().await.unwrap());
    assert_eq!(world.number("select count(*) from account_acts").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_worker_was_killed_is_done_by_another_and_its_late_result_counts_for_nothing() {
    let api = SesApi::start().await;
    let world = World::with_ses_api(&api.endpoint()).await;
    let id = remove(&world, MINA, None).await;
    api.answers(Answer::Hangs(Read::All));
    let (store, settings) = (Store::open(&world.settings).unwrap(), world.settings.clone());
    let killed = tokio::spawn(async move {
        let poller = AccountPoller::from_settings(&store, &settings).unwrap().unwrap();
        Box::pin(poller.run(Until::Empty, &CancellationToken::new())).await;
    });
    let claimed = "select count(*) from account_acts where attempts = 1";
    let deadline = Instant::now() + PATIENCE;
    while world.number(claimed).await == 0 {
        assert!(Instant::now() < deadline, "it was not claimed");
        tokio::task::yield_now().await;
    }
    killed.abort();
    assert!(killed.await.unwrap_err().is_cancelled());
    // It is that worker's until its time is over.
    assert!(world.store().claim_account_act(10.0).await.unwrap().is_none());
    let of_killed = act(&world, id).await;
    api.answers(Answer::Knows(answers()));
    work(&world).await;
    let done = act(&world, id).await;
    assert_eq!((done.state, done.attempts, done.came), (ActState::Done, 2, Some(Came::Done)));
    let late = verifydesk::desk::SesAnswer::Removed { was_listed: false };
    assert!(!world.desk.end_account_act(&of_killed, &late).await.unwrap());
    assert!(!world.desk.fail_account_act(&of_killed, "late", None, "late").await.unwrap());
    assert_eq!(act(&world, id).await, done);
    assert_eq!(world.number("select count(*) from audit_log where outcome = 'done'").await, 1);
}

/// Who is being deleted is left alone; who is erased is forgotten here as well.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_about_someone_goes_with_them() {
    let api = SesApi::start().await;
    api.answers(Answer::Knows(answers()));
    let world = World::with_ses_api(&api.endpoint()).await;
    world.sign_up(MINA).await;
    remove(&world, MINA, None).await;
    world.execute("update users set delete_after = now() + interval '10 seconds'").await;
    work(&world).await;
    assert_eq!(calls(&api), [""; 0]);
    let desk = without_keys(&world);
    let leaving = desk.change_suppression_list(&jun(), &address(MINA), ListChange::Remove(None), WHY).await;
    assert!(leaving.is_ok(), "an act about the address, which the log does not tie to them: {leaving:?}");
    world.execute("delete from users").await;
    assert_eq!(world.number("select count(*) from account_acts").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_hears_of_it_and_too_many_are_refused() {
    let world = World::new().await;
    let worker = world.worker();
    let heard = worker.acts();
    let running = crate::support::world::AtWork::new(worker, Mode::Forever);
    let desk = without_keys(&world);
    // Until it listens.
    let mut tries = 0;
    while tokio::time::timeout(Duration::from_millis(200), heard.notified()).await.is_err() {
        tries += 1;
        assert!(tries < 100, "it never heard of one");
        desk.look_up_suppression(&jun(), &address(&format!("u{tries}@example.com"))).await.unwrap();
    }
    running.end().await;
    world
        .execute(
            "insert into account_acts (kind, address, actor, origin)
            select 'look_up', n || '@example.com', 'x', 'cli' from generate_series(1, 1000) n",
        )
        .await;
    let full = desk.look_up_suppression(&jun(), &address("one.more@example.com")).await;
    assert!(matches!(full, Err(Error::Refused(Refusal::ActsFull))), "{full:?}");
    let full = desk.change_suppression_list(&jun(), &address(MINA), ListChange::Remove(None), WHY).await;
    assert!(matches!(full, Err(Error::Refused(Refusal::ActsFull))), "{full:?}");
}
