//! `DescribeTasks`: the caller's tasks of one state, newest first, page by page.
//!
//! `TotalCount` counts all tasks that fit the filter, on every page alike. The token of the last page is empty.

use mps_core::Kind;
use mps_core::task::TaskState;
use mps_media::answer::task::type_word;
use mps_media::answer::times::iso;
use mps_media::features::of_kind;
use mps_tasks::{ListFilter, Summary};
use mps_wire::types::{DescribeTasksRequest, DescribeTasksResponse, TaskSimpleInfo};
use mps_wire::{ApiError, codes};

use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::{error, times};

const LIMIT: u64 = 10;
const LIMIT_AT_MOST: u64 = 100;

/// Lists tasks.
pub(super) struct DescribeTasks;

impl Action for DescribeTasks {
    const NAME: &'static str = "DescribeTasks";
    type Request = DescribeTasksRequest;
    type Response = DescribeTasksResponse;

    async fn handle(app: &App, call: Call<DescribeTasksRequest>) -> Result<DescribeTasksResponse, ApiError> {
        let filter = filter(call.request)?;
        let page = app.engine.list(call.caller.account, &filter).await.map_err(|e| match e.kind() {
            Kind::InvalidInput => codes::invalid_parameter_value(format!("`ScrollToken`: {}", e.message())),
            _ => error::answer(e),
        })?;
        Ok(DescribeTasksResponse {
            task_set: page.tasks.iter().map(row).collect(),
            scroll_token: page.next_token,
            total_count: page.total.unsigned_abs(),
        })
    }
}

fn filter(request: DescribeTasksRequest) -> Result<ListFilter, ApiError> {
    let state = match request.status.as_deref().unwrap_or_default() {
        "WAITING" => TaskState::Waiting,
        "PROCESSING" => TaskState::Processing,
        "FINISH" => TaskState::Finished,
        other => {
            let told = format!("`Status` is WAITING, PROCESSING or FINISH, not {other:?}");
            return Err(codes::invalid_parameter_value(told));
        }
    };
    let limit = request.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_AT_MOST).contains(&limit) {
        let told = format!("`Limit` is 1 to {LIMIT_AT_MOST}, not {limit}");
        return Err(codes::invalid_parameter_value_limit(told));
    }
    let from_ms = times::read("StartTime", request.start_time.as_deref())?;
    let to_ms = times::read("EndTime", request.end_time.as_deref())?;
    if from_ms.zip(to_ms).is_some_and(|(from, to)| from > to) {
        return Err(codes::invalid_parameter_value("`StartTime` is later than `EndTime`"));
    }
    Ok(ListFilter {
        state: Some(state),
        has_failed_step: request.sub_task_has_failed,
        limit: limit as i64,
        token: request.scroll_token.unwrap_or_default(),
        from_ms,
        to_ms,
    })
}

fn row(task: &Summary) -> TaskSimpleInfo {
    let mut kinds: Vec<String> = task
        .step_kinds
        .iter()
        .filter_map(|kind| of_kind(kind))
        .map(|feature| feature.words().activity.to_owned())
        .collect();
    kinds.dedup();
    TaskSimpleInfo {
        task_id: task.public_id.clone(),
        task_type: type_word(&task.kind).to_owned(),
        create_time: iso(Some(task.created_ms)),
        begin_process_time: iso(task.begun_ms),
        finish_time: iso(task.finished_ms),
        sub_task_types: kinds,
    }
}
