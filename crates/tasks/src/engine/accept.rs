//! Accepting: tasks that arrive together are stored by the same few statements.
//!
//! While one batch is on its way to the disk the next one gathers, so batches are as large as the load makes them,
//! and a lone task waits for nobody.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use mps_core::clock::Millis;
use mps_core::task::{NewTask, public_id};
use mps_core::{Error, Kind, Result, crash};
use mps_store::{Lane, Store, Tx, fair, sessions, steps, tasks};
use tokio::sync::oneshot;

use super::{Accepted, Engine, Work};

/// Before the reasons among the session ids. It alone is longer than a session id of a caller may be.
const REASON: &str = "the reason of a task that is to be stored only once: ";
/// Tasks of one batch.
const MOST: usize = 128;

/// Where accepted tasks wait to be stored.
#[derive(Default)]
pub(super) struct Desk(Mutex<Line>);

#[derive(Default)]
struct Line {
    waiting: Vec<Waiting>,
    is_served: bool,
}

struct Waiting {
    order: Order,
    answer: oneshot::Sender<Result<()>>,
}

#[derive(Clone)]
struct Order {
    accepted: Accepted,
    new: Arc<NewTask>,
    step_ids: Vec<i64>,
    now_ms: Millis,
    once: Option<String>,
}

impl Desk {
    /// Whether the caller has to see to it that the line is served; refused while it has `most`.
    fn join(&self, waiting: Waiting, most: usize) -> Result<bool> {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if line.waiting.len() >= most {
            return Err(Store::busy());
        }
        line.waiting.push(waiting);
        Ok(!std::mem::replace(&mut line.is_served, true))
    }

    /// The next batch; with an empty one the serving has ended.
    fn next(&self) -> Vec<Waiting> {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = line.waiting.len().min(MOST);
        line.is_served = count > 0;
        line.waiting.drain(..count).collect()
    }
}

impl Engine {
    /// Accepts a task: once this returns it is on disk and will end. An error of kind `Conflict` with
    /// `code=SessionId` says that the account used the session id within three days, one of kind `Limit` that too many
    /// tasks wait to be stored.
    pub async fn accept(&self, new: NewTask) -> Result<Accepted> {
        self.accept_once(new, None).await
    }

    /// As [`Engine::accept`], for a task that has a reason of its own, such as one version of an object: a second task
    /// for the same reason is refused like one with a used session id.
    pub async fn accept_once(&self, new: NewTask, once: Option<String>) -> Result<Accepted> {
        check(&new)?;
        let now_ms = self.now_ms();
        let id = self.0.store.next_id(now_ms);
        let public_id = public_id(new.account, &new.kind, id, rand::random());
        let new = Arc::new(new);
        let order = Order {
            step_ids: new.steps.iter().map(|_| self.0.store.next_id(now_ms)).collect(),
            accepted: Accepted { id, public_id },
            new: Arc::clone(&new),
            now_ms,
            once,
        };
        let accepted = order.accepted.clone();
        let (answer, answered) = oneshot::channel();
        if self.0.desk.join(Waiting { order, answer }, self.0.store.capacity())? {
            tokio::spawn(serve(self.clone()));
        }
        answered.await.unwrap_or_else(|_| Err(Error::unavailable("the server is being stopped")))?;
        crash::point("after-accept");
        for step in new.steps.iter().filter(|step| step.after.is_empty()) {
            self.0.bell.ring(step.capability);
        }
        Ok(accepted)
    }

    /// The outcome of each order, or why none of them was stored.
    async fn store_orders(&self, orders: Vec<Order>) -> Result<Vec<Result<()>>> {
        let orders = Arc::new(orders);
        let make = |tries: u32| -> Work<Vec<Result<()>>> {
            let orders = Arc::clone(&orders);
            Box::new(move |tx| Box::pin(async move { store(tx, &orders, tries > 0).await }))
        };
        self.change(Lane::Accept, make).await
    }
}

