//! Rows of the objects of local buckets: what is visible, and where its bytes lie.

use mps_core::Result;
use mps_core::clock::Millis;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Doing, Tx, object_events, on};

/// An object that becomes visible when this is stored; its bytes are already on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PublishObject {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key, at most 1,024 bytes.
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
    /// User metadata and headers kept with the object, a JSON object.
    pub meta: Value,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: Millis,
}

/// Makes the object visible under a `version` that grows, in place of an earlier one, and raises its event.
pub async fn publish(tx: &mut Tx<'_>, object: &PublishObject, version: i64) -> Result<()> {
    let q = "INSERT INTO objects (bucket, key, version, blob_path, size_bytes, etag, md5, content_type, meta, created_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (bucket, key) DO UPDATE SET version = excluded.version, blob_path = excluded.blob_path,
            size_bytes = excluded.size_bytes, etag = excluded.etag, md5 = excluded.md5,
            content_type = excluded.content_type, meta = excluded.meta, created_ms = excluded.created_ms";
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
        .map(drop))
    .doing("publishing an object")?;
    object_events::raise(tx, object, version).await
}
