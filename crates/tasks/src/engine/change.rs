//! A change of a task: the pure transition decides, and everything that follows from it is stored at once.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use mps_core::clock::Millis;
use mps_core::task::{Effect, Event, Failure, Life, NotifyMode, Refusal, StepState, TaskView, transition};
use mps_core::{Error, Kind, Result, crash};
use mps_store::callbacks::{self, NewCallback};
use mps_store::{Lane, Tx, objects, steps, tasks, usage};
use serde_json::Value;

use super::{Ask, Engine, Inner, Taken, Work};
use crate::Outcome;
use crate::bell::OUTBOX;

/// Whom to wake after the commit.
#[derive(Debug, Default)]
pub(super) struct Rings {
    /// Steps that became ready: place in the task, and class.
    ready: Vec<(usize, i32)>,
    has_callback: bool,
    /// What was claimed in the same change.
    claimed: Vec<Taken>,
}

impl Engine {
    /// Ends an attempt well: result, metadata, objects, usage, next steps and callbacks become true together. An
    /// error of kind `LostLease` means that nothing did.
    pub async fn succeed(&self, taken: Taken, outcome: Outcome) -> Result<()> {
        crash::point("before-finish");
        let event = Event::Succeeded { step: taken.ordinal, fence: taken.fence };
        self.apply(taken.task, event, Some(Arc::new(outcome))).await?;
        crash::point("after-finish");
        Ok(())
    }

    /// As [`Engine::succeed`], and takes the next steps in the same change: a worker whose slot becomes free needs no
    /// second one for that.
    pub async fn succeed_and_claim(&self, taken: Taken, outcome: Outcome, ask: &Ask) -> Result<Vec<Taken>> {
        crash::point("before-finish");
        let event = Event::Succeeded { step: taken.ordinal, fence: taken.fence };
        let claimed = self.apply_and_claim(taken.task, event, Some(Arc::new(outcome)), Some(ask)).await?;
        crash::point("after-finish");
        Ok(claimed)
    }

    /// Ends an attempt badly; whether there is another one is the error's decision, within the rules.
    pub async fn fail(&self, taken: Taken, error: &Error) -> Result<()> {
        crash::point("before-finish");
        let (failure, retry) = (Failure::from_error(error), error.retry());
        let event = Event::Failed { step: taken.ordinal, fence: taken.fence, failure, retry };
        self.apply(taken.task, event, None).await?;
        crash::point("after-finish");
        Ok(())
    }

    /// Gives a step back undone; the attempt does not count.
    pub async fn hand_back(&self, taken: Taken) -> Result<()> {
        let event = Event::HandedBack { step: taken.ordinal, fence: taken.fence };
        self.apply(taken.task, event, None).await
    }

    /// Stores what an event makes of a task, and rings.
    pub(super) async fn apply(&self, task: i64, event: Event, outcome: Option<Arc<Outcome>>) -> Result<()> {
        self.apply_and_claim(task, event, outcome, None).await.map(drop)
    }

    async fn apply_and_claim(
        &self,
        task: i64,
        event: Event,
        outcome: Option<Arc<Outcome>>,
        ask: Option<&Ask>,
    ) -> Result<Vec<Taken>> {
        let event = Arc::new(event);
        let ask = ask.filter(|ask| ask.limit > 0).map(|ask| (Arc::new(ask.clone()), self.0.ceiling()));
        let make = |_: u32| -> Work<Rings> {
            let (engine, event, outcome) = (self.clone(), Arc::clone(&event), outcome.clone());
            let ask = ask.clone();
            Box::new(move |tx| {
                Box::pin(async move {
                    let mut rings = engine.0.apply(tx, task, &event, outcome.as_deref()).await?;
                    if let Some((ask, ceiling)) = ask {
                        let (claimed, has_callback) = engine.0.claim(tx, &ask, ceiling).await?;
                        rings.claimed = claimed.iter().map(Taken::from).collect();
                        rings.has_callback |= has_callback;
                    }
                    Ok(rings)
                })
            })
        };
        let Rings { ready, has_callback, claimed } = self.change(Lane::Work, make).await?;
        let is_claimed = |ordinal| claimed.iter().any(|taken| taken.task == task && taken.ordinal == ordinal);
        for (_, capability) in ready.into_iter().filter(|(ordinal, _)| !is_claimed(*ordinal)) {
            self.0.bell.ring(capability);
        }
        if has_callback {
            self.0.bell.ring(OUTBOX);
        }
        Ok(claimed)
    }
}

impl Inner {
    async fn apply(
        &self,
        tx: &mut Tx<'_>,
        task: i64,
        event: &Event,
        outcome: Option<&Outcome>,
    ) -> Result<Rings> {
        let now_ms = self.clock.now_ms();
        tasks::lock(tx, task).await?;
        let view = tasks::view(tx, task).await?;
        let mut view = view.ok_or_else(|| Error::not_found("there is no such task").with("task", task))?;
        let before = view.life();
        let (life, effects) = transition(&before, event, &self.rules).map_err(refused)?;
        adopt(&mut view, &life, &effects, outcome, now_ms);
        for (step, old) in view.steps.iter().zip(&before.steps) {
            if life.steps[step.ordinal as usize] != *old {
                let run_after = run_after(&effects, step.ordinal as usize, now_ms);
                steps::update(tx, step, old.fence, run_after).await?;
            }
        }
        if let Some(outcome) = outcome {
            self.publish(tx, &view, &effects, outcome, now_ms).await?;
        }
        self.store_task(tx, &view, &before, &effects, outcome).await?;
        let has_callback = self.tell(tx, &view, &effects, now_ms).await?;
        let woken = effects.iter().filter_map(|effect| match effect {
            Effect::Wake { step } => Some((*step, view.steps[*step].capability)),
            _ => None,
        });
        Ok(Rings { ready: woken.collect(), has_callback, claimed: Vec::new() })
    }

