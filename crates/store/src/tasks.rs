//! Rows of tasks. A task is read together with its steps in one statement, so that both are of one moment.

use mps_core::clock::Millis;
use mps_core::task::{NewTask, Notify, NotifyMode, Task, TaskState, TaskView};
use mps_core::{Error, Result, Retry};
use serde::de::DeserializeOwned;
use sqlx::AssertSqlSafe;

use crate::steps::{StepRow, step_columns};
use crate::{Doing, Tx, on, rows};

#[derive(sqlx::FromRow)]
#[expect(clippy::struct_field_names, reason = "columns of two tables meet in one row")]
struct TaskRow {
    t_id: i64,
    t_public_id: String,
    t_account: i64,
    t_kind: String,
    t_state: i64,
    t_priority: i64,
    t_session_id: String,
    t_session_context: String,
    t_request: String,
    t_notify: Option<String>,
    t_notify_mode: i64,
    t_metadata: Option<String>,
    t_failure: Option<String>,
    t_aborted: bool,
    t_created_ms: i64,
    t_begun_ms: Option<i64>,
    t_finished_ms: Option<i64>,
}

macro_rules! task_columns {
    () => {
        "t.id AS t_id, t.public_id AS t_public_id, t.account AS t_account, t.kind AS t_kind, t.state AS t_state, \
         t.priority AS t_priority, t.session_id AS t_session_id, t.session_context AS t_session_context, \
         t.request AS t_request, t.notify AS t_notify, t.notify_mode AS t_notify_mode, t.metadata AS t_metadata, \
         t.failure AS t_failure, t.aborted AS t_aborted, t.created_ms AS t_created_ms, t.begun_ms AS t_begun_ms, \
         t.finished_ms AS t_finished_ms"
    };
}

#[derive(sqlx::FromRow)]
struct ViewRow {
    #[sqlx(flatten)]
    task: TaskRow,
    #[sqlx(flatten)]
    step: StepRow,
}

/// What is stored cannot be read by this program; trying again does not help.
pub(crate) fn unreadable(what: &str, id: i64) -> Error {
    Error::internal(format!("a stored {what} cannot be read")).with_retry(Retry::Never).with("id", id)
}

pub(crate) fn parsed<T: DeserializeOwned>(text: Option<&str>) -> Result<Option<T>> {
    text.map(serde_json::from_str).transpose().doing("reading a task")
}

impl TaskRow {
    fn into_task(self) -> Result<Task> {
        let state = TaskState::from_code(self.t_state).ok_or_else(|| unreadable("task", self.t_id))?;
        let mode = if self.t_notify_mode == 1 { NotifyMode::Change } else { NotifyMode::Finish };
        Ok(Task {
            id: self.t_id,
            public_id: self.t_public_id,
            account: self.t_account,
            kind: self.t_kind,
            state,
            priority: self.t_priority as i32,
            session_id: self.t_session_id,
            session_context: self.t_session_context,
            request: serde_json::from_str(&self.t_request).doing("reading a task")?,
            notify: parsed(self.t_notify.as_deref())?.map(|target| Notify { target, mode }),
            metadata: parsed(self.t_metadata.as_deref())?,
            failure: parsed(self.t_failure.as_deref())?,
            aborted: self.t_aborted,
            created_ms: self.t_created_ms,
            begun_ms: self.t_begun_ms,
            finished_ms: self.t_finished_ms,
        })
    }
}

/// A task to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewRow<'n> {
    /// Its id.
    pub id: i64,
    /// What callers will know it by.
    pub public_id: &'n str,
    /// What was asked for.
    pub task: &'n NewTask,
    /// When it was accepted.
    pub created_ms: Millis,
}

/// Stores tasks in state waiting; their steps are stored by [`crate::steps::insert`].
pub async fn insert(tx: &mut Tx<'_>, new: &[NewRow<'_>]) -> Result<()> {
    let head = "INSERT INTO tasks (id, public_id, account, kind, priority, session_id, session_context, request, \
        notify, notify_mode, created_ms, state, has_failed_step, aborted)";
    for piece in rows::pieces(new) {
        let q = rows::insert(head, 11, ", 0, FALSE, FALSE", piece.len());
        on!(tx, c => {
            let mut query = sqlx::query(AssertSqlSafe(q));
            for NewRow { id, public_id, task, created_ms } in piece {
                let notify = task.notify.as_ref();
                query = query
                    .bind(*id)
                    .bind(*public_id)
                    .bind(task.account)
                    .bind(&task.kind)
                    .bind(i64::from(task.priority))
                    .bind(task.session_id.as_deref().unwrap_or_default())
                    .bind(&task.session_context)
                    .bind(task.request.to_string())
                    .bind(notify.map(|n| n.target.to_string()))
                    .bind(i64::from(notify.is_some_and(|n| n.mode == NotifyMode::Change)))
                    .bind(*created_ms);
            }
            query.execute(c).await.map(drop)
        })
        .doing("storing tasks")?;
    }
    Ok(())
}

