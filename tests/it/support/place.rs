//! Directories of servers, which go with the test, also where that is killed.

use std::ops::Deref;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::unistd::{Uid, User};
use tempfile::TempDir;

/// Ends what runs in a directory, and removes it, when its standard input ends: with the process that holds the other end.
const AFTERWARDS: &str = r#"
    cat
    for file in "$1"/data/postmaster.pid "$1"/pgbouncer.pid; do
        [ -f "$file" ] || continue
        pid=$(head -n 1 "$file")
        kill -QUIT "$pid" && while kill -0 "$pid"; do sleep 0.1; done
    done
    if command -v mountpoint && mountpoint -q "$1"; then umount -l "$1"; fi
    rm -rf "$1"
"#;

/// The account that servers run under, where that is not this process's own: PostgreSQL refuses root.
pub fn account() -> Option<User> {
    if !Uid::effective().is_root() {
        return None;
    }
    ["postgres", "nobody"].into_iter().find_map(|name| User::from_name(name).ok().flatten())
}

/// A directory that the server's account owns.
pub struct Place {
    directory: TempDir,
    watcher: Child,
}

impl Place {
    pub fn new() -> Self {
        let parent = if Uid::effective().is_root() { PathBuf::from("/tmp") } else { std::env::temp_dir() };
        let directory = tempfile::Builder::new().prefix("vdn-").tempdir_in(parent).unwrap();
        if let Some(account) = account() {
            let (uid, gid) = (account.uid.as_raw(), account.gid.as_raw());
            std::os::unix::fs::chown(directory.path(), Some(uid), Some(gid)).unwrap();
        }
        let mut command = Command::new("sh");
        command.args(["-c", AFTERWARDS, "sh"]).arg(directory.path());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Ctrl-C ends the test, and this is needed after it.
        let watcher = command.process_group(0).spawn().unwrap();
        Self { directory, watcher }
    }
}

impl Deref for Place {
    type Target = TempDir;

    fn deref(&self) -> &TempDir {
        &self.directory
    }
}

impl Drop for Place {
    /// Whose place it is has ended what runs in it.
    fn drop(&mut self) {
        let _ = self.watcher.kill();
        let _ = self.watcher.wait();
    }
}

mod tests {
    use super::super::node::Node;
    use super::super::until;
    use super::*;

    /// What the test that is killed prints.
    const AT: &str = "the server is in ";

    /// Not a test, but the one that is killed.
    #[test]
    #[ignore = "is killed by the test below"]
    fn is_killed() {
        let node = Node::primary(&[]);
        node.start();
        println!("\n{AT}{}", node.directory().display());
        std::thread::park();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_test_that_is_killed_leaves_no_server() {
        use std::io::{BufRead as _, BufReader};
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["support::place::tests::is_killed", "--exact", "--ignored", "--nocapture"]);
        let mut killed = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(killed.stdout.take().unwrap()).lines().map_while(Result::ok);
        let directory = lines.find_map(|line| line.strip_prefix(AT).map(PathBuf::from)).unwrap();
        let pid = std::fs::read_to_string(directory.join("data/postmaster.pid")).unwrap();
        let server = nix::unistd::Pid::from_raw(pid.lines().next().unwrap().parse().unwrap());
        let runs = || nix::sys::signal::kill(server, None).is_ok();
        assert!(runs());
        killed.kill().unwrap();
        killed.wait().unwrap();
        until("the server ends and its directory goes", async || !runs() && !directory.exists()).await;
    }
}
