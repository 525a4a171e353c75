//! What the site's back end is told: what is written, by whoever acts, and how it is delivered.

mod delivered;
mod expired;
mod operated;
mod readme;
pub mod receiver;
mod together;
mod written;

use serde_json::Value;

use crate::support::world::World;

/// As a worker does whose settings name this endpoint.
async fn have_endpoint(world: &World, name: &str) {
    sqlx::query("insert into webhook_endpoints (name, place) values ($1, 'https://example.org')")
        .bind(name)
        .execute(world.pool())
        .await
        .unwrap();
}

/// The messages that were written, oldest first.
async fn messages(world: &World) -> Vec<Value> {
    let bodies: Vec<String> =
        sqlx::query_scalar("select body from webhook_messages order by id").fetch_all(world.pool()).await.unwrap();
    bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
}

/// Each as "type cause", oldest first.
async fn in_short(world: &World) -> Vec<String> {
    let words = |message: &Value| {
        let cause = message["data"]["cause"].as_str().unwrap_or("-");
        format!("{} {cause}", message["type"].as_str().unwrap())
    };
    messages(world).await.iter().map(words).collect()
}
