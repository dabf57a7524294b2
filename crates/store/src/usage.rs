//! What was used, for reports: one row per item and step, stored with the step's success.

use mps_core::Result;
use mps_core::clock::Millis;
use serde::{Deserialize, Serialize};

use crate::{Doing, Tx, on};

/// An amount of something used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// What was used, such as `transcode.h264.1080p`.
    pub item: String,
    /// How much.
    pub amount: i64,
    /// Of what unit, such as `ms`.
    pub unit: String,
}

/// Whom the use is noted for.
#[derive(Debug, Clone, Copy)]
pub struct Of {
    /// The account.
    pub account: i64,
    /// The task.
    pub task: i64,
    /// The step.
    pub step: i64,
    /// When.
    pub at_ms: Millis,
}

/// Notes a use under a fresh `id`.
pub async fn add(tx: &mut Tx<'_>, id: i64, of: Of, usage: &Usage) -> Result<()> {
    let q = "INSERT INTO usage (id, account, task, step, item, amount, unit, at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    on!(tx, c => sqlx::query(q)
        .bind(id)
        .bind(of.account)
        .bind(of.task)
        .bind(of.step)
        .bind(&usage.item)
        .bind(usage.amount)
        .bind(&usage.unit)
        .bind(of.at_ms)
        .execute(c).await.map(drop))
    .doing("noting a use")
}

/// What an account used of one item and unit.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Total {
    /// What was used.
    pub item: String,
    /// Of what unit.
    pub unit: String,
    /// How much in all.
    pub amount: i64,
}

/// What an account used from `from_ms` until before `to_ms`, by item and unit.
pub async fn totals(tx: &mut Tx<'_>, account: i64, from_ms: Millis, to_ms: Millis) -> Result<Vec<Total>> {
    let q = "SELECT item, unit, CAST(sum(amount) AS BIGINT) AS amount FROM usage
        WHERE account = $1 AND at_ms >= $2 AND at_ms < $3 GROUP BY item, unit";
    let mut totals: Vec<Total> = on!(tx, c => sqlx::query_as(q)
        .bind(account)
        .bind(from_ms)
        .bind(to_ms)
        .fetch_all(c).await)
    .doing("adding up the use")?;
    totals.sort_by(|a, b| (&a.item, &a.unit).cmp(&(&b.item, &b.unit)));
    Ok(totals)
}
