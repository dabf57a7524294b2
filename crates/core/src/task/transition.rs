//! How a task and its steps change: one pure function from a life and an event to the next life and its effects.
//!
//! The engine stores the new life and carries the effects in one transaction; the simulation and the model run the
//! same function in memory. Only who knows a step's fence may report on it, and the fence rises at every claim and
//! at every exit from `Running`, so that a report of an earlier attempt is refused whatever it says.

use super::{Failure, StepState, TaskState};
use crate::error::Retry;

/// A task and its steps without their payloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// Where the task stands.
    pub state: TaskState,
    /// Ended by its owner.
    pub aborted: bool,
    /// Why it failed as a whole.
    pub failure: Option<Failure>,
    /// Its steps by ordinal.
    pub steps: Vec<StepLife>,
}

/// A step without its payloads; see [`super::Step`] for the fields.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the same fields as those of a stored step")]
pub struct StepLife {
    pub state: StepState,
    pub attempt: i32,
    pub losses: i32,
    pub fence: i64,
    pub progress: u8,
    pub is_gate: bool,
    pub after: Vec<usize>,
    pub failure: Option<Failure>,
}

/// Something that happened; `step` is an ordinal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "step and fence mean the same in each")]
pub enum Event {
    /// A worker took the step.
    Claimed { step: usize },
    /// The time a delayed step waits for has come.
    Due { step: usize },
    /// The worker got on.
    Progressed { step: usize, fence: i64, percent: u8 },
    /// The worker is done, and its outputs are whole.
    Succeeded { step: usize, fence: i64 },
    /// The worker failed; `retry` was decided where the failure was understood.
    Failed { step: usize, fence: i64, failure: Failure, retry: Retry },
    /// The worker stops and gives the step back unfinished.
    HandedBack { step: usize, fence: i64 },
    /// Nothing was heard of the worker for a whole lease.
    LeaseExpired { step: usize, fence: i64 },
    /// The owner does not want it any more.
    Aborted,
}

/// What has to be stored or told along with a new life.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "step is an ordinal")]
pub enum Effect {
    /// The task was begun.
    Began,
    /// The step may be claimed now: ring for it.
    Wake { step: usize },
    /// The step may be claimed after so many milliseconds.
    Delay { step: usize, wait_ms: u64 },
    /// The step's outputs become visible.
    Publish { step: usize },
    /// The step ended.
    StepEnded { step: usize },
    /// The task ended; the last effect it ever has.
    Finished,
}

/// Why an event changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It speaks of an attempt that is over.
    Stale,
    /// It does not fit the state; the sentence says why.
    NotAllowed(&'static str),
}

/// How patient the engine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Attempts that may fail before a step is given up.
    pub max_attempts: i32,
    /// Leases that may be lost before a step is given up.
    pub max_losses: i32,
    /// The wait after the first failed attempt; doubled after each further one.
    pub first_wait_ms: u64,
    /// The longest wait.
    pub longest_wait_ms: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { max_attempts: 5, max_losses: 20, first_wait_ms: 1_000, longest_wait_ms: 300_000 }
    }
}

impl Rules {
    /// How long to wait after the `failed`-th failed attempt (from 1).
    pub fn wait_ms(&self, failed: i32) -> u64 {
        let doublings = failed.saturating_sub(1).clamp(0, 40) as u32;
        self.first_wait_ms.saturating_mul(1 << doublings).min(self.longest_wait_ms)
    }
}

/// The next life and its effects, or why there is none. Pure: the same arguments give the same answer.
pub fn transition(life: &Life, event: &Event, rules: &Rules) -> Result<(Life, Vec<Effect>), Refusal> {
    let mut next = Next { life: life.clone(), effects: Vec::new() };
    match event {
        Event::Claimed { step } => next.claimed(*step)?,
        Event::Due { step } => next.due(*step)?,
        Event::Progressed { step, fence, percent } => {
            let step = next.running(*step, *fence)?;
            step.progress = step.progress.max(*percent).min(100);
        }
        Event::Succeeded { step, fence } => {
            let ended = next.running(*step, *fence)?;
            ended.fence += 1;
            ended.state = StepState::Succeeded;
            ended.progress = 100;
            ended.failure = None;
            next.effects.push(Effect::Publish { step: *step });
            next.effects.push(Effect::StepEnded { step: *step });
            next.unblock();
        }
        Event::Failed { step, fence, failure, retry } => {
            next.failed(*step, *fence, failure, *retry, rules)?;
        }
        Event::HandedBack { step, fence } => {
            let back = next.running(*step, *fence)?;
            back.fence += 1;
            back.attempt -= 1;
            back.state = StepState::Ready;
            next.effects.push(Effect::Wake { step: *step });
        }
        Event::LeaseExpired { step, fence } => next.lease_expired(*step, *fence, rules)?,
        Event::Aborted => next.aborted()?,
    }
    next.roll_up();
    Ok((next.life, next.effects))
}

struct Next {
    life: Life,
    effects: Vec<Effect>,
}

const NO_STEP: Refusal = Refusal::NotAllowed("the task has no such step");

impl Next {
    fn step(&mut self, step: usize) -> Result<&mut StepLife, Refusal> {
        self.life.steps.get_mut(step).ok_or(NO_STEP)
    }

    /// The step, if this is its running attempt.
    fn running(&mut self, step: usize, fence: i64) -> Result<&mut StepLife, Refusal> {
        let step = self.step(step)?;
        match step.state {
            StepState::Running if step.fence == fence => Ok(step),
            StepState::Running
            | StepState::Blocked
            | StepState::Ready
            | StepState::Delayed
            | StepState::Succeeded
            | StepState::Failed
            | StepState::Cancelled => Err(Refusal::Stale),
        }
    }

