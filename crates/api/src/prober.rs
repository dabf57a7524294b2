//! Looking into a medium on demand.
//!
//! The api starts no process and fetches no file itself; whoever assembles the program hands in something
//! that can.

use std::time::Duration;

use async_trait::async_trait;
use mps_core::{MediaInfo, Result};
use mps_wire::types::MediaInputInfo;

/// Reads what a medium consists of, without touching its pictures.
#[async_trait]
pub trait Prober: Send + Sync {
    /// Describes `source`, as checked by this crate for a request of `account`, within `at_most`.
    ///
    /// Errors: `NotFound` when there is nothing there, `InvalidInput` when it is no medium, `Denied` when it
    /// may not be read, `Limit` when it is larger than allowed, `Unavailable` or `Timeout` when its server
    /// does not answer.
    async fn probe(&self, account: i64, source: &MediaInputInfo, at_most: Duration) -> Result<MediaInfo>;

    /// Told that a task of `account` with this source is about to be stored, so that looking into the source may begin
    /// meanwhile. Never waits.
    fn expect(&self, account: i64, source: &MediaInputInfo);
}
