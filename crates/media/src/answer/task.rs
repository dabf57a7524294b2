//! A stored task as the answer of DescribeTaskDetail.

use mps_core::media_info::MediaInfo;
use mps_core::task::{Step, Task, TaskState, TaskView};
use mps_wire::types::{
    DescribeTaskDetailResponse, MediaInputInfo, MediaProcessTaskResult, TaskNotifyConfig, WorkflowTask,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::edit;
use super::schedule::{SCHEDULE, schedule};
use super::times::iso;
use crate::features;

/// The kind of tasks that ProcessMedia makes.
pub const WORKFLOW: &str = "WorkflowTask";

/// The kind of tasks that EditMedia makes: the API's ids have this word, its lists and events say `EditMediaTask`.
pub const EDIT: &str = "EditMedia";

/// The API's word for a kind of tasks, in lists and events.
pub fn type_word(kind: &str) -> &str {
    if kind == EDIT { "EditMediaTask" } else { kind }
}

/// The `WorkflowTask` structure; secrets are still in it.
pub fn workflow(view: &TaskView) -> WorkflowTask {
    let TaskView { task, steps } = view;
    let failure = task.failure.as_ref();
    let skips_metadata = task.request["SkipMateData"].as_i64() == Some(1);
    let info: Option<MediaInfo> = task.metadata.as_ref().and_then(read);
    WorkflowTask {
        task_id: task.public_id.clone(),
        // The structure has no word for a task that waits.
        status: if task.state == TaskState::Finished { "FINISH" } else { "PROCESSING" }.to_owned(),
        err_code: failure.map_or(0, |f| f.code),
        message: failure.map(|f| f.message.clone()).unwrap_or_default(),
        input_info: read::<MediaInputInfo>(&task.request["InputInfo"]),
        meta_data: info.filter(|_| !skips_metadata).map(|info| super::metadata::describe(&info)),
        media_process_result_set: results(task, steps),
        ..WorkflowTask::default()
    }
}

/// The items of the request, feature by feature and each list in its order, with what became of them.
fn results(task: &Task, steps: &[Step]) -> Vec<MediaProcessTaskResult> {
    let mut results = Vec::new();
    for feature in features::ALL {
        let words = feature.words();
        let items = task.request["MediaProcessTask"][words.list].as_array().map(Vec::as_slice);
        let step_of = |nth: usize| {
            steps
                .iter()
                .find(|step| step.kind == words.kind && step.params["item"].as_u64() == Some(nth as u64))
        };
        for (nth, item) in items.unwrap_or_default().iter().enumerate() {
            let told = feature.to_wire(item, step_of(nth), task.failure.as_ref());
            let result = json!({"Type": words.result, words.member: told});
            results.push(serde_json::from_value(result).unwrap_or_default());
        }
    }
    results
}

/// The answer of DescribeTaskDetail, without `RequestId`.
pub fn detail(view: &TaskView) -> Value {
    let task = &view.task;
    let notify = task.notify.as_ref().map(|notify| &notify.target);
    let answer = DescribeTaskDetailResponse {
        task_type: type_word(&task.kind).to_owned(),
        status: status(task.state).to_owned(),
        create_time: iso(Some(task.created_ms)),
        begin_process_time: iso(task.begun_ms),
        finish_time: iso(task.finished_ms),
        edit_media_task: (task.kind == EDIT).then(|| edit::edit(view)),
        workflow_task: (task.kind == WORKFLOW).then(|| workflow(view)),
        schedule_task: (task.kind == SCHEDULE).then(|| schedule(view)),
        task_notify_config: notify.and_then(read::<TaskNotifyConfig>),
        tasks_priority: i64::from(task.priority),
        session_id: task.session_id.clone(),
        session_context: task.session_context.clone(),
        ..DescribeTaskDetailResponse::default()
    };
    printed(&answer)
}

/// The word of a task's state.
pub const fn status(state: TaskState) -> &'static str {
    match state {
        TaskState::Waiting => "WAITING",
        TaskState::Processing => "PROCESSING",
        TaskState::Finished => "FINISH",
    }
}

pub(super) fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    if value.is_null() { None } else { serde_json::from_value(value.clone()).ok() }
}

/// As JSON, without secrets.
pub(super) fn printed<T: serde::Serialize>(answer: &T) -> Value {
    let mut value = serde_json::to_value(answer).unwrap_or(Value::Null);
    mps_wire::redact(&mut value);
    value
}
