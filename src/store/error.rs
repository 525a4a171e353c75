//! What can go wrong with the database, sorted by what a person can do about it.

use std::io;

use sqlx::error::DatabaseError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use strum::IntoStaticStr;

use super::connect;
use crate::metrics;
use crate::text::{Plain, plain};

/// What the database raises for an act about a user who is being deleted (migration 47).
const BEING_DELETED: &str = "VD010";

/// A database error. `Display` says what happened, [`Error::hint`] what to do.
#[derive(Debug, thiserror::Error, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Error {
    /// Not reachable, or it hung up.
    #[error("the database does not answer: {0}")]
    Away(Plain),
    /// Its certificate is not one to trust.
    #[error("the database's certificate is not trusted: {0}")]
    Untrusted(Plain),
    /// No protected connection, though one is demanded.
    #[error("the connection to the database cannot be protected: {0}")]
    NoTls(Plain),
    /// A pooler that loses prepared statements.
    #[error("PgBouncer, or another pooler before the database, does not keep sessions: {0}")]
    Pooler(Plain),
    /// A pooler that puts each transaction on another session, while one session is needed.
    #[error("a pooler before the database shares sessions, and migrations and roles need one of their own")]
    SharedSessions,
    /// It refuses the user or the act.
    #[error("the database refuses: {0}")]
    Denied(Plain),
    /// It lets this user, or anyone, only read.
    #[error("the database does not allow it: {0}")]
    ReadOnly(Plain),
    /// The audit log is not for this login.
    #[error("this login may not read the audit log: {0}")]
    NoAudit(Plain),
    #[error("there is no such database: {0}")]
    NoDatabase(Plain),
    /// The schema is older than this program, or not there.
    #[error("the database is not prepared for this version: {0}")]
    NotMigrated(Plain),
    /// The schema is newer than this program.
    #[error("the database belongs to a newer verifydesk: {0}")]
    Newer(Plain),
    /// Names and mails in every script cannot be kept in it.
    #[error("the database is encoded in {0}; verifydesk needs UTF-8")]
    NotUnicode(Plain),
    /// Tables would have no place to be.
    #[error("the database has no schema for verifydesk: {0}")]
    NoSchema(Plain),
    /// PostgreSQL is too old.
    #[error("PostgreSQL {0} is too old; verifydesk needs 14 or later")]
    TooOld(Plain),
    /// The extension for searching cannot be had.
    #[error("the extension pg_trgm cannot be created: {0}")]
    NoTrigrams(Plain),
    /// An act about a user who is being deleted.
    #[error("the database does not allow it: {0}")]
    BeingDeleted(Plain),
    /// A statement ran into its time-out.
    #[error("the database took too long: {0}")]
    TooSlow(Plain),
    /// Another transaction was in the way.
    #[error("the database was busy with the same rows: {0}")]
    Contended(Plain),
    /// The server has used up what it runs on: disk, memory, files.
    #[error("the database server has run out of something: {0}")]
    Exhausted(Plain),
    /// A value that cannot be stored, or one that is stored and cannot be read.
    #[error("a value cannot be written or read: {0}")]
    Value(Plain),
    /// A rule of the schema forbids it.
    #[error("the database forbids it: {0}")]
    Constraint(Plain),
    /// Anything else.
    #[error("the database failed: {0}")]
    Other(Plain),
}

