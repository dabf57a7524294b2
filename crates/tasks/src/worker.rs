//! A worker process: it claims steps for its free slots, runs them under leases, and stops without losing any.
//!
//! One dispatcher claims for all slots at once. A heartbeat prolongs all leases in one change. A sweeper looks
//! after what other workers left. On `drain` nothing new is claimed and running steps may finish within the grace;
//! then, or on `now`, they are cancelled and handed back.

mod run;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use mps_core::clock::Millis;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::lease::Over;
use crate::{Ask, Beat, Engine, Executor, Lease};

/// How a worker behaves.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Steps done at a time.
    pub slots: usize,
    /// The classes of steps it can do, the preferred ones first.
    pub capabilities: Vec<i32>,
    /// How long a step stays taken without a heartbeat.
    pub lease_ms: u64,
    /// How often leases are prolonged and progress is stored.
    pub heartbeat_ms: u64,
    /// How often the queue is looked at without a ring, and how often it is swept.
    pub poll_ms: u64,
    /// How long running steps may go on after `drain`.
    pub grace_ms: u64,
    /// How long cancelled steps may take to clean up before they are dropped.
    pub cleanup_ms: u64,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            slots: 2,
            capabilities: vec![0],
            lease_ms: 30_000,
            heartbeat_ms: 2_000,
            poll_ms: 2_000,
            grace_ms: 30_000,
            cleanup_ms: 5_000,
        }
    }
}

/// How a process is told to end.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// Begin nothing new, and end when all is done.
    pub drain: CancellationToken,
    /// End now.
    pub now: CancellationToken,
}

/// A worker over one engine.
pub struct Worker {
    engine: Engine,
    executors: HashMap<&'static str, Arc<dyn Executor>>,
    options: WorkerOptions,
    held: Mutex<HashMap<i64, Lease>>,
    /// Set while it runs: no step is begun once one of the tokens is.
    closing: OnceLock<Shutdown>,
}

impl Worker {
    /// A worker that can do the kinds of these executors.
    pub fn new(engine: Engine, executors: Vec<Arc<dyn Executor>>, options: WorkerOptions) -> Self {
        let executors = executors.into_iter().map(|executor| (executor.kind(), executor)).collect();
        Self { engine, executors, options, held: Mutex::default(), closing: OnceLock::new() }
    }

    /// Works until told to end; returns when every step is finished or handed back.
    pub async fn run(self, shutdown: Shutdown) {
        let worker = Arc::new(self);
        worker.closing.get_or_init(|| shutdown.clone());
        let ended = CancellationToken::new();
        let beating = tokio::spawn(Arc::clone(&worker).beat(ended.clone()));
        let sweeping = tokio::spawn(Arc::clone(&worker).sweep(ended.clone()));
        let mut running = JoinSet::new();
        worker.dispatch(&shutdown, &mut running).await;
        worker.drain(&shutdown, running).await;
        ended.cancel();
        for task in [beating, sweeping] {
            if let Err(error) = task.await {
                tracing::error!(%error, "a part of the worker ended badly");
            }
        }
    }

    /// Claims for all free slots; when the queue is empty, waits for a ring, a finished step, or the poll.
    async fn dispatch(self: &Arc<Self>, shutdown: &Shutdown, running: &mut JoinSet<()>) {
        let capabilities = &self.options.capabilities;
        while !self.is_closing() {
            while let Some(done) = running.try_join_next() {
                log_panic(done);
            }
            let free = self.options.slots.saturating_sub(running.len());
            if free > 0 {
                let began = self.fill(free, running).await;
                if began == free {
                    // There may be more than this worker can take.
                    for capability in capabilities {
                        self.engine.bell().ring(*capability);
                    }
                }
                if began > 0 {
                    continue;
                }
            }
            let poll = Duration::from_millis(jittered(self.options.poll_ms));
            tokio::select! {
                () = shutdown.drain.cancelled() => {}
                () = shutdown.now.cancelled() => {}
                Some(done) = running.join_next(), if !running.is_empty() => log_panic(done),
                () = self.engine.bell().wait(capabilities, poll), if free > 0 => {}
            }
        }
    }

