//! Rows of uploads in parts: what was begun, which parts have come, and how it ended.
//!
//! The end is remembered for a while, so that a client that asks again hears the same answer.

use mps_core::clock::Millis;
use mps_core::{Error, Result};

use crate::objects::{self, Headers, PublishObject};
use crate::{Doing, Tx, on, sql};

/// The upload takes parts.
pub const OPEN: i64 = 0;
/// The object was made.
pub const COMPLETED: i64 = 1;
/// It was given up.
pub const ABORTED: i64 = 2;

/// An upload in parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Upload {
    /// Its id.
    pub id: String,
    /// The bucket's name.
    pub bucket: String,
    /// The key of the object it will make.
    pub key: String,
    /// [`OPEN`], [`COMPLETED`] or [`ABORTED`].
    pub state: i64,
    /// Media type of the object.
    pub content_type: String,
    /// What the object will keep besides its bytes.
    pub headers: Headers,
    /// Entity tag of the object it made; empty before.
    pub etag: String,
    /// When it was begun.
    pub created_ms: Millis,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    bucket: String,
    key: String,
    state: i64,
    content_type: String,
    meta: String,
    etag: String,
    created_ms: i64,
}

impl Row {
    fn into_upload(self) -> Result<Upload> {
        let Self { id, bucket, key, state, content_type, meta, etag, created_ms } = self;
        let headers = serde_json::from_str(&meta).doing("reading an upload")?;
        Ok(Upload { id, bucket, key, state, content_type, headers, etag, created_ms })
    }
}

/// A part that has come whole.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Part {
    /// Its number, 1 to 10,000.
    pub number: i64,
    /// Where its bytes lie, relative to the data folder.
    pub blob_path: String,
    /// Its bytes.
    pub size_bytes: i64,
    /// Entity tag without quotes: the MD5 of its bytes.
    pub etag: String,
    /// MD5 of its bytes in lower-case hex.
    pub md5: String,
    /// When it came.
    pub created_ms: Millis,
}

/// Stores a new upload. Of kind `NotFound` with `code=NoSuchBucket` when there is no such bucket.
pub async fn begin(tx: &mut Tx<'_>, upload: &Upload) -> Result<()> {
    let q = "INSERT INTO uploads (id, bucket, key, state, content_type, meta, etag, created_ms)
        SELECT CAST($1 AS TEXT), name, CAST($3 AS TEXT), CAST($4 AS BIGINT), CAST($5 AS TEXT), CAST($6 AS TEXT),
            CAST($7 AS TEXT), CAST($8 AS BIGINT)
        FROM buckets WHERE name = $2";
    let made = on!(tx, c => sqlx::query(q)
        .bind(&upload.id)
        .bind(&upload.bucket)
        .bind(&upload.key)
        .bind(upload.state)
        .bind(&upload.content_type)
        .bind(upload.headers.to_value().to_string())
        .bind(&upload.etag)
        .bind(upload.created_ms)
        .execute(c).await.map(|done| done.rows_affected()))
    .doing("beginning an upload")?;
    if made == 1 {
        return Ok(());
    }
    Err(Error::not_found(format!("there is no bucket {:?}", upload.bucket)).with("code", "NoSuchBucket"))
}

/// The upload of an id, in whatever state.
pub async fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Upload>> {
    let q = "SELECT id, bucket, key, state, content_type, meta, etag, created_ms FROM uploads WHERE id = $1";
    let row: Option<Row> =
        on!(tx, c => sqlx::query_as(q).bind(id).fetch_optional(c).await).doing("finding an upload")?;
    row.map(Row::into_upload).transpose()
}

/// Stores a part of an open upload in place of an earlier one of its number; whether the upload was still open.
pub async fn put_part(tx: &mut Tx<'_>, upload: &str, part: &Part) -> Result<bool> {
    if lock_open(tx, upload).await?.is_none() {
        return Ok(false);
    }
    let q = "INSERT INTO parts (upload, number, blob_path, size_bytes, etag, md5, created_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (upload, number) DO UPDATE SET blob_path = excluded.blob_path,
            size_bytes = excluded.size_bytes, etag = excluded.etag, md5 = excluded.md5,
            created_ms = excluded.created_ms";
    on!(tx, c => sqlx::query(q)
        .bind(upload)
        .bind(part.number)
        .bind(&part.blob_path)
        .bind(part.size_bytes)
        .bind(&part.etag)
        .bind(&part.md5)
        .bind(part.created_ms)
        .execute(c).await.map(drop))
    .doing("storing a part")?;
    Ok(true)
}

