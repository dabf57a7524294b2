//! The bell: it tells idle workers that there may be work, and carries no truth.
//!
//! A lost ring costs one poll, a doubled one an empty claim.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::select_all;
use tokio::sync::Notify;

/// The class that is rung when a callback was stored.
pub const OUTBOX: i32 = -1;

/// Wakes who waits for work of a class.
#[async_trait]
pub trait Bell: Send + Sync + 'static {
    /// Says that there may be work of this class. Called after the commit; never waits and never fails.
    fn ring(&self, capability: i32);
    /// Waits for a ring of one of the classes, or so long at most.
    async fn wait(&self, capabilities: &[i32], at_most: Duration);
}

/// The bell of a single process. A ring that nobody waits for is kept for the next who does.
#[derive(Debug, Default)]
pub struct LocalBell(Mutex<HashMap<i32, Arc<Notify>>>);

impl LocalBell {
    fn of(&self, capability: i32) -> Arc<Notify> {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(bells.entry(capability).or_default())
    }
}

#[async_trait]
impl Bell for LocalBell {
    fn ring(&self, capability: i32) {
        self.of(capability).notify_one();
    }

    async fn wait(&self, capabilities: &[i32], at_most: Duration) {
        let bells: Vec<_> = capabilities.iter().map(|capability| self.of(*capability)).collect();
        if bells.is_empty() {
            return tokio::time::sleep(at_most).await;
        }
        let any = select_all(bells.iter().map(|bell| Box::pin(bell.notified())));
        // Time running out is as good as a ring.
        drop(tokio::time::timeout(at_most, any).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn a_ring_before_the_wait_is_kept() {
        let bell = LocalBell::default();
        bell.ring(3);
        tokio::time::timeout(Duration::from_secs(5), bell.wait(&[1, 3], LONG)).await.expect("rung");
    }

    #[tokio::test]
    async fn another_class_does_not_wake() {
        let bell = LocalBell::default();
        bell.ring(2);
        bell.wait(&[1], Duration::from_millis(1)).await;
        tokio::time::timeout(Duration::from_secs(5), bell.wait(&[2], LONG)).await.expect("still kept");
    }
}
