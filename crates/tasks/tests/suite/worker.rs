use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use mps_core::task::{NewStep, StepState, TaskState};
use mps_core::{Error, Kind, Result};
use mps_tasks::{Executor, Job, Outcome, Shutdown, Worker, WorkerOptions};
use mps_testkit::{Database, databases};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::kit::{Bench, step, task, until};

/// What the scripted executor does, by the step's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    Succeed,
    Panic,
    FailOnce,
    /// Until the test lets it go on; heeds cancellation.
    Hold,
    /// Like hold, but deaf.
    HoldDeaf,
}

struct Scripted {
    kind: &'static str,
    plan: Plan,
    begun: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

#[async_trait]
impl Executor for Scripted {
    fn kind(&self) -> &'static str {
        self.kind
    }

    async fn run(&self, job: Job) -> Result<Outcome> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        job.lease.progress(50);
        let done = Outcome { result: json!(job.step.attempt), ..Outcome::default() };
        match self.plan {
            Plan::Panic => panic!("a planned panic"),
            Plan::FailOnce if job.step.attempt == 1 => Err(Error::unavailable("planned")),
            Plan::FailOnce | Plan::Succeed => Ok(done),
            Plan::Hold => {
                tokio::select! {
                    permit = self.gate.acquire() => permit.expect("open").forget(),
                    () = job.lease.cancelled().cancelled_owned() => {
                        return Err(Error::new(Kind::Cancelled, "told to stop"));
                    }
                }
                job.lease.check().await?;
                Ok(done)
            }
            Plan::HoldDeaf => {
                self.gate.acquire().await.expect("open").forget();
                Ok(done)
            }
        }
    }
}

/// A running worker whose executors can be held.
struct Running {
    bench: Bench,
    shutdown: Shutdown,
    begun: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
    task: JoinHandle<()>,
}

const KINDS: [(&str, Plan); 5] = [
    ("work", Plan::Succeed),
    ("panic", Plan::Panic),
    ("fail-once", Plan::FailOnce),
    ("hold", Plan::Hold),
    ("deaf", Plan::HoldDeaf),
];

fn options() -> WorkerOptions {
    WorkerOptions {
        slots: 4,
        heartbeat_ms: 5,
        poll_ms: 20,
        grace_ms: 20_000,
        cleanup_ms: 20_000,
        ..WorkerOptions::default()
    }
}

async fn start(database: &Database, options: WorkerOptions) -> Running {
    let bench = Bench::on(database).await;
    let (begun, gate, shutdown) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)), Shutdown::default());
    let scripted = |(kind, plan)| -> Arc<dyn Executor> {
        Arc::new(Scripted { kind, plan, begun: Arc::clone(&begun), gate: Arc::clone(&gate) })
    };
    let executors = KINDS.into_iter().map(scripted).collect();
    let worker = Worker::new(bench.engine.clone(), executors, options);
    let task = tokio::spawn(worker.run(shutdown.clone()));
    Running { bench, shutdown, begun, gate, task }
}

impl Running {
    async fn stop(self) {
        self.shutdown.now.cancel();
        self.task.await.expect("joined");
        self.bench.store.close().await;
    }

    async fn until_begun(&self, count: usize) {
        until("the steps are begun", async || self.begun.load(Ordering::SeqCst) >= count).await;
    }

    async fn until_finished(&self, public_id: &str) {
        until("the task ends", async || self.bench.view(public_id).await.task.state == TaskState::Finished)
            .await;
    }
}

fn kind(kind: &str, after: &[usize]) -> NewStep {
    NewStep { kind: kind.to_owned(), ..step(after) }
}

#[tokio::test]
async fn a_worker_brings_tasks_to_their_end() {
    for database in databases().await {
        let running = start(&database, options()).await;
        let mut ids = Vec::new();
        for _ in 0..20 {
            ids.push(running.bench.accept(task(vec![kind("work", &[]), kind("work", &[0])])).await);
        }
        for id in &ids {
            running.until_finished(id).await;
            assert_eq!(running.bench.states(id).await, [StepState::Succeeded; 2]);
        }
        assert_eq!(running.begun.load(Ordering::SeqCst), 40, "each step was done once");
        running.stop().await;
    }
}

