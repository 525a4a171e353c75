//! The account that runs the server: this process's own or, since PostgreSQL refuses root, an unprivileged one.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::unistd::{Gid, Uid, User};

use super::ClusterError;

/// What a program that is started here gets to see of the environment, where it is there: how to find programs and their
/// libraries. The rest is the caller's own, secrets among it, and the account that runs the server could read it.
const HANDED_ON: [&str; 3] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// Most of a file that is read, in bytes: a log that grew for months is not kept in memory for its last lines.
const READ_MAX: u64 = 1024 * 1024;

/// A program with an environment of its own, in a language that is known.
pub(super) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").stdin(Stdio::null());
    command.envs(HANDED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command
}

/// Who runs the server.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    uid: Uid,
    gid: Gid,
    switch: bool,
}

impl Account {
    /// This process's own account; for root that of `postgres`, else of `nobody`.
    pub fn choose() -> Result<Self, ClusterError> {
        let uid = Uid::effective();
        if !uid.is_root() {
            return Ok(Self { uid, gid: Gid::effective(), switch: false });
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| Self { uid: user.uid, gid: user.gid, switch: true })
            .ok_or(ClusterError::NoAccount)
    }

    /// Whether it is another than one's own.
    #[must_use]
    pub fn is_another(self) -> bool {
        self.switch
    }

    /// Whether a file is this account's.
    #[must_use]
    pub fn owns(self, is: &std::fs::Metadata) -> bool {
        is.uid() == self.uid.as_raw()
    }

    /// A program that will run under this account, untouched by the caller's environment.
    #[must_use]
    pub fn command(self, program: &Path) -> Command {
        let mut command = command(program);
        // The caller's directory may be one that this account cannot enter.
        command.current_dir("/");
        if self.switch {
            command.uid(self.uid.as_raw()).gid(self.gid.as_raw());
        }
        command
    }

    /// Reads a file that this account has written: the end of a large one. No link and no other account's file: where
    /// root reads what another account named, that one would choose what root shows.
    pub fn read(self, path: &Path) -> io::Result<Vec<u8>> {
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        let mut file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
        let is = file.metadata()?;
        if !is.is_file() || !self.owns(&is) {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "not a file of the server's account"));
        }
        io::Seek::seek(&mut file, io::SeekFrom::Start(is.len().saturating_sub(READ_MAX)))?;
        let mut bytes = Vec::new();
        file.take(READ_MAX).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Makes a directory that only this account (and root) can enter, or checks that it is one; returns it opened. All
    /// changes are made through the open file, so nothing can be put in its place in between.
    pub fn make_private(self, directory: &Path) -> Result<File, ClusterError> {
        let fail = |source| ClusterError::Io { doing: "making", path: directory.to_owned(), source };
        match std::fs::DirBuilder::new().mode(0o700).create(directory) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(fail(error)),
        }
        let flags = OFlag::O_NOFOLLOW | OFlag::O_DIRECTORY;
        let opened = match OpenOptions::new().read(true).custom_flags(flags.bits()).open(directory) {
            Ok(opened) => opened,
            // What a link and what a file answer.
            Err(error)
                if error
                    .raw_os_error()
                    .is_some_and(|code| [Errno::ELOOP as i32, Errno::ENOTDIR as i32].contains(&code)) =>
            {
                return Err(ClusterError::Unsafe { path: directory.to_owned() });
            }
            Err(error) => return Err(fail(error)),
        };
        let is = opened.metadata().map_err(fail)?;
        if !self.owns(&is) && is.uid() != Uid::effective().as_raw() {
            return Err(ClusterError::Unsafe { path: directory.to_owned() });
        }
        if !self.owns(&is) {
            fchown(&opened, Some(self.uid.as_raw()), Some(self.gid.as_raw())).map_err(fail)?;
        }
        if is.mode() & 0o777 != 0o700 {
            opened.set_permissions(std::fs::Permissions::from_mode(0o700)).map_err(fail)?;
        }
        Ok(opened)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn the_server_sees_nothing_of_the_environment() {
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "there is something to be seen");
        let output = Account::choose().unwrap().command(Path::new("/usr/bin/env")).output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let names: Vec<&str> = output.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
        assert!(names.contains(&"PATH") && names.contains(&"LC_ALL"), "{names:?}");
        assert!(names.iter().all(|name| *name == "LC_ALL" || HANDED_ON.contains(name)), "{names:?}");
    }

    #[test]
    fn reads_no_file_that_another_put_there() {
        let account = Account::choose().unwrap();
        let place = tempfile::tempdir().unwrap();
        let [file, link, pipe] = ["file", "link", "pipe"].map(|name| place.path().join(name));
        std::fs::write(&file, "secret").unwrap();
        symlink(&file, &link).unwrap();
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let since = Instant::now();
        for path in [&link, &pipe, &place.path().join("none"), &place.path().to_owned()] {
            assert!(account.read(path).is_err(), "{}", path.display());
        }
        assert!(since.elapsed() < Duration::from_secs(5), "a pipe without a writer is not waited for");
        // For root the file is its own and not the account's, as a hard link to a file of root would be.
        assert_eq!(account.read(&file).is_ok(), !account.is_another());
        std::os::unix::fs::chown(&file, Some(account.uid.as_raw()), None).unwrap();
        assert_eq!(account.read(&file).unwrap(), b"secret");
        std::fs::write(&file, vec![b'x'; 3 * 1024 * 1024]).unwrap();
        assert_eq!(account.read(&file).unwrap().len(), 1024 * 1024);
    }

    #[test]
    fn changes_no_directory_behind_a_link() {
        let account = Account::choose().unwrap();
        let place = tempfile::tempdir().unwrap();
        let [target, link, file] = ["target", "link", "file"].map(|name| place.path().join(name));
        std::fs::create_dir(&target).unwrap();
        std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o755)).unwrap();
        symlink(&target, &link).unwrap();
        std::fs::write(&file, "").unwrap();
        for path in [&link, &file] {
            let made = account.make_private(path);
            assert!(matches!(made, Err(ClusterError::Unsafe { .. })), "{}: {made:?}", path.display());
        }
        let is = std::fs::metadata(&target).unwrap();
        assert_eq!((is.mode() & 0o777, is.uid()), (0o755, Uid::effective().as_raw()));
        account.make_private(&target).unwrap();
        let is = std::fs::metadata(&target).unwrap();
        assert_eq!((is.mode() & 0o777, is.uid()), (0o700, account.uid.as_raw()));
    }
}
