//! Callbacks: their bodies, and reading them back.

use std::fmt::Write as _;

use md5::{Digest, Md5};
use mps_core::clock::Millis;
use mps_core::task::{NotifyMode, TaskState, TaskView};
use mps_wire::ApiError;
use mps_wire::codes::invalid_parameter_value_invalid_content;
use mps_wire::types::ParseNotificationResponse;
use serde_json::Value;

use super::edit;
use super::schedule::{SCHEDULE, schedule};
use super::task::{EDIT, WORKFLOW, printed, type_word, workflow};

/// How long a signed callback is valid, in seconds.
const VALID_S: i64 = 600;

/// The body for the task as it stands; `None` when its owner wants to hear nothing of this state.
pub fn body(view: &TaskView, now_ms: Millis) -> Option<Value> {
    let notify = view.task.notify.as_ref()?;
    if notify.mode == NotifyMode::Finish && view.task.state != TaskState::Finished {
        return None;
    }
    let mut event = ParseNotificationResponse {
        event_type: type_word(&view.task.kind).to_owned(),
        edit_media_task_event: (view.task.kind == EDIT).then(|| edit::edit(view)),
        workflow_task_event: (view.task.kind == WORKFLOW).then(|| workflow(view)),
        schedule_task_event: (view.task.kind == SCHEDULE).then(|| schedule(view)),
        session_id: view.task.session_id.clone(),
        session_context: view.task.session_context.clone(),
        ..ParseNotificationResponse::default()
    };
    if let Some(key) = notify.target["NotifyKey"].as_str().filter(|key| !key.is_empty()) {
        event.timestamp = now_ms.div_euclid(1000) + VALID_S;
        event.sign = sign(event.timestamp, key);
    }
    Some(printed(&event))
}

/// MD5 of the decimal time followed by the key, in hex.
pub fn sign(timestamp: i64, key: &str) -> String {
    let digest = Md5::digest(format!("{timestamp}{key}"));
    digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Kinds of events, and the member that each fills.
const EVENTS: &[(&str, &str)] = &[
    (WORKFLOW, "WorkflowTaskEvent"),
    ("EditMediaTask", "EditMediaTaskEvent"),
    (SCHEDULE, "ScheduleTaskEvent"),
    ("BatchTask", "BatchTaskEvent"),
    ("ExtractBlindWatermark", "ExtractBlindWatermarkTask"),
];
/// The old name of a workflow's event, and of its member.
const LEGACY: (&str, &str) = ("ProcedureStateChanged", "ProcedureStateChangeEvent");

/// The answer of ParseNotification for the text of a callback.
///
/// # Errors
/// `InvalidParameterValue.InvalidContent` when the text is not an event of a known kind with its member filled.
pub fn parse(content: &str) -> Result<Value, ApiError> {
    let bad = |why: String| {
        invalid_parameter_value_invalid_content(format!("Content is not a notification: {why}"))
    };
    let mut event: Value = serde_json::from_str(content).map_err(|error| bad(error.to_string()))?;
    let Some(map) = event.as_object_mut() else { return Err(bad("not a JSON object".to_owned())) };
    let kind = map.get("EventType").and_then(Value::as_str).unwrap_or_default().to_owned();
    let kind = if kind == LEGACY.0 {
        if let Some(old) = map.remove(LEGACY.1) {
            map.entry("WorkflowTaskEvent").or_insert(old);
        }
        map.insert("EventType".to_owned(), Value::from(WORKFLOW));
        WORKFLOW.to_owned()
    } else {
        kind
    };
    let Some((_, member)) = EVENTS.iter().find(|(word, _)| *word == kind) else {
        return Err(bad(format!("unknown EventType {:?}", kind.chars().take(80).collect::<String>())));
    };
    let task_id = map.get(*member).and_then(|event| event["TaskId"].as_str()).unwrap_or_default();
    if task_id.is_empty() {
        return Err(bad(format!("{member}.TaskId is missing")));
    }
    let answer: ParseNotificationResponse =
        serde_json::from_value(event).map_err(|error| bad(error.to_string()))?;
    serde_json::to_value(answer).map_err(|error| bad(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_md5_of_time_and_key() {
        assert_eq!(sign(1_633_046_400, "key"), format!("{:x}", Md5::digest("1633046400key")));
    }

    #[test]
    fn the_old_name_is_read_as_the_new_one() {
        let text = r#"{"EventType":"ProcedureStateChanged","ProcedureStateChangeEvent":
            {"TaskId":"1256768367-Procedure-475bt1","Status":"FINISH","ErrCode":0,"Message":""}}"#;
        let answer = parse(text).unwrap();
        assert_eq!(answer["EventType"], "WorkflowTask");
        assert_eq!(answer["WorkflowTaskEvent"]["TaskId"], "1256768367-Procedure-475bt1");
        assert_eq!(answer["ScheduleTaskEvent"], Value::Null);
    }

    #[test]
    fn anything_else_is_invalid_content() {
        for text in [
            "",
            "hello",
            "[]",
            "null",
            "{}",
            r#"{"EventType":"Nothing"}"#,
            r#"{"EventType":"WorkflowTask"}"#,
            r#"{"EventType":"WorkflowTask","WorkflowTaskEvent":{"TaskId":5}}"#,
            r#"{"EventType":"WorkflowTask","WorkflowTaskEvent":{"TaskId":"x","ErrCode":"no"}}"#,
        ] {
            assert_eq!(parse(text).unwrap_err().code, "InvalidParameterValue.InvalidContent", "{text}");
        }
    }
}
