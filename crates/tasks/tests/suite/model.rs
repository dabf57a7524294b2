//! Whatever is done in whatever order, each database gives the answers of the model in memory.

use std::collections::BTreeMap;

use mps_core::task::{Failure, NewStep, NewTask, Notify, NotifyMode, Rules, TaskView};
use mps_core::{Error, Kind, Result, Retry};
use mps_tasks::{Ask, Beat, Outcome, Taken};
use mps_testkit::databases::wipe_tasks;
use mps_testkit::model::{Attempt, Model, ModelNew, ModelStep};
use mps_testkit::{Database, databases};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::json;

use crate::kit::{Bench, LEASE_MS, START_MS};

/// One thing done to the engine; `which` picks among all attempts ever made or all tasks.
#[derive(Debug, Clone)]
enum Act {
    Accept { account: i64, priority: i32, shape: usize, session: usize, notify: usize },
    Claim { limit: usize, capabilities: Vec<i32> },
    Beat { which: prop::sample::Index, percent: u8 },
    Succeed { which: prop::sample::Index },
    Fail { which: prop::sample::Index, retry: Retry },
    HandBack { which: prop::sample::Index },
    Abort { which: prop::sample::Index },
    Advance { ms: i64 },
    Sweep,
}

fn any_act() -> impl Strategy<Value = Act> {
    let which = any::<prop::sample::Index>;
    let retry = prop_oneof![Just(Retry::Never), Just(Retry::Later), (0..40_000_u64).prop_map(Retry::AfterMs)];
    let classes = prop_oneof![Just(vec![0]), Just(vec![1]), Just(vec![0, 1]), Just(vec![1, 0])];
    let moments = prop_oneof![Just(1), Just(500), Just(1_000), Just(LEASE_MS), Just(3 * 24 * 3_600_000)];
    prop_oneof![
        5 => (0..3_i64, prop_oneof![Just(0), Just(5), Just(-10), Just(10)], 0..4_usize, 0..6_usize, 0..3_usize)
            .prop_map(|(account, priority, shape, session, notify)| {
                Act::Accept { account, priority, shape, session, notify }
            }),
        7 => (0..4_usize, classes).prop_map(|(limit, capabilities)| Act::Claim { limit, capabilities }),
        2 => (which(), 0..=100_u8).prop_map(|(which, percent)| Act::Beat { which, percent }),
        6 => which().prop_map(|which| Act::Succeed { which }),
        3 => (which(), retry).prop_map(|(which, retry)| Act::Fail { which, retry }),
        1 => which().prop_map(|which| Act::HandBack { which }),
        1 => which().prop_map(|which| Act::Abort { which }),
        2 => moments.prop_map(|ms| Act::Advance { ms }),
        2 => Just(Act::Sweep),
    ]
}

fn steps(shape: usize) -> Vec<ModelStep> {
    let step = |after: &[usize], is_gate, capability, cost| ModelStep {
        capability,
        after: after.to_vec(),
        is_gate,
        cost,
    };
    match shape {
        0 => vec![step(&[], false, 0, 1)],
        1 => vec![
            step(&[], true, 0, 1),
            step(&[0], false, 0, 3),
            step(&[0], false, 1, 0),
            step(&[1, 2], false, 0, 1),
        ],
        2 => vec![step(&[], false, 1, 2), step(&[0], false, 0, 1)],
        _ => vec![step(&[], true, 0, 1), step(&[], false, 0, 1)],
    }
}

/// The model and an engine, side by side.
struct Pair {
    bench: Bench,
    model: Model,
    /// The engine's ids of the model's tasks, in order of acceptance.
    ids: Vec<(i64, String)>,
    attempts: Vec<(Attempt, Taken)>,
    now_ms: i64,
}

impl Pair {
    async fn act(&mut self, act: Act) -> Result<(), TestCaseError> {
        match act {
            Act::Accept { account, priority, shape, session, notify } => {
                let modes = [None, Some(NotifyMode::Finish), Some(NotifyMode::Change)];
                let session = if session < 3 { format!("s{session}") } else { String::new() };
                let (steps, notify) = (steps(shape), modes[notify]);
                self.accept(ModelNew { account, priority, session, notify, steps }).await?;
            }
            Act::Claim { limit, capabilities } => self.claim(limit, capabilities).await?,
            Act::Advance { ms } => {
                self.bench.clock.advance(ms);
                self.now_ms += ms;
            }
            Act::Sweep => {
                let swept = self.bench.engine.sweep().await.expect("swept");
                prop_assert_eq!(self.model.sweep(self.now_ms), (swept.lost, swept.woken));
            }
            Act::Abort { which } => {
                if !self.ids.is_empty() {
                    let task = which.index(self.ids.len());
                    let account = self.model.tasks[task].new.account;
                    let modelled = self.model.abort(task, self.now_ms).is_ok();
                    let real = self.bench.engine.abort(account, &self.ids[task].1).await;
                    prop_assert_eq!(modelled, real.is_ok());
                }
            }
            Act::Beat { which, .. }
            | Act::Succeed { which }
            | Act::Fail { which, .. }
            | Act::HandBack { which } => {
                if !self.attempts.is_empty() {
                    let (attempt, taken) = self.attempts[which.index(self.attempts.len())];
                    self.report(act, attempt, taken).await?;
                }
            }
        }
        Ok(())
    }