    async fn fill(self: &Arc<Self>, free: usize, running: &mut JoinSet<()>) -> usize {
        let taken = match self.engine.claim(&self.ask(free)).await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!(error = error.chain(), "cannot claim steps");
                return 0;
            }
        };
        let began = taken.len();
        for taken in taken {
            running.spawn(Arc::clone(self).run_steps(taken));
        }
        began
    }

    fn is_closing(&self) -> bool {
        self.closing.get().is_some_and(|told| told.drain.is_cancelled() || told.now.is_cancelled())
    }

    fn ask(&self, limit: usize) -> Ask {
        let lease_ms = self.options.lease_ms as Millis;
        Ask { capabilities: self.options.capabilities.clone(), limit, lease_ms }
    }

    async fn drain(&self, shutdown: &Shutdown, mut running: JoinSet<()>) {
        let all_done = async |running: &mut JoinSet<()>| {
            while let Some(done) = running.join_next().await {
                log_panic(done);
            }
        };
        let grace = Duration::from_millis(self.options.grace_ms);
        tokio::select! {
            () = all_done(&mut running) => return,
            () = tokio::time::sleep(grace) => {}
            () = shutdown.now.cancelled() => {}
        }
        let leases: Vec<Lease> = self.held().values().cloned().collect();
        tracing::info!(steps = leases.len(), "handing running steps back");
        for lease in &leases {
            lease.end(Over::Stopping);
        }
        let cleanup = Duration::from_millis(self.options.cleanup_ms);
        if tokio::time::timeout(cleanup, all_done(&mut running)).await.is_ok() {
            return;
        }
        running.shutdown().await;
        let stuck: Vec<Lease> = self.held().drain().map(|(_, lease)| lease).collect();
        for lease in stuck {
            if let Err(error) = self.engine.hand_back(lease.taken()).await {
                tracing::warn!(error = error.chain(), "cannot hand a step back");
            }
        }
    }

    /// Prolongs all leases, and sooner where one of them came further; ends those that were lost, and all of them if
    /// the store was away for a whole lease.
    async fn beat(self: Arc<Self>, ended: CancellationToken) {
        let lease = Duration::from_millis(self.options.lease_ms);
        let every = Duration::from_millis(self.options.heartbeat_ms);
        let (mut last_stored, mut last_beat) = (Instant::now(), Instant::now());
        loop {
            tokio::select! {
                () = ended.cancelled() => return,
                () = tokio::time::sleep(every.min(NEWS_EVERY)) => {}
            }
            let leases: Vec<Lease> = self.held().values().cloned().collect();
            if leases.is_empty() {
                last_stored = Instant::now();
                continue;
            }
            if last_beat.elapsed() < every && !leases.iter().any(Lease::has_news) {
                continue;
            }
            last_beat = Instant::now();
            let beat = |lease: &Lease| Beat { taken: lease.taken(), progress: lease.percent() };
            let beats: Vec<Beat> = leases.iter().map(beat).collect();
            let began = Instant::now();
            match self.engine.heartbeat(&beats, lease.as_millis() as Millis).await {
                Ok(held) => {
                    last_stored = began;
                    leases.iter().zip(&beats).for_each(|(lease, beat)| lease.stored(beat.progress));
                    let lost = leases.iter().zip(held).filter(|(_, is_held)| !is_held);
                    lost.for_each(|(lease, _)| lease.end(Over::Lost));
                }
                Err(error) => {
                    tracing::warn!(error = error.chain(), "cannot prolong leases");
                    if last_stored.elapsed() >= lease {
                        for lease in &leases {
                            lease.end(Over::Lost);
                        }
                    }
                }
            }
        }
    }

    async fn sweep(self: Arc<Self>, ended: CancellationToken) {
        let mut rounds = 0_u32;
        loop {
            if let Err(error) = self.engine.sweep().await {
                tracing::warn!(error = error.chain(), "cannot sweep the queue");
            }
            if rounds.is_multiple_of(500)
                && let Err(error) = self.engine.forget().await
            {
                tracing::warn!(error = error.chain(), "cannot forget old records");
            }
            rounds = rounds.wrapping_add(1);
            let pause = jittered(self.options.poll_ms.min(1_000));
            tokio::select! {
                () = ended.cancelled() => return,
                () = tokio::time::sleep(Duration::from_millis(pause)) => {}
            }
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<i64, Lease>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often progress is stored while there is any.
const NEWS_EVERY: Duration = Duration::from_secs(1);

/// Up to a fifth less, so that processes started together do not ask together.
pub(crate) fn jittered(ms: u64) -> u64 {
    ms - rand::random_range(0..=ms / 5)
}

fn log_panic(done: Result<(), tokio::task::JoinError>) {
    if let Err(error) = done
        && error.is_panic()
    {
        tracing::error!(%error, "the runner of a step panicked");
    }
}
