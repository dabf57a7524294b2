//! The cases by name.

pub(crate) mod accept;
mod describe;
mod overhead;
mod packaging;
mod queue;

use anyhow::Result;

/// All cases.
pub(crate) const NAMES: &[&str] = &["overhead", "packaging", "accept", "describe", "queue"];

/// Runs one; whether all its goals hold.
pub(crate) async fn run(name: &str) -> Result<bool> {
    match name {
        "overhead" => overhead::run().await,
        "packaging" => packaging::run().await,
        "accept" => accept::run().await,
        "describe" => describe::run().await,
        _ => queue::run().await,
    }
}
