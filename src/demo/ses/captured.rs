//! Reads the mails that the transport captured, each once.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;
use mail_parser::MessageParser;

use crate::domain::Time;

/// A mail that SES accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Captured {
    pub(super) accepted_at: Time,
    /// SES's id of it.
    pub(super) ses_id: String,
    pub(super) sender: String,
    pub(super) recipient: String,
    /// Our tags.
    pub(super) tags: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
}

impl Captured {
    /// `None` where the transport has not written this.
    fn read(name: &str, bytes: &[u8]) -> Option<Self> {
        let (accepted_at, id) = name.strip_suffix(".eml")?.split_once('-')?;
        let message = MessageParser::default().parse(bytes)?;
        let address = |addresses: Option<&mail_parser::Address<'_>>| Some(addresses?.first()?.address()?.to_owned());
        let tags = message.header_raw("X-SES-MESSAGE-TAGS").unwrap_or_default();
        Some(Self {
            accepted_at: NaiveDateTime::parse_from_str(accepted_at, "%Y%m%dT%H%M%S%.3fZ").ok()?.and_utc(),
            ses_id: format!("captured-{id}"),
            sender: address(message.from())?,
            recipient: address(message.to())?.to_lowercase(),
            tags: tags.split(',').filter_map(|tag| tag.split_once('=')).map(trimmed).collect(),
            headers: message.headers_raw().map(trimmed).collect(),
        })
    }
}

fn trimmed((name, value): (&str, &str)) -> (String, String) {
    (name.trim().to_owned(), value.trim().to_owned())
}

/// Where the mails are, and which of them were read.
#[derive(Debug, Default)]
pub(super) struct Directory {
    path: PathBuf,
    read: HashSet<OsString>,
}

impl Directory {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, read: HashSet::new() }
    }

    /// The mails accepted from then on that were not read before.
    pub(super) fn new_mails(&mut self, since: Time) -> io::Result<Vec<Captured>> {
        let mut mails = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let is_mail = Path::new(&name).extension().is_some_and(|extension| extension == "eml");
            if !is_mail || self.read.contains(&name) {
                continue;
            }
            let bytes = std::fs::read(self.path.join(&name))?;
            mails.extend(Captured::read(&name.to_string_lossy(), &bytes).filter(|mail| mail.accepted_at >= since));
            self.read.insert(name);
        }
        Ok(mails)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"From: Demo site <no-reply@demo.example.com>\r\nTo: \"Kim\" <Mina@example.com>\r\n\
        X-SES-MESSAGE-TAGS: send=0190,\r\n attempt=2\r\nSubject: hello\r\n\r\nhello\r\n";

    #[test]
    fn each_mail_is_read_once() {
        let top = tempfile::tempdir().unwrap();
        let mut directory = Directory::new(top.path().to_owned());
        let since = "2026-11-20T00:00:00Z".parse().unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(top.path().join(name), bytes).unwrap();
        write("20261120T101112.131Z-0190-abc.eml", MAIL);
        write("20261119T101112.131Z-old.eml", MAIL);
        write(".20261120T101112.131Z-unfinished.eml.part", MAIL);
        write("notes.eml", MAIL);
        write("20261120T101112.131Z-empty.eml", b"");
        let mails = directory.new_mails(since).unwrap();
        let [mail] = &mails[..] else { panic!("one of them is a mail: {mails:?}") };
        assert_eq!(mail.accepted_at.to_rfc3339(), "2026-11-20T10:11:12.131+00:00");
        assert_eq!((&*mail.ses_id, &*mail.recipient), ("captured-0190-abc", "mina@example.com"));
        assert_eq!(mail.sender, "no-reply@demo.example.com");
        assert_eq!(mail.tags, [("send".into(), "0190".into()), ("attempt".into(), "2".into())]);
        assert!(mail.headers.contains(&("Subject".into(), "hello".into())), "{:?}", mail.headers);

        assert_eq!(directory.new_mails(since).unwrap(), []);
        write("20261120T101113.000Z-next.eml", MAIL);
        assert_eq!(directory.new_mails(since).unwrap().len(), 1);
    }

    #[test]
    fn a_directory_that_cannot_be_read_is_tried_again() {
        let top = tempfile::tempdir().unwrap();
        let mut directory = Directory::new(top.path().join("mail"));
        let since = "2026-11-20T00:00:00Z".parse().unwrap();
        directory.new_mails(since).unwrap_err();
        std::fs::create_dir(top.path().join("mail")).unwrap();
        assert_eq!(directory.new_mails(since).unwrap(), []);
    }
}
