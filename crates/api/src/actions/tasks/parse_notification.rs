//! `ParseNotification`: the typed form of the text that a callback carried.
//!
//! Takes the whole body as received and gives back the same fields. A text that no server of this API sends,
//! such as broken JSON, an unknown event or an event without its object, is `InvalidContent`.

use mps_wire::types::{ParseNotificationRequest, ParseNotificationResponse};
use mps_wire::{ApiError, codes};

use crate::app::App;
use crate::dispatch::{Action, Call};

/// Reads a callback.
pub(super) struct ParseNotification;

impl Action for ParseNotification {
    const NAME: &'static str = "ParseNotification";
    type Request = ParseNotificationRequest;
    type Response = ParseNotificationResponse;

    async fn handle(
        _: &App,
        call: Call<ParseNotificationRequest>,
    ) -> Result<ParseNotificationResponse, ApiError> {
        parse(&call.request.content.unwrap_or_default())
    }
}

fn parse(content: &str) -> Result<ParseNotificationResponse, ApiError> {
    let invalid = |why: String| codes::invalid_parameter_value_invalid_content(format!("`Content`: {why}"));
    let event: ParseNotificationResponse =
        serde_json::from_str(content).map_err(|e| invalid(format!("not the text of a callback: {e}")))?;
    let has_object = match event.event_type.as_str() {
        "WorkflowTask" => event.workflow_task_event.is_some(),
        "EditMediaTask" => event.edit_media_task_event.is_some(),
        "ScheduleTask" => event.schedule_task_event.is_some(),
        "BatchTask" => event.batch_task_event.is_some(),
        "ExtractBlindWatermark" => event.extract_blind_watermark_task.is_some(),
        other => return Err(invalid(format!("no event is called {other:?}"))),
    };
    if has_object {
        return Ok(event);
    }
    Err(invalid(format!("the event {} comes without its object", event.event_type)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_event_comes_back_typed() {
        let body = r#"{"EventType":"WorkflowTask","WorkflowTaskEvent":{"TaskId":"1-WorkflowTask-a","Status":"FINISH"},
            "SessionId":"s","SessionContext":"c","Timestamp":1633046400,"Sign":"ab"}"#;
        let event = parse(body).unwrap();
        let task = event.workflow_task_event.unwrap();
        assert_eq!((task.task_id.as_str(), task.status.as_str()), ("1-WorkflowTask-a", "FINISH"));
        assert_eq!((event.session_id.as_str(), event.timestamp), ("s", 1_633_046_400));
    }

    #[test]
    fn what_no_callback_says_is_invalid_content() {
        for text in ["", "{", "[]", "7", "{}", r#"{"EventType":"Nonsense"}"#, r#"{"EventType":"WorkflowTask"}"#,
            r#"{"EventType":"WorkflowTask","WorkflowTaskEvent":7}"#]
        {
            assert_eq!(parse(text).unwrap_err().code, "InvalidParameterValue.InvalidContent", "{text}");
        }
    }
}
