//! Rows of the objects of local buckets: what is visible, and where its bytes lie.
//!
//! The row is the truth: an object exists exactly when its row does, and a version becomes visible together with
//! its event. The bytes of a version are never changed; those that lose their row are noted in [`crate::blobs`].

use std::collections::BTreeMap;

use mps_core::clock::Millis;
use mps_core::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Doing, Tx, blobs, object_events, on, sql};

/// An object that becomes visible when this is stored; its bytes are already on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PublishObject {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key, 1 to 1,024 bytes.
    pub key: String,
    /// Where the bytes lie, relative to the data folder.
    pub blob_path: String,
    /// Bytes of the object.
    pub size_bytes: u64,
    /// Entity tag without quotes.
    pub etag: String,
    /// MD5 of the bytes in lower-case hex; empty for an object of several parts.
    pub md5: String,
    /// Media type.
    pub content_type: String,
    /// User metadata and headers kept with the object: a [`Headers`] as JSON.
    pub meta: Value,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: Millis,
    /// What made it; the name of its event follows.
    #[serde(default)]
    pub origin: Origin,
    /// What must hold for the object that is visible now.
    #[serde(default)]
    pub condition: Condition,
}

/// What made a version of an object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// An upload in one piece.
    Put,
    /// An upload by a form.
    Post,
    /// A copy of another object.
    Copy,
    /// An upload in parts.
    CompleteMultipartUpload,
    /// A step of a task.
    #[default]
    TaskOutput,
}

impl Origin {
    /// The name of the event that such a version raises.
    pub fn event(self) -> &'static str {
        match self {
            Self::Put => "ObjectCreated:Put",
            Self::Post => "ObjectCreated:Post",
            Self::Copy => "ObjectCreated:Copy",
            Self::CompleteMultipartUpload => "ObjectCreated:CompleteMultipartUpload",
            Self::TaskOutput => "ObjectCreated:TaskOutput",
        }
    }
}

/// What must hold for the present object when a version is published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// Nothing: an earlier version is replaced.
    #[default]
    None,
    /// There is no object of that key.
    Absent,
    /// There is one, and its entity tag is this.
    Matches(String),
}

/// What an object keeps besides its bytes; the form of [`PublishObject::meta`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Headers {
    /// The caller's own names and values, names in lower case without prefix.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub user: BTreeMap<String, String>,
    /// Standard headers to answer with: `cache-control`, `content-disposition`, `content-encoding`,
    /// `content-language`, `expires`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub standard: BTreeMap<String, String>,
    /// Checksums that were given and held: algorithm (`crc32`, `sha256`, …) to value in base64.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub checksums: BTreeMap<String, String>,
    /// Tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Sizes of the parts in order, for an object that was uploaded in parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<u64>,
}

impl Headers {
    /// The form that is stored.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Reads the stored form; members of another shape count as absent.
    pub fn from_value(value: &Value) -> Self {
        Self::deserialize(value).unwrap_or_default()
    }
}

/// A visible object.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The object's key.
    pub key: String,
    /// Grows with each version of any object.
    pub version: i64,
    /// Where the bytes lie, relative to the data folder.
    pub blob_path: String,
    /// Bytes of the object.
    pub size_bytes: u64,
    /// Entity tag without quotes.
    pub etag: String,
    /// MD5 of the bytes in lower-case hex; empty for an object of several parts.
    pub md5: String,
    /// Media type.
    pub content_type: String,
    /// User metadata and headers.
    pub headers: Headers,
    /// When this version was made.
    pub created_ms: Millis,
}

#[derive(sqlx::FromRow)]
struct Row {
    key: String,
    version: i64,
    blob_path: String,
    size_bytes: i64,
    etag: String,
    md5: String,
    content_type: String,
    meta: String,
    created_ms: i64,
}

impl Row {
    fn into_object(self) -> Result<Object> {
        let Self { key, version, blob_path, size_bytes, etag, md5, content_type, meta, created_ms } = self;
        let headers = serde_json::from_str(&meta).doing("reading an object")?;
        let size_bytes = size_bytes as u64;
        Ok(Object { key, version, blob_path, size_bytes, etag, md5, content_type, headers, created_ms })
    }
}

/// Makes the object visible under a `version` that grows, in place of an earlier one, and raises its event.
///
/// Of kind `NotFound` with `code=NoSuchBucket` when the bucket is gone, of kind `Conflict` with
/// `code=PreconditionFailed` when the condition does not hold.
pub async fn publish(tx: &mut Tx<'_>, object: &PublishObject, version: i64) -> Result<()> {
    let Some(account) = lock_bucket(tx, &object.bucket).await? else {
        return Err(
            Error::not_found(format!("there is no bucket {:?}", object.bucket)).with("code", "NoSuchBucket")
        );
    };
    if matches!(object.condition, Condition::None | Condition::Absent) && insert(tx, object, version).await? {
        return object_events::raise(tx, account, object, version).await;
    }
    let old = lock(tx, &object.bucket, &object.key).await?;
    let holds = match (&object.condition, &old) {
        (Condition::None, _) => true,
        (Condition::Matches(tag), Some((_, etag))) => tag == etag,
        (Condition::Absent | Condition::Matches(_), _) => false,
    };
    if !holds {
        return Err(Error::new(Kind::Conflict, format!("the condition for {:?} does not hold", object.key))
            .with("code", "PreconditionFailed"));
    }
    if let Some((old_path, _)) = old.filter(|(path, _)| *path != object.blob_path) {
        blobs::bury(tx, &old_path, object.created_ms).await?;
    }
    replace(tx, object, version).await?;
    object_events::raise(tx, account, object, version).await
}

