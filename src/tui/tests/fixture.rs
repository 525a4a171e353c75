//! A small world behind the console: rows, mails, a worker; and answers to whatever the console asks for.

use std::sync::Arc;

use chrono::Duration;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use uuid::Uuid;

use super::findings::report;
use super::picture::{drawn, text};
use crate::config::Settings;
use crate::desk::test_send::{Recipient, Recorded, TestSent};
use crate::desk::{Resent, ResentHow, SignUpStatus, SignedUp};
use crate::domain::Time;
use crate::domain::address::EmailAddress;
use crate::domain::audit::AuditEntry;
use crate::domain::change::Change;
use crate::domain::filter::Filter;
use crate::domain::id::{JobId, SendId, UserId, VerificationId};
use crate::domain::job::{JobPlan, JobRow, JobScope, JobState, Skipped};
use crate::domain::locale::Locale;
use crate::domain::pace::PaceView;
use crate::domain::page::{Cursor, Page, Position};
use crate::domain::send::{LastSend, SendEvent, SendRow, SendState};
use crate::domain::user::User;
use crate::domain::verification::{Counts, Status, Verification, VerificationDetail, VerificationRow};
use crate::domain::worker::{OutboxView, WorkerRow};
use crate::mail::templates::Templates;
use crate::preview::check::Report;
use crate::preview::page::PageAddress;
use crate::preview::proof;
use crate::text::Untrusted;
use crate::tui::effect::{Act, Acted, Answer, Bench, Benched, JobStarted, Load, Loaded, PAGE_ROWS, Problem};
use crate::tui::model::Setup;
use crate::tui::screen::deadline;
use crate::tui::when::Zone;

use crate::tui::{ColourDepth, Effect, Model, Msg, Theme, update};

/// The time of every fixture: in the middle of a minute.
pub fn now() -> Time {
    "2026-07-01T05:30:20Z".parse().unwrap()
}

pub fn ago(seconds: i64) -> Time {
    now() - Duration::seconds(seconds)
}

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// The console and what it has asked for.
pub struct Console {
    pub model: Model,
    pub asked: Vec<Effect>,
}

impl Console {
    /// Started; nothing has answered yet.
    pub fn new(width: u16, height: u16) -> Self {
        let setup = Setup {
            site: "Haru Books".into(),
            operator: "mina@bastion".into(),
            zone: Zone::Local(chrono::FixedOffset::east_opt(9 * 3_600).unwrap()),
            sends: None,
            tests: vec!["dev@books.example".into(), "@example.org".into()],
            only_templates: false,
        };
        let mut console = Self { model: Model::new(setup, now(), width, height), asked: Vec::new() };
        console.send(Msg::Clock(now()));
        console.send(Msg::Start);
        console
    }

    /// Started, and everything has answered.
    pub fn loaded(width: u16, height: u16) -> (Self, World) {
        let (mut console, world) = (Self::new(width, height), World::default());
        console.serve(&world);
        (console, world)
    }

    pub fn send(&mut self, msg: Msg) {
        let effects = update(&mut self.model, msg);
        self.asked.extend(effects);
    }

    /// Presses keys, written as in "j j Enter ctrl-c".
    pub fn press(&mut self, keys: &str) {
        for key in keys.split(' ').filter(|key| !key.is_empty()) {
            self.send(Msg::Key(key_of(key)));
        }
    }

    pub fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            self.send(Msg::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)));
        }
    }

    /// Presses keys and answers what each asked for.
    pub fn run(&mut self, world: &World, keys: &str) {
        for key in keys.split(' ') {
            self.press(key);
            self.serve(world);
        }
    }

    /// What was asked for since the last look.
    pub fn take_asked(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.asked)
    }

    /// Answers until nothing is asked for any more.
    pub fn serve(&mut self, world: &World) {
        for _ in 0..100 {
            let asked = self.take_asked();
            if asked.is_empty() {
                return;
            }
            for effect in asked {
                let is_act = matches!(effect, Effect::Act(_));
                if let Some(mut msg) = world.answer(effect) {
                    // The database's clock goes on with this one.
                    if let Msg::Loaded(Loaded::Outbox(Ok(outbox))) = &mut msg {
                        outbox.as_of = self.model.now;
                    }
                    self.send(msg);
                }
                if is_act {
                    self.send(Msg::Changed(vec![Change::Many, Change::Outbox]));
                }
            }
        }
        panic!("the console never stops asking");
    }

    pub fn next_deadline(&self) -> Option<Time> {
        deadline::next(&self.model)
    }

    /// What is on the screen, in colour and Unicode.
    pub fn screen(&self) -> String {
        text(&drawn(&self.model, &Theme::new(ColourDepth::Sixteen, true)))
    }

    pub fn selected(&self) -> i64 {
        self.model.verifications.selected().map_or(0, |row| row.verification.id.0)
    }
}

