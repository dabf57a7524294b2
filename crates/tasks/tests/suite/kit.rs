//! Engines for tests: over each database, on a clock that stands still until told.

use std::sync::Arc;
use std::time::Duration;

use mps_core::clock::{Clock, FakeClock};
use mps_core::task::{NewStep, NewTask, Notify, NotifyMode, Rules, StepState, TaskView};
use mps_store::Store;
use mps_store::callbacks::{self, Stored};
use mps_tasks::{Ask, Engine, EngineOptions, LocalBell, Plain, Taken};
use mps_testkit::Database;
use serde_json::{Value, json};

pub(crate) const START_MS: i64 = 1_800_000_000_000;
pub(crate) const ACCOUNT: i64 = 7;
pub(crate) const LEASE_MS: i64 = 30_000;

/// An engine and the clock it goes by.
pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) store: Store,
}

impl Bench {
    pub(crate) async fn on(database: &Database) -> Self {
        Self::with_rules(database, Rules::default()).await
    }

    pub(crate) async fn with_rules(database: &Database, rules: Rules) -> Self {
        Self::over(database.open().await, rules)
    }

    pub(crate) fn over(store: Store, rules: Rules) -> Self {
        let clock = Arc::new(FakeClock::at(START_MS));
        let engine = Engine::new(
            store.clone(),
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::new(LocalBell::default()),
            Arc::new(Plain),
            EngineOptions { rules },
        );
        Self { engine, clock, store }
    }

    pub(crate) async fn accept(&self, new: NewTask) -> String {
        self.engine.accept(new).await.expect("accepted").public_id
    }

    pub(crate) async fn claim(&self, limit: usize) -> Vec<Taken> {
        let ask = Ask { capabilities: vec![0], limit, lease_ms: LEASE_MS };
        self.engine.claim(&ask).await.expect("claimed")
    }

    pub(crate) async fn view(&self, public_id: &str) -> TaskView {
        self.engine.view(ACCOUNT, public_id).await.expect("read").expect("there")
    }

    pub(crate) async fn states(&self, public_id: &str) -> Vec<StepState> {
        self.view(public_id).await.steps.iter().map(|step| step.state).collect()
    }

    pub(crate) async fn callbacks(&self, public_id: &str) -> Vec<Stored> {
        let id = self.view(public_id).await.task.id;
        self.store.read(move |tx| Box::pin(callbacks::of_task(tx, id))).await.expect("read")
    }

    /// What the callbacks said, in order: state and progress.
    pub(crate) async fn told(&self, public_id: &str) -> Vec<(String, u64)> {
        let told = |callback: &Stored| {
            let body: Value = serde_json::from_str(&callback.body).expect("JSON");
            (
                body["state"].as_str().expect("a state").to_owned(),
                body["progress"].as_u64().expect("a number"),
            )
        };
        self.callbacks(public_id).await.iter().map(told).collect()
    }
}

pub(crate) fn step(after: &[usize]) -> NewStep {
    NewStep {
        kind: "work".to_owned(),
        capability: 0,
        params: json!({}),
        after: after.to_vec(),
        is_gate: false,
        cost: 1,
    }
}

pub(crate) fn gate() -> NewStep {
    NewStep { is_gate: true, ..step(&[]) }
}

pub(crate) fn task(steps: Vec<NewStep>) -> NewTask {
    NewTask {
        account: ACCOUNT,
        kind: "WorkflowTask".to_owned(),
        priority: 0,
        session_id: None,
        session_context: String::new(),
        request: json!({"Definition": 1}),
        notify: None,
        steps,
    }
}

pub(crate) fn told_by(mode: NotifyMode, steps: Vec<NewStep>) -> NewTask {
    NewTask { notify: Some(Notify { target: json!({"NotifyUrl": "http://a/"}), mode }), ..task(steps) }
}

/// Waits until something is true, for half a minute at most.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let wait = async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), wait).await;
    assert!(waited.is_ok(), "waited in vain until {what}");
}
