//! The task engine in memory: the same operations over the same pure transition, without a database.
//!
//! It is the measure for the stores (random operations must give the same answers) and the world of the simulation.

use std::collections::{BTreeMap, BTreeSet};

use mps_core::Retry;
use mps_core::clock::Millis;
use mps_core::task::{
    Effect, Event, Failure, Life, NotifyMode, Refusal, Rules, StepLife, StepState, TaskState, transition,
};

const SESSION_MS: Millis = 3 * 24 * 3_600_000;
const CEILINGS: [i32; 5] = [10, 5, 0, -5, -10];

/// A step to be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelStep {
    /// The class of workers.
    pub capability: i32,
    /// Indexes of earlier steps.
    pub after: Vec<usize>,
    /// Whether its failure fails the task.
    pub is_gate: bool,
    /// Its weight.
    pub cost: u32,
}

/// A task to be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelNew {
    /// The account.
    pub account: i64,
    /// −10 to 10.
    pub priority: i32,
    /// Against doubled requests; empty for none.
    pub session: String,
    /// Whether and when somebody wants to be told.
    pub notify: Option<NotifyMode>,
    /// The work.
    pub steps: Vec<ModelStep>,
}

/// An attempt: task and step by their order of acceptance, and the fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt {
    /// Which task, from 0.
    pub task: usize,
    /// Which step of it.
    pub step: usize,
    /// The attempt's fence.
    pub fence: i64,
}

/// A task as the model keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelTask {
    /// As it was accepted.
    pub new: ModelNew,
    /// Where it stands.
    pub life: Life,
    /// How often it ended; never more than once.
    pub ends: u32,
    /// How often each step's outputs became visible.
    pub published: Vec<u32>,
    /// The progress told by each callback.
    pub told: Vec<u8>,
    tags: Vec<i64>,
    lease_until: Vec<Millis>,
    run_after: Vec<Millis>,
}

type Key = (i32, i32, i64, usize, usize);

/// The whole engine in memory.
#[derive(Debug, Default)]
pub struct Model {
    /// All tasks by order of acceptance.
    pub tasks: Vec<ModelTask>,
    rules: Rules,
    ready: BTreeSet<Key>,
    delayed: BTreeSet<(Millis, usize, usize)>,
    leases: BTreeSet<(Millis, usize, usize)>,
    tails: BTreeMap<(i64, i32), i64>,
    floors: BTreeMap<i32, i64>,
    sessions: BTreeMap<(i64, String), Millis>,
    claims: u64,
    served_ms: Millis,
}

