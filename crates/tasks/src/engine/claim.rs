//! Taking steps off the queue, and keeping them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use mps_core::Result;
use mps_core::clock::Millis;
use mps_core::task::{Effect, NotifyMode};
use mps_store::steps::{self, Claim, Claimed};
use mps_store::{Lane, Tx, fair, tasks};

use super::{Engine, Inner, Work};
use crate::bell::OUTBOX;
use crate::{Job, Lease};

/// Every so many claims one goes by a ceiling, so that no priority waits for ever.
const CEILING_EVERY: u64 = 8;
const CEILINGS: [i32; 5] = [10, 5, 0, -5, -10];
const HIGHEST: i32 = 10;
/// How often a process notes how far the line has moved.
const SERVE_EVERY_MS: Millis = 1_000;

/// What a worker can take.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The classes it can do, the preferred ones first.
    pub capabilities: Vec<i32>,
    /// Its free slots.
    pub limit: usize,
    /// How long it may go without a heartbeat.
    pub lease_ms: Millis,
}

/// One attempt of one step, by the fence that proves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Taken {
    /// The step.
    pub id: i64,
    /// Its task.
    pub task: i64,
    /// Its place in the task.
    pub ordinal: usize,
    /// The attempt's fence.
    pub fence: i64,
}

impl From<&Claimed> for Taken {
    fn from(claimed: &Claimed) -> Self {
        let Claimed { id, task, ordinal, fence, .. } = *claimed;
        Self { id, task, ordinal: ordinal as usize, fence }
    }
}

/// News of a running attempt.
#[derive(Debug, Clone, Copy)]
pub struct Beat {
    /// The attempt.
    pub taken: Taken,
    /// How far it is, 0 to 100.
    pub progress: u8,
}

impl Engine {
    /// Takes steps for all free slots in one change. Highest priority first, then by fair share; every eighth
    /// claim goes by a ceiling that walks down the priorities.
    pub async fn claim(&self, ask: &Ask) -> Result<Vec<Taken>> {
        if ask.limit == 0 {
            return Ok(Vec::new());
        }
        let ceiling = self.0.ceiling();
        let ask = Arc::new(ask.clone());
        let make = |_: u32| -> Work<(Vec<Claimed>, bool)> {
            let (engine, ask) = (self.clone(), Arc::clone(&ask));
            Box::new(move |tx| Box::pin(async move { engine.0.claim(tx, &ask, ceiling).await }))
        };
        let (claimed, has_callback) = self.change(Lane::Work, make).await?;
        if has_callback {
            self.0.bell.ring(OUTBOX);
        }
        Ok(claimed.iter().map(Taken::from).collect())
    }

    /// What an executor needs to do a taken step; none if it was lost meanwhile.
    pub async fn job(&self, taken: Taken) -> Result<Option<Job>> {
        let view = self.store().read(move |tx| Box::pin(tasks::view(tx, taken.task))).await?;
        let Some(view) = view else { return Ok(None) };
        let step = view.steps.get(taken.ordinal).filter(|step| step.fence == taken.fence).cloned();
        let lease = Lease::new(self.clone(), taken);
        Ok(step.map(|step| {
            lease.progress(step.progress);
            Job { task: Arc::new(view.task), steps: view.steps, step, lease }
        }))
    }

    /// Prolongs the leases of a whole process in one change; false where an attempt is over.
    pub async fn heartbeat(&self, beats: &[Beat], lease_ms: Millis) -> Result<Vec<bool>> {
        let until = self.now_ms() + lease_ms;
        let beats: Arc<[Beat]> = beats.into();
        let make = |_: u32| -> Work<Vec<bool>> {
            let beats = Arc::clone(&beats);
            Box::new(move |tx| {
                Box::pin(async move {
                    let mut held = Vec::with_capacity(beats.len());
                    for Beat { taken, progress } in beats.iter() {
                        held.push(steps::heartbeat(tx, taken.id, taken.fence, until, *progress).await?);
                    }
                    Ok(held)
                })
            })
        };
        self.change(Lane::Work, make).await
    }
}

impl Inner {
    /// The highest priority of the next claim.
    pub(super) fn ceiling(&self) -> i32 {
        let turn = self.claims.fetch_add(1, Ordering::Relaxed);
        match turn % CEILING_EVERY {
            7 => CEILINGS[(turn / CEILING_EVERY) as usize % CEILINGS.len()],
            _ => HIGHEST,
        }
    }

    pub(super) async fn claim(
        &self,
        tx: &mut Tx<'_>,
        ask: &Ask,
        ceiling: i32,
    ) -> Result<(Vec<Claimed>, bool)> {
        let now_ms = self.clock.now_ms();
        let lease_until = now_ms + ask.lease_ms;
        let mut claimed: Vec<Claimed> = Vec::new();
        for capability in &ask.capabilities {
            for ceiling in [ceiling, HIGHEST] {
                let limit = (ask.limit - claimed.len()) as i64;
                if limit > 0 {
                    let claim = Claim { capability: *capability, ceiling, limit, lease_until, now_ms };
                    claimed.extend(steps::claim(tx, claim).await?);
                }
                if ceiling == HIGHEST {
                    break;
                }
            }
        }
        let has_callback = self.begin(tx, &claimed, now_ms).await?;
        self.serve(tx, &claimed, now_ms).await?;
        Ok((claimed, has_callback))
    }

    /// Marks the tasks of first steps as begun, and tells those who want to know.
    async fn begin(&self, tx: &mut Tx<'_>, claimed: &[Claimed], now_ms: Millis) -> Result<bool> {
        let mut has_callback = false;
        let mut ids: Vec<i64> = claimed.iter().map(|step| step.task).collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            if tasks::begin(tx, id, now_ms).await? == Some(NotifyMode::Change)
                && let Some(view) = tasks::view(tx, id).await?
            {
                has_callback |= self.tell(tx, &view, &[Effect::Began], now_ms).await?;
            }
        }
        Ok(has_callback)
    }

    /// Notes, once a second, how far the line of each priority has moved.
    async fn serve(&self, tx: &mut Tx<'_>, claimed: &[Claimed], now_ms: Millis) -> Result<()> {
        let last = self.served_ms.load(Ordering::Relaxed);
        if claimed.is_empty() || now_ms - last < SERVE_EVERY_MS {
            return Ok(());
        }
        let mut newest = BTreeMap::new();
        for step in claimed {
            let tag = newest.entry(step.prio).or_insert(step.tag);
            *tag = step.tag.max(*tag);
        }
        for (priority, tag) in newest {
            fair::serve(tx, priority, tag).await?;
        }
        self.served_ms.store(now_ms, Ordering::Relaxed);
        Ok(())
    }
}
