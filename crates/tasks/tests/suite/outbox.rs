use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mps_core::clock::Clock;
use mps_core::task::{NewTask, Notify, NotifyMode};
use mps_core::{Error, Result, Retry};
use mps_store::callbacks::{DELIVERED, DUE, GIVEN_UP, Stored};
use mps_tasks::{Callback, Outbox, OutboxOptions, Outcome, Sender, Shutdown};
use mps_testkit::{Database, databases};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::kit::{Bench, START_MS, step, task, until};

/// A receiver that fails as planned and remembers what it got.
#[derive(Default)]
struct Receiver {
    seen: Mutex<Vec<(String, Callback)>>,
    /// How often a receiver is to fail yet.
    failures: Mutex<HashMap<String, u32>>,
}

#[async_trait]
impl Sender for Receiver {
    async fn send(&self, callback: &Callback) -> Result<()> {
        let name = callback.target["name"].as_str().expect("a name").to_owned();
        self.seen.lock().expect("whole").push((name.clone(), callback.clone()));
        match name.as_str() {
            "hangs" => std::future::pending().await,
            "panics" => panic!("a planned panic"),
            "refused" => return Err(Error::invalid("the address is not allowed")),
            "says-when" => return Err(Error::unavailable("busy").with_retry(Retry::AfterMs(60_000))),
            _ => {}
        }
        let mut failures = self.failures.lock().expect("whole");
        let left = failures.entry(name).or_default();
        if *left == 0 {
            return Ok(());
        }
        *left -= 1;
        Err(Error::unavailable("the receiver answered 500"))
    }
}

struct Running {
    bench: Bench,
    receiver: Arc<Receiver>,
    shutdown: Shutdown,
    task: JoinHandle<()>,
}

async fn start(database: &Database, options: OutboxOptions) -> Running {
    let bench = Bench::on(database).await;
    let (receiver, shutdown) = (Arc::new(Receiver::default()), Shutdown::default());
    let sender = Arc::clone(&receiver) as Arc<dyn Sender>;
    let outbox = Outbox::new(bench.engine.clone(), sender, options);
    let task = tokio::spawn(outbox.run(shutdown.clone()));
    Running { bench, receiver, shutdown, task }
}

fn options() -> OutboxOptions {
    OutboxOptions { poll_ms: 5, ..OutboxOptions::default() }
}

impl Running {
    /// A task for this receiver, brought to its end.
    async fn finish(&self, receiver: &str, mode: NotifyMode) -> String {
        let notify = Some(Notify { target: json!({"name": receiver}), mode });
        let id = self.bench.accept(NewTask { notify, ..task(vec![step(&[]), step(&[0])]) }).await;
        while let Some(taken) = self.bench.claim(1).await.first() {
            self.bench.engine.succeed(*taken, Outcome::default()).await.expect("stored");
        }
        id
    }

    fn seen(&self, receiver: &str) -> Vec<Callback> {
        let seen = self.receiver.seen.lock().expect("whole");
        seen.iter().filter(|(name, _)| name == receiver).map(|(_, callback)| callback.clone()).collect()
    }

    async fn until_seen(&self, receiver: &str, count: usize) {
        until("the receiver is called", async || self.seen(receiver).len() >= count).await;
    }

    async fn until_ended(&self, id: &str) -> Vec<Stored> {
        let is_over = |callback: &Stored| callback.state >= DELIVERED;
        until("all callbacks end", async || self.bench.callbacks(id).await.iter().all(is_over)).await;
        self.bench.callbacks(id).await
    }

    async fn stop(self) {
        self.shutdown.now.cancel();
        self.task.await.expect("joined");
        self.bench.store.close().await;
    }
}

#[tokio::test]
async fn callbacks_of_a_task_arrive_once_and_in_order() {
    for database in databases().await {
        let running = start(&database, options()).await;
        let id = running.finish("good", NotifyMode::Change).await;
        let ended = running.until_ended(&id).await;
        let seen = running.seen("good");
        let bodies: Vec<_> = seen.iter().map(|callback| callback.body.clone()).collect();
        assert_eq!(bodies, ended.iter().map(|callback| callback.body.clone()).collect::<Vec<_>>());
        assert_eq!(seen.len(), 3);
        assert!(seen.iter().all(|callback| callback.attempt == 1 && callback.created_ms == START_MS));
        running.stop().await;
    }
}

