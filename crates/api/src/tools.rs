//! What the media tools of this installation can do, which is known a moment after the start.

use std::sync::Arc;
use std::time::Duration;

use mps_media::plan::Build;
use mps_wire::{ApiError, codes};
use tokio::sync::watch;

/// A cell that is filled once the tools were examined; a call that needs to know waits for that.
#[derive(Debug, Clone)]
pub struct ToolsCell(watch::Sender<Option<Arc<Build>>>);

impl Default for ToolsCell {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl ToolsCell {
    /// Tells what the tools can do, for the first time or after they changed.
    pub fn fill(&self, build: Build) {
        self.0.send_replace(Some(Arc::new(build)));
    }

    /// What the tools can encode, once known.
    pub fn known(&self) -> Option<Arc<Build>> {
        self.0.borrow().clone()
    }

    /// Waits until it is known, but no longer than `at_most`.
    pub(crate) async fn wait(&self, at_most: Duration) -> Result<Arc<Build>, ApiError> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let mut cell = self.0.subscribe();
        let filled = tokio::time::timeout(at_most, cell.wait_for(Option::is_some)).await;
        match filled {
            Ok(Ok(known)) => known.clone().ok_or_else(Self::unknown),
            Ok(Err(_)) | Err(_) => Err(Self::unknown()),
        }
    }

    fn unknown() -> ApiError {
        codes::service_unavailable("the media tools of this server are not ready")
    }
}