/// The bucket's account, kept from being removed while the transaction lasts.
async fn lock_bucket(tx: &mut Tx<'_>, bucket: &str) -> Result<Option<i64>> {
    let q = sql!(tx, "SELECT account FROM buckets WHERE name = $1", pg " FOR KEY SHARE", "");
    on!(tx, c => sqlx::query_scalar(q).bind(bucket).fetch_optional(c).await).doing("finding a bucket")
}

async fn lock(tx: &mut Tx<'_>, bucket: &str, key: &str) -> Result<Option<(String, String)>> {
    let q =
        sql!(tx, "SELECT blob_path, etag FROM objects WHERE bucket = $1 AND key = $2", pg " FOR UPDATE", "");
    on!(tx, c => sqlx::query_as(q).bind(bucket).bind(key).fetch_optional(c).await).doing("finding an object")
}

async fn insert(tx: &mut Tx<'_>, object: &PublishObject, version: i64) -> Result<bool> {
    let q = "INSERT INTO objects
            (bucket, key, version, blob_path, size_bytes, etag, md5, content_type, meta, created_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (bucket, key) DO NOTHING";
    store(tx, q, object, version).await
}

async fn replace(tx: &mut Tx<'_>, object: &PublishObject, version: i64) -> Result<()> {
    let q = "UPDATE objects SET version = $3, blob_path = $4, size_bytes = $5, etag = $6, md5 = $7,
            content_type = $8, meta = $9, created_ms = $10
        WHERE bucket = $1 AND key = $2";
    // Removed by another process since the insert: its bytes are buried there, and this version is the first again.
    if store(tx, q, object, version).await? || insert(tx, object, version).await? {
        return Ok(());
    }
    Err(Error::unavailable("the object was changed at the same time").with("key", &object.key))
}

async fn store(tx: &mut Tx<'_>, q: &'static str, object: &PublishObject, version: i64) -> Result<bool> {
    on!(tx, c => sqlx::query(q)
        .bind(&object.bucket)
        .bind(&object.key)
        .bind(version)
        .bind(&object.blob_path)
        .bind(object.size_bytes as i64)
        .bind(&object.etag)
        .bind(&object.md5)
        .bind(&object.content_type)
        .bind(object.meta.to_string())
        .bind(object.created_ms)
        .execute(c)
        .await
        .map(|done| done.rows_affected() == 1))
    .doing("publishing an object")
}

/// The visible object of a key.
pub async fn find(tx: &mut Tx<'_>, bucket: &str, key: &str) -> Result<Option<Object>> {
    let q = "SELECT key, version, blob_path, size_bytes, etag, md5, content_type, meta, created_ms
        FROM objects WHERE bucket = $1 AND key = $2";
    let row: Option<Row> = on!(tx, c => sqlx::query_as(q).bind(bucket).bind(key).fetch_optional(c).await)
        .doing("finding an object")?;
    row.map(Row::into_object).transpose()
}

/// Removes the object; its bytes go later. Whether there was one.
pub async fn delete(tx: &mut Tx<'_>, bucket: &str, key: &str, now_ms: Millis) -> Result<bool> {
    let q = "DELETE FROM objects WHERE bucket = $1 AND key = $2 RETURNING blob_path";
    let path: Option<String> =
        on!(tx, c => sqlx::query_scalar(q).bind(bucket).bind(key).fetch_optional(c).await)
            .doing("removing an object")?;
    if let Some(path) = &path {
        blobs::bury(tx, path, now_ms).await?;
    }
    Ok(path.is_some())
}

/// Changes what is kept besides the bytes of a version, if it is still the visible one; whether it was.
pub async fn set_headers(
    tx: &mut Tx<'_>,
    bucket: &str,
    key: &str,
    version: i64,
    headers: &Headers,
) -> Result<bool> {
    let q = "UPDATE objects SET meta = $4 WHERE bucket = $1 AND key = $2 AND version = $3";
    on!(tx, c => sqlx::query(q)
        .bind(bucket)
        .bind(key)
        .bind(version)
        .bind(headers.to_value().to_string())
        .execute(c)
        .await
        .map(|done| done.rows_affected() == 1))
    .doing("changing an object's tags")
}

/// Up to `limit` objects in the byte order of their keys, with keys at or after `from` (after it when `is_after`)
/// and before `before`, if given.
pub async fn list(
    tx: &mut Tx<'_>,
    bucket: &str,
    from: &str,
    is_after: bool,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<Object>> {
    let q = match (is_after, before) {
        (true, Some(_)) => {
            "SELECT key, version, blob_path, size_bytes, etag, md5, content_type, meta, created_ms FROM objects
             WHERE bucket = $1 AND key > $2 AND key < $4 ORDER BY key LIMIT $3"
        }
        (true, None) => {
            "SELECT key, version, blob_path, size_bytes, etag, md5, content_type, meta, created_ms FROM objects
             WHERE bucket = $1 AND key > $2 ORDER BY key LIMIT $3"
        }
        (false, Some(_)) => {
            "SELECT key, version, blob_path, size_bytes, etag, md5, content_type, meta, created_ms FROM objects
             WHERE bucket = $1 AND key >= $2 AND key < $4 ORDER BY key LIMIT $3"
        }
        (false, None) => {
            "SELECT key, version, blob_path, size_bytes, etag, md5, content_type, meta, created_ms FROM objects
             WHERE bucket = $1 AND key >= $2 ORDER BY key LIMIT $3"
        }
    };
    let rows: Vec<Row> = on!(tx, c => {
        let query = sqlx::query_as(q).bind(bucket).bind(from).bind(limit);
        match before {
            Some(end) => query.bind(end).fetch_all(c).await,
            None => query.fetch_all(c).await,
        }
    })
    .doing("listing objects")?;
    rows.into_iter().map(Row::into_object).collect()
}
