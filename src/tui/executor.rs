//! Runs the effects that [`super::update()`] asks for, and answers with messages.
//!
//! Loads are tasks: of pages, sends, previews and plans the last one wins and cancels the one before; of the others one of a
//! kind runs at a time and each is answered. Acts are never cancelled: who quits right after "resend" still gets it
//! done. `connection` keeps the subscription to changes and knows whether the database is there; while it is not, or
//! as soon as it no longer is, loads are answered at once with the reason instead of each waiting for its own time-out.

mod connection;
mod workbench;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::effect::{Effect, PAGE_ROWS};
use super::msg::{Answer, BrakeChange, JobChange, JobStarted, Msg, Problem};
use crate::config::Settings;
use crate::contain::{Broke, contained_async, spawn};
use crate::desk::{self, Desk};
use crate::domain::audit::{Actor, Origin};
use crate::domain::send::Priority;
use crate::store;

/// How long a load may take: longer than that, nobody looks at the screen any more.
const LOAD_MAX: Duration = Duration::from_secs(20);

/// How long an act may take.
const ACT_MAX: Duration = Duration::from_secs(30);

/// How long the end of the console waits for acts under way.
const FINISH_MAX: Duration = Duration::from_secs(5);

/// How long to wait before a connection that broke is kept again.
const BROKE_PAUSE: Duration = Duration::from_secs(5);

/// What the loop does itself, since it holds the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Own {
    /// Draw everything anew.
    Repaint,
    /// Stop, for the shell.
    Suspend,
    /// Give the terminal to an editor for a while.
    Edit {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// Put a text into the terminal's clipboard.
    Copy(String),
    /// End.
    Quit,
}

/// The executor. Dropping it cancels loads; acts go on, see [`Executor::finish`].
#[derive(Debug)]
pub struct Executor {
    context: Arc<Context>,
    page: Latest,
    sends: Latest,
    preview: Latest,
    watch: Latest,
    page_shown: Latest,
    plan: Latest,
    turns: Turns,
    acts: TaskTracker,
    all: CancellationToken,
    _cancel_all: DropGuard,
}

#[derive(Debug)]
struct Context {
    /// None where only the templates are looked at: what needs it is not asked for then.
    desk: Option<Desk>,
    settings: Settings,
    actor: Actor,
    messages: mpsc::UnboundedSender<Msg>,
    database: watch::Sender<Database>,
    /// A query failed in a way that the subscription may not have noticed.
    suspect: Notify,
    /// The operator does not want to wait for the next retry.
    reconnect: Notify,
    /// Effects not yet answered.
    open: AtomicUsize,
    /// Renderings that run; those that hang keep theirs for ever.
    renderings: Arc<Semaphore>,
    /// Looks at what there is, likewise.
    stocks: Arc<Semaphore>,
    /// Checks that run, likewise.
    checks: Arc<Semaphore>,
    /// How often the templates' files have changed, for the page for browsers.
    changes: watch::Sender<u64>,
}

/// What is known of the database.
#[derive(Clone, Debug)]
enum Database {
    /// Nothing yet.
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
        let context = Context {
            desk: desk.into(),
            settings,
            actor: Actor { name: operator.to_owned(), origin: Origin::Console },
            messages,
            database: watch::Sender::new(Database::Unknown),
            suspect: Notify::new(),
            reconnect: Notify::new(),
            open: AtomicUsize::new(0),
            renderings: Arc::new(Semaphore::new(workbench::AT_ONCE)),
            stocks: Arc::new(Semaphore::new(workbench::AT_ONCE)),
            checks: Arc::new(Semaphore::new(workbench::AT_ONCE)),
            changes: watch::Sender::new(0),
        };
        let one = || Arc::new(Semaphore::new(1));
        let all = CancellationToken::new();
        let executor = Self {
            context: Arc::new(context),
            page: Latest(all.child_token()),
            sends: Latest(all.child_token()),
            preview: Latest(all.child_token()),
            watch: Latest(all.child_token()),
            page_shown: Latest(all.child_token()),
            plan: Latest(all.child_token()),
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
        self.acts.close();
        if timeout(FINISH_MAX, self.acts.wait()).await.is_err() {
            tracing::warn!("the console ended while an act was under way; the audit log tells whether it was done");
        }
    }

