//! Asks a server whether it is a standby and what its transactions do by default. PostgreSQL tells both unasked; a pooler
//! before it tells neither, or what was so at its own first connection.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::startup::{Told, message, message_of};

const QUESTION: &[u8] = b"select case when pg_catalog.pg_is_in_recovery() then 'on' else 'off' end, \
    pg_catalog.current_setting('default_transaction_read_only')\0";

/// Asks on a connection that is ready for its first query, and leaves it so.
pub(super) async fn ask(server: &mut (impl AsyncRead + AsyncWrite + Unpin + ?Sized)) -> io::Result<Told> {
    let length = u32::try_from(QUESTION.len() + 4).map_err(io::Error::other)?;
    server.write_all(&[b"Q", &length.to_be_bytes()[..], QUESTION].concat()).await?;
    server.flush().await?;
    let mut told = None;
    loop {
        let next = message(server).await?;
        match next[0] {
            b'D' => told = row(&next[5..]).await,
            b'E' => return Err(untold(&message_of(&next))),
            b'Z' => return told.ok_or_else(|| untold("its answer is none")),
            _ => {}
        }
    }
}

fn untold(why: &str) -> io::Error {
    io::Error::other(format!("it does not tell whether it is a standby: {why}"))
}

/// Reads two values that are there.
async fn row(mut body: &[u8]) -> Option<Told> {
    let mut values = [false; 2];
    if usize::from(body.read_u16().await.ok()?) != values.len() {
        return None;
    }
    for value in &mut values {
        let length = usize::try_from(body.read_u32().await.ok()?).ok()?;
        let (text, rest) = body.split_at_checked(length)?;
        *value = text == b"on";
        body = rest;
    }
    let [in_hot_standby, default_read_only] = values.map(Some);
    Some(Told { in_hot_standby, default_read_only })
}
