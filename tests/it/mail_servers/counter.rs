//! A mail server that counts: when each mail's end came, its recipient, at which attempt, and whether it was answered.
//!
//! It runs on a thread of its own, so that its clock does not wait for the test, and it takes no notice of clients that
//! die.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

/// A mail whose last line has come.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When that was.
    pub at: Instant,
    pub recipient: String,
    /// The send that the mail's tags name.
    pub send: Uuid,
    /// Which attempt they name.
    pub attempt: u32,
    /// Whether it was answered before the client was gone.
    pub is_answered: bool,
}

/// The server. Ends when dropped.
pub struct Counter {
    port: u16,
    seen: Arc<Seen>,
    _running: DropGuard,
}

#[derive(Clone, Copy)]
enum Dialect {
    Smtp,
    #[cfg(feature = "aws")]
    Api,
}

#[derive(Default)]
struct Seen {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    arrivals: Vec<Arrival>,
    /// Connections between MAIL and the answer to the mail's end.
    in_flight: usize,
    /// What every recipient is refused with, if so.
    refusal: Option<&'static str>,
    /// How long a new connection waits for its greeting.
    greeting: Duration,
}

impl Counter {
    /// One that answers the end of a mail after this time at least, and up to `more` later.
    pub fn start(shortest: Duration, more: Duration) -> Self {
        Self::speaking(Dialect::Smtp, shortest, more)
    }

    /// The same, as SES's API.
    #[cfg(feature = "aws")]
    pub fn start_api(shortest: Duration, more: Duration) -> Self {
        Self::speaking(Dialect::Api, shortest, more)
    }

    fn speaking(dialect: Dialect, shortest: Duration, more: Duration) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Seen::default());
        let shutdown = CancellationToken::new();
        let (counting, ending) = (Arc::clone(&seen), shutdown.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(ending.run_until_cancelled(async {
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    let Ok((stream, _)) = listener.accept().await else { continue };
                    let seen = Arc::clone(&counting);
                    let delay = move || shortest + more.mul_f64(fastrand::f64());
                    let conversation = Conversation { seen, is_counted: false };
                    tokio::spawn(async move {
                        match dialect {
                            Dialect::Smtp => conversation.hold(stream, delay).await,
                            #[cfg(feature = "aws")]
                            Dialect::Api => conversation.hold_api(stream, delay).await,
                        }
                    });
                }
            }));
        });
        Self { port, seen, _running: shutdown.drop_guard() }
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// All mails whose end has come, in that order.
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.seen.lock().arrivals.clone()
    }

    /// Counts the mails whose end has come, from any thread.
    pub fn arrived(&self) -> impl Fn() -> usize + Send + use<> {
        let seen = Arc::clone(&self.seen);
        move || seen.lock().arrivals.len()
    }

    /// The same for each recipient.
    pub fn by_recipient(&self) -> HashMap<String, Vec<Arrival>> {
        let mut found = HashMap::<_, Vec<_>>::new();
        for arrival in self.arrivals() {
            found.entry(arrival.recipient.clone()).or_default().push(arrival);
        }
        found
    }

    /// How many mails it is in the midst of: named their sender, not answered yet.
    pub fn in_flight(&self) -> usize {
        self.seen.lock().in_flight
    }

    /// Refuses every recipient with this reply from now on; `None` takes them again.
    pub fn refuse(&self, reply: Option<&'static str>) {
        self.seen.lock().refusal = reply;
    }

    /// Greets new connections after this time from now on: what a handshake over a long way takes.
    pub fn greet_after(&self, wait: Duration) {
        self.seen.lock().greeting = wait;
    }

    /// Waits until so many mails have come, at most for so long.
    pub fn wait_for(&self, count: usize, at_most: Duration) {
        let came = self.wait(count, at_most);
        assert!(came >= count, "only {came} of {count} mails came in {at_most:?}");
    }

    /// Waits until so many mails have come, at most for so long; gives how many there are.
    pub fn wait(&self, count: usize, at_most: Duration) -> usize {
        let waiting = |state: &mut State| state.arrivals.len() < count;
        let (state, _) = self.seen.more.wait_timeout_while(self.seen.lock(), at_most, waiting).unwrap();
        state.arrivals.len()
    }
}

