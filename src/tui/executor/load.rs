//! Reading the database.

use std::sync::Arc;
use std::time::Instant;

use chrono::Duration;

use super::{Context, Executor, LIST_MAX, unasked};
use crate::desk::Desk;
use crate::doctor::{Doctor, Found};
use crate::domain::Time;
use crate::domain::account::view::AccountView;
use crate::domain::hook::{DeliveryFilter, DeliveryState};
use crate::domain::id::JobId;
use crate::domain::job::JobScope;
use crate::domain::page::Position;
use crate::store::{Error, Store};
use crate::tui::effect::{Answer, GIVEN_UP_ROWS, Load, Loaded, PAGE_ROWS};
use crate::tui::msg::Msg;
use crate::tui::view::queue::model::{JobFacts, SKIPS_SHOWN};

impl Executor {
    pub(super) fn load(&mut self, load: Load) {
        let context = &self.context;
        let all = &self.all;
        let Some(desk) = context.desk.clone() else { return unasked(&load) };
        let store = desk.store().clone();
        match load {
            Load::Page { filter, position, generation } => {
                let tell = context.telling(&position, generation);
                let page = async move { store.list_telling(&filter, position, PAGE_ROWS, tell).await };
                let page = context.ask_for(LIST_MAX, None, page);
                let loaded = move |answer| Msg::Loaded(Loaded::Page { generation, answer });
                context.answer(self.page.next(all), page, loaded);
            }
            Load::Sends { filter, position, generation } => {
                let tell = context.telling(&position, generation);
                let sends = async move { store.sends_telling(&filter, position, PAGE_ROWS, tell).await };
                let sends = context.ask_for(LIST_MAX, None, sends);
                let loaded = move |answer| Msg::Loaded(Loaded::Sends { generation, answer });
                context.answer(self.sends.next(all), sends, loaded);
            }
            Load::Audit { filter, position, generation } => {
                let entries = context.ask(None, async move { store.audit(&filter, position, PAGE_ROWS).await });
                let loaded = move |answer| Msg::Loaded(Loaded::Audit { generation, answer });
                context.answer(self.audit.next(all), entries, loaded);
            }
            Load::Suppressed { part, position, generation } => {
                let page = async move { store.suppressed_page(&part, position, PAGE_ROWS).await.map(Box::new) };
                let loaded = move |answer| Msg::Loaded(Loaded::Suppressed { generation, answer });
                context.answer(self.suppressed.next(all), context.ask(None, page), loaded);
            }
            Load::Rows { ids } => {
                let asked = ids.clone();
                let rows = context.ask(Some(&self.turns.rows), async move { store.rows(&ids).await });
                context.answer(all.clone(), rows, move |answer| Msg::Loaded(Loaded::Rows { asked, answer }));
            }
            Load::Newer { filter, than, generation } => {
                let newer = context.ask(Some(&self.turns.newer), async move { store.newer(&filter, than).await });
                context.answer(all.clone(), newer, move |answer| Msg::Loaded(Loaded::Newer { generation, answer }));
            }
            Load::NearMisses { search } => {
                let asked = search.clone();
                let near = context.ask(None, async move { store.near_misses(&asked).await });
                let loaded = move |answer| Msg::Loaded(Loaded::NearMisses { search, answer });
                context.answer(self.near.next(all), near, loaded);
            }
            Load::VerificationHits { filter } => {
                let asked = filter.clone();
                let hits = context.ask(None, async move { store.verification_hits(&asked).await });
                let loaded = move |answer| Msg::Loaded(Loaded::VerificationHits { filter, answer });
                context.answer(self.hits.next(all), hits, loaded);
            }
            Load::SendHits { filter } => {
                let asked = filter.clone();
                let hits = context.ask(None, async move { store.send_hits(&asked).await });
                let loaded = move |answer| Msg::Loaded(Loaded::SendHits { filter, answer });
                context.answer(self.send_hits.next(all), hits, loaded);
            }
            Load::Counts => {
                let counts = context.ask(Some(&self.turns.counts), async move { store.counts().await });
                context.answer(all.clone(), counts, |answer| Msg::Loaded(Loaded::Counts(answer)));
            }
            Load::Outbox => {
                let outbox = context.ask(Some(&self.turns.outbox), async move { store.outbox().await });
                context.answer(all.clone(), outbox, |answer| Msg::Loaded(Loaded::Outbox(answer.map(Box::new))));
            }
            Load::Account => {
                let begun = Instant::now();
                let read = context.ask_for(LIST_MAX, None, async move { store.account().await.map(Box::new) });
                context.answer(all.clone(), read, move |answer| account(begun, answer));
            }
            Load::Rights => {
                let rights = context.ask(None, async move { store.rights().await });
                context.answer(all.clone(), rights, |answer| Msg::Loaded(Loaded::Rights(answer)));
            }
            Load::Detail { id } => {
                let detail = async move { Ok(store.show(id).await?.map(Box::new)) };
                let detail = context.ask(Some(&self.turns.detail), detail);
                context.answer(all.clone(), detail, move |answer| Msg::Loaded(Loaded::Detail { id, answer }));
            }
            Load::ResendPlan { id } => {
                let planning = Arc::clone(context);
                let plan = async move { planning.act(desk.plan_resend(id)).await };
                context.answer(all.clone(), plan, move |answer| Msg::Loaded(Loaded::ResendPlan { id, answer }));
            }
            Load::Job { id } => {
                let begun = Instant::now();
                let facts = context.ask(None, async move { facts(&store, id).await });
                context.answer(all.clone(), facts, move |answer| counted(id, begun, answer));
            }
            Load::JobPlan { scope, generation } => self.plan_job(desk, scope, generation),
            Load::GivenUp => self.given_up(store),
            Load::Doctor { generation } => self.look(generation),
            Load::ForgetJobPlan => self.plan.0.cancel(),
            Load::Export { listed, format, generation } => self.export(store, listed, format, generation),
            Load::ForgetExport => self.export.0.cancel(),
            Load::Reconnect => context.reconnect.notify_one(),
        }
    }

