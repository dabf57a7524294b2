//! Rows of steps: the queue itself. Claims and promotions are bulk statements; everything else changes one step by
//! `id AND fence`, never by state, since a partial index on the state would win against the primary key.

use mps_core::clock::Millis;
use mps_core::task::{NewStep, Step, StepState};
use mps_core::{Error, Kind, Result};
use sqlx::AssertSqlSafe;

use crate::tasks::{parsed, unreadable};
use crate::{Doing, Tx, on, rows, sql};

#[derive(sqlx::FromRow)]
#[expect(clippy::struct_field_names, reason = "columns of two tables meet in one row")]
pub(crate) struct StepRow {
    s_id: i64,
    s_task: i64,
    s_ordinal: i64,
    s_kind: String,
    s_cap: i64,
    s_state: i64,
    s_attempt: i64,
    s_losses: i64,
    s_fence: i64,
    s_progress: i64,
    s_is_gate: bool,
    s_needs: String,
    s_params: String,
    s_result: Option<String>,
    s_failure: Option<String>,
    s_begun_ms: Option<i64>,
    s_finished_ms: Option<i64>,
}

macro_rules! step_columns {
    () => {
        "s.id AS s_id, s.task AS s_task, s.ordinal AS s_ordinal, s.kind AS s_kind, s.cap AS s_cap, \
         s.state AS s_state, s.attempt AS s_attempt, s.losses AS s_losses, s.fence AS s_fence, \
         s.progress AS s_progress, s.is_gate AS s_is_gate, s.needs AS s_needs, s.params AS s_params, \
         s.result AS s_result, s.failure AS s_failure, s.begun_ms AS s_begun_ms, s.finished_ms AS s_finished_ms"
    };
}
pub(crate) use step_columns;

impl StepRow {
    pub(crate) fn into_step(self) -> Result<Step> {
        let state = StepState::from_code(self.s_state).ok_or_else(|| unreadable("step", self.s_id))?;
        Ok(Step {
            id: self.s_id,
            task: self.s_task,
            ordinal: self.s_ordinal as i32,
            kind: self.s_kind,
            capability: self.s_cap as i32,
            state,
            attempt: self.s_attempt as i32,
            losses: self.s_losses as i32,
            fence: self.s_fence,
            progress: self.s_progress.clamp(0, 100) as u8,
            is_gate: self.s_is_gate,
            after: serde_json::from_str(&self.s_needs).doing("reading a step")?,
            params: serde_json::from_str(&self.s_params).doing("reading a step")?,
            result: parsed(self.s_result.as_deref())?,
            failure: parsed(self.s_failure.as_deref())?,
            begun_ms: self.s_begun_ms,
            finished_ms: self.s_finished_ms,
        })
    }
}

/// Where a new step goes.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Its id.
    pub id: i64,
    /// Its task.
    pub task: i64,
    /// Its place in the task.
    pub ordinal: i64,
    /// The task's priority.
    pub priority: i32,
    /// Its place in the fair order.
    pub tag: i64,
}

/// Stores new steps, each ready if it waits for no other.
pub async fn insert(tx: &mut Tx<'_>, new: &[(Place, &NewStep)]) -> Result<()> {
    let head = "INSERT INTO steps (id, task, ordinal, kind, cap, prio, tag, state, is_gate, needs, params, \
        attempt, losses, fence, progress, run_after, lease_until)";
    for piece in rows::pieces(new) {
        let q = rows::insert(head, 11, ", 0, 0, 0, 0, 0, 0", piece.len());
        on!(tx, c => {
            let mut query = sqlx::query(AssertSqlSafe(q));
            for (place, step) in piece {
                let state = if step.after.is_empty() { StepState::Ready } else { StepState::Blocked };
                query = query
                    .bind(place.id)
                    .bind(place.task)
                    .bind(place.ordinal)
                    .bind(&step.kind)
                    .bind(i64::from(step.capability))
                    .bind(i64::from(place.priority))
                    .bind(place.tag)
                    .bind(state.code())
                    .bind(step.is_gate)
                    .bind(serde_json::to_string(&step.after).doing("storing a step")?)
                    .bind(step.params.to_string());
            }
            query.execute(c).await.map(drop)
        })
        .doing("storing steps")?;
    }
    Ok(())
}

