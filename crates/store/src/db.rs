//! One door to two databases: a connection that is either SQLite or PostgreSQL, under one SQL text.
//!
//! Query functions take `&mut Tx` and build their text with `sql!` and run it with `on!`; nothing else knows which
//! database is behind. All changes go through [`Store::write`], which groups many small closures into one commit.
//! A closure does SQL and nothing else: no files, no network, no waiting, since others wait behind it.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use mps_core::clock::Millis;
use mps_core::id::Ids;
use mps_core::{Error, Result};
use sqlx::pool::PoolOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Pool, Postgres, Sqlite};

use crate::fault::Doing;
use crate::migrate;
use crate::writer::{self, Writers};

/// A borrowed connection to one of the two databases, inside a transaction when it comes from
/// [`Store::write`] or [`Store::snapshot`].
#[derive(Debug)]
pub enum Tx<'c> {
    /// SQLite.
    Lite(&'c mut SqliteConnection),
    /// PostgreSQL.
    Pg(&'c mut PgConnection),
}

/// Runs one expression on whichever connection a [`Tx`] holds: `on!(tx, c => sqlx::query(q).execute(c).await)`.
#[macro_export]
macro_rules! on {
    ($tx:expr, $c:ident => $e:expr) => {
        match $tx {
            $crate::Tx::Lite(connection) => {
                let $c = &mut **connection;
                $e
            }
            $crate::Tx::Pg(connection) => {
                let $c = &mut **connection;
                $e
            }
        }
    };
}

/// A query's text; parts after `pg` are for PostgreSQL only: `sql!(tx, "SELECT 1", pg " FOR UPDATE", "")`.
#[macro_export]
macro_rules! sql {
    ($tx:expr, $a:literal $(, pg $p:literal, $b:literal)* $(,)?) => {
        match $tx {
            $crate::Tx::Lite(_) => concat!($a $(, $b)*),
            $crate::Tx::Pg(_) => concat!($a $(, $p, $b)*),
        }
    };
}

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Connections for reading.
    pub readers: u32,
    /// Closures that may wait for a writer; more are refused with [`mps_core::Kind::Limit`].
    pub queue: usize,
    /// Page cache of the SQLite writer in KiB; each reader has half of it.
    pub cache_kib: u32,
    /// How long a connection may be waited for.
    pub acquire: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { readers: 4, queue: 4096, cache_kib: 16 * 1024, acquire: Duration::from_secs(15) }
    }
}

/// Which writer a change goes through. On SQLite there is one; on PostgreSQL the two run side by side, and as
/// rows of one kind are locked by one lane only, the two of a process do not wait for each other's locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// New tasks, keys, templates, buckets.
    Accept,
    /// Steps, callbacks and objects of running work.
    Work,
}

/// Which of the two databases is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// An embedded file.
    Sqlite,
    /// A server.
    Postgres,
}

#[derive(Debug)]
enum Readers {
    Lite(Pool<Sqlite>),
    Pg(Pool<Postgres>),
}

/// The durable state of the house. Cheap to clone; all clones share the pools and the writers.
#[derive(Debug, Clone)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    readers: Readers,
    writers: Writers,
    ids: Ids,
}

/// Each opening of a store makes ids of its own, in the lower half of all nodes, so that two processes, or two lives
/// of one whose clock went back, never make the same.
fn ids(opening: i64) -> Ids {
    Ids::new((opening % 512) as u16)
}

