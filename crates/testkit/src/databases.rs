//! Fresh databases for a test: always SQLite, and PostgreSQL when the test script has started a server.

use std::sync::atomic::{AtomicU32, Ordering};

use mps_store::{Store, StoreOptions, Tx};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

/// Names the server to make databases on, as `postgres://USER@HOST:PORT/postgres`.
pub const POSTGRES_VARIABLE: &str = "MPS_TEST_POSTGRES";

/// An empty database of one kind; SQLite's file goes with it.
#[derive(Debug)]
pub struct Database {
    /// `sqlite` or `postgres`.
    pub name: &'static str,
    /// What [`Store::open`] takes.
    pub url: String,
    /// The folder of the SQLite file.
    pub dir: Option<TempDir>,
}

/// One fresh database of each kind there is.
pub async fn databases() -> Vec<Database> {
    let mut all = vec![sqlite()];
    all.extend(postgres().await);
    all
}

/// A fresh SQLite database.
pub fn sqlite() -> Database {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", dir.path().join("mps.db").display());
    Database { name: "sqlite", url, dir: Some(dir) }
}

/// A fresh PostgreSQL database, if there is a server. It is left to the server's end.
pub async fn postgres() -> Option<Database> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let server = variable(POSTGRES_VARIABLE)?;
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("mps_{}_{number}", std::process::id());
    let mut admin = PgConnection::connect(&server).await.expect("the PostgreSQL server of the tests");
    for statement in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut admin).await.expect("a fresh database");
    }
    admin.close().await.expect("closed");
    let (address, query) = server.split_once('?').map_or((server.as_str(), None), |(a, q)| (a, Some(q)));
    let (address, _) = address.rsplit_once('/').expect("an url with a database");
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Some(Database { name: "postgres", url: format!("{address}/{name}{query}"), dir: None })
}

impl Database {
    /// Opens it.
    pub async fn open(&self) -> Store {
        self.open_with(StoreOptions::default()).await
    }

    /// Opens it in a chosen way.
    pub async fn open_with(&self, options: StoreOptions) -> Store {
        Store::open(&self.url, options).await.expect("the database opens")
    }
}

/// Empties the tables of the task engine.
pub async fn wipe_tasks(store: &Store) {
    const TABLES: [&str; 7] = ["tasks", "steps", "tails", "floors", "sessions", "callbacks", "usage"];
    let wiped = store.write(|tx| {
        Box::pin(async move {
            for table in TABLES {
                let text = AssertSqlSafe(format!("DELETE FROM {table}"));
                let done = match tx {
                    Tx::Lite(c) => sqlx::query(text).execute(&mut **c).await.map(drop),
                    Tx::Pg(c) => sqlx::query(text).execute(&mut **c).await.map(drop),
                };
                done.expect("wiped");
            }
            Ok(())
        })
    });
    wiped.await.expect("wiped");
}

#[expect(clippy::disallowed_methods, reason = "the test script tells the tests where its servers are")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The seed to replay killing at random with, from `MPS_FAULT_SEED`.
pub fn fault_seed() -> Option<u64> {
    variable("MPS_FAULT_SEED").and_then(|seed| seed.parse().ok())
}

/// The seed to replay a failed simulation with, from `MPS_SIM_SEED`.
pub fn simulation_seed() -> Option<u64> {
    variable("MPS_SIM_SEED").and_then(|seed| seed.parse().ok())
}