/// Which steps a claim may take, and under what lease.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// The class; one a statement, since several would sort the whole queue.
    pub capability: i32,
    /// The highest priority that may be taken.
    pub ceiling: i32,
    /// How many at most.
    pub limit: i64,
    /// Until when the lease holds.
    pub lease_until: Millis,
    /// Now.
    pub now_ms: Millis,
}

/// A step just claimed.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Claimed {
    /// The step.
    pub id: i64,
    /// Its task.
    pub task: i64,
    /// Its place in the task.
    pub ordinal: i64,
    /// The fence of this attempt.
    pub fence: i64,
    /// Its priority.
    pub prio: i64,
    /// Its place in the fair order.
    pub tag: i64,
}

/// Takes the first steps of the queue, highest priority first, then by fair order.
pub async fn claim(tx: &mut Tx<'_>, claim: Claim) -> Result<Vec<Claimed>> {
    let q = sql!(
        tx,
        "WITH c AS MATERIALIZED (SELECT id FROM steps WHERE state = 1 AND cap = $1 AND prio <= $2
            ORDER BY prio DESC, tag, id LIMIT $3",
        pg " FOR UPDATE SKIP LOCKED",
        ") UPDATE steps SET state = 3, attempt = attempt + 1, fence = fence + 1, lease_until = $4,
            begun_ms = coalesce(begun_ms, $5)
        FROM c WHERE steps.id = c.id
        RETURNING steps.id, steps.task, steps.ordinal, steps.fence, steps.prio, steps.tag",
    );
    let mut claimed: Vec<Claimed> = on!(tx, c => sqlx::query_as(q)
        .bind(i64::from(claim.capability))
        .bind(i64::from(claim.ceiling))
        .bind(claim.limit)
        .bind(claim.lease_until)
        .bind(claim.now_ms)
        .fetch_all(c).await)
    .doing("claiming steps")?;
    claimed.sort_by_key(|step| (-step.prio, step.tag, step.id));
    Ok(claimed)
}

/// Prolongs a lease and stores progress, which never falls. False if the attempt is over.
pub async fn heartbeat(
    tx: &mut Tx<'_>,
    id: i64,
    fence: i64,
    lease_until: Millis,
    progress: u8,
) -> Result<bool> {
    let q = "UPDATE steps SET lease_until = $3, progress = CASE WHEN progress < $4 THEN $4 ELSE progress END
        WHERE id = $1 AND fence = $2";
    let beat = on!(tx, c => sqlx::query(q)
        .bind(id)
        .bind(fence)
        .bind(lease_until)
        .bind(i64::from(progress.min(100)))
        .execute(c).await.map(|done| done.rows_affected()))
    .doing("prolonging a lease")?;
    Ok(beat == 1)
}

/// The present fence of a step.
pub async fn fence(tx: &mut Tx<'_>, id: i64) -> Result<Option<i64>> {
    let q = "SELECT fence FROM steps WHERE id = $1";
    on!(tx, c => sqlx::query_scalar(q).bind(id).fetch_optional(c).await).doing("reading a lease")
}

