//! The beginning of an answer, for a person who looks for what was wrong: as much as comes soon, and no more than fits a line.

use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::text::plain;

/// How much is read, in bytes, and for how long.
const READ_MAX: usize = 2_048;
const READ_FOR: Duration = Duration::from_secs(1);

/// How much is kept, in characters.
const KEPT_MAX: usize = 200;

/// Reads the beginning of an answer. Its rest is never read.
pub(super) async fn read(mut body: Incoming) -> String {
    let mut bytes = Vec::new();
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            if let Ok(data) = frame.into_data() {
                let room = READ_MAX - bytes.len();
                bytes.extend_from_slice(&data[..data.len().min(room)]);
            }
            if bytes.len() >= READ_MAX {
                break;
            }
        }
    };
    // What has come by then is enough.
    let _ = timeout(READ_FOR, reading).await;
    let text: String =
        plain(&String::from_utf8_lossy(&bytes)).as_str().split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().take(KEPT_MAX).collect()
}
