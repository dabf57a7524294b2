//! "Object created" events: one row per version that became visible, stored with it, read by who watches buckets.

use mps_core::Result;
use mps_core::clock::Millis;

use crate::objects::PublishObject;
use crate::{Doing, Tx, on};

/// One event, in the order of [`ObjectEvent::id`].
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ObjectEvent {
    /// Grows with time; also the object's version.
    pub id: i64,
    /// The account that owns the bucket.
    pub account: i64,
    /// The bucket's name.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// What happened: [`crate::objects::Origin::event`].
    pub name: String,
    /// Bytes of the object.
    pub size_bytes: i64,
    /// Entity tag without quotes.
    pub etag: String,
    /// When it happened, in milliseconds since the epoch.
    pub created_ms: Millis,
}

impl ObjectEvent {
    /// Whether the object only marks a folder: no bytes and a key that ends in `/`. Such a one starts no task.
    pub fn is_folder(&self) -> bool {
        self.size_bytes == 0 && self.key.ends_with('/')
    }
}

/// Notes that `version` of an object in a bucket of `account` became visible.
pub(crate) async fn raise(tx: &mut Tx<'_>, account: i64, object: &PublishObject, version: i64) -> Result<()> {
    let q =
        "INSERT INTO object_events (id, account, bucket, key, version, name, size_bytes, etag, created_ms)
        VALUES ($1, $2, $3, $4, $1, $5, $6, $7, $8)";
    on!(tx, c => sqlx::query(q)
        .bind(version)
        .bind(account)
        .bind(&object.bucket)
        .bind(&object.key)
        .bind(object.origin.event())
        .bind(object.size_bytes as i64)
        .bind(&object.etag)
        .bind(object.created_ms)
        .execute(c)
        .await
        .map(drop))
    .doing("noting an object event")
}

/// Removes events that were dealt with; one that is gone already is no error.
pub async fn forget(tx: &mut Tx<'_>, ids: &[i64]) -> Result<()> {
    let q = "DELETE FROM object_events WHERE id = $1";
    for id in ids {
        on!(tx, c => sqlx::query(q).bind(id).execute(c).await.map(drop)).doing("removing an object event")?;
    }
    Ok(())
}

/// Up to `limit` events after `id`, oldest first.
pub async fn after(tx: &mut Tx<'_>, id: i64, limit: i64) -> Result<Vec<ObjectEvent>> {
    let q = "SELECT id, account, bucket, key, name, size_bytes, etag, created_ms FROM object_events
        WHERE id > $1 ORDER BY id LIMIT $2";
    on!(tx, c => sqlx::query_as(q).bind(id).bind(limit).fetch_all(c).await).doing("reading object events")
}
