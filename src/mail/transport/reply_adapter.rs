//! A stream from which lettre reads at most one line at a time, in a form that it can parse, in clear or within TLS.
//!
//! lettre reads ahead, and keeps what it has read ahead across STARTTLS: lines that an attacker put into the clear text
//! behind the answer to STARTTLS would then pass for answers from within TLS (see "Why TLS is better without STARTTLS",
//! USENIX Security 2021). With one line a read there is nothing to keep; whatever came behind it fails the upgrade.
//!
//! lettre also takes some answers for a broken connection that are none, so that a refusal would count as a lost
//! answer: codes whose second digit is above 5, text that is not UTF-8, a code without text or with something else than a
//! space behind it, lines that end in a bare line feed, lines whose codes differ (of which the last counts, RFC 5321,
//! 4.2.1); and it panics at an empty word among what a server offers. [`normalize_reply`] brings them into form.
//!
//! Nothing is written while something unread stands on the connection: a line too many, or one too early, would be taken
//! for the answer to what is written next, and shift all answers behind it, so that one mail's refusal becomes the next
//! one's. What is found there fails the connection, and is reported ([`Unasked`]).
//!
//! What signs in never passes, should the server repeat it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::dialogue::{Dialogue, Phase, Transcript};
use super::secret_redactor::SecretRedactor;

/// How much is read from the socket at once.
const CHUNK: usize = 4096;

/// Longest line, and longest answer of several. lettre looks at the length of a line only when it has all of it, so that
/// one without an end would fill memory.
const ANSWER_MAX: usize = 64 * 1024;

/// Longest text of a line that is kept (RFC 5321, 4.5.3.1.5, asks for 512 with the code), so that lettre reads it; a
/// refusal is none the less one for being wordy.
const TEXT_MAX: usize = 900;

/// What lettre writes behind a mail's content, in one piece. The content itself cannot hold it, since its dots are doubled.
const MAIL_END: &[u8] = b"\r\n.\r\n";

/// What stands on a connection without having been asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unasked {
    /// A line, or the beginning of one.
    Line(String),
    /// The end of the connection.
    End,
}

