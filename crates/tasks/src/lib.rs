//! The durable task engine: accept, claim, lease, heartbeat, retry, cancel, tell.
//!
//! It knows kinds of steps by name only and never what they do. The database is the truth: a [`Bell`] only says
//! "look", a worker's claim is a fenced lease, and a change of state is stored in one transaction with all that
//! follows from it (next steps, callbacks, published objects, usage). Effects outside, such as a callback's HTTP
//! request, are carried out afterwards, at least once, under the same event id.

mod bell;
mod engine;
mod executor;
mod lease;
mod outbox;
mod shape;
mod worker;

pub use bell::{Bell, LocalBell, OUTBOX};
pub use engine::{
    Accepted, Ask, Beat, Counts, Described, Engine, EngineOptions, ListFilter, ListPage, Swept, Taken,
};
pub use executor::{Executor, Job, Outcome};
pub use lease::Lease;
pub use mps_store::tasks::Summary;
pub use mps_store::usage::Usage;
pub use outbox::{Callback, Outbox, OutboxOptions, Sender};
pub use shape::{Plain, Shape};
pub use worker::{Shutdown, Worker, WorkerOptions};
