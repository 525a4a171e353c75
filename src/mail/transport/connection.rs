//! One connection to a mail server, driven command by command, each under its time-out.

use std::io;
use std::time::Duration;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Ehlo, Starttls};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error, response::Response};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::dialogue::{Dialogue, Phase};
use super::offers::Offers;
use super::reply_adapter::{self, Socket, Unasked, Wire, code_of};
use super::secret_redactor::SecretRedactor;
use super::sign_in::SignIn;
use super::tls_verifier::TlsVerifier;
use super::{Cause, Failure, Reply, Stage, Timeouts};
use crate::contain;
use crate::dial::Dialer;
use crate::text::Untrusted;

/// How long QUIT may take.
const QUIT_MAX: Duration = Duration::from_secs(2);

/// How long a connection is silent before the system probes the other end, so that a firewall does not forget it while
/// an answer is awaited. Probes that fail for as long as our longest time-out end the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How long to wait for what has arrived already.
const LOOK_MAX: Duration = Duration::from_secs(1);

pub(super) struct Connection {
    smtp: AsyncSmtpConnection,
    wire: Wire,
    offers: Offers,
    /// Whether the server has closed it, or is about to.
    is_over: bool,
}

impl Connection {
    /// Is greeted over a socket, and says EHLO.
    pub(super) async fn greet(
        socket: Socket,
        hello: &ClientId,
        limit: Duration,
        dialogue: Option<Dialogue>,
    ) -> Result<Self, Failure> {
        let (stream, wire) = reply_adapter::over(socket, dialogue);
        let greeted = AsyncSmtpConnection::connect_with_transport(Box::new(stream), hello);
        let smtp = within(limit, Stage::Greeting, &wire, greeted).await?;
        let offers = Offers::of(&wire.last_answer());
        Ok(Self { smtp, wire, offers, is_over: false })
    }

    /// Whether another mail may go over it.
    pub(super) fn is_usable(&self) -> bool {
        !self.is_over
    }

    pub(super) fn offers_starttls(&self) -> bool {
        self.offers.starttls
    }

    /// Goes on within TLS.
    pub(super) async fn starttls(
        &mut self,
        tls: &TlsVerifier,
        hello: &ClientId,
        limit: Duration,
    ) -> Result<(), Failure> {
        let stage = Stage::StartTls;
        self.command(stage, Starttls, limit, &[220]).await?;
        let clear = self.wire.take_clear().ok_or_else(|| unasked_for(stage, self.wire.unasked()))?;
        let encrypted = encrypt(tls, clear, stage, limit).await?;
        self.wire.transcript(|transcript| transcript.note(&describe(&encrypted)));
        self.wire.put_encrypted(encrypted);
        // What was offered in clear text may have come from anyone on the way.
        self.command(stage, Ehlo::new(hello.clone()), limit, &[250]).await?;
        self.offers = Offers::of(&self.wire.last_answer());
        Ok(())
    }

    pub(super) async fn sign_in(&mut self, user: &str, password: &str, limit: Duration) -> Result<(), Failure> {
        let stage = Stage::Auth;
        let Some(mechanism) = self.offers.mechanism() else {
            return Err(Failure::new(stage, Cause::NoAuth));
        };
        let mut sign_in = SignIn::new(mechanism, user, password);
        self.wire.redact(SecretRedactor::new(user, password));
        self.wire.set_phase(Phase::Auth);
        let conversation = async {
            let mut said = self.smtp.command(sign_in.begin()).await?;
            while said.has_code(334)
                && let Some(answer) = sign_in.answer(said.first_line().unwrap_or_default())
            {
                said = self.smtp.command(answer).await?;
            }
            Ok(said)
        };
        let said = within(limit, stage, &self.wire, conversation).await?;
        self.wire.set_phase(Phase::Commands);
        if said.has_code(334) {
            // A question is the one line that came as it was.
            return Err(Failure::new(stage, Cause::Reply(Reply::new(334, ""))));
        }
        self.expect(&said, stage, &[235]).map(drop)
    }

    /// One command, and its answer if it has one of these codes.
    pub(super) async fn command(
        &mut self,
        stage: Stage,
        command: impl std::fmt::Display,
        limit: Duration,
        codes: &[u16],
    ) -> Result<Reply, Failure> {
        let said = within(limit, stage, &self.wire, self.smtp.command(command)).await?;
        self.expect(&said, stage, codes)
    }

    /// The content of a mail, and the answer to the whole mail. Where more than one has come, it is not known which is
    /// the mail's, so that none counts; but a server that closes behind its answer may say so.
    pub(super) async fn content(&mut self, bytes: &[u8], limit: Duration) -> Result<Reply, Failure> {
        self.wire.transcript(|transcript| {
            transcript
                .record(super::dialogue::Speaker::Client, &format!("({} bytes of mail, then a dot)", bytes.len()));
            transcript.set_phase(Phase::Content);
        });
        self.wire.begin_mail();
        // lettre ends the content with a line break of its own.
        let content = bytes.strip_suffix(b"\r\n").unwrap_or(bytes);
        let said = within(limit, Stage::EndOfData, &self.wire, self.smtp.message(content)).await;
        if let Err(failure) = &said
            && !self.wire.is_mail_ended()
        {
            return Err(Failure::new(Stage::Content, failure.cause.clone()));
        }
        self.wire.set_phase(Phase::Commands);
        let answer = said.and_then(|said| self.expect(&said, Stage::EndOfData, &[250]));
        let (Ok(reply) | Err(Failure { cause: Cause::Reply(reply), .. })) = &answer else { return answer };
        match timeout(LOOK_MAX, self.wire.look()).await.unwrap_or_default() {
            None => {}
            Some(Unasked::End) => self.is_over = true,
            Some(Unasked::Line(line)) if is_farewell(&line) && reply.code != 421 => self.is_over = true,
            Some(Unasked::Line(line)) => {
                let both = Untrusted::new(format!("{}; {line}", reply.whole().raw()));
                return Err(Failure::new(Stage::EndOfData, Cause::OutOfTurn(both)));
            }
        }
        answer
    }

