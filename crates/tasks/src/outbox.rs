//! The outbox runner: it carries stored callbacks to their receivers, at least once, in order per task.
//!
//! Receivers are apart from each other: each has its own small number of attempts in flight, one only while it
//! fails, and failing receivers together never take more than half of all attempts. Between attempts the wait
//! doubles from about five seconds to an hour; after a day the callback is given up and the next of its task goes.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use mps_core::clock::Millis;
use mps_core::{Error, Result, Retry, crash};
use mps_store::callbacks::{self, DELIVERED, GIVEN_UP, Taken};
use mps_store::{Lane, Tx};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::bell::OUTBOX;
use crate::engine::Work;
use crate::worker::jittered;
use crate::{Engine, Shutdown};

/// A callback to be delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct Callback {
    /// The same at each attempt; receivers tell repetitions by it.
    pub event_id: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The account.
    pub account: i64,
    /// The receiver as the caller described it.
    pub target: Value,
    /// What is told, JSON text.
    pub body: String,
    /// When it happened, in milliseconds since the epoch.
    pub created_ms: Millis,
}

/// Brings a callback to its receiver.
#[async_trait]
pub trait Sender: Send + Sync + 'static {
    /// One attempt. An error that cannot pass (`Retry::Never`) gives the callback up at once.
    async fn send(&self, callback: &Callback) -> Result<()>;
}

/// How patient the outbox is.
#[derive(Debug, Clone)]
pub struct OutboxOptions {
    /// Attempts at a time, over all receivers.
    pub slots: usize,
    /// Attempts at a time to one receiver that answers.
    pub per_destination: usize,
    /// How long an attempt may take.
    pub attempt_ms: u64,
    /// The wait after the first failure.
    pub first_wait_ms: u64,
    /// The longest wait.
    pub longest_wait_ms: u64,
    /// How long a callback is tried in all.
    pub give_up_ms: u64,
    /// How often due callbacks are looked for without a ring.
    pub poll_ms: u64,
}