    /// Begins an effect, or hands it back where it is the loop's own.
    pub fn run(&mut self, effect: Effect) -> Option<Own> {
        match effect {
            Effect::Repaint => return Some(Own::Repaint),
            Effect::Suspend => return Some(Own::Suspend),
            Effect::Quit => return Some(Own::Quit),
            Effect::Reconnect => self.context.reconnect.notify_one(),
            Effect::Edit { file, line } => return Some(Own::Edit { file, line }),
            Effect::Prove { order, generation } => {
                let cancelled = self.preview.next(&self.all);
                let proved = workbench::prove(Arc::clone(&self.context), (*order).clone(), generation);
                self.context.answer(cancelled, proved, move |answer| Msg::Proved { order, generation, answer });
            }
            Effect::StockTemplates => {
                let stock = workbench::stock(Arc::clone(&self.context));
                self.context.answer(self.all.clone(), stock, Msg::Stocked);
            }
            Effect::CheckTemplates => {
                let checked = workbench::check(Arc::clone(&self.context));
                self.context.answer(self.all.clone(), checked, Msg::Checked);
            }
            Effect::Copy(text) => return Some(Own::Copy(text)),
            Effect::StopPage => self.page_shown.0.cancel(),
            Effect::StartPage => {
                let ended = self.page_shown.next(&self.all);
                spawn(workbench::page(Arc::clone(&self.context), ended));
            }
            Effect::TestSend { request, generation } => {
                let sent = workbench::test_send(Arc::clone(&self.context), request, generation);
                self.context.see_through(&self.acts, sent, move |answer| Msg::TestSent { generation, answer });
            }
            Effect::WatchTemplates => {
                let cancelled = self.watch.next(&self.all);
                let watch = workbench::watch(Arc::clone(&self.context));
                spawn(async move { cancelled.run_until_cancelled(watch).await });
            }
            Effect::ForgetPlan => self.plan.0.cancel(),
            Effect::Resend { .. }
            | Effect::ForceVerify { .. }
            | Effect::SignUp { .. }
            | Effect::StartJob { .. }
            | Effect::ChangeJob { .. }
            | Effect::SetBrake { .. } => self.act(effect),
            load => self.load(load),
        }
        None
    }

    fn load(&mut self, effect: Effect) {
        let context = &self.context;
        let all = &self.all;
        let Some(desk) = context.desk.clone() else { return unasked(&effect) };
        let store = desk.store().clone();
        match effect {
            Effect::LoadPage { filter, position, generation } => {
                let page = context.ask(None, async move { store.list(&filter, position, PAGE_ROWS).await });
                context.answer(self.page.next(all), page, move |answer| Msg::Page { generation, answer });
            }
            Effect::LoadSends { filter, position, generation } => {
                let sends = context.ask(None, async move { store.sends(&filter, position, PAGE_ROWS).await });
                context.answer(self.sends.next(all), sends, move |answer| Msg::Sends { generation, answer });
            }
            Effect::LoadRows { ids } => {
                let asked = ids.clone();
                let rows = context.ask(Some(&self.turns.rows), async move { store.rows(&ids).await });
                context.answer(all.clone(), rows, move |answer| Msg::Rows { asked, answer });
            }
            Effect::CountNewer { filter, than, generation } => {
                let newer = context.ask(Some(&self.turns.newer), async move { store.newer(&filter, than).await });
                context.answer(all.clone(), newer, move |answer| Msg::Newer { generation, answer });
            }
            Effect::LoadCounts => {
                let counts = context.ask(Some(&self.turns.counts), async move { store.counts().await });
                context.answer(all.clone(), counts, Msg::Counts);
            }
            Effect::LoadOutbox => {
                let outbox = context.ask(Some(&self.turns.outbox), async move { store.outbox().await });
                context.answer(all.clone(), outbox, Msg::Outbox);
            }
            Effect::LoadDetail { id } => {
                let detail = async move { Ok(store.show(id).await?.map(Box::new)) };
                let detail = context.ask(Some(&self.turns.detail), detail);
                context.answer(all.clone(), detail, move |answer| Msg::Detail { id, answer });
            }
            Effect::PlanResend { id } => {
                let context = Arc::clone(context);
                let planning = Arc::clone(&context);
                let plan = async move { planning.act(desk.plan_resend(id)).await };
                context.answer(all.clone(), plan, move |answer| Msg::ResendPlanned { id, answer });
            }
            Effect::PlanJob { scope, generation } => {
                let planning = Arc::clone(context);
                let plan = async move { planning.act(desk.plan_job(&scope)).await.map(Box::new) };
                context.answer(self.plan.next(all), plan, move |answer| Msg::JobPlanned { generation, answer });
            }
            other => debug_assert!(false, "not a load: {other:?}"),
        }
    }

