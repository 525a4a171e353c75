//! Runs the effects that [`super::update()`] asks for, and answers with messages.
//!
//! Loads are tasks: of pages, sends, previews and plans the last one wins and cancels the one before; of the others one of a
//! kind runs at a time and each is answered. Acts are never cancelled: who quits right after "resend" still gets it
//! done. `connection` keeps the subscription to changes and knows whether the database is there; while it is not, or
//! as soon as it no longer is, loads are answered at once with the reason instead of each waiting for its own time-out.

mod act;
mod connection;
mod export;
mod gathered;
mod load;
mod problem;
mod workbench;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use gathered::Gathered;

use super::effect::{Answer, Effect, Problem, TerminalCommand};
use super::msg::Msg;
use crate::config::Settings;
use crate::contain::{contained_async, spawn};
use crate::desk::{self, Desk};
use crate::domain::audit::{Actor, Origin};
use crate::domain::undo::UNDO_FOR;
use crate::mail::templates::Templates;
use crate::preview::render_pool::RenderPool;
use crate::store;

/// How long a load may take: longer than that, no one looks at the screen any more.
const LOAD_MAX: Duration = Duration::from_secs(20);

/// How long the search for a page may take, while it says how far it is: no statement of it takes long.
const LIST_MAX: Duration = Duration::from_mins(2);

/// How long an act may take.
const ACT_MAX: Duration = Duration::from_secs(30);

/// How long the end of the console waits for acts under way.
const FINISH_MAX: Duration = Duration::from_secs(5);

/// How long to wait before a connection that broke is kept again.
const BROKE_PAUSE: Duration = Duration::from_secs(5);

/// The executor. Dropping it cancels loads; acts go on, see [`Executor::finish`].
#[derive(Debug)]
pub struct Executor {
    context: Arc<Context>,
    page: Latest,
    near: Latest,
    hits: Latest,
    send_hits: Latest,
    sends: Latest,
    audit: Latest,
    suppressed: Latest,
    preview: Latest,
    watch: Latest,
    page_shown: Latest,
    plan: Latest,
    doctor: Latest,
    export: Latest,
    exports: TaskTracker,
    turns: Turns,
    acts: TaskTracker,
    all: CancellationToken,
    _cancel_all: DropGuard,
}

#[derive(Debug)]
struct Context {
    /// `None` where only the templates are looked at: what needs it is not asked for then.
    desk: Option<Desk>,
    settings: Settings,
    actor: Actor,
    messages: mpsc::UnboundedSender<Msg>,
    database: watch::Sender<Database>,
    /// A query failed in a way that the subscription may not have noticed.
    suspect: Notify,
    /// The operator does not want to wait for the next retry.
    reconnect: Notify,
    /// Whether changes are heard as they are made.
    hears: AtomicBool,
    /// Effects not yet answered.
    open: AtomicUsize,
    templates: Gathered,
    /// Renderings that run; those that hang keep theirs indefinitely.
    renderings: RenderPool,
    /// Lists of templates that are being made, in the same way.
    stocks: RenderPool,
    /// Checks that run, in the same way.
    checks: RenderPool,
    /// How often the templates' files have changed, for the page for browsers.
    changes: watch::Sender<u64>,
}

/// What is known of the database.
#[derive(Clone, Debug)]
enum Database {
    Unknown,
    /// It answers.
    Here,
    /// It does not, or is not fit to be worked with.
    Away(Problem),
}

/// The last of its kind.
#[derive(Debug)]
struct Latest(CancellationToken);

/// One at a time of each kind.
#[derive(Debug)]
struct Turns {
    rows: Arc<Semaphore>,
    newer: Arc<Semaphore>,
    counts: Arc<Semaphore>,
    outbox: Arc<Semaphore>,
    detail: Arc<Semaphore>,
}

