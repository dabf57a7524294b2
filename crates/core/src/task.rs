//! What a task and a step are: the records that are stored, and the states they pass through.
//!
//! A task is what a caller asked for; its steps are the pieces of work, each done by one executor and possibly after
//! others. How states change is decided in [`transition()`] alone. Nothing here knows what a kind of step does.

mod failure;
mod transition;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Millis;
pub use failure::{Failure, Fault};
pub use transition::{Effect, Event, Life, Refusal, Rules, StepLife, transition};

/// Where a whole task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TaskState {
    /// Accepted; no step was begun.
    Waiting,
    /// A step was begun and not all have ended.
    Processing,
    /// All steps ended, well or badly, or it was aborted. Never left.
    Finished,
}

impl TaskState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Processing, Self::Finished];

    /// The number it is stored as.
    pub const fn code(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Processing => 1,
            Self::Finished => 2,
        }
    }

    /// The state stored as `code`.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StepState {
    /// Waits for other steps of its task.
    Blocked,
    /// May be claimed.
    Ready,
    /// Failed in a way that may pass; may be claimed later.
    Delayed,
    /// Claimed under a lease.
    Running,
    /// Done. Never left.
    Succeeded,
    /// Given up. Never left.
    Failed,
    /// Will not be done, because of an abort or of another step's failure. Never left.
    Cancelled,
}

impl StepState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Blocked,
        Self::Ready,
        Self::Delayed,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The number it is stored as; the partial indexes of the store rest on it.
    pub const fn code(self) -> i64 {
        match self {
            Self::Blocked => 0,
            Self::Ready => 1,
            Self::Delayed => 2,
            Self::Running => 3,
            Self::Succeeded => 4,
            Self::Failed => 5,
            Self::Cancelled => 6,
        }
    }

    /// The state stored as `code`.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Whether it is never left.
    pub const fn is_end(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Cancelled => true,
            Self::Blocked | Self::Ready | Self::Delayed | Self::Running => false,
        }
    }
}

/// When the caller wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum NotifyMode {
    /// Once, when the task has ended.
    #[default]
    Finish,
    /// When it is begun, when each step has ended, and when it has ended.
    Change,
}

/// Whom to tell, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notify {
    /// The receiver as the caller described it; only the sender understands it.
    pub target: Value,
    /// When to tell.
    pub mode: NotifyMode,
}

/// A task to be accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTask {
    /// The account that asked.
    pub account: i64,
    /// What kind of task, such as `WorkflowTask`; part of the public id.
    pub kind: String,
    /// −10 to 10; larger goes first.
    pub priority: i32,
    /// The caller's id against doubled requests; an empty one counts as none.
    pub session_id: Option<String>,
    /// The caller's words, handed back unchanged.
    pub session_context: String,
    /// The request as accepted; stored once, steps refer to it.
    pub request: Value,
    /// Whom to tell.
    pub notify: Option<Notify>,
    /// The work, at least one step.
    pub steps: Vec<NewStep>,
}

/// A step of a task to be accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct NewStep {
    /// The executor's name.
    pub kind: String,
    /// The class of workers that can do it; 0 is any.
    pub capability: i32,
    /// What the executor needs to know besides the task's request.
    pub params: Value,
    /// Indexes of earlier steps that must succeed first.
    pub after: Vec<usize>,
    /// Whether its failure fails the whole task and cancels what waits.
    pub is_gate: bool,
    /// Its weight in the fair share between accounts; 0 counts as 1.
    pub cost: u32,
}

/// A stored task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Grows with time; ours alone.
    pub id: i64,
    /// What callers know it by: `<account>-<kind>-<32 hex>tt1`.
    pub public_id: String,
    /// The account that asked.
    pub account: i64,
    /// What kind of task.
    pub kind: String,
    /// Where it stands.
    pub state: TaskState,
    /// −10 to 10.
    pub priority: i32,
    /// The caller's id against doubled requests, or empty.
    pub session_id: String,
    /// The caller's words.
    pub session_context: String,
    /// The request as accepted.
    pub request: Value,
    /// Whom to tell.
    pub notify: Option<Notify>,
    /// What a step found out about the source.
    pub metadata: Option<Value>,
    /// Why the whole task failed, when a gate step did.
    pub failure: Option<Failure>,
    /// Ended by its owner before it was begun.
    pub aborted: bool,
    /// When it was accepted, in milliseconds since the epoch.
    pub created_ms: Millis,
    /// When its first step was claimed.
    pub begun_ms: Option<Millis>,
    /// When it ended.
    pub finished_ms: Option<Millis>,
}

