//! Looking into a medium on demand, for the API.

use std::sync::Arc;
use std::time::Duration;

use mps_core::{Error, Kind, MediaInfo, Result};
use mps_wire::types::MediaInputInfo;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::kit::Kit;
use crate::medium::Use;
use crate::storage;

/// Looks into media; never fetches them whole.
pub struct Prober {
    kit: Arc<Kit>,
    ahead: Arc<Semaphore>,
}

impl Prober {
    /// A prober with this kit.
    pub fn new(kit: Arc<Kit>) -> Self {
        Self { kit, ahead: Arc::new(Semaphore::new(1)) }
    }

    /// Describes `source`, which belongs to or was named by `account`.
    ///
    /// # Errors
    /// `NotFound` when there is nothing there, `InvalidInput` when it is no medium, `Timeout` when it takes longer
    /// than `at_most`, and those of the store it lies in.
    pub async fn probe(&self, account: i64, source: &MediaInputInfo, at_most: Duration) -> Result<MediaInfo> {
        let cancel = CancellationToken::new();
        let _ends_the_child = cancel.clone().drop_guard();
        let look = async {
            let place = storage::input(&*self.kit.buckets, account, source).await?;
            let medium = self.kit.open(&place, None, Use::Stretches, &cancel).await?;
            self.kit.look(&medium, &cancel).await
        };
        let late = |_| {
            Error::new(
                Kind::Timeout,
                format!("looking into the source took more than {} s", at_most.as_secs()),
            )
        };
        tokio::time::timeout(at_most, look).await.map_err(late)?
    }

    /// Begins to look into a source that the worker of this process will ask for in a moment, if the machine has
    /// nothing else to do and the source lies on it: the look then runs while the task is being stored. What comes of
    /// it is remembered; a failure is left to be found again by the task.
    pub fn look_ahead(&self, account: i64, source: &MediaInputInfo) {
        if self.kit.tools.children().count() > 0 {
            return;
        }
        let Ok(turn) = Arc::clone(&self.ahead).try_acquire_owned() else { return };
        let (kit, source) = (Arc::clone(&self.kit), source.clone());
        tokio::spawn(async move {
            let _turn = turn;
            if let Err(error) = kit.look_ahead(account, &source).await {
                tracing::debug!(error = error.chain(), "a look ahead came to nothing");
            }
        });
    }
}
