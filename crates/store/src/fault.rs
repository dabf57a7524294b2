//! What a database error means for the house: one table from the driver's words to kind, blame and retry.

use mps_core::{Blame, Error, Kind, Result, Retry};

/// Turns a driver's error into the house's, saying what was being done.
pub trait Doing<T> {
    /// Adds what was tried, in the form "reading a task".
    fn doing(self, what: &'static str) -> Result<T>;
}

impl<T> Doing<T> for std::result::Result<T, sqlx::Error> {
    fn doing(self, what: &'static str) -> Result<T> {
        self.map_err(|error| explain(error, what))
    }
}

impl<T> Doing<T> for std::result::Result<T, serde_json::Error> {
    fn doing(self, what: &'static str) -> Result<T> {
        self.map_err(|error| {
            Error::internal(format!("stored JSON cannot be used while {what}"))
                .with_retry(Retry::Never)
                .because(error)
        })
    }
}

/// The error's kind. Conflicts of transactions (deadlock, busy) have rolled everything back and may be tried again.
pub(crate) fn explain(error: sqlx::Error, what: &'static str) -> Error {
    let (kind, retry) = classify(&error);
    let failed = Error::new(kind, format!("the database failed while {what}")).with_retry(retry);
    let failed = if kind == Kind::Unavailable { failed.with_blame(Blame::Us) } else { failed };
    failed.because(error)
}

fn classify(error: &sqlx::Error) -> (Kind, Retry) {
    use sqlx::error::ErrorKind;
    match error {
        sqlx::Error::RowNotFound => (Kind::NotFound, Retry::Never),
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => (Kind::Unavailable, Retry::Later),
        sqlx::Error::Database(database) => match database.code().as_deref() {
            // SQLite: busy (also as snapshot), full, I/O. PostgreSQL: serialization, deadlock, lock timeout,
            // disk full, too many connections, shutting down.
            Some("5" | "261" | "517" | "6" | "13" | "10") => (Kind::Unavailable, Retry::Later),
            Some("40001" | "40P01" | "55P03" | "53100" | "53300" | "57P01" | "57P02" | "57P03" | "25P03") => {
                (Kind::Unavailable, Retry::Later)
            }
            _ if database.kind() == ErrorKind::UniqueViolation => (Kind::Conflict, Retry::Never),
            _ => (Kind::Internal, Retry::Never),
        },
        _ => (Kind::Internal, Retry::Never),
    }
}
