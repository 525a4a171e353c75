//! Reaches a server by its name, which may have several addresses of which some are silent: all of them are tried, each
//! a moment after the one before, or at once where that one has failed; the first that takes the connection gets it
//! (RFC 8305). Trying one after the other, as the standard library and tokio do, a single silent address uses the whole
//! time up, and hides the ones that answer.
//!
//! Only TCP is meant here: whether the one that took the connection is any good, its user finds out, and may report with
//! [`Dialer::shun`], so that the next connection tries the others first.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

/// How long one address is waited for before the next is tried beside it (RFC 8305, 8: "Connection Attempt Delay").
const STAGGER: Duration = Duration::from_millis(250);

/// Most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 16;

/// How long an address that was no good is tried last.
const SHUNNED: Duration = Duration::from_mins(1);

/// Reaches servers by name. Clones share what they know of addresses.
#[derive(Clone, Default)]
pub struct Dialer {
    given: Arc<HashMap<String, Vec<SocketAddr>>>,
    shunned: Arc<Mutex<HashMap<SocketAddr, Instant>>>,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialer")
    }
}

impl Dialer {
    /// One that asks the system for the addresses of every name but these, of which the port is given too.
    #[must_use]
    pub fn with_names(given: HashMap<String, Vec<SocketAddr>>) -> Self {
        Self { given: Arc::new(given), ..Self::default() }
    }

    /// Connects to a host, by name or address, within the limit; looking the name up is part of it.
    ///
    /// The error is of the kind [`io::ErrorKind::TimedOut`] only where nothing answered at all; where there are several
    /// addresses, its text says of each what became of it.
    pub async fn connect(&self, host: &str, port: u16, limit: Duration) -> io::Result<TcpStream> {
        self.connect_where(host, port, limit, |_| true).await
    }

    /// The same, but only to addresses that may be: it is them that are asked about, after the name was looked up, so that
    /// no name leads elsewhere. The error is [`io::ErrorKind::PermissionDenied`] where none of them may be.
    pub async fn connect_where(
        &self,
        host: &str,
        port: u16,
        limit: Duration,
        may_be: impl Fn(IpAddr) -> bool,
    ) -> io::Result<TcpStream> {
        let deadline = Instant::now() + limit;
        let addresses = match self.given.get(host) {
            Some(given) => given.clone(),
            None => match timeout_at(deadline, lookup_host((host, port))).await {
                Ok(found) => found?.collect(),
                Err(_) => {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "the name was not resolved in time"));
                }
            },
        };
        let first = addresses.first().copied();
        let allowed: Vec<SocketAddr> = addresses.into_iter().filter(|address| may_be(address.ip())).collect();
        match first {
            Some(first) if allowed.is_empty() => {
                Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("{} is not allowed", first.ip())))
            }
            _ => race(&self.in_order(allowed), deadline).await,
        }
    }

    /// An address took a connection and was no good: it is tried last for a while.
    pub fn shun(&self, address: SocketAddr) {
        let mut shunned = self.shunned.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        shunned.retain(|_, since| now - *since < SHUNNED);
        shunned.insert(address, now);
    }

    /// The families of addresses by turns (RFC 8305, 4), those that were no good last.
    fn in_order(&self, addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
        let mut ordered = by_turns(addresses);
        let shunned = self.shunned.lock().unwrap_or_else(PoisonError::into_inner);
        ordered.sort_by_key(|address| shunned.get(address).is_some_and(|since| since.elapsed() < SHUNNED));
        ordered.truncate(ADDRESSES_MAX);
        ordered
    }
}

/// Addresses of both families by turns, beginning with the family of the first; each once.
fn by_turns(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let is_first_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|at| at.is_ipv6() == is_first_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut ordered = Vec::new();
    loop {
        let pair = [first.next(), second.next()];
        if pair == [None, None] {
            return ordered;
        }
        for address in pair.into_iter().flatten() {
            if !ordered.contains(&address) {
                ordered.push(address);
            }
        }
    }
}

/// Connects to the first of these addresses that takes a connection before the deadline.
async fn race(addresses: &[SocketAddr], deadline: Instant) -> io::Result<TcpStream> {
    let count = u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    // Where time is short, it still is enough for all of them.
    let stagger = STAGGER.min((deadline - Instant::now()) / (2 * count));
    let mut waiting = addresses.iter();
    let mut attempts = FuturesUnordered::new();
    let mut refusals: Vec<(SocketAddr, io::Error)> = Vec::new();
    loop {
        if let Some(&address) = waiting.next() {
            attempts.push(async move { (address, TcpStream::connect(address).await) });
        }
        let next = if waiting.len() == 0 { deadline } else { deadline.min(Instant::now() + stagger) };
        match timeout_at(next, attempts.next()).await {
            Ok(Some((_, Ok(socket)))) => return Ok(socket),
            Ok(Some((address, Err(error)))) => refusals.push((address, error)),
            Ok(None) => return Err(failure(addresses, refusals)),
            Err(_) if Instant::now() >= deadline => return Err(failure(addresses, refusals)),
            Err(_) => {}
        }
    }
}

/// Why no address took a connection. Those that have not refused were silent.
fn failure(addresses: &[SocketAddr], mut refusals: Vec<(SocketAddr, io::Error)>) -> io::Error {
    if addresses.is_empty() {
        return io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    }
    if addresses.len() == 1
        && let Some((_, error)) = refusals.pop()
    {
        return error;
    }
    let kind = refusals.first().map_or(io::ErrorKind::TimedOut, |(_, error)| error.kind());
    let each = addresses.iter().map(|address| match refusals.iter().find(|(refused, _)| refused == address) {
        Some((_, error)) => format!("{address}: {error}"),
        None => format!("{address}: no answer"),
    });
    io::Error::new(kind, each.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let found = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "10.0.0.1:1", "[::1]:1", "10.0.0.2:1"]);
        let ordered = addresses(&["[::1]:1", "10.0.0.1:1", "[::2]:1", "10.0.0.2:1", "[::3]:1"]);
        assert_eq!(by_turns(found), ordered);
        let found = addresses(&["10.0.0.1:1", "10.0.0.2:1", "[::1]:1"]);
        assert_eq!(by_turns(found), addresses(&["10.0.0.1:1", "[::1]:1", "10.0.0.2:1"]));
        assert!(by_turns(Vec::new()).is_empty());
    }
}
