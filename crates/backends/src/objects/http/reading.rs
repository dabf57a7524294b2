//! One read of a URL: continued when it breaks off, refused when it turns out to be of another version.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use mps_core::error::{Kind, Retry};
use mps_core::{Error, Result};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, RANGE};
use reqwest::{Method, StatusCode};

use super::{ContentRange, Inner, header, insert, parse, pause, status_error};
use crate::guard::{failure, shown};

/// Failures in a row, without a byte between them, after which a read gives up.
const FAILURES_IN_A_ROW: u32 = 4;
/// Failures of one read altogether.
const FAILURES_IN_ALL: u32 = 20;

/// One read on its way.
pub(super) struct Reading {
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
    /// A read of `at..end`, or to the end of the object; nothing is asked yet.
    pub(super) fn new(inner: Arc<Inner>, at: u64, end: Option<u64>) -> Self {
        let is_cut = end != inner.known.get().and_then(|known| known.size_bytes);
        Self { inner, at, end, is_cut, body: None, skip: 0, in_a_row: 0, in_all: 0 }
    }

    /// The next bytes, or `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>> {
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

    /// Asks until there is an answer, or no hope.
    pub(super) async fn open_patiently(&mut self) -> Result<()> {
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