pub fn key_of(name: &str) -> KeyEvent {
    let (code, modifiers) = match name {
        "Enter" => (KeyCode::Enter, KeyModifiers::NONE),
        "Esc" => (KeyCode::Esc, KeyModifiers::NONE),
        "Tab" => (KeyCode::Tab, KeyModifiers::NONE),
        "Shift-Tab" => (KeyCode::BackTab, KeyModifiers::SHIFT),
        "Up" => (KeyCode::Up, KeyModifiers::NONE),
        "Down" => (KeyCode::Down, KeyModifiers::NONE),
        "Left" => (KeyCode::Left, KeyModifiers::NONE),
        "Right" => (KeyCode::Right, KeyModifiers::NONE),
        "PgUp" => (KeyCode::PageUp, KeyModifiers::NONE),
        "PgDn" => (KeyCode::PageDown, KeyModifiers::NONE),
        "Home" => (KeyCode::Home, KeyModifiers::NONE),
        "End" => (KeyCode::End, KeyModifiers::NONE),
        "Backspace" => (KeyCode::Backspace, KeyModifiers::NONE),
        "Space" => (KeyCode::Char(' '), KeyModifiers::NONE),
        _ => match name.strip_prefix("ctrl-") {
            Some(c) => (KeyCode::Char(c.chars().next().unwrap()), KeyModifiers::CONTROL),
            None => (KeyCode::Char(name.chars().next().unwrap()), KeyModifiers::NONE),
        },
    };
    KeyEvent::new(code, modifiers)
}

pub struct World {
    pub rows: Vec<VerificationRow>,
    pub sends: Vec<SendRow>,
    pub outbox: OutboxView,
    pub plan: Answer<ResentHow>,
    pub job_plan: Answer<JobPlan>,
    pub settings: Settings,
    pub report: Arc<Report>,
}

fn user(id: i64, email: &str, name: &str, created: Time) -> User {
    let locale = if name.is_ascii() { Locale::En } else { Locale::Ko };
    User { id: UserId(id), email: email.into(), name: name.into(), locale, created_at: created, verified_at: None }
}

pub fn send_id(n: u128) -> SendId {
    SendId(Uuid::from_u128(0x0197_c3a0_0000_7000_8000_0000_0000_0000 + n))
}

/// A row of a status, with its last mail.
pub fn row(id: i64, email: &str, name: &str, status: Status, state: Option<(SendState, Time)>) -> VerificationRow {
    let created_at = match status {
        Status::Expired => ago(4 * DAY + (50_000 - id) * 660),
        Status::Revoked => ago(9 * DAY + (50_000 - id) * 660),
        _ => ago((50_000 - id) * 660 + 40),
    };
    let mut user = user(id - 30_000, email, name, created_at);
    let verified_at = (status == Status::Verified).then(|| created_at + Duration::seconds(340));
    user.verified_at = verified_at;
    let mailed = state.is_some_and(|(state, _)| !state.is_open());
    let verification = Verification {
        id: VerificationId(id),
        user_id: user.id,
        created_at,
        expires_at: created_at + Duration::seconds(3 * DAY),
        verified_at,
        revoked_at: (status == Status::Revoked).then(|| created_at + Duration::seconds(DAY)),
        opened_at: verified_at,
        key_fingerprint: mailed.then(|| format!("{:08x}", id * 2_654_435 % 0xffff_ffff)),
    };
    let last_send =
        state.map(|(state, changed_at)| LastSend { id: send_id(id.unsigned_abs().into()), state, changed_at });
    VerificationRow { verification, user, last_send }
}

