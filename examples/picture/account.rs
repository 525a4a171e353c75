//! What the demo has none of: an SES account, noted as a worker notes what SES answers.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use verifydesk::config::Settings;
use verifydesk::domain::account::rates::{AwsRate, AwsRates};
use verifydesk::domain::account::{
    ConfigurationSet, EventDestination, Figures, Identities, Identity, ListedIdentity, NEEDED, PanelKind,
};
use verifydesk::domain::amazon::AccountStanding;
use verifydesk::store::{AccountCall, Store};
use verifydesk::text::Untrusted;

/// Longest call, in seconds.
const LONGEST: f64 = 10.0;

/// Notes a healthy account in production, at a site whose brake was not put on since the first of its mails.
pub async fn note(settings: &Settings) -> anyhow::Result<()> {
    let store = Store::open(settings)?;
    let pool = sqlx::PgPool::connect(settings.require_database_url()?.expose()).await?;
    sqlx::query("update brake set released_at = (select min(queued_at) from sends)").execute(&pool).await?;
    pool.close().await;
    asked(&store, AccountCall::Standing, None).await?;
    for (kind, subject, figures) in panels() {
        asked(&store, AccountCall::Panel(kind, subject.to_owned()), Some((kind, figures))).await?;
    }
    Ok(())
}

/// A call when it is its turn, and its answer.
async fn asked(store: &Store, call: AccountCall, answer: Option<(PanelKind, Figures)>) -> anyhow::Result<()> {
    let turn = loop {
        match store.take_account_turn(Some(&call), LONGEST).await? {
            Some(turn) => break turn,
            None => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    };
    match answer {
        Some((kind, figures)) => store.note_panel(kind, &figures).await?,
        None => store.note_account(&standing()).await?,
    };
    Ok(store.end_account_turn(turn).await?)
}

fn standing() -> AccountStanding {
    AccountStanding {
        seen_at: Utc::now(),
        region: "ap-northeast-2".into(),
        is_sandbox: false,
        can_send: true,
        enforcement: "HEALTHY".into(),
        rate_max: 14.0,
        daily_max: Some(50_000.0),
        sent: 9_214.0,
        sent_by_others: 7_830,
        review: "GRANTED".into(),
    }
}

fn panels() -> [(PanelKind, &'static str, Figures); 6] {
    let domain = Identity {
        is_verified: true,
        verification: "SUCCESS".into(),
        dkim_signs: true,
        dkim: "SUCCESS".into(),
        dkim_tokens: ["dq3vz5", "h7wcm2", "x0fjt8"].map(Untrusted::from).to_vec(),
        mail_from: "bounce.example.com".into(),
        mail_from_status: "SUCCESS".into(),
        ..Identity::default()
    };
    let listed = |name: &str, kind: &str, can_send| ListedIdentity {
        name: name.into(),
        kind: kind.into(),
        can_send,
        verification: if can_send { "SUCCESS" } else { "PENDING" }.into(),
    };
    let all = Identities {
        listed: vec![listed("example.com", "DOMAIN", true), listed("dev@example.net", "EMAIL_ADDRESS", false)],
        has_more: false,
    };
    let set =
        ConfigurationSet { can_send: true, tls: "REQUIRE".into(), has_reputation_metrics: true, suppressed: None };
    let to_desk = EventDestination {
        name: "desk".into(),
        is_on: true,
        events: NEEDED.map(Untrusted::from).to_vec(),
        topic: "arn:aws:sns:ap-northeast-2:111122223333:ses-events".into(),
        bus: "".into(),
    };
    // Of all that is sent from the account.
    let rate = |part| Some(AwsRate { part, at: Utc::now() - TimeDelta::minutes(40) });
    let rates = AwsRates { bounces: rate(0.021), complaints: rate(0.0004) };
    [
        (PanelKind::Sender, "no-reply@example.com", Figures::Absent),
        (PanelKind::Domain, "example.com", Figures::Identity(domain)),
        (PanelKind::Identities, "", Figures::Identities(all)),
        (PanelKind::ConfigurationSet, "verifydesk", Figures::ConfigurationSet(set)),
        (PanelKind::EventDestinations, "verifydesk", Figures::EventDestinations(vec![to_desk])),
        (PanelKind::Rates, "", Figures::Rates(rates)),
    ]
}
