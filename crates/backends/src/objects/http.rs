//! A user's URL as a store of one object, read-only and through the guard.
//!
//! The first look at it pins what it is (size, entity tag): whatever is read later is of that version, or the
//! read fails. A body that breaks off is continued where it stopped. A server without ranges works too, but
//! each read then starts at the beginning (see [`Known::has_ranges`]).

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{BoxStream, try_unfold};
use futures::{StreamExt as _, TryStreamExt as _};
use mps_core::error::{Blame, Kind, Retry};
use mps_core::{Error, Result};
use reqwest::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName,
    HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE, RETRY_AFTER,
};
use reqwest::{Method, Response, StatusCode};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::sync::OnceCell;
use url::Url;

use super::{ByteStream, ObjectMeta, ObjectStore, PutOptions, Staged};
use crate::guard::{Ask, Guard, failure, shown};

/// Failures in a row, without a byte between them, after which a read gives up.
const FAILURES_IN_A_ROW: u32 = 4;
/// Failures of one read altogether.
const FAILURES_IN_ALL: u32 = 20;
/// The longest pause a server may ask for before another attempt of the whole step.
const LONGEST_PAUSE_MS: u64 = 600_000;

/// What can be read at a user's URL. Clones share the pinned version.
#[derive(Clone)]
pub struct HttpSource(Arc<Inner>);

struct Inner {
    guard: Guard,
    url: Url,
    key: String,
    max_bytes: u64,
    known: OnceCell<Known>,
}

/// What the first look told; it holds for the life of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Bytes of the body; `None` when the server does not tell before sending.
    pub size_bytes: Option<u64>,
    /// Whether a part can be asked for; without it a read at an offset costs reading all before it.
    pub has_ranges: bool,
    /// Entity tag as sent, quotes included.
    pub etag: Option<String>,
    /// Media type as sent.
    pub content_type: Option<String>,
    /// When it was last changed, as sent.
    pub last_modified: Option<String>,
}

impl HttpSource {
    /// The object at `url`, refusing more than `max_bytes`; nothing is sent yet.
    ///
    /// Errors: as [`Guard::check_url`].
    pub fn new(guard: Guard, url: &str, max_bytes: u64) -> Result<Self> {
        let url = guard.check_url(url)?;
        let key = percent_encoding::percent_decode_str(url.path().trim_start_matches('/'));
        let key = key.decode_utf8_lossy().into_owned();
        Ok(Self(Arc::new(Inner { guard, url, key, max_bytes, known: OnceCell::new() })))
    }

    /// The key under which the store has its one object: the URL's path, decoded, without the leading `/`.
    pub fn key(&self) -> &str {
        &self.0.key
    }

    /// The last part of the path, for names made from the input's; `input` where the path ends in `/`.
    pub fn file_name(&self) -> String {
        let last = self.0.url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
        let name = percent_encoding::percent_decode_str(last).decode_utf8_lossy();
        let odd = |c: char| c.is_control() || matches!(c, '/' | '\\');
        let name: String = name.chars().map(|c| if odd(c) { '_' } else { c }).collect();
        if name.is_empty() || name == "." || name == ".." { "input".to_owned() } else { name }
    }

    /// Looks at the URL once and remembers what it told.
    pub async fn known(&self) -> Result<&Known> {
        self.0.known.get_or_try_init(|| self.0.look()).await
    }

    fn own(&self, key: &str) -> Result<()> {
        if key == self.0.key {
            Ok(())
        } else {
            Err(Error::not_found(format!("this URL has no object {key:?}")))
        }
    }
}

impl std::fmt::Debug for HttpSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("HttpSource").field(&shown(&self.0.url)).finish()
    }
}

