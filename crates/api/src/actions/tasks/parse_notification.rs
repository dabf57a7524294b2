//! `ParseNotification`: the typed form of the text that a callback carried.
//!
//! Takes the whole body as received and gives back the same fields. A text that no server of this API sends, such
//! as broken JSON, an unknown event or an event without its object, is `InvalidContent`.

use mps_media::answer::event;
use mps_wire::ApiError;
use mps_wire::types::ParseNotificationRequest;
use serde_json::Value;

use crate::app::App;
use crate::dispatch::{Action, Call};

/// Reads a callback.
pub(super) struct ParseNotification;

impl Action for ParseNotification {
    const NAME: &'static str = "ParseNotification";
    type Request = ParseNotificationRequest;
    /// `ParseNotificationResponse` as JSON.
    type Response = Value;

    async fn handle(_: &App, call: Call<ParseNotificationRequest>) -> Result<Value, ApiError> {
        event::parse(&call.request.content.unwrap_or_default())
    }
}
