//! The sink that all send to, and the worker's site: a PostgreSQL of its own, as `verifydesk demo` makes them.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use sqlx::{Connection as _, PgConnection};
use verifydesk::demo::cluster::{Cluster, Options};

/// postfix's `smtp-sink`, on a port of 127.0.0.1. Ends when dropped.
pub struct Sink {
    child: Child,
    pub port: u16,
}

impl Sink {
    pub fn start() -> anyhow::Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut command = Command::new("smtp-sink");
        if nix::unistd::Uid::effective().is_root() {
            command.args(["-u", "nobody"]);
        }
        command.args([&format!("127.0.0.1:{port}"), "1000"]).stdin(Stdio::null()).stdout(Stdio::null());
        let mut sink = Self { child: command.spawn().context("postfix's smtp-sink")?, port };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if sink.child.try_wait()?.is_some() || Instant::now() > deadline {
                bail!("smtp-sink did not start");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(sink)
    }

    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Why a sender may have failed that it was there for.
    pub fn end(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A site with a database of its own on disk, as careful with data as one of a real site.
pub struct Site {
    program: String,
    port: u16,
    home: PathBuf,
    cluster: Option<Cluster>,
    options: Options,
}

impl Site {
    pub fn new(program: &str, port: u16) -> anyhow::Result<Self> {
        // On disk, where root's server can get to as well.
        let home = Path::new("/var/tmp").join(format!("vdbench-{}", std::process::id()));
        std::fs::create_dir(&home)?;
        std::fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        let options = Options { durable: true, ..Options::throwaway(home.join("c")) };
        let cluster = Some(Cluster::start(options.clone())?);
        Ok(Self { program: program.to_owned(), port, home, cluster, options })
    }

    fn url(&self) -> String {
        self.options.url("bench")
    }

    /// The database server's process.
    pub fn server(&self) -> Option<i32> {
        self.cluster.as_ref().and_then(Cluster::pid)
    }

    /// What the worker needs to know.
    pub fn settings(&self, command: &mut Command) {
        command.env("DATABASE_URL", self.url()).env("HOME", &self.home);
        for (name, value) in [
            ("PUBLIC_URL", "https://example.org"),
            ("SECRET", "a secret of the bench, 32 bytes and more"),
            ("MAIL__FROM", "Example <no-reply@example.org>"),
            ("SITE__NAME", "Example"),
            ("SITE__URL", "https://example.org/"),
            ("SMTP__HOST", "127.0.0.1"),
            ("SMTP__PORT", &self.port.to_string()),
            ("SMTP__TLS", "none"),
            ("PACE__RATE", "100000"),
        ] {
            command.env(format!("VERIFYDESK_{name}"), value);
        }
        if let Ok(lanes) = std::env::var("LANES") {
            command.env("VERIFYDESK_WORKER__LANES", lanes);
        }
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
        let mut command = Command::new(&self.program);
        self.settings(command.args(arguments));
        let output = command.output()?;
        ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(output.stdout)
    }

    /// The size of a mail, the mean of the two languages.
    pub fn mail_size(&self) -> anyhow::Result<usize> {
        let size = |locale| {
            let mime = self.run(&["render", "verification", "--locale", locale, "--part", "mime"])?;
            anyhow::Ok(mime.len())
        };
        Ok(usize::midpoint(size("ko")?, size("en")?))
    }

    /// The database's settings that matter.
    pub async fn describe(&self) -> anyhow::Result<String> {
        let mut connection = PgConnection::connect(&self.options.url("postgres")).await?;
        let described = sqlx::query_scalar(
            "select 'PostgreSQL ' || current_setting('server_version') || ': ' || string_agg(
                name || '=' || current_setting(name), ', ' order by name
            )
            from unnest(array['fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers']) as name",
        );
        Ok(described.fetch_one(&mut connection).await?)
    }

    /// A new database with so many queued mails.
    pub async fn fill(&self, mails: usize) -> anyhow::Result<()> {
        let mut admin = PgConnection::connect(&self.options.url("postgres")).await?;
        for statement in ["drop database if exists bench with (force)", "create database bench"] {
            sqlx::query(statement).execute(&mut admin).await?;
        }
        self.run(&["migrate"])?;
        let mut connection = PgConnection::connect(&self.url()).await?;
        let fill = include_str!("../../tests/queue_sends.sql");
        sqlx::query(fill).bind(i64::try_from(mails)?).execute(&mut connection).await?;
        for statement in ["vacuum analyze", "checkpoint"] {
            sqlx::query(statement).execute(&mut connection).await?;
        }
        Ok(())
    }

    /// Whether all has been sent, once.
    pub async fn check(&self, mails: usize) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect(&self.url()).await?;
        let query = "select count(*) from sends where state = 'accepted' and attempts = 1";
        let sent: i64 = sqlx::query_scalar(query).fetch_one(&mut connection).await?;
        ensure!(usize::try_from(sent)? == mails, "only {sent} of {mails} mails were sent");
        Ok(())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        drop(self.cluster.take());
        let _ = Cluster::reset(&self.options);
        let _ = std::fs::remove_dir_all(&self.home);
    }
}
