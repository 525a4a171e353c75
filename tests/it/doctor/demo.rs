//! On the demo all is green; what does not apply there is skipped, with the reason.

use verifydesk::demo::cluster::Options;
use verifydesk::demo::env::DemoEnv;

use super::*;
use crate::support::node::place;

#[tokio::test(flavor = "multi_thread")]
async fn on_the_demo_all_is_green() {
    let place = place();
    let env = DemoEnv::start(Options::throwaway(place.path().join("demo")), &Settings::default()).await.unwrap();
    crate::support::until("the worker shows itself", async || env.desk.store().outbox().await.unwrap().is_worked())
        .await;
    let found = Doctor::new(env.settings.clone()).examine().await;
    for (check, finding) in &found {
        assert!(finding.state <= State::Green, "{}: {finding:?}", check.name);
    }
    let is_green = |name: &str| found.iter().any(|(check, it)| check.name == name && it.state == State::Green);
    assert!(
        CHECKS
            .iter()
            .filter(|check| ["database", "schema", "workers"].contains(&check.group()))
            .all(|it| is_green(it.name))
    );
    env.shutdown().await.unwrap();
}
