//! The durable state of the house: one set of queries over SQLite (one machine) and PostgreSQL (many).
//!
//! Each table family has a module of small functions that take `&mut Tx`; what belongs together is called in one
//! [`Store::write`]. Nothing here decides: states change as `mps_core::task` says.

pub mod accounts;
pub mod blobs;
pub mod buckets;
pub mod callbacks;
pub mod db;
pub mod fair;
mod fault;
mod migrate;
pub mod object_events;
pub mod objects;
mod rows;
pub mod sessions;
pub mod steps;
pub mod tasks;
pub mod templates;
pub mod uploads;
pub mod usage;
mod writer;

pub use db::{Backend, Lane, Store, StoreOptions, Tx};
pub use fault::Doing;
