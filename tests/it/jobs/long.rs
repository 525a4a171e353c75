//! What looks at a whole bulk resend may take longer than any other statement, and than a silent server is waited for.

use std::time::Duration;

use verifydesk::desk::Desk;

use super::{expired, expired_people, start};
use crate::support::tcp_proxy::TcpProxy;
use crate::support::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_not_cut_off_as_if_the_server_were_silent() {
    let world = World::new().await;
    let proxy = TcpProxy::new(&world.db.url).await;
    expired_people(&world, 3).await;
    // Longer than `serve` waits for a silent server.
    world
        .execute(
            "alter function address_block(uuid, text) rename to real_block;
        create function address_block(send uuid, state text) returns table (block text) language plpgsql as $$
        begin
            perform pg_sleep(10) where send = (select min(id::text)::uuid from sends);
            return query select b.block from real_block(send, state) b;
        end
        $$",
        )
        .await;
    let desk = Desk::open_to_strangers(&world.settings_behind(&proxy)).unwrap();
    start(&desk, &expired()).await;
    let scope = expired();
    let both = async { tokio::join!(desk.plan_job(&scope), desk.store().advance_jobs(10, desk.policy())) };
    let (plan, chunk) = tokio::time::timeout(Duration::from_mins(1), both).await.expect("it ends");
    assert_eq!(plan.unwrap().found, 3);
    assert_eq!(chunk.unwrap().queued, 3);
}
