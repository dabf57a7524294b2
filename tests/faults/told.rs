//! What a receiver must have been told of a task.

use mps_testkit::receiver::Received;
use serde_json::Value;

/// The events of a task, one call for each, in order.
///
/// Panics if an event had two bodies, came again after a later one, or was not counted up from try to try.
pub(crate) fn events(calls: &[Received]) -> Vec<Received> {
    let mut events: Vec<Received> = Vec::new();
    for call in calls {
        assert!(!call.event_id.is_empty(), "{call:?}");
        let known = events.iter().position(|event| event.event_id == call.event_id);
        let Some(at) = known else {
            events.push(call.clone());
            continue;
        };
        assert_eq!(at + 1, events.len(), "an earlier event came after a later one: {calls:#?}");
        let event = &mut events[at];
        assert_eq!(event.text, call.text, "one event, two bodies");
        assert!(number(&call.attempt) > number(&event.attempt), "tries are not counted up: {calls:#?}");
        event.attempt.clone_from(&call.attempt);
    }
    events
}

/// Whether the last event tells of the end.
pub(crate) fn is_over(events: &[Received]) -> bool {
    events.last().is_some_and(|event| event.body()["WorkflowTaskEvent"]["Status"] == "FINISH")
}

/// Checks the events of a task that has ended, of which `detail` is known.
pub(crate) fn check(events: &[Received], detail: &Value) {
    let ends = events.iter().filter(|event| event.body()["WorkflowTaskEvent"]["Status"] == "FINISH").count();
    assert_eq!(ends, 1, "the end is told once: {events:#?}");
    let last = events.last().map(Received::body).unwrap_or_default();
    assert_eq!(last["EventType"], "WorkflowTask");
    assert_eq!(last["WorkflowTaskEvent"], detail["WorkflowTask"], "the end is told as it is");
    let mut before = 0;
    for event in events {
        let body = event.body();
        let told = &body["WorkflowTaskEvent"];
        assert_eq!(told["TaskId"], detail["WorkflowTask"]["TaskId"]);
        let results = told["MediaProcessResultSet"].as_array().cloned().unwrap_or_default();
        let progress = results.iter().filter_map(|item| item["TranscodeTask"]["Progress"].as_i64()).sum();
        assert!(progress >= before, "progress falls from {before} to {progress}: {events:#?}");
        before = progress;
    }
}

fn number(text: &str) -> u32 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

mod checks {
    use std::time::Instant;

    use super::*;

    fn call(event: &str, attempt: &str, text: &str) -> Received {
        Received {
            at: Instant::now(),
            method: "POST".to_owned(),
            target: "/".to_owned(),
            content_type: String::new(),
            event_id: event.to_owned(),
            attempt: attempt.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_repeated_event_is_one_event() {
        let calls = [call("a", "1", "A"), call("a", "3", "A"), call("b", "1", "B")];
        let ids: Vec<String> = events(&calls).into_iter().map(|event| event.event_id).collect();
        assert_eq!(ids, ["a", "b"]);
    }

    #[test]
    #[should_panic(expected = "one event, two bodies")]
    fn an_event_with_two_bodies_is_noticed() {
        events(&[call("a", "1", "A"), call("a", "2", "B")]);
    }

    #[test]
    #[should_panic(expected = "after a later one")]
    fn an_event_out_of_order_is_noticed() {
        events(&[call("a", "1", "A"), call("b", "1", "B"), call("a", "2", "A")]);
    }

    #[test]
    #[should_panic(expected = "not counted up")]
    fn a_try_that_is_not_counted_is_noticed() {
        events(&[call("a", "1", "A"), call("a", "1", "A")]);
    }
}
