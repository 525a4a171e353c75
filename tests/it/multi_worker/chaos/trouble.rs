//! What goes wrong, one after the other, and how it ends.

use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

use super::frozen;
use super::site::Site;

/// What a relay says of every recipient whose directory is away, and then of a client that it does not know any more.
const REFUSALS: [&str; 2] =
    ["550 5.1.1 User unknown in local recipient table\r\n", "554 5.7.1 Relay access denied\r\n"];

/// How long each lasts that does not end by what happens.
const LASTS: Duration = Duration::from_secs(6);

#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    ReadOnly,
    DiskFull,
    Frozen,
    Forgotten,
    Refused,
    ClockBack,
    ClockAhead,
    Failover,
}

impl Trouble {
    pub const ALL: [Self; 8] = [
        Self::ReadOnly,
        Self::DiskFull,
        Self::Frozen,
        Self::Forgotten,
        Self::Refused,
        Self::ClockBack,
        Self::ClockAhead,
        Self::Failover,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::DiskFull => "disk-full",
            Self::Frozen => "frozen",
            Self::Forgotten => "forgotten",
            Self::Refused => "refused",
            Self::ClockBack => "clock-back",
            Self::ClockAhead => "clock-ahead",
            Self::Failover => "failover",
        }
    }

    /// Lets it happen, and ends it.
    pub async fn befall(self, site: &mut Site) {
        match self {
            Self::ReadOnly => {
                set(site, "alter system set default_transaction_read_only = on").await;
                tokio::time::sleep(LASTS).await;
                set(site, "alter system reset default_transaction_read_only").await;
            }
            Self::DiskFull => fill(site).await,
            Self::Frozen => frozen::at_each_point(site).await,
            Self::Forgotten => site.proxies.iter().for_each(crate::support::tcp_proxy::TcpProxy::forget),
            Self::Refused => {
                for refusal in REFUSALS {
                    site.server.refuse(Some(refusal));
                    tokio::time::sleep(LASTS / 2).await;
                }
                site.server.refuse(None);
            }
            Self::ClockBack => site.nodes[site.primary].set_clock("-1h"),
            Self::ClockAhead => site.nodes[site.primary].set_clock("+1h"),
            Self::Failover => {
                let standby = 1 - site.primary;
                site.nodes[site.primary].crash();
                // It comes back as the only one that can be reached, and must be passed over all the same.
                site.proxies[standby].shut().await;
                site.nodes[site.primary].start_as_standby();
                tokio::time::sleep(LASTS / 2).await;
                site.proxies[standby].open().await;
                site.nodes[standby].promote();
                site.primary = standby;
            }
        }
    }
}

/// Changes a setting of the whole server, for what is connected as well.
async fn set(site: &Site, statement: &'static str) {
    let mut connection = site.admin().await;
    sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    sqlx::raw_sql("select pg_reload_conf()").execute(&mut connection).await.unwrap();
}

/// Leaves no byte on the database's disk for a while.
async fn fill(site: &Site) {
    let Some(disk) = &site.disk else {
        eprintln!("disk-full: left out, since this user may not mount a file system");
        return;
    };
    let path = disk.path().join("filler");
    let mut filler = File::create(&path).unwrap();
    // By large pieces, then by the smallest that the file system knows.
    for piece in [1 << 20, 4096] {
        while filler.write_all(&vec![0; piece]).is_ok() {}
    }
    tokio::time::sleep(LASTS).await;
    std::fs::remove_file(path).unwrap();
}
