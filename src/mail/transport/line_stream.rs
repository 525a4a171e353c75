//! A TCP stream that hands out at most one line at a time.
//!
//! lettre reads ahead, and keeps what it has read ahead across STARTTLS: lines that an attacker put into the clear text
//! behind the answer to STARTTLS would then pass for answers from within TLS (see "Why TLS is better without STARTTLS",
//! USENIX Security 2021). With one line a read there is nothing to keep; what comes behind it reaches the TLS
//! handshake, which refuses it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How much is read from the socket at once.
const CHUNK: usize = 4096;

#[derive(Debug)]
pub(super) struct LineStream {
    inner: TcpStream,
    /// Read from the socket, not handed out yet from `start` on.
    held: Vec<u8>,
    start: usize,
}

impl LineStream {
    pub(super) fn new(inner: TcpStream) -> Self {
        // lettre writes a mail's end apart from its content; without this it would wait for the receipt of the content,
        // which receivers hold back for 40 ms (RFC 896 meets RFC 1122, 4.2.3.2). Should it fail, mails are but slower.
        let _ = inner.set_nodelay(true);
        Self { inner, held: Vec::new(), start: 0 }
    }
}

impl AsyncRead for LineStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.start == this.held.len() {
            let mut chunk = [0; CHUNK];
            let mut read = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut read))?;
            this.held.clear();
            this.held.extend_from_slice(read.filled());
            this.start = 0;
        }
        let waiting = &this.held[this.start..];
        let line = waiting.iter().position(|byte| *byte == b'\n').map_or(waiting.len(), |newline| newline + 1);
        let count = line.min(buf.remaining());
        buf.put_slice(&waiting[..count]);
        this.start += count;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LineStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for LineStream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.peer_addr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_read_ends_with_its_line() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut stream = LineStream::new(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
        let (mut peer, _) = listener.accept().await.unwrap();
        peer.write_all(b"220 go\r\n250 injected\r\nrest").await.unwrap();
        drop(peer);
        let mut reads = Vec::new();
        loop {
            let mut buf = [0; 64];
            match stream.read(&mut buf).await.unwrap() {
                0 => break,
                count => reads.push(String::from_utf8_lossy(&buf[..count]).into_owned()),
            }
        }
        assert_eq!(reads[..2], ["220 go\r\n", "250 injected\r\n"]);
        assert_eq!(reads[2..].concat(), "rest");
    }

    #[tokio::test]
    async fn a_small_buffer_loses_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut stream = LineStream::new(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
        let (mut peer, _) = listener.accept().await.unwrap();
        peer.write_all(b"250 abcdef\r\n").await.unwrap();
        drop(peer);
        let mut got = Vec::new();
        loop {
            let mut buf = [0; 3];
            match stream.read(&mut buf).await.unwrap() {
                0 => break,
                count => got.extend_from_slice(&buf[..count]),
            }
        }
        assert_eq!(got, b"250 abcdef\r\n");
    }
}