/// Where the bytes go.
#[derive(Debug)]
pub(super) enum Socket {
    Clear(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
    /// Taken out for an upgrade that was not finished.
    Gone,
}

/// What lettre's connection and its owner share.
#[derive(Debug)]
struct Shared {
    socket: Socket,
    /// Read from the socket, no whole line yet.
    raw: Vec<u8>,
    /// The lines of an answer whose last line has not come yet.
    answer: Vec<String>,
    /// The lines of the last answer that was whole, fit to be shown.
    last: Vec<String>,
    /// Lines to be read after this one.
    lines: VecDeque<Vec<u8>>,
    /// A line, not read yet from `start` on.
    line: Vec<u8>,
    start: usize,
    /// The code of the last line, if lettre got another.
    odd_code: Option<u16>,
    /// What stood there when something was to be written.
    unasked: Option<Unasked>,
    /// Whether the end of the mail may have been written, a part of it at least.
    is_mail_ended: bool,
    redactor: SecretRedactor,
    transcript: Transcript,
}

/// The end that lettre holds.
#[derive(Debug)]
pub(super) struct ReplyAdapter(Arc<Mutex<Shared>>);

/// The other end: what lettre's interface cannot do.
#[derive(Clone, Debug)]
pub(super) struct Wire(Arc<Mutex<Shared>>);

/// A stream for lettre and the hold on it.
pub(super) fn over(socket: Socket, dialogue: Option<Dialogue>) -> (ReplyAdapter, Wire) {
    let transcript = Transcript::new(dialogue);
    let shared = Shared {
        socket,
        raw: Vec::new(),
        answer: Vec::new(),
        last: Vec::new(),
        lines: VecDeque::new(),
        line: Vec::new(),
        start: 0,
        odd_code: None,
        unasked: None,
        is_mail_ended: false,
        redactor: SecretRedactor::default(),
        transcript,
    };
    let shared = Arc::new(Mutex::new(shared));
    (ReplyAdapter(Arc::clone(&shared)), Wire(shared))
}

/// Held by one task at a time, and never across an await.
fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wire {
    /// The code of the last answer, if it is not the one that lettre got.
    pub(super) fn odd_code(&self) -> Option<u16> {
        lock(&self.0).odd_code
    }

    /// The lines of the last answer, with their codes.
    pub(super) fn last_answer(&self) -> Vec<String> {
        lock(&self.0).last.clone()
    }

    /// What stood on the connection when something was to be written, and failed it.
    pub(super) fn unasked(&self) -> Option<Unasked> {
        lock(&self.0).unasked.clone()
    }

    /// What stands on the connection now, where nothing should.
    pub(super) async fn look(&self) -> Option<Unasked> {
        poll_fn(|cx| lock(&self.0).poll_unasked(cx)).await
    }

    /// A mail has begun, and its end has not been written.
    pub(super) fn begin_mail(&self) {
        lock(&self.0).is_mail_ended = false;
    }

    /// Whether the server may have the whole mail: before its end was written, it cannot.
    pub(super) fn is_mail_ended(&self) -> bool {
        lock(&self.0).is_mail_ended
    }

    /// Takes the clear socket out, to encrypt it; `None` if something unasked for has come in already.
    pub(super) fn take_clear(&self) -> Option<TcpStream> {
        let mut shared = lock(&self.0);
        let is_clean = !shared.has_unread();
        if !is_clean {
            shared.unasked = Some(shared.unread());
        }
        match std::mem::replace(&mut shared.socket, Socket::Gone) {
            Socket::Clear(socket) if is_clean => Some(socket),
            _ => None,
        }
    }

    /// Continues with what [`Wire::take_clear`] returned.
    pub(super) fn put_encrypted(&self, socket: TlsStream<TcpStream>) {
        lock(&self.0).socket = Socket::Encrypted(Box::new(socket));
    }

    /// What no line may repeat from here on.
    pub(super) fn redact(&self, redactor: SecretRedactor) {
        lock(&self.0).redactor = redactor;
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        lock(&self.0).transcript.set_phase(phase);
    }

    pub(super) fn transcript<T>(&self, with: impl FnOnce(&mut Transcript) -> T) -> T {
        with(&mut lock(&self.0).transcript)
    }
}

impl Shared {
    /// Makes the next line of what has been read, if there is one.
    fn next_line(&mut self) -> io::Result<bool> {
        while self.lines.is_empty() {
            let Some(end) = self.raw.iter().position(|byte| *byte == b'\n') else { break };
            let raw: Vec<u8> = self.raw.drain(..=end).collect();
            let text = String::from_utf8_lossy(&raw);
            let (shown, text) = self.harmless(cut(&text));
            self.transcript.heard(&shown);
            let goes_on = code_of(&text).is_some() && text[3..].starts_with('-');
            self.answer.push(text);
            if !goes_on {
                self.end_answer();
            }
        }
        if self.raw.len() + self.answer.iter().map(String::len).sum::<usize>() > ANSWER_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the server's answer is too long"));
        }
        let Some(line) = self.lines.pop_front() else { return Ok(false) };
        (self.line, self.start) = (line, 0);
        Ok(true)
    }

    /// The answer is whole. All its lines get the code of the last.
    fn end_answer(&mut self) {
        let answer = std::mem::take(&mut self.answer);
        if answer.is_empty() {
            return;
        }
        let code = answer.last().and_then(|last| code_of(last)).map(ToOwned::to_owned);
        self.odd_code = None;
        for text in &answer {
            let (line, odd_code) = match &code {
                Some(code) if code_of(text).is_some() => normalize_reply(&format!("{code}{}", &text[3..])),
                _ => normalize_reply(text),
            };
            self.odd_code = odd_code;
            self.lines.push_back(line);
        }
        self.last = answer;
    }

