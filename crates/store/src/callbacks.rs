//! The outbox: what has to be told to whom, stored with the change that caused it.
//!
//! A task's callbacks go out in order: only the first is due, the others wait in line behind it. Attempts are
//! fenced like steps are: an outcome counts only for the attempt it belongs to.

use mps_core::Result;
use mps_core::clock::Millis;

use crate::{Doing, Tx, on, sql, tasks};

/// Waits for an earlier one of the same task.
pub const IN_LINE: i64 = 0;
/// To be sent when its time has come.
pub const DUE: i64 = 1;
/// Received.
pub const DELIVERED: i64 = 2;
/// Not received in all the time given.
pub const GIVEN_UP: i64 = 3;

/// A callback to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCallback {
    /// Grows with time.
    pub id: i64,
    /// What the receiver tells repetitions by.
    pub event_id: String,
    /// The task it tells of.
    pub task: i64,
    /// The account.
    pub account: i64,
    /// Receivers with the same name share a fate.
    pub destination: String,
    /// The receiver as the caller described it, JSON text.
    pub target: String,
    /// What is told, JSON text.
    pub body: String,
    /// When it happened.
    pub created_ms: Millis,
}

/// Stores a callback, due at once or in line behind the task's earlier ones.
pub async fn insert(tx: &mut Tx<'_>, callback: &NewCallback) -> Result<()> {
    let q = "INSERT INTO callbacks (id, event_id, task, account, destination, target, body, state, attempts, fence,
            due_ms, created_ms, last_error)
        VALUES ($1, $2, $3, $4, $5, $6, $7,
            CASE WHEN EXISTS (SELECT 1 FROM callbacks WHERE task = $3 AND state IN (0, 1)) THEN 0 ELSE 1 END,
            0, 0, $8, $8, '')";
    on!(tx, c => sqlx::query(q)
        .bind(callback.id)
        .bind(&callback.event_id)
        .bind(callback.task)
        .bind(callback.account)
        .bind(&callback.destination)
        .bind(&callback.target)
        .bind(&callback.body)
        .bind(callback.created_ms)
        .execute(c).await.map(drop))
    .doing("storing a callback")
}

/// Destinations for which something is due, by name.
pub async fn due_destinations(tx: &mut Tx<'_>, now_ms: Millis) -> Result<Vec<String>> {
    // Walks from one destination to the next by the index, however many callbacks each has.
    let q = "WITH RECURSIVE d (name) AS (
            SELECT min(destination) FROM callbacks WHERE state = 1
            UNION ALL
            SELECT (SELECT min(destination) FROM callbacks WHERE state = 1 AND destination > d.name)
            FROM d WHERE d.name IS NOT NULL)
        SELECT name FROM d WHERE name IS NOT NULL AND EXISTS
            (SELECT 1 FROM callbacks WHERE state = 1 AND destination = d.name AND due_ms <= $1)";
    on!(tx, c => sqlx::query_scalar(q).bind(now_ms).fetch_all(c).await).doing("looking for due callbacks")
}

/// A callback taken for one attempt.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Taken {
    /// Grows with time.
    pub id: i64,
    /// What the receiver tells repetitions by.
    pub event_id: String,
    /// The task it tells of.
    pub task: i64,
    /// The account.
    pub account: i64,
    /// Receivers with the same name share a fate.
    pub destination: String,
    /// The receiver, JSON text.
    pub target: String,
    /// What is told, JSON text.
    pub body: String,
    /// Which attempt this is, from 1.
    pub attempts: i64,
    /// The fence of this attempt.
    pub fence: i64,
    /// When it happened.
    pub created_ms: Millis,
}

/// Takes up to `limit` due callbacks of a destination; until `again_ms` nobody else takes them.
pub async fn take(
    tx: &mut Tx<'_>,
    destination: &str,
    now_ms: Millis,
    again_ms: Millis,
    limit: i64,
) -> Result<Vec<Taken>> {
    let q = sql!(
        tx,
        "WITH c AS MATERIALIZED (SELECT id FROM callbacks WHERE state = 1 AND destination = $1 AND due_ms <= $2
            ORDER BY due_ms LIMIT $3",
        pg " FOR UPDATE SKIP LOCKED",
        ") UPDATE callbacks SET attempts = attempts + 1, fence = fence + 1, due_ms = $4
        FROM c WHERE callbacks.id = c.id
        RETURNING callbacks.id, event_id, task, account, destination, target, body, attempts, fence, created_ms",
    );
    let mut taken: Vec<Taken> = on!(tx, c => sqlx::query_as(q)
        .bind(destination)
        .bind(now_ms)
        .bind(limit)
        .bind(again_ms)
        .fetch_all(c).await)
    .doing("taking callbacks")?;
    taken.sort_by_key(|callback| callback.id);
    Ok(taken)
}