async fn serve(engine: Engine) {
    loop {
        let batch = engine.0.desk.next();
        if batch.is_empty() {
            return;
        }
        let (orders, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|waiting| (waiting.order, waiting.answer)).unzip();
        let outcomes = match engine.store_orders(orders.clone()).await {
            Ok(outcomes) => outcomes,
            // Full or away for one is full or away for all.
            Err(error) if matches!(error.kind(), Kind::Limit | Kind::Unavailable) => {
                orders.iter().map(|_| Err(again(&error))).collect()
            }
            Err(error) if orders.len() == 1 => vec![Err(error)],
            // Something in one of them cannot be stored: the others must not suffer for it.
            Err(_) => alone(&engine, orders).await,
        };
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // A caller that went away does not mind.
            drop(answer.send(outcome));
        }
    }
}

async fn alone(engine: &Engine, orders: Vec<Order>) -> Vec<Result<()>> {
    let mut outcomes = Vec::with_capacity(orders.len());
    for order in orders {
        let stored = engine.store_orders(vec![order]).await;
        outcomes.push(stored.and_then(|mut one| one.pop().unwrap_or(Ok(()))));
    }
    outcomes
}

/// The same refusal for one more caller.
fn again(error: &Error) -> Error {
    let same = Error::new(error.kind(), error.message().to_owned()).with_retry(error.retry());
    error.context().iter().fold(same, |same, (name, value)| same.with(name, value))
}

fn check(new: &NewTask) -> Result<()> {
    if !(-10..=10).contains(&new.priority) {
        return Err(Error::invalid("the priority must be from -10 to 10").with("priority", new.priority));
    }
    if new.steps.is_empty() {
        return Err(Error::invalid("a task needs at least one step"));
    }
    let is_early = |(step, after): (usize, &Vec<usize>)| after.iter().all(|other| *other < step);
    if !new.steps.iter().map(|step| &step.after).enumerate().all(is_early) {
        return Err(Error::invalid("a step can only wait for earlier ones"));
    }
    Ok(())
}

/// Everything that accepted tasks need, in the caller's transaction; a refused one changes nothing.
async fn store(tx: &mut Tx<'_>, orders: &[Order], is_again: bool) -> Result<Vec<Result<()>>> {
    let mut outcomes = Vec::with_capacity(orders.len());
    let mut fresh = Vec::with_capacity(orders.len());
    for order in orders {
        // A commit whose answer was lost may have gone through.
        if is_again && tasks::exists(tx, order.accepted.id).await? {
            outcomes.push(Ok(()));
        } else if is_repeated(tx, order).await? {
            let message = "the session id was used within the last three days";
            outcomes.push(Err(Error::new(Kind::Conflict, message).with("code", "SessionId")));
        } else {
            outcomes.push(Ok(()));
            fresh.push(order);
        }
    }
    let rows: Vec<_> = fresh.iter().map(|order| row(order)).collect();
    tasks::insert(tx, &rows).await?;
    let mut lines: BTreeMap<(i64, i32), i64> = BTreeMap::new();
    for order in &fresh {
        *lines.entry((order.new.account, order.new.priority)).or_default() += cost(&order.new);
    }
    for ((account, priority), costs) in &mut lines {
        *costs = fair::enter(tx, *account, *priority, *costs).await?;
    }
    let mut places = Vec::with_capacity(fresh.len() * 2);
    for order in &fresh {
        let (task, priority) = (order.accepted.id, order.new.priority);
        let tag = lines.entry((order.new.account, priority)).or_default();
        for ((ordinal, step), id) in (0..).zip(&order.new.steps).zip(&order.step_ids) {
            places.push((steps::Place { id: *id, task, ordinal, priority, tag: *tag }, step));
            *tag += i64::from(step.cost.max(1));
        }
    }
    steps::insert(tx, &places).await?;
    Ok(outcomes)
}

async fn is_repeated(tx: &mut Tx<'_>, order: &Order) -> Result<bool> {
    let session = order.new.session_id.as_deref().filter(|session| !session.is_empty());
    let reason = order.once.as_deref().map(|reason| format!("{REASON}{reason}"));
    for id in session.into_iter().chain(reason.as_deref()) {
        if !sessions::remember(tx, order.new.account, id, order.accepted.id, order.now_ms).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn row(order: &Order) -> tasks::NewRow<'_> {
    tasks::NewRow {
        id: order.accepted.id,
        public_id: &order.accepted.public_id,
        task: &order.new,
        created_ms: order.now_ms,
    }
}

fn cost(new: &NewTask) -> i64 {
    new.steps.iter().map(|step| i64::from(step.cost.max(1))).sum()
}
