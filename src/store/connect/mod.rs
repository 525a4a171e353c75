//! The way to the server: from a connection string as people have them to the server that is wanted, however many hosts
//! are named, addresses a name has, and standbys there are.
//!
//! sqlx 0.9 connects to one host, to its addresses one after the other without a bound for each, sets no options of the
//! socket, and reports every failure of TLS alike. So where the server is reached over a network, or where there are
//! several, sqlx is given a socket in a private directory, behind which a [`relay`] of ours makes the connection. The
//! other ways were these:
//!
//! - to resolve the name ourselves and hand sqlx the address (`PgPool::set_connect_options`): then TLS would verify the
//!   certificate against the address, and not against the name that the operator has written down, and still nothing
//!   could be asked of the socket;
//! - a stream of our own: sqlx has no way in for one.
//!
//! The relay speaks TLS itself, so it sees what the server reports of itself, and can ask it whether it is a standby.
//! And it answers in PostgreSQL's own words, so that what went wrong comes to a person with host and port. A copy in
//! memory each way is what it costs; a single server on a socket of this machine is reached without it.

mod directory;
mod dsn;
mod pump;
mod relay;
mod standing;
mod startup;
mod tls;

use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use self::dsn::{Dsn, Wanted};
use self::relay::Relay;
use super::Purpose;
use crate::config::SettingError;
use crate::dial::Dialer;
use crate::text::plain;

/// SQLSTATE of ours: the server's certificate is not trusted.
pub(super) const UNTRUSTED: &str = "VD001";

/// SQLSTATE of ours: the server speaks no TLS, or not ours.
pub(super) const NO_TLS: &str = "VD002";

/// SQLSTATE of ours: the server is none of the kind that is wanted.
pub(super) const OTHER_KIND: &str = "VD003";

/// How sqlx gets to the server.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// For a pool: waits a moment for a server that is about to come.
    pub(super) patient: PgConnectOptions,
    /// For a connection of its own: says at once why there is none, and may be silent for as long as it likes.
    pub(super) direct: PgConnectOptions,
    /// The same for statements that may take long, which are watched as the others are, but for longer.
    pub(super) long: PgConnectOptions,
    /// How many servers there are to be tried.
    pub(super) servers: usize,
    /// Which database, and on which host.
    pub(super) place: String,
    /// Ends with the last clone.
    _relay: Option<Arc<Relay>>,
}

impl Way {
    /// Reads a connection string; `purpose` is the pool's.
    pub(super) fn open(url: &str, purpose: Purpose) -> Result<Self, SettingError> {
        let dsn = dsn::parse(url, &|name| std::env::var(name).ok())?;
        Self::to(dsn, purpose, Dialer::default())
    }

    fn to(dsn: Dsn, purpose: Purpose, dialer: Dialer) -> Result<Self, SettingError> {
        let options = dsn.options.clone().ssl_mode(PgSslMode::Disable);
        let place = place(&dsn);
        if let [only] = dsn.servers.as_slice()
            && only.is_socket()
            && dsn.wanted == Wanted::Any
        {
            let options = options.socket(&only.name).port(only.port);
            return Ok(Self {
                patient: options.clone(),
                direct: options.clone(),
                long: options,
                servers: 1,
                place,
                _relay: None,
            });
        }
        let servers = dsn.servers.len();
        let tls = dsn.tls.connector()?;
        let relay = Relay::start(relay::Servers::new(dsn.servers, dsn.wanted, tls, dialer), purpose);
        let relay = relay.map_err(|error| {
            SettingError::new(
                format!("no socket to reach the database through can be made: {}", plain(&error.to_string())),
                "set TMPDIR to a directory in which this user may make files and sockets",
            )
        })?;
        let through = |port| options.clone().socket(relay.directory()).port(port);
        Ok(Self {
            patient: through(relay::PATIENT),
            direct: through(relay::DIRECT),
            long: through(relay::LONG),
            servers,
            place,
            _relay: Some(Arc::new(relay)),
        })
    }
}

/// The database, and the host of the first server.
fn place(dsn: &Dsn) -> String {
    // As PostgreSQL has it, the database is named after the user where it is not named.
    let database = dsn.options.get_database().unwrap_or(dsn.options.get_username());
    let host = dsn.servers.first().filter(|server| !server.is_socket()).map(|server| format!("@{}", server.name));
    plain(&format!("{database}{}", host.unwrap_or_default())).into_string()
}

/// Whether a server was reached that is not the wanted one.
pub(super) fn is_other_kind(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(database) if database.code().as_deref() == Some(OTHER_KIND))
}