/// Stores what a transition changed in a step that had `fence` before; `run_after` counts for delayed ones. Fails
/// with a retryable error if somebody else changed the step in between.
pub async fn update(tx: &mut Tx<'_>, step: &Step, fence: i64, run_after: Millis) -> Result<()> {
    let q = "UPDATE steps SET state = $3, attempt = $4, losses = $5, fence = $6, progress = $7, result = $8,
            failure = $9, run_after = $10, finished_ms = $11
        WHERE id = $1 AND fence = $2";
    let failure = step.failure.as_ref().map(serde_json::to_string).transpose().doing("storing a step")?;
    let changed = on!(tx, c => sqlx::query(q)
        .bind(step.id)
        .bind(fence)
        .bind(step.state.code())
        .bind(i64::from(step.attempt))
        .bind(i64::from(step.losses))
        .bind(step.fence)
        .bind(i64::from(step.progress))
        .bind(step.result.as_ref().map(ToString::to_string))
        .bind(failure)
        .bind(run_after)
        .bind(step.finished_ms)
        .execute(c).await.map(|done| done.rows_affected()))
    .doing("storing a step")?;
    if changed == 1 {
        return Ok(());
    }
    Err(Error::new(Kind::Unavailable, "the step changed at the same moment").with("step", step.id))
}

/// A running step whose lease has passed.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Expired {
    /// Its task.
    pub task: i64,
    /// Its place in the task.
    pub ordinal: i64,
    /// The fence of the lost attempt.
    pub fence: i64,
}

/// Up to `limit` running steps whose lease ended at `now_ms` or earlier, the longest lost first.
pub async fn expired(tx: &mut Tx<'_>, now_ms: Millis, limit: i64) -> Result<Vec<Expired>> {
    let q = "SELECT task, ordinal, fence FROM steps WHERE state = 3 AND lease_until <= $1
        ORDER BY lease_until LIMIT $2";
    on!(tx, c => sqlx::query_as(q).bind(now_ms).bind(limit).fetch_all(c).await)
        .doing("looking for lost leases")
}

/// Makes up to `limit` delayed steps ready whose time has come; gives back their classes.
pub async fn promote(tx: &mut Tx<'_>, now_ms: Millis, limit: i64) -> Result<Vec<i64>> {
    let q = sql!(
        tx,
        "WITH d AS MATERIALIZED (SELECT id FROM steps WHERE state = 2 AND run_after <= $1
            ORDER BY run_after LIMIT $2",
        pg " FOR UPDATE SKIP LOCKED",
        ") UPDATE steps SET state = 1 FROM d WHERE steps.id = d.id RETURNING steps.cap",
    );
    on!(tx, c => sqlx::query_scalar(q).bind(now_ms).bind(limit).fetch_all(c).await)
        .doing("waking delayed steps")
}

/// When the next delayed step is due or the next lease ends, whichever is first.
pub async fn next_due(tx: &mut Tx<'_>) -> Result<Option<Millis>> {
    let q = "SELECT min(at) FROM (SELECT min(run_after) AS at FROM steps WHERE state = 2
        UNION ALL SELECT min(lease_until) AS at FROM steps WHERE state = 3) AS moments";
    on!(tx, c => sqlx::query_scalar(q).fetch_one(c).await).doing("looking for the next due step")
}

/// How many steps stand in a state, counted up to a bound so that a long queue costs little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// May be claimed.
    pub ready: i64,
    /// Wait for their time.
    pub delayed: i64,
    /// Are claimed.
    pub running: i64,
}

/// Counts up to `bound` steps of each state that has an index of its own.
pub async fn counts(tx: &mut Tx<'_>, bound: i64) -> Result<Counts> {
    let ready = "SELECT count(*) FROM (SELECT id FROM steps WHERE state = 1 LIMIT $1) AS found";
    let delayed = "SELECT count(*) FROM (SELECT id FROM steps WHERE state = 2 LIMIT $1) AS found";
    let running = "SELECT count(*) FROM (SELECT id FROM steps WHERE state = 3 LIMIT $1) AS found";
    let mut found = [0; 3];
    for (q, found) in [ready, delayed, running].into_iter().zip(&mut found) {
        *found =
            on!(tx, c => sqlx::query_scalar(q).bind(bound).fetch_one(c).await).doing("counting steps")?;
    }
    Ok(Counts { ready: found[0], delayed: found[1], running: found[2] })
}
