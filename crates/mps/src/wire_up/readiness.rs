//! Waiting for what is found out after the start.

use mps_tasks::Shutdown;
use mps_work::BuildCell;

/// Waits until it is known what the media tools can do; false when told to end before.
pub(super) async fn of_tools(mut build: BuildCell, shutdown: &Shutdown) -> bool {
    tokio::select! {
        known = build.wait_for(Option::is_some) => known.is_ok(),
        () = shutdown.drain.cancelled() => false,
        () = shutdown.now.cancelled() => false,
    }
}
