//! What every call that starts a task ends with: the account's limit, and the engine.

use mps_core::Kind;
use mps_core::task::{NewTask, TaskState};
use mps_tasks::ListFilter;
use mps_wire::{ApiError, codes};
use serde_json::Value;

use crate::app::App;
use crate::error;

/// Gives a checked task to the engine, `once` if it has such a reason (see [`mps_tasks::Engine::accept_once`]); its
/// public id.
pub(super) async fn accept(app: &App, task: NewTask, once: Option<String>) -> Result<String, ApiError> {
    check_backlog(app, task.account).await?;
    Ok(app.engine.accept_once(task, once).await.map_err(refused_by_engine)?.public_id)
}

/// A step's parameters as JSON.
pub(super) fn params(value: &impl serde::Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(value).map_err(|e| {
        error::answer(mps_core::Error::internal("cannot write the parameters of a step").because(e))
    })
}

/// Counts what the account has waiting and running, where the operator limits it.
async fn check_backlog(app: &App, account: i64) -> Result<(), ApiError> {
    let at_most = app.limits.tasks_per_account;
    if at_most == 0 {
        return Ok(());
    }
    let mut open = 0;
    for state in [TaskState::Waiting, TaskState::Processing] {
        let filter = ListFilter { state: Some(state), limit: 1, ..ListFilter::default() };
        open += app.engine.list(account, &filter).await.map_err(error::answer)?.total.unsigned_abs();
    }
    if open < at_most {
        return Ok(());
    }
    Err(codes::limit_exceeded_create_task(format!(
        "account {account} has {open} tasks waiting or running already"
    )))
}

fn refused_by_engine(e: mps_core::Error) -> ApiError {
    if e.kind() == Kind::Conflict {
        let told = "a task with this `SessionId` was accepted within the last three days";
        return codes::invalid_parameter_value_session_id(told);
    }
    error::answer(e)
}