impl Executor {
    /// An executor that acts in the name of `operator`, and the messages that it answers with. Without a desk it makes
    /// previews and nothing else.
    #[must_use]
    pub fn new(
        desk: impl Into<Option<Desk>>,
        settings: Settings,
        operator: &str,
    ) -> (Self, mpsc::UnboundedReceiver<Msg>) {
        let (messages, inbox) = mpsc::unbounded_channel();
        let read = settings.clone();
        let context = Context {
            // At the screen a resend can be taken back.
            desk: desk.into().map(|desk: Desk| desk.holding(UNDO_FOR)),
            settings,
            actor: Actor { name: operator.to_owned(), origin: Origin::Console },
            messages,
            database: watch::Sender::new(Database::Unknown),
            suspect: Notify::new(),
            reconnect: Notify::new(),
            hears: AtomicBool::new(false),
            open: AtomicUsize::new(0),
            templates: Gathered::new(move || Templates::gather(&read)),
            renderings: RenderPool::default(),
            stocks: RenderPool::default(),
            checks: RenderPool::default(),
            changes: watch::Sender::new(0),
        };
        let one = || Arc::new(Semaphore::new(1));
        let all = CancellationToken::new();
        let executor = Self {
            context: Arc::new(context),
            page: Latest(all.child_token()),
            near: Latest(all.child_token()),
            hits: Latest(all.child_token()),
            send_hits: Latest(all.child_token()),
            sends: Latest(all.child_token()),
            audit: Latest(all.child_token()),
            suppressed: Latest(all.child_token()),
            preview: Latest(all.child_token()),
            watch: Latest(all.child_token()),
            page_shown: Latest(all.child_token()),
            plan: Latest(all.child_token()),
            doctor: Latest(all.child_token()),
            export: Latest(all.child_token()),
            exports: TaskTracker::new(),
            turns: Turns { rows: one(), newer: one(), counts: one(), outbox: one(), detail: one() },
            acts: TaskTracker::new(),
            _cancel_all: all.clone().drop_guard(),
            all,
        };
        (executor, inbox)
    }

    /// Subscribes to changes, and again whenever the connection is lost.
    pub fn connect(&self) {
        let Some(desk) = self.context.desk.clone() else { return };
        let (context, all) = (Arc::clone(&self.context), self.all.clone());
        spawn(async move {
            let keep = async {
                // It returns only where it breaks.
                while contained_async(connection::keep(&context, desk.store())).await.is_err() {
                    sleep(BROKE_PAUSE).await;
                }
            };
            all.run_until_cancelled(Box::pin(keep)).await
        });
    }

    /// Whether every effect has been answered, so that nothing more comes unless something changes.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.context.open.load(Ordering::SeqCst) == 0
    }

    /// Waits for acts under way, but not for long.
    pub async fn finish(self) {
        // What is given up is removed.
        self.export.0.cancel();
        self.exports.close();
        self.exports.wait().await;
        self.acts.close();
        if timeout(FINISH_MAX, self.acts.wait()).await.is_err() {
            tracing::warn!("the console ended while an act was under way; the audit log says whether it was done");
        }
    }

    /// Begins an effect, or hands it back where it is the terminal's.
    pub fn run(&mut self, effect: Effect) -> Option<TerminalCommand> {
        match effect {
            Effect::Load(load) => self.load(load),
            Effect::Act(act) => self.act(act),
            Effect::Bench(bench) => self.bench(bench),
            Effect::Terminal(command) => return Some(command),
        }
        None
    }
}

/// What needs a database is not asked for where there is none.
fn unasked(effect: &impl std::fmt::Debug) {
    tracing::debug!("no database for {effect:?}");
}

impl Context {
    fn send(&self, msg: Msg) {
        // No one listens once the console has ended.
        let _ = self.messages.send(msg);
    }

    /// Answers an effect.
    fn close(&self, msg: Msg) {
        // Before the message, so that its reader knows whether more will come.
        self.open.fetch_sub(1, Ordering::SeqCst);
        self.send(msg);
    }

