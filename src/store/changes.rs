//! What other processes changed, heard through `LISTEN`.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::pooler::Sessions;
use super::{Error, Store};
use crate::contain;
use crate::domain::change::Change;
use crate::text::plain;

/// The channel's name.
pub(super) const CHANNEL: &str = "verifydesk";

/// How long a subscription may take to show that it is alive.
const CHECK_MAX: Duration = Duration::from_secs(1);

/// How long one that is followed may be silent before it is asked whether it is alive.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// Changes heard and not taken yet; more wait in the connection.
const HEARD_MAX: usize = 64;

/// A subscription on a connection of its own.
#[derive(Debug)]
pub struct Changes {
    listener: PgListener,
}

/// A subscription on a task of its own, which asks it after a silence whether it is alive. Ends when dropped.
#[derive(Debug)]
pub struct Following {
    heard: mpsc::Receiver<Result<Change, Error>>,
    _task: AbortOnDropHandle<Result<(), contain::Broke>>,
}

impl Following {
    /// Waits for the next change; cancel safe. An error is the last: subscribe again, then read.
    pub async fn next(&mut self) -> Result<Change, Error> {
        self.heard.recv().await.unwrap_or_else(|| Err(Error::from(sqlx::Error::WorkerCrashed)))
    }
}

impl Store {
    /// Subscribes. What changes from now on is heard; what changed before must be read.
    pub async fn listen(&self) -> Result<Changes, Error> {
        if self.listening.is_none() && self.sessions.get() == Some(&Sessions::Shared) {
            return Err(Error::Pooler(plain("changes cannot be heard through it; set `database_listen_url`")));
        }
        let pool = self.listening.as_ref().unwrap_or(self.pool());
        // A large future, which every caller would hold.
        let mut listener = Box::pin(PgListener::connect_with(pool)).await?;
        listener.ignore_pool_close_event(true);
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(Changes { listener })
    }
}

impl Changes {
    /// For a listener that has no moment of its own to check it.
    #[must_use]
    pub fn follow(mut self) -> Following {
        let (sender, heard) = mpsc::channel(HEARD_MAX);
        // Where it breaks nothing more is heard, which the other end takes for the end of the connection.
        let task = contain::spawn(async move {
            loop {
                let heard = match tokio::time::timeout(SILENCE_MAX, self.next()).await {
                    Ok(heard) => heard,
                    Err(_) => match self.check().await {
                        Ok(()) => continue,
                        Err(error) => Err(error),
                    },
                };
                let is_last = heard.is_err();
                if sender.send(heard).await.is_err() || is_last {
                    return;
                }
            }
        });
        Following { heard, _task: AbortOnDropHandle::new(task) }
    }

    /// Waits for the next change; cancel safe. An error means that the connection is gone and changes may have been
    /// missed: subscribe again, then read.
    pub async fn next(&mut self) -> Result<Change, Error> {
        match self.listener.try_recv().await? {
            Some(notification) => Ok(Change::parse(notification.payload())),
            None => Err(Error::from(sqlx::Error::WorkerCrashed)),
        }
    }

    /// Asks something on the subscription's own connection: one that a firewall has forgotten stays silent
    /// indefinitely, as one on which nothing happens does.
    pub async fn check(&mut self) -> Result<(), Error> {
        // Not a checked query: there is nothing in it to check.
        let asked = sqlx::query("select 1").execute(&mut self.listener);
        match tokio::time::timeout(CHECK_MAX, asked).await {
            Ok(answer) => Ok(answer.map(drop)?),
            Err(_) => Err(Error::Away(plain("no answer within a second"))),
        }
    }
}