    /// Reads from the socket; whether the connection goes on.
    fn poll_socket(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut chunk = [0; CHUNK];
        let mut read = ReadBuf::new(&mut chunk);
        ready!(match &mut self.socket {
            Socket::Clear(socket) => Pin::new(socket).poll_read(cx, &mut read),
            Socket::Encrypted(socket) => Pin::new(socket).poll_read(cx, &mut read),
            Socket::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        })?;
        self.raw.extend_from_slice(read.filled());
        Poll::Ready(Ok(!read.filled().is_empty()))
    }

    /// Whether something has been read that nothing has taken yet.
    fn has_unread(&self) -> bool {
        !(self.raw.is_empty() && self.answer.is_empty() && self.lines.is_empty() && self.start == self.line.len())
    }

    /// Whether the socket holds bytes, or its end, of which tokio may not know yet.
    fn has_bytes(&self) -> bool {
        let socket = match &self.socket {
            Socket::Clear(socket) => socket,
            Socket::Encrypted(socket) => socket.get_ref().0,
            Socket::Gone => return false,
        };
        SockRef::from(socket).peek(&mut [MaybeUninit::uninit()]).is_ok()
    }

    /// What stands on the connection. Waits for nothing but for word of what has arrived already.
    fn poll_unasked(&mut self, cx: &mut Context<'_>) -> Poll<Option<Unasked>> {
        if self.has_unread() {
            return Poll::Ready(Some(self.unread()));
        }
        match self.poll_socket(cx) {
            Poll::Ready(Ok(true)) => Poll::Ready(Some(self.unread())),
            Poll::Ready(Ok(false) | Err(_)) => Poll::Ready(Some(Unasked::End)),
            Poll::Pending if self.has_bytes() => Poll::Pending,
            Poll::Pending => Poll::Ready(None),
        }
    }

    /// What has been read and nothing has taken, its first line, fit to be shown.
    fn unread(&mut self) -> Unasked {
        let is_read = self.start == self.line.len();
        let text = if !is_read || self.next_line().is_ok_and(|is_there| is_there) {
            String::from_utf8_lossy(&self.line[self.start..]).trim_end().to_owned()
        } else if let Some(first) = self.answer.first() {
            first.clone()
        } else {
            let raw = String::from_utf8_lossy(&self.raw).into_owned();
            self.harmless(cut(&raw)).0
        };
        // A question is the one line that passes as it was.
        Unasked::Line(if text.starts_with("334") { "334".to_owned() } else { text })
    }

    /// The connection has ended. What is left of an answer is none, but lettre may see it.
    fn end(&mut self) {
        let raw = std::mem::take(&mut self.raw);
        self.end_answer();
        let (_, text) = self.harmless(&String::from_utf8_lossy(&raw));
        if !text.is_empty() && !self.transcript.is_signing_in() {
            self.lines.push_back(text.into_bytes());
        }
        (self.line, self.start) = (self.lines.pop_front().unwrap_or_default(), 0);
    }

    /// A line without what signs in: to be shown, and for lettre, who has to read what it is asked.
    fn harmless(&mut self, text: &str) -> (String, String) {
        match self.redactor.redact(text, self.transcript.is_signing_in()) {
            Some(kept) if text.starts_with("334") => (kept, text.to_owned()),
            Some(kept) => (kept.clone(), kept),
            None => (text.to_owned(), text.to_owned()),
        }
    }
}

/// A line without its end, and without what is too much of it.
fn cut(text: &str) -> &str {
    let text = text.trim_end();
    text[..text.floor_char_boundary(TEXT_MAX)].trim_end()
}

