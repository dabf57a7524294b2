//! `[database]`: where tasks, templates and accounts are kept.

use crate::config::section::{Secret, section};

section! {
    /// Where tasks, templates, accounts and the rows of objects are kept.
    pub struct Database {
        /// `postgres://user:password@host/name`, or `sqlite:///path/to/file`. Absent: SQLite in the data folder.
        url: Option<Secret> = None,
        /// Connections that read at the same time; on PostgreSQL, connections in all.
        connections: u16 = 4,
        /// Page cache of an SQLite connection, in MiB.
        cache_mib: u32 = 16,
    }
}
