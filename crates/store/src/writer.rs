//! The writer tasks: they take waiting closures, run each in a savepoint of one transaction, and commit them together.
//!
//! One fsync then serves up to 512 changes on SQLite, and on PostgreSQL one row lock of a busy account serves a
//! batch instead of one accept. A closure that fails or panics is undone alone.

use std::panic::AssertUnwindSafe;
use std::sync::Mutex;

use futures::FutureExt;
use futures::future::BoxFuture;
use mps_core::{Error, Kind, Result, Retry};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::db::{Lane, StoreOptions, Tx};
use crate::fault::Doing;

const SQLITE_BATCH: usize = 512;
/// More savepoints in one PostgreSQL transaction overflow its cache of subtransactions (64).
const POSTGRES_BATCH: usize = 48;

/// The queues of the writer tasks.
#[derive(Debug)]
pub(crate) struct Writers {
    lanes: Vec<mpsc::Sender<Box<dyn Job>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    /// True says "no more" to the writers, which still finish what is queued.
    stop: watch::Sender<bool>,
}

impl Writers {
    pub(crate) async fn submit<T, F>(&self, lane: Lane, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Pending { work: Some(work), outcome: None, answer });
        let queue = &self.lanes[lane as usize % self.lanes.len()];
        // The last places are for the ends of running work, which must not be refused for new tasks.
        if lane == Lane::Accept && queue.capacity() <= queue.max_capacity() / 16 {
            return Err(full());
        }
        queue.try_send(job).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => full(),
            mpsc::error::TrySendError::Closed(_) => closed(),
        })?;
        answered.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Changes that may wait in the lane; of new tasks fewer, see [`Writers::submit`].
    pub(crate) fn capacity(&self) -> usize {
        let most = self.lanes[0].max_capacity();
        most - most / 16
    }

    pub(crate) fn waiting(&self) -> usize {
        self.lanes.iter().map(|lane| lane.max_capacity() - lane.capacity()).sum()
    }

    pub(crate) async fn close(&self) {
        self.stop.send_replace(true);
        let tasks =
            std::mem::take(&mut *self.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a database writer ended badly");
            }
        }
    }
}

/// What a caller is told while too many others wait.
pub(crate) fn full() -> Error {
    Error::new(Kind::Limit, "too many changes wait for the database").with("code", "StoreBusy")
}

fn closed() -> Error {
    Error::unavailable("the database is being closed").with_retry(Retry::Later)
}

/// A closure on its way: run once, answered once its fate on disk is known.
trait Job: Send {
    /// Runs the work; whether its changes are to be kept.
    fn run<'t>(&'t mut self, tx: &'t mut Tx<'_>) -> BoxFuture<'t, bool>;
    /// Hands the outcome to the caller; `lost` says why the whole group came to nothing.
    fn settle(self: Box<Self>, lost: Option<&str>);
}

impl std::fmt::Debug for dyn Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

struct Pending<F, T> {
    work: Option<F>,
    outcome: Option<Result<T>>,
    answer: oneshot::Sender<Result<T>>,
}

impl<T, F> Job for Pending<F, T>
where
    T: Send,
    F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Send,
{
    fn run<'t>(&'t mut self, tx: &'t mut Tx<'_>) -> BoxFuture<'t, bool> {
        Box::pin(async move {
            let Some(work) = self.work.take() else { return false };
            let outcome = AssertUnwindSafe(async { work(tx).await }).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|_| {
                Err(Error::internal("a change of the database panicked").with_retry(Retry::Never))
            });
            let keep = outcome.is_ok();
            self.outcome = Some(outcome);
            keep
        })
    }

    fn settle(self: Box<Self>, lost: Option<&str>) {
        let outcome = match (self.outcome, lost) {
            (Some(Err(error)), _) => Err(error),
            (_, Some(why)) => {
                Err(Error::unavailable("the database undid a group of changes").with("why", why))
            }
            (Some(Ok(value)), None) => Ok(value),
            (None, None) => Err(closed()),
        };
        // A caller that went away does not mind.
        drop(self.answer.send(outcome));
    }
}

