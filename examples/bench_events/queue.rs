//! A queue as SQS's JSON protocol knows it. What is received is gone from it at once: nothing here is received twice.
//!
//! `GET /` says how many messages were deleted, and how long that took from the first receipt on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use verifydesk::listen::{self, Bounds};

use super::listen_on_loopback;

#[derive(Default)]
struct Queue {
    waiting: VecDeque<String>,
    deleted: usize,
    first: Option<Instant>,
    last: Option<Instant>,
}

type Shared = Arc<Mutex<Queue>>;

/// Serves the messages of a file, a line each.
pub async fn serve(messages: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(messages).context("the messages")?;
    let queue = Queue { waiting: text.lines().map(str::to_owned).collect(), ..Queue::default() };
    let routes = Router::new().route("/", get(report).post(answer)).with_state(Arc::new(Mutex::new(queue)));
    let long = Duration::from_mins(10);
    let bounds = Bounds { connections: 100, shutdown: long, write: long, answer: None, life: None };
    listen::serve(listen_on_loopback().await?, routes, bounds, CancellationToken::new()).await;
    Ok(())
}

async fn report(State(queue): State<Shared>) -> Json<Value> {
    let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    let took = queue.first.zip(queue.last).map_or(Duration::ZERO, |(first, last)| last - first);
    Json(json!({ "deleted": queue.deleted, "seconds": took.as_secs_f64() }))
}

async fn answer(State(queue): State<Shared>, headers: HeaderMap, body: String) -> Json<Value> {
    let operation = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let request: Value = serde_json::from_str(&body).unwrap_or_default();
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    Json(match operation.trim_start_matches("AmazonSQS.") {
        "ReceiveMessage" => queue.receive(request["MaxNumberOfMessages"].as_u64().unwrap_or(1)),
        "DeleteMessageBatch" => queue.delete(&request),
        "ChangeMessageVisibilityBatch" => done(&request),
        "GetQueueAttributes" => json!({ "Attributes": {
            "ApproximateNumberOfMessages": queue.waiting.len().to_string(),
            "ApproximateNumberOfMessagesNotVisible": "0",
        }}),
        _ => json!({}),
    })
}

impl Queue {
    fn receive(&mut self, most: u64) -> Value {
        let count = usize::try_from(most).unwrap_or(usize::MAX).min(self.waiting.len());
        self.first.get_or_insert_with(Instant::now);
        // Others than any of before: one that is known is not stored again.
        let message = |body: String| {
            let id = Uuid::now_v7().to_string();
            json!({
                "MessageId": id,
                "ReceiptHandle": id,
                "Body": body,
                "Attributes": { "ApproximateReceiveCount": "1" },
            })
        };
        json!({ "Messages": self.waiting.drain(..count).map(message).collect::<Vec<_>>() })
    }

    fn delete(&mut self, request: &Value) -> Value {
        self.deleted += request["Entries"].as_array().map_or(0, Vec::len);
        self.last = Some(Instant::now());
        done(request)
    }
}

fn done(request: &Value) -> Value {
    let ids = request["Entries"].as_array().into_iter().flatten().map(|entry| json!({ "Id": entry["Id"] }));
    json!({ "Successful": ids.collect::<Vec<_>>(), "Failed": [] })
}