#[tokio::test]
async fn failures_panics_and_unknown_kinds_end_as_they_should() {
    for database in databases().await {
        let running = start(&database, options()).await;
        let id = running
            .bench
            .accept(task(vec![kind("fail-once", &[]), kind("panic", &[]), kind("who", &[])]))
            .await;
        // The clock stands still unless moved, and delayed steps wait for it.
        until("the task ends", async || {
            running.bench.clock.advance(1_000);
            running.bench.view(&id).await.task.state == TaskState::Finished
        })
        .await;
        let steps = running.bench.view(&id).await.steps;
        let ends: Vec<_> = steps.iter().map(|step| (step.state, step.attempt)).collect();
        assert_eq!(ends, [(StepState::Succeeded, 2), (StepState::Failed, 5), (StepState::Failed, 1)]);
        running.stop().await;
    }
}

#[tokio::test]
async fn progress_is_seen_while_a_step_runs() {
    for database in databases().await {
        let running = start(&database, options()).await;
        let id = running.bench.accept(task(vec![kind("hold", &[])])).await;
        until("progress is stored", async || running.bench.view(&id).await.progress() == 50).await;
        running.gate.add_permits(1);
        running.until_finished(&id).await;
        running.stop().await;
    }
}

#[tokio::test]
async fn progress_does_not_wait_for_a_rare_heartbeat() {
    for database in databases().await {
        let rare = WorkerOptions { lease_ms: 180_000, heartbeat_ms: 60_000, ..options() };
        let running = start(&database, rare).await;
        let id = running.bench.accept(task(vec![kind("hold", &[])])).await;
        until("progress is stored", async || running.bench.view(&id).await.progress() == 50).await;
        running.gate.add_permits(1);
        running.until_finished(&id).await;
        running.stop().await;
    }
}

#[tokio::test]
async fn draining_lets_running_steps_finish_and_begins_no_more() {
    for database in databases().await {
        let running = start(&database, WorkerOptions { slots: 1, ..options() }).await;
        let first = running.bench.accept(task(vec![kind("hold", &[])])).await;
        running.until_begun(1).await;
        let second = running.bench.accept(task(vec![kind("hold", &[])])).await;
        running.shutdown.drain.cancel();
        running.gate.add_permits(2);
        let Running { bench, task, begun, .. } = running;
        task.await.expect("joined");
        assert_eq!(bench.states(&first).await, [StepState::Succeeded]);
        assert_eq!((bench.states(&second).await, begun.load(Ordering::SeqCst)), (vec![StepState::Ready], 1));
        bench.store.close().await;
    }
}

#[tokio::test]
async fn stopping_hands_running_steps_back_uncounted() {
    for database in databases().await {
        for (what, cleanup_ms) in [("hold", 20_000), ("deaf", 1)] {
            let running = start(&database, WorkerOptions { cleanup_ms, ..options() }).await;
            let id = running.bench.accept(task(vec![kind(what, &[])])).await;
            running.until_begun(1).await;
            running.shutdown.now.cancel();
            let Running { bench, task, .. } = running;
            task.await.expect("joined");
            let step = bench.view(&id).await.steps.remove(0);
            assert_eq!((step.state, step.attempt), (StepState::Ready, 0), "{what}");
            bench.engine.abort(7, &id).await.expect_err("it was begun");
            bench.claim(1).await;
            bench.store.close().await;
        }
    }
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_is_told_and_publishes_nothing() {
    for database in databases().await {
        for what in ["hold", "deaf"] {
            let running = start(&database, WorkerOptions { slots: 1, ..options() }).await;
            let id = running.bench.accept(task(vec![kind(what, &[])])).await;
            running.until_begun(1).await;
            // Somebody else takes the step back; the worker begins it anew.
            running.bench.engine.take_back_all().await.expect("taken back");
            if what == "deaf" {
                running.gate.add_permits(1);
            }
            running.until_begun(2).await;
            assert_ne!(running.bench.states(&id).await, [StepState::Succeeded], "the lost attempt was void");
            running.gate.add_permits(1);
            running.until_finished(&id).await;
            let step = running.bench.view(&id).await.steps.remove(0);
            assert_eq!((step.result, step.losses), (Some(json!(2)), 1), "{what}");
            running.stop().await;
        }
    }
}

#[tokio::test]
async fn workers_without_the_class_leave_a_step_alone() {
    for database in databases().await {
        let running = start(&database, options()).await;
        let special = running.bench.accept(task(vec![NewStep { capability: 3, ..kind("work", &[]) }])).await;
        let plain = running.bench.accept(task(vec![kind("work", &[])])).await;
        running.until_finished(&plain).await;
        assert_eq!(running.bench.states(&special).await, [StepState::Ready]);
        let able = start(&database, WorkerOptions { capabilities: vec![3], ..options() }).await;
        running.until_finished(&special).await;
        able.stop().await;
        running.stop().await;
    }
}