    fn act(&self, effect: Effect) {
        let context = Arc::clone(&self.context);
        let Some(desk) = context.desk.clone() else { return unasked(&effect) };
        let actor = context.actor.clone();
        context.open.fetch_add(1, Ordering::SeqCst);
        let act = async move {
            let msg = match effect {
                Effect::Resend { id } => {
                    let resent = async { desk.resend(&actor, id, Priority::Person).await };
                    Msg::Resent { id, answer: context.act(resent).await }
                }
                Effect::ForceVerify { id, reason } => {
                    let verified = async { desk.force_verify(&actor, id, &reason).await };
                    let answer = context.act(verified).await.map(|_| ());
                    Msg::ForceVerified { id, answer }
                }
                Effect::SignUp { email, name, locale } => {
                    let request = desk::SignUp { email, name, locale };
                    let signed_up = async { desk.sign_up(&actor, &request).await };
                    Msg::SignedUp(context.act(signed_up).await)
                }
                Effect::StartJob { scope, plan } => {
                    let grace = desk.grace();
                    let started = context.act(desk.start_job(&actor, &scope, Some(&plan), grace)).await;
                    Msg::JobStarted(
                        started
                            .map(|id| JobStarted { id, starts_in: i64::try_from(grace.as_secs()).unwrap_or(i64::MAX) }),
                    )
                }
                Effect::ChangeJob { id, change } => {
                    let changed = async {
                        match change {
                            JobChange::Pause => desk.pause_job(&actor, id).await,
                            JobChange::Resume => desk.resume_job(&actor, id).await,
                            JobChange::Cancel => desk.cancel_job(&actor, id).await,
                        }
                    };
                    Msg::JobChanged { id, change, answer: context.act(changed).await }
                }
                Effect::SetBrake { change, reason } => {
                    let set = async {
                        match change {
                            BrakeChange::Pause => desk.pause(&actor, &reason).await,
                            BrakeChange::Drain => desk.drain(&actor, &reason).await,
                            BrakeChange::Resume => desk.resume(&actor).await,
                        }
                    };
                    Msg::BrakeSet { change, answer: context.act(set).await }
                }
                other => {
                    debug_assert!(false, "not an act: {other:?}");
                    return;
                }
            };
            context.close(msg);
        };
        // What could break in it answers by itself.
        self.acts.spawn(contained_async(act));
    }
}

/// What needs a database is not asked for where there is none.
fn unasked(effect: &Effect) {
    tracing::debug!("no database for {effect:?}");
}

impl Context {
    fn tell(&self, msg: Msg) {
        // Nobody listens once the console has ended.
        let _ = self.messages.send(msg);
    }

    /// Answers an effect.
    fn close(&self, msg: Msg) {
        // Before the message, so that whoever has read it knows whether more will come.
        self.open.fetch_sub(1, Ordering::SeqCst);
        self.tell(msg);
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
                result = timeout(LOAD_MAX, asked) => context.judge(result.map_err(|_| LOAD_MAX)),
            }
        }
    }

    /// Acts, unless the database is known to be away. Once begun, an act is not given up because it goes away.
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
    /// Cancels the one before and gives the next one's token.
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

impl From<Broke> for Problem {
    fn from(broke: Broke) -> Self {
        let hint = "it is a fault of this program, brought out by what it read; everything else goes on".into();
        Self { what: broke.to_string(), hint, ..Self::default() }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        Self { what: error.to_string(), hint: error.hint().into(), away: error.is_away(), possible_at: None }
    }
}

impl From<desk::Error> for Problem {
    fn from(error: desk::Error) -> Self {
        let possible_at = match &error {
            // On the database's clock, as `Model::now` is.
            desk::Error::Refused(desk::Refusal::CoolDown { until, .. } | desk::Refusal::DailyCap { until, .. }) => {
                Some(*until)
            }
            _ => None,
        };
        let away = matches!(&error, desk::Error::Store(error) if error.is_away());
        Self { what: error.to_string(), hint: error.hint(), away, possible_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verification::Counts;

    #[tokio::test]
    async fn a_question_that_breaks_is_answered_and_the_next_one_too() {
        let (executor, mut inbox) = Executor::new(None, Settings::default(), "mina");
        for breaks in [true, false, true] {
            let query = async move {
                assert!(!breaks, "a row of the test");
                Ok(Counts::default())
            };
            let counts = executor.context.ask(Some(&executor.turns.counts), query);
            executor.context.answer(executor.all.clone(), counts, Msg::Counts);
            let Some(Msg::Counts(answer)) = inbox.recv().await else { panic!("no answer") };
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
        executor.context.answer(executor.all.clone(), breaks(), Msg::Counts);
        executor.context.see_through(&executor.acts, breaks(), Msg::Counts);
        for _ in 0..2 {
            let answer = timeout(Duration::from_secs(20), inbox.recv()).await.expect("an answer");
            let Some(Msg::Counts(Err(problem))) = answer else { panic!("{answer:?}") };
            assert!(problem.what.contains("a template of the test"), "{problem:?}");
        }
        assert!(executor.is_idle());
    }

    #[test]
    fn a_resend_is_possible_again_by_the_database_s_clock() {
        // An hour behind this machine's.
        let now = chrono::Utc::now() - chrono::Duration::hours(1);
        let until = now + chrono::Duration::seconds(40);
        for refusal in [desk::Refusal::CoolDown { until, now }, desk::Refusal::DailyCap { until, now }] {
            assert_eq!(Problem::from(desk::Error::Refused(refusal)).possible_at, Some(until));
        }
    }
}