/// A task and its steps as of one moment.
pub async fn view(tx: &mut Tx<'_>, id: i64) -> Result<Option<TaskView>> {
    let q = concat!(
        "SELECT ",
        task_columns!(),
        ", ",
        step_columns!(),
        " FROM tasks t JOIN steps s ON s.task = t.id WHERE t.id = $1 ORDER BY s.ordinal"
    );
    let rows: Vec<ViewRow> =
        on!(tx, c => sqlx::query_as(q).bind(id).fetch_all(c).await).doing("reading a task")?;
    view_of(rows.into_iter())
}

fn view_of(rows: impl ExactSizeIterator<Item = ViewRow>) -> Result<Option<TaskView>> {
    let mut task = None;
    let mut steps = Vec::with_capacity(rows.len());
    for row in rows {
        if task.is_none() {
            task = Some(row.task.into_task()?);
        }
        steps.push(row.step.into_step()?);
    }
    Ok(task.map(|task| TaskView { task, steps }))
}

/// Holds the task's row until the commit, so that two changes of one task go one after the other. SQLite has one
/// writer anyway.
pub async fn lock(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    let q = "SELECT id FROM tasks WHERE id = $1 FOR UPDATE";
    match tx {
        Tx::Lite(_) => Ok(()),
        Tx::Pg(c) => sqlx::query(q).bind(id).execute(&mut **c).await.map(drop).doing("locking a task"),
    }
}

/// Whether there is such a task.
pub async fn exists(tx: &mut Tx<'_>, id: i64) -> Result<bool> {
    let q = "SELECT id FROM tasks WHERE id = $1";
    let found: Option<i64> =
        on!(tx, c => sqlx::query_scalar(q).bind(id).fetch_optional(c).await).doing("looking for a task")?;
    Ok(found.is_some())
}

/// What can be told of a task.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// It has ended, and this is its ready-made answer.
    Ready {
        /// The public id.
        public_id: String,
        /// The account.
        account: i64,
        /// The answer's JSON text.
        answer: String,
    },
    /// It has not, or no answer was made of it.
    View(Box<TaskView>),
}

#[derive(sqlx::FromRow)]
struct ToldRow {
    t_answer: Option<String>,
    #[sqlx(flatten)]
    view: ViewRow,
}

/// The ready-made answer of a task, or all that is known of it, in one statement.
pub async fn tell(tx: &mut Tx<'_>, id: i64) -> Result<Option<Told>> {
    // Each task has a first step, which is all that is read of the steps when there is an answer.
    let q = concat!(
        "SELECT t.answer AS t_answer, ",
        task_columns!(),
        ", ",
        step_columns!(),
        " FROM tasks t JOIN steps s ON s.task = t.id AND (t.answer IS NULL OR s.ordinal = 0)",
        " WHERE t.id = $1 ORDER BY s.ordinal"
    );
    let mut rows: Vec<ToldRow> =
        on!(tx, c => sqlx::query_as(q).bind(id).fetch_all(c).await).doing("reading a task")?;
    if let Some(first) = rows.first_mut()
        && let Some(answer) = first.t_answer.take()
    {
        let task = &mut first.view.task;
        let public_id = std::mem::take(&mut task.t_public_id);
        return Ok(Some(Told::Ready { public_id, account: task.t_account, answer }));
    }
    let view = view_of(rows.into_iter().map(|row| row.view))?;
    Ok(view.map(|view| Told::View(Box::new(view))))
}

/// Marks a waiting task as begun. Gives back when to tell its owner, or none if it was begun before.
pub async fn begin(tx: &mut Tx<'_>, id: i64, now_ms: Millis) -> Result<Option<NotifyMode>> {
    let q = "UPDATE tasks SET state = 1, begun_ms = $2 WHERE id = $1 AND state = 0 RETURNING notify_mode";
    let mode: Option<i64> = on!(tx, c => sqlx::query_scalar(q).bind(id).bind(now_ms).fetch_optional(c).await)
        .doing("beginning a task")?;
    Ok(mode.map(|mode| if mode == 1 { NotifyMode::Change } else { NotifyMode::Finish }))
}