    /// The outputs and the use of the step that just succeeded.
    async fn publish(
        &self,
        tx: &mut Tx<'_>,
        view: &TaskView,
        effects: &[Effect],
        outcome: &Outcome,
        now_ms: Millis,
    ) -> Result<()> {
        let published = effects.iter().find_map(|effect| match effect {
            Effect::Publish { step } => Some(&view.steps[*step]),
            _ => None,
        });
        let Some(step) = published else { return Ok(()) };
        for object in &outcome.publish {
            objects::publish(tx, object, self.store.next_id(now_ms)).await?;
        }
        let of = usage::Of { account: view.task.account, task: view.task.id, step: step.id, at_ms: now_ms };
        for used in &outcome.usage {
            usage::add(tx, self.store.next_id(now_ms), of, used).await?;
        }
        Ok(())
    }

    async fn store_task(
        &self,
        tx: &mut Tx<'_>,
        view: &TaskView,
        before: &Life,
        effects: &[Effect],
        outcome: Option<&Outcome>,
    ) -> Result<()> {
        let has_metadata = outcome.is_some_and(|outcome| outcome.metadata.is_some());
        let has_failed = view.steps.iter().any(|step| step.state == StepState::Failed);
        let is_news = has_failed && !before.steps.iter().any(|step| step.state == StepState::Failed);
        let is_same = view.task.state == before.state && view.task.failure == before.failure;
        if is_same && !has_metadata && !is_news {
            return Ok(());
        }
        let is_over = effects.contains(&Effect::Finished);
        let answer = is_over.then(|| shaped(view, || self.shape.answer(view))).flatten();
        let answer = answer.map(|answer| answer.to_string());
        tasks::update(tx, &view.task, has_failed, answer.as_deref()).await
    }

    /// Stores the callback of a change: at most one a transition, the last one at the end.
    pub(super) async fn tell(
        &self,
        tx: &mut Tx<'_>,
        view: &TaskView,
        effects: &[Effect],
        now_ms: Millis,
    ) -> Result<bool> {
        let Some(notify) = &view.task.notify else { return Ok(false) };
        let is_told = effects.iter().any(|effect| match effect {
            Effect::Finished => true,
            Effect::Began | Effect::StepEnded { .. } => notify.mode == NotifyMode::Change,
            Effect::Wake { .. } | Effect::Delay { .. } | Effect::Publish { .. } => false,
        });
        let body = is_told.then(|| shaped(view, || self.shape.event(view))).flatten();
        let Some(body) = body else { return Ok(false) };
        let id = self.store.next_id(now_ms);
        let callback = NewCallback {
            id,
            event_id: format!("{id:016x}{:016x}", rand::random::<u64>()),
            task: view.task.id,
            account: view.task.account,
            destination: self.shape.destination(&notify.target),
            target: notify.target.to_string(),
            body: body.to_string(),
            created_ms: now_ms,
        };
        callbacks::insert(tx, &callback).await?;
        Ok(true)
    }
}

/// What the shape says. Should it panic over one task, that task goes untold and the others go on.
fn shaped(view: &TaskView, say: impl FnOnce() -> Option<Value>) -> Option<Value> {
    std::panic::catch_unwind(AssertUnwindSafe(say)).unwrap_or_else(|_| {
        tracing::error!(task = view.task.public_id, "the shape of a task panicked");
        None
    })
}

fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Stale => Error::new(Kind::LostLease, "the attempt is over"),
        Refusal::NotAllowed(why) => Error::new(Kind::Conflict, why),
    }
}

/// Brings the records up to the new life.
fn adopt(view: &mut TaskView, life: &Life, effects: &[Effect], outcome: Option<&Outcome>, now_ms: Millis) {
    let TaskView { task, steps } = view;
    for (step, new) in steps.iter_mut().zip(&life.steps) {
        if new.state.is_end() && !step.state.is_end() {
            step.finished_ms = Some(now_ms);
        }
        step.state = new.state;
        step.attempt = new.attempt;
        step.losses = new.losses;
        step.fence = new.fence;
        step.progress = new.progress;
        step.failure.clone_from(&new.failure);
    }
    for effect in effects {
        match effect {
            Effect::Began => task.begun_ms = task.begun_ms.or(Some(now_ms)),
            Effect::Finished => task.finished_ms = Some(now_ms),
            Effect::Publish { step } => steps[*step].result = outcome.map(|outcome| outcome.result.clone()),
            Effect::Wake { .. } | Effect::Delay { .. } | Effect::StepEnded { .. } => {}
        }
    }
    task.state = life.state;
    task.aborted = life.aborted;
    task.failure.clone_from(&life.failure);
    if let Some(metadata) = outcome.and_then(|outcome| outcome.metadata.clone()) {
        task.metadata = Some(metadata);
    }
}

fn run_after(effects: &[Effect], ordinal: usize, now_ms: Millis) -> Millis {
    let wait = effects.iter().find_map(|effect| match effect {
        Effect::Delay { step, wait_ms } if *step == ordinal => Some(*wait_ms),
        _ => None,
    });
    now_ms.saturating_add(wait.unwrap_or(0) as i64)
}