impl Error {
    /// By its SQLSTATE. <https://www.postgresql.org/docs/current/errcodes-appendix.html>
    fn of_state(code: &str, is_fatal: bool, message: Plain) -> Self {
        match code {
            // Connection exceptions; too many connections; shutting down or starting up.
            code if code.starts_with("08") => Self::Away(message),
            connect::OTHER_KIND | "53300" | "57P01" | "57P02" | "57P03"
            // And a session that was ended since it stood still: in a transaction, in one that took too long, in none.
            | "25P03" | "25P04" | "57P05" => Self::Away(message),
            connect::UNTRUSTED => Self::Untrusted(message),
            connect::NO_TLS => Self::NoTls(message),
            // A prepared statement that is not there, or there already.
            "26000" | "42P05" => Self::Pooler(message),
            "28000" | "28P01" => Self::Denied(message),
            // Who is not let in at all meets the same code.
            "42501" if is_fatal => Self::Denied(message),
            "42501" | "25006" => Self::ReadOnly(message),
            BEING_DELETED => Self::BeingDeleted(message),
            "57014" => Self::TooSlow(message),
            // Serialization failure, deadlock, lock not available.
            "40001" | "40P01" | "55P03" => Self::Contended(message),
            // Not there, or dropped while it was used.
            "3D000" | "57P04" => Self::NoDatabase(message),
            "3F000" => Self::NoSchema(message),
            // Undefined table, column or function.
            "42P01" | "42703" | "42883" => Self::NotMigrated(message),
            code if code.starts_with("22") => Self::Value(message),
            code if code.starts_with("23") => Self::Constraint(message),
            // Insufficient resources, and what the system beneath the server refuses.
            code if code.starts_with("53") || code.starts_with("58") => Self::Exhausted(message),
            _ => Self::Other(message),
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Away(_) => "check that PostgreSQL runs and that DATABASE_URL points to it",
            Self::Untrusted(_) => {
                "have sslrootcert in DATABASE_URL name the certificate of the authority that signed the server's, and the \
                 host be named as the certificate names it"
            }
            Self::NoTls(_) => "turn on ssl in the server, or correct sslmode in DATABASE_URL",
            Self::Pooler(_) => {
                "set pool_mode = session for this database, or use PgBouncer 1.21 or later with max_prepared_statements \
                 above 0; or have DATABASE_URL name the server itself"
            }
            Self::SharedSessions => {
                "for this command, have DATABASE_URL name the server itself, or a database of the pooler with \
                 pool_mode = session"
            }
            Self::Denied(_) => "check the user, password and rights that DATABASE_URL names",
            Self::ReadOnly(_) => {
                "this role or this server may only read, or not do this; to act, have DATABASE_URL name a login with a role \
                 (docs/roles.md) and a server that may"
            }
            Self::NoAudit(_) => {
                "operators, support and viewers may: have DATABASE_URL name a login with one of these roles (docs/roles.md)"
            }
            Self::NoDatabase(_) => "create it with `createdb`, or correct DATABASE_URL",
            Self::NotMigrated(_) => "run `verifydesk migrate`",
            Self::Newer(_) => "install the newer verifydesk on this machine too",
            Self::NotUnicode(_) => {
                "make another with `createdb --template template0 --encoding UTF8 --locale C.UTF-8 NAME`, and have \
                 DATABASE_URL name it"
            }
            Self::NoSchema(_) => {
                "the search_path of the role or of DATABASE_URL names no schema that is there and that the role may use: \
                 create it with `create schema NAME authorization ROLE`, or correct the search_path"
            }
            Self::TooOld(_) => "upgrade the server, or point DATABASE_URL to a newer one",
            Self::NoTrigrams(_) => {
                "install PostgreSQL's contrib package, or have a superuser run `create extension pg_trgm` in this database"
            }
            Self::BeingDeleted(_) => "`verifydesk undo` takes it back, as long as they are there",
            Self::TooSlow(_) => "search for something longer, or try again when the server is less busy",
            Self::Contended(_) => "try again",
            Self::Exhausted(_) => "see the server's log and its free disk space; nothing was changed",
            Self::Value(_) | Self::Constraint(_) | Self::Other(_) => "see the server's log; nothing was changed",
        }
    }

    /// Whether this program made a mistake; everything else is for an operator to fix, and then the same act works.
    #[must_use]
    pub fn is_a_fault(&self) -> bool {
        matches!(self, Self::Value(_) | Self::Constraint(_) | Self::Other(_))
    }

