//! A server that says byte by byte what a script says.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// What is said at each stage of one connection, each in one piece.
#[derive(Clone, Copy)]
pub struct Script {
    pub greeting: &'static str,
    pub ehlo: &'static str,
    pub mail: &'static str,
    pub rcpt: &'static str,
    pub data: &'static str,
    /// After the first thousand bytes of a mail.
    pub within: &'static str,
    pub end: &'static str,
    pub noop: &'static str,
    /// The questions of a sign-in, and what is said at its end.
    pub auth: &'static [&'static str],
}

pub const HONEST: Script = Script {
    greeting: "220 ready\r\n",
    ehlo: "250-mail.example.test\r\n250 HELP\r\n",
    mail: "250 sender Ok\r\n",
    rcpt: "250 recipient Ok\r\n",
    data: "354 go ahead\r\n",
    within: "",
    end: "250 Ok honest\r\n",
    noop: "250 still here\r\n",
    auth: &["235 welcome\r\n"],
};

/// What the server has seen.
#[derive(Default)]
struct Seen {
    connections: usize,
    /// Mails that came to their end.
    mails: usize,
    /// Connections that were closed by the other side.
    closed: usize,
    /// What was said to sign in.
    auth: Vec<String>,
}

/// A server with a script for each connection, and the honest one for those behind.
pub struct Scripted {
    port: u16,
    seen: Arc<Mutex<Seen>>,
}

impl Scripted {
    pub async fn new(scripts: &[Script]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, scripts) = (Arc::new(Mutex::new(Seen::default())), scripts.to_vec());
        let seeing = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let count = {
                    let mut seen = seeing.lock().unwrap();
                    seen.connections += 1;
                    seen.connections
                };
                let script = scripts.get(count - 1).copied().unwrap_or(HONEST);
                let seeing = Arc::clone(&seeing);
                tokio::spawn(async move {
                    let _ = play(socket, script, &seeing).await;
                    seeing.lock().unwrap().closed += 1;
                });
            }
        });
        Self { port, seen }
    }

    pub fn lane(&self) -> (Lane, Settings) {
        let mut settings = Settings::default();
        settings.mail.from = Some("no-reply@example.org".to_owned());
        settings.smtp.host = Some("127.0.0.1".to_owned());
        settings.smtp.port = Some(self.port);
        settings.smtp.tls = Tls::None;
        (transport(&settings, PATIENT).lane(), settings)
    }

    pub fn auth(&self) -> Vec<String> {
        self.seen.lock().unwrap().auth.clone()
    }

    pub fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub fn mails(&self) -> usize {
        self.seen.lock().unwrap().mails
    }

    /// Waits until so many connections are over.
    pub async fn wait_for_closed(&self, count: usize) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while self.seen.lock().unwrap().closed < count {
            assert!(tokio::time::Instant::now() < deadline, "the connection was not closed");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn play(socket: TcpStream, script: Script, seen: &Mutex<Seen>) -> std::io::Result<()> {
    let mut stream = BufReader::new(socket);
    stream.write_all(script.greeting.as_bytes()).await?;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let answer = match line.split([' ', '\r']).next().unwrap() {
            "EHLO" => script.ehlo,
            "MAIL" => script.mail,
            "RCPT" => script.rcpt,
            "NOOP" => script.noop,
            "AUTH" => {
                let (last, questions) = script.auth.split_last().unwrap();
                for question in questions {
                    seen.lock().unwrap().auth.push(line.trim_end().to_owned());
                    stream.write_all(question.as_bytes()).await?;
                    line.clear();
                    stream.read_line(&mut line).await?;
                }
                seen.lock().unwrap().auth.push(line.trim_end().to_owned());
                last
            }
            "DATA" => {
                stream.write_all(script.data.as_bytes()).await?;
                if !script.within.is_empty() {
                    stream.read_exact(&mut [0; 1000]).await?;
                    stream.write_all(script.within.as_bytes()).await?;
                }
                loop {
                    line.clear();
                    if stream.read_line(&mut line).await? == 0 {
                        return Ok(());
                    }
                    if line == ".\r\n" {
                        break;
                    }
                }
                seen.lock().unwrap().mails += 1;
                script.end
            }
            _ => "221 Bye\r\n",
        };
        stream.write_all(answer.as_bytes()).await?;
    }
}
