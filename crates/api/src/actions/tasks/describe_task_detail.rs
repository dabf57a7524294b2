//! `DescribeTaskDetail`: how far a task is and what came of it.
//!
//! The answer of a task that has ended was written together with its end, and is handed out as stored.

use mps_core::Error;
use mps_tasks::Described;
use mps_wire::ApiError;
use mps_wire::types::DescribeTaskDetailRequest;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::error;

/// Tells of a task.
pub(super) struct DescribeTaskDetail;

/// `DescribeTaskDetailResponse`, made now or when the task ended.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Detail {
    /// The task has not ended.
    Now(Value),
    /// It has; the text is the response as JSON.
    Stored(Box<RawValue>),
}

impl Action for DescribeTaskDetail {
    const NAME: &'static str = "DescribeTaskDetail";
    type Request = DescribeTaskDetailRequest;
    type Response = Detail;

    async fn handle(app: &App, call: Call<DescribeTaskDetailRequest>) -> Result<Detail, ApiError> {
        let id = super::as_given(call.request.task_id);
        let found = app.engine.describe(call.caller.account, &id).await.map_err(error::answer)?;
        match found {
            Some(Described::View(view)) => Ok(Detail::Now(mps_media::answer::detail(&view))),
            Some(Described::Ready(text)) => RawValue::from_string(text).map(Detail::Stored).map_err(|e| {
                error::answer(Error::internal("a stored answer is not JSON").with("task", id).because(e))
            }),
            None => Err(super::not_found(&id)),
        }
    }
}
