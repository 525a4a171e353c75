//! Mail into files instead of the world: for trying, for tests, for the demo.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;

use super::{Cause, Failure, Reply, Stage};
use crate::config::SettingError;
use crate::contain;
use crate::domain::id::SendId;
use crate::mail::message::Composed;
use crate::text::{Untrusted, plain};

/// The mails hold links that work: no one else may read them.
const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;

/// Longest that writing a file should take.
pub(super) const LONGEST: Duration = Duration::from_secs(10);

/// A directory of `.eml` files.
#[derive(Clone, Debug)]
pub(super) struct Capture {
    dir: PathBuf,
}

impl Capture {
    /// Makes the directory if it is not there, and tries whether it can be written.
    pub(super) fn open(dir: &Path) -> Result<Self, SettingError> {
        let probe = dir.join(format!(".probe-{}", SendId::new()));
        let tried = DirBuilder::new()
            .recursive(true)
            .mode(DIR_MODE)
            .create(dir)
            .and_then(|()| create(&probe))
            .and_then(|_| std::fs::remove_file(&probe));
        match tried {
            Ok(()) => Ok(Self { dir: dir.to_owned() }),
            Err(error) => Err(SettingError::new(
                format!("mail cannot be captured in {}: {error}", plain(&dir.display().to_string())),
                "set VERIFYDESK_CAPTURE__DIR to a directory that this user may write",
            )),
        }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes one mail; it is whole under its name or not there at all.
    pub(super) async fn send(&self, mail: &Composed, id: SendId) -> Result<Reply, Failure> {
        let name = format!("{}-{id}.eml", Utc::now().format("%Y%m%dT%H%M%S%.3fZ"));
        let (dir, bytes) = (self.dir.clone(), mail.bytes.clone());
        let written = contain::spawn_blocking(move || write(&dir, &name, &bytes)).await;
        let written = written.map_err(io::Error::other).and_then(|done| done.map_err(io::Error::other));
        match written.and_then(|result| result) {
            Ok(()) => Ok(Reply::new(250, format!("Ok captured-{id}"))),
            Err(error) => {
                let what = Untrusted::new(format!("{}: {error}", self.dir.display()));
                Err(Failure::new(Stage::EndOfData, Cause::File(what)))
            }
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let unfinished = dir.join(format!(".{name}.part"));
    let written = create(&unfinished)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&unfinished, dir.join(name)));
    if written.is_err() {
        let _ = std::fs::remove_file(&unfinished);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use tokio::sync::watch;
    use tokio::time::Instant;

    use super::*;
    use crate::config::Settings;
    use crate::config::TransportKind;
    use crate::domain::address::EmailAddress;
    use crate::mail::transport::{Lease, Transport};

    fn mail() -> Composed {
        Composed {
            from: EmailAddress::parse("no-reply@example.org").unwrap(),
            to: EmailAddress::parse("robin@example.com").unwrap(),
            bytes: b"Subject: x\r\n\r\nhello\r\n".to_vec(),
        }
    }

    /// A lease that does not end.
    fn forever() -> Lease {
        Lease::new(watch::channel(Instant::now() + Duration::from_hours(1)).1)
    }

    fn settings(dir: &Path) -> Settings {
        let mut settings = Settings::default();
        settings.mail.transport = TransportKind::Capture;
        settings.capture.dir = Some(dir.to_owned());
        settings
    }

    #[tokio::test]
    async fn writes_private_files() {
        let top = tempfile::tempdir().unwrap();
        let dir = top.path().join("deep/mail");
        let transport = Transport::from_settings(&settings(&dir)).unwrap();
        assert_eq!((transport.kind(), transport.target()), ("capture", dir.display().to_string()));
        let id = SendId::new();
        let mut lane = transport.lane();
        let receipt = lane.send(&mail(), id, &forever()).await.unwrap();
        lane.close().await;
        assert_eq!(receipt.reply.raw(), format!("250 Ok captured-{id}"));
        assert_eq!(receipt.ses_id.unwrap().raw(), format!("captured-{id}"));
        let files: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "one file and nothing unfinished: {files:?}");
        assert!(files[0].to_string_lossy().ends_with(&format!("Z-{id}.eml")));
        assert_eq!(std::fs::read(&files[0]).unwrap(), mail().bytes);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&files[0]), mode(&dir)), (0o600, 0o700));
    }

    #[tokio::test]
    async fn a_place_that_cannot_be_written_is_named() {
        let top = tempfile::tempdir().unwrap();
        let file = top.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = Transport::from_settings(&settings(&file.join("mail"))).unwrap_err();
        assert!(error.what.contains(&*file.to_string_lossy()) && error.hint.contains("VERIFYDESK_CAPTURE__DIR"));

        let dir = top.path().join("mail");
        let mut lane = Transport::from_settings(&settings(&dir)).unwrap().lane();
        std::fs::remove_dir(&dir).unwrap();
        let failure = lane.send(&mail(), SendId::new(), &forever()).await.unwrap_err();
        assert!(!failure.is_unknown() && failure.to_string().contains("could not be written"), "{failure}");
    }
}
