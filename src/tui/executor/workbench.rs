//! What the templates' workbench asks for: templates rendered and taken apart, and reports of their files' changes.
//!
//! Off the async threads and under a time limit: templates and HTML are written by people, and a layout without an
//! end must not stop the console. Such a rendering cannot be stopped, only left alone, so there are never more
//! than a few: what is asked for in the meantime waits for one of them to end. What comes late is still
//! delivered.

use std::future::ready;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Context, Executor};
use crate::config::Settings;
use crate::contain::{spawn, spawn_blocking};
use crate::desk::Desk;
use crate::desk::test_send::{self, TestSend, TestSent};
use crate::mail::templates::Templates;
use crate::preview::check::{self, Options, Report};
use crate::preview::page;
use crate::preview::proof::{self, Attempt, PreviewRequest, TemplateIndex};
use crate::preview::watch::{self, Word};
use crate::tui::effect::{Answer, Bench, Benched, Problem};
use crate::tui::msg::Msg;

/// How many renderings may run.
pub(super) const AT_ONCE: usize = 3;

/// How long one may take.
const RENDER_MAX: Duration = Duration::from_secs(3);

/// How long one waits for its turn before that is reported.
const WAIT_SAID: Duration = Duration::from_millis(700);

/// How long checks begin with further mails.
const CHECK_MAX: Duration = Duration::from_secs(20);

impl Executor {
    pub(super) fn bench(&mut self, bench: Bench) {
        let (context, all) = (&self.context, &self.all);
        match bench {
            Bench::List => {
                // Asked for when files have changed, by `R`, and when the editor has ended.
                context.templates.drop_kept();
                let listed = stock(Arc::clone(context));
                context.answer(all.clone(), listed, |answer| Msg::Bench(Benched::Listed(answer)));
            }
            Bench::Prove { order, generation } => {
                let proved = prove(Arc::clone(context), (*order).clone(), generation);
                let benched = move |answer| Msg::Bench(Benched::Proved { order, generation, answer });
                context.answer(self.preview.next(all), proved, benched);
            }
            Bench::Check => {
                let checked = check(Arc::clone(context));
                context.answer(all.clone(), checked, |answer| Msg::Bench(Benched::Checked(answer)));
            }
            Bench::Watch => {
                let number = context.templates.next_watch();
                let (cancelled, watch) = (self.watch.next(all), watch(Arc::clone(context), number));
                spawn(async move { cancelled.run_until_cancelled(watch).await });
            }
            Bench::TestSend { request, generation } => {
                let sent = test_send(Arc::clone(context), request, generation);
                let benched = move |answer| Msg::Bench(Benched::TestSent { generation, answer });
                context.see_through(&self.acts, sent, benched);
            }
            Bench::StartPage => {
                let ended = self.page_shown.next(all);
                spawn(page(Arc::clone(context), ended));
            }
            Bench::StopPage => self.page_shown.0.cancel(),
        }
    }
}

/// Renders in its turn. One that waits for a turn and is cancelled for a newer one is gone; one that waits long is reported.
async fn prove(context: Arc<Context>, order: PreviewRequest, generation: u64) -> Answer<Box<Attempt>> {
    let permit = turn(&context.renderings);
    tokio::pin!(permit);
    let permit = if let Ok(permit) = timeout(WAIT_SAID, &mut permit).await {
        permit
    } else {
        context.send(Msg::Bench(Benched::ProofWaits { generation }));
        permit.await
    };
    let (now, asked) = (Utc::now(), order.clone());
    let render = move |settings: &Settings, templates: &Templates| {
        Box::new(proof::render_preview(templates, settings, &order, now))
    };
    let late = move |done| Msg::Bench(Benched::Proved { order: Box::new(asked), generation, answer: Ok(done) });
    off(&context, permit, RENDER_MAX, render, late).await
}

async fn stock(context: Arc<Context>) -> Answer<Box<TemplateIndex>> {
    // Nothing is rendered for it, so that it need not wait for renderings.
    let permit = turn(&context.stocks).await;
    let stock = |_: &Settings, templates: &Templates| Box::new(proof::index(templates));
    off(&context, permit, RENDER_MAX, stock, |done| Msg::Bench(Benched::Listed(Ok(done)))).await
}

