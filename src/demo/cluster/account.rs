//! The account that runs the server: oneself, or, since PostgreSQL refuses root, a lesser one.

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, lchown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Gid, Uid, User};

use super::ClusterError;

/// Who runs the server.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    uid: Uid,
    gid: Gid,
    switch: bool,
}

impl Account {
    /// Oneself; for root `postgres`, else `nobody`.
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

    /// A program that will run under this account, untouched by the caller's own PostgreSQL settings and language.
    #[must_use]
    pub fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // The caller's directory may be one that this account cannot enter.
        command.current_dir("/").stdin(Stdio::null()).env("LC_ALL", "C");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        if self.switch {
            command.uid(self.uid.as_raw()).gid(self.gid.as_raw()).env_remove("HOME");
        }
        command
    }

    /// Makes a directory that only this account (and root) can enter, or checks that it is one.
    pub fn make_private(self, directory: &Path) -> Result<(), ClusterError> {
        let fail = |source| ClusterError::Io { doing: "making", path: directory.to_owned(), source };
        match std::fs::DirBuilder::new().mode(0o700).create(directory) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(fail(error)),
        }
        let is = std::fs::symlink_metadata(directory).map_err(fail)?;
        let mine = is.uid() == self.uid.as_raw() || is.uid() == Uid::effective().as_raw();
        if !is.is_dir() || !mine {
            return Err(ClusterError::Unsafe { path: directory.to_owned() });
        }
        if is.uid() != self.uid.as_raw() {
            lchown(directory, Some(self.uid.as_raw()), Some(self.gid.as_raw())).map_err(fail)?;
        }
        if is.mode() & 0o777 != 0o700 {
            std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700)).map_err(fail)?;
        }
        Ok(())
    }
}
