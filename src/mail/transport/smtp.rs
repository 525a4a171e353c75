//! SMTP over lettre's connection, driven command by command.
//!
//! lettre's own `send` hides at which stage a mail failed, its pool takes back connections whose last answer was never
//! read, and its time-outs end at the TCP connect. Here each command has its time-out, a connection lives in the
//! future that uses it (so that cancelling drops both), and goes back to the lane only after an answer 250.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials as SignIn, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::Data;
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error, response::Response};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::line_stream::LineStream;
use super::reply::without_status;
use super::trust::{self, Trust, Way};
use super::{Cause, Failure, Lease, Reply, Stage, within_lease};
use crate::config::{SettingError, Settings, Tls};
use crate::mail::message::Composed;
use crate::ses::{SmtpTarget, smtp_settings};
use crate::text::Untrusted;

/// How long a connection may wait for its next mail. SES closes after about 10 s, with an answer that would be taken
/// for the answer to the next command.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// How long taking leave may last.
const QUIT_MAX: Duration = Duration::from_secs(2);

/// How long each stage may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Finding and reaching the server.
    pub connect: Duration,
    /// Each command up to the announcement of the mail; the TLS handshake with its two commands counts as one.
    pub command: Duration,
    /// The content and the answer to it. SES takes 0.6 s on average.
    pub end_of_data: Duration,
}

/// Longest wait for a connection, where commands may take longer.
const CONNECT_MAX: Duration = Duration::from_secs(10);

impl Timeouts {
    /// As the settings say.
    #[must_use]
    pub fn from_settings(settings: &Settings) -> Self {
        let smtp = &settings.smtp;
        Self { connect: smtp.timeout.min(CONNECT_MAX), command: smtp.timeout, end_of_data: smtp.data_timeout }
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
    trust: Option<Trust>,
    hello: ClientId,
    timeouts: Timeouts,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Smtp({:?})", self.target)
    }
}

impl Smtp {
    pub(super) fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let target = smtp_settings(settings)?;
        let trust = match target.tls {
            Tls::Starttls | Tls::Tls => Some(Trust::new(&target.host, settings.smtp.ca_file.as_deref())?),
            Tls::None => None,
        };
        Ok(Self { target: Arc::new(target), trust, hello: hello(), timeouts: Timeouts::from_settings(settings) })
    }

    pub(super) fn with_timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    pub(super) fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    pub(super) fn target(&self) -> String {
        let SmtpTarget { host, port, .. } = &*self.target;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// A connection that is ready for a mail: greeted, encrypted, signed in.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let mut connection = match &self.trust {
            None => self.reach().await?,
            Some(trust) => {
                let way = trust.way();
                match self.encrypted(trust, &way).await {
                    Ok(connection) => connection,
                    Err(failure) => match trust.instead_of(&way, &failure) {
                        Some(other) => self.encrypted(trust, &other).await?,
                        None => return Err(failure),
                    },
                }
            }
        };
        self.sign_in(&mut connection).await?;
        Ok(connection)
    }

    /// A connection that is encrypted, to a server that is trusted.
    async fn encrypted(&self, trust: &Trust, way: &Way<'_>) -> Result<AsyncSmtpConnection, Failure> {
        let (Way::Authority(parameters) | Way::Pinned(parameters)) = *way;
        let (connection, stage) = if self.target.tls == Tls::Tls {
            (self.reach_encrypted(parameters.clone()).await?, Stage::Connect)
        } else {
            let mut connection = self.reach().await?;
            if !connection.can_starttls() {
                leave(connection);
                return Err(Failure::new(Stage::StartTls, Cause::NoStartTls));
            }
            let upgraded = connection.starttls(parameters.clone(), &self.hello);
            within(self.timeouts.command, Stage::StartTls, upgraded).await?;
            (connection, Stage::StartTls)
        };
        if let Way::Pinned(_) = way {
            trust.check(&connection, stage)?;
        }
        Ok(connection)
    }

    async fn reach(&self) -> Result<AsyncSmtpConnection, Failure> {
        let address = (self.target.host.as_str(), self.target.port);
        let stream = match timeout(self.timeouts.connect, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => LineStream::new(stream),
            Ok(Err(error)) => return Err(Failure::new(Stage::Connect, network(&error.to_string()))),
            Err(_) => return Err(Failure::new(Stage::Connect, Cause::TimedOut(self.timeouts.connect))),
        };
        let greeted = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &self.hello);
        within(self.timeouts.command, Stage::Greeting, greeted).await
    }

    async fn reach_encrypted(&self, tls: TlsParameters) -> Result<AsyncSmtpConnection, Failure> {
        let address = (self.target.host.as_str(), self.target.port);
        let Timeouts { connect, command, .. } = self.timeouts;
        let greeted = AsyncSmtpConnection::connect_tokio1(address, Some(connect), &self.hello, Some(tls), None);
        within(connect + command, Stage::Greeting, greeted).await
    }

    async fn sign_in(&self, connection: &mut AsyncSmtpConnection) -> Result<(), Failure> {
        let Some(credentials) = &self.target.credentials else { return Ok(()) };
        if connection.server_info().get_auth_mechanism(DEFAULT_MECHANISMS).is_none() {
            return if credentials.derived { Ok(()) } else { Err(Failure::new(Stage::Auth, Cause::NoAuth)) };
        }
        let sign_in = SignIn::new(credentials.username.clone(), credentials.password.expose().to_owned());
        let signed_in = connection.auth(DEFAULT_MECHANISMS, &sign_in);
        let response = within(self.timeouts.command, Stage::Auth, signed_in).await?;
        expect(&response, Stage::Auth, &[235]).map(drop)
    }

    /// One mail over a connection that is ready for it. On failure the connection's state is not known any more.
    async fn converse(
        &self,
        connection: &mut AsyncSmtpConnection,
        mail: &Composed,
        lease: &Lease,
    ) -> Result<Reply, Failure> {
        let Timeouts { command, end_of_data, .. } = self.timeouts;
        // Both addresses are plain ASCII without brackets or spaces, so nothing can be put behind them.
        let steps = [
            (Stage::Mail, format!("MAIL FROM:<{}>\r\n", mail.from), [250, 250]),
            (Stage::Rcpt, format!("RCPT TO:<{}>\r\n", mail.to), [250, 251]),
            (Stage::Data, Data.to_string(), [354, 354]),
        ];
        for (stage, line, codes) in steps {
            if stage == Stage::Data {
                within_lease(lease, self.timeouts.longest_content(), stage)?;
            }
            let response = within(command, stage, connection.command(line)).await?;
            expect(&response, stage, &codes)?;
        }
        // lettre ends the content with a line break of its own.
        let content = mail.bytes.strip_suffix(b"\r\n").unwrap_or(&mail.bytes);
        let response = within(end_of_data, Stage::EndOfData, connection.message(content)).await?;
        expect(&response, Stage::EndOfData, &[250])
    }
}

