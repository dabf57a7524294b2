//! A worker's right to one attempt of a step.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use mps_core::{Error, Kind, Result};
use mps_store::steps;
use tokio_util::sync::CancellationToken;

use crate::{Engine, Taken};

/// A worker's right to one attempt. Cheap to clone; all clones are the same lease.
#[derive(Clone)]
pub struct Lease(Arc<Held>);

struct Held {
    engine: Option<Engine>,
    taken: Taken,
    progress: AtomicU8,
    stored: AtomicU8,
    over: AtomicU8,
    token: CancellationToken,
}

/// Why a lease is over before its step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// It is not.
    No,
    /// Somebody else has the step now, or may have it.
    Lost,
    /// The worker stops and gives the step back.
    Stopping,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("taken", &self.0.taken)
            .field("over", &self.over())
            .finish_non_exhaustive()
    }
}

impl Lease {
    pub(crate) fn new(engine: Engine, taken: Taken) -> Self {
        Self::of(Some(engine), taken)
    }

    /// A lease of no engine that is never lost, for trying an executor by itself.
    pub fn detached() -> Self {
        Self::of(None, Taken { id: 0, task: 0, ordinal: 0, fence: 0 })
    }

    fn of(engine: Option<Engine>, taken: Taken) -> Self {
        let [progress, stored, over] = [const { AtomicU8::new(0) }; 3];
        Self(Arc::new(Held { engine, taken, progress, stored, over, token: CancellationToken::new() }))
    }

    /// Notes how far the step is, 0 to 100; stored within about a second. Never falls.
    pub fn progress(&self, percent: u8) {
        self.0.progress.fetch_max(percent.min(100), Ordering::Relaxed);
    }

    /// Fires when the lease is lost or the worker stops for good.
    pub fn cancelled(&self) -> CancellationToken {
        self.0.token.clone()
    }

    /// Whether the attempt still counts; to be asked right before anything becomes visible outside. An error of
    /// kind `LostLease` means that somebody else has the step and everything done is void.
    pub async fn check(&self) -> Result<()> {
        let lost =
            || Error::new(Kind::LostLease, "another worker has the step").with("step", self.0.taken.id);
        match self.over() {
            Over::No => {}
            Over::Lost => return Err(lost()),
            Over::Stopping => return Err(Error::new(Kind::Cancelled, "the worker is stopping")),
        }
        let Some(engine) = &self.0.engine else { return Ok(()) };
        let id = self.0.taken.id;
        let fence = engine.store().read(move |tx| Box::pin(steps::fence(tx, id))).await?;
        if fence == Some(self.0.taken.fence) {
            return Ok(());
        }
        self.end(Over::Lost);
        Err(lost())
    }

    pub(crate) fn taken(&self) -> Taken {
        self.0.taken
    }

    pub(crate) fn percent(&self) -> u8 {
        self.0.progress.load(Ordering::Relaxed)
    }

    /// Whether it came further than what was stored last.
    pub(crate) fn has_news(&self) -> bool {
        self.percent() > self.0.stored.load(Ordering::Relaxed)
    }

    /// Notes what was stored.
    pub(crate) fn stored(&self, percent: u8) {
        self.0.stored.fetch_max(percent, Ordering::Relaxed);
    }

    pub(crate) fn over(&self) -> Over {
        match self.0.over.load(Ordering::SeqCst) {
            0 => Over::No,
            1 => Over::Lost,
            _ => Over::Stopping,
        }
    }

    /// Ends it; the first reason stays.
    pub(crate) fn end(&self, why: Over) {
        let code = match why {
            Over::No => return,
            Over::Lost => 1,
            Over::Stopping => 2,
        };
        // Losing to a second reason is as intended.
        let _ = self.0.over.compare_exchange(0, code, Ordering::SeqCst, Ordering::SeqCst);
        self.0.token.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_detached_lease_holds_until_it_is_ended() {
        let lease = Lease::detached();
        lease.progress(30);
        lease.progress(20);
        assert_eq!(lease.percent(), 30);
        assert!(lease.has_news());
        lease.stored(30);
        assert!(!lease.has_news());
        assert!(lease.check().await.is_ok());
        lease.end(Over::Lost);
        lease.end(Over::Stopping);
        assert_eq!(lease.over(), Over::Lost);
        assert!(lease.cancelled().is_cancelled());
        assert_eq!(lease.check().await.map_err(|e| e.kind()), Err(Kind::LostLease));
    }
}