#[async_trait]
impl ObjectStore for HttpSource {
    /// `Unsupported` when the server does not tell the size before sending.
    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        self.own(key)?;
        let known = self.known().await?;
        let unknown = || {
            let told = format!("{} does not tell its size before sending", shown(&self.0.url));
            Error::new(Kind::Unsupported, told)
        };
        Ok(ObjectMeta {
            key: key.to_owned(),
            size_bytes: known.size_bytes.ok_or_else(unknown)?,
            etag: known.etag.as_deref().unwrap_or_default().trim_matches('"').to_owned(),
            content_type: known.content_type.clone().unwrap_or_default(),
            modified_ms: known.last_modified.as_deref().and_then(millis).unwrap_or_default(),
            ..ObjectMeta::default()
        })
    }

    async fn read(&self, key: &str, range: Option<Range<u64>>) -> Result<ByteStream> {
        self.own(key)?;
        let size = self.known().await?.size_bytes;
        let (start, end) = match (range, size) {
            (range, Some(size)) => {
                let range = super::cut_range(range, size)?;
                (range.start, Some(range.end))
            }
            (range, None) => (range.as_ref().map_or(0, |range| range.start), range.map(|range| range.end)),
        };
        let inner = self.0.clone();
        let is_cut = end != size;
        let (body, skip, in_a_row, in_all) = (None, 0, 0, 0);
        let mut reading = Reading { inner, at: start, end, is_cut, body, skip, in_a_row, in_all };
        if end.is_none_or(|end| start < end) {
            // The first answer is awaited here, so that a missing source fails the call and not the stream.
            reading.open_patiently().await?;
        }
        let stream = try_unfold(reading, |mut reading| async move {
            Ok(reading.next().await?.map(|chunk| (chunk, reading)))
        });
        Ok(Box::pin(stream))
    }

    fn local_path(&self, _meta: &ObjectMeta) -> Option<PathBuf> {
        None
    }

    async fn stage(&self, _key: &str, _options: PutOptions) -> Result<Box<dyn Staged>> {
        Err(read_only())
    }

    async fn list(&self, _prefix: &str, _start_after: &str, _limit: usize) -> Result<Vec<ObjectMeta>> {
        Err(read_only())
    }

    async fn delete(&self, _key: &str) -> Result<()> {
        Err(read_only())
    }
}

fn read_only() -> Error {
    Error::new(Kind::Unsupported, "a URL can only be read")
}

impl Inner {
    async fn look(&self) -> Result<Known> {
        let head = self.patiently(Method::HEAD, &HeaderMap::new()).await?;
        if let Some(head) = head.filter(|head| head.status().is_success()) {
            let known = Known::of(head.headers(), header(head.headers(), &CONTENT_LENGTH).and_then(parse));
            if known.size_bytes.is_some() && known.has_ranges {
                return self.within_limit(known);
            }
        }
        // A signed URL may be good for GET alone, and some servers tell more with one byte asked for.
        let mut one = HeaderMap::new();
        one.insert(RANGE, HeaderValue::from_static("bytes=0-0"));
        let Some(answer) = self.patiently(Method::GET, &one).await? else {
            return Err(Error::unavailable(format!("{} gives no usable answer", shown(&self.url))));
        };
        let headers = answer.headers();
        let mut known = match answer.status() {
            StatusCode::PARTIAL_CONTENT => {
                let total = header(headers, &CONTENT_RANGE).and_then(|text| ContentRange::parse(text)?.total);
                Known { has_ranges: true, ..Known::of(headers, total) }
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                let total = header(headers, &CONTENT_RANGE).and_then(|text| ContentRange::parse(text)?.total);
                if total != Some(0) {
                    return Err(status_error(&self.url, &answer));
                }
                Known::of(headers, total)
            }
            status if status.is_success() => {
                let size = header(headers, &CONTENT_LENGTH).and_then(parse);
                Known { has_ranges: false, ..Known::of(headers, size) }
            }
            _ => return Err(status_error(&self.url, &answer)),
        };
        if known.size_bytes.is_none() {
            known.has_ranges = false;
        }
        self.within_limit(known)
    }

    fn within_limit(&self, known: Known) -> Result<Known> {
        match known.size_bytes {
            Some(size) if size > self.max_bytes => Err(self.too_big()),
            _ => Ok(known),
        }
    }

    fn too_big(&self) -> Error {
        let told = format!("{} is larger than the {} bytes allowed here", shown(&self.url), self.max_bytes);
        Error::new(Kind::Limit, told)
    }

    fn changed(&self, how: &str) -> Error {
        let told = format!("{} changed while it was read: {how}", shown(&self.url));
        Error::new(Kind::Conflict, told).with_blame(Blame::Outside).with_retry(Retry::Later)
    }

