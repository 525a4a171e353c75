//! A mail's bytes as a tree: what is sent, part by part, with its type, encoding and sizes.

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders as _, PartType};

/// From how many bytes of HTML on Gmail shows "[Message clipped]".
pub const CLIPPED_FROM: usize = 102 * 1024;

/// A mail taken apart. The text in it is untrusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Bytes of the whole, as sent.
    pub size: usize,
    /// Headers of the mail in their order: name, and value as it reads.
    pub headers: Vec<Header>,
    /// The parts, each before those in it.
    pub parts: Vec<Part>,
    /// The mail as it is sent.
    pub encoded: String,
    /// Bytes of the HTML before it is encoded: what [`CLIPPED_FROM`] is about.
    pub html: usize,
}

/// A header of the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub name: String,
    /// Its value as it stands in the mail, unfolded.
    pub raw: String,
    /// Its value as it reads, where it was encoded.
    pub decoded: Option<String>,
}

/// A part of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// How deep in other parts.
    pub depth: usize,
    /// Such as `text/html; charset=utf-8`.
    pub kind: String,
    /// Such as `base64`; empty for what holds other parts.
    pub encoding: String,
    /// Bytes of its body as sent.
    pub sent: usize,
    /// Bytes of its body decoded.
    pub decoded: usize,
    /// Its text decoded; nothing for what holds other parts.
    pub text: Option<String>,
}

/// Takes a mail apart. What cannot be taken apart is not left out: less is known of it.
#[must_use]
pub fn tree(bytes: &[u8]) -> Tree {
    let mut tree = Tree { size: bytes.len(), encoded: String::from_utf8_lossy(bytes).into_owned(), ..Tree::default() };
    let Some(message) = MessageParser::default().parse(bytes) else { return tree };
    tree.headers = headers(&tree.encoded);
    descend(&message, 0, 0, &mut tree);
    tree
}

fn descend(message: &Message<'_>, id: usize, depth: usize, tree: &mut Tree) {
    // No mail of ours is so deep; one that is cannot be drawn.
    let Some(part) = message.parts.get(id).filter(|_| depth < 16) else { return };
    let sent = part.offset_end.saturating_sub(part.offset_body) as usize;
    let (decoded, text) = match &part.body {
        PartType::Html(text) => {
            tree.html += text.len();
            (text.len(), Some(text.to_string()))
        }
        PartType::Text(text) => (text.len(), Some(text.to_string())),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => (bytes.len(), Some(String::new())),
        PartType::Message(_) | PartType::Multipart(_) => (sent, None),
    };
    let encoding =
        if text.is_some() { part.content_transfer_encoding().unwrap_or("7bit").to_owned() } else { String::new() };
    tree.parts.push(Part { depth, kind: kind(part), encoding, sent, decoded, text });
    if let PartType::Multipart(ids) = &part.body {
        for id in ids {
            descend(message, *id as usize, depth + 1, tree);
        }
    }
}

fn kind(part: &MessagePart<'_>) -> String {
    let Some(kind) = part.content_type() else { return "text/plain".into() };
    let mut out = kind.c_type.to_lowercase();
    if let Some(sub) = kind.subtype() {
        out = format!("{out}/{}", sub.to_lowercase());
    }
    if let Some(charset) = kind.attribute("charset") {
        out = format!("{out}; charset={}", charset.to_lowercase());
    }
    out
}

/// The headers as they stand, unfolded.
fn headers(text: &str) -> Vec<Header> {
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let mut out: Vec<Header> = Vec::new();
    for line in head.split("\r\n") {
        if line.starts_with([' ', '\t'])
            && let Some(last) = out.last_mut()
        {
            last.raw.push(' ');
            last.raw.push_str(line.trim());
        } else if let Some((name, value)) = line.split_once(':') {
            out.push(Header { name: name.into(), raw: value.trim().into(), decoded: None });
        }
    }
    for header in &mut out {
        if header.raw.contains("=?") {
            header.decoded = decoded(&header.raw);
        }
    }
    out
}

/// An encoded value as it reads.
fn decoded(raw: &str) -> Option<String> {
    let message = format!("Subject: {raw}\r\n\r\n");
    let message = MessageParser::default().parse(message.as_bytes())?;
    message.subject().map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_mail_apart() {
        let mail = "From: Haru <a@example.org>\r\nSubject: =?utf-8?b?7J247Kad?=\r\n =?utf-8?b?7ZWY6riw?=\r\n\
                    MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"b\"\r\n\r\n\
                    --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\
                    7J247Kad\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Hi</p>\r\n--b--\r\n";
        let tree = tree(mail.as_bytes());
        assert_eq!(tree.size, mail.len());
        let parts: Vec<_> = tree.parts.iter().map(|p| (p.depth, &*p.kind, &*p.encoding, p.decoded)).collect();
        assert_eq!(
            parts,
            [
                (0, "multipart/alternative", "", tree.parts[0].decoded),
                (1, "text/plain; charset=utf-8", "base64", 6),
                (1, "text/html; charset=utf-8", "7bit", 9),
            ]
        );
        assert_eq!(tree.parts[1].text.as_deref(), Some("인증"));
        assert_eq!(tree.html, 9);
        let subject = &tree.headers[1];
        assert_eq!((&*subject.name, subject.decoded.as_deref()), ("Subject", Some("인증하기")));
        assert_eq!(super::tree(b"\xff\x00").size, 2);
    }
}