/// Puts a callback off after a failed attempt. False if the attempt is over.
pub async fn put_off(tx: &mut Tx<'_>, id: i64, fence: i64, due_ms: Millis, error: &str) -> Result<bool> {
    let q =
        "UPDATE callbacks SET fence = fence + 1, due_ms = $3, last_error = $4 WHERE id = $1 AND fence = $2";
    let changed = on!(tx, c => sqlx::query(q)
        .bind(id)
        .bind(fence)
        .bind(due_ms)
        .bind(error)
        .execute(c).await.map(|done| done.rows_affected()))
    .doing("putting a callback off")?;
    Ok(changed == 1)
}

/// Gives a taken callback back untried.
pub async fn hand_back(tx: &mut Tx<'_>, id: i64, fence: i64, now_ms: Millis) -> Result<()> {
    let q = "UPDATE callbacks SET fence = fence + 1, attempts = attempts - 1, due_ms = $3
        WHERE id = $1 AND fence = $2";
    on!(tx, c => sqlx::query(q).bind(id).bind(fence).bind(now_ms).execute(c).await.map(drop))
        .doing("handing a callback back")
}

/// Ends a callback as [`DELIVERED`] or [`GIVEN_UP`] and lets the task's next one go. False if the attempt is over.
pub async fn end(tx: &mut Tx<'_>, taken: &Taken, state: i64, now_ms: Millis, error: &str) -> Result<bool> {
    // Whoever adds a callback holds the task's row, so none can get in line behind one that is just leaving.
    tasks::lock(tx, taken.task).await?;
    let q = "UPDATE callbacks SET fence = fence + 1, state = $3, finished_ms = $4, last_error = $5
        WHERE id = $1 AND fence = $2";
    let changed = on!(tx, c => sqlx::query(q)
        .bind(taken.id)
        .bind(taken.fence)
        .bind(state)
        .bind(now_ms)
        .bind(error)
        .execute(c).await.map(|done| done.rows_affected()))
    .doing("ending a callback")?;
    if changed == 0 {
        return Ok(false);
    }
    let next = "UPDATE callbacks SET state = 1, due_ms = $2 WHERE id =
        (SELECT min(id) FROM callbacks WHERE task = $1 AND state = 0)";
    on!(tx, c => sqlx::query(next).bind(taken.task).bind(now_ms).execute(c).await.map(drop))
        .doing("letting the next callback go")?;
    Ok(true)
}

/// A callback as it stands, for reports and tests.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Stored {
    /// Grows with time.
    pub id: i64,
    /// What the receiver tells repetitions by.
    pub event_id: String,
    /// [`IN_LINE`], [`DUE`], [`DELIVERED`] or [`GIVEN_UP`].
    pub state: i64,
    /// Attempts made.
    pub attempts: i64,
    /// What is told, JSON text.
    pub body: String,
    /// When it is to be sent.
    pub due_ms: Millis,
    /// What the last attempt failed with, or empty.
    pub last_error: String,
}

/// All callbacks of a task in order.
pub async fn of_task(tx: &mut Tx<'_>, task: i64) -> Result<Vec<Stored>> {
    let q = "SELECT id, event_id, state, attempts, body, due_ms, last_error FROM callbacks WHERE task = $1
        ORDER BY id";
    on!(tx, c => sqlx::query_as(q).bind(task).fetch_all(c).await).doing("reading callbacks")
}

/// How many callbacks are yet to be delivered, counted up to `bound`.
pub async fn pending(tx: &mut Tx<'_>, bound: i64) -> Result<i64> {
    let q = "SELECT count(*) FROM (SELECT id FROM callbacks WHERE state IN (0, 1) LIMIT $1) AS found";
    on!(tx, c => sqlx::query_scalar(q).bind(bound).fetch_one(c).await).doing("counting callbacks")
}

/// Removes up to `limit` callbacks that ended before `before_ms`.
pub async fn forget(tx: &mut Tx<'_>, before_ms: Millis, limit: i64) -> Result<u64> {
    let q = "DELETE FROM callbacks WHERE id IN
        (SELECT id FROM callbacks WHERE state >= 2 AND finished_ms < $1 ORDER BY finished_ms LIMIT $2)";
    on!(tx, c => sqlx::query(q).bind(before_ms).bind(limit).execute(c).await.map(|done| done.rows_affected()))
        .doing("forgetting callbacks")
}
