//! One attempt of one step, from the claim to the stored outcome.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use mps_core::{Error, Kind, Result, crash};
use tracing::Instrument;

use super::Worker;
use crate::lease::Over;
use crate::{Job, Lease, Outcome, Taken};

impl Worker {
    /// Does a claimed step, and as long as there is more to do the next one in its slot.
    pub(super) async fn run_steps(self: Arc<Self>, taken: Taken) {
        let mut next = self.run_step(taken).await;
        while let Some(taken) = next {
            if self.is_closing() {
                // Claimed together with an end while the worker was told to stop.
                if let Err(error) = self.engine.hand_back(taken).await {
                    tracing::warn!(error = error.chain(), "cannot hand a step back");
                }
                return;
            }
            next = self.run_step(taken).await;
        }
    }

    async fn run_step(&self, taken: Taken) -> Option<Taken> {
        crash::point("after-claim");
        let job = match self.engine.job(taken).await {
            Ok(Some(job)) => job,
            Ok(None) => return None,
            Err(error) => {
                tracing::warn!(error = error.chain(), step = taken.id, "cannot read a claimed step");
                return self.store(&Lease::new(self.engine.clone(), taken), None).await;
            }
        };
        let lease = job.lease.clone();
        let span = tracing::info_span!(
            "step",
            task = job.task.public_id,
            ordinal = job.step.ordinal,
            kind = job.step.kind,
            attempt = job.step.attempt
        );
        self.held().insert(taken.id, lease.clone());
        let next = async {
            let result = self.attempt(job).await;
            self.settle(&lease, result).await
        }
        .instrument(span)
        .await;
        self.held().remove(&taken.id);
        next
    }

    async fn attempt(&self, job: Job) -> Result<Outcome> {
        let Some(executor) = self.executors.get(job.step.kind.as_str()) else {
            let error = Error::new(Kind::Unsupported, "this worker has no executor for the step");
            return Err(error.with("kind", &job.step.kind));
        };
        let run = AssertUnwindSafe(async { executor.run(job).await }).catch_unwind().await;
        run.unwrap_or_else(|_| Err(Error::internal("the executor of the step panicked")))
    }

    /// Decides what an attempt's end means, and stores it; gives the step to go on with.
    async fn settle(&self, lease: &Lease, result: Result<Outcome>) -> Option<Taken> {
        match (result, lease.over()) {
            (_, Over::Lost) => {
                tracing::warn!("the lease was lost; the attempt is void");
                None
            }
            (Ok(outcome), Over::No | Over::Stopping) => self.store(lease, Some(Ok(outcome))).await,
            (Err(_), Over::Stopping) => self.store(lease, None).await,
            (Err(error), Over::No) if error.kind() == Kind::LostLease => {
                tracing::warn!(error = error.chain(), "the lease was lost; the attempt is void");
                None
            }
            (Err(error), Over::No) => {
                tracing::warn!(error = error.chain(), kind = ?error.kind(), "the attempt failed");
                self.store(lease, Some(Err(error))).await
            }
        }
    }

    /// Stores a success and claims the next step. What spoils the claim must not spoil the success.
    async fn succeed(&self, taken: Taken, outcome: &Outcome) -> Result<Vec<Taken>> {
        match self.engine.succeed_and_claim(taken, outcome.clone(), &self.ask(1)).await {
            Err(error) if error.kind() != Kind::LostLease => {
                tracing::warn!(
                    error = error.chain(),
                    "cannot store the end of an attempt with the next claim"
                );
                self.engine.succeed(taken, outcome.clone()).await.map(|()| Vec::new())
            }
            stored => stored,
        }
    }

    /// Stores an end (none: the step is handed back), trying until it is stored or the lease is lost; gives the step
    /// that was claimed with it.
    async fn store(&self, lease: &Lease, end: Option<Result<Outcome>>) -> Option<Taken> {
        let taken = lease.taken();
        loop {
            let stored = match &end {
                Some(Ok(outcome)) if self.is_closing() => {
                    self.engine.succeed(taken, outcome.clone()).await.map(|()| Vec::new())
                }
                Some(Ok(outcome)) => self.succeed(taken, outcome).await,
                Some(Err(error)) => self.engine.fail(taken, error).await.map(|()| Vec::new()),
                None => self.engine.hand_back(taken).await.map(|()| Vec::new()),
            };
            let error = match stored {
                Ok(claimed) => return claimed.into_iter().next(),
                Err(error) => error,
            };
            tracing::warn!(error = error.chain(), "cannot store the end of an attempt");
            let may_pass = matches!(error.kind(), Kind::Unavailable | Kind::Limit | Kind::Timeout);
            if !may_pass || lease.over() == Over::Lost {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(super::jittered(500))).await;
        }
    }
}
