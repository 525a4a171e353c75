//! A key press on a full 120×40 screen: from the message to the drawn buffer.

use std::hint::black_box;

use chrono::{DateTime, Duration, Utc};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use uuid::Uuid;
use verifydesk::domain::id::{SendId, UserId, VerificationId};
use verifydesk::domain::locale::Locale;
use verifydesk::domain::page::Page;
use verifydesk::domain::send::{LastSend, SendState};
use verifydesk::domain::user::User;
use verifydesk::domain::verification::{Counted, InAll, Verification, VerificationDetail, VerificationRow};
use verifydesk::tui::effect::{Load, Loaded};
use verifydesk::tui::model::Setup;
use verifydesk::tui::{ColourDepth, Effect, Model, Msg, Theme, draw, update};

const AREA: Rect = Rect { x: 0, y: 0, width: 120, height: 40 };

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_782_000_000, 0).unwrap_or_default()
}

fn row(n: i64) -> VerificationRow {
    let created_at = now() - Duration::minutes(n);
    let name = if n % 2 == 0 { "김하늘" } else { "Olivia Brown" };
    let user = User {
        id: UserId(n),
        email: format!("someone.number{n}@example.co.kr").into(),
        name: name.into(),
        locale: Locale::Ko,
        created_at,
        verified_at: None,
        delete_after: None,
    };
    let verification = Verification {
        id: VerificationId(n),
        user_id: user.id,
        created_at,
        expires_at: created_at + Duration::days(3),
        verified_at: None,
        revoked_at: None,
        opened_at: None,
        key_fingerprint: Some("3fa9c1d2".into()),
    };
    let state = SendState::ALL[usize::try_from(n).unwrap_or(0) % SendState::ALL.len()];
    let last_send = Some(LastSend {
        id: SendId(Uuid::from_u128(1)),
        state,
        changed_at: created_at,
        happened_at: created_at,
        in_short: state.as_str(),
    });
    VerificationRow { verification, user, last_send }
}

/// A console whose list and detail are full.
fn console() -> Model {
    let setup = Setup { site: "Bench".into(), operator: "bench".into(), ..Setup::default() };
    let mut model = Model::new(setup, now(), AREA.width, AREA.height);
    let mut asked = update(&mut model, Msg::Start);
    while let Some(effect) = asked.pop() {
        let msg = match effect {
            Effect::Load(Load::Page { generation, .. }) => {
                let page = Page {
                    rows: (1..=100).rev().map(row).collect(),
                    as_of: now(),
                    newer: false,
                    older: false,
                    exact: 0,
                };
                Msg::Loaded(Loaded::Page { generation, answer: Ok(page) })
            }
            Effect::Load(Load::Detail { id }) => {
                let VerificationRow { verification, user, .. } = row(id.0);
                let others = (200..230).map(|n| row(n).verification).collect();
                let detail = VerificationDetail {
                    verification,
                    user,
                    others,
                    other_sends: Vec::new(),
                    in_all: InAll { verifications: Counted::of(1), mails: Counted::of(1) },
                    sends: Vec::new(),
                    audit: Vec::new(),
                    suppression: None,
                    act: None,
                    is_oddly_opened: false,
                };
                Msg::Loaded(Loaded::Detail { id, answer: Ok(Some(Box::new(detail))) })
            }
            _ => continue,
        };
        asked.extend(update(&mut model, msg));
    }
    model
}

fn screen(c: &mut Criterion) {
    let theme = Theme::new(ColourDepth::Sixteen, true);
    let down = || Msg::Key(KeyEvent::new(KeyCode::Down, KeyModifiers::NONE));
    let full = console();
    let mut group = c.benchmark_group("screen 120x40");
    group.bench_function("update", |b| {
        b.iter_batched_ref(|| full.clone(), |model| black_box(update(model, down())), BatchSize::SmallInput);
    });
    group.bench_function("draw", |b| {
        let mut buffer = Buffer::empty(AREA);
        b.iter(|| draw(black_box(&full), AREA, &mut buffer, &theme));
    });
    group.bench_function("update and draw", |b| {
        let mut buffer = Buffer::empty(AREA);
        b.iter_batched_ref(
            || full.clone(),
            |model| {
                black_box(update(model, down()));
                draw(model, AREA, &mut buffer, &theme)
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, screen);
criterion_main!(benches);