/// Stores what a transition changed in the task itself; `answer` is kept once given.
pub async fn update(tx: &mut Tx<'_>, task: &Task, has_failed_step: bool, answer: Option<&str>) -> Result<()> {
    let q = "UPDATE tasks SET state = $2, metadata = $3, failure = $4, has_failed_step = $5, aborted = $6,
            begun_ms = $7, finished_ms = $8, answer = coalesce($9, answer)
        WHERE id = $1";
    let failure = task.failure.as_ref().map(serde_json::to_string).transpose().doing("storing a task")?;
    on!(tx, c => sqlx::query(q)
        .bind(task.id)
        .bind(task.state.code())
        .bind(task.metadata.as_ref().map(ToString::to_string))
        .bind(failure)
        .bind(has_failed_step)
        .bind(task.aborted)
        .bind(task.begun_ms)
        .bind(task.finished_ms)
        .bind(answer)
        .execute(c).await.map(drop))
    .doing("storing a task")
}

/// Which tasks of an account are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filter {
    /// The account.
    pub account: i64,
    /// The state.
    pub state: TaskState,
    /// Only those with, or without, a failed step.
    pub has_failed_step: Option<bool>,
    /// Accepted at this time or later.
    pub from_ms: Millis,
    /// Accepted at this time or earlier.
    pub to_ms: Millis,
}

/// A task as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Grows with time.
    pub id: i64,
    /// What callers know it by.
    pub public_id: String,
    /// What kind of task.
    pub kind: String,
    /// Where it stands.
    pub state: TaskState,
    /// Whether a step failed.
    pub has_failed_step: bool,
    /// The kinds of its steps, in order.
    pub step_kinds: Vec<String>,
    /// When it was accepted.
    pub created_ms: Millis,
    /// When it was begun.
    pub begun_ms: Option<Millis>,
    /// When it ended.
    pub finished_ms: Option<Millis>,
}

#[derive(sqlx::FromRow)]
struct SummaryRow {
    id: i64,
    public_id: String,
    kind: String,
    has_failed_step: bool,
    step_kinds: Option<String>,
    created_ms: i64,
    begun_ms: Option<i64>,
    finished_ms: Option<i64>,
}

fn as_number(flag: Option<bool>) -> i64 {
    flag.map_or(-1, i64::from)
}

/// Tasks with an id below `before`, newest first.
pub async fn list(tx: &mut Tx<'_>, filter: &Filter, before: i64, limit: i64) -> Result<Vec<Summary>> {
    let q = "SELECT id, public_id, kind, has_failed_step, created_ms, begun_ms, finished_ms,
            (SELECT string_agg(s.kind, ',' ORDER BY s.ordinal) FROM steps s WHERE s.task = tasks.id) AS step_kinds
        FROM tasks WHERE account = $1 AND state = $2 AND created_ms >= $3 AND created_ms <= $4
            AND (CAST($5 AS BIGINT) < 0 OR has_failed_step = (CAST($5 AS BIGINT) = 1)) AND id < $6
        ORDER BY id DESC LIMIT $7";
    let rows: Vec<SummaryRow> = on!(tx, c => sqlx::query_as(q)
        .bind(filter.account)
        .bind(filter.state.code())
        .bind(filter.from_ms)
        .bind(filter.to_ms)
        .bind(as_number(filter.has_failed_step))
        .bind(before)
        .bind(limit)
        .fetch_all(c).await)
    .doing("listing tasks")?;
    let summary = |row: SummaryRow| Summary {
        id: row.id,
        public_id: row.public_id,
        kind: row.kind,
        state: filter.state,
        has_failed_step: row.has_failed_step,
        step_kinds: row.step_kinds.unwrap_or_default().split(',').map(str::to_owned).collect(),
        created_ms: row.created_ms,
        begun_ms: row.begun_ms,
        finished_ms: row.finished_ms,
    };
    Ok(rows.into_iter().map(summary).collect())
}

/// How many tasks there are in all pages of a list.
pub async fn count(tx: &mut Tx<'_>, filter: &Filter) -> Result<i64> {
    let q = "SELECT count(*) FROM tasks WHERE account = $1 AND state = $2 AND created_ms >= $3 AND created_ms <= $4
        AND (CAST($5 AS BIGINT) < 0 OR has_failed_step = (CAST($5 AS BIGINT) = 1))";
    on!(tx, c => sqlx::query_scalar(q)
        .bind(filter.account)
        .bind(filter.state.code())
        .bind(filter.from_ms)
        .bind(filter.to_ms)
        .bind(as_number(filter.has_failed_step))
        .fetch_one(c).await)
    .doing("counting tasks")
}