/// One writer task over one connection, reopened when it breaks.
macro_rules! writer {
    ($name:ident, $options:ty, $variant:path, $begin:literal, $batch:expr) => {
        async fn $name(
            options: $options,
            mut jobs: mpsc::Receiver<Box<dyn Job>>,
            mut stop: watch::Receiver<bool>,
        ) {
            let mut held = None;
            let mut group = Vec::new();
            while next_group(&mut jobs, &mut stop, &mut group, $batch).await {
                let mut connection = match held.take() {
                    Some(connection) => connection,
                    None => match options.connect().await.doing("connecting to the database") {
                        Ok(connection) => connection,
                        Err(error) => {
                            lose(&mut group, &error);
                            continue;
                        }
                    },
                };
                let done: Result<()> = async {
                    let mut tx = connection.begin_with($begin).await.doing("beginning a change")?;
                    if let [only] = group.as_mut_slice() {
                        if !only.run(&mut $variant(&mut tx)).await {
                            return tx.rollback().await.doing("undoing a change");
                        }
                    } else {
                        for job in &mut group {
                            let mut savepoint = tx.begin().await.doing("setting a savepoint")?;
                            if job.run(&mut $variant(&mut savepoint)).await {
                                savepoint.commit().await.doing("releasing a savepoint")?;
                            } else {
                                savepoint.rollback().await.doing("undoing a change")?;
                            }
                        }
                    }
                    tx.commit().await.doing("committing a change")
                }
                .await;
                match done {
                    Ok(()) => {
                        group.drain(..).for_each(|job| job.settle(None));
                        held = Some(connection);
                    }
                    // The connection's state is not known: the next group takes a fresh one.
                    Err(error) => lose(&mut group, &error),
                }
            }
            if let Some(connection) = held {
                drop(connection.close().await);
            }
        }
    };
}

writer!(write_sqlite, SqliteConnectOptions, Tx::Lite, "BEGIN IMMEDIATE", SQLITE_BATCH);
writer!(write_postgres, PgConnectOptions, Tx::Pg, "BEGIN", POSTGRES_BATCH);

fn lose(group: &mut Vec<Box<dyn Job>>, error: &Error) {
    tracing::error!(error = error.chain(), changes = group.len(), "a group of changes was not stored");
    let why = error.chain();
    group.drain(..).for_each(|job| job.settle(Some(&why)));
}

/// Waits for the next closures; false when closed and empty.
async fn next_group(
    jobs: &mut mpsc::Receiver<Box<dyn Job>>,
    stop: &mut watch::Receiver<bool>,
    group: &mut Vec<Box<dyn Job>>,
    limit: usize,
) -> bool {
    loop {
        let stopping = *stop.borrow();
        if stopping {
            jobs.close();
            return jobs.recv_many(group, limit).await > 0;
        }
        tokio::select! {
            taken = jobs.recv_many(group, limit) => return taken > 0,
            _ = stop.changed() => {}
        }
    }
}

pub(crate) fn sqlite(options: SqliteConnectOptions, store: &StoreOptions) -> Writers {
    let (stop, stopped) = watch::channel(false);
    let (lane, jobs) = mpsc::channel(store.queue);
    let task = tokio::spawn(write_sqlite(options, jobs, stopped));
    Writers { lanes: vec![lane], tasks: Mutex::new(vec![task]), stop }
}

pub(crate) fn postgres(options: &PgConnectOptions, store: &StoreOptions) -> Writers {
    let (stop, stopped) = watch::channel(false);
    let mut writers = Writers { lanes: Vec::new(), tasks: Mutex::default(), stop };
    let mut tasks = Vec::new();
    for _ in [Lane::Accept, Lane::Work] {
        let (lane, jobs) = mpsc::channel(store.queue);
        writers.lanes.push(lane);
        tasks.push(tokio::spawn(write_postgres(options.clone(), jobs, stopped.clone())));
    }
    writers.tasks = Mutex::new(tasks);
    writers
}
