//! Telling others what happened: one file for each kind of destination.

pub mod url;

use bytes::Bytes;

/// One delivery, or one more try of it.
#[derive(Clone)]
pub struct Callback {
    /// Where the receiver listens, query string included.
    pub url: String,
    /// The JSON to deliver, byte for byte.
    pub body: Bytes,
    /// Names the event; the same on each try, so that a receiver can tell a repetition.
    pub event_id: String,
    /// 1 for the first try.
    pub attempt: u32,
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callback")
            .field("event_id", &self.event_id)
            .field("attempt", &self.attempt)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
