//! A stored edit as the structure `EditMediaTask`.

use mps_core::task::{Failure, Step, StepState, TaskState, TaskView};
use mps_wire::types::{
    EditMediaFileInfo, EditMediaTask, EditMediaTaskInput, EditMediaTaskOutput, MediaMetaData,
    TaskOutputStorage,
};

use super::metadata;
use super::task::read;
use crate::edit::StepResult;
use crate::features::outcome::PLAYLIST_FORMAT;

/// The structure; secrets are still in it.
pub fn edit(view: &TaskView) -> EditMediaTask {
    let TaskView { task, steps } = view;
    let is_over = task.state == TaskState::Finished;
    let done = steps.iter().find(|step| step.state == StepState::Succeeded);
    let aborted = (is_over && done.is_none()).then(Failure::aborted);
    let failure = task.failure.clone().or(aborted);
    let result = |step: &Step| step.result.as_ref().and_then(read::<StepResult>).unwrap_or_default();
    let output = done.map(|step| output(&result(step), &step.params));
    EditMediaTask {
        task_id: task.public_id.clone(),
        // The structure has no word for a task that waits.
        status: if is_over { "FINISH" } else { "PROCESSING" }.to_owned(),
        err_code: failure.as_ref().map_or(0, |failure| failure.code),
        message: match (failure, is_over) {
            (Some(failure), _) => failure.message,
            (None, true) => "SUCCESS".to_owned(),
            (None, false) => String::new(),
        },
        input: Some(EditMediaTaskInput {
            file_info_set: read::<Vec<EditMediaFileInfo>>(&task.request["FileInfos"]).unwrap_or_default(),
        }),
        output,
    }
}

fn output(result: &StepResult, params: &serde_json::Value) -> EditMediaTaskOutput {
    EditMediaTaskOutput {
        output_storage: read::<TaskOutputStorage>(&params["storage"]),
        path: result.path.clone(),
        meta_data: Some(described(result)),
    }
}

/// What the output holds; a playlist is as large as all its objects.
fn described(result: &StepResult) -> MediaMetaData {
    let meta = metadata::describe(&result.info);
    let size = i64::try_from(result.size_bytes).unwrap_or(i64::MAX);
    if result.playlist_duration_us == 0 {
        return MediaMetaData { size, ..meta };
    }
    let duration = result.playlist_duration_us as f64 / 1e6;
    MediaMetaData { size, duration, container: PLAYLIST_FORMAT.to_owned(), ..meta }
}