#[tokio::test]
async fn a_receiver_that_fails_twice_gets_the_same_event_a_third_time() {
    for database in databases().await {
        let running = start(&database, options()).await;
        running.receiver.failures.lock().expect("whole").insert("flaky".to_owned(), 2);
        let id = running.finish("flaky", NotifyMode::Finish).await;
        let mut due = Vec::new();
        for attempt in 1..=2 {
            running.until_seen("flaky", attempt).await;
            // While an attempt runs, the callback is due again in half a minute.
            let wait = async || running.bench.callbacks(&id).await[0].due_ms - running.bench.clock.now_ms();
            until("it is put off", async || (1..20_000).contains(&wait().await)).await;
            let stored = running.bench.callbacks(&id).await.remove(0);
            assert_eq!((stored.state, stored.attempts), (DUE, attempt as i64));
            assert!(stored.last_error.contains("answered 500"));
            let wait = wait().await;
            due.push(wait);
            running.bench.clock.advance(wait);
        }
        let ended = running.until_ended(&id).await;
        assert_eq!((ended[0].state, ended[0].attempts), (DELIVERED, 3));
        assert!((4_500..=5_500).contains(&due[0]) && (9_000..=11_000).contains(&due[1]), "waits {due:?}");
        let seen = running.seen("flaky");
        assert_eq!(seen.iter().map(|callback| callback.attempt).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(seen.iter().all(|callback| callback.event_id == seen[0].event_id));
        running.stop().await;
    }
}

#[tokio::test]
async fn a_hanging_receiver_delays_nobody_else() {
    for database in databases().await {
        let few = OutboxOptions { slots: 4, per_destination: 2, attempt_ms: 3_600_000, ..options() };
        let running = start(&database, few).await;
        for _ in 0..20 {
            running.finish("hangs", NotifyMode::Finish).await;
        }
        running.until_seen("hangs", 2).await;
        let mut good = Vec::new();
        for _ in 0..10 {
            good.push(running.finish("good", NotifyMode::Change).await);
        }
        for id in good {
            running.until_ended(&id).await;
        }
        assert_eq!(running.seen("hangs").len(), 2, "as many at a time as one receiver may have");
        running.stop().await;
    }
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_has_failed() {
    for database in databases().await {
        let running = start(&database, OutboxOptions { attempt_ms: 20, ..options() }).await;
        let id = running.finish("hangs", NotifyMode::Finish).await;
        until("the failure is stored", async || {
            running.bench.callbacks(&id).await[0].last_error.contains("did not answer in time")
        })
        .await;
        running.stop().await;
    }
}

#[tokio::test]
async fn a_forbidden_address_is_given_up_at_once_and_a_dead_one_after_a_day() {
    for database in databases().await {
        let running = start(&database, options()).await;
        let refused = running.finish("refused", NotifyMode::Finish).await;
        let ended = running.until_ended(&refused).await;
        assert_eq!((ended[0].state, ended[0].attempts), (GIVEN_UP, 1));
        assert!(ended[0].last_error.contains("not allowed"));
        let dead = running.finish("says-when", NotifyMode::Change).await;
        until("all of the dead one's callbacks are given up", async || {
            running.bench.clock.advance(3_700_000);
            running.bench.callbacks(&dead).await.iter().all(|callback| callback.state == GIVEN_UP)
        })
        .await;
        running.stop().await;
    }
}

#[tokio::test]
async fn a_panicking_sender_is_a_failed_attempt() {
    for database in databases().await {
        let running = start(&database, options()).await;
        let id = running.finish("panics", NotifyMode::Finish).await;
        until("the failure is stored", async || {
            running.bench.callbacks(&id).await[0].last_error.contains("panicked")
        })
        .await;
        running.stop().await;
    }
}

#[tokio::test]
async fn what_one_runner_leaves_unfinished_another_delivers() {
    for database in databases().await {
        let first = start(&database, options()).await;
        let id = first.finish("hangs", NotifyMode::Finish).await;
        first.until_seen("hangs", 1).await;
        let event_id = first.seen("hangs")[0].event_id.clone();
        let clock = Arc::clone(&first.bench.clock);
        first.stop().await;
        let second = start(&database, options()).await;
        second.bench.clock.advance(clock.now_ms() - START_MS + 60_000);
        second.until_seen("hangs", 1).await;
        let again = second.seen("hangs").remove(0);
        assert_eq!((again.event_id, again.attempt), (event_id, 2));
        assert_eq!(second.bench.callbacks(&id).await[0].attempts, 2);
        second.stop().await;
    }
}
