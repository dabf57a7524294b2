//! What nobody else notices: lost leases, delayed steps whose time has come, things old enough to be forgotten.

use mps_core::clock::Millis;
use mps_core::task::Event;
use mps_core::{Kind, Result, crash};
use mps_store::steps::{self, Expired};
use mps_store::{Lane, callbacks, sessions};

use super::{Engine, Work};

/// How many rows one sweep touches of a kind.
const BATCH: i64 = 200;
/// How long the record of a finished callback is kept.
const CALLBACKS_KEPT_MS: Millis = 7 * 24 * 3_600_000;
/// Counts stop here, so that a metrics request stays cheap whatever the queue holds.
const COUNT_BOUND: i64 = 100_000;

/// What a sweep found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Leases that were lost.
    pub lost: usize,
    /// Delayed steps that may be claimed again.
    pub woken: usize,
}

/// How much there is to do, each up to 100,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Steps that may be claimed.
    pub ready: i64,
    /// Steps that wait for another attempt.
    pub delayed: i64,
    /// Steps that are claimed.
    pub running: i64,
    /// Callbacks not delivered yet.
    pub callbacks: i64,
}

impl Engine {
    /// Takes back steps whose worker was not heard of for a lease, and wakes delayed steps. Any process may do it
    /// at any time; when there is nothing to do it only reads.
    pub async fn sweep(&self) -> Result<Swept> {
        let now_ms = self.now_ms();
        let due = self.store().read(|tx| Box::pin(steps::next_due(tx))).await?;
        if due.is_none_or(|due| due > now_ms) {
            return Ok(Swept::default());
        }
        let lost = self.take_back(now_ms, BATCH).await?;
        let wake = |_: u32| -> Work<Vec<i64>> {
            Box::new(move |tx| Box::pin(async move { steps::promote(tx, now_ms, BATCH).await }))
        };
        let woken = self.change(Lane::Work, wake).await?;
        for capability in &woken {
            self.bell().ring(*capability as i32);
        }
        Ok(Swept { lost, woken: woken.len() })
    }

    /// Takes back every running step at once, whatever its lease. For the start of a process that knows that no
    /// other works on this store; a worker that does all the same loses its leases and publishes nothing.
    pub async fn take_back_all(&self) -> Result<usize> {
        // In one look: what is taken back may be claimed again meanwhile.
        self.take_back(Millis::MAX, i64::MAX).await
    }

    async fn take_back(&self, now_ms: Millis, limit: i64) -> Result<usize> {
        let expired = self.store().read(move |tx| Box::pin(steps::expired(tx, now_ms, limit))).await?;
        let mut lost = 0;
        for Expired { task, ordinal, fence } in expired {
            let event = Event::LeaseExpired { step: ordinal as usize, fence };
            match self.apply(task, event, None).await {
                Ok(()) => {
                    lost += 1;
                    crash::point("after-take-back");
                }
                // It came back or somebody else was faster.
                Err(error) if error.kind() == Kind::LostLease => {}
                // One that cannot be taken back must not keep the others from it.
                Err(error) => {
                    tracing::error!(error = error.chain(), task, ordinal, "cannot take a step back");
                }
            }
        }
        Ok(lost)
    }

    /// Forgets old session ids and callbacks, a few at a time; how many were forgotten.
    pub async fn forget(&self) -> Result<u64> {
        let now_ms = self.now_ms();
        let make = |_: u32| -> Work<u64> {
            Box::new(move |tx| {
                Box::pin(async move {
                    let sessions = sessions::forget(tx, now_ms, BATCH).await?;
                    Ok(sessions + callbacks::forget(tx, now_ms - CALLBACKS_KEPT_MS, BATCH).await?)
                })
            })
        };
        self.change(Lane::Work, make).await
    }

    /// How much there is to do.
    pub async fn counts(&self) -> Result<Counts> {
        self.store()
            .read(|tx| {
                Box::pin(async move {
                    let steps::Counts { ready, delayed, running } = steps::counts(tx, COUNT_BOUND).await?;
                    let callbacks = callbacks::pending(tx, COUNT_BOUND).await?;
                    Ok(Counts { ready, delayed, running, callbacks })
                })
            })
            .await
    }
}
