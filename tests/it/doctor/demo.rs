//! On the demo all is green; what does not apply there is skipped, with the reason.

use std::os::unix::fs::PermissionsExt as _;

use verifydesk::demo::cluster::Options;
use verifydesk::demo::env::{self, DemoEnv};

use super::*;
use crate::support::until;

#[tokio::test(flavor = "multi_thread")]
async fn on_the_demo_all_is_green() {
    // Root's server runs as another user, who may pass through it and no more.
    let place = tempfile::Builder::new().prefix("vdd-").tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    let options = Options::throwaway(place.path().join("demo"));
    let env = DemoEnv::start(options.clone(), &Settings::default()).await.unwrap();
    until("worker and view show themselves", async || {
        let outbox = env.desk.store().outbox().await.unwrap();
        outbox.is_worked() && !outbox.serves.is_empty()
    })
    .await;
    let found = Doctor::new(env.settings.clone()).examine().await;
    env.shutdown().await.unwrap();
    env::reset(&options).unwrap();
    for (check, finding) in &found {
        assert!(finding.state <= State::Green, "{}: {finding:?}", check.name);
        let is_green = finding.state == State::Green;
        let must_be = ["database", "schema", "templates", "workers", "serve"].contains(&check.group());
        assert!(is_green || !must_be, "{}: {finding:?}", check.name);
    }
}
