//! Stores of objects: local buckets, S3, COS, and URLs to read from; one file for each.
//!
//! An output is staged first, where nobody sees it, and becomes visible as a whole or not at all.

pub mod cos;
pub mod http;
pub mod local;
pub mod s3;

mod dal;
mod transport;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures::Stream;
use mps_core::clock::Millis;
use mps_core::{Error, Result};
use mps_store::objects::PublishObject;
use serde_json::Value;

/// The bytes of an object as they arrive; an error ends it.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// What is known of an object without reading it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObjectMeta {
    /// The key, without a leading `/`.
    pub key: String,
    /// Bytes of the object.
    pub size_bytes: u64,
    /// Entity tag without quotes; empty when there is none.
    pub etag: String,
    /// MD5 of the bytes in lower-case hex; empty when unknown.
    pub md5: String,
    /// Media type; empty when unknown.
    pub content_type: String,
    /// When it was last changed; 0 when unknown.
    pub modified_ms: Millis,
    /// User metadata and headers kept with the object, a JSON object or null.
    pub meta: Value,
    /// Where the bytes lie, relative to the data folder; empty but in local buckets.
    pub blob_path: String,
}

/// How an object is to be stored.
#[derive(Debug, Clone, Default)]
pub struct PutOptions {
    /// Media type; empty lets the store choose.
    pub content_type: String,
    /// User metadata and headers to keep with the object, a JSON object or null.
    pub meta: Value,
    /// Only where no object has that key yet.
    pub only_if_absent: bool,
}

/// A place that holds objects by key.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// What is known of an object; `NotFound` when there is none.
    async fn head(&self, key: &str) -> Result<ObjectMeta>;

    /// The bytes, or those of the range; a range that reaches beyond the end is cut there.
    async fn read(&self, key: &str, range: Option<Range<u64>>) -> Result<ByteStream>;

    /// Whether its objects lie in files of this machine that never change.
    fn is_local(&self) -> bool {
        false
    }

    /// The file that holds the object, where it can be read without a copy.
    fn local_path(&self, meta: &ObjectMeta) -> Option<PathBuf>;

    /// Begins an object that nobody sees yet.
    async fn stage(&self, key: &str, options: PutOptions) -> Result<Box<dyn Staged>>;

    /// Objects of at most this many bytes are sent only when they are committed, and wait for it in memory: whoever stages
    /// many of them does better to begin each when its turn comes.
    fn sends_late_bytes(&self) -> u64 {
        0
    }

    /// Up to `limit` objects whose keys begin with `prefix`, in order of key, after `start_after`.
    async fn list(&self, prefix: &str, start_after: &str, limit: usize) -> Result<Vec<ObjectMeta>>;

    /// Removes an object; none is no error.
    async fn delete(&self, key: &str) -> Result<()>;
}

/// An object that is being written. Dropping it removes what was staged, as far as that can be reached.
#[async_trait]
pub trait Staged: Send {
    /// Adds bytes at the end.
    async fn write(&mut self, chunk: Bytes) -> Result<()>;

    /// Adds the bytes of a file at the end.
    async fn write_file(&mut self, path: &Path) -> Result<()>;

    /// Ends the writing; the object is still not visible.
    async fn finish(self: Box<Self>) -> Result<Finished>;

    /// Removes what was staged.
    async fn abort(self: Box<Self>);
}

/// How a staged object becomes visible.
#[expect(clippy::large_enum_variant, reason = "one for each output, and moved once")]
pub enum Finished {
    /// With a row of ours: in the transaction of the step that made it.
    Publish(PublishObject),
    /// With a call to the store it lies in.
    Pending(Box<dyn Commit>),
}

/// The last call that makes an object of a foreign store visible. Dropping it instead removes the object's parts.
#[async_trait]
pub trait Commit: Send {
    /// Makes the object visible as a whole.
    async fn commit(self: Box<Self>) -> Result<ObjectMeta>;
}

/// The error for an object that is not there.
pub fn no_such_object(key: &str) -> Error {
    Error::not_found(format!("there is no object {key:?}")).with("code", "NoSuchKey")
}

/// The bytes of `range` that an object of `size_bytes` has; of kind `InvalidInput` when it begins behind the end.
pub fn cut_range(range: Option<Range<u64>>, size_bytes: u64) -> Result<Range<u64>> {
    let Some(range) = range else { return Ok(0..size_bytes) };
    let cut = range.start..range.end.min(size_bytes);
    if cut.start > cut.end || (cut.start == cut.end && range.start != range.end) {
        return Err(
            Error::invalid("the range begins behind the end of the object").with("code", "InvalidRange")
        );
    }
    Ok(cut)
}

/// The media type that a key's extension tells; `application/octet-stream` when it tells none.
pub fn content_type_of(key: &str) -> &'static str {
    let name = key.rsplit('/').next().unwrap_or(key);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    match extension.as_str() {
        "mp4" | "m4v" => "video/mp4",
        "mov" => "video/quicktime",
        "mkv" => "video/x-matroska",
        "webm" => "video/webm",
        "flv" => "video/x-flv",
        "avi" => "video/x-msvideo",
        "ts" | "m2ts" => "video/mp2t",
        "m4s" => "video/iso.segment",
        "m3u8" => "application/vnd.apple.mpegurl",
        "mpd" => "application/dash+xml",
        "mp3" => "audio/mpeg",
        "m4a" => "audio/mp4",
        "aac" => "audio/aac",
        "flac" => "audio/flac",
        "ogg" | "oga" => "audio/ogg",
        "opus" => "audio/opus",
        "wav" => "audio/wav",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "srt" => "application/x-subrip",
        "vtt" => "text/vtt",
        "json" => "application/json",
        "txt" => "text/plain",
        _ => "application/octet-stream",
    }
}
