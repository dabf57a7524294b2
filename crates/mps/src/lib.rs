//! The one binary of Freedom MPS: server, worker, and the command line of both.
//!
//! It reads the configuration, builds the parts from plain values ([`wire_up`]) and stops them in order. What a
//! command does is one file in [`cli`]; nothing here knows a feature. It is a library too so that its configuration
//! can be tested and fuzzed from outside.

pub mod cli;
pub mod client;
pub mod config;
pub mod keyserver;
pub mod local;
pub mod logging;
pub mod metrics;
pub mod shutdown;
pub mod tools;
pub mod wire_up;
