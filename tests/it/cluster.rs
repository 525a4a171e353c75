//! The private PostgreSQL: made, stopped, killed, taken over, removed.

use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use verifydesk::demo::cluster::{Cluster, ClusterError, Options};

/// A directory that the server's account can reach, also when that is not this process's own.
pub fn place() -> (TempDir, Options) {
    let root = nix::unistd::Uid::effective().is_root();
    let parent = if root { Path::new("/tmp").to_owned() } else { std::env::temp_dir() };
    let place = tempfile::Builder::new().prefix("vdc-").tempdir_in(parent).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(place.path(), open).unwrap();
    let options = Options::throwaway(place.path().join("c"));
    (place, options)
}

fn server(cluster: &Cluster) -> Pid {
    Pid::from_raw(cluster.pid().unwrap())
}

async fn execute(url: &str, statement: &'static str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn ask<T>(url: &str, query: &'static str) -> T
where
    T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    let mut connection = PgConnection::connect(url).await.unwrap();
    let answer = sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_data_over_stops_and_kills() {
    let (_place, options) = place();
    let cluster = Cluster::start(options.clone()).unwrap();
    assert!(cluster.create_database("demo").await.unwrap());
    assert!(!cluster.create_database("demo").await.unwrap());
    let url = cluster.url("demo");
    execute(&url, "create table kept as select 42 as n").await;

    cluster.stop().unwrap();
    assert!(!options.is_running());
    let cluster = Cluster::start(options.clone()).unwrap();
    assert_eq!(ask::<i32>(&url, "select n from kept").await, 42);

    // The machine's memory killer takes the server; its owner ends without it.
    kill(server(&cluster), Signal::SIGKILL).unwrap();
    drop(cluster);
    let cluster = Cluster::start(options.clone()).unwrap();
    assert_eq!(ask::<i32>(&url, "select n from kept").await, 42);

    // The owner is killed, and the server lives on.
    let orphan = server(&cluster);
    cluster.leave_running();
    assert!(options.is_running());
    let cluster = Cluster::start(options.clone()).unwrap();
    assert_ne!(server(&cluster), orphan);
    assert_eq!(ask::<i32>(&url, "select n from kept").await, 42);
    drop(cluster);
    assert!(!options.is_running());
}

#[test]
fn a_lock_file_that_names_a_stranger_is_no_obstacle() {
    let (_place, options) = place();
    Cluster::start(options.clone()).unwrap().stop().unwrap();
    // As after a restart of the machine, when the number belongs to another process: here, to this test.
    for lock in ["data/postmaster.pid", ".s.PGSQL.5432.lock"] {
        let text = format!("{}\n{}\n", Pid::this(), options.directory.join("data").display());
        std::fs::write(options.directory.join(lock), text).unwrap();
    }
    let cluster = Cluster::start(options.clone()).unwrap();
    assert!(options.is_running());
    cluster.stop().unwrap();
}

#[test]
fn has_one_owner_at_a_time() {
    let (_place, options) = place();
    let cluster = Cluster::start(options.clone()).unwrap();
    let second = Cluster::start(options.clone()).unwrap_err();
    assert!(matches!(second, ClusterError::InUse { .. }), "{second}");
    assert!(second.to_string().contains("verifydesk demo --env"), "{second}");
    let reset = Cluster::reset(&options).unwrap_err();
    assert!(matches!(reset, ClusterError::InUse { .. }), "{reset}");
    assert!(options.is_running());
    cluster.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn reset_removes_everything() {
    let (_place, options) = place();
    Cluster::reset(&options).unwrap();
    let cluster = Cluster::start(options.clone()).unwrap();
    cluster.create_database("demo").await.unwrap();
    cluster.leave_running();
    Cluster::reset(&options).unwrap();
    assert!(!options.directory.exists());
    assert!(!options.is_running());
    let cluster = Cluster::start(options).unwrap();
    assert!(cluster.create_database("demo").await.unwrap());
}

#[test]
fn a_long_directory_works_and_a_stranger_s_does_not() {
    let (place, options) = place();
    let deep = Options::throwaway(options.directory.join("deep-".repeat(20)));
    std::fs::create_dir(&options.directory).unwrap();
    Cluster::start(deep.clone()).unwrap().stop().unwrap();
    Cluster::reset(&deep).unwrap();

    let file = place.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refused = Cluster::start(Options::throwaway(&file)).unwrap_err();
    assert!(matches!(refused, ClusterError::Unsafe { .. }), "{refused}");
    let link = place.path().join("link");
    std::os::unix::fs::symlink(&options.directory, &link).unwrap();
    let refused = Cluster::start(Options::throwaway(&link)).unwrap_err();
    assert!(matches!(refused, ClusterError::Unsafe { .. }), "{refused}");
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let (_place, options) = place();
    Cluster::start(options.clone()).unwrap().stop().unwrap();
    let settings = options.directory.join("data/postgresql.conf");
    let broken = std::fs::read_to_string(&settings).unwrap() + "\nno_such_setting = '\x1b]0;evil'\n";
    std::fs::write(&settings, broken).unwrap();
    let error = Cluster::start(options).unwrap_err().to_string();
    assert!(error.contains("no_such_setting") && error.contains("/log"), "{error}");
    assert!(!error.contains('\x1b'), "{error:?}");
}

/// Ctrl-C reaches every process of the terminal's foreground group.
#[test]
fn the_server_is_not_in_the_terminal_s_group() {
    let (_place, options) = place();
    let cluster = Cluster::start(options).unwrap();
    let group = nix::unistd::getpgid(Some(server(&cluster))).unwrap();
    assert_ne!(group, nix::unistd::getpgrp());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_listens_on_the_network_and_korean_is_understood() {
    let (_place, options) = place();
    let cluster = Cluster::start(options).unwrap();
    let url = cluster.url("postgres");
    assert_eq!(ask::<String>(&url, "show listen_addresses").await, "");
    assert_eq!(ask::<String>(&url, "show server_encoding").await, "UTF8");
    assert!(ask::<bool>(&url, "select '김' ~ '^[[:alpha:]]$'").await);
    let psql = std::process::Command::new("psql").args(["--no-psqlrc", "-Atc", "select 1", &url]).output();
    // Not everybody who has the server has its client; where it is, it takes the same URL.
    if let Ok(output) = psql {
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "1", "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn what_is_ours_is_not_where_the_servers_account_may_write() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let (place, options) = place();
    let cluster = Cluster::start(options.clone()).unwrap();
    let own = options.own_directory().unwrap();
    let is = std::fs::symlink_metadata(&own).unwrap();
    assert_eq!((is.uid(), is.mode() & 0o022), (nix::unistd::Uid::effective().as_raw(), 0));
    cluster.stop().unwrap();
    if nix::unistd::Uid::effective().is_root() {
        assert_eq!(own, place.path());
        // Where anyone may put a link, nothing is kept.
        std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o1777)).unwrap();
        assert!(matches!(options.own_directory(), Err(ClusterError::Unsafe { .. })));
    }
}
