//! SMTP over lettre's connection, driven command by command.
//!
//! lettre's own `send` hides at which stage a mail failed, its pool takes back connections whose last answer was never
//! read, and its time-outs end at the TCP connect. Here each command has its time-out, a connection lives in the
//! future that uses it (so that cancelling drops both), and goes back to the lane only after an answer 250.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::commands::{Data, Noop};
use lettre::transport::smtp::extension::ClientId;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::connection::{Connection, describe, encrypt, reach};
use super::dialogue::{Dialogue, DialogueLine, Speaker};
use super::reply::without_status;
use super::reply_adapter::Socket;
use super::tls_verifier::TlsVerifier;
use super::{Cause, Failure, Lease, Reply, Stage, within_lease};
use crate::config::{SettingError, Settings, Tls};
use crate::dial::Dialer;
use crate::domain::address::EmailAddress;
use crate::domain::id::SendId;
use crate::mail::message::Composed;
use crate::ses::{SmtpTarget, smtp_settings};

/// How long a connection may wait for its next mail. SES closes after about 10 s, with an answer that would be taken
/// for the answer to the next command.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// How long each stage may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Finding and reaching the server.
    pub connect: Duration,
    /// Each command up to the announcement of the mail, the TLS handshake, and signing in.
    pub command: Duration,
    /// The content and the answer to it. SES takes 0.6 s on average.
    pub end_of_data: Duration,
    /// From when on a connection that has waited for its next mail is tested before it gets it: firewalls forget
    /// connections, and notify neither side. A mail would learn of it by the time-out of a command.
    pub tested_after: Duration,
}

/// How long a connection may wait for its next mail without being tested. One that is busy never is.
const TESTED_AFTER: Duration = Duration::from_secs(1);

/// How long the test may last. A server that takes longer only gets a new connection.
const TEST_MAX: Duration = Duration::from_secs(1);

/// Longest wait for a connection, where commands may take longer.
const CONNECT_MAX: Duration = Duration::from_secs(10);

impl Timeouts {
    /// As the settings say.
    #[must_use]
    pub fn from_settings(settings: &Settings) -> Self {
        let smtp = &settings.smtp;
        Self {
            connect: smtp.timeout.min(CONNECT_MAX),
            command: smtp.timeout,
            end_of_data: smtp.data_timeout,
            tested_after: TESTED_AFTER,
        }
    }

    /// The announcement of the mail, its content, and the answer.
    pub(super) fn longest_content(self) -> Duration {
        self.command + self.end_of_data
    }
}

/// The server and all that is needed to speak to it.
#[derive(Clone)]
pub(super) struct Smtp {
    target: Arc<SmtpTarget>,
    tls: Option<TlsVerifier>,
    hello: ClientId,
    timeouts: Timeouts,
    dialer: Dialer,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Smtp({:?})", self.target)
    }
}

