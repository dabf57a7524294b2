//! A user's URL as a store of one object, read-only and through the guard.
//!
//! The first look at it pins what it is (size, entity tag): whatever is read later is of that version, or the
//! read fails. A body that breaks off is continued where it stopped. A server without ranges works too, but
//! each read then starts at the beginning (see [`Known::has_ranges`]).

mod reading;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::try_unfold;
use mps_core::error::{Blame, Kind, Retry};
use mps_core::{Error, Result};
use reqwest::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName,
    HeaderValue, LAST_MODIFIED, RANGE, RETRY_AFTER,
};
use reqwest::{Method, Response, StatusCode};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::sync::OnceCell;
use url::Url;

use self::reading::Reading;
use super::{ByteStream, ObjectMeta, ObjectStore, PutOptions, Staged};
use crate::guard::{Ask, Guard, shown};

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
        let mut reading = Reading::new(self.0.clone(), start, end);
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