impl Store {
    /// Opens (and creates, for SQLite) the database at `url`, `sqlite:PATH` or `postgres://…`, and brings its
    /// tables up to date. A new SQLite file is readable by its owner only.
    pub async fn open(url: &str, options: StoreOptions) -> Result<Self> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
            return Self::open_sqlite(&path, &options).await;
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::open_postgres(url, &options).await;
        }
        Err(Error::invalid("cannot open database: the url must begin with sqlite: or postgres://"))
    }

    /// Opens the SQLite file at `path`, made if missing.
    pub async fn open_sqlite(path: &Path, options: &StoreOptions) -> Result<Self> {
        create_private(path)?;
        let base = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
            .pragma("wal_autocheckpoint", "4000")
            .pragma("temp_store", "memory")
            .disable_statement_logging();
        let cache = |kib: u32| format!("-{kib}");
        let writer = base.clone().pragma("cache_size", cache(options.cache_kib));
        let mut first = writer.connect().await.doing("opening the database")?;
        let opening = migrate::run(&mut Tx::Lite(&mut first)).await?;
        first.close().await.doing("opening the database")?;

        let reader = base.pragma("cache_size", cache(options.cache_kib / 2)).pragma("query_only", "on");
        let readers = PoolOptions::<Sqlite>::new()
            .max_connections(options.readers)
            .acquire_timeout(options.acquire)
            .connect_lazy_with(reader);
        let writers = writer::sqlite(writer, options);
        Ok(Self(Arc::new(Inner { readers: Readers::Lite(readers), writers, ids: ids(opening) })))
    }

    async fn open_postgres(url: &str, options: &StoreOptions) -> Result<Self> {
        let base = PgConnectOptions::from_str(url)
            .map_err(|_| Error::invalid("cannot open database: the postgres url cannot be read"))?
            .application_name("mps")
            .options([
                ("jit", "off"),
                ("idle_in_transaction_session_timeout", "60000"),
                ("lock_timeout", "10000"),
            ])
            .disable_statement_logging();
        let mut first = base.connect().await.doing("connecting to the database")?;
        let opening = migrate::run(&mut Tx::Pg(&mut first)).await?;
        first.close().await.doing("connecting to the database")?;

        let readers = PoolOptions::<Postgres>::new()
            .max_connections(options.readers)
            .acquire_timeout(options.acquire)
            .connect_lazy_with(base.clone());
        let writers = writer::postgres(&base, options);
        Ok(Self(Arc::new(Inner { readers: Readers::Pg(readers), writers, ids: ids(opening) })))
    }

    /// Which database is behind.
    pub fn backend(&self) -> Backend {
        match self.0.readers {
            Readers::Lite(_) => Backend::Sqlite,
            Readers::Pg(_) => Backend::Postgres,
        }
    }

    /// Changes something: `work` runs in a savepoint of a group commit, and its value comes back once the commit
    /// is on disk. An error undoes this closure alone. If the queue is full the error is of kind `Limit` with
    /// `code=StoreBusy`; if the database undid the whole group it is retryable and nothing has happened.
    ///
    /// Dropping the returned future does not take the change back.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        self.write_in(Lane::Work, work).await
    }

    /// [`Store::write`] through a chosen lane.
    pub async fn write_in<T, F>(&self, lane: Lane, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        self.0.writers.submit(lane, work).await
    }

    /// Reads on a connection of the pool without a transaction: each statement sees its own moment.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>>,
    {
        match &self.0.readers {
            Readers::Lite(pool) => {
                let mut connection = pool.acquire().await.doing("taking a connection")?;
                work(&mut Tx::Lite(&mut connection)).await
            }
            Readers::Pg(pool) => {
                let mut connection = pool.acquire().await.doing("taking a connection")?;
                work(&mut Tx::Pg(&mut connection)).await
            }
        }
    }

    /// Reads several things as of one moment.
    pub async fn snapshot<T, F>(&self, work: F) -> Result<T>
    where
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>>,
    {
        match &self.0.readers {
            Readers::Lite(pool) => {
                let mut tx = pool.begin().await.doing("beginning a read")?;
                let value = work(&mut Tx::Lite(&mut tx)).await;
                tx.rollback().await.doing("ending a read")?;
                value
            }
            Readers::Pg(pool) => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
                let mut tx = pool.begin_with(begin).await.doing("beginning a read")?;
                let value = work(&mut Tx::Pg(&mut tx)).await;
                tx.rollback().await.doing("ending a read")?;
                value
            }
        }
    }

    /// A fresh id that grows with time, not made by anyone else who has this database open.
    pub fn next_id(&self, now_ms: Millis) -> i64 {
        self.0.ids.next(now_ms)
    }

    /// How many new tasks may wait to be stored; beyond that the answer is [`Store::busy`].
    pub fn capacity(&self) -> usize {
        self.0.writers.capacity()
    }

    /// The refusal while too many changes wait: of kind `Limit` with `code=StoreBusy`.
    pub fn busy() -> Error {
        writer::full()
    }

    /// Closures waiting for a writer now; a gauge.
    pub fn waiting_writes(&self) -> usize {
        self.0.writers.waiting()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.read(|tx| {
            Box::pin(async move {
                let q = "SELECT CAST(1 AS BIGINT)";
                on!(tx, c => sqlx::query_scalar::<_, i64>(q).fetch_one(c).await)
                    .doing("asking the database")?;
                Ok(())
            })
        })
        .await
    }

    /// Waits for the writers to finish what was submitted and closes all connections.
    pub async fn close(&self) {
        self.0.writers.close().await;
        match &self.0.readers {
            Readers::Lite(pool) => pool.close().await,
            Readers::Pg(pool) => pool.close().await,
        }
    }
}

fn create_private(path: &Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let open = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    open.map(drop).map_err(|e| {
        Error::internal("cannot create the database file").with("path", path.display()).because(e)
    })
}
