//! The beginning of a session, as far as it must be understood: the client's first message, the exchange of passwords,
//! which is passed on as it is, and what the server reports of itself before it is ready.
//! <https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP>

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::standing;

/// Longest message of a beginning; the longest real ones hold a few hundred bytes.
const MESSAGE_MAX: usize = 64 * 1024;

/// A connection to the server, of whatever kind.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// What a server reports of itself; `None` for what it does not report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reported {
    pub(super) in_hot_standby: Option<bool>,
    /// Whether its transactions only read unless they say otherwise.
    pub(super) default_read_only: Option<bool>,
}

/// How a beginning ended.
#[derive(Debug)]
pub(super) enum Began {
    /// The server is ready; these bytes say so to the client.
    Ready(Reported, Vec<u8>),
    /// It refuses, in these bytes and with this SQLSTATE.
    Refused(Vec<u8>, String),
}

/// The client's first message, with its length.
pub(super) async fn first_message(client: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let length = client.read_u32().await?;
    let rest = usize::try_from(length).ok().and_then(|length| length.checked_sub(4));
    let mut message = length.to_be_bytes().to_vec();
    message.resize(4 + within_bounds(rest)?, 0);
    client.read_exact(&mut message[4..]).await?;
    Ok(message)
}

/// Begins a session with the server on behalf of the client. `passed` becomes true once the client has heard something
/// of the server: from then on no other can take its place. With `asks` the server is asked what it is besides.
pub(super) async fn begin<C, S>(
    client: &mut C,
    server: &mut S,
    first: &[u8],
    patience: Duration,
    asks: bool,
    passed: &mut bool,
) -> io::Result<Began>
where
    C: AsyncRead + AsyncWrite + Unpin,
    S: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    server.write_all(first).await?;
    server.flush().await?;
    let mut reported = Reported::default();
    let mut kept = Vec::new();
    loop {
        let next = if *passed { message(server).await? } else { within(patience, message(server)).await? };
        match next[0] {
            b'R' => {
                *passed = true;
                client.write_all(&next).await?;
                client.flush().await?;
                // All but "ok" and the last word of SASL are questions.
                let is_question = next.get(5..9).is_some_and(|code| code != [0, 0, 0, 0] && code != [0, 0, 0, 12]);
                if is_question {
                    let answer = message(client).await?;
                    server.write_all(&answer).await?;
                    server.flush().await?;
                }
            }
            b'E' => {
                let code = field(&next, b'C').unwrap_or_default();
                return Ok(Began::Refused(next, code));
            }
            kind => {
                if kind == b'S' {
                    reported.hear(&next[5..]);
                }
                kept.extend_from_slice(&next);
                if kind == b'Z' {
                    let reported = if asks { standing::ask(server).await? } else { reported };
                    return Ok(Began::Ready(reported, kept));
                }
                within_bounds(Some(kept.len()))?;
            }
        }
    }
}

impl Reported {
    /// Hears the body of a message of the kind `S`.
    pub(super) fn hear(&mut self, status: &[u8]) {
        let mut parts = status.split(|byte| *byte == 0);
        let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        match name {
            b"in_hot_standby" => self.in_hot_standby = Some(value == b"on"),
            b"default_transaction_read_only" => self.default_read_only = Some(value == b"on"),
            _ => {}
        }
    }
}

/// A refusal in the server's stead.
pub(super) fn refusal(code: &str, message: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for (field, value) in [(b'S', "FATAL"), (b'V', "FATAL"), (b'C', code), (b'M', message)] {
        body.push(field);
        body.extend(value.bytes().filter(|byte| *byte != 0));
        body.push(0);
    }
    body.push(0);
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    let mut refusal = vec![b'E'];
    refusal.extend(length.to_be_bytes());
    refusal.extend(body);
    refusal
}

/// What the server says in a refusal.
pub(super) fn message_of(refusal: &[u8]) -> String {
    field(refusal, b'M').unwrap_or_default()
}

fn field(refusal: &[u8], wanted: u8) -> Option<String> {
    let fields = refusal.get(5..)?.split(|byte| *byte == 0);
    let field = fields.into_iter().find(|field| field.first() == Some(&wanted))?;
    Some(String::from_utf8_lossy(&field[1..]).into_owned())
}

pub(super) async fn message(from: &mut (impl AsyncRead + Unpin + ?Sized)) -> io::Result<Vec<u8>> {
    let mut head = [0; 5];
    from.read_exact(&mut head).await?;
    let length = usize::try_from(u32::from_be_bytes([head[1], head[2], head[3], head[4]])).ok();
    let length = within_bounds(length.and_then(|length| length.checked_sub(4)))?;
    let mut message = head.to_vec();
    message.resize(5 + length, 0);
    from.read_exact(&mut message[5..]).await?;
    Ok(message)
}

fn within_bounds(length: Option<usize>) -> io::Result<usize> {
    length
        .filter(|length| *length <= MESSAGE_MAX)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it does not speak PostgreSQL's protocol"))
}

async fn within<T>(limit: Duration, doing: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match timeout(limit, doing).await {
        Ok(done) => done,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "it took the connection and says nothing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_standby_says_so_before_it_is_ready() {
        let (mut client, mut ours) = tokio::io::duplex(1024);
        let (mut theirs, mut server) = tokio::io::duplex(1024);
        let said = b"R\0\0\0\x08\0\0\0\0S\0\0\0\x16in_hot_standby\0on\0Z\0\0\0\x05I";
        server.write_all(said).await.unwrap();
        let mut passed = false;
        let began = begin(&mut ours, &mut theirs, b"first", Duration::from_secs(1), false, &mut passed).await.unwrap();
        let Began::Ready(reported, kept) = began else { panic!("{began:?}") };
        assert_eq!((reported.in_hot_standby, reported.default_read_only, passed), (Some(true), None, true));
        assert_eq!(kept, &said[9..]);
        let mut heard = [0; 9];
        client.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, said[..9]);
        let mut first = [0; 5];
        server.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"first");
    }

    #[test]
    fn refusals_are_sent_in_the_servers_form() {
        let refusal = refusal("08001", "db:5432: refused");
        assert_eq!(field(&refusal, b'C').as_deref(), Some("08001"));
        assert_eq!(message_of(&refusal), "db:5432: refused");
        assert_eq!(usize::from(refusal[4]), refusal.len() - 1);
    }

    #[tokio::test]
    async fn what_speaks_another_protocol_is_reported_as_such() {
        let mut http: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\r\n";
        assert_eq!(message(&mut http).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
