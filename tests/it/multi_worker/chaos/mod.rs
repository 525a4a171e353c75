//! Everything around the workers misbehaves while they send: the database refuses to write, its disk fills, its clock
//! steps, it fails over, its connections are forgotten, a worker is frozen, the relay refuses all. No mail is lost, none
//! is doubled unmarked, and nothing stands still without `queue` saying why.

mod frozen;
mod site;
mod trouble;
mod watch;

use self::site::Site;
use self::trouble::Trouble;
use super::ending::{self, Ending};
use super::{ALONE, size};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_stands_still_in_silence() {
    let _alone = ALONE.lock().await;
    let sends: usize = size("VERIFYDESK_CHAOS_SENDS", 3_000);
    let mut site = Site::start(sends).await;
    // Some, by name and between commas, to look for what one of them does to the next.
    let only = std::env::var("VERIFYDESK_CHAOS_ONLY").ok();
    let is_asked_for =
        |trouble: &Trouble| only.as_ref().is_none_or(|names| names.split(',').any(|name| name == trouble.name()));
    let troubles: Vec<Trouble> = Trouble::ALL.into_iter().filter(is_asked_for).collect();
    assert!(!troubles.is_empty(), "no trouble is called {only:?}");
    for (n, trouble) in (1..).zip(&troubles) {
        // Spread over the mails, wherever that is in time.
        let (at, last) = (n * sends / (troubles.len() + 1), (n + 1) * sends / (troubles.len() + 1));
        site.wait_for(at).await;
        let begun = std::time::Instant::now();
        trouble.befall(&mut site).await;
        let (over, before) = (std::time::Instant::now(), site.server.arrivals().len());
        // It is over by itself: no one lifts a hand.
        site.wait_for((before + 20).min(last)).await;
        eprintln!("{}: {:.1?}, mails went again {:.1?} later", trouble.name(), over - begun, over.elapsed());
    }
    let (rows, took) = site.settled().await;
    let mut wrong = site.silences();
    assert_eq!(rows.len(), sends);
    let Ending { doubles, unknown, unseen } = ending::judge(&rows, &site.server.by_recipient(), &mut wrong, |_| None);
    eprintln!(
        "{sends} mails in {took:.1?}: {doubles} twice and marked, {unknown} unknown for good, {unseen} never seen"
    );
    assert!(wrong.is_empty(), "{}\nthe workers say\n{}", wrong.join("\n"), site.log());
}
