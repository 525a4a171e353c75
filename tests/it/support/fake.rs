//! A PostgreSQL server that is none: what it reports of itself, and how far it goes, is the test's.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What it reports, and how it answers.
#[derive(Default)]
pub struct Script {
    /// Parameters that it reports before it is ready.
    pub reported: &'static [(&'static str, &'static str)],
    /// The one row with which it answers each statement.
    pub row: &'static [&'static str],
    /// Whether it says nothing more once it has let a connection in.
    pub hangs: bool,
}

/// Ends when dropped.
pub struct Fake {
    pub at: SocketAddr,
    /// How many connections are open.
    pub open: watch::Receiver<usize>,
    listening: JoinHandle<()>,
}

impl Fake {
    pub async fn new(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (count, open) = watch::channel(0);
        let script = Arc::new(script);
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (script, count) = (Arc::clone(&script), count.clone());
                count.send_modify(|open| *open += 1);
                tokio::spawn(async move {
                    let _ = serve(client, &script).await;
                    count.send_modify(|open| *open -= 1);
                });
            }
        });
        Self { at, open, listening }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(mut client: TcpStream, script: &Script) -> io::Result<()> {
    let length = client.read_u32().await?;
    body(&mut client, length).await?;
    let mut said = message(b'R', &0_u32.to_be_bytes());
    if script.hangs {
        client.write_all(&said).await?;
    } else {
        for (name, value) in script.reported {
            said.extend(message(b'S', format!("{name}\0{value}\0").as_bytes()));
        }
        said.extend(message(b'Z', b"I"));
        client.write_all(&said).await?;
    }
    loop {
        let kind = client.read_u8().await?;
        let length = client.read_u32().await?;
        body(&mut client, length).await?;
        if kind != b'Q' || script.hangs {
            continue;
        }
        let count = u16::try_from(script.row.len()).unwrap().to_be_bytes();
        let (mut fields, mut values) = (count.to_vec(), count.to_vec());
        for value in script.row {
            fields.extend(b"a\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0");
            values.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
            values.extend(value.as_bytes());
        }
        let parts = [(b'T', &fields[..]), (b'D', &values), (b'C', b"SELECT 1\0"), (b'Z', b"I")];
        client.write_all(&parts.map(|(kind, body)| message(kind, body)).concat()).await?;
    }
}

async fn body(client: &mut TcpStream, length: u32) -> io::Result<()> {
    let mut rest = vec![0; usize::try_from(length).unwrap() - 4];
    client.read_exact(&mut rest).await.map(drop)
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[kind][..], &length.to_be_bytes(), body].concat()
}
