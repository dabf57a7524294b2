//! How a task looks to its owner; the engine stores what this says and does not read it.

use mps_core::task::TaskView;
use serde_json::Value;

/// Words the callbacks and the answer of a task.
pub trait Shape: Send + Sync + 'static {
    /// The callback's body for the state the task has just reached, or none when nothing is to be told.
    fn event(&self, view: &TaskView) -> Option<Value>;

    /// The ready-made answer of an ended task, stored with it.
    fn answer(&self, view: &TaskView) -> Option<Value>;

    /// A name that all targets share whose receivers fail together, such as `host:port`. By default each different
    /// target is a receiver of its own.
    fn destination(&self, target: &Value) -> String {
        target.to_string()
    }
}

/// Tells the task as it is; for tests and measurements.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain;

impl Shape for Plain {
    fn event(&self, view: &TaskView) -> Option<Value> {
        let steps: Vec<_> = view.steps.iter().map(|step| format!("{:?}", step.state)).collect();
        let state = format!("{:?}", view.task.state);
        Some(serde_json::json!({"state": state, "progress": view.progress(), "steps": steps}))
    }

    fn answer(&self, view: &TaskView) -> Option<Value> {
        serde_json::to_value(view).ok()
    }
}
