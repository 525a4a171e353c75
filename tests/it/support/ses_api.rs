//! SES's API, as far as the tests need it, with a fault if wanted.

mod cbor;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How a request is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It is taken.
    Takes,
    /// With this status, name and message.
    Refuses(u16, &'static str, &'static str),
    /// With this JSON, by what stands in the path; with 404 where nothing does.
    Knows(Vec<(&'static str, serde_json::Value)>),
    /// The same, but with a refusal for want of a right where this stands at the end of the path.
    Lacks(&'static str, Vec<(&'static str, serde_json::Value)>),
    /// With these bytes, whatever they are.
    Says(&'static str),
    /// The connection is closed once this much of it is read.
    Closes(Read),
    /// Nothing is said once this much of it is read.
    Hangs(Read),
}

/// How much of a request is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    Nothing,
    Head,
    All,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method and path.
    pub line: String,
    /// When its head was there.
    pub at: Instant,
    /// In lower case, but for their values.
    pub headers: Vec<(String, String)>,
    pub body: serde_json::Value,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(is, _)| is == name).map(|(_, value)| value.as_str())
    }

    /// The mail in it.
    pub fn mail(&self) -> Vec<u8> {
        STANDARD.decode(self.body["Content"]["Raw"]["Data"].as_str().unwrap()).unwrap()
    }
}

/// Ends when dropped.
pub struct SesApi {
    port: u16,
    answer: Arc<Mutex<Answer>>,
    requests: Arc<Mutex<Vec<Request>>>,
    connections: Arc<Mutex<usize>>,
    listening: JoinHandle<()>,
}

impl Drop for SesApi {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl SesApi {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = Arc::new(Mutex::new(Answer::Takes));
        let (requests, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let (answers, seen, count) = (Arc::clone(&answer), Arc::clone(&requests), Arc::clone(&connections));
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *count.lock().unwrap() += 1;
                tokio::spawn(converse(stream, Arc::clone(&answers), Arc::clone(&seen)));
            }
        });
        Self { port, answer, requests, connections, listening }
    }

    /// For `ses.endpoint`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on.
    pub fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// What came whole since this was last asked.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }

    /// How many connections there were since this was last asked.
    pub fn connections(&self) -> usize {
        std::mem::take(&mut self.connections.lock().unwrap())
    }
}

async fn converse(stream: TcpStream, answers: Arc<Mutex<Answer>>, seen: Arc<Mutex<Vec<Request>>>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let answer = answers.lock().unwrap().clone();
        let stops_at = match answer {
            Answer::Closes(at) | Answer::Hangs(at) => Some(at),
            _ => None,
        };
        match stops_at {
            Some(Read::Nothing) => {}
            Some(Read::Head) => drop(head(&mut stream).await?),
            _ => {
                let Some(request) = read(&mut stream).await? else { return Ok(()) };
                seen.lock().unwrap().push(request);
            }
        }
        let number = seen.lock().unwrap().len();
        let last = seen.lock().unwrap().last().cloned();
        let is_cbor = last.as_ref().is_some_and(|asked| asked.header("smithy-protocol") == Some(CBOR));
        let said = match answer {
            Answer::Takes => whole(200, "", &format!(r#"{{"MessageId":"0107-{number}"}}"#)),
            Answer::Refuses(status, code, message) => {
                let body = serde_json::json!({ "message": message });
                whole(status, &format!("x-amzn-errortype: {code}\r\n"), &body.to_string())
            }
            Answer::Lacks(path, _) if last.as_ref().unwrap().line.ends_with(&format!("{path} HTTP/1.1")) => {
                let message = "User: arn:aws:iam::1:user/desk is not authorized";
                if is_cbor {
                    let type_of = "com.amazonaws.cloudwatch#AccessDeniedException";
                    let error = serde_json::json!({ "__type": type_of, "message": message });
                    stream.write_all(&in_cbor(403, &error)).await?;
                    continue;
                }
                let body = serde_json::json!({ "message": message });
                whole(403, "x-amzn-errortype: AccessDeniedException\r\n", &body.to_string())
            }
            Answer::Knows(answers) | Answer::Lacks(_, answers) => {
                let asked = &last.as_ref().unwrap().line;
                match answers.iter().find(|(path, _)| asked.contains(path)) {
                    Some((_, answer)) if is_cbor => {
                        stream.write_all(&in_cbor(200, answer)).await?;
                        continue;
                    }
                    Some((_, answer)) => whole(200, "", &answer.to_string()),
                    None => whole(404, "x-amzn-errortype: NotFoundException\r\n", "{}"),
                }
            }
            Answer::Says(bytes) => bytes.to_owned(),
            Answer::Closes(_) => return Ok(()),
            Answer::Hangs(_) => return std::future::pending().await,
        };
        stream.write_all(said.as_bytes()).await?;
    }
}

/// The protocol of `CloudWatch`, as the SDK speaks it.
const CBOR: &str = "rpc-v2-cbor";

fn in_cbor(status: u16, answer: &serde_json::Value) -> Vec<u8> {
    let body = cbor::encode(answer);
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} x\r\nsmithy-protocol: {CBOR}\r\ncontent-type: application/cbor\r\ncontent-length: {length}\r\n\r\n"
    );
    [head.into_bytes(), body].concat()
}

/// Reads a request to its end; `None` where there is no more.
pub async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let Some((line, headers)) = head(stream).await? else { return Ok(None) };
    let at = Instant::now();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    stream.read_exact(&mut body).await?;
    Ok(Some(Request { line, at, headers, body: serde_json::from_slice(&body).unwrap_or_default() }))
}

/// An answer of JSON.
pub fn whole(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n{body}")
}

async fn head(stream: &mut BufReader<TcpStream>) -> io::Result<Option<(String, Vec<(String, String)>)>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        lines.push(line.to_owned());
    }
    let headers = lines[1..].iter().map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    });
    let headers = headers.collect();
    Ok(Some((lines.swap_remove(0), headers)))
}
