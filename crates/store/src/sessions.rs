//! The callers' own ids against doubled requests, remembered for three days.

use mps_core::Result;
use mps_core::clock::Millis;

use crate::{Doing, Tx, on};

/// How long an id is remembered.
pub const REMEMBERED_MS: Millis = 3 * 24 * 3_600_000;

/// Remembers an id for a task. False if the account used it within the last three days.
pub async fn remember(tx: &mut Tx<'_>, account: i64, id: &str, task: i64, now_ms: Millis) -> Result<bool> {
    let q = "INSERT INTO sessions (account, session_id, task, at_ms) VALUES ($1, $2, $3, $4)
        ON CONFLICT (account, session_id) DO UPDATE SET task = excluded.task, at_ms = excluded.at_ms
            WHERE sessions.at_ms <= $5
        RETURNING task";
    let kept: Option<i64> = on!(tx, c => sqlx::query_scalar(q)
        .bind(account)
        .bind(id)
        .bind(task)
        .bind(now_ms)
        .bind(now_ms - REMEMBERED_MS)
        .fetch_optional(c).await)
    .doing("remembering a session id")?;
    Ok(kept.is_some())
}

/// Forgets up to `limit` ids that are older than three days.
pub async fn forget(tx: &mut Tx<'_>, now_ms: Millis, limit: i64) -> Result<u64> {
    let q = "DELETE FROM sessions WHERE (account, session_id) IN
        (SELECT account, session_id FROM sessions WHERE at_ms <= $1 ORDER BY at_ms LIMIT $2)";
    on!(tx, c => sqlx::query(q)
        .bind(now_ms - REMEMBERED_MS)
        .bind(limit)
        .execute(c).await.map(|done| done.rows_affected()))
    .doing("forgetting session ids")
}
