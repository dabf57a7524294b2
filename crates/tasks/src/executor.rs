//! What does the work of one kind of step, and what it is given and gives back.

use std::sync::Arc;

use async_trait::async_trait;
use mps_core::Result;
use mps_core::task::{Step, Task};
use mps_store::objects::PublishObject;
use mps_store::usage::Usage;
use serde_json::Value;

use crate::Lease;

/// Does the steps of one kind.
///
/// An attempt may be the second of the same step, and an earlier one may still be running elsewhere: outside effects
/// must bear repetition, and [`Lease::check`] comes before each of them. The error's `retry` decides whether there
/// is another attempt; its context may carry `err_code` and `err_ext` for what the owner is shown.
#[async_trait]
pub trait Executor: Send + Sync + 'static {
    /// The kind of its steps.
    fn kind(&self) -> &'static str;

    /// Does one step. Ends soon after the lease's token fires; what it returns then is void.
    async fn run(&self, job: Job) -> Result<Outcome>;
}

/// One attempt of one step.
#[derive(Debug, Clone)]
pub struct Job {
    /// The task.
    pub task: Arc<Task>,
    /// All its steps as of the claim, so that a later step sees the results of earlier ones.
    pub steps: Vec<Step>,
    /// The step to do.
    pub step: Step,
    /// The right to do it.
    pub lease: Lease,
}

/// What a successful attempt leaves.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Kept with the step.
    pub result: Value,
    /// What was found out about the source; kept with the task.
    pub metadata: Option<Value>,
    /// Objects of local buckets that become visible in the same transaction as the success.
    pub publish: Vec<PublishObject>,
    /// What was used.
    pub usage: Vec<Usage>,
}