pub fn worker(transport: &str, target: &str, beat_at: Time, secret: &str) -> WorkerRow {
    WorkerRow {
        id: Uuid::from_u128(7),
        host: "mail-1".into(),
        pid: 4_242,
        transport: transport.into(),
        target: target.into(),
        secret_fingerprint: secret.into(),
        secret_previous_fingerprint: None,
        waits_for: None,
        started_at: ago(HOUR),
        beat_at,
        stopped_at: None,
        sent: 812,
        failed: 3,
        rate: 11.8,
        lanes: 12,
        pace_rate: Some(14.0),
        pace_quota: None,
        last_error: None,
    }
}

pub fn job_id(n: u128) -> JobId {
    JobId(Uuid::from_u128(0x0197_c3a0_0000_7000_9000_0000_0000_0000 + n))
}

/// A job for all expired verifications that is under way.
pub fn job(n: u128, state: JobState) -> JobRow {
    let filter = Filter { status: Some(Status::Expired), ..Filter::default() };
    JobRow {
        id: job_id(n),
        created_at: ago(600),
        created_by: "mina@bastion".into(),
        scope: JobScope::Filter(filter),
        cut_off: ago(620),
        starts_at: ago(590),
        state,
        reason: None,
        ended_at: (!state.is_open()).then(|| ago(120)),
        found: Some(10_000),
        looked_at: 4_512,
        queued: 3_130,
        open: 120,
        skipped: Skipped { verified: 1_200, cool_down: 40, waiting: 2, bounced: 140, ..Skipped::default() },
    }
}

/// What a job over so many would do.
pub fn job_plan(mails: i64, found: i64) -> JobPlan {
    let first = [
        "yuna.han@example.kr",
        "noah.taylor@example.com",
        "a.very.long.local.part.that.never.ends@subdomain.example-company.co.kr",
    ];
    JobPlan {
        found,
        mails,
        skipped: Skipped { verified: found - mails, ..Skipped::default() },
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        seconds: mails as f64 / 14.0,
        over_quota: None,
        first: first.into_iter().take(usize::try_from(mails).unwrap_or(0)).map(Untrusted::new).collect(),
        as_of: now(),
    }
}

fn send_of(row: &VerificationRow) -> Option<SendRow> {
    let last = row.last_send.as_ref()?;
    let (reply, reason) = match last.state {
        SendState::Queued | SendState::Sending => (None, None),
        SendState::Failed => (
            Some(
                "554 Message rejected: Email address is not verified. The following identities failed the check in region AP-NORTHEAST-2",
            ),
            Some("Amazon SES refused the sender or, in the sandbox, the recipient"),
        ),
        SendState::Bounced => (Some("250 Ok 010c0197c3a1"), Some("Permanent, General: smtp; 550 5.1.1 user unknown")),
        _ => (Some("250 Ok 010c0197c3a1f2b4-6c1f6a0e-6f1e-4d1c-9c1b-9d1d7e8f9a0b-000000"), None),
    };
    let accepted = reply.is_some() && last.state != SendState::Failed;
    Some(SendRow {
        id: last.id,
        verification_id: Some(row.verification.id),
        user_id: Some(row.user.id),
        recipient: row.user.email.clone(),
        locale: row.user.locale,
        state: last.state,
        queued_at: row.verification.created_at,
        due_at: row.verification.created_at,
        changed_at: last.changed_at,
        attempts: i16::from(!matches!(last.state, SendState::Queued)),
        lost: 0,
        retry_at: None,
        ses_id: accepted.then(|| Untrusted::new("010c0197c3a1f2b4-6c1f6a0e-6f1e-4d1c-9c1b-9d1d7e8f9a0b-000000")),
        reply: reply.map(Untrusted::new),
        reason: reason.map(Untrusted::new),
        test_of: None,
        events: Vec::new(),
    })
}

/// A shop's settings, with the built-in templates.
pub fn settings() -> Settings {
    let mut settings = Settings { public_url: Some("https://books.example".into()), ..Settings::default() };
    settings.site.name = "Haru Books".into();
    settings.site.url = Some("https://books.example".into());
    settings.mail.from = Some("Haru Books <no-reply@books.example>".into());
    settings
}

