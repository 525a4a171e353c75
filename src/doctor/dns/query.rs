//! A question to a name server, and what its answer holds (RFC 1035): no more than the three types of records that are looked
//! at here. The system's own resolver gives addresses alone, and a library for all of DNS would bring ten others.
//!
//! Answers are from outside: each length is checked, a name is followed for so many steps, and what does not fit what was
//! asked is none.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// How long a name server may take, and how often all of them are asked.
const ANSWER_MAX: Duration = Duration::from_secs(2);
const ROUNDS: usize = 2;

/// Most name servers that are asked.
const SERVERS_MAX: usize = 3;

/// Most records of an answer that are read.
const RECORDS_MAX: usize = 50;

/// Most parts of a name that are followed.
const STEPS_MAX: usize = 128;

const HEAD: usize = 12;
const CLASS: u16 = 1;
const TRUNCATED: u16 = 0x0200;
const IS_ANSWER: u16 = 0x8000;
const WANTS_RECURSION: u16 = 0x0100;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Kind {
    Cname = 5,
    Mx = 15,
    Txt = 16,
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Records(Vec<String>),
    /// More than fits into a datagram.
    Truncated,
}

/// The name servers of this system.
pub(super) fn system_servers() -> io::Result<Vec<SocketAddr>> {
    Ok(servers_in(&std::fs::read_to_string("/etc/resolv.conf")?))
}

fn servers_in(conf: &str) -> Vec<SocketAddr> {
    let named = conf.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        // A scope, as in fe80::1%eth0, is of no use to a socket of ours.
        (words.next()? == "nameserver").then_some(())?;
        words.next()?.parse::<IpAddr>().ok()
    });
    let servers: Vec<SocketAddr> = named.take(SERVERS_MAX).map(|ip| SocketAddr::new(ip, 53)).collect();
    if servers.is_empty() { vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 53))] } else { servers }
}

/// The records of a name, as text; none where there is no such name.
pub(super) async fn records(servers: &[SocketAddr], name: &str, kind: Kind) -> io::Result<Vec<String>> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "there is no name server");
    for server in servers.iter().cycle().take(ROUNDS * servers.len()) {
        match timeout(ANSWER_MAX, ask(*server, name, kind)).await {
            Ok(Ok(records)) => return Ok(records),
            Ok(Err(error)) => failed = error,
            Err(_) => {
                failed = io::Error::new(io::ErrorKind::TimedOut, format!("no answer of {} in time", server.ip()));
            }
        }
    }
    Err(failed)
}

async fn ask(server: SocketAddr, name: &str, kind: Kind) -> io::Result<Vec<String>> {
    let mut id = [0; 2];
    getrandom::fill(&mut id).map_err(io::Error::other)?;
    let question = question(u16::from_be_bytes(id), name, kind)?;
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    // Others cannot be heard by it then.
    socket.connect(server).await?;
    socket.send(&question).await?;
    let mut answer = vec![0; 4096];
    loop {
        let length = socket.recv(&mut answer).await?;
        match read(&answer[..length], &question, kind) {
            // Of another question: the one to this may still come.
            Err(Wrong::Question) => {}
            Ok(Said::Truncated) => return ask_at_length(server, &question, kind).await,
            Ok(Said::Records(records)) => return Ok(records),
            Err(wrong) => return Err(wrong.into()),
        }
    }
}

/// The same by TCP.
async fn ask_at_length(server: SocketAddr, question: &[u8], kind: Kind) -> io::Result<Vec<String>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes()[..], question].concat()).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    match read(&answer, question, kind)? {
        Said::Records(records) => Ok(records),
        Said::Truncated => Err(Wrong::Form.into()),
    }
}

fn question(id: u16, name: &str, kind: Kind) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(HEAD + name.len() + 6);
    for word in [id, WANTS_RECURSION, 1, 0, 0, 0] {
        out.extend(word.to_be_bytes());
    }
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length));
        let length = length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "that is no name"))?;
        out.push(length);
        out.extend(label.as_bytes());
    }
    out.push(0);
    out.extend((kind as u16).to_be_bytes());
    out.extend(CLASS.to_be_bytes());
    Ok(out)
}

