//! Builds the server and the worker from their parts.

use mps_core::Result;

use crate::config::Config;
use crate::shutdown::Shutdown;

/// API, buckets and workers in one process, until `shutdown`.
pub async fn serve(config: Config, shutdown: Shutdown) -> Result<()> {
    let _ = (config, shutdown);
    Err(mps_core::Error::internal("the server is not wired up"))
}

/// Workers alone, on the same database as a server elsewhere, until `shutdown`.
pub async fn worker(config: Config, shutdown: Shutdown) -> Result<()> {
    let _ = (config, shutdown);
    Err(mps_core::Error::internal("the worker is not wired up"))
}
