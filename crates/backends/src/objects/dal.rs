//! What all stores behind OpenDAL have in common: reading by range, uploads in parts, errors without secrets.
//!
//! An upload holds at most [`PARTS_AT_ONCE`] parts of [`PART_BYTES`] in memory. The first part goes out when it
//! is full; an object that fits into one part is sent in whole when it is committed.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt as _, TryStreamExt as _};
use md5::{Digest as _, Md5};
use mps_core::error::{Kind, Retry};
use mps_core::{Error, Result};
use opendal::layers::RetryLayer;
use opendal::options::{ListOptions, ReaderOptions, WriteOptions};
use opendal::{ErrorKind, Metadata, OperationContext, Operator, Writer};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use super::{
    ByteStream, Commit, Finished, ObjectMeta, ObjectStore, PutOptions, Staged, content_type_of, cut_range,
    transport,
};

/// The size of a part of an upload; 10,000 of them bound an object to 83 GB.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Parts of one upload that are sent at the same time.
const PARTS_AT_ONCE: usize = 4;
/// The name under which an upload leaves a mark in the object's metadata, to be known again.
const MARK: &str = "mps-upload";
/// How many keys a store remembers the version of.
const PINS: usize = 256;
/// How long removing the parts of a given-up upload may take.
const ABORT_WITHIN: Duration = Duration::from_secs(30);

/// An id and its secret. Printed, it shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: String,
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyPair(***)")
    }
}

/// A bucket of a foreign store, opened anew for each step.
///
/// Reads of a key are all of the version that was there at its last `head` (or first read); once that version
/// is gone they fail with a conflict instead of mixing two.
#[derive(Clone)]
pub(super) struct Dal {
    operator: Operator,
    place: Place,
    pins: Arc<Mutex<HashMap<String, Pin>>>,
}

/// The version of a key that is read.
#[derive(Clone)]
struct Pin {
    etag: Option<String>,
    size_bytes: u64,
}

/// Where, for messages, and what must not stand in them.
#[derive(Clone)]
struct Place {
    shown: String,
    secret: String,
}

impl Dal {
    /// A store over an operator without layers; `shown` names bucket and region in messages.
    pub(super) fn new(operator: Operator, shown: String, keys: &KeyPair) -> Result<Self> {
        let context = OperationContext::new().with_http_transport(transport::transport()?);
        Ok(Self::over(operator.with_context(context), shown, keys))
    }

    pub(super) fn over(operator: Operator, shown: String, keys: &KeyPair) -> Self {
        let retry = RetryLayer::new()
            .with_jitter()
            .with_min_delay(Duration::from_millis(200))
            .with_max_delay(Duration::from_secs(5))
            .with_max_times(4);
        let place = Place { shown, secret: keys.secret.clone() };
        Self { operator: operator.layer(retry), place, pins: Arc::default() }
    }

    async fn look(&self, doing: &str, key: &str) -> Result<Metadata> {
        let found = self.operator.stat(key).await.map_err(|e| self.place.error(doing, key, &e));
        let mut pins = self.pins.lock().unwrap_or_else(PoisonError::into_inner);
        if found.is_err() || pins.len() >= PINS {
            pins.remove(key);
        }
        let meta = found?;
        if pins.len() < PINS {
            let pin = Pin { etag: meta.etag().map(str::to_owned), size_bytes: meta.content_length() };
            pins.insert(key.to_owned(), pin);
        }
        Ok(meta)
    }

    async fn pin(&self, key: &str) -> Result<Pin> {
        let known = self.pins.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        if let Some(pin) = known {
            return Ok(pin);
        }
        let meta = self.look("reading", key).await?;
        Ok(Pin { etag: meta.etag().map(str::to_owned), size_bytes: meta.content_length() })
    }

