//! Callbacks by HTTP: a POST of JSON to a URL that the caller of the API chose.
//!
//! Only 2xx counts as delivered. Everything else may be tried again later, 4xx too, because receivers get
//! repaired; only what the address policy forbids is final. Redirects are not followed.

use std::time::Duration;

use futures::StreamExt as _;
use md5::{Digest as _, Md5};
use mps_core::clock::Millis;
use mps_core::error::{Kind, Retry};
use mps_core::{Error, Result};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response};
use serde_json::Value;

use super::Callback;
use crate::guard::{Ask, Guard, shown};

/// How much of an answer is read, so that the connection can be used again.
const ANSWER_BYTES: usize = 64 * 1024;
/// The longest pause that a receiver may ask for.
const LONGEST_PAUSE_MS: u64 = 3_600_000;
/// How long a signature is good for.
const SIGNATURE_S: i64 = 600;

/// Sends callbacks to URLs.
#[derive(Debug, Clone)]
pub struct Sender {
    guard: Guard,
    within: Duration,
}

impl Sender {
    /// A sender that gives a receiver `within` to take the callback and to answer.
    pub fn new(guard: Guard, within: Duration) -> Self {
        Self { guard, within }
    }

    /// Delivers once.
    ///
    /// Errors: `Denied` and `InvalidInput`, never to be retried, for a URL that may not be called; `Timeout`
    /// and `Unavailable` for everything that another try may heal, after the pause the receiver asked for.
    pub async fn send(&self, callback: &Callback) -> Result<()> {
        let url = self.guard.check_url(&callback.url)?;
        let place = shown(&url);
        let mut ask = Ask::new(Method::POST, url)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(EVENT_ID, text(&callback.event_id)?)
            .header(ATTEMPT, HeaderValue::from(callback.attempt));
        ask.body = callback.body.clone();
        ask.within = Some(self.within);
        let answer = self.guard.send(ask).await?;
        let status = answer.status();
        let pause = asked_pause(&answer);
        drain(answer).await;
        if status.is_success() {
            return Ok(());
        }
        let told = format!("the receiver {place} answered {}", status.as_u16());
        Err(Error::unavailable(told).with_retry(pause.map_or(Retry::Later, Retry::AfterMs)))
    }
}

/// Names the event, the same on each try.
pub const EVENT_ID: HeaderName = HeaderName::from_static("x-mps-event-id");
/// Counts the tries from 1.
pub const ATTEMPT: HeaderName = HeaderName::from_static("x-mps-attempt");

/// Whether a request may name `url` as the place for its callbacks.
///
/// Errors: `InvalidInput` for another scheme, no host, or an address that the policy forbids. A name is not
/// resolved here; it is checked at each delivery.
pub fn check(guard: &Guard, url: &str) -> Result<()> {
    guard.check_url(url).map(drop).map_err(|error| match error.kind() {
        Kind::Denied => Error::invalid(error.message()),
        _ => error,
    })
}

/// Signs a callback's body, an object, with the caller's key: adds `Timestamp` (ten minutes from now, in
/// seconds) and `Sign` (the MD5 of timestamp and key, in hex). An empty key changes nothing.
pub fn sign(body: &mut Value, key: &str, now_ms: Millis) {
    let (Some(body), false) = (body.as_object_mut(), key.is_empty()) else { return };
    let expires_s = now_ms.div_euclid(1_000) + SIGNATURE_S;
    let digest = Md5::digest(format!("{expires_s}{key}"));
    body.insert("Timestamp".to_owned(), expires_s.into());
    body.insert("Sign".to_owned(), hex::encode(digest).into());
}

fn text(value: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(value).map_err(|e| Error::internal("an event id is no header value").because(e))
}

fn asked_pause(answer: &Response) -> Option<u64> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse::<u64>().ok()?;
    Some(seconds.saturating_mul(1_000).min(LONGEST_PAUSE_MS))
}

async fn drain(answer: Response) {
    let (mut body, mut read) = (answer.bytes_stream(), 0);
    while let Some(Ok(chunk)) = body.next().await {
        read += chunk.len();
        if read > ANSWER_BYTES {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