    /// Answers with what comes of the future, unless it is cancelled before.
    fn answer<T: Send + 'static>(
        self: &Arc<Self>,
        cancelled: CancellationToken,
        answer: impl Future<Output = Answer<T>> + Send + 'static,
        message: impl FnOnce(Answer<T>) -> Msg + Send + 'static,
    ) {
        let context = Arc::clone(self);
        context.open.fetch_add(1, Ordering::SeqCst);
        spawn(async move {
            match cancelled.run_until_cancelled(contained_async(answer)).await {
                Some(answer) => context.close(message(answer.unwrap_or_else(|broke| Err(broke.into())))),
                None => {
                    context.open.fetch_sub(1, Ordering::SeqCst);
                }
            }
        });
    }

    /// Answers an act that goes on whatever becomes of the console's questions.
    fn see_through<T: Send + 'static>(
        self: &Arc<Self>,
        acts: &TaskTracker,
        answer: impl Future<Output = Answer<T>> + Send + 'static,
        message: impl FnOnce(Answer<T>) -> Msg + Send + 'static,
    ) {
        let context = Arc::clone(self);
        context.open.fetch_add(1, Ordering::SeqCst);
        acts.spawn(async move {
            let answer = contained_async(answer).await.unwrap_or_else(|broke| Err(broke.into()));
            context.close(message(answer));
        });
    }

    /// Asks the database, while it is there, in turn.
    fn ask<T>(
        self: &Arc<Self>,
        turn: Option<&Arc<Semaphore>>,
        query: impl Future<Output = Result<T, store::Error>> + Send + 'static,
    ) -> impl Future<Output = Answer<T>> + Send + 'static {
        self.ask_for(LOAD_MAX, turn, query)
    }

    /// The same, for so long.
    fn ask_for<T>(
        self: &Arc<Self>,
        max: Duration,
        turn: Option<&Arc<Semaphore>>,
        query: impl Future<Output = Result<T, impl Into<Problem> + 'static>> + Send + 'static,
    ) -> impl Future<Output = Answer<T>> + Send + 'static {
        let (context, turn) = (Arc::clone(self), turn.cloned());
        let asked = async move {
            let _turn = match &turn {
                Some(turn) => turn.acquire().await.ok(),
                None => None,
            };
            whole(query).await
        };
        async move {
            tokio::select! {
                biased;
                problem = context.away() => Err(problem),
                result = timeout(max, asked) => context.judge(result.map_err(|_| max)),
            }
        }
    }

    /// Acts, unless the database is known to be away. Once begun, an act is not cancelled because it goes away.
    async fn act<T>(&self, act: impl Future<Output = Result<T, desk::Error>>) -> Answer<T> {
        if let Database::Away(problem) = &*self.database.borrow() {
            return Err(problem.clone());
        }
        self.judge(timeout(ACT_MAX, whole(act)).await.map_err(|_| ACT_MAX))
    }

    /// The answer, or the problem; and a look at the connection where the problem may be there.
    fn judge<T, E: Into<Problem>>(&self, result: Result<Result<T, E>, Duration>) -> Answer<T> {
        match result {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                let problem: Problem = error.into();
                if problem.away {
                    self.suspect.notify_one();
                }
                Err(problem)
            }
            Err(waited) => {
                self.suspect.notify_one();
                Err(Problem {
                    what: format!("the database has not answered within {} seconds", waited.as_secs()),
                    hint: "try again; the server's load or a lock may hold it up".into(),
                    ..Problem::default()
                })
            }
        }
    }

    /// Waits until the database is away, and says why.
    async fn away(&self) -> Problem {
        let mut database = self.database.subscribe();
        loop {
            if let Database::Away(problem) = &*database.borrow_and_update() {
                return problem.clone();
            }
            if database.changed().await.is_err() {
                // Not while this context, which holds the sender, is there.
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Latest {
    /// Cancels the one before and returns the next one's token.
    fn next(&mut self, all: &CancellationToken) -> CancellationToken {
        self.0.cancel();
        self.0 = all.child_token();
        self.0.clone()
    }
}

/// The answer, also where the way to it broke.
async fn whole<T, E: Into<Problem>>(way: impl Future<Output = Result<T, E>>) -> Answer<T> {
    contained_async(way).await.map_err(Problem::from)?.map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verification::Counts;
    use crate::tui::effect::Loaded;

    fn loaded(counts: Answer<Counts>) -> Msg {
        Msg::Loaded(Loaded::Counts(counts))
    }

    #[tokio::test]
    async fn a_question_that_breaks_is_answered_and_the_next_one_too() {
        let (executor, mut inbox) = Executor::new(None, Settings::default(), "mina");
        for breaks in [true, false, true] {
            let query = async move {
                assert!(!breaks, "a row of the test");
                Ok(Counts::default())
            };
            let counts = executor.context.ask(Some(&executor.turns.counts), query);
            executor.context.answer(executor.all.clone(), counts, loaded);
            let Some(Msg::Loaded(Loaded::Counts(answer))) = inbox.recv().await else { panic!("no answer") };
            match answer {
                Ok(_) => assert!(!breaks),
                Err(problem) => assert!(breaks && problem.what.contains("a row of the test"), "{problem:?}"),
            }
            assert!(executor.is_idle());
        }
    }

    /// Outside of what asks the database, too, and where it is an act.
    #[tokio::test]
    async fn whatever_breaks_is_answered() {
        let (executor, mut inbox) = Executor::new(None, Settings::default(), "mina");
        let breaks = async || -> Answer<Counts> { panic!("a template of the test") };
        executor.context.answer(executor.all.clone(), breaks(), loaded);
        executor.context.see_through(&executor.acts, breaks(), loaded);
        for _ in 0..2 {
            let answer = timeout(Duration::from_secs(20), inbox.recv()).await.expect("an answer");
            let Some(Msg::Loaded(Loaded::Counts(Err(problem)))) = answer else { panic!("{answer:?}") };
            assert!(problem.what.contains("a template of the test"), "{problem:?}");
        }
        assert!(executor.is_idle());
    }
}
