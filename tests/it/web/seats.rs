//! Seats run out: who gives way, who is cut off, and that a visitor gets one all the same.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use verifydesk::listen::{self, Bounds};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const SEATS: usize = 40;

const BOUNDS: Bounds = Bounds {
    connections: SEATS,
    shutdown: Duration::from_secs(2),
    write: Duration::from_secs(3),
    answer: Some(Duration::from_secs(6)),
    life: None,
};

struct Hall {
    address: SocketAddr,
    /// Releases the requests to `/slow`.
    slow: Arc<Notify>,
    shutdown: CancellationToken,
    ended: JoinHandle<()>,
}

impl Hall {
    async fn open(bounds: Bounds) -> Self {
        let slow = Arc::new(Notify::new());
        let waiting = Arc::clone(&slow);
        let router = Router::new()
            .route("/", get(|| async { "x".repeat(5_000) }))
            .route("/large", get(|| async { "x".repeat(1_000_000) }))
            .route("/form", post(|form: Bytes| async move { format!("{} bytes", form.len()) }))
            .route("/slow", get(async move || waiting.notified().await));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let ended = tokio::spawn(listen::serve(listener, router, bounds, shutdown.clone()));
        Self { address, slow, shutdown, ended }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Whose system takes little on its own account, with many requests for much.
    async fn greedy(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16_384).unwrap();
        let mut stream = socket.connect(self.address).await.unwrap();
        for _ in 0..20 {
            // Refused once the server has had enough of it.
            if stream.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await.is_err() {
                break;
            }
        }
        stream
    }

    /// Fails where a visitor would have gone away.
    async fn visit(&self) -> Duration {
        let started = Instant::now();
        let visit = async {
            let mut stream = self.connect().await;
            ask(&mut stream).await.expect("an answer");
        };
        tokio::time::timeout(Duration::from_secs(20), visit).await.expect("a visitor is served");
        started.elapsed()
    }

    async fn close(self) {
        self.shutdown.cancel();
        self.ended.await.unwrap();
    }
}

/// One request and its answer; `None` if the connection was closed instead.
async fn ask(stream: &mut TcpStream) -> Option<String> {
    stream.write_all(REQUEST).await.ok()?;
    let mut answer = vec![0; 8_192];
    let mut length = 0;
    while length < 5_000 {
        match stream.read(&mut answer[length..]).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => length += read,
        }
    }
    Some(String::from_utf8_lossy(&answer[..length]).into_owned())
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = [0; 1];
    let read = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut rest)).await;
    matches!(read, Ok(Ok(0) | Err(_)))
}

