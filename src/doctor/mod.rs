//! Whether a site is well: many checks, each with what to do where it is not.
//!
//! ```text
//! check.rs     what a check is, and what it finds
//! table.rs     all checks, a row each
//! room.rs      what they share: the settings, the database, and what was read of it, once for all
//! database.rs  the server: reachable, its version, its clock, how it sorts
//! schema.rs    migrations, extension, what the login may
//! templates.rs whether mails can be made, and keep to the rules
//! workers.rs   who sends, with which secret, and what stops them
//! account.rs   what SES said of the account when workers asked: no AWS keys are needed here
//! rights.rs    the rights of AWS's that workers were refused
//! region.rs    whether all that is set means one region
//! events.rs    how what SES reports comes in
//! serve.rs     the verification view, and whether the public URL leads to it, asked by http.rs
//! smtp.rs      the mail server, up to where a recipient would be named; its password, by its form
//! dns.rs       what the sender's domain says in DNS, asked by dns/query.rs
//! plan.rs      what checks found, as steps between here and mails with results
//! ```
//! All run at once, each within its time: what hangs is a finding like another, and stops none of the others.

mod account;
mod check;
mod database;
mod dns;
mod events;
mod http;
mod plan;
mod region;
mod rights;
mod room;
mod schema;
mod serve;
mod smtp;
mod table;
mod templates;
mod workers;

use std::net::SocketAddr;

use futures_util::future::join_all;
use tokio::time::timeout;

use crate::config::Settings;
use crate::contain::contained_async;

pub use check::{Check, Finding, Found, State};
pub use plan::{Planned, Step};
pub use room::Room;
pub use table::{CHECKS, GROUPS};

/// Everything that is looked at, and what to look at it with.
pub struct Doctor {
    room: Room,
}

impl Doctor {
    /// One that looks at what these settings mean.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { room: Room::new(settings) }
    }

    /// The same, asking nothing but the database.
    #[must_use]
    pub fn offline(mut self, is_offline: bool) -> Self {
        self.room.is_offline = is_offline;
        self
    }

    /// The same with another name server than the system's.
    #[must_use]
    pub fn with_name_server(mut self, server: SocketAddr) -> Self {
        self.room.dns = dns::Dns::new(Some(server));
        self
    }

    /// The same with another clock than this machine's.
    #[must_use]
    pub fn with_clock(mut self, clock: fn() -> crate::domain::Time) -> Self {
        self.room.clock = clock;
        self
    }

    /// What all checks find, in their order.
    pub async fn examine(&self) -> Vec<Found> {
        self.some(CHECKS.iter(), &|_| {}).await
    }

    /// The same, each told as soon as it is found.
    pub async fn examine_telling(&self, tell: &(dyn Fn(&Found) + Sync)) {
        self.some(CHECKS.iter(), tell).await;
    }

    /// What one check finds.
    pub async fn examine_one(&self, name: &str) -> Option<Finding> {
        let found = self.examine_of(&[name]).await;
        found.into_iter().next().map(|(_, finding)| finding)
    }

    /// What these checks find.
    pub async fn examine_of(&self, names: &[&str]) -> Vec<Found> {
        self.some(CHECKS.iter().filter(|check| names.contains(&check.name)), &|_| {}).await
    }

    async fn some(&self, checks: impl Iterator<Item = &'static Check>, tell: &(dyn Fn(&Found) + Sync)) -> Vec<Found> {
        let found = checks.map(|check| self.one(check, tell));
        let found = join_all(found).await;
        self.room.close().await;
        found
    }

    async fn one(&self, check: &'static Check, tell: &(dyn Fn(&Found) + Sync)) -> Found {
        let found = (check, within(check, &self.room).await);
        tell(&found);
        found
    }
}

/// What a check finds, or that it did not end in time, or that it broke.
async fn within(check: &'static Check, room: &Room) -> Finding {
    match timeout(check.limit, contained_async((check.examine)(room))).await {
        Ok(Ok(Ok(finding) | Err(finding))) => finding,
        Ok(Err(broke)) => Finding::red(broke.to_string(), "report it; it is a fault of the program"),
        Err(_) => Finding::red(
            format!("no end within {} s", check.limit.as_secs()),
            "see whether what it asks answers at all, and try again",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn check(examine: check::Examine) -> &'static Check {
        Box::leak(Box::new(Check { name: "test.one", about: "", limit: Duration::from_millis(50), examine }))
    }

    #[tokio::test]
    async fn what_hangs_or_breaks_is_a_finding() {
        let room = Room::new(Settings::default());
        let hangs = within(check(|_| Box::pin(std::future::pending())), &room).await;
        assert_eq!((hangs.state, hangs.found.as_str()), (State::Red, "no end within 0 s"));
        let breaks = within(check(|_| Box::pin(async { panic!("a row") })), &room).await;
        assert_eq!(breaks.state, State::Red);
        assert!(breaks.found.as_str().contains("a row") && breaks.next.is_some(), "{breaks:?}");
    }

    /// Without a database, without a network: nothing waits, and what cannot be looked at says why.
    #[tokio::test(flavor = "multi_thread")]
    async fn without_settings_it_says_what_is_missing() {
        let found = Doctor::new(Settings::default()).examine().await;
        assert_eq!(found.len(), CHECKS.len());
        let reachable = &found.iter().find(|(check, _)| check.name == "database.reachable").unwrap().1;
        assert_eq!(reachable.state, State::Red);
        assert!(reachable.next.as_ref().unwrap().as_str().contains("DATABASE_URL"), "{reachable:?}");
        for (check, finding) in &found {
            assert!(!finding.found.as_str().is_empty(), "{}", check.name);
            let needs_next = matches!(finding.state, State::Yellow | State::Red);
            let may_have_next = needs_next || finding.state == State::Skipped;
            let has_next = finding.next.is_some();
            assert!(has_next || !needs_next, "{}: {finding:?}", check.name);
            assert!(may_have_next || !has_next, "{}: {finding:?}", check.name);
        }
    }
}
