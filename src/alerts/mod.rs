//! Tells someone that mail stands still or is about to, though no one looks at a console.
//!
//! Beside each worker, and not within its loop: one that waits or cannot send can still tell. Of all workers one has its
//! turn to judge ([`crate::domain::alert`]), now and then; what has begun or ended stands in the database, and whoever
//! claims the notice runs the command or posts it. Once in each way that is set; again only where it failed, or where who had it in
//! hand has died.
//!
//! Beside `serve` as well, which tells that no worker is there: by functions of the database, since its login may read
//! neither workers nor alerts.

mod command;
mod webhook;

use std::time::Duration;

use chrono::SecondsFormat;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::config::{self, SettingError, Settings};
use crate::dial::Dialer;
use crate::domain::Time;
use crate::domain::alert::{AlertKind, Seen, judge};
use crate::domain::change::Change;
use crate::hooks::post::Post;
use crate::jitter::jittered;
use crate::store::alerts::{JUDGE_EVERY_SECONDS, Judged, Notice, Teller};
use crate::store::{Error, Store};

/// How often it is looked whether there is something to judge or to tell.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How much longer than it may take a notice is in the hands of who tells it.
const HELD_BEYOND: Duration = Duration::from_secs(30);

/// Watches, and tells.
pub struct Watch {
    store: Store,
    teller: Teller,
    settings: config::Alert,
    /// Where alerts are posted, if anywhere.
    post: Option<Post>,
    /// The site's name, for who watches over several.
    site: String,
}

impl Watch {
    /// One beside a worker or `serve`.
    pub fn new(teller: Teller, store: &Store, settings: &Settings) -> Result<Self, SettingError> {
        let target = settings.alert.target()?;
        Ok(Self {
            store: store.clone(),
            teller,
            settings: settings.alert.clone(),
            post: target.map(|target| Post::new(target, Dialer::default())).transpose()?,
            site: settings.site.name.clone(),
        })
    }

    /// Watches until `shutdown`.
    pub async fn run(&self, shutdown: &CancellationToken) {
        let watching = async {
            let mut since = Instant::now();
            let mut is_well = true;
            loop {
                sleep(jittered(LOOK_EVERY)).await;
                match self.round(since).await {
                    Ok(()) => is_well = true,
                    Err(error) => {
                        if std::mem::take(&mut is_well) {
                            tracing::warn!(%error, "alerts wait for the database");
                        }
                        // What could not be seen is not known.
                        since = Instant::now();
                    }
                }
            }
        };
        shutdown.run_until_cancelled(watching).await;
    }

    /// Judges, as far as it is this one's turn, and tells what is to be told.
    async fn round(&self, since: Instant) -> Result<(), Error> {
        // Also a worker that has just come back: before it tells that there was none.
        self.judge_workers(since.elapsed()).await?;
        if self.teller == Teller::Worker && self.store.may_judge_alerts(JUDGE_EVERY_SECONDS).await? {
            self.judge().await?;
        }
        self.tell().await.map(drop)
    }

    /// Finds out whether there is a worker, having watched for so long without a break.
    pub async fn judge_workers(&self, watched: Duration) -> Result<Judged, Error> {
        let judged = self.store.judge_workers(watched).await?;
        self.noted(judged).await;
        Ok(judged)
    }

    /// Finds out what else is wrong, without asking for a turn.
    pub async fn judge(&self) -> Result<Judged, Error> {
        let Some(figures) = self.store.figures().await? else { return Ok(Judged::default()) };
        let outbox = &figures.outbox;
        let unsent_for = self.store.unsent_for(outbox.workers.iter().map(|worker| worker.sent).sum()).await?;
        let open = self.store.alerts().await?;
        let is_open = |kind: AlertKind, subject: &str| {
            open.iter().any(|alert| alert.kind.raw() == kind.as_str() && alert.subject.raw() == subject)
        };
        let subjects = |kind: AlertKind| -> Vec<String> {
            let of_kind = open.iter().filter(|alert| alert.kind.raw() == kind.as_str());
            of_kind.map(|alert| alert.subject.raw().to_owned()).collect()
        };
        let silent = self.store.silent_domains(outbox.as_of, &subjects(AlertKind::NothingArrives)).await?;
        let unopened = self.store.unopened_domains(outbox.as_of, &subjects(AlertKind::NothingOpened)).await?;
        let endpoints = &figures.endpoints;
        let seen = Seen { outbox, unsent_for, endpoints, silent: &silent, unopened: &unopened };
        let judged = self.store.note_troubles(&judge(seen, is_open)).await?;
        self.noted(judged).await;
        self.store.forget_old_alerts().await?;
        Ok(judged)
    }

    async fn noted(&self, judged: Judged) {
        if judged != Judged::default() {
            tracing::info!(began = judged.began, ended = judged.ended, "alerts");
            self.store.notify(Change::Outbox).await;
        }
    }

    /// Tells what is to be told. Returns how many times someone was told.
    pub async fn tell(&self) -> Result<usize, Error> {
        let mut told = 0;
        let ways = [("command", !self.settings.command.is_empty()), ("webhook", self.post.is_some())];
        let ways: Vec<&str> = ways.into_iter().filter(|(_, is_set)| *is_set).map(|(way, _)| way).collect();
        if ways.is_empty() {
            return Ok(told);
        }
        let longest = self.post.as_ref().map(Post::longest).unwrap_or_default().max(self.settings.timeout);
        let hold = longest + HELD_BEYOND;
        while let Some(notice) = self.store.claim_alert_notice(self.teller, &ways, hold).await? {
            let result = match &self.post {
                Some(post) if notice.way == "webhook" => {
                    let now = self.store.now().await?;
                    webhook::post(post, &self.site, &notice, now).await
                }
                _ => command::run(&self.settings, &self.site, &notice).await,
            };
            match &result {
                Ok(()) => told += 1,
                Err(error) => {
                    let (kind, phase) = (notice.kind.plain(), &notice.phase);
                    tracing::warn!(%kind, phase, "nobody was told: {error}");
                }
            }
            self.store.note_alert_told(self.teller, &notice, result.err().as_deref()).await?;
            self.store.notify(Change::Outbox).await;
        }
        Ok(told)
    }
}

/// An alert as JSON: what a command and a webhook get.
fn message(site: &str, notice: &Notice) -> Value {
    let kind = notice.kind.plain();
    let docs = kind.as_str().parse::<AlertKind>().ok().map(AlertKind::docs);
    let shown = |time: Time| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    json!({
        "id": notice.alert_id,
        "phase": notice.phase,
        "kind": kind.as_str(),
        "subject": notice.subject.plain().as_str(),
        "summary": notice.summary.plain().as_str(),
        "site": site,
        "began_at": shown(notice.began_at),
        "ended_at": notice.ended_at.map(shown),
        "docs": docs,
    })
}