async fn check(context: Arc<Context>) -> Answer<Arc<Report>> {
    let now = Utc::now();
    let check = move |settings: &Settings, templates: &Templates| {
        let options = Options { budget: CHECK_MAX, ..Options::default() };
        Arc::new(check::check(templates, settings, now, &options))
    };
    let permit = turn(&context.checks).await;
    off(&context, permit, CHECK_MAX + RENDER_MAX, check, |report| Msg::Bench(Benched::CheckedLate(report))).await
}

/// A turn, as soon as there is one. `None` where there are no turns any more, which does not happen.
async fn turn(permits: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(permits).acquire_owned().await.ok()
}

async fn off<T: Send + 'static>(
    context: &Arc<Context>,
    permit: Option<OwnedSemaphorePermit>,
    longest: Duration,
    work: impl FnOnce(&Settings, &Templates) -> T + Send + 'static,
    late: impl FnOnce(T) -> Msg + Send + 'static,
) -> Answer<T> {
    let working_for = Arc::clone(context);
    let mut working = spawn_blocking(move || {
        let _permit = permit;
        work(&working_for.settings, &working_for.templates.get())
    });
    match timeout(longest, &mut working).await {
        Ok(Ok(done)) => Ok(done?),
        // Only at the end of all, since what panics answers.
        Ok(Err(_)) => Err(too_long(longest)),
        Err(_) => {
            let context = Arc::clone(context);
            spawn(async move {
                if let Ok(Ok(done)) = working.await {
                    context.send(late(done));
                }
            });
            Err(too_long(longest))
        }
    }
}

fn too_long(longest: Duration) -> Problem {
    Problem {
        what: format!("the templates took longer than {} seconds to render", longest.as_secs()),
        hint: "look for loops and deep nesting in the files under `templates.dir`".into(),
        ..Problem::default()
    }
}

/// Sends a test and passes on what is said. What the server says after its answer, as at QUIT, still comes.
async fn test_send(context: Arc<Context>, request: Box<TestSend>, generation: u64) -> Answer<Box<TestSent>> {
    let (dialogue, mut lines) = mpsc::unbounded_channel();
    let sender = Arc::clone(&context);
    spawn(async move {
        while let Some(line) = lines.recv().await {
            sender.send(Msg::Bench(Benched::TestSaid { generation, line }));
        }
    });
    let store = context.desk.as_ref().map(Desk::store);
    let sent = test_send::run(store, &context.settings, &context.actor, &request, dialogue).await;
    Ok(Box::new(sent?))
}

/// Shows the templates to browsers on this machine until it is cancelled.
async fn page(context: Arc<Context>, ended: CancellationToken) {
    let source = Arc::new(page::Files::new(context.settings.clone()));
    let handle = match page::start(source, context.changes.subscribe(), None).await {
        Ok(handle) => handle,
        Err(error) => {
            return context.send(Msg::Bench(Benched::PageStarted(Err(Problem {
                what: format!("the page cannot be shown: {error}"),
                hint: "127.0.0.1 takes no connections here".into(),
                ..Problem::default()
            }))));
        }
    };
    let address = handle.page_address();
    context.send(Msg::Bench(Benched::PageStarted(Ok(address))));
    ended.cancelled().await;
    handle.stop().await;
}

/// Reports changes to the templates' files for as long as it is polled.
async fn watch(context: Arc<Context>, number: u64) {
    let templates = &context.templates;
    // What is built in does not change.
    let Some(dir) = &context.settings.templates.dir else { return templates.watched(number) };
    let report = |word| {
        match &word {
            Word::Changed => templates.watched(number),
            Word::Lost(_) => templates.unwatched(number),
        }
        context.changes.send_modify(|count| *count += 1);
        context.send(match word {
            Word::Changed => Msg::Bench(Benched::FilesChanged),
            Word::Lost(why) => {
                tracing::warn!("the templates' directory cannot be watched: {why}");
                Msg::Bench(Benched::Unwatched(why))
            }
        });
    };
    // The first time it is polled the watch begins, or is reported as lost.
    templates.watched(number);
    let mut watching = pin!(watch::watch(dir, report));
    tokio::select! {
        biased;
        () = &mut watching => return,
        () = ready(()) => {}
    }
    // What was read before it began may have changed since.
    templates.drop_kept();
    watching.await;
}