    async fn ask(&self, method: Method, headers: &HeaderMap) -> Result<Response> {
        let mut ask = Ask::new(method, self.url.clone());
        ask.headers = headers.clone();
        // A compressed body would have another length and other offsets.
        ask.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        self.guard.send(ask).await
    }

    /// Asks again after passing failures; `None` when a HEAD kept failing, which a GET may not.
    async fn patiently(&self, method: Method, headers: &HeaderMap) -> Result<Option<Response>> {
        let tries = if method == Method::HEAD { 1 } else { 3 };
        for attempt in 1..=tries {
            let outcome = match self.ask(method.clone(), headers).await {
                Ok(answer) if is_passing(answer.status()) => Err(status_error(&self.url, &answer)),
                other => other,
            };
            match outcome {
                Ok(answer) => return Ok(Some(answer)),
                Err(error) if error.retry() == Retry::Never => return Err(error),
                Err(_) if method == Method::HEAD => return Ok(None),
                Err(error) if attempt == tries => return Err(error),
                Err(_) => tokio::time::sleep(pause(attempt)).await,
            }
        }
        Ok(None)
    }
}

/// One read on its way.
struct Reading {
    inner: Arc<Inner>,
    at: u64,
    end: Option<u64>,
    // Whether the end lies before that of the object, so that a server without ranges sends more than wanted.
    is_cut: bool,
    body: Option<BoxStream<'static, Result<Bytes>>>,
    // Bytes that a server without ranges sends before those wanted.
    skip: u64,
    in_a_row: u32,
    in_all: u32,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if self.end == Some(self.at) && (self.is_cut || self.body.is_none()) {
                return Ok(None);
            }
            if self.body.is_none() {
                self.open_patiently().await?;
            }
            let arrived = match self.body.as_mut() {
                Some(body) => body.next().await,
                None => None,
            };
            match arrived {
                Some(Ok(chunk)) => {
                    if let Some(chunk) = self.take(chunk)? {
                        return Ok(Some(chunk));
                    }
                }
                Some(Err(error)) => self.failed(error).await?,
                None if self.end.is_none_or(|end| end == self.at) => return Ok(None),
                None => {
                    let told = format!("{} ended its body early", shown(&self.inner.url));
                    self.failed(Error::unavailable(told)).await?;
                }
            }
        }
    }

    /// What of an arrived chunk is wanted.
    fn take(&mut self, mut chunk: Bytes) -> Result<Option<Bytes>> {
        if self.skip > 0 {
            let skipped = self.skip.min(chunk.len() as u64);
            self.skip -= skipped;
            chunk = chunk.split_off(skipped as usize);
        }
        if let Some(left) = self.end.map(|end| end - self.at)
            && chunk.len() as u64 > left
        {
            if !self.is_cut {
                return Err(self.inner.changed("it is longer than it said"));
            }
            chunk.truncate(left as usize);
        }
        if chunk.is_empty() {
            return Ok(None);
        }
        self.at += chunk.len() as u64;
        self.in_a_row = 0;
        if self.at > self.inner.max_bytes {
            return Err(self.inner.too_big());
        }
        Ok(Some(chunk))
    }

    /// Counts a failure, and waits before the next try; gives the error back when there is none.
    async fn failed(&mut self, error: Error) -> Result<()> {
        self.body = None;
        // Waiting out a timeout is patience enough to count twice.
        self.in_a_row += if error.kind() == Kind::Timeout { 2 } else { 1 };
        self.in_all += 1;
        let is_final = error.retry() == Retry::Never || error.kind() == Kind::Conflict;
        if is_final || self.in_a_row >= FAILURES_IN_A_ROW || self.in_all >= FAILURES_IN_ALL {
            return Err(error);
        }
        tracing::debug!(error = %error.chain(), at = self.at, "continuing a source");
        tokio::time::sleep(pause(self.in_a_row)).await;
        Ok(())
    }

    async fn open_patiently(&mut self) -> Result<()> {
        loop {
            match self.open().await {
                Ok(()) => return Ok(()),
                Err(error) => self.failed(error).await?,
            }
        }
    }

    /// Asks for the bytes from where we are, and makes sure that they are of the same version.
    async fn open(&mut self) -> Result<()> {
        let inner = self.inner.clone();
        let known =
            inner.known.get().ok_or_else(|| Error::internal("a source is read before a look at it"))?;
        let mut headers = HeaderMap::new();
        let is_part = self.at > 0 || self.is_cut;
        if known.has_ranges && is_part {
            let last = self.end.map(|end| (end - 1).to_string()).unwrap_or_default();
            insert(&mut headers, RANGE, &format!("bytes={}-{last}", self.at));
            if let Some(validator) = known.validator() {
                insert(&mut headers, IF_RANGE, validator);
            }
        }
        let answer = inner.ask(Method::GET, &headers).await?;
        let told = answer.headers();
        let (size, start) = match answer.status() {
            StatusCode::PARTIAL_CONTENT => {
                let range = header(told, &CONTENT_RANGE).and_then(ContentRange::parse);
                let Some(range) = range.filter(|range| range.start == self.at) else {
                    return Err(Error::unavailable(format!(
                        "{} sent another range than asked",
                        shown(&inner.url)
                    )));
                };
                (range.total, range.start)
            }
            StatusCode::RANGE_NOT_SATISFIABLE => return Err(inner.changed("it is shorter than it said")),
            status if status.is_success() => {
                if headers.contains_key(IF_RANGE) {
                    return Err(inner.changed("the server sends it anew"));
                }
                (header(told, &CONTENT_LENGTH).and_then(parse), 0)
            }
            _ => return Err(status_error(&inner.url, &answer)),
        };
        if let (Some(size), Some(before)) = (size, known.size_bytes)
            && size != before
        {
            return Err(inner.changed(&format!("it had {before} bytes and has {size}")));
        }
        if let (Some(now), Some(before)) = (header(told, &ETAG), known.etag.as_deref())
            && now != before
        {
            return Err(inner.changed("it has another entity tag"));
        }
        self.skip = self.at - start;
        let url = inner.url.clone();
        let body = answer.bytes_stream().map_err(move |error| failure(&url, error));
        self.body = Some(body.boxed());
        Ok(())
    }
}

