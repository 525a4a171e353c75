//! What the templates' workbench asks for: templates rendered and taken apart, and reports of their files' changes.
//!
//! Renderings go through a pool ([`crate::preview::render_pool`]), so that a layout without an end does not stop the
//! console. What comes late is still delivered.

use std::future::ready;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Context, Executor};
use crate::config::Settings;
use crate::contain::{spawn, spawn_blocking};
use crate::desk::Desk;
use crate::desk::test_send::{self, TestSend, TestSent};
use crate::mail::templates::{Templates, eject};
use crate::preview::check::{self, Options, Report};
use crate::preview::page;
use crate::preview::proof::{self, Attempt, PreviewRequest, TemplateIndex};
use crate::preview::render_pool::{Missed, RENDER_MAX, Turn};
use crate::preview::watch::{self, Word};
use crate::tui::effect::{Answer, Bench, Benched, Problem};
use crate::tui::msg::Msg;

/// How long a rendering waits for its turn before that is reported.
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
            Bench::Eject { dir, names } => {
                context.see_through(&self.acts, eject(dir, names), |answer| Msg::Bench(Benched::Ejected(answer)));
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
    let turn = context.renderings.turn();
    tokio::pin!(turn);
    let turn = if let Ok(turn) = timeout(WAIT_SAID, &mut turn).await {
        turn
    } else {
        context.send(Msg::Bench(Benched::ProofWaits { generation }));
        turn.await
    };
    let (now, asked) = (Utc::now(), order.clone());
    let render = move |settings: &Settings, templates: &Templates| {
        Box::new(proof::render_preview(templates, settings, &order, now))
    };
    let late = move |done| Msg::Bench(Benched::Proved { order: Box::new(asked), generation, answer: Ok(done) });
    off(&context, turn, RENDER_MAX, render, late).await
}

async fn stock(context: Arc<Context>) -> Answer<Box<TemplateIndex>> {
    // Nothing is rendered for it, so that it need not wait for renderings.
    let turn = context.stocks.turn().await;
    let stock = |_: &Settings, templates: &Templates| Box::new(proof::index(templates));
    off(&context, turn, RENDER_MAX, stock, |done| Msg::Bench(Benched::Listed(Ok(done)))).await
}

async fn check(context: Arc<Context>) -> Answer<Arc<Report>> {
    let now = Utc::now();
    let check = move |settings: &Settings, templates: &Templates| {
        let options = Options { budget: CHECK_MAX, ..Options::default() };
        Arc::new(check::check(templates, settings, now, &options))
    };
    let turn = context.checks.turn().await;
    off(&context, turn, CHECK_MAX + RENDER_MAX, check, |report| Msg::Bench(Benched::CheckedLate(report))).await
}

async fn off<T: Send + 'static>(
    context: &Arc<Context>,
    turn: Turn,
    longest: Duration,
    work: impl FnOnce(&Settings, &Templates) -> T + Send + 'static,
    late: impl FnOnce(T) -> Msg + Send + 'static,
) -> Answer<T> {
    let working_for = Arc::clone(context);
    let rendered = turn.render(longest, move || work(&working_for.settings, &working_for.templates.get()));
    match rendered.await {
        Ok(done) => Ok(done),
        Err(Missed::Broke(broke)) => Err(broke.into()),
        Err(Missed::Ended) => Err(too_long(longest)),
        Err(Missed::Late(working)) => {
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

/// Writes built-in templates as files.
async fn eject(dir: PathBuf, names: Vec<String>) -> Answer<Vec<PathBuf>> {
    match spawn_blocking(move || eject::eject(&dir, &names)).await {
        Ok(written) => Ok(written??),
        Err(ended) => Err(Problem { what: ended.to_string(), ..Problem::default() }),
    }
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
