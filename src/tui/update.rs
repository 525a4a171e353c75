//! The one place where the model changes: no I/O, no clock, so that a test is a plain function call.

use super::{Effect, Model, Msg};

/// Changes the model by a message and says what is to be done outside.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Clock(now) => model.now = now,
        Msg::Resize { width, height } => model.size = (width, height),
        _ => {}
    }
    Vec::new()
}
