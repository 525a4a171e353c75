//! What the server says of itself, its clock included, for who looks whether all is well. None of these are checked queries:
//! they read the server's own tables, of whatever version it is, and what is missing is what they are to find.

use std::time::Duration;

use chrono::TimeDelta;

use super::migrate::SERVER_MIN;
use super::{Error, Store};
use crate::domain::Time;
use crate::text::{Plain, plain};

/// What the server and the database are.
#[derive(Debug)]
pub struct Server {
    /// Such as `17.2`.
    pub version: Plain,
    /// Why that does not do.
    pub fits: Result<(), Error>,
    pub encoding: Plain,
    /// Why that does not do.
    pub encoding_fits: Result<(), Error>,
    /// The schema that the extension for searching is in; `None` where there is none.
    pub trigrams: Option<Plain>,
    /// Whether the server takes no writes from us: a standby, or sessions that may only read.
    pub is_read_only: bool,
}

/// How the database sorts and compares text.
#[derive(Debug)]
pub struct Collation {
    pub ctype: Plain,
    pub collate: Plain,
    /// Whether Korean can be found by a part of a name; `None` without the extension.
    pub searches_korean: Option<bool>,
    /// The version that indexes were made with, and the one that the system has now, where they differ.
    pub moved: Option<(Plain, Plain)>,
}

/// How far two clocks are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// How much later it is on the database's.
    pub ahead: TimeDelta,
    /// How far off that may be: half the time that asking took.
    pub within: Duration,
}

impl Store {
    /// What the server and the database are.
    pub async fn server(&self) -> Result<Server, Error> {
        let (number, version, encoding, is_read_only): (i32, String, String, bool) = sqlx::query_as(
            "select current_setting('server_version_num')::int, current_setting('server_version'),
                current_setting('server_encoding'), current_setting('transaction_read_only')::boolean",
        )
        .fetch_one(self.pool())
        .await?;
        let trigrams: Option<String> = sqlx::query_scalar(
            "select n.nspname::text
            from pg_extension e
            join pg_namespace n on n.oid = e.extnamespace
            where e.extname = 'pg_trgm'",
        )
        .fetch_optional(self.pool())
        .await?;
        let (version, encoding) = (plain(&version), plain(&encoding));
        Ok(Server {
            fits: if number < SERVER_MIN { Err(Error::TooOld(version.clone())) } else { Ok(()) },
            version,
            encoding_fits: if encoding.as_str() == "UTF8" { Ok(()) } else { Err(Error::NotUnicode(encoding.clone())) },
            encoding,
            trigrams: trigrams.map(|schema| plain(&schema)),
            is_read_only,
        })
    }

    /// How the database sorts and compares text. Columns that older servers lack are read by name out of the whole row.
    pub async fn collation(&self, has_trigrams: bool) -> Result<Collation, Error> {
        let (ctype, collate, made_with): (String, String, Option<String>) = sqlx::query_as(
            "select datctype::text, datcollate::text, to_jsonb(d) ->> 'datcollversion'
            from pg_database d
            where datname = current_database()",
        )
        .fetch_one(self.pool())
        .await?;
        let now: Option<String> = if made_with.is_some() {
            sqlx::query_scalar(
                "select pg_database_collation_actual_version(oid) from pg_database where datname = current_database()",
            )
            .fetch_one(self.pool())
            .await?
        } else {
            None
        };
        let moved = made_with.zip(now).filter(|(then, now)| then != now);
        Ok(Collation {
            ctype: plain(&ctype),
            collate: plain(&collate),
            searches_korean: if has_trigrams { Some(self.searches_korean().await?) } else { None },
            moved: moved.map(|(then, now)| (plain(&then), plain(&now))),
        })
    }

    /// How far the database's clock is from one of ours.
    pub async fn clock(&self, ours: impl Fn() -> Time + Sync) -> Result<Clock, Error> {
        let mut connection = self.pool().acquire().await?;
        let asked = ours();
        let theirs: Time = sqlx::query_scalar("select clock_timestamp()").fetch_one(&mut *connection).await?;
        let half = (ours() - asked) / 2;
        // Nothing is earlier than its cause, but for a clock that is set meanwhile.
        let within = half.to_std().unwrap_or_default();
        Ok(Clock { ahead: theirs - (asked + half), within })
    }

    /// Whether this login may do what a worker does.
    pub async fn may_work(&self) -> Result<bool, Error> {
        let may: Option<bool> = sqlx::query_scalar(
            "select has_table_privilege('sends', 'update')
                and has_table_privilege('workers', 'insert')
                and has_column_privilege('verifications', 'key_nonce', 'select')
                and has_column_privilege('verifications', 'key_digest', 'update')",
        )
        .fetch_one(self.pool())
        .await?;
        Ok(may == Some(true))
    }

    /// Whether this login may read what an operator is shown.
    pub async fn may_look(&self) -> Result<bool, Error> {
        let may: Option<bool> = sqlx::query_scalar(
            "select has_table_privilege('workers', 'select')
                and has_table_privilege('brake', 'select')
                and has_table_privilege('ses_account', 'select')",
        )
        .fetch_one(self.pool())
        .await?;
        Ok(may == Some(true))
    }
}
