//! The engine: looking and aborting. Accepting, claims, changes of running steps and sweeps are in its modules.

mod accept;
mod change;
mod claim;
mod sweep;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

use futures::future::BoxFuture;
use mps_core::clock::{Clock, Millis};
use mps_core::task::{Event, Rules, TaskState, TaskView, id_in};
use mps_core::{Error, Kind, Result};
use mps_store::tasks::{Filter, Summary, Told};
use mps_store::{Lane, Store, Tx, tasks};

use crate::{Bell, Shape};
pub use claim::{Ask, Beat, Taken};
pub use sweep::{Counts, Swept};

/// How an engine behaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct EngineOptions {
    /// How often and how soon a failed step is tried again.
    pub rules: Rules,
}

/// The engine over one store. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    bell: Arc<dyn Bell>,
    shape: Arc<dyn Shape>,
    rules: Rules,
    claims: AtomicU64,
    served_ms: AtomicI64,
    desk: accept::Desk,
}

/// A task just accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Ours.
    pub id: i64,
    /// The caller's.
    pub public_id: String,
}

/// What is known of a task that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Described {
    /// It has ended: the answer's JSON text as the shape made it then.
    Ready(String),
    /// It has not, or has no ready answer.
    View(Box<TaskView>),
}

/// Which tasks are listed.
#[derive(Debug, Clone, Default)]
pub struct ListFilter {
    /// Only those in this state.
    pub state: Option<TaskState>,
    /// Only those with, or without, a failed step.
    pub has_failed_step: Option<bool>,
    /// Page size, 1 to 1,000.
    pub limit: i64,
    /// Where the page begins: empty, or the last page's `next_token`.
    pub token: String,
    /// Accepted at this time or later.
    pub from_ms: Option<Millis>,
    /// Accepted at this time or earlier.
    pub to_ms: Option<Millis>,
}

/// A page of tasks, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    /// The tasks.
    pub tasks: Vec<Summary>,
    /// Where the next page begins; empty after the last.
    pub next_token: String,
    /// How many there are in all pages.
    pub total: i64,
}

/// A change that can be made anew for another try.
pub(crate) type Work<T> =
    Box<dyn for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Send + 'static>;

impl Engine {
    /// An engine; several may work on one store.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        bell: Arc<dyn Bell>,
        shape: Arc<dyn Shape>,
        options: EngineOptions,
    ) -> Self {
        let (claims, served_ms) = (AtomicU64::new(0), AtomicI64::new(0));
        let desk = accept::Desk::default();
        Self(Arc::new(Inner { store, clock, bell, shape, rules: options.rules, claims, served_ms, desk }))
    }

    /// The store behind.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The clock all times come from.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// The bell that is rung.
    pub fn bell(&self) -> &Arc<dyn Bell> {
        &self.0.bell
    }

    pub(crate) fn now_ms(&self) -> Millis {
        self.0.clock.now_ms()
    }

    /// Makes a change, again if the database undid it for reasons of its own (a deadlock, a lost connection), and
    /// for running work also if the writer's queue is full.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        lane: Lane,
        make: impl Fn(u32) -> Work<T>,
    ) -> Result<T> {
        let mut tries = 0;
        loop {
            let error = match self.0.store.write_in(lane, make(tries)).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let may_pass = match error.kind() {
                Kind::Unavailable => true,
                Kind::Limit => lane == Lane::Work,
                _ => false,
            };
            if !may_pass || tries >= 6 {
                return Err(error);
            }
            let wait = rand::random_range(2..=8_u64) << tries;
            tokio::time::sleep(Duration::from_millis(wait)).await;
            tries += 1;
        }
    }

    /// Ends a task that was not begun yet; without outputs, told like any end. Once a step was claimed, or the task
    /// has ended, the error is of kind `Conflict`.
    pub async fn abort(&self, account: i64, public_id: &str) -> Result<()> {
        let view = self.view(account, public_id).await?;
        let missing = || Error::not_found("there is no such task").with("task", public_id);
        let id = view.ok_or_else(missing)?.task.id;
        self.apply(id, Event::Aborted, None).await
    }

    /// A task and its steps, if the account has one of this name.
    pub async fn view(&self, account: i64, public_id: &str) -> Result<Option<TaskView>> {
        let Some(id) = id_in(public_id) else { return Ok(None) };
        let view = self.0.store.read(move |tx| Box::pin(tasks::view(tx, id))).await?;
        Ok(view.filter(|view| view.task.account == account && view.task.public_id == public_id))
    }

    /// What [`Engine::view`] gives, or the ready answer of an ended task, which costs much less.
    pub async fn describe(&self, account: i64, public_id: &str) -> Result<Option<Described>> {
        let Some(id) = id_in(public_id) else { return Ok(None) };
        let told = self.0.store.read(move |tx| Box::pin(tasks::tell(tx, id))).await?;
        Ok(told.and_then(|told| match told {
            Told::Ready { public_id: found, account: owner, answer } => {
                (owner == account && found == public_id).then_some(Described::Ready(answer))
            }
            Told::View(view) => (view.task.account == account && view.task.public_id == public_id)
                .then_some(Described::View(view)),
        }))
    }

    /// A page of the account's tasks.
    pub async fn list(&self, account: i64, filter: &ListFilter) -> Result<ListPage> {
        let before = match filter.token.as_str() {
            "" => i64::MAX,
            token => i64::from_str_radix(token, 16)
                .map_err(|_| Error::invalid("the page token is none of ours").with("code", "ScrollToken"))?,
        };
        let limit = filter.limit.clamp(1, 1_000);
        let states = filter.state.map_or_else(|| TaskState::ALL.to_vec(), |state| vec![state]);
        let (from_ms, to_ms) = (filter.from_ms.unwrap_or(0), filter.to_ms.unwrap_or(i64::MAX));
        let has_failed_step = filter.has_failed_step;
        let (mut found, total) = self
            .0
            .store
            .snapshot(move |tx| {
                Box::pin(async move {
                    let (mut found, mut total) = (Vec::new(), 0);
                    for state in states {
                        let filter = Filter { account, state, has_failed_step, from_ms, to_ms };
                        found.extend(tasks::list(tx, &filter, before, limit + 1).await?);
                        total += tasks::count(tx, &filter).await?;
                    }
                    Ok((found, total))
                })
            })
            .await?;
        found.sort_by_key(|task| std::cmp::Reverse(task.id));
        let has_more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let last = found.last().filter(|_| has_more);
        let next_token = last.map(|task| format!("{:x}", task.id)).unwrap_or_default();
        Ok(ListPage { tasks: found, next_token, total })
    }
}