/// The three digits that a line begins with.
pub(super) fn code_of(text: &str) -> Option<&str> {
    text.get(..3).filter(|code| code.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A line of an answer as lettre reads it, with its code if that had to be replaced. The replacement is a code that
/// means success nowhere.
fn normalize_reply(text: &str) -> (Vec<u8>, Option<u16>) {
    let Some(code) = code_of(text) else { return ([text.as_bytes(), b"\r\n"].concat(), None) };
    let mut line = code.as_bytes().to_vec();
    let mut odd_code = None;
    if line[1] > b'5' {
        odd_code = code.parse().ok();
        line[1] = b'4';
    }
    let mut rest = &text[3..];
    let is_refusal = line[0] > b'3';
    match rest.chars().next() {
        Some('-' | ' ') => {}
        Some(c) if c.is_whitespace() => {
            line.push(b' ');
            rest = rest.trim_start();
        }
        None => line.push(b' '),
        // A refusal is one however it is written; nothing else is taken for what it may not be.
        Some(c) if is_refusal && !c.is_ascii_digit() => line.push(b' '),
        Some(_) => {}
    }
    line.extend_from_slice(rest.as_bytes());
    line.extend_from_slice(b"\r\n");
    (line, odd_code)
}

impl AsyncRead for ReplyAdapter {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *lock(&self.0);
        while this.start == this.line.len() && !this.next_line()? {
            if !ready!(this.poll_socket(cx))? {
                this.transcript.note("the server has closed the connection");
                this.end();
                break;
            }
        }
        let rest = &this.line[this.start..];
        let count = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..count]);
        this.start += count;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ReplyAdapter {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *lock(&self.0);
        if let Some(unasked) = ready!(this.poll_unasked(cx)) {
            let what = match &unasked {
                Unasked::Line(_) => "the server has spoken out of turn",
                Unasked::End => "the server has closed the connection",
            };
            this.transcript.note(what);
            this.unasked = Some(unasked);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, what)));
        }
        this.is_mail_ended |= buf.ends_with(MAIL_END);
        let count = ready!(match &mut this.socket {
            Socket::Clear(socket) => Pin::new(socket).poll_write(cx, buf),
            Socket::Encrypted(socket) => Pin::new(socket).poll_write(cx, buf),
            Socket::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        })?;
        this.transcript.wrote(&buf[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut lock(&self.0).socket {
            Socket::Clear(socket) => Pin::new(socket).poll_flush(cx),
            Socket::Encrypted(socket) => Pin::new(socket).poll_flush(cx),
            Socket::Gone => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut lock(&self.0).socket {
            Socket::Clear(socket) => Pin::new(socket).poll_shutdown(cx),
            Socket::Encrypted(socket) => Pin::new(socket).poll_shutdown(cx),
            Socket::Gone => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncTokioStream for ReplyAdapter {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &lock(&self.0).socket {
            Socket::Clear(socket) => socket.peer_addr(),
            Socket::Encrypted(socket) => socket.get_ref().0.peer_addr(),
            Socket::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    async fn pair() -> (ReplyAdapter, Wire, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, wire) = over(Socket::Clear(socket), None);
        (stream, wire, listener.accept().await.unwrap().0)
    }

    async fn reads(stream: &mut ReplyAdapter, size: usize) -> Vec<String> {
        let mut reads = Vec::new();
        loop {
            let mut buf = vec![0; size];
            match stream.read(&mut buf).await.unwrap() {
                0 => return reads,
                count => reads.push(String::from_utf8_lossy(&buf[..count]).into_owned()),
            }
        }
    }

    #[tokio::test]
    async fn a_read_ends_with_its_line() {
        let (mut stream, wire, mut peer) = pair().await;
        peer.write_all(b"220 go\r\n250 injected\r\nrest").await.unwrap();
        drop(peer);
        let mut buf = [0; 64];
        let count = stream.read(&mut buf).await.unwrap();
        assert_eq!(&buf[..count], b"220 go\r\n");
        assert_eq!(reads(&mut stream, 64).await, ["250 injected\r\n", "rest"]);
        assert!(wire.take_clear().is_some(), "all of it was read");
    }

    #[tokio::test]
    async fn what_comes_behind_the_answer_to_starttls_ends_the_connection() {
        let (mut stream, wire, mut peer) = pair().await;
        peer.write_all(b"220 go\r\n250 injected\r\n").await.unwrap();
        let mut buf = [0; 64];
        stream.read_exact(&mut buf[..8]).await.unwrap();
        assert!(wire.take_clear().is_none());
        assert!(stream.write_all(b"EHLO x\r\n").await.is_err());
    }

    #[tokio::test]
    async fn a_small_buffer_loses_nothing() {
        let (mut stream, _wire, mut peer) = pair().await;
        peer.write_all(b"250 abcdef\r\n").await.unwrap();
        drop(peer);
        assert_eq!(reads(&mut stream, 3).await.concat(), "250 abcdef\r\n");
    }

    #[tokio::test]
    async fn an_answer_without_an_end_is_not_kept_for_ever() {
        for piece in ["2", "250-a line of many\r\n"] {
            let (mut stream, wire, mut peer) = pair().await;
            let endless = tokio::spawn(async move { while peer.write_all(piece.as_bytes()).await.is_ok() {} });
            let error = stream.read(&mut [0; 64]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{piece}");
            drop((stream, wire));
            endless.await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_long_line_is_cut_and_counts() {
        let (mut stream, _wire, mut peer) = pair().await;
        peer.write_all(format!("550 {}\r\n", "no ".repeat(5_000)).as_bytes()).await.unwrap();
        drop(peer);
        let line = reads(&mut stream, 2_000).await.concat();
        assert!(line.starts_with("550 no no") && line.ends_with("no\r\n") && line.len() <= TEXT_MAX + 2, "{line}");
    }

    #[tokio::test]
    async fn the_last_line_s_code_is_the_answer_s() {
        for (said, heard, odd) in [
            ("250-Ok\r\n550 refused\r\n", ["550-Ok\r\n", "550 refused\r\n"], None),
            ("220-a\n571\tno\n", ["541-a\r\n", "541 no\r\n"], Some(571)),
            ("250-a\r\nhello\r\n", ["250-a\r\n", "hello\r\n"], None),
        ] {
            let (mut stream, wire, mut peer) = pair().await;
            peer.write_all(said.as_bytes()).await.unwrap();
            let mut buf = [0; 64];
            let count = stream.read(&mut buf).await.unwrap();
            assert_eq!(buf[..count], *heard[0].as_bytes(), "{said}");
            assert!(wire.take_clear().is_none(), "{said}");
            let (mut stream, wire, mut peer) = pair().await;
            peer.write_all(said.as_bytes()).await.unwrap();
            drop(peer);
            assert_eq!(reads(&mut stream, 64).await, heard, "{said}");
            assert_eq!(wire.odd_code(), odd, "{said}");
        }
    }

    #[test]
    fn answers_are_brought_into_form() {
        let table = [
            ("250 Ok", "250 Ok\r\n", None),
            ("250-Ok", "250-Ok\r\n", None),
            ("250", "250 \r\n", None),
            ("250-", "250-\r\n", None),
            ("550\tno", "550 no\r\n", None),
            ("550:no", "550 :no\r\n", None),
            ("5501 no", "5501 no\r\n", None),
            ("2500 Ok", "2500 Ok\r\n", None),
            ("250:Ok", "250:Ok\r\n", None),
            ("571 no", "541 no\r\n", Some(571)),
            ("571-no", "541-no\r\n", Some(571)),
            ("260 Ok", "240 Ok\r\n", Some(260)),
            ("364", "344 \r\n", Some(364)),
            ("", "\r\n", None),
            ("25", "25\r\n", None),
            ("hello", "hello\r\n", None),
            ("가나다", "가나다\r\n", None),
        ];
        for (text, line, code) in table {
            assert_eq!(normalize_reply(text), (line.as_bytes().to_vec(), code), "{text}");
        }
        assert_eq!(cut(&format!("550 {}\r\n", "가".repeat(400))), format!("550 {}", "가".repeat(298)));
        assert_eq!(cut(&format!("250-{}x\r\n", " ".repeat(950))), "250-", "no word that is empty");
    }
}
