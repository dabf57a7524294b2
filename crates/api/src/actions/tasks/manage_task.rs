//! `ManageTask`: ends a task that has not begun.
//!
//! Only `Abort` exists. A task can be ended while it waits; once work has begun it runs
//! to its end, and a task that has ended cannot end again.

use mps_core::Kind;
use mps_wire::types::{ManageTaskRequest, ManageTaskResponse};
use mps_wire::{ApiError, codes};

use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::error;

/// Ends a task.
pub(super) struct ManageTask;

impl Action for ManageTask {
    const NAME: &'static str = "ManageTask";
    type Request = ManageTaskRequest;
    type Response = ManageTaskResponse;

    async fn handle(app: &App, call: Call<ManageTaskRequest>) -> Result<ManageTaskResponse, ApiError> {
        let operation = call.request.operation_type.unwrap_or_default();
        if operation != "Abort" {
            let told = format!("`OperationType` is Abort, not {operation:?}");
            return Err(codes::invalid_parameter_value_invalid_operation_type(told));
        }
        let id = super::as_given(call.request.task_id);
        app.engine.abort(call.caller.account, &id).await.map_err(|e| match e.kind() {
            Kind::NotFound => super::not_found(&id),
            Kind::Conflict => codes::invalid_parameter_value(e.message().to_owned()),
            _ => error::answer(e),
        })?;
        Ok(ManageTaskResponse::default())
    }
}