async fn lock_open(tx: &mut Tx<'_>, id: &str) -> Result<Option<String>> {
    let q = sql!(tx, "SELECT id FROM uploads WHERE id = $1 AND state = 0", pg " FOR UPDATE", "");
    on!(tx, c => sqlx::query_scalar(q).bind(id).fetch_optional(c).await).doing("finding an upload")
}

/// Parts by number: up to `limit` with numbers above `after`.
pub async fn parts(tx: &mut Tx<'_>, upload: &str, after: i64, limit: i64) -> Result<Vec<Part>> {
    let q = "SELECT number, blob_path, size_bytes, etag, md5, created_ms FROM parts
        WHERE upload = $1 AND number > $2 ORDER BY number LIMIT $3";
    on!(tx, c => sqlx::query_as(q).bind(upload).bind(after).bind(limit).fetch_all(c).await)
        .doing("listing parts")
}

/// Ends an open upload with its object, which becomes visible; whether the upload was still open.
pub async fn complete(tx: &mut Tx<'_>, id: &str, object: &PublishObject, version: i64) -> Result<bool> {
    if !end(tx, id, COMPLETED, &object.etag, object.created_ms).await? {
        return Ok(false);
    }
    objects::publish(tx, object, version).await?;
    Ok(true)
}

/// Gives an open upload up; whether it was still open.
pub async fn abort(tx: &mut Tx<'_>, id: &str, now_ms: Millis) -> Result<bool> {
    end(tx, id, ABORTED, "", now_ms).await
}

async fn end(tx: &mut Tx<'_>, id: &str, state: i64, etag: &str, now_ms: Millis) -> Result<bool> {
    if lock_open(tx, id).await?.is_none() {
        return Ok(false);
    }
    let q = "UPDATE uploads SET state = $2, etag = $3, finished_ms = $4 WHERE id = $1";
    on!(tx, c => sqlx::query(q).bind(id).bind(state).bind(etag).bind(now_ms).execute(c).await.map(drop))
        .doing("ending an upload")?;
    let q = "DELETE FROM parts WHERE upload = $1";
    on!(tx, c => sqlx::query(q).bind(id).execute(c).await.map(drop)).doing("removing parts")?;
    Ok(true)
}

/// Open uploads of a bucket by key and id: up to `limit` after the pair `(key, id)`, with keys from `from` on and
/// before `before`, if given.
pub async fn list(
    tx: &mut Tx<'_>,
    bucket: &str,
    after: (&str, &str),
    from: &str,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<Upload>> {
    let q = match before {
        Some(_) => {
            "SELECT id, bucket, key, state, content_type, meta, etag, created_ms FROM uploads
             WHERE bucket = $1 AND state = 0 AND (key, id) > ($2, $3) AND key >= $4 AND key < $6
             ORDER BY key, id LIMIT $5"
        }
        None => {
            "SELECT id, bucket, key, state, content_type, meta, etag, created_ms FROM uploads
             WHERE bucket = $1 AND state = 0 AND (key, id) > ($2, $3) AND key >= $4
             ORDER BY key, id LIMIT $5"
        }
    };
    let rows: Vec<Row> = on!(tx, c => {
        let query = sqlx::query_as(q).bind(bucket).bind(after.0).bind(after.1).bind(from).bind(limit);
        match before {
            Some(end) => query.bind(end).fetch_all(c).await,
            None => query.fetch_all(c).await,
        }
    })
    .doing("listing uploads")?;
    rows.into_iter().map(Row::into_upload).collect()
}

/// Open uploads begun before `before_ms`, and how many at most.
pub async fn stale(tx: &mut Tx<'_>, before_ms: Millis, limit: i64) -> Result<Vec<String>> {
    let q = "SELECT id FROM uploads WHERE state = 0 AND created_ms < $1 ORDER BY created_ms LIMIT $2";
    on!(tx, c => sqlx::query_scalar(q).bind(before_ms).bind(limit).fetch_all(c).await)
        .doing("listing old uploads")
}

/// Forgets uploads that ended before `before_ms`.
pub async fn forget_ended(tx: &mut Tx<'_>, before_ms: Millis) -> Result<()> {
    let q = "DELETE FROM uploads WHERE state <> 0 AND finished_ms < $1";
    on!(tx, c => sqlx::query(q).bind(before_ms).execute(c).await.map(drop)).doing("forgetting old uploads")
}