    fn given_up(&self, store: Store) {
        let filter = DeliveryFilter { state: Some(DeliveryState::GivenUp), ..DeliveryFilter::default() };
        let page = async move { Ok(Box::new(store.deliveries(&filter, None, GIVEN_UP_ROWS).await?)) };
        let page = self.context.ask(None, page);
        self.context.answer(self.all.clone(), page, |answer| Msg::Loaded(Loaded::GivenUp(answer)));
    }

    /// By a way of its own to the database: that this console's is broken is one of the things that may be found.
    fn look(&mut self, generation: u64) {
        let context = &self.context;
        let (telling, doctor) = (Arc::clone(context), Doctor::new(context.settings.clone()));
        let looking = async move {
            let tell = |found: &Found| telling.send(Msg::Loaded(Loaded::Found { generation, found: found.clone() }));
            doctor.examine_telling(&tell).await;
            Ok(())
        };
        let looked = move |answer| Msg::Loaded(Loaded::Looked { generation, answer });
        context.answer(self.doctor.next(&self.all), looking, looked);
    }

    fn plan_job(&mut self, desk: Desk, scope: JobScope, generation: u64) {
        let context = &self.context;
        let (planning, telling) = (Arc::clone(context), Arc::clone(context));
        let tell = move |progress| {
            telling.send(Msg::Loaded(Loaded::JobPlanProgress { generation, progress }));
        };
        let plan = async move { planning.act(desk.plan_job_telling(&scope, tell)).await.map(Box::new) };
        let loaded = move |answer| Msg::Loaded(Loaded::JobPlan { generation, answer });
        context.answer(self.plan.next(&self.all), plan, loaded);
    }
}

impl Context {
    /// Tells how far the search for a page has come: the way there goes back from its beginning.
    fn telling<C, R>(
        self: &Arc<Self>,
        position: &Position<C>,
        generation: u64,
    ) -> impl FnMut(&[R], Time) + Send + use<C, R> {
        let is_back = matches!(position, Position::Newest | Position::After(_));
        let telling = Arc::clone(self);
        move |rows, back_to| {
            if is_back {
                telling.send(Msg::Loaded(Loaded::Searched { generation, found: rows.len(), back_to }));
            }
        }
    }
}

fn account(begun: Instant, answer: Answer<Box<AccountView>>) -> Msg {
    let took = Duration::from_std(begun.elapsed()).unwrap_or_default();
    Msg::Loaded(Loaded::Account { took, answer })
}

fn counted(id: JobId, begun: Instant, answer: Answer<Box<JobFacts>>) -> Msg {
    let took = Duration::from_std(begun.elapsed()).unwrap_or_default();
    Msg::Loaded(Loaded::Job { id, took, answer })
}

/// What came of a job.
async fn facts(store: &Store, id: JobId) -> Result<Box<JobFacts>, Error> {
    let (results, skips) =
        tokio::try_join!(store.glance_at_job(id), store.job_skips(id, None, Position::Newest, SKIPS_SHOWN))?;
    Ok(Box::new(JobFacts { id, results, skips: skips.rows, has_more_skips: skips.older }))
}
