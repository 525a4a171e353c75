//! Posts that another's SNS makes and signs; its certificates come from where it has them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use verifydesk::desk::Desk;
use verifydesk::domain::send::SendState::Delivered;
use verifydesk::ses::sns::{CheckedUrl, Fetch, FetchError};
use verifydesk::web::Context;

use super::{Server, delivery};
use crate::mail_servers::PATIENCE;
use crate::support::moto::Moto;
use crate::support::world::World;

struct OfMoto(Arc<Moto>);

impl Fetch for OfMoto {
    fn fetch(&self, url: CheckedUrl) -> BoxFuture<'static, Result<Vec<u8>, FetchError>> {
        let asked = self.0.certificate(url::Url::parse(url.as_str()).unwrap().path());
        async move { Ok(asked.send().await.unwrap().error_for_status().unwrap().bytes().await.unwrap().to_vec()) }
            .boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_sns_posts_is_taken_with_its_signature_of_version_2() {
    let moto = Arc::new(Moto::start());
    moto.make_queue("events", None).await;
    let topic = moto.make_topic("events", false).await;
    let world = World::with(|settings| settings.ses.topics = vec![topic.clone()]).await;
    world.sign_up("mina@example.com").await;
    world.execute("update sends set state = 'accepted', attempts = 1, ses_id = 'm-1'").await;
    let desk = Desk::open_to_strangers(&world.settings).unwrap();
    let fetch = Arc::new(OfMoto(Arc::clone(&moto)));
    let server = Server::of(desk.clone(), Context::with_webhook(desk, &world.settings, fetch)).await;
    moto.subscribe(&topic, "http", &format!("{}/ses/events", server.url), false).await;

    moto.publish(&topic, &delivery("m-1").to_string()).await;
    world.until(async || world.one_send().await.state == Delivered).await;
    let source =
        sqlx::query_scalar::<_, String>("select source from ses_events").fetch_one(world.pool()).await.unwrap();
    assert_eq!(source, "sns");

    // Signed as well, and foreign.
    moto.make_queue("others", None).await;
    let other = moto.make_topic("others", false).await;
    moto.subscribe(&other, "http", &format!("{}/ses/events", server.url), false).await;
    moto.publish(&other, &delivery("m-2").to_string()).await;
    let deadline = Instant::now() + PATIENCE;
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    let refused = "select coalesce(sum(count), 0)::bigint from sns_refusals where reason = 'foreign-topic'";
    while world.number(refused).await == 0 {
        assert!(Instant::now() < deadline, "it was not refused");
        looks.tick().await;
    }
    assert_eq!(world.number("select count(*) from ses_events").await, 1);
}