/// A stored step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Grows with time.
    pub id: i64,
    /// Its task.
    pub task: i64,
    /// Its place in the task, from 0.
    pub ordinal: i32,
    /// The executor's name.
    pub kind: String,
    /// The class of workers that can do it.
    pub capability: i32,
    /// Where it stands.
    pub state: StepState,
    /// How often it was claimed, hand-backs not counted.
    pub attempt: i32,
    /// How many of these attempts ended with a lost lease.
    pub losses: i32,
    /// Rises at each claim and each exit; only who knows it may write.
    pub fence: i64,
    /// 0 to 100; never falls.
    pub progress: u8,
    /// Whether its failure fails the whole task.
    pub is_gate: bool,
    /// Ordinals of the steps that must succeed first.
    pub after: Vec<usize>,
    /// What the executor needs to know.
    pub params: Value,
    /// What the executor gave back.
    pub result: Option<Value>,
    /// Why it failed, or why its last attempt did.
    pub failure: Option<Failure>,
    /// When it was first claimed, in milliseconds since the epoch.
    pub begun_ms: Option<Millis>,
    /// When it ended.
    pub finished_ms: Option<Millis>,
}

/// A task with all its steps in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskView {
    /// The task.
    pub task: Task,
    /// Its steps by ordinal.
    pub steps: Vec<Step>,
}

impl TaskView {
    /// How far the whole task is, 0 to 100: the mean of its steps, and 100 only when it has ended.
    pub fn progress(&self) -> u8 {
        match self.task.state {
            TaskState::Waiting => 0,
            TaskState::Finished => 100,
            TaskState::Processing => {
                let done = |step: &Step| if step.state.is_end() { 100 } else { usize::from(step.progress) };
                let sum: usize = self.steps.iter().map(done).sum();
                (sum / self.steps.len().max(1)).min(99) as u8
            }
        }
    }

    /// The part that decides, without the payloads.
    pub fn life(&self) -> Life {
        let step = |step: &Step| StepLife {
            state: step.state,
            attempt: step.attempt,
            losses: step.losses,
            fence: step.fence,
            progress: step.progress,
            is_gate: step.is_gate,
            after: step.after.clone(),
            failure: step.failure.clone(),
        };
        Life {
            state: self.task.state,
            aborted: self.task.aborted,
            failure: self.task.failure.clone(),
            steps: self.steps.iter().map(step).collect(),
        }
    }
}

/// The id that callers know a task by; `salt` makes it hard to guess.
pub fn public_id(account: i64, kind: &str, id: i64, salt: u64) -> String {
    format!("{account}-{kind}-{id:016x}{salt:016x}tt1")
}

/// The stored id inside a public one, if it has the right form. Whether the rest fits must still be compared.
pub fn id_in(public_id: &str) -> Option<i64> {
    let (_, tail) = public_id.rsplit_once('-')?;
    let hex = tail.strip_suffix("tt1").filter(|hex| hex.len() == 32 && hex.is_ascii())?;
    i64::from_str_radix(&hex[..16], 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_id_names_account_and_kind_and_holds_the_id() {
        let public = public_id(1_250_000_000, "WorkflowTask", 42, 7);
        assert_eq!(public, "1250000000-WorkflowTask-000000000000002a0000000000000007tt1");
        assert_eq!(id_in(&public), Some(42));
    }

    #[test]
    fn what_is_no_public_id_holds_no_id() {
        for wrong in
            ["", "1-WorkflowTask-", "1-WorkflowTask-12tt1", "x-y-zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzztt1"]
        {
            assert_eq!(id_in(wrong), None, "{wrong}");
        }
        let wide = format!("1-W-{}tt1", "é".repeat(16));
        assert_eq!(id_in(&wide), None);
    }

    #[test]
    fn codes_lead_back_to_their_states() {
        assert!(TaskState::ALL.iter().all(|s| TaskState::from_code(s.code()) == Some(*s)));
        assert!(StepState::ALL.iter().all(|s| StepState::from_code(s.code()) == Some(*s)));
        assert_eq!(StepState::from_code(9), None);
    }
}
