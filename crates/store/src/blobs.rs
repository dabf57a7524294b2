//! Blobs: which files hold the bytes of objects, and which are to be removed once nobody can be reading them.

use mps_core::Result;
use mps_core::clock::Millis;

use crate::{Doing, Tx, on};

/// Notes that no row shows the file any more.
pub async fn bury(tx: &mut Tx<'_>, blob_path: &str, now_ms: Millis) -> Result<()> {
    let q = "INSERT INTO dead_blobs (blob_path, since_ms) VALUES ($1, $2) ON CONFLICT (blob_path) DO NOTHING";
    on!(tx, c => sqlx::query(q).bind(blob_path).bind(now_ms).execute(c).await.map(drop))
        .doing("noting a blob to remove")
}

/// Up to `limit` files that have been without a row since before `before_ms`, the oldest first.
pub async fn dead(tx: &mut Tx<'_>, before_ms: Millis, limit: i64) -> Result<Vec<String>> {
    let q = "SELECT blob_path FROM dead_blobs WHERE since_ms < $1 ORDER BY since_ms LIMIT $2";
    on!(tx, c => sqlx::query_scalar(q).bind(before_ms).bind(limit).fetch_all(c).await)
        .doing("listing blobs to remove")
}

/// Forgets a file that has been removed.
pub async fn forget(tx: &mut Tx<'_>, blob_path: &str) -> Result<()> {
    let q = "DELETE FROM dead_blobs WHERE blob_path = $1";
    on!(tx, c => sqlx::query(q).bind(blob_path).execute(c).await.map(drop)).doing("forgetting a blob")
}

/// Whether the file is noted for removal.
pub async fn is_dead(tx: &mut Tx<'_>, blob_path: &str) -> Result<bool> {
    let q = "SELECT since_ms FROM dead_blobs WHERE blob_path = $1";
    let since: Option<i64> = on!(tx, c => sqlx::query_scalar(q).bind(blob_path).fetch_optional(c).await)
        .doing("looking for a blob")?;
    Ok(since.is_some())
}