impl Seen {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// One connection.
struct Conversation {
    seen: Arc<Seen>,
    is_counted: bool,
}

impl Conversation {
    async fn hold(mut self, stream: TcpStream, delay: impl Fn() -> Duration) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        let (mut line, mut recipient) = (Vec::new(), String::new());
        let greeting = self.seen.lock().greeting;
        tokio::time::sleep(greeting).await;
        stream.write_all(b"220 counter.example.test ESMTP\r\n").await?;
        while stream.read_until(b'\n', &mut line).await? > 0 {
            let command = String::from_utf8_lossy(&line).to_ascii_uppercase();
            let answer: &[u8] = match command.get(..4).unwrap_or_default() {
                "EHLO" => b"250-counter.example.test\r\n250 8BITMIME\r\n",
                "MAIL" => {
                    self.count(true);
                    b"250 Ok\r\n"
                }
                "RCPT" => {
                    recipient = between(&line, '<', '>');
                    let refusal = self.seen.lock().refusal;
                    refusal.map_or(b"250 Ok\r\n", str::as_bytes)
                }
                "DATA" => {
                    stream.write_all(b"354 End data with <CR><LF>.<CR><LF>\r\n").await?;
                    let number = self.arrived(&mut stream, &recipient).await?;
                    tokio::select! {
                        () = tokio::time::sleep(delay()) => {}
                        // No one speaks out of turn but for QUIT.
                        _ = stream.fill_buf() => return Ok(()),
                    }
                    stream.write_all(format!("250 Ok 0102-{number}\r\n").as_bytes()).await?;
                    self.seen.lock().arrivals[number].is_answered = true;
                    self.count(false);
                    b""
                }
                "QUIT" => {
                    stream.write_all(b"221 Bye\r\n").await?;
                    return Ok(());
                }
                "RSET" | "NOOP" => b"250 Ok\r\n",
                _ => b"500 What?\r\n",
            };
            stream.write_all(answer).await?;
            line.clear();
        }
        Ok(())
    }

    #[cfg(feature = "aws")]
    async fn hold_api(mut self, stream: TcpStream, delay: impl Fn() -> Duration) -> io::Result<()> {
        use crate::support::ses_api;
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        while !stream.fill_buf().await?.is_empty() {
            self.count(true);
            let Some(request) = ses_api::read(&mut stream).await? else { return Ok(()) };
            if !request.line.starts_with("POST") {
                // About the account.
                self.count(false);
                stream
                    .write_all(ses_api::whole(404, "x-amzn-errortype: NotFoundException\r\n", "{}").as_bytes())
                    .await?;
                continue;
            }
            let mut mail = request.mail();
            mail.extend(b"\r\n.\r\n");
            let recipient = request.body["Destination"]["ToAddresses"][0].as_str().unwrap();
            let number = self.arrived(&mut BufReader::new(&mail[..]), recipient).await?;
            tokio::select! {
                () = tokio::time::sleep(delay()) => {}
                _ = stream.fill_buf() => return Ok(()),
            }
            let answer = ses_api::whole(200, "", &format!(r#"{{"MessageId":"0107-{number}"}}"#));
            stream.write_all(answer.as_bytes()).await?;
            self.seen.lock().arrivals[number].is_answered = true;
            self.count(false);
        }
        Ok(())
    }

    /// Reads a mail to its end; gives its number.
    async fn arrived(&self, stream: &mut (impl AsyncBufRead + Unpin), recipient: &str) -> io::Result<usize> {
        let (mut line, mut tags, mut is_tags) = (Vec::new(), String::new(), false);
        loop {
            line.clear();
            if stream.read_until(b'\n', &mut line).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line == b".\r\n" {
                break;
            }
            let is_more = is_tags && line.starts_with(b" ");
            is_tags = is_more || line.starts_with(b"X-SES-MESSAGE-TAGS:");
            if is_tags {
                tags.push_str(&String::from_utf8_lossy(&line));
            }
        }
        let tag =
            |name: &str| tags.split_once(&format!("{name}=")).map(|(_, rest)| between(rest.as_bytes(), '\0', ','));
        let send = tag("send").and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("no send in the tags {tags:?}"));
        let attempt = tag("attempt").map_or(1, |number| number.parse().unwrap());
        let recipient = recipient.to_owned();
        let mut state = self.seen.lock();
        state.arrivals.push(Arrival { at: Instant::now(), recipient, send, attempt, is_answered: false });
        self.seen.more.notify_all();
        Ok(state.arrivals.len() - 1)
    }

    fn count(&mut self, is_counted: bool) {
        if self.is_counted != is_counted {
            self.is_counted = is_counted;
            let mut state = self.seen.lock();
            state.in_flight = if is_counted { state.in_flight + 1 } else { state.in_flight - 1 };
        }
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.count(false);
    }
}

/// What stands between the first of the one and the next of the other; from the beginning or to the end of the line
/// where there are none.
fn between(line: &[u8], from: char, to: char) -> String {
    let line = String::from_utf8_lossy(line);
    let rest = line.split_once(from).map_or(&*line, |(_, rest)| rest);
    rest.split_once(to).map_or(rest, |(found, _)| found).trim().to_owned()
}