impl Smtp {
    pub(super) fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let target = smtp_settings(settings)?;
        let tls = match target.tls {
            Tls::Starttls | Tls::Tls => Some(TlsVerifier::new(&target.host, settings.smtp.ca_file.as_deref())?),
            Tls::None => None,
        };
        let timeouts = Timeouts::from_settings(settings);
        Ok(Self { target: Arc::new(target), tls, hello: hello(), timeouts, dialer: Dialer::default() })
    }

    pub(super) fn with_timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    pub(super) fn with_dialer(self, dialer: Dialer) -> Self {
        Self { dialer, ..self }
    }

    pub(super) fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    pub(super) fn target(&self) -> String {
        let SmtpTarget { host, port, .. } = &*self.target;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// Whether there is a user to sign in as.
    pub(super) fn signs_in(&self) -> bool {
        self.target.credentials.is_some()
    }

    pub(super) fn encrypts(&self) -> bool {
        self.tls.is_some()
    }

    /// Connects as for a mail, names the sender, and takes leave.
    pub(super) async fn try_out(&self, sender: &EmailAddress, dialogue: Dialogue) -> Result<Reply, Failure> {
        let mut connection = self.ready(Some(&dialogue)).await?;
        let tried = async {
            self.sign_in(&mut connection).await?;
            self.name_sender(&mut connection, sender).await
        };
        let tried = tried.await;
        if tried.as_ref().err().is_none_or(Failure::is_polite_to_leave) {
            connection.quit().await;
        }
        tried
    }

    /// A connection that is ready for a mail: greeted, encrypted, signed in.
    async fn connect(&self, dialogue: Option<&Dialogue>) -> Result<Connection, Failure> {
        let mut connection = self.ready(dialogue).await?;
        self.sign_in(&mut connection).await?;
        Ok(connection)
    }

    /// A connection that is encrypted where it has to be, to a server that is trusted. An address that takes connections
    /// and says nothing, or nothing but that it is busy, is not the next one's first choice.
    async fn ready(&self, dialogue: Option<&Dialogue>) -> Result<Connection, Failure> {
        let note = |text: &str| {
            if let Some(dialogue) = dialogue {
                let _ = dialogue.send(DialogueLine::new(Speaker::Note, text));
            }
        };
        note(&format!("connecting to {}", self.target()));
        let address = (self.target.host.as_str(), self.target.port);
        let socket = reach(&self.dialer, address, self.timeouts).await?;
        let at = socket.peer_addr();
        let opened = self.open(socket, dialogue, &note).await;
        if let (Err(failure), Ok(at)) = (&opened, at) {
            let is_no_good = match &failure.cause {
                Cause::TimedOut(_) | Cause::Network(_) => true,
                Cause::Reply(reply) => (400..500).contains(&reply.code),
                _ => false,
            };
            if is_no_good {
                self.dialer.shun(at);
            }
        }
        opened
    }

    /// Is greeted, and goes on within TLS where it has to.
    async fn open(
        &self,
        socket: TcpStream,
        dialogue: Option<&Dialogue>,
        note: &impl Fn(&str),
    ) -> Result<Connection, Failure> {
        let command = self.timeouts.command;
        let socket = match &self.tls {
            Some(tls) if self.target.tls == Tls::Tls => {
                let encrypted = encrypt(tls, socket, Stage::Connect, command).await?;
                note(&describe(&encrypted));
                Socket::Encrypted(Box::new(encrypted))
            }
            _ => Socket::Clear(socket),
        };
        let mut connection = Connection::greet(socket, &self.hello, command, dialogue.cloned()).await?;
        if let (Some(tls), Tls::Starttls) = (&self.tls, self.target.tls) {
            if !connection.offers_starttls() {
                connection.leave();
                return Err(Failure::new(Stage::StartTls, Cause::NoStartTls));
            }
            connection.starttls(tls, &self.hello, command).await?;
        }
        Ok(connection)
    }

    async fn sign_in(&self, connection: &mut Connection) -> Result<(), Failure> {
        let Some(credentials) = &self.target.credentials else { return Ok(()) };
        connection.sign_in(&credentials.username, credentials.password.expose(), self.timeouts.command).await
    }

    /// Addresses are plain ASCII without brackets or spaces, so nothing can be put behind them.
    async fn name_sender(&self, connection: &mut Connection, sender: &EmailAddress) -> Result<Reply, Failure> {
        let named = format!("MAIL FROM:<{sender}>\r\n");
        connection.command(Stage::Mail, named, self.timeouts.command, &[250]).await
    }

    /// One mail over a connection that is ready for it. On failure the connection's state is not known any more.
    async fn converse(&self, connection: &mut Connection, mail: &Composed, lease: &Lease) -> Result<Reply, Failure> {
        let Timeouts { command, end_of_data, .. } = self.timeouts;
        self.name_sender(connection, &mail.from).await?;
        connection.command(Stage::Rcpt, format!("RCPT TO:<{}>\r\n", mail.to), command, &[250, 251]).await?;
        within_lease(lease, self.timeouts.longest_content(), Stage::Data)?;
        connection.command(Stage::Data, Data, command, &[354]).await?;
        connection.content(&mail.bytes, end_of_data).await
    }
}

/// A lane's connection between two mails.
struct Idle {
    connection: Connection,
    since: Instant,
    /// The mail that it took last; none yet if it is new.
    last: Option<SendId>,
}

/// Sends one mail after the other over at most one connection.
pub(super) struct SmtpLane {
    smtp: Smtp,
    idle: Option<Idle>,
    /// Where the conversation is reported, if anywhere.
    dialogue: Option<Dialogue>,
}

