//! Rows of local buckets. A name belongs to one bucket in all accounts and regions.

use mps_core::clock::Millis;
use mps_core::{Error, Kind, Result};

use crate::{Doing, Tx, on, sql};

/// A local bucket.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// The account that owns it.
    pub account: i64,
    /// The region it was made in.
    pub region: String,
    /// When it was made.
    pub created_ms: Millis,
}

/// What came of [`create`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It is new.
    Made,
    /// The account had it already, in that region.
    HadIt,
    /// The name is taken: by another account, or in another region.
    Taken,
}

/// Makes a bucket unless the name is taken.
pub async fn create(tx: &mut Tx<'_>, bucket: &Bucket) -> Result<Created> {
    let q = "INSERT INTO buckets (name, account, region, created_ms) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO NOTHING";
    let made = on!(tx, c => sqlx::query(q)
        .bind(&bucket.name)
        .bind(bucket.account)
        .bind(&bucket.region)
        .bind(bucket.created_ms)
        .execute(c).await.map(|done| done.rows_affected()))
    .doing("making a bucket")?;
    if made == 1 {
        return Ok(Created::Made);
    }
    let is_same = |there: Bucket| there.account == bucket.account && there.region == bucket.region;
    let had_it = find(tx, &bucket.name).await?.is_some_and(is_same);
    Ok(if had_it { Created::HadIt } else { Created::Taken })
}

/// The bucket of a name.
pub async fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<Bucket>> {
    let q = "SELECT name, account, region, created_ms FROM buckets WHERE name = $1";
    on!(tx, c => sqlx::query_as(q).bind(name).fetch_optional(c).await).doing("finding a bucket")
}

/// An account's buckets by name.
pub async fn of_account(tx: &mut Tx<'_>, account: i64) -> Result<Vec<Bucket>> {
    let q = "SELECT name, account, region, created_ms FROM buckets WHERE account = $1 ORDER BY name";
    on!(tx, c => sqlx::query_as(q).bind(account).fetch_all(c).await).doing("listing buckets")
}

/// All buckets by name.
pub async fn all(tx: &mut Tx<'_>) -> Result<Vec<Bucket>> {
    let q = "SELECT name, account, region, created_ms FROM buckets ORDER BY name";
    on!(tx, c => sqlx::query_as(q).fetch_all(c).await).doing("listing buckets")
}

/// Removes an empty bucket; whether there was one. Of kind `Conflict` with `code=BucketNotEmpty` while it has
/// objects or open uploads.
pub async fn delete(tx: &mut Tx<'_>, name: &str) -> Result<bool> {
    let q = sql!(tx, "SELECT name FROM buckets WHERE name = $1", pg " FOR UPDATE", "");
    let there: Option<String> =
        on!(tx, c => sqlx::query_scalar(q).bind(name).fetch_optional(c).await).doing("finding a bucket")?;
    if there.is_none() {
        return Ok(false);
    }
    let q =
        "SELECT CAST(count(*) AS BIGINT) FROM (SELECT key FROM objects WHERE bucket = $1 LIMIT 1) AS found";
    let objects: i64 =
        on!(tx, c => sqlx::query_scalar(q).bind(name).fetch_one(c).await).doing("looking into a bucket")?;
    let q = "SELECT CAST(count(*) AS BIGINT) FROM uploads WHERE bucket = $1 AND state = 0";
    let uploads: i64 =
        on!(tx, c => sqlx::query_scalar(q).bind(name).fetch_one(c).await).doing("looking into a bucket")?;
    if objects + uploads > 0 {
        return Err(Error::new(Kind::Conflict, format!("the bucket {name:?} is not empty"))
            .with("code", "BucketNotEmpty"));
    }
    let q = "DELETE FROM buckets WHERE name = $1";
    on!(tx, c => sqlx::query(q).bind(name).execute(c).await.map(drop)).doing("removing a bucket")?;
    Ok(true)
}