impl Default for World {
    fn default() -> Self {
        use SendState::{Accepted, Bounced, Complained, Delayed, Delivered, Failed, Queued, Sending};
        use Status::{Expired, Pending, Revoked, Verified};
        let named = [
            ("minji.kim@example.com", "김민지", Pending, Some((Queued, ago(20)))),
            ("seojun.park@example.kr", "박서준", Pending, Some((Sending, ago(3)))),
            ("olivia.brown@example.org", "Olivia Brown", Pending, Some((Accepted, ago(95)))),
            ("jiwoo.lee@mail.example.co.kr", "이지우", Pending, Some((Delivered, ago(300)))),
            ("ethan.wright@example.net", "Ethan Wright", Pending, Some((Bounced, ago(2 * HOUR)))),
            ("haeun.choi@example.com", "최하은", Pending, Some((Delayed, ago(3 * HOUR)))),
            (
                "a.very.long.local.part.that.never.ends@subdomain.example-company.co.kr",
                "Maximiliana Featherstonehaugh-Cholmondeley",
                Pending,
                Some((Delivered, ago(5 * HOUR))),
            ),
            ("evil@example.com", "\u{202e}gpj\x1b[31m\x1b]0;pwn\x07\r\nBcc: x", Pending, Some((Failed, ago(6 * HOUR)))),
            ("doyun.jung@example.kr", "정도윤", Pending, Some((Delivered, ago(7 * HOUR)))),
            ("noname@example.com", "", Pending, Some((Complained, ago(8 * HOUR)))),
            ("emma.jones@example.org", "Emma Jones", Pending, None),
            ("sora.kang@example.com", "강소라", Verified, Some((Delivered, ago(9 * HOUR)))),
            ("liam.smith@example.net", "Liam Smith", Verified, Some((Delivered, ago(20 * HOUR)))),
            ("yuna.han@example.kr", "한유나", Expired, Some((Delivered, ago(4 * DAY)))),
            ("noah.taylor@example.com", "Noah Taylor", Expired, Some((Bounced, ago(5 * DAY)))),
            ("eunji.seo@example.com", "서은지", Revoked, Some((Delivered, ago(9 * DAY)))),
        ];
        let rows: Vec<_> = named
            .into_iter()
            .zip((1..=50_000).rev())
            .map(|((email, name, status, state), id)| row(id - 7, email, name, status, state))
            .collect();
        let sends = rows.iter().filter_map(send_of).collect();
        let outbox = OutboxView {
            as_of: now(),
            queued: 1,
            sending: 1,
            due_since: Some(ago(20)),
            workers: vec![worker("smtp", "email-smtp.ap-northeast-2.amazonaws.com:587", ago(2), "5eb63bbb")],
            pace: PaceView { limit: 14.0, rate: 14.0, ..PaceView::default() },
            ..OutboxView::default()
        };
        Self {
            rows,
            sends,
            outbox,
            plan: Ok(ResentHow::SameLink),
            job_plan: Ok(job_plan(1_204, 1_500)),
            settings: settings(),
            report: Arc::new(report()),
        }
    }
}

impl World {
    fn templates(&self) -> Templates {
        Templates::gather(&self.settings)
    }

    /// Many pending rows more, below the others.
    pub fn with_many(mut self, count: i64) -> Self {
        let many = (0..count).map(|n| {
            let id = 40_000 - n;
            let mut row = row(id, &format!("user{id}@example.com"), "Many", Status::Pending, None);
            row.verification.expires_at = now() + Duration::seconds(HOUR) - Duration::milliseconds(n);
            row
        });
        self.rows.extend(many);
        self
    }

    pub fn counts(&self) -> Counts {
        let of = |status| {
            let count = self.rows.iter().filter(|row| row.verification.status(now()) == status).count();
            i64::try_from(count).unwrap()
        };
        Counts {
            pending: of(Status::Pending) + 1_193,
            verified: of(Status::Verified) + 88_118,
            expired: of(Status::Expired) + 310,
            revoked: of(Status::Revoked),
        }
    }

    /// A row of the world, to change it.
    pub fn row_mut(&mut self, id: i64) -> &mut VerificationRow {
        self.rows.iter_mut().find(|row| row.verification.id.0 == id).unwrap()
    }