impl fmt::Debug for SmtpLane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpLane({:?}, {})", self.smtp, if self.idle.is_some() { "connected" } else { "not connected" })
    }
}

impl SmtpLane {
    pub(super) fn new(smtp: Smtp, dialogue: Option<Dialogue>) -> Self {
        Self { smtp, idle: None, dialogue }
    }

    pub(super) async fn send(&mut self, mail: &Composed, id: SendId, lease: &Lease) -> Result<Reply, Failure> {
        let mut may_retry = true;
        loop {
            let Idle { mut connection, last, .. } = self.connected().await?;
            let reused = last.is_some();
            match self.smtp.converse(&mut connection, mail, lease).await {
                Ok(reply) => {
                    if connection.is_usable() {
                        self.idle = Some(Idle { connection, since: Instant::now(), last: Some(id) });
                    }
                    return Ok(reply);
                }
                Err(failure) => {
                    if failure.is_polite_to_leave() {
                        connection.leave();
                    }
                    if let (true, Stage::Mail, Some(last)) = (reused, failure.stage, last) {
                        warn_of_a_line_too_many(&failure, last);
                    }
                    if !(may_retry && was_stale(&failure, reused)) {
                        return Err(failure);
                    }
                    may_retry = false;
                }
            }
        }
    }

    /// Makes sure that a connection waits for the next mail.
    pub(super) async fn open(&mut self) -> Result<(), Failure> {
        self.idle = Some(self.connected().await?);
        Ok(())
    }

    /// The connection that waits for the next mail, or a new one.
    async fn connected(&mut self) -> Result<Idle, Failure> {
        if let Some(idle) = self.waiting().await {
            return Ok(idle);
        }
        let connection = self.smtp.connect(self.dialogue.as_ref()).await?;
        Ok(Idle { connection, since: Instant::now(), last: None })
    }

    /// The connection that waits for the next mail, if it has not waited for too long and still answers.
    async fn waiting(&mut self) -> Option<Idle> {
        let Idle { mut connection, mut since, last } = self.idle.take()?;
        let waited = since.elapsed();
        if waited >= IDLE_MAX {
            connection.leave();
            return None;
        }
        if waited >= self.smtp.timeouts.tested_after {
            if let Err(failure) = connection.command(Stage::Mail, Noop, TEST_MAX, &[250]).await {
                if let Some(last) = last {
                    warn_of_a_line_too_many(&failure, last);
                }
                if failure.is_polite_to_leave() {
                    connection.leave();
                }
                return None;
            }
            // It has answered just now.
            since = Instant::now();
        }
        Some(Idle { connection, since, last })
    }

    pub(super) async fn close(self) {
        if let Some(idle) = self.idle {
            idle.connection.quit().await;
        }
    }
}

/// What stands on a connection behind the answer to a mail may be that answer, and what counted as it something else.
/// The mail is recorded by now, so this can only be logged.
fn warn_of_a_line_too_many(failure: &Failure, last: SendId) {
    // What it said may quote the mail, with its link.
    if let Cause::OutOfTurn(_) = failure.cause {
        tracing::warn!(
            send = %last,
            "the mail server sent more than one answer after this mail; the one that was recorded may be that of another command"
        );
    }
}

/// Whether the connection was no good any more before anything of the mail was said, so that a new one may be tried at once.
fn was_stale(failure: &Failure, reused: bool) -> bool {
    failure.stage == Stage::Mail
        && match &failure.cause {
            Cause::Reply(Reply { code: 451, text }) if is_idle_timeout(text.raw()) => true,
            Cause::Reply(reply) => reused && reply.code == 421,
            Cause::OutOfTurn(_) => true,
            Cause::Network(_) | Cause::TimedOut(_) => reused,
            _ => false,
        }
}

/// SES's `451 4.4.2 Timeout waiting for data from client.`
fn is_idle_timeout(text: &str) -> bool {
    without_status(text).to_ascii_lowercase().starts_with("timeout waiting for data")
}

/// How this machine calls itself; a name that is none would be refused.
fn hello() -> ClientId {
    match ClientId::default() {
        ClientId::Domain(name)
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b)) =>
        {
            ClientId::Ipv4(std::net::Ipv4Addr::LOCALHOST)
        }
        client => client,
    }
}