    fn unpin(&self, key: &str) {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

impl Place {
    fn error(&self, doing: &str, key: &str, error: &opendal::Error) -> Error {
        let what = format!("{doing} {key:?} in {}", self.shown);
        let code = code_of(error.message());
        let (kind, told) = match (error.kind(), code) {
            (_, "NoSuchBucket") => (Kind::NotFound, format!("there is no bucket {}", self.shown)),
            (
                _,
                "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException",
            ) => (Kind::InvalidInput, format!("the bucket is in another region than {} says", self.shown)),
            (_, "InvalidAccessKeyId" | "SignatureDoesNotMatch") | (ErrorKind::PermissionDenied, _) => {
                (Kind::Denied, format!("{what} is forbidden to this key"))
            }
            (ErrorKind::NotFound, _) => (Kind::NotFound, format!("{what} finds no such object")),
            (ErrorKind::ConditionNotMatch | ErrorKind::AlreadyExists | ErrorKind::Conflict, _) => {
                (Kind::Conflict, format!("{what} meets another version of it"))
            }
            (ErrorKind::Unsupported, _) => (Kind::Unsupported, format!("{what} is not possible")),
            (ErrorKind::ConfigInvalid | ErrorKind::IsADirectory | ErrorKind::NotADirectory, _) => {
                (Kind::InvalidInput, format!("{what} is not possible"))
            }
            _ => (Kind::Unavailable, format!("{what} failed")),
        };
        let source = Scrubbed::of(error, &self.secret);
        let told = if code.is_empty() { told } else { format!("{told} ({code})") };
        Error::new(kind, told).because(source)
    }
}

/// The store's own code in the text that OpenDAL makes of an error's body; empty when there is none.
fn code_of(message: &str) -> &str {
    let after = message.split_once("code: \"").map_or("", |(_, after)| after);
    let code = after.split_once('"').map_or("", |(code, _)| code);
    let is_word = code.len() <= 64 && code.chars().all(|c| c.is_ascii_alphanumeric());
    if is_word { code } else { "" }
}

/// What a store said, shortened and without the secret.
#[derive(Debug)]
struct Scrubbed(String);

impl Scrubbed {
    fn of(error: &opendal::Error, secret: &str) -> Self {
        let mut text = format!("{}: {}", error.kind(), error.message());
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            text = format!("{text}: {inner}");
            cause = inner.source();
        }
        if !secret.is_empty() {
            text = text.replace(secret, "***");
        }
        Self(text.chars().take(400).collect())
    }
}

impl fmt::Display for Scrubbed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Scrubbed {}

/// Refuses keys that OpenDAL would silently turn into others.
fn plain(key: &str) -> Result<&str> {
    let key = key.strip_prefix('/').unwrap_or(key);
    if key.is_empty() || key.ends_with('/') {
        return Err(Error::invalid(format!("key {key:?} names no file")));
    }
    if key.contains("//") || key.starts_with('/') || key.trim() != key {
        let told = format!(
            "key {key:?} has an empty part or space around it, which a foreign store cannot have here"
        );
        return Err(Error::new(Kind::Unsupported, told));
    }
    Ok(key)
}

fn meta_of(key: &str, meta: &Metadata) -> ObjectMeta {
    let etag = meta.etag().unwrap_or_default().trim_matches('"').to_owned();
    let is_md5 = etag.len() == 32 && etag.bytes().all(|b| b.is_ascii_hexdigit());
    let own = meta.user_metadata().map(|pairs| {
        pairs
            .into_iter()
            .filter(|(name, _)| *name != MARK)
            .map(|(name, v)| (name.to_owned(), v.into()))
            .collect()
    });
    ObjectMeta {
        key: key.to_owned(),
        size_bytes: meta.content_length(),
        md5: if is_md5 { etag.to_ascii_lowercase() } else { String::new() },
        etag,
        content_type: meta.content_type().unwrap_or_default().to_owned(),
        modified_ms: meta.last_modified().map_or(0, |at| at.into_inner().as_millisecond()),
        meta: own.map_or(Value::Null, Value::Object),
        blob_path: String::new(),
    }
}

#[async_trait]
impl ObjectStore for Dal {
    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        let key = plain(key)?;
        let meta = self.look("looking at", key).await?;
        Ok(meta_of(key, &meta))
    }

    async fn read(&self, key: &str, range: Option<Range<u64>>) -> Result<ByteStream> {
        let key = plain(key)?;
        let Pin { etag, size_bytes: size } = self.pin(key).await?;
        let range = cut_range(range, size)?;
        if range.is_empty() {
            return Ok(futures::stream::empty().boxed());
        }
        let options = ReaderOptions { if_match: etag, ..ReaderOptions::default() };
        let failed = {
            let (store, key) = (self.clone(), key.to_owned());
            move |e: &opendal::Error| match e.kind() {
                ErrorKind::ConditionNotMatch | ErrorKind::RangeNotSatisfied => {
                    store.unpin(&key);
                    let told = format!("{key:?} in {} changed while it was read", store.place.shown);
                    Error::new(Kind::Conflict, told).with_retry(Retry::Later)
                }
                _ => store.place.error("reading", &key, e),
            }
        };
        let reader = self.operator.reader_options(key, options).await.map_err(|e| failed(&e))?;
        let stream = reader.into_stream(range).await.map_err(|e| failed(&e))?;
        let pieces = stream
            .map_ok(|buffer| futures::stream::iter(Iterator::map(buffer, Ok)))
            .map_err(move |e| failed(&e))
            .try_flatten();
        Ok(pieces.boxed())
    }

    fn local_path(&self, _meta: &ObjectMeta) -> Option<PathBuf> {
        None
    }

