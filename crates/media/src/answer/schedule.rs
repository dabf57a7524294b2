//! A stored task of an orchestration as the structure `ScheduleTask`.

use mps_core::media_info::MediaInfo;
use mps_core::task::{Failure, Step, StepState, TaskState, TaskView};
use mps_wire::types::{ActivityResult, MediaInputInfo, ScheduleTask};
use serde_json::json;

use super::metadata;
use super::task::read;
use crate::schedule::graph;

/// The kind of tasks that run an orchestration.
pub const SCHEDULE: &str = "ScheduleTask";

/// The structure; secrets are still in it.
pub fn schedule(view: &TaskView) -> ScheduleTask {
    let TaskView { task, .. } = view;
    let failure = task.failure.as_ref();
    let skips_metadata = task.request["SkipMateData"].as_i64() == Some(1);
    let info: Option<MediaInfo> = task.metadata.as_ref().and_then(read);
    ScheduleTask {
        task_id: task.public_id.clone(),
        // The structure has no word for a task that waits.
        status: if task.state == TaskState::Finished { "FINISH" } else { "PROCESSING" }.to_owned(),
        err_code: failure.map_or(0, |failure| failure.code),
        message: failure.map(|failure| failure.message.clone()).unwrap_or_default(),
        input_info: read::<MediaInputInfo>(&task.request["InputInfo"]),
        meta_data: info.filter(|_| !skips_metadata).map(|info| metadata::describe(&info)),
        activity_result_set: results(view),
    }
}

/// What became of each activity, in the order of the graph's list.
fn results(view: &TaskView) -> Vec<ActivityResult> {
    let Ok(mut graph) = graph::read(&view.task.request["Activities"]) else { return Vec::new() };
    graph.nodes.sort_by_key(|node| node.place);
    let told = graph.nodes.iter().map(|node| {
        let words = node.feature.words();
        let is_its =
            |step: &&Step| step.params["item"].as_u64() == Some(node.place as u64) && step.kind == words.kind;
        let step = view.steps.iter().find(is_its);
        let failure = view.task.failure.clone().or_else(|| step.and_then(|step| before(view, step)));
        let result = node.feature.to_wire(node.item, step, failure.as_ref());
        let result = json!({"ActivityType": words.result, "ActivityResItem": {words.member: result}});
        serde_json::from_value(result).unwrap_or_default()
    });
    told.collect()
}

/// Why `step` was not done: something before it failed.
fn before(view: &TaskView, step: &Step) -> Option<Failure> {
    if step.state != StepState::Cancelled {
        return None;
    }
    let parents = step.after.iter().filter_map(|ordinal| view.steps.get(*ordinal));
    let failed = parents.filter(|parent| parent.state != StepState::Succeeded).find_map(|parent| {
        let failed = || parent.failure.clone().filter(|_| parent.state == StepState::Failed);
        failed().or_else(|| before(view, parent))
    })?;
    let message = format!("an activity before this one failed: {}", failed.message);
    Some(if failed.message.starts_with("an activity before") {
        failed
    } else {
        Failure { message, ..failed }
    })
}
