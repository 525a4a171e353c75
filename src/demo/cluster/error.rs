//! What can go wrong with the private cluster, and what to do then.

use std::io;
use std::path::PathBuf;

use super::binaries::VERSION_MIN;
use crate::text;

/// Most lines of a program's output or the server's log that an error repeats.
const TAIL_LINES: usize = 6;

/// Why the private cluster could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No server programs anywhere.
    #[error(
        "no PostgreSQL server is installed (looked on PATH, by pg_config and in the usual places); install PostgreSQL \
         {VERSION_MIN} or newer: `apt-get install postgresql`, `dnf install postgresql-server`, `brew install postgresql`"
    )]
    NoServer,
    /// Server programs, but none that will do.
    #[error("PostgreSQL {found} in {} is too old; install PostgreSQL {VERSION_MIN} or newer", directory.display())]
    TooOld {
        /// The newest major version found.
        found: u32,
        /// Where it was found.
        directory: PathBuf,
    },
    /// The data was made by a version that is no longer installed.
    #[error(
        "{} was made by PostgreSQL {made_by}, which is not installed (PostgreSQL {found} is); install it again, or start \
         over with `verifydesk demo --reset`",
        directory.display()
    )]
    OtherVersion {
        /// The data's major version.
        made_by: u32,
        /// The newest major version installed.
        found: u32,
        /// The cluster's directory.
        directory: PathBuf,
    },
    /// Run by root, and no account to run the server.
    #[error(
        "PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`; run this as another user"
    )]
    NoAccount,
    /// The user has no home directory.
    #[error("no home directory to keep the data in; set HOME or XDG_DATA_HOME")]
    NoHome,
    /// Another process has it.
    #[error("another verifydesk already runs the cluster in {}; close it, or join it with `verifydesk demo --env`", directory.display())]
    InUse {
        /// The cluster's directory.
        directory: PathBuf,
    },
    /// Something that others made is where the directory should be.
    #[error("{} belongs to someone else or is not a directory; move it away", path.display())]
    Unsafe { path: PathBuf },
    /// A file or directory.
    #[error("{doing} {} failed: {source}", path.display())]
    Io {
        /// What was being done to it.
        doing: &'static str,
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// One of PostgreSQL's programs failed.
    #[error("{tool} failed: {said}")]
    Tool {
        /// Which program.
        tool: &'static str,
        /// Its last lines, safe to show.
        said: String,
    },
    /// The server did not come up.
    #[error("PostgreSQL did not start; its log, {}, ends: {said}", log.display())]
    NotStarted {
        /// The whole log.
        log: PathBuf,
        /// Its last lines, safe to show.
        said: String,
    },
}

/// The last lines of a program's output, safe to show on one line.
pub(super) fn tail(output: &[u8]) -> String {
    let lines = text::plain_lines(&String::from_utf8_lossy(output));
    let lines: Vec<&str> = lines.iter().map(text::Plain::as_str).filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_short_and_harmless() {
        let log = (0..20).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n\n");
        assert_eq!(tail(log.as_bytes()), "line 14 | line 15 | line 16 | line 17 | line 18 | line 19");
        assert_eq!(tail(b"FATAL: \x1b[31m\xff\r\n"), "FATAL: \u{241b}[31m\u{fffd}");
        assert_eq!(tail(b""), "");
    }
}