    async fn stage(&self, key: &str, options: PutOptions) -> Result<Box<dyn Staged>> {
        let key = plain(key)?.to_owned();
        let mark = crate::token::random_hex::<8>()?;
        let content_type = match options.content_type {
            empty if empty.is_empty() => content_type_of(&key).to_owned(),
            told => told,
        };
        let mut write = WriteOptions {
            chunk: Some(PART_BYTES),
            concurrent: PARTS_AT_ONCE,
            if_not_exists: options.only_if_absent,
            content_type: Some(content_type),
            ..WriteOptions::default()
        };
        let mut own = HashMap::from([(MARK.to_owned(), mark.clone())]);
        for (name, value) in options.meta.as_object().into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match name.to_ascii_lowercase().as_str() {
                "cache-control" => write.cache_control = Some(value),
                "content-disposition" => write.content_disposition = Some(value),
                "content-encoding" => write.content_encoding = Some(value),
                name => drop(own.insert(name.to_owned(), value)),
            }
        }
        write.user_metadata = Some(own);
        let writer = self.operator.writer_options(&key, write).await;
        let writer = writer.map_err(|e| self.place.error("writing", &key, &e))?;
        let (md5, size_bytes) = (Md5::new(), 0);
        Ok(Box::new(Upload { store: self.clone(), key, mark, writer: Some(writer), md5, size_bytes }))
    }

    async fn list(&self, prefix: &str, start_after: &str, limit: usize) -> Result<Vec<ObjectMeta>> {
        let failed = |e: &opendal::Error| self.place.error("listing", prefix, e);
        let options = ListOptions {
            recursive: true,
            limit: Some(limit.clamp(1, 1_000)),
            start_after: Some(start_after.to_owned()).filter(|key| !key.is_empty()),
            ..ListOptions::default()
        };
        let mut entries = self.operator.lister_options(prefix, options).await.map_err(|e| failed(&e))?;
        let mut found = Vec::new();
        while found.len() < limit {
            let Some(entry) = entries.try_next().await.map_err(|e| failed(&e))? else { break };
            // Not every store begins where it was asked to.
            if entry.metadata().is_file() && entry.path() > start_after {
                found.push(meta_of(entry.path(), entry.metadata()));
            }
        }
        Ok(found)
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let key = plain(key)?;
        self.unpin(key);
        self.operator.delete(key).await.map_err(|e| self.place.error("removing", key, &e))
    }
}

/// An upload whose parts nobody sees yet; also its own commit.
struct Upload {
    store: Dal,
    key: String,
    mark: String,
    writer: Option<Writer>,
    md5: Md5,
    size_bytes: u64,
}

impl Upload {
    fn writer(&mut self) -> Result<&mut Writer> {
        self.writer.as_mut().ok_or_else(|| Error::internal("an upload was used after its end"))
    }

    /// Whether the object there is the one we sent, though the store's last answer did not reach us or its
    /// second answer denies it.
    async fn is_there(&self) -> bool {
        let found = self.store.operator.stat(&self.key).await.ok();
        found.is_some_and(|meta| {
            let mark = meta.user_metadata().and_then(|own| own.get(MARK));
            mark == Some(self.mark.as_str()) && meta.content_length() == self.size_bytes
        })
    }
}

#[async_trait]
impl Staged for Upload {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.md5.update(&chunk);
        self.size_bytes += chunk.len() as u64;
        let written = self.writer()?.write(chunk).await;
        written.map_err(|e| self.store.place.error("writing", &self.key, &e))
    }

    async fn write_file(&mut self, path: &Path) -> Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let failed = |e| Error::internal(format!("cannot read {name} to upload it")).because(e);
        let mut file = tokio::fs::File::open(path).await.map_err(failed)?;
        loop {
            let mut chunk = BytesMut::with_capacity(1024 * 1024);
            while chunk.len() < chunk.capacity() && file.read_buf(&mut chunk).await.map_err(failed)? > 0 {}
            if chunk.is_empty() {
                return Ok(());
            }
            self.write(chunk.freeze()).await?;
        }
    }

    async fn finish(self: Box<Self>) -> Result<Finished> {
        Ok(Finished::Pending(self))
    }

    async fn abort(mut self: Box<Self>) {
        if let Some(writer) = self.writer.take() {
            give_up(writer).await;
        }
    }
}

#[async_trait]
impl Commit for Upload {
    async fn commit(mut self: Box<Self>) -> Result<ObjectMeta> {
        let mut writer =
            self.writer.take().ok_or_else(|| Error::internal("an upload was committed twice"))?;
        let etag = match writer.close().await {
            Ok(meta) => meta.etag().unwrap_or_default().trim_matches('"').to_owned(),
            Err(error) => {
                if !self.is_there().await {
                    give_up(writer).await;
                    return Err(self.store.place.error("writing", &self.key, &error));
                }
                String::new()
            }
        };
        self.store.unpin(&self.key);
        let md5 = hex::encode(std::mem::take(&mut self.md5).finalize());
        let (key, size_bytes) = (self.key.clone(), self.size_bytes);
        Ok(ObjectMeta { key, size_bytes, etag, md5, ..ObjectMeta::default() })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let (Some(writer), Ok(runtime)) = (self.writer.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(give_up(writer));
        }
    }
}

async fn give_up(mut writer: Writer) {
    match tokio::time::timeout(ABORT_WITHIN, writer.abort()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(kind = %error.kind(), "parts of an upload may be left behind"),
        Err(_) => tracing::warn!("parts of an upload may be left behind: the store does not answer"),
    }
}

#[cfg(test)]
mod tests;
