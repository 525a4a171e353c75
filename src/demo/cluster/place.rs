//! The cluster's directory in the hands of one process: making, starting and stopping the server in it.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use super::account::{Account, command};
use super::binaries::Binaries;
use super::error::tail;
use super::{ClusterError, Options, PORT, ROLE};

/// How long children of a killed server may keep its shared memory, until they notice.
const LEFTOVERS_MAX: Duration = Duration::from_secs(15);

/// A directory that this process has to itself.
#[derive(Debug)]
pub struct Place {
    pub options: Options,
    account: Account,
    binaries: Binaries,
    /// The open directory, locked.
    _lock: File,
}

impl Place {
    pub fn take(options: Options, binaries: Binaries) -> Result<Self, ClusterError> {
        let account = Account::choose()?;
        let directory = &options.directory;
        let fail = |source| ClusterError::Io { doing: "opening", path: directory.clone(), source };
        if let Some(parent) = directory.parent()
            && !parent.exists()
        {
            std::fs::create_dir_all(parent).map_err(fail)?;
            if account.is_another() {
                // Whatever the umask is: the account passes through it.
                std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o755)).map_err(fail)?;
            }
        }
        let lock = loop {
            let lock = account.make_private(directory)?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(std::fs::TryLockError::WouldBlock) => {
                    return Err(ClusterError::InUse { directory: directory.clone() });
                }
                Err(std::fs::TryLockError::Error(source)) => return Err(fail(source)),
            }
            // The one who held the lock may just have removed the directory.
            let locked = lock.metadata().map_err(fail)?;
            if std::fs::symlink_metadata(directory)
                .is_ok_and(|now| (now.dev(), now.ino()) == (locked.dev(), locked.ino()))
            {
                break lock;
            }
        };
        account.make_private(&options.sockets())?;
        Ok(Self { options, account, binaries, _lock: lock })
    }

    fn run(&self, tool: &'static str, fill: impl FnOnce(&mut Command)) -> Result<(), ClusterError> {
        let program = self.binaries.tool(tool);
        let mut command = self.account.command(&program);
        fill(&mut command);
        let output = command.output().map_err(|source| ClusterError::Io { doing: "running", path: program, source })?;
        if output.status.success() {
            return Ok(());
        }
        let said = tail(if output.stderr.is_empty() { &output.stdout } else { &output.stderr });
        Err(ClusterError::Tool { tool, said })
    }

    /// Makes the data directory, all of it or none.
    pub fn init(&self) -> Result<(), ClusterError> {
        let unfinished = self.options.directory.join("data.new");
        let mut last = None;
        for locale in utf8_locales() {
            remove(&unfinished)?;
            let made = self.run("initdb", |command| {
                command.arg("--pgdata").arg(&unfinished);
                command.args(["--username", ROLE, "--encoding", "UTF8", "--locale", &locale, "--lc-messages", "C"]);
                command.args(["--auth-local", "trust", "--auth-host", "reject", "--no-instructions"]);
                if !self.options.durable {
                    command.arg("--no-sync");
                }
            });
            match made {
                Ok(()) => {
                    last = None;
                    break;
                }
                Err(error) => last = Some(error),
            }
        }
        if let Some(error) = last {
            return Err(error);
        }
        let data = self.options.data();
        remove(&data)?;
        std::fs::rename(&unfinished, &data).map_err(|source| ClusterError::Io { doing: "making", path: data, source })
    }

    pub fn launch(&self) -> Result<(), ClusterError> {
        let log = self.options.log();
        let since = Instant::now();
        loop {
            remove(&log)?;
            let started = self.run("pg_ctl", |command| {
                command.args(["start", "--silent", "--wait", "--timeout", "60", "--pgdata"]).arg(self.options.data());
                command.arg("--log").arg(&log).arg("--options").arg(self.settings());
            });
            let Err(error) = started else { return Ok(()) };
            let Ok(said) = self.account.read(&log) else { return Err(error) };
            let said = tail(&said);
            if !said.contains("still in use") || since.elapsed() > LEFTOVERS_MAX {
                return Err(ClusterError::NotStarted { log, said });
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The server's settings as `pg_ctl` hands them on, through a shell.
    fn settings(&self) -> String {
        let sockets = self.options.sockets();
        // A list of quoted names to PostgreSQL, one word to the shell.
        let sockets = format!("\"{}\"", sockets.to_string_lossy().replace('"', "\"\"")).replace('\'', r"'\''");
        let durable = if self.options.durable { "on" } else { "off" };
        [
            "listen_addresses=".to_owned(),
            format!("port={PORT}"),
            format!("unix_socket_directories='{sockets}'"),
            "unix_socket_permissions=0700".to_owned(),
            "max_connections=200".to_owned(),
            "shared_buffers=64MB".to_owned(),
            "wal_level=minimal".to_owned(),
            "max_wal_senders=0".to_owned(),
            "max_parallel_workers_per_gather=0".to_owned(),
            // Compiling a query costs more than any query on this little data.
            "jit=off".to_owned(),
            "timezone=UTC".to_owned(),
            "log_timezone=UTC".to_owned(),
            format!("fsync={durable}"),
            format!("full_page_writes={durable}"),
            format!("synchronous_commit={durable}"),
        ]
        .map(|setting| format!("-c {setting}"))
        .join(" ")
    }

    pub fn stop(&self) -> Result<(), ClusterError> {
        if self.server().is_none() {
            return Ok(());
        }
        let stop = |mode: &str| {
            self.run("pg_ctl", |command| {
                command.args(["stop", "--silent", "--wait", "--timeout", "30", "--mode", mode, "--pgdata"]);
                command.arg(self.options.data());
            })
        };
        let Err(error) = stop("fast") else { return Ok(()) };
        if self.server().is_none() {
            return Ok(());
        }
        // A server that hangs loses nothing by an immediate stop: it recovers at the next start.
        stop("immediate").map_err(|_| error)
    }

    /// Stops the server of an owner that was killed. Lock files that name some other process, as after a restart of the
    /// machine, would keep the server from starting, and go; what a killed server's children still hold in shared
    /// memory, PostgreSQL notices without them.
    pub fn stop_leftover(&self) -> Result<(), ClusterError> {
        if self.server().is_some() {
            return self.stop();
        }
        let socket = self.options.sockets().join(format!(".s.PGSQL.{PORT}"));
        for path in [&self.lock_file(), &socket, &socket.with_extension(format!("{PORT}.lock"))] {
            remove(path)?;
        }
        Ok(())
    }

    /// The server's process, if it lives.
    pub fn server(&self) -> Option<Pid> {
        let text = self.account.read(&self.lock_file()).ok()?;
        let pid = std::str::from_utf8(&text).ok()?.lines().next()?.trim().parse().ok()?;
        Some(Pid::from_raw(pid)).filter(|pid| is_server_of(*pid, &self.options.data()))
    }

    fn lock_file(&self) -> PathBuf {
        self.options.data().join("postmaster.pid")
    }
}

/// Whether a process is the server of this data directory: it lives and was started with its path. (A dead one that
/// no one has waited for yet has no arguments any more.)
fn is_server_of(pid: Pid, data: &Path) -> bool {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).or_else(|_| {
        command("ps").args(["-ww", "-o", "command=", "-p", &pid.to_string()]).output().map(|output| output.stdout)
    });
    let data = data.as_os_str().as_encoded_bytes();
    line.is_ok_and(|line| line.windows(data.len()).any(|part| part == data))
}

/// Locales that know Korean letters from punctuation, which trigrams need; the first that `initdb` accepts is used.
fn utf8_locales() -> Vec<String> {
    let mut all: Vec<String> = ["C.UTF-8", "en_US.UTF-8", "ko_KR.UTF-8"].map(str::to_owned).into();
    if let Ok(output) = command("locale").arg("-a").output() {
        let known = String::from_utf8_lossy(&output.stdout);
        let is_utf8 = |name: &&str| {
            let charset = name.rsplit('.').next().unwrap_or_default();
            charset.eq_ignore_ascii_case("utf8") || charset.eq_ignore_ascii_case("utf-8")
        };
        all.extend(known.lines().filter(is_utf8).take(3).map(str::to_owned));
    }
    all
}

/// Removes a file or directory that may not be there.
fn remove(path: &Path) -> Result<(), ClusterError> {
    let removed = match std::fs::symlink_metadata(path) {
        Ok(is) if is.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(ClusterError::Io { doing: "removing", path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_is_not_the_server() {
        assert!(!is_server_of(Pid::this(), Path::new("/nowhere/verifydesk/data")));
    }
}
