//! What all stores behind OpenDAL have in common: reading one version by range, errors without secrets.

mod upload;

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _};
use mps_core::error::{Kind, Retry};
use mps_core::{Error, Result};
use opendal::layers::RetryLayer;
use opendal::options::{ListOptions, ReaderOptions};
use opendal::{ErrorKind, Metadata, OperationContext, Operator};
use serde_json::Value;

use self::upload::{MARK, PART_BYTES, Upload};
use super::{ByteStream, ObjectMeta, ObjectStore, PutOptions, Staged, cut_range, transport};

/// How many keys a store remembers the version of.
const PINS: usize = 256;

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
        Ok(Box::new(Upload::begin(self.clone(), plain(key)?, options).await?))
    }

    fn sends_late_bytes(&self) -> u64 {
        PART_BYTES as u64
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

#[cfg(test)]
mod tests;
