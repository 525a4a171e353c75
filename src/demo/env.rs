//! The demo's environment: everything a site has, on one machine and for one person. A private PostgreSQL with demo
//! data, the verification view on a loopback port, a worker whose mails are files, and an SES that reports on them.

use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::cluster::{Cluster, ClusterError, Options};
use super::fake_data;
use super::ses::SimulatedSes;
use crate::config::{Capture, Console, Secret, SettingError, Settings, TransportKind};
use crate::contain::{self, Broke, contained_async};
use crate::desk::Desk;
use crate::outbox::worker::{Mode, Worker};
use crate::store::{self, Store};
use crate::web;

/// The cluster's database.
pub const DATABASE: &str = "verifydesk";

/// The same users every time.
const SEED: u64 = 20_261_122;

/// The view's port, if it is free: then links mailed before a restart still work.
const PORT: u16 = 8625;

/// Why the demo cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The private PostgreSQL.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Its database.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The demo's settings.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A file or a port.
    #[error("{doing}: {source}")]
    Io {
        /// What was tried.
        doing: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The demo, running. [`DemoEnv::shutdown`] stops everything cleanly; dropped, it stops the cluster at least.
pub struct DemoEnv {
    /// Settings with which everything here runs.
    pub settings: Settings,
    /// The acts.
    pub desk: Desk,
    /// How many demo people were made now; `None` if they were there.
    pub made: Option<usize>,
    cluster: Cluster,
    tasks: JoinSet<Result<(), Broke>>,
    stop: CancellationToken,
}

impl DemoEnv {
    /// Starts everything. From `base` comes what the demo does not decide: templates, saved filters, glyphs.
    pub async fn start(options: Options, base: &Settings) -> Result<Self, Error> {
        let kept = options.clone();
        let cluster = start_cluster(options).await?;
        let directory = kept.own_directory()?;
        cluster.create_database(DATABASE).await?;
        let (listener, address) = listen().await?;
        let settings = Settings {
            database_url: Some(Secret::new(cluster.url(DATABASE))),
            public_url: Some(format!("http://{address}")),
            secret: Some(secret(&directory.join("secret"))?),
            site: crate::config::Site { name: "Demo site".into(), ..crate::config::Site::default() },
            mail: crate::config::Mail {
                transport: TransportKind::Capture,
                from: Some("Demo site <no-reply@demo.example.com>".into()),
                reply_to: Some("help@demo.example.com".into()),
                ..crate::config::Mail::default()
            },
            capture: Capture { dir: Some(mail_directory(&directory)) },
            templates: base.templates.clone(),
            filters: base.filters.clone(),
            // What is told of another database is not so of this one.
            console: Console { environment: None, ..base.console.clone() },
            ..Settings::default()
        };
        let store = Store::open(&settings)?;
        store.migrate().await?;
        let made = if store.counts().await?.of(None) == 0 {
            Some(
                fake_data::fill(store.pool(), chrono::Utc::now(), SEED, settings.require_secret()?.bytes())
                    .await?
                    .users,
            )
        } else {
            None
        };
        let desk = Desk::with(store.clone(), &settings);
        let worker = Worker::from_settings(store, &settings)?;
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let (stop_worker, stop_view, stop_ses) = (stop.clone(), stop.clone(), stop.clone());
        let ses = SimulatedSes::new(desk.clone(), mail_directory(&directory));
        tasks.spawn(contained_async(ses.run(stop_ses)));
        tasks.spawn(contained_async(async move {
            if let Err(error) = worker.run(Mode::Forever, stop_worker).await {
                tracing::error!(%error, "the demo's worker ended");
            }
        }));
        let context = web::Context::new(desk.clone(), &settings);
        tasks.spawn(contained_async(async move {
            if let Err(error) = web::serve(listener, context, stop_view).await {
                tracing::error!(%error, "the demo's verification view ended");
            }
        }));
        Ok(Self { settings, desk, made, cluster, tasks, stop })
    }

    /// Stops the tasks, then PostgreSQL.
    pub async fn shutdown(mut self) -> Result<(), Error> {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.desk.store().close().await;
        blocking(move || self.cluster.stop()).await?;
        Ok(())
    }
}

/// Removes the demo's data, its secret and its mails.
pub fn reset(options: &Options) -> Result<(), Error> {
    Cluster::reset(options)?;
    let Ok(own) = options.own_directory() else { return Ok(()) };
    let (secret, mails) = (own.join("secret"), mail_directory(&own));
    for removed in [std::fs::remove_file(&secret), std::fs::remove_dir_all(&mails)] {
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io(format!("removing the demo's files in {}", own.display()))(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Where the demo's mails are.
#[must_use]
pub fn mail_directory(directory: &Path) -> PathBuf {
    directory.join("mail")
}

async fn start_cluster(options: Options) -> Result<Cluster, Error> {
    blocking(move || Cluster::start(options)).await
}

/// Runs what blocks for seconds on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ClusterError> + Send + 'static,
) -> Result<T, Error> {
    match contain::spawn_blocking(work).await {
        Ok(Ok(result)) => Ok(result?),
        Ok(Err(broke)) => Err(Error::Io { doing: "starting PostgreSQL".into(), source: std::io::Error::other(broke) }),
        Err(error) => Err(Error::Io { doing: "starting PostgreSQL".into(), source: std::io::Error::other(error) }),
    }
}

async fn listen() -> Result<(TcpListener, SocketAddr), Error> {
    let any = || async { TcpListener::bind(("127.0.0.1", 0)).await };
    let listener = match TcpListener::bind(("127.0.0.1", PORT)).await {
        Ok(listener) => listener,
        Err(_) => any().await.map_err(Error::io("finding a free port for the verification view"))?,
    };
    let address = listener.local_addr().map_err(Error::io("finding a free port for the verification view"))?;
    Ok((listener, address))
}

/// The demo's server secret: made once, kept with the data that its keys belong to, readable by its owner only.
fn secret(file: &Path) -> Result<Secret, Error> {
    let shown = file.display().to_string();
    match std::fs::read_to_string(file) {
        Ok(text) => return Ok(Secret::new(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(Error::io(format!("reading {shown}"))(error)),
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Error::io("making a secret")(std::io::Error::other(error)))?;
    let text = STANDARD.encode(bytes);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
        .open(file)
        .and_then(|mut out| out.write_all(text.as_bytes()))
        .map_err(Error::io(format!("writing {shown}")))?;
    Ok(Secret::new(text))
}
