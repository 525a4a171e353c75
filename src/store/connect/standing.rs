//! Asks a server whether it is a standby and what its transactions do by default. PostgreSQL reports both unasked; a
//! pooler before it reports neither, or what was so at its own first connection.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::startup::{Reported, message, message_of};

const QUESTION: &[u8] = b"select case when pg_catalog.pg_is_in_recovery() then 'on' else 'off' end, \
    pg_catalog.current_setting('default_transaction_read_only')\0";

/// Asks on a connection that is ready for its first query, and leaves it so.
pub(super) async fn ask(server: &mut (impl AsyncRead + AsyncWrite + Unpin + ?Sized)) -> io::Result<Reported> {
    let length = u32::try_from(QUESTION.len() + 4).map_err(io::Error::other)?;
    server.write_all(&[b"Q", &length.to_be_bytes()[..], QUESTION].concat()).await?;
    server.flush().await?;
    let mut reported = None;
    loop {
        let next = message(server).await?;
        match next[0] {
            b'D' => reported = row(&next[5..]).await,
            b'E' => return Err(unreported(&message_of(&next))),
            b'Z' => return reported.ok_or_else(|| unreported("its answer is none")),
            _ => {}
        }
    }
}

fn unreported(why: &str) -> io::Error {
    io::Error::other(format!("it does not say whether it is a standby: {why}"))
}

/// Reads two values that are there.
async fn row(mut body: &[u8]) -> Option<Reported> {
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
    Some(Reported { in_hot_standby, default_read_only })
}
