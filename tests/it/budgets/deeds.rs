//! Everything that is done with verifydesk, once.

mod acts;
mod console;
mod hooks;
mod sending;

use super::Large;

/// Status and search, as many are done at a desk; the last ones find very many, of whom the status has few or old ones.
const SEARCHES: &str = include_str!("../../../benches/search/searches.tsv");

const JOB: &str = "00000000-0000-7000-8000-000000000003";

pub async fn all(large: &mut Large) {
    large.forget().await;
    lists(large).await;
    console::all(large).await;
    acts::all(large).await;
    hooks::all(large).await;
    sending::all(large).await;
}

impl Large {
    /// Runs the program, which is to succeed.
    async fn run(&mut self, arguments: &[&str]) -> String {
        let run = self.program.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}{}", run.out, run.err);
        self.did(&arguments.join(" ")).await;
        run.out
    }

    /// The `n`-th newest of those whose link is still good.
    fn pending(&self, n: u32) -> String {
        (self.people - 2 - 10 * n).to_string()
    }

    /// The `n`-th newest of those who are verified, of whom each has a mail that arrived.
    fn verified(&self, n: u32) -> String {
        (self.people - 5 - 10 * n).to_string()
    }
}

async fn lists(large: &mut Large) {
    for line in SEARCHES.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        large.run(&["list", "--status", columns[0], "--search", columns[1]]).await;
    }
    let shown = large.verified(3);
    for arguments in [
        &["list"][..],
        &["list", "--status", "pending"],
        &["list", "--status", "expired"],
        &["list", "--status", "verified", "--limit", "200"],
        &["list", "--mail-state", "bounced", "--since", "2h"],
        &["list", "--search", "domain:naver.com created:>2d"],
        &["list", "--search", "Mina Park <user4759@naver.com>"],
        &["list", "--search", "user 4759"],
        &["list", "--search", "Mina Kim"],
        &["list", "--search", "김민나"],
        &["list", "--search", "0100000000001297-000000"],
        &["show", &shown],
        &["show", &shown, "--json"],
        &["sends"],
        &["sends", "--state", "failed"],
        &["sends", "--state", "bounced", "--since", "2h"],
        &["sends", "--search", "user77"],
        &["sends", "--search", "user77@naver.com"],
        &["sends", "--search", "Mina Kim"],
        &["sends", "--search", "domain:naver.com"],
        &["sends", "--search", &format!("job:{JOB}")],
        &["audit"],
        &["audit", "--by", "mina"],
        &["audit", "--search", "user 7"],
        &["audit", "--since", "2h", "--action", "resend"],
        &["events", "list"],
        &["events", "list", "--orphans"],
        &["events", "subscriptions"],
        &["queue"],
        &["queue", "--json"],
        &["account"],
        &["account", "suppression", "list"],
        &["account", "suppression", "show", "user4759@naver.com", "--known"],
        &["jobs"],
        &["jobs", "show", JOB],
        &["jobs", "skipped", JOB],
        &["migrate"],
    ] {
        large.run(arguments).await;
    }
}