    fn list(&self, filter: &Filter, position: Position) -> Page<VerificationRow> {
        let as_of = match position {
            Position::Newest => now(),
            Position::After(cursor) | Position::Before(cursor) => cursor.as_of,
        };
        let place = |row: &VerificationRow| {
            let cursor = Cursor::of(&row.verification, filter.status, as_of);
            if filter.status.is_none() { (as_of, cursor.id) } else { (cursor.at, cursor.id) }
        };
        let at = |cursor: Cursor| if filter.status.is_none() { (as_of, cursor.id) } else { (cursor.at, cursor.id) };
        let mut rows: Vec<_> = self
            .rows
            .iter()
            .filter(|row| filter.status.is_none_or(|status| row.verification.status(as_of) == status))
            .filter(|row| filter.search.as_ref().is_none_or(|search| row.user.email.raw().contains(search.text())))
            .cloned()
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse(place(row)));
        let limit = usize::try_from(PAGE_ROWS).unwrap();
        let (from, to) = match position {
            Position::Newest => (0, limit.min(rows.len())),
            Position::After(cursor) => {
                let from = rows.iter().position(|row| place(row) < at(cursor)).unwrap_or(rows.len());
                (from, (from + limit).min(rows.len()))
            }
            Position::Before(cursor) => {
                let to = rows.iter().position(|row| place(row) <= at(cursor)).unwrap_or(rows.len());
                (to.saturating_sub(limit), to)
            }
        };
        Page { rows: rows[from..to].to_vec(), as_of, newer: from > 0, older: to < rows.len() }
    }

    fn sends(&self, state: Option<SendState>, search: Option<&str>) -> Page<SendRow> {
        let rows = self.sends.iter().filter(|send| state.is_none_or(|state| send.state == state));
        let rows = rows.filter(|send| search.is_none_or(|text| send.recipient.raw().contains(text)));
        Page { rows: rows.cloned().collect(), as_of: now(), newer: false, older: false }
    }

    pub fn detail(&self, id: VerificationId) -> Option<Box<VerificationDetail>> {
        let row = self.rows.iter().find(|row| row.verification.id == id)?;
        let mut sends: Vec<_> = self.sends.iter().filter(|send| send.verification_id == Some(id)).cloned().collect();
        for send in &mut sends {
            if send.state == SendState::Bounced {
                send.events.push(SendEvent {
                    id: Uuid::from_u128(9),
                    kind: "Bounce".into(),
                    sub_kind: "Permanent/General".into(),
                    occurred_at: send.changed_at,
                    detail: "smtp; 550 5.1.1 <ethan.wright@example.net>: user unknown".into(),
                    until: None,
                });
            }
        }
        let entry = |n: i64, action: &str, outcome: &str, reason: Option<&str>| AuditEntry {
            id: n,
            at: row.verification.created_at + Duration::seconds(n * 60),
            actor: if n == 0 { "site".into() } else { "mina@bastion".into() },
            origin: if n == 0 { "api".into() } else { "console".into() },
            action: action.into(),
            outcome: outcome.into(),
            reason: reason.map(Untrusted::new),
            user_id: Some(row.user.id),
            verification_id: Some(id),
            send_id: None,
        };
        let other = Verification {
            id: VerificationId(id.0 - 9_000),
            created_at: row.verification.created_at - Duration::seconds(5 * DAY),
            revoked_at: Some(row.verification.created_at),
            verified_at: None,
            ..row.verification.clone()
        };
        Some(Box::new(VerificationDetail {
            verification: row.verification.clone(),
            user: row.user.clone(),
            others: vec![other],
            sends,
            audit: vec![
                entry(1, "resend", "cool_down", None),
                entry(0, "sign_up", "done", Some("asked for by the site; the person is on the phone")),
            ],
        }))
    }

    pub fn answer(&self, effect: Effect) -> Option<Msg> {
        let refused = || Problem {
            what: "not an address".into(),
            hint: "write it as name@example.org".into(),
            ..Problem::default()
        };
        Some(match effect {
            Effect::Load(Load::Page { filter, position, generation }) => {
                Msg::Loaded(Loaded::Page { generation, answer: Ok(self.list(&filter, position)) })
            }
            Effect::Load(Load::Rows { ids }) => {
                let rows = self.rows.iter().filter(|row| ids.contains(&row.verification.id)).cloned().collect();
                Msg::Loaded(Loaded::Rows { asked: ids, answer: Ok(rows) })
            }
            Effect::Load(Load::Newer { filter, than, generation }) => {
                let page = self.list(&filter, Position::Before(than));
                Msg::Loaded(Loaded::Newer { generation, answer: Ok(i64::try_from(page.rows.len()).unwrap()) })
            }
            Effect::Load(Load::Counts) => Msg::Loaded(Loaded::Counts(Ok(self.counts()))),
            Effect::Load(Load::Outbox) => Msg::Loaded(Loaded::Outbox(Ok(self.outbox.clone()))),
            Effect::Load(Load::Detail { id }) => Msg::Loaded(Loaded::Detail { id, answer: Ok(self.detail(id)) }),
            Effect::Load(Load::Sends { filter, generation, .. }) => {
                let search = filter.search.as_ref().map(crate::domain::filter::Search::text);
                Msg::Loaded(Loaded::Sends { generation, answer: Ok(self.sends(filter.state, search)) })
            }
            Effect::Bench(Bench::TestSend { request, generation }) => {
                let address = match &request.to {
                    Recipient::Address(address) => address.clone(),
                    Recipient::Simulator(simulator) => simulator.address(),
                };
                let sent = TestSent {
                    id: send_id(77),
                    recipient: EmailAddress::parse(&address).unwrap(),
                    state: SendState::Accepted,
                    words: "250 Ok 010c0197c3a1f2b4-6c1f6a0e".into(),
                    ses_id: None,
                    recorded: Recorded::Yes,
                };
                Msg::Bench(Benched::TestSent { generation, answer: Ok(Box::new(sent)) })
            }
            Effect::Bench(Bench::StartPage) => Msg::Bench(Benched::PageStarted(Ok(PageAddress {
                url: "http://127.0.0.1:40123/dG9rZW4tb2YtYS1wYWdl/".into(),
                ssh: "ssh -N -L 40123:127.0.0.1:40123 bastion".into(),
            }))),
            Effect::Bench(Bench::Check) => Msg::Bench(Benched::Checked(Ok(Arc::clone(&self.report)))),
            Effect::Bench(Bench::List) => Msg::Bench(Benched::Listed(Ok(Box::new(proof::index(&self.templates()))))),
            Effect::Bench(Bench::Prove { order, generation }) => {
                let attempt = proof::render_preview(&self.templates(), &self.settings, &order, now());
                Msg::Bench(Benched::Proved { order, generation, answer: Ok(Box::new(attempt)) })
            }
            Effect::Load(Load::ResendPlan { id }) => Msg::Loaded(Loaded::ResendPlan { id, answer: self.plan.clone() }),
            Effect::Act(Act::Resend { id }) => {
                let done = |how| Resent {
                    user_id: UserId(id.0 - 30_000),
                    verification_id: VerificationId(id.0 + 1),
                    send_id: send_id(78),
                    how,
                };
                Msg::Acted(Acted::Resent { id, answer: self.plan.clone().map(done) })
            }
            Effect::Act(Act::ForceVerify { id, .. }) => Msg::Acted(Acted::ForceVerified { id, answer: Ok(()) }),
            Effect::Act(Act::SignUp(asked)) if !asked.email.contains('@') => {
                Msg::Acted(Acted::SignedUp(Err(refused())))
            }
            Effect::Act(Act::SignUp(asked)) => Msg::Acted(Acted::SignedUp(Ok(SignedUp {
                status: SignUpStatus::Created,
                user_id: UserId(19_990),
                verification_id: Some(VerificationId(49_990)),
                send_id: Some(send_id(79)),
                email: EmailAddress::parse(&asked.email).unwrap(),
            }))),
            Effect::Load(Load::JobPlan { generation, .. }) => {
                Msg::Loaded(Loaded::JobPlan { generation, answer: self.job_plan.clone().map(Box::new) })
            }
            Effect::Act(Act::StartJob { .. }) => {
                Msg::Acted(Acted::JobStarted(Ok(JobStarted { id: job_id(1), starts_in: 10 })))
            }
            Effect::Act(Act::ChangeJob { id, change }) => Msg::Acted(Acted::JobChanged { id, change, answer: Ok(()) }),
            Effect::Act(Act::SetBrake { change, .. }) => Msg::Acted(Acted::BrakeSet { change, answer: Ok(()) }),
            Effect::Bench(Bench::Watch | Bench::StopPage)
            | Effect::Terminal(_)
            | Effect::Load(Load::ForgetJobPlan | Load::Reconnect) => return None,
        })
    }
}