impl Default for OutboxOptions {
    fn default() -> Self {
        Self {
            slots: 64,
            per_destination: 8,
            attempt_ms: 15_000,
            first_wait_ms: 5_000,
            longest_wait_ms: 3_600_000,
            give_up_ms: 24 * 3_600_000,
            poll_ms: 1_000,
        }
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Receiver {
    in_flight: usize,
    is_failing: bool,
}

/// The runner; one a process, several may share a store.
pub struct Outbox {
    engine: Engine,
    sender: Arc<dyn Sender>,
    options: OutboxOptions,
    receivers: Mutex<HashMap<String, Receiver>>,
}

impl Outbox {
    /// A runner of the engine's callbacks.
    pub fn new(engine: Engine, sender: Arc<dyn Sender>, options: OutboxOptions) -> Self {
        Self { engine, sender, options, receivers: Mutex::default() }
    }

    /// Delivers until told to end; attempts in flight are then waited for, or cut off and given back on `now`.
    pub async fn run(self, shutdown: Shutdown) {
        let outbox = Arc::new(self);
        let mut sending = JoinSet::new();
        while !shutdown.drain.is_cancelled() && !shutdown.now.is_cancelled() {
            while sending.try_join_next().is_some() {}
            let began = outbox.begin(&mut sending).await.unwrap_or_else(|error| {
                tracing::warn!(error = error.chain(), "cannot look for callbacks");
                0
            });
            if began > 0 {
                continue;
            }
            let poll = Duration::from_millis(jittered(outbox.options.poll_ms));
            tokio::select! {
                () = shutdown.drain.cancelled() => {}
                () = shutdown.now.cancelled() => {}
                Some(_) = sending.join_next(), if !sending.is_empty() => {}
                () = outbox.engine.bell().wait(&[OUTBOX], poll) => {}
            }
        }
        tokio::select! {
            () = async { while sending.join_next().await.is_some() {} } => {}
            () = shutdown.now.cancelled() => sending.shutdown().await,
        }
    }

    /// Starts an attempt for what is due and has room; how many were started.
    async fn begin(self: &Arc<Self>, sending: &mut JoinSet<()>) -> Result<usize> {
        let now_ms = self.engine.now_ms();
        let store = self.engine.store();
        let due = store.read(move |tx| Box::pin(callbacks::due_destinations(tx, now_ms))).await?;
        let mut began = 0;
        for destination in due {
            let room = self.room(&destination, sending.len());
            if room == 0 {
                continue;
            }
            let again_ms = now_ms + 2 * self.options.attempt_ms as Millis;
            let taken = self.take(destination, now_ms, again_ms, room).await?;
            began += taken.len();
            for taken in taken {
                self.receivers().entry(taken.destination.clone()).or_default().in_flight += 1;
                sending.spawn(Arc::clone(self).attempt(taken));
            }
        }
        Ok(began)
    }

    async fn take(&self, to: String, now_ms: Millis, again_ms: Millis, room: usize) -> Result<Vec<Taken>> {
        let make = |_: u32| -> Work<Vec<Taken>> {
            let to = to.clone();
            Box::new(move |tx| {
                Box::pin(async move { callbacks::take(tx, &to, now_ms, again_ms, room as i64).await })
            })
        };
        self.engine.change(Lane::Work, make).await
    }

    /// How many more attempts may go to a receiver now.
    fn room(&self, destination: &str, in_flight: usize) -> usize {
        let receivers = self.receivers();
        let receiver = receivers.get(destination).copied().unwrap_or_default();
        let failing: usize = receivers.values().filter(|r| r.is_failing).map(|r| r.in_flight).sum();
        let (own, all) = if receiver.is_failing {
            (1, (self.options.slots / 2).saturating_sub(failing))
        } else {
            (self.options.per_destination, self.options.slots.saturating_sub(in_flight))
        };
        own.saturating_sub(receiver.in_flight).min(all)
    }

    async fn attempt(self: Arc<Self>, taken: Taken) {
        crash::point("before-callback");
        let result = self.send(&taken).await;
        if result.is_ok() {
            crash::point("after-callback-sent");
        }
        self.note(&taken.destination, result.is_err());
        if let Err(error) = self.settle(taken, result).await {
            tracing::warn!(error = error.chain(), "cannot store the end of a callback's attempt");
        }
    }

    async fn send(&self, taken: &Taken) -> Result<()> {
        let unreadable =
            |e| Error::internal("the stored receiver cannot be read").because(e).with_retry(Retry::Never);
        let callback = Callback {
            event_id: taken.event_id.clone(),
            attempt: taken.attempts as u32,
            account: taken.account,
            target: serde_json::from_str(&taken.target).map_err(unreadable)?,
            body: taken.body.clone(),
            created_ms: taken.created_ms,
        };
        let attempt = AssertUnwindSafe(self.sender.send(&callback)).catch_unwind();
        match tokio::time::timeout(Duration::from_millis(self.options.attempt_ms), attempt).await {
            Ok(Ok(sent)) => sent,
            Ok(Err(_)) => Err(Error::internal("the sender panicked")),
            Err(_) => Err(Error::new(mps_core::Kind::Timeout, "the receiver did not answer in time")),
        }
    }

    async fn settle(&self, taken: Taken, result: Result<()>) -> Result<()> {
        let now_ms = self.engine.now_ms();
        let next_ms = match &result {
            Ok(()) => None,
            Err(error) => self.next_try_ms(&taken, error, now_ms),
        };
        let error = result.as_ref().err().map(Error::chain).unwrap_or_default();
        if !error.is_empty() {
            let (event, attempt) = (&taken.event_id, taken.attempts);
            tracing::warn!(
                error,
                event,
                attempt,
                gives_up = next_ms.is_none(),
                "a callback was not delivered"
            );
        }
        let state = if result.is_ok() { DELIVERED } else { GIVEN_UP };
        let shared = Arc::new((taken, error));
        let make = |_: u32| -> Work<bool> {
            let shared = Arc::clone(&shared);
            Box::new(move |tx| {
                Box::pin(async move { store_end(tx, &shared.0, &shared.1, next_ms, state, now_ms).await })
            })
        };
        self.engine.change(Lane::Work, make).await?;
        if next_ms.is_none() {
            // The task's next one may go.
            self.engine.bell().ring(OUTBOX);
        }
        Ok(())
    }

    /// When to try again, or none if it is over.
    fn next_try_ms(&self, taken: &Taken, error: &Error, now_ms: Millis) -> Option<Millis> {
        let options = &self.options;
        let doublings = (taken.attempts - 1).clamp(0, 40) as u32;
        let wait = options.first_wait_ms.saturating_mul(1 << doublings).min(options.longest_wait_ms);
        let wait = match error.retry() {
            Retry::Never => return None,
            Retry::Later => wait,
            Retry::AfterMs(ms) => wait.max(ms.min(options.longest_wait_ms)),
        };
        let spread = wait / 10;
        let next = now_ms + (wait - spread + rand::random_range(0..=2 * spread)) as Millis;
        (next <= taken.created_ms + options.give_up_ms as Millis).then_some(next)
    }

    fn note(&self, destination: &str, failed: bool) {
        let mut receivers = self.receivers();
        if let Some(receiver) = receivers.get_mut(destination) {
            receiver.in_flight = receiver.in_flight.saturating_sub(1);
            receiver.is_failing = failed;
            if receiver.in_flight == 0 && !failed {
                receivers.remove(destination);
            }
        }
    }

    fn receivers(&self) -> std::sync::MutexGuard<'_, HashMap<String, Receiver>> {
        self.receivers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn store_end(
    tx: &mut Tx<'_>,
    taken: &Taken,
    error: &str,
    next_ms: Option<Millis>,
    state: i64,
    now_ms: Millis,
) -> Result<bool> {
    match next_ms {
        Some(due_ms) => callbacks::put_off(tx, taken.id, taken.fence, due_ms, error).await,
        None => callbacks::end(tx, taken, state, now_ms, error).await,
    }
}