impl Model {
    /// An empty engine.
    pub fn new(rules: Rules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// Accepts a task; none if its session id was used within three days.
    pub fn accept(&mut self, new: ModelNew, now_ms: Millis) -> Option<usize> {
        if !new.session.is_empty() {
            let key = (new.account, new.session.clone());
            if self.sessions.get(&key).is_some_and(|at| *at > now_ms - SESSION_MS) {
                return None;
            }
            self.sessions.insert(key, now_ms);
        }
        let costs: i64 = new.steps.iter().map(|step| i64::from(step.cost.max(1))).sum();
        let floor = self.floors.get(&new.priority).copied().unwrap_or(0);
        let tail = self.tails.entry((new.account, new.priority)).or_insert(floor);
        let mut tag = floor.max(*tail);
        *tail = tag + costs;
        let mut tags = Vec::new();
        for step in &new.steps {
            tags.push(tag);
            tag += i64::from(step.cost.max(1));
        }
        let life = |step: &ModelStep| StepLife {
            state: if step.after.is_empty() { StepState::Ready } else { StepState::Blocked },
            attempt: 0,
            losses: 0,
            fence: 0,
            progress: 0,
            is_gate: step.is_gate,
            after: step.after.clone(),
            failure: None,
        };
        let steps: Vec<_> = new.steps.iter().map(life).collect();
        let (count, at) = (steps.len(), self.tasks.len());
        let life = Life { state: TaskState::Waiting, aborted: false, failure: None, steps };
        let (published, times) = (vec![0; count], vec![0; count]);
        let (lease_until, run_after) = (times.clone(), times);
        self.tasks.push(ModelTask {
            new,
            life,
            ends: 0,
            published,
            told: vec![],
            tags,
            lease_until,
            run_after,
        });
        for step in 0..count {
            self.index(at, step);
        }
        Some(at)
    }

    /// Takes up to `limit` steps of these classes.
    pub fn claim(
        &mut self,
        capabilities: &[i32],
        limit: usize,
        lease_ms: Millis,
        now_ms: Millis,
    ) -> Vec<Attempt> {
        if limit == 0 {
            return Vec::new();
        }
        let turn = self.claims;
        self.claims += 1;
        let ceiling = if turn % 8 == 7 { CEILINGS[(turn / 8) as usize % 5] } else { 10 };
        let mut taken = Vec::new();
        let mut newest: BTreeMap<i32, i64> = BTreeMap::new();
        for capability in capabilities {
            for ceiling in if ceiling == 10 { vec![10] } else { vec![ceiling, 10] } {
                let from = (*capability, -ceiling, i64::MIN, 0, 0);
                let to = (*capability, i32::MAX, 0, 0, 0);
                let keys: Vec<Key> = self.ready.range(from..to).take(limit - taken.len()).copied().collect();
                for (_, negative, tag, task, step) in keys {
                    let newest = newest.entry(-negative).or_insert(tag);
                    *newest = tag.max(*newest);
                    self.tasks[task].lease_until[step] = now_ms + lease_ms;
                    self.apply(task, &Event::Claimed { step }, now_ms).expect("a ready step can be claimed");
                    let fence = self.tasks[task].life.steps[step].fence;
                    taken.push(Attempt { task, step, fence });
                }
            }
        }
        if !taken.is_empty() && now_ms - self.served_ms >= 1_000 {
            self.served_ms = now_ms;
            for (priority, tag) in newest {
                let floor = self.floors.entry(priority).or_insert(tag);
                *floor = tag.max(*floor);
            }
        }
        taken
    }

    /// Prolongs a lease; false if the attempt is over.
    pub fn heartbeat(&mut self, of: Attempt, percent: u8, lease_ms: Millis, now_ms: Millis) -> bool {
        let Attempt { task, step, fence } = of;
        let event = Event::Progressed { step, fence, percent };
        // The old lease must be out of the index before it is changed.
        if transition(&self.tasks[task].life, &event, &self.rules).is_err() {
            return false;
        }
        self.unindex(task, step);
        self.tasks[task].lease_until[step] = now_ms + lease_ms;
        self.index(task, step);
        self.apply(task, &event, now_ms).is_ok()
    }

    /// Ends an attempt well.
    pub fn succeed(&mut self, of: Attempt, now_ms: Millis) -> Result<(), Refusal> {
        self.apply(of.task, &Event::Succeeded { step: of.step, fence: of.fence }, now_ms).map(drop)
    }

    /// Ends an attempt badly.
    pub fn fail(
        &mut self,
        of: Attempt,
        failure: Failure,
        retry: Retry,
        now_ms: Millis,
    ) -> Result<(), Refusal> {
        let event = Event::Failed { step: of.step, fence: of.fence, failure, retry };
        self.apply(of.task, &event, now_ms).map(drop)
    }

    /// Gives a step back.
    pub fn hand_back(&mut self, of: Attempt, now_ms: Millis) -> Result<(), Refusal> {
        self.apply(of.task, &Event::HandedBack { step: of.step, fence: of.fence }, now_ms).map(drop)
    }

    /// Ends a task that was not begun.
    pub fn abort(&mut self, task: usize, now_ms: Millis) -> Result<(), Refusal> {
        self.apply(task, &Event::Aborted, now_ms).map(drop)
    }

    /// Takes back lost steps and wakes delayed ones; how many of each.
    pub fn sweep(&mut self, now_ms: Millis) -> (usize, usize) {
        let up_to = (now_ms, usize::MAX, usize::MAX);
        let lost: Vec<_> = self.leases.range(..=up_to).copied().collect();
        for (_, task, step) in &lost {
            let fence = self.tasks[*task].life.steps[*step].fence;
            let event = Event::LeaseExpired { step: *step, fence };
            self.apply(*task, &event, now_ms).expect("a running step can be lost");
        }
        let due: Vec<_> = self.delayed.range(..=up_to).copied().collect();
        for (_, task, step) in &due {
            self.apply(*task, &Event::Due { step: *step }, now_ms).expect("a delayed step can be woken");
        }
        (lost.len(), due.len())
    }

    /// Whether every task has ended.
    pub fn is_done(&self) -> bool {
        self.ready.is_empty() && self.delayed.is_empty() && self.leases.is_empty()
    }

    fn apply(&mut self, task: usize, event: &Event, now_ms: Millis) -> Result<Vec<Effect>, Refusal> {
        let (life, effects) = transition(&self.tasks[task].life, event, &self.rules)?;
        let changed: Vec<usize> = (0..life.steps.len())
            .filter(|step| life.steps[*step] != self.tasks[task].life.steps[*step])
            .collect();
        for step in &changed {
            self.unindex(task, *step);
        }
        let at = &mut self.tasks[task];
        at.life = life;
        let mode = at.new.notify;
        let mut is_told = false;
        for effect in &effects {
            match effect {
                Effect::Delay { step, wait_ms } => at.run_after[*step] = now_ms + *wait_ms as Millis,
                Effect::Publish { step } => at.published[*step] += 1,
                Effect::Finished => {
                    at.ends += 1;
                    is_told |= mode.is_some();
                }
                Effect::Began | Effect::StepEnded { .. } => is_told |= mode == Some(NotifyMode::Change),
                Effect::Wake { .. } => {}
            }
        }
        if is_told {
            at.told.push(progress(&at.life));
        }
        for step in changed {
            self.index(task, step);
        }
        Ok(effects)
    }

    fn index(&mut self, task: usize, step: usize) {
        let at = &self.tasks[task];
        match at.life.steps[step].state {
            StepState::Ready => drop(self.ready.insert(self.key(task, step))),
            StepState::Delayed => drop(self.delayed.insert((at.run_after[step], task, step))),
            StepState::Running => drop(self.leases.insert((at.lease_until[step], task, step))),
            StepState::Blocked | StepState::Succeeded | StepState::Failed | StepState::Cancelled => {}
        }
    }

    fn unindex(&mut self, task: usize, step: usize) {
        let at = &self.tasks[task];
        match at.life.steps[step].state {
            StepState::Ready => drop(self.ready.remove(&self.key(task, step))),
            StepState::Delayed => drop(self.delayed.remove(&(at.run_after[step], task, step))),
            StepState::Running => drop(self.leases.remove(&(at.lease_until[step], task, step))),
            StepState::Blocked | StepState::Succeeded | StepState::Failed | StepState::Cancelled => {}
        }
    }

    fn key(&self, task: usize, step: usize) -> Key {
        let at = &self.tasks[task];
        (at.new.steps[step].capability, -at.new.priority, at.tags[step], task, step)
    }
}

/// The same measure as that of a stored task.
fn progress(life: &Life) -> u8 {
    match life.state {
        TaskState::Waiting => 0,
        TaskState::Finished => 100,
        TaskState::Processing => {
            let done = |step: &StepLife| if step.state.is_end() { 100 } else { usize::from(step.progress) };
            let sum: usize = life.steps.iter().map(done).sum();
            (sum / life.steps.len().max(1)).min(99) as u8
        }
    }
}