    /// Whether it lies in what was to be written, so that the same statement fails however often it is tried (SQLSTATE
    /// classes 22 and 23). Everything else may pass, though it may take an operator.
    #[must_use]
    pub fn is_of_the_row(&self) -> bool {
        matches!(self, Self::Value(_) | Self::Constraint(_))
    }

    /// Whether a lock that another process holds may be what was waited for.
    #[must_use]
    pub fn is_in_the_way(&self) -> bool {
        matches!(self, Self::TooSlow(_) | Self::Contended(_))
    }

    /// Whether waiting may help: the database is away, not wrong.
    #[must_use]
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Away(_))
    }
}

/// Whether a statement was refused on a connection that stays usable: what a trigger raises may bear the code of one
/// that is lost.
pub(super) fn is_of_statement(error: &sqlx::Error) -> bool {
    let error = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    error.is_some_and(|error| error.severity() == PgSeverity::Error)
}

/// Why there is no connection. What the system says of a socket that is not there sounds like a file that someone lost.
fn not_reached(error: &io::Error) -> Plain {
    match error.kind() {
        io::ErrorKind::NotFound => plain("no server listens on its socket; it may be stopped"),
        io::ErrorKind::ConnectionRefused => plain("no server listens there; it may be stopped"),
        _ => plain(&error.to_string()),
    }
}

fn is_fatal(error: &dyn DatabaseError) -> bool {
    error.try_downcast_ref::<PgDatabaseError>().is_some_and(|error| error.severity() == PgSeverity::Fatal)
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let error = Self::of(&error);
        metrics::process().database_error((&error).into());
        error
    }
}

impl Error {
    fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default();
                Self::of_state(&code, is_fatal(database.as_ref()), plain(database.message()))
            }
            sqlx::Error::Io(io) => Self::Away(not_reached(io)),
            sqlx::Error::Tls(tls) => Self::Away(plain(&format!("TLS: {tls}"))),
            sqlx::Error::PoolTimedOut => Self::Away(plain("no connection within 5 seconds")),
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Self::Away(plain("the connection was closed")),
            sqlx::Error::Protocol(what) => Self::Away(plain(what)),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Encode(_) => {
                Self::Value(plain(&error.to_string()))
            }
            other => Self::Other(plain(&other.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_server_is_said_in_words() {
        for code in [2, 111] {
            let error = Error::from(sqlx::Error::Io(io::Error::from_raw_os_error(code))).to_string();
            assert!(error.contains("no server listens") && !error.contains("os error"), "{error}");
        }
    }

    #[test]
    fn states_are_distinguished_by_what_can_be_done() {
        const AWAY: &str = "the database does not answer";
        const BUSY: &str = "the database was busy";
        const OUT: &str = "the database server has run out";
        let table = [
            ("08000", AWAY),
            ("08001", AWAY),
            ("08003", AWAY),
            ("08004", AWAY),
            ("08006", AWAY),
            ("08P01", AWAY),
            ("53000", OUT),
            ("53100", OUT),
            ("53200", OUT),
            ("53300", AWAY),
            ("53400", OUT),
            ("57014", "the database took too long"),
            (BEING_DELETED, "the database does not allow it"),
            ("57P01", AWAY),
            ("57P02", AWAY),
            ("57P03", AWAY),
            ("57P04", "there is no such database"),
            ("57P05", AWAY),
            ("25P03", AWAY),
            ("25P04", AWAY),
            ("25006", "the database does not allow it"),
            ("40001", BUSY),
            ("40P01", BUSY),
            ("55P03", BUSY),
            ("58030", OUT),
            ("58P01", OUT),
            ("22P02", "a value cannot be written"),
            ("23505", "the database forbids it"),
            ("XX000", "the database failed"),
            ("", "the database failed"),
        ];
        for (code, expected) in table {
            let error = Error::of_state(code, true, plain("why"));
            assert!(error.to_string().starts_with(expected), "{code}: {error}");
        }
    }
}