impl Known {
    fn of(headers: &HeaderMap, size_bytes: Option<u64>) -> Self {
        let text = |name: &HeaderName| header(headers, name).map(str::to_owned);
        Self {
            size_bytes,
            has_ranges: header(headers, &ACCEPT_RANGES)
                .is_some_and(|units| units.eq_ignore_ascii_case("bytes")),
            etag: text(&ETAG),
            content_type: text(&CONTENT_TYPE),
            last_modified: text(&LAST_MODIFIED),
        }
    }

    /// What `If-Range` may carry: a strong tag, else the date.
    fn validator(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|tag| !tag.starts_with("W/"));
        strong.or(self.last_modified.as_deref())
    }
}

/// `bytes 0-99/1000`, or `bytes */1000` with a start of 0.
struct ContentRange {
    start: u64,
    total: Option<u64>,
}

impl ContentRange {
    fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
        let start = if range == "*" { 0 } else { parse(range.split_once('-')?.0)? };
        Some(Self { start, total: if total == "*" { None } else { Some(parse(total)?) } })
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn parse(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn millis(date: &str) -> Option<i64> {
    Some(OffsetDateTime::parse(date, &Rfc2822).ok()?.unix_timestamp() * 1_000)
}

fn pause(failures: u32) -> Duration {
    Duration::from_millis(150 << failures.min(5))
}

/// Statuses that another try may not meet again.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED
        || matches!(status.as_u16(), 408 | 425 | 429)
}

fn status_error(url: &Url, answer: &Response) -> Error {
    let status = answer.status();
    let told = format!("{} answered {}", shown(url), status.as_u16());
    if is_passing(status) {
        let pause = header(answer.headers(), &RETRY_AFTER).and_then(parse);
        let pause = pause.map(|s| s.saturating_mul(1_000).min(LONGEST_PAUSE_MS));
        return Error::unavailable(told).with_retry(pause.map_or(Retry::Later, Retry::AfterMs));
    }
    let kind = match status.as_u16() {
        404 | 410 => Kind::NotFound,
        401 | 403 | 407 => Kind::Denied,
        _ => Kind::InvalidInput,
    };
    Error::new(kind, told).with("status", status.as_u16())
}

#[cfg(test)]
mod tests;