    fn claimed(&mut self, step: usize) -> Result<(), Refusal> {
        let step = self.step(step)?;
        match step.state {
            StepState::Ready => {}
            StepState::Blocked => return Err(Refusal::NotAllowed("the step waits for others")),
            StepState::Delayed => return Err(Refusal::NotAllowed("the step waits for its time")),
            StepState::Running => return Err(Refusal::NotAllowed("the step is taken")),
            StepState::Succeeded | StepState::Failed | StepState::Cancelled => return Err(Refusal::Stale),
        }
        step.state = StepState::Running;
        step.attempt += 1;
        step.fence += 1;
        if self.life.state == TaskState::Waiting {
            self.life.state = TaskState::Processing;
            self.effects.push(Effect::Began);
        }
        Ok(())
    }

    fn due(&mut self, step: usize) -> Result<(), Refusal> {
        let due = self.step(step)?;
        match due.state {
            StepState::Delayed => due.state = StepState::Ready,
            StepState::Blocked | StepState::Ready | StepState::Running => {
                return Err(Refusal::NotAllowed("the step does not wait for a time"));
            }
            StepState::Succeeded | StepState::Failed | StepState::Cancelled => return Err(Refusal::Stale),
        }
        self.effects.push(Effect::Wake { step });
        Ok(())
    }

    fn failed(
        &mut self,
        step: usize,
        fence: i64,
        failure: &Failure,
        retry: Retry,
        rules: &Rules,
    ) -> Result<(), Refusal> {
        let failed = self.running(step, fence)?;
        failed.fence += 1;
        failed.failure = Some(failure.clone());
        let tries = failed.attempt - failed.losses;
        let wait_ms = match retry {
            Retry::Never => None,
            Retry::Later => Some(rules.wait_ms(tries)),
            Retry::AfterMs(ms) => Some(ms),
        };
        match wait_ms.filter(|_| tries < rules.max_attempts) {
            Some(wait_ms) => {
                failed.state = StepState::Delayed;
                self.effects.push(Effect::Delay { step, wait_ms });
            }
            None => self.give_up(step),
        }
        Ok(())
    }

    fn lease_expired(&mut self, step: usize, fence: i64, rules: &Rules) -> Result<(), Refusal> {
        let lost = self.running(step, fence)?;
        lost.fence += 1;
        lost.losses += 1;
        if lost.losses < rules.max_losses {
            lost.state = StepState::Ready;
            self.effects.push(Effect::Wake { step });
        } else {
            lost.failure = Some(Failure::lost());
            self.give_up(step);
        }
        Ok(())
    }

    fn aborted(&mut self) -> Result<(), Refusal> {
        match self.life.state {
            TaskState::Waiting => {}
            TaskState::Processing => return Err(Refusal::NotAllowed("the task is being processed")),
            TaskState::Finished => return Err(Refusal::NotAllowed("the task has ended")),
        }
        self.life.aborted = true;
        Ok(())
    }

    /// Ends a step badly, and with it what cannot be done without it.
    fn give_up(&mut self, step: usize) {
        let given_up = &mut self.life.steps[step];
        given_up.state = StepState::Failed;
        self.effects.push(Effect::StepEnded { step });
        if given_up.is_gate {
            self.life.failure = given_up.failure.clone();
        } else {
            self.cancel_orphans();
        }
    }

    fn cancel_waiting(&mut self) {
        for (step, life) in self.life.steps.iter_mut().enumerate() {
            let waits = match life.state {
                StepState::Blocked | StepState::Ready | StepState::Delayed => true,
                StepState::Running | StepState::Succeeded | StepState::Failed | StepState::Cancelled => false,
            };
            if waits {
                life.state = StepState::Cancelled;
                self.effects.push(Effect::StepEnded { step });
            }
        }
    }

    /// Cancels the steps that wait for one that will never succeed, and those that wait for these. Steps wait for
    /// earlier ones only, so one pass finds them all.
    fn cancel_orphans(&mut self) {
        for step in 0..self.life.steps.len() {
            let is_dead =
                |s: &usize| matches!(self.life.steps[*s].state, StepState::Failed | StepState::Cancelled);
            let life = &self.life.steps[step];
            if life.state == StepState::Blocked && life.after.iter().any(is_dead) {
                self.life.steps[step].state = StepState::Cancelled;
                self.effects.push(Effect::StepEnded { step });
            }
        }
    }

    fn unblock(&mut self) {
        for step in 0..self.life.steps.len() {
            let life = &self.life.steps[step];
            let is_done = |s: &usize| self.life.steps[*s].state == StepState::Succeeded;
            if life.state == StepState::Blocked && life.after.iter().all(is_done) {
                self.life.steps[step].state = StepState::Ready;
                self.effects.push(Effect::Wake { step });
            }
        }
    }

    /// A task that failed or was aborted begins nothing more, also not what comes back from a worker later; and a
    /// task ends with its last step.
    fn roll_up(&mut self) {
        if self.life.failure.is_some() || self.life.aborted {
            self.cancel_waiting();
        }
        let is_over = self.life.steps.iter().all(|step| step.state.is_end());
        if is_over && self.life.state != TaskState::Finished {
            self.life.state = TaskState::Finished;
            self.effects.push(Effect::Finished);
        }
    }
}

#[cfg(test)]
#[path = "transition_tests.rs"]
mod tests;