/// Why an answer is none.
#[derive(Debug, PartialEq, Eq)]
enum Wrong {
    /// It is not of this question.
    Question,
    /// It is not of the form that answers have.
    Form,
    /// The server says so.
    Code(u8),
}

impl From<Wrong> for io::Error {
    fn from(wrong: Wrong) -> Self {
        match wrong {
            Wrong::Question | Wrong::Form => Self::new(io::ErrorKind::InvalidData, "its answer is none"),
            Wrong::Code(2) => Self::other("the name server failed (SERVFAIL)"),
            Wrong::Code(5) => Self::other("the name server refuses"),
            Wrong::Code(code) => Self::other(format!("the name server answers {code}")),
        }
    }
}

fn word(message: &[u8], at: usize) -> Result<u16, Wrong> {
    let bytes = message.get(at..at + 2).ok_or(Wrong::Form)?;
    Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
}

fn read(message: &[u8], question: &[u8], kind: Kind) -> Result<Said, Wrong> {
    // Names are the same in any case; ours is in lower case, but for the id before it.
    let same = message.len() >= question.len()
        && message[..2] == question[..2]
        && message[HEAD..question.len()].eq_ignore_ascii_case(&question[HEAD..]);
    let flags = word(message, 2)?;
    if !same || flags & IS_ANSWER == 0 || word(message, 4)? != 1 {
        return Err(Wrong::Question);
    }
    match flags & 0xf {
        0 => {}
        // There is no such name.
        3 => return Ok(Said::Records(Vec::new())),
        code => return Err(Wrong::Code(u8::try_from(code).unwrap_or_default())),
    }
    if flags & TRUNCATED != 0 {
        return Ok(Said::Truncated);
    }
    let mut at = question.len();
    let mut records = Vec::new();
    for _ in 0..usize::from(word(message, 6)?).min(RECORDS_MAX) {
        at = skip_name(message, at)?;
        let (of, class, length) = (word(message, at)?, word(message, at + 2)?, usize::from(word(message, at + 8)?));
        let data = at + 10;
        let end = data + length;
        if end > message.len() {
            return Err(Wrong::Form);
        }
        if of == kind as u16 && class == CLASS {
            records.push(match kind {
                Kind::Txt => strings(&message[data..end])?,
                Kind::Cname => name(message, data)?,
                // Behind its preference.
                Kind::Mx => name(message, data + 2)?,
            });
        }
        at = end;
    }
    Ok(Said::Records(records))
}

/// Where what stands behind a name begins.
fn skip_name(message: &[u8], mut at: usize) -> Result<usize, Wrong> {
    for _ in 0..STEPS_MAX {
        match *message.get(at).ok_or(Wrong::Form)? {
            0 => return Ok(at + 1),
            length if length & 0xc0 == 0xc0 => return Ok(at + 2),
            length if length & 0xc0 == 0 => at += 1 + usize::from(length),
            _ => break,
        }
    }
    Err(Wrong::Form)
}

/// A name, in lower case; parts of it may stand elsewhere in the message.
fn name(message: &[u8], mut at: usize) -> Result<String, Wrong> {
    let mut labels = Vec::new();
    for _ in 0..STEPS_MAX {
        match *message.get(at).ok_or(Wrong::Form)? {
            0 => return Ok(labels.join(".")),
            length if length & 0xc0 == 0xc0 => at = usize::from(word(message, at)? & 0x3fff),
            length if length & 0xc0 == 0 => {
                let label = message.get(at + 1..at + 1 + usize::from(length)).ok_or(Wrong::Form)?;
                labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
                at += 1 + usize::from(length);
            }
            _ => break,
        }
    }
    Err(Wrong::Form)
}

