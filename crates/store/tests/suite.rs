//! The store over every database there is: SQLite always, PostgreSQL when the test script started one.

#[path = "suite/accounts.rs"]
mod accounts;
#[path = "suite/callbacks.rs"]
mod callbacks;
#[path = "suite/db.rs"]
mod db;
#[path = "suite/queue.rs"]
mod queue;
#[path = "suite/rows.rs"]
mod rows;

/// Runs a check on a fresh database of each kind, telling which one failed.
#[macro_export]
macro_rules! on_each_database {
    ($check:path) => {
        for database in mps_testkit::databases().await {
            eprintln!("on {}", database.name);
            let store = database.open().await;
            $check(&store).await;
            store.close().await;
        }
    };
}

/// `store.write` or `store.read` of one query function: `query!(store.write, accounts::get(7))`.
#[macro_export]
macro_rules! query {
    ($store:ident . $door:ident, $($path:ident)::+ ( $($arg:expr),* $(,)? )) => {
        $store
            .$door(move |tx| Box::pin(async move { mps_store::$($path)::+(tx, $($arg),*).await }))
            .await
    };
}