    async fn accept(&mut self, new: ModelNew) -> Result<(), TestCaseError> {
        let step = |step: &ModelStep| NewStep {
            kind: "work".to_owned(),
            capability: step.capability,
            params: json!({}),
            after: step.after.clone(),
            is_gate: step.is_gate,
            cost: step.cost,
        };
        let real = NewTask {
            account: new.account,
            kind: "WorkflowTask".to_owned(),
            priority: new.priority,
            session_id: Some(new.session.clone()),
            session_context: String::new(),
            request: json!({}),
            notify: new.notify.map(|mode| Notify { target: json!({}), mode }),
            steps: new.steps.iter().map(step).collect(),
        };
        let modelled = self.model.accept(new, self.now_ms);
        match self.bench.engine.accept(real).await {
            Ok(accepted) => {
                prop_assert!(modelled.is_some(), "the model refused it");
                self.ids.push((accepted.id, accepted.public_id));
            }
            Err(error) => prop_assert!(modelled.is_none(), "the engine refused it: {error:?}"),
        }
        Ok(())
    }

    async fn claim(&mut self, limit: usize, capabilities: Vec<i32>) -> Result<(), TestCaseError> {
        let modelled = self.model.claim(&capabilities, limit, LEASE_MS, self.now_ms);
        let ask = Ask { capabilities, limit, lease_ms: LEASE_MS };
        let real = self.bench.engine.claim(&ask).await.expect("claimed");
        let task = |taken: &Taken| self.ids.iter().position(|(id, _)| *id == taken.task).expect("known");
        let seen: Vec<_> = real
            .iter()
            .map(|taken| Attempt { task: task(taken), step: taken.ordinal, fence: taken.fence })
            .collect();
        prop_assert_eq!(&modelled, &seen);
        self.attempts.extend(modelled.into_iter().zip(real));
        Ok(())
    }

    async fn report(&mut self, act: Act, attempt: Attempt, taken: Taken) -> Result<(), TestCaseError> {
        let (engine, model, now_ms) = (&self.bench.engine, &mut self.model, self.now_ms);
        let (modelled, real) = match act {
            Act::Beat { percent, .. } => {
                let beats = [Beat { taken, progress: percent }];
                let held = engine.heartbeat(&beats, LEASE_MS).await.expect("beat");
                prop_assert_eq!(model.heartbeat(attempt, percent, LEASE_MS, now_ms), held[0]);
                return Ok(());
            }
            Act::Succeed { .. } => {
                (model.succeed(attempt, now_ms), engine.succeed(taken, Outcome::default()).await)
            }
            Act::Fail { retry, .. } => {
                let error = Error::unavailable("planned").with_retry(retry);
                let failed = engine.fail(taken, &error).await;
                (model.fail(attempt, Failure::from_error(&error), retry, now_ms), failed)
            }
            _ => (model.hand_back(attempt, now_ms), engine.hand_back(taken).await),
        };
        match real {
            Ok(()) => prop_assert!(modelled.is_ok()),
            Err(error) => prop_assert!(modelled.is_err() && error.kind() == Kind::LostLease, "{error:?}"),
        }
        Ok(())
    }

    /// All that is stored must be as the model has it.
    async fn compare(&self) -> Result<(), TestCaseError> {
        for (task, (_, public_id)) in self.model.tasks.iter().zip(&self.ids) {
            let view =
                self.bench.engine.view(task.new.account, public_id).await.expect("read").expect("there");
            prop_assert_eq!(view.life(), task.life.clone());
            prop_assert!(times_fit(&view), "{view:?}");
            let told = self.told(view.task.id).await;
            prop_assert_eq!(told, task.told.clone());
        }
        Ok(())
    }

    async fn told(&self, id: i64) -> Vec<u8> {
        let read = self.bench.store.read(move |tx| Box::pin(mps_store::callbacks::of_task(tx, id))).await;
        let progress = |body: &str| -> u8 {
            let body: BTreeMap<String, serde_json::Value> = serde_json::from_str(body).expect("JSON");
            body["progress"].as_u64().expect("a number") as u8
        };
        read.expect("read").iter().map(|callback| progress(&callback.body)).collect()
    }
}

fn times_fit(view: &TaskView) -> bool {
    let task = &view.task;
    let ended = task.state == mps_core::task::TaskState::Finished;
    let in_order = task.begun_ms.is_none_or(|begun| begun >= task.created_ms)
        && task.finished_ms.is_none_or(|finished| finished >= task.begun_ms.unwrap_or(task.created_ms));
    let steps_fit = view.steps.iter().all(|step| step.finished_ms.is_some() == step.state.is_end());
    in_order && steps_fit && ended == task.finished_ms.is_some()
}

async fn live(database: &Database, store: &mps_store::Store, acts: Vec<Act>) -> Result<(), TestCaseError> {
    wipe_tasks(store).await;
    let rules = Rules { max_attempts: 3, max_losses: 3, ..Rules::default() };
    let bench = Bench::over(store.clone(), rules);
    let model = Model::new(rules);
    let mut pair = Pair { bench, model, ids: Vec::new(), attempts: Vec::new(), now_ms: START_MS };
    for (at, act) in acts.into_iter().enumerate() {
        pair.act(act.clone())
            .await
            .map_err(|error| TestCaseError::fail(format!("{}, act {at} {act:?}: {error}", database.name)))?;
    }
    pair.compare().await.map_err(|error| TestCaseError::fail(format!("{}: {error}", database.name)))
}

#[test]
fn every_database_answers_as_the_model_does() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let databases = runtime.block_on(databases());
    for database in &databases {
        let store = runtime.block_on(database.open());
        let config = Config { cases: 60, failure_persistence: None, ..Config::default() };
        let acts = proptest::collection::vec(any_act(), 1..70);
        let run = TestRunner::new(config).run(&acts, |acts| runtime.block_on(live(database, &store, acts)));
        if let Err(failure) = run {
            panic!("{failure}");
        }
        runtime.block_on(store.close());
    }
}
