//! Looking into a medium on demand, for the API.

use std::sync::Arc;
use std::time::Duration;

use mps_core::{Error, Kind, MediaInfo, Result};
use mps_wire::types::MediaInputInfo;
use tokio_util::sync::CancellationToken;

use crate::kit::Kit;
use crate::medium::Use;
use crate::storage;

/// Looks into media; never fetches them whole.
pub struct Prober {
    kit: Arc<Kit>,
}

impl Prober {
    /// A prober with this kit.
    pub fn new(kit: Arc<Kit>) -> Self {
        Self { kit }
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
}