/// The strings of a TXT record are one text (RFC 7208, 3.3).
fn strings(mut data: &[u8]) -> Result<String, Wrong> {
    let mut bytes = Vec::with_capacity(data.len());
    while let Some((length, rest)) = data.split_first() {
        let part = rest.get(..usize::from(*length)).ok_or(Wrong::Form)?;
        bytes.extend(part);
        data = &rest[part.len()..];
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An answer to a question with these records, each with its type and data.
    fn answer(question: &[u8], flags: u16, records: &[(u16, &[u8])]) -> Vec<u8> {
        let mut message = question.to_vec();
        message[2..4].copy_from_slice(&flags.to_be_bytes());
        message[6..8].copy_from_slice(&u16::try_from(records.len()).unwrap().to_be_bytes());
        for (kind, data) in records {
            // The name that was asked for, wherever it stands.
            message.extend([0xc0, 12]);
            message.extend(kind.to_be_bytes());
            message.extend([0, 1, 0, 0, 0, 60]);
            message.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            message.extend(*data);
        }
        message
    }

    fn asked(kind: Kind) -> Vec<u8> {
        question(7, "shop.kr", kind).unwrap()
    }

    #[test]
    fn records_are_read_as_they_stand_there() {
        let txt = asked(Kind::Txt);
        let message =
            answer(&txt, 0x8180, &[(16, &b"\x07v=spf1 \x04-all"[..]), (5, &b"\x01x\x00"[..]), (16, &b""[..])]);
        let texts = Said::Records(vec!["v=spf1 -all".into(), String::new()]);
        assert_eq!(read(&message, &txt, Kind::Txt), Ok(texts));
        let mx = asked(Kind::Mx);
        let message = answer(&mx, 0x8180, &[(15, &b"\x00\x0a\x04MAIL\xc0\x0c"[..])]);
        assert_eq!(read(&message, &mx, Kind::Mx), Ok(Said::Records(vec!["mail.shop.kr".into()])));
        assert_eq!(read(&answer(&txt, 0x8183, &[]), &txt, Kind::Txt), Ok(Said::Records(Vec::new())));
        assert_eq!(read(&answer(&txt, 0x8380, &[]), &txt, Kind::Txt), Ok(Said::Truncated));
        assert_eq!(read(&answer(&txt, 0x8182, &[]), &txt, Kind::Txt), Err(Wrong::Code(2)));
    }

    #[test]
    fn what_is_no_answer_to_this_question_is_none() {
        let txt = asked(Kind::Txt);
        let other = answer(&question(8, "shop.kr", Kind::Txt).unwrap(), 0x8180, &[]);
        assert_eq!(read(&other, &txt, Kind::Txt), Err(Wrong::Question));
        let other = answer(&question(7, "shap.kr", Kind::Txt).unwrap(), 0x8180, &[]);
        assert_eq!(read(&other, &txt, Kind::Txt), Err(Wrong::Question));
        assert_eq!(read(&txt, &txt, Kind::Txt), Err(Wrong::Question), "the question itself");
        // A name that leads to itself, a string that is longer than its record.
        let cname = asked(Kind::Cname);
        let itself = u8::try_from(cname.len() + 12).unwrap();
        let message = answer(&cname, 0x8180, &[(5, &[0xc0, itself][..])]);
        assert_eq!(read(&message, &cname, Kind::Cname), Err(Wrong::Form));
        assert_eq!(read(&answer(&txt, 0x8180, &[(16, &b"\x09short"[..])]), &txt, Kind::Txt), Err(Wrong::Form));
        assert!(question(7, "a..kr", Kind::Txt).is_err() && question(7, &"x".repeat(64), Kind::Txt).is_err());
    }

    proptest! {
        #[test]
        fn no_answer_breaks_it(bytes in proptest::collection::vec(any::<u8>(), 0..300), count in 0_u16..9) {
            for kind in [Kind::Txt, Kind::Cname, Kind::Mx] {
                let _ = read(&bytes, &asked(kind), kind);
                // And behind a beginning that fits.
                let mut message = answer(&asked(kind), 0x8180, &[]);
                message[6..8].copy_from_slice(&count.to_be_bytes());
                message.extend(&bytes);
                let _ = read(&message, &asked(kind), kind);
            }
        }
    }

    #[test]
    fn name_servers_are_those_of_the_system() {
        let at = |text: &str| vec![text.parse::<SocketAddr>().unwrap()];
        assert_eq!(servers_in("# x\nsearch shop.kr\nnameserver 192.0.2.1 \noptions edns0\n"), at("192.0.2.1:53"));
        assert_eq!(servers_in("nameserver fe80::1%eth0\nnameserver ::1\n"), at("[::1]:53"));
        assert_eq!(servers_in(""), at("127.0.0.1:53"));
        assert_eq!(servers_in(&"nameserver 192.0.2.1\n".repeat(9)).len(), SERVERS_MAX);
    }
}
