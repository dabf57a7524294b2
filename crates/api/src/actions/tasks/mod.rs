//! Asking for tasks, ending them, and reading what their callbacks say.

mod describe_task_detail;
mod describe_tasks;
mod manage_task;
mod parse_notification;

use crate::dispatch::Entry;

pub(super) const ACTIONS: &[Entry] = &[
    Entry::of::<describe_task_detail::DescribeTaskDetail>(),
    Entry::of::<describe_tasks::DescribeTasks>(),
    Entry::of::<manage_task::ManageTask>(),
    Entry::of::<parse_notification::ParseNotification>(),
];

/// A task's id as it was given out: the API's own texts print the ids of edits in two ways.
fn as_given(id: Option<String>) -> String {
    id.unwrap_or_default().replacen("-EditMediaTask-", "-EditMedia-", 1)
}

/// The caller has no task of this id.
fn not_found(id: &str) -> mps_wire::ApiError {
    let shown: String = id.chars().filter(|c| !c.is_control()).take(120).collect();
    mps_wire::codes::resource_not_found_task_not_found(format!("there is no task {shown:?}"))
}
