//! One connection to a mail server, driven command by command, each under its time-out.

use std::io;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials as SignIn, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Auth, Ehlo, Starttls};
use lettre::transport::smtp::extension::{ClientId, Extension, ServerInfo};
use lettre::transport::smtp::{Error, response::Response};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::dialogue::{Dialogue, Speech};
use super::line_stream::{self, Socket, Wire};
use super::secrets::Secrets;
use super::trust::Trust;
use super::{Cause, Failure, Reply, Stage};
use crate::dial::Dialer;
use crate::text::Untrusted;

/// How long taking leave may last.
const QUIT_MAX: Duration = Duration::from_secs(2);

/// Most questions of a server that somebody signs in to; each known way has two at most.
const CHALLENGES_MAX: usize = 5;

pub(super) struct Connection {
    smtp: AsyncSmtpConnection,
    wire: Wire,
    /// What the server offers; after STARTTLS lettre's own knowledge of it is out of date.
    offers: ServerInfo,
}

impl Connection {
    /// Is greeted over a socket, and says EHLO.
    pub(super) async fn greet(
        socket: Socket,
        hello: &ClientId,
        limit: Duration,
        dialogue: Option<Dialogue>,
    ) -> Result<Self, Failure> {
        let (stream, wire) = line_stream::over(socket, dialogue);
        let greeted = AsyncSmtpConnection::connect_with_transport(Box::new(stream), hello);
        let smtp = within(limit, Stage::Greeting, &wire, greeted).await?;
        let offers = smtp.server_info().clone();
        Ok(Self { smtp, wire, offers })
    }

    pub(super) fn offers_starttls(&self) -> bool {
        self.offers.supports_feature(Extension::StartTls)
    }

    pub(super) fn offers_sign_in(&self) -> bool {
        self.offers.get_auth_mechanism(DEFAULT_MECHANISMS).is_some()
    }

    /// Goes on within TLS.
    pub(super) async fn starttls(&mut self, trust: &Trust, hello: &ClientId, limit: Duration) -> Result<(), Failure> {
        let stage = Stage::StartTls;
        self.command(stage, Starttls, limit, &[220]).await?;
        let clear = self.wire.take_clear();
        let clear = clear
            .ok_or_else(|| Failure::new(stage, Cause::Network("the server spoke out of turn before TLS".into())))?;
        let encrypted = encrypt(trust, clear, stage, limit).await?;
        self.wire.tap(|tap| tap.note(&describe(&encrypted)));
        self.wire.put_encrypted(encrypted);
        // What was offered in clear text may have been anybody's word.
        let said = within(limit, stage, &self.wire, self.smtp.command(Ehlo::new(hello.clone()))).await?;
        let offers = ServerInfo::from_response(&said);
        self.offers = offers.map_err(|error| failure(stage, &error, &self.wire))?;
        Ok(())
    }

    pub(super) async fn sign_in(&mut self, user: &str, password: &str, limit: Duration) -> Result<(), Failure> {
        let stage = Stage::Auth;
        let Some(mechanism) = self.offers.get_auth_mechanism(DEFAULT_MECHANISMS) else {
            return Err(Failure::new(stage, Cause::NoAuth));
        };
        let sign_in = SignIn::new(user.to_owned(), password.to_owned());
        self.wire.keep_back(Secrets::new(user, password));
        self.wire.set_speech(Speech::Secrets);
        let conversation = async {
            let mut said = self.smtp.command(Auth::new(mechanism, sign_in.clone(), None)?).await?;
            for _ in 0..CHALLENGES_MAX {
                if !said.has_code(334) {
                    break;
                }
                said = self.smtp.command(Auth::new_from_response(mechanism, sign_in.clone(), &said)?).await?;
            }
            Ok(said)
        };
        let said = within(limit, stage, &self.wire, conversation).await?;
        self.wire.set_speech(Speech::Commands);
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

    /// The content of a mail, and the answer to the whole mail.
    pub(super) async fn content(&mut self, bytes: &[u8], limit: Duration) -> Result<Reply, Failure> {
        self.wire.tap(|tap| {
            tap.tell(super::dialogue::Speaker::Client, &format!("({} bytes of mail, then a dot)", bytes.len()));
            tap.set_speech(Speech::Content);
        });
        // lettre ends the content with a line break of its own.
        let content = bytes.strip_suffix(b"\r\n").unwrap_or(bytes);
        let said = within(limit, Stage::EndOfData, &self.wire, self.smtp.message(content)).await?;
        self.wire.set_speech(Speech::Commands);
        self.expect(&said, Stage::EndOfData, &[250])
    }

    /// Takes leave without making anybody wait.
    pub(super) fn leave(self) {
        tokio::spawn(self.quit());
    }

    /// Takes leave, within a bounded time. Whatever comes of it, the connection ends here.
    pub(super) async fn quit(mut self) {
        self.wire.set_speech(Speech::Commands);
        let _ = timeout(QUIT_MAX, self.smtp.quit()).await;
    }

    /// The answer, if it has one of the codes that this stage asks for.
    fn expect(&self, said: &Response, stage: Stage, codes: &[u16]) -> Result<Reply, Failure> {
        let text = said.message().collect::<Vec<_>>().join(" ");
        let reply = Reply::new(self.wire.odd_code().unwrap_or(said.code().into()), text);
        if codes.contains(&reply.code) { Ok(reply) } else { Err(Failure::new(stage, Cause::Reply(reply))) }
    }
}

/// Reaches a server. A mail's end is written apart from its content: without `TCP_NODELAY` it would wait for the receipt
/// of the content, which receivers hold back for 40 ms (RFC 896 meets RFC 1122, 4.2.3.2).
pub(super) async fn reach(dialer: &Dialer, address: (&str, u16), limit: Duration) -> Result<TcpStream, Failure> {
    match dialer.connect(address.0, address.1, limit).await {
        Ok(socket) => {
            // Should it fail, mails are but slower.
            let _ = socket.set_nodelay(true);
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
    trust: &Trust,
    socket: TcpStream,
    stage: Stage,
    limit: Duration,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Failure> {
    match timeout(limit, trust.handshake(socket)).await {
        Ok(Ok(encrypted)) => Ok(encrypted),
        Ok(Err(cause)) => Err(Failure::new(stage, cause)),
        Err(_) => Err(Failure::new(stage, Cause::TimedOut(limit))),
    }
}

/// Version and cipher, for those who listen in.
pub(super) fn describe(encrypted: &tokio_rustls::client::TlsStream<TcpStream>) -> String {
    let (_, tls) = encrypted.get_ref();
    let version = tls.protocol_version().map_or_else(String::new, |version| format!("{version:?}"));
    let cipher = tls.negotiated_cipher_suite().map_or_else(String::new, |suite| format!("{:?}", suite.suite()));
    format!("encrypted from here on: {version}, {cipher}")
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
    let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    if let Some(status) = error.status() {
        let code = wire.odd_code().unwrap_or(status.into());
        return Failure::new(stage, Cause::Reply(Reply::new(code, text)));
    }
    Failure::new(stage, network(if text.is_empty() { error.to_string() } else { text }.as_str()))
}

fn network(what: &str) -> Cause {
    // lettre's word for the end of the stream in the middle of an answer or before one.
    let what = if what == "incomplete response" { "the server closed the connection" } else { what };
    Cause::Network(Untrusted::new(what))
}
