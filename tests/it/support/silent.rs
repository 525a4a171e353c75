//! An address that answers nothing, as behind a firewall that drops.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

/// A listener whose queue is full: Linux drops what comes beyond it.
pub struct Silent {
    pub at: SocketAddr,
    _listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl Silent {
    pub async fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let at = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        while let Ok(taken) = timeout(Duration::from_millis(300), TcpStream::connect(at)).await {
            queue.push(taken.unwrap());
        }
        Self { at, _listener: listener, _queue: queue }
    }
}
