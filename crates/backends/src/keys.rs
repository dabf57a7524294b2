//! Asking a key server by SPEKE: a POST of a document to an address that the caller of the API chose.
//!
//! The address holds a ticket in its query and the answer holds keys, so neither is logged nor told. What the server
//! says is read up to a limit; what it means is for others to find out. Failures of the network and of the server are
//! tried again a few times at once, because the work that waits for the keys is already running; a refusal is final.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use mps_core::error::{Blame, Kind, Retry};
use mps_core::{Error, Result, Secret};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Response, StatusCode};
use url::Url;
use zeroize::Zeroizing;

use crate::guard::{Ask, Guard, shown};

/// Names the version of the protocol.
pub const VERSION: HeaderName = HeaderName::from_static("x-speke-version");

/// Characters of a refusal that are told on.
const TOLD: usize = 200;

/// How patient a [`Client`] is.
#[derive(Debug, Clone)]
pub struct Patience {
    /// For one exchange.
    pub within: Duration,
    /// Before each further try; as many tries more as there are pauses.
    pub pauses: Vec<Duration>,
}

impl Default for Patience {
    fn default() -> Self {
        let pauses = [500, 2_000].map(Duration::from_millis).to_vec();
        Self { within: Duration::from_secs(20), pauses }
    }
}

/// Asks key servers.
#[derive(Debug, Clone)]
pub struct Client {
    guard: Guard,
    patience: Patience,
}

impl Client {
    /// A client that reaches what `guard` allows.
    pub fn new(guard: Guard, patience: Patience) -> Self {
        Self { guard, patience }
    }

    /// Sends `document` to `url` and gives the answer, at most `max_bytes` of it.
    ///
    /// Errors: `Denied` for an address that the policy forbids and for a ticket that the server does not take;
    /// `NotFound` and `InvalidInput` for other refusals, with the beginning of what the server said; `Timeout` and
    /// `Unavailable` for what may pass.
    pub async fn ask(&self, url: &Secret, document: &str, max_bytes: usize) -> Result<Zeroizing<Vec<u8>>> {
        let parsed = self.guard.check_url(url.reveal())?;
        let document = Bytes::copy_from_slice(document.as_bytes());
        let mut pauses = self.patience.pauses.iter();
        loop {
            let error = match self.once(&parsed, url, document.clone(), max_bytes).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let may_pass =
                matches!(error.kind(), Kind::Timeout | Kind::Unavailable) && error.retry() != Retry::Never;
            let Some(pause) = pauses.next().filter(|_| may_pass) else { return Err(error) };
            tracing::debug!(error = %error.chain(), "asking the key server again");
            tokio::time::sleep(*pause).await;
        }
    }

    async fn once(
        &self,
        url: &Url,
        secret: &Secret,
        document: Bytes,
        max_bytes: usize,
    ) -> Result<Zeroizing<Vec<u8>>> {
        let mut ask = Ask::new(Method::POST, url.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/xml"))
            .header(ACCEPT, HeaderValue::from_static("application/xml"))
            .header(VERSION, HeaderValue::from_static("2.0"));
        ask.body = document;
        ask.within = Some(self.patience.within);
        let place = shown(url);
        let answer = self.guard.send(ask).await.map_err(|error| match error.kind() {
            Kind::Timeout => {
                let seconds = self.patience.within.as_secs_f32();
                let told = format!("the key server {place} did not answer within {seconds} s");
                Error::new(Kind::Timeout, told).because(error)
            }
            _ => error,
        })?;
        let status = answer.status();
        if !status.is_success() {
            let said = body(answer, 4 * TOLD)
                .await
                .map_or_else(|_| String::new(), |(bytes, _)| said(&bytes, secret));
            return Err(refusal(&place, status, &said));
        }
        let broke = |error: reqwest::Error| {
            let told = format!("the answer of the key server {place} broke off");
            let kind = if error.is_timeout() { Kind::Timeout } else { Kind::Unavailable };
            Error::new(kind, told).because(error.without_url())
        };
        let (bytes, is_whole) = body(answer, max_bytes).await.map_err(broke)?;
        if !is_whole {
            let told = format!("the key server {place} answers with more than {max_bytes} bytes");
            return Err(Error::unavailable(told).with_retry(Retry::Never));
        }
        Ok(bytes)
    }
}

/// The body up to a limit, and whether that is all of it.
async fn body(answer: Response, max_bytes: usize) -> reqwest::Result<(Zeroizing<Vec<u8>>, bool)> {
    let mut stream = answer.bytes_stream();
    // Grown at once: a buffer that moves leaves keys behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(max_bytes));
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        let room = (max_bytes - bytes.len()).min(chunk.len());
        bytes.extend_from_slice(&chunk[..room]);
        if room < chunk.len() {
            return Ok((bytes, false));
        }
    }
    Ok((bytes, true))
}

/// What a person may read of a refusal, on one line and without the ticket.
fn said(bytes: &[u8], secret: &Secret) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).take(TOLD).collect();
    let line = line.replace(secret.reveal(), "");
    if line.is_empty() { line } else { format!(": {}", secret.hide_in(&line)) }
}

fn refusal(place: &str, status: StatusCode, said: &str) -> Error {
    let code = status.as_u16();
    let by_caller = |kind: Kind, told: String| Error::new(kind, told).with_blame(Blame::Caller);
    match code {
        401 | 403 => {
            let told =
                format!("the key URL was refused ({place} answered {code}); it may have expired{said}");
            by_caller(Kind::Denied, told)
        }
        404 | 410 => {
            by_caller(Kind::NotFound, format!("there is no key server at {place}, it answered {code}{said}"))
        }
        408 | 429 | 500..=599 => Error::unavailable(format!("the key server {place} answered {code}{said}")),
        _ => by_caller(
            Kind::InvalidInput,
            format!("the key server {place} refused the request with {code}{said}"),
        ),
    }
}

#[cfg(test)]
mod tests;