/// A lane's connection between two mails.
struct Idle {
    connection: AsyncSmtpConnection,
    since: Instant,
}

/// Sends one mail after the other over at most one connection.
pub(super) struct SmtpLane {
    smtp: Smtp,
    idle: Option<Idle>,
}

impl fmt::Debug for SmtpLane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpLane({:?}, {})", self.smtp, if self.idle.is_some() { "connected" } else { "not connected" })
    }
}

impl SmtpLane {
    pub(super) fn new(smtp: Smtp) -> Self {
        Self { smtp, idle: None }
    }

    pub(super) async fn send(&mut self, mail: &Composed, lease: &Lease) -> Result<Reply, Failure> {
        let mut waiting = self.idle.take().and_then(|idle| {
            if idle.since.elapsed() < IDLE_MAX {
                return Some(idle.connection);
            }
            leave(idle.connection);
            None
        });
        let mut may_retry = true;
        loop {
            let reused = waiting.is_some();
            let mut connection = match waiting.take() {
                Some(connection) => connection,
                None => self.smtp.connect().await?,
            };
            match self.smtp.converse(&mut connection, mail, lease).await {
                Ok(reply) => {
                    self.idle = Some(Idle { connection, since: Instant::now() });
                    return Ok(reply);
                }
                Err(failure) => {
                    let is_polite = match &failure.cause {
                        Cause::Reply(reply) => reply.code != 421,
                        cause => *cause == Cause::LeaseEnds,
                    };
                    if is_polite {
                        leave(connection);
                    }
                    if !(may_retry && was_stale(&failure, reused)) {
                        return Err(failure);
                    }
                    may_retry = false;
                }
            }
        }
    }

    pub(super) async fn close(self) {
        if let Some(idle) = self.idle {
            quit(idle.connection).await;
        }
    }
}

/// Whether the server had given the connection up before the mail began, so that a new one may be tried at once.
fn was_stale(failure: &Failure, reused: bool) -> bool {
    failure.stage == Stage::Mail
        && match &failure.cause {
            Cause::Reply(Reply { code: 451, text }) if is_idle_timeout(text.raw()) => true,
            Cause::Reply(reply) => reused && reply.code == 421,
            Cause::Network(_) | Cause::TimedOut(_) => reused,
            _ => false,
        }
}

/// SES's `451 4.4.2 Timeout waiting for data from client.`
fn is_idle_timeout(text: &str) -> bool {
    without_status(text).to_ascii_lowercase().starts_with("timeout waiting for data")
}

/// Takes leave without making anybody wait.
fn leave(connection: AsyncSmtpConnection) {
    tokio::spawn(quit(connection));
}

async fn quit(mut connection: AsyncSmtpConnection) {
    // Whatever comes of it, the connection ends here.
    let _ = timeout(QUIT_MAX, connection.quit()).await;
}

/// Runs a step under its time-out.
async fn within<T>(limit: Duration, stage: Stage, step: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
    match timeout(limit, step).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(failure(stage, &error)),
        Err(_) => Err(Failure::new(stage, Cause::TimedOut(limit))),
    }
}

/// The answer, if it has one of the codes that this stage asks for.
fn expect(response: &Response, stage: Stage, codes: &[u16]) -> Result<Reply, Failure> {
    let text = response.message().collect::<Vec<_>>().join(" ");
    let reply = Reply::new(code(&response.code()), text);
    if codes.contains(&reply.code) { Ok(reply) } else { Err(Failure::new(stage, Cause::Reply(reply))) }
}

fn code(code: &impl fmt::Display) -> u16 {
    code.to_string().parse().unwrap_or_default()
}

/// What lettre's error means.
fn failure(stage: Stage, error: &Error) -> Failure {
    let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    if let Some(status) = error.status() {
        return Failure::new(stage, Cause::Reply(Reply::new(code(&status), text)));
    }
    let whole = if text.is_empty() { error.to_string() } else { text };
    if let Some((_, what)) = whole.split_once("invalid peer certificate: ") {
        return Failure::new(stage, trust::complaint(what));
    }
    // With TLS from the first byte lettre connects and greets in one step, and tells by its text alone which it was.
    let unreached = stage == Stage::Greeting && error.to_string().starts_with("Connection error");
    Failure::new(if unreached { Stage::Connect } else { stage }, network(&whole))
}

fn network(what: &str) -> Cause {
    // lettre's word for the end of the stream in the middle of an answer or before one.
    let what = if what == "incomplete response" { "the server closed the connection" } else { what };
    Cause::Network(Untrusted::new(what))
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