    /// Sends QUIT without making anyone wait.
    pub(super) fn leave(self) {
        contain::spawn(self.quit());
    }

    /// Sends QUIT, within a bounded time. Whatever comes of it, the connection ends here.
    pub(super) async fn quit(mut self) {
        self.wire.set_phase(Phase::Commands);
        let _ = timeout(QUIT_MAX, self.smtp.quit()).await;
    }

    /// The answer, if it has one of the codes that this stage asks for.
    fn expect(&self, said: &Response, stage: Stage, codes: &[u16]) -> Result<Reply, Failure> {
        let text = said.message().collect::<Vec<_>>().join(" ");
        let reply = Reply::new(self.wire.odd_code().unwrap_or(said.code().into()), text);
        if codes.contains(&reply.code) { Ok(reply) } else { Err(Failure::new(stage, Cause::Reply(reply))) }
    }
}

/// Reaches a server. A mail's end is written apart from its content: without `TCP_NODELAY` it would wait for the
/// receipt of the content, which receivers hold back for 40 ms (RFC 896 meets RFC 1122, 4.2.3.2).
pub(super) async fn reach(dialer: &Dialer, address: (&str, u16), timeouts: Timeouts) -> Result<TcpStream, Failure> {
    let limit = timeouts.connect;
    match dialer.connect(address.0, address.1, limit).await {
        Ok(socket) => {
            // Should any of it fail, mails are but slower, or broken connections seen later.
            let _ = socket.set_nodelay(true);
            let options = SockRef::from(&socket);
            let _ = options.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE));
            #[cfg(target_os = "linux")]
            let _ = options.set_tcp_user_timeout(Some(timeouts.command.max(timeouts.end_of_data)));
            Ok(socket)
        }
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            Err(Failure::new(Stage::Connect, Cause::TimedOut(limit)))
        }
        Err(error) => Err(Failure::new(Stage::Connect, network(&error.to_string()))),
    }
}

/// Begins TLS over a socket.
pub(super) async fn encrypt(
    tls: &TlsVerifier,
    socket: TcpStream,
    stage: Stage,
    limit: Duration,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Failure> {
    match timeout(limit, tls.handshake(socket)).await {
        Ok(Ok(encrypted)) => Ok(encrypted),
        Ok(Err(cause)) => Err(Failure::new(stage, cause)),
        Err(_) => Err(Failure::new(stage, Cause::TimedOut(limit))),
    }
}

/// What begins the note on what protects a connection.
pub(super) const ENCRYPTED: &str = "encrypted from here on: ";

/// Version and cipher, for those who listen in.
pub(super) fn describe(encrypted: &tokio_rustls::client::TlsStream<TcpStream>) -> String {
    let (_, tls) = encrypted.get_ref();
    let version = tls.protocol_version().map_or_else(String::new, |version| format!("{version:?}"));
    let cipher = tls.negotiated_cipher_suite().map_or_else(String::new, |suite| format!("{:?}", suite.suite()));
    format!("{ENCRYPTED}{version}, {cipher}")
}

/// Runs a step under its time-out.
async fn within<T>(
    limit: Duration,
    stage: Stage,
    wire: &Wire,
    step: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    match timeout(limit, step).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(failure(stage, &error, wire)),
        Err(_) => Err(Failure::new(stage, Cause::TimedOut(limit))),
    }
}

/// What lettre's error means.
fn failure(stage: Stage, error: &Error, wire: &Wire) -> Failure {
    // An answer counts though the server closes behind it, before the QUIT that lettre sends then.
    let is_answered = error.status().is_some();
    if let Some(unasked) = wire.unasked().filter(|unasked| !(is_answered && *unasked == Unasked::End)) {
        return unasked_for(stage, Some(unasked));
    }
    let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    if let Some(status) = error.status() {
        let code = wire.odd_code().unwrap_or(status.into());
        return Failure::new(stage, Cause::Reply(Reply::new(code, text)));
    }
    Failure::new(stage, network(if text.is_empty() { error.to_string() } else { text }.as_str()))
}

/// What came without having been asked for. Only that it closes may a server say at any time (RFC 5321, 3.8).
fn unasked_for(stage: Stage, unasked: Option<Unasked>) -> Failure {
    let cause = match unasked {
        Some(Unasked::Line(line)) if is_farewell(&line) => {
            Cause::Reply(Reply::new(421, line[3..].trim_start_matches(['-', ' ', '\t'])))
        }
        Some(Unasked::Line(line)) => Cause::OutOfTurn(Untrusted::new(line)),
        Some(Unasked::End) | None => network("the server closed the connection"),
    };
    Failure::new(stage, cause)
}

fn is_farewell(line: &str) -> bool {
    code_of(line) == Some("421")
}

fn network(what: &str) -> Cause {
    // lettre's word for the end of the stream in the middle of an answer or before one.
    let what = if what == "incomplete response" { "the server closed the connection" } else { what };
    Cause::Network(Untrusted::new(what))
}