#[tokio::test]
async fn idle_connections_give_way() {
    let hall = Hall::open(BOUNDS).await;
    // Kept alive: more than there are seats, each asking again and again.
    let mut crowd = Vec::new();
    for _ in 0..SEATS {
        let mut stream = hall.connect().await;
        assert!(ask(&mut stream).await.is_some());
        crowd.push(stream);
    }
    let over = CancellationToken::new();
    let pressing = crowd.into_iter().map(|mut stream| {
        let (over, address) = (over.clone(), hall.address);
        tokio::spawn(async move {
            while !over.is_cancelled() {
                if ask(&mut stream).await.is_none() {
                    stream = TcpStream::connect(address).await.unwrap();
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        })
    });
    let pressing: Vec<_> = pressing.collect();
    for _ in 0..20 {
        let waited = hall.visit().await;
        assert!(waited < Duration::from_secs(3), "{waited:?}");
    }
    over.cancel();
    for press in pressing {
        press.await.unwrap();
    }
    hall.close().await;
}

#[tokio::test]
async fn the_silent_give_way_too() {
    let hall = Hall::open(BOUNDS).await;
    let mut silent = Vec::new();
    for at in 0..SEATS {
        let mut stream = hall.connect().await;
        if at % 2 == 0 {
            stream.write_all(&REQUEST[..10]).await.unwrap();
        }
        silent.push(stream);
    }
    let waited = hall.visit().await;
    assert!(waited < Duration::from_secs(3), "{waited:?}");
    hall.close().await;
}

/// As long as `serve` allows requests in flight.
const LONG_SHUTDOWN: Bounds = Bounds { shutdown: Duration::from_secs(12), ..BOUNDS };

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let hall = Hall::open(LONG_SHUTDOWN).await;
    let mut halves = Vec::new();
    for _ in 0..SEATS {
        let mut stream = hall.connect().await;
        stream.write_all(&REQUEST[..10]).await.unwrap();
        halves.push(stream);
    }
    for _ in 0..5 {
        let waited = hall.visit().await;
        assert!(waited < Duration::from_secs(3), "{waited:?}");
    }
    // And keeps no one from ending.
    let mut unfinished = hall.connect().await;
    unfinished.write_all(&REQUEST[..10]).await.unwrap();
    let started = Instant::now();
    hall.close().await;
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_request_whose_body_never_comes_is_cut_off() {
    let hall = Hall::open(LONG_SHUTDOWN).await;
    let mut halves = Vec::new();
    for _ in 0..SEATS {
        let mut stream = hall.connect().await;
        stream.write_all(b"POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx").await.unwrap();
        halves.push(stream);
    }
    for _ in 0..5 {
        let waited = hall.visit().await;
        assert!(waited < Duration::from_secs(4), "{waited:?}");
    }
    hall.close().await;
}

/// Where no one waits for a seat, a body may take its time; and one that is whole is in flight like any other.
#[tokio::test]
async fn a_slow_body_is_taken_where_there_is_room() {
    let hall = Hall::open(LONG_SHUTDOWN).await;
    let mut slow = hall.connect().await;
    slow.write_all(b"POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx").await.unwrap();
    for _ in 0..9 {
        assert!(!is_closed(&mut slow).await);
        tokio::time::sleep(Duration::from_millis(300)).await;
        slow.write_all(b"x").await.unwrap();
    }
    let mut answer = vec![0; 12];
    slow.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 200");
    hall.close().await;
}

/// The client that holds the most gives way first, however short its connections idle.
#[tokio::test]
async fn one_client_cannot_push_another_out() {
    let hall = Hall::open(BOUNDS).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut single = socket.connect(hall.address).await.unwrap();
    assert!(ask(&mut single).await.is_some());
    let mut crowd = Vec::new();
    for _ in 0..3 * SEATS {
        let mut stream = hall.connect().await;
        ask(&mut stream).await;
        crowd.push(stream);
    }
    assert!(ask(&mut single).await.is_some(), "the one that idled longest, and of a client that has no other");
    hall.close().await;
}

#[tokio::test]
async fn a_request_in_flight_keeps_its_seat() {
    let hall = Hall::open(BOUNDS).await;
    let mut slow = hall.connect().await;
    slow.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut crowd = Vec::new();
    for _ in 0..2 * SEATS {
        let mut stream = hall.connect().await;
        ask(&mut stream).await;
        crowd.push(stream);
    }
    assert!(!is_closed(&mut slow).await);
    hall.slow.notify_one();
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    hall.close().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let hall = Hall::open(BOUNDS).await;
    let mut crowd = Vec::new();
    for _ in 0..SEATS {
        crowd.push(hall.greedy().await);
    }
    let waited = hall.visit().await;
    assert!(waited < Duration::from_secs(10), "{waited:?}");
    drop(crowd);
    // Where no one waits for a seat, too.
    let mut alone = hall.greedy().await;
    let started = Instant::now();
    // Refused once the connection is reset.
    while alone.write_all(REQUEST).await.is_ok() {
        assert!(started.elapsed() < Duration::from_secs(20), "it is never cut");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    hall.close().await;
}

#[tokio::test]
async fn a_reader_that_trickles_is_cut_off() {
    let hall = Hall::open(Bounds { connections: 1, ..BOUNDS }).await;
    let mut trickle = hall.greedy().await;
    let started = Instant::now();
    let mut some = vec![0; 20_000];
    while matches!(trickle.read(&mut some).await, Ok(1..)) {
        assert!(started.elapsed() < Duration::from_secs(30), "it is never cut");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    hall.close().await;
}

#[tokio::test]
async fn a_connection_has_an_end() {
    let hall = Hall::open(Bounds { life: Some(Duration::from_secs(1)), ..BOUNDS }).await;
    let mut stream = hall.connect().await;
    let started = Instant::now();
    let mut answers = 0;
    while ask(&mut stream).await.is_some() {
        answers += 1;
        assert!(started.elapsed() < Duration::from_secs(20), "it never ends");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(answers > 1);
    // In an orderly way: what was asked is answered, and says that it is the last.
    let mut stream = hall.connect().await;
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    hall.slow.notify_one();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.starts_with("HTTP/1.1 200") && rest.to_ascii_lowercase().contains("connection: close"), "{rest}");
    hall.close().await;
}
