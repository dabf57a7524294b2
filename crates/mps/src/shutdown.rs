//! Stopping: the first signal drains, the second one stops now.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The two stages of stopping, handed to everything that runs until told otherwise.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Take nothing new, bring to an end what runs.
    pub drain: CancellationToken,
    /// Stop at once; what is cut off runs again after the next start.
    pub now: CancellationToken,
}

impl Shutdown {
    /// Listens to SIGTERM and SIGINT from here on.
    pub fn on_signals() -> std::io::Result<Self> {
        let shutdown = Self::default();
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let stages = shutdown.clone();
        tokio::spawn(async move {
            for stage in [&stages.drain, &stages.now] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                if stages.drain.is_cancelled() {
                    tracing::warn!("stopping now; what is cut off runs again after the next start");
                } else {
                    tracing::info!("stopping: no new work is taken, what runs is brought to an end");
                }
                stage.cancel();
            }
        });
        Ok(shutdown)
    }
}
