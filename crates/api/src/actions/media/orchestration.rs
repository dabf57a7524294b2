//! What a call of `ProcessMedia` takes from an orchestration: its own graph, or that of a stored one with the places
//! and the receiver that go with it.

use mps_media::schedule::graph;
use mps_wire::types::{ProcessMediaRequest, TaskNotifyConfig, TaskOutputStorage};
use mps_wire::{ApiError, codes};
use serde::Deserialize;
use serde_json::Value;

use crate::actions::schedules;
use crate::app::App;

/// An orchestration that a task runs.
pub(super) struct Orchestration {
    /// Its graph, in the API's words.
    pub(super) activities: Value,
    /// The stored one; null when the call brings a graph of its own.
    stored: Value,
}

/// The orchestration that a call asks for, if it does; a graph of its own outranks a number.
pub(super) async fn asked(app: &App, account: i64, body: &Value) -> Result<Option<Orchestration>, ApiError> {
    let found = match (&body["Activities"], body["ScheduleId"].as_i64()) {
        (Value::Null, None | Some(0)) => return Ok(None),
        (Value::Null, Some(id)) => {
            let stored = schedules::body(app, account, id).await?;
            Orchestration { activities: stored["Activities"].clone(), stored }
        }
        (own, _) => Orchestration { activities: own.clone(), stored: Value::Null },
    };
    if !body["MediaProcessTask"].is_null() {
        return Err(codes::invalid_parameter_value(
            "`MediaProcessTask` cannot be given with `ScheduleId` or `Activities`: the activities say what is to be done",
        ));
    }
    Ok(Some(found))
}

impl Orchestration {
    /// Gives `request` what it leaves to the orchestration: where outputs go.
    pub(super) fn complete(&self, request: &mut ProcessMediaRequest) {
        if request.output_storage.is_none() {
            request.output_storage = TaskOutputStorage::deserialize(&self.stored["OutputStorage"]).ok();
        }
        if request.output_dir.as_deref().unwrap_or_default().is_empty() {
            request.output_dir = self.stored["OutputDir"].as_str().map(str::to_owned);
        }
    }

    /// Whom the orchestration tells, typed and as it was sent.
    pub(super) fn notify(&self) -> (Option<TaskNotifyConfig>, Option<&Value>) {
        let told = &self.stored["TaskNotifyConfig"];
        (TaskNotifyConfig::deserialize(told).ok(), Some(told))
    }

    /// The activities as an answer shows them.
    pub(super) fn shown(&self) -> Value {
        graph::with_fronts(&self.activities)
    }
}
