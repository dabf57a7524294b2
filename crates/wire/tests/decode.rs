//! What the decoder accepts, what it refuses, and how it names the place.

use mps_wire::types::{CreateTranscodeTemplateRequest, DescribeTasksRequest, ProcessMediaRequest};
use mps_wire::{ApiError, Refused, decode, decode_value};
use serde_json::{Value, json};

fn media(extra: &Value) -> Value {
    let mut request = json!({
        "InputInfo": {"Type": "URL", "UrlInputInfo": {"Url": "http://example.com/a.mp4"}},
        "MediaProcessTask": {"TranscodeTaskSet": [{"Definition": 100_010}]},
    });
    let map = request.as_object_mut().unwrap();
    map.extend(extra.as_object().unwrap().clone());
    request
}

fn refusal(extra: &Value) -> ApiError {
    decode::<ProcessMediaRequest>("ProcessMedia", media(extra), &[]).expect_err("must be refused")
}

#[track_caller]
fn refuses(extra: &Value, code: &str, words: &str) {
    let error = refusal(extra);
    assert_eq!(error.code, code, "{}", error.message);
    assert!(error.message.contains(words), "{} lacks {words}", error.message);
}

#[test]
fn makes_a_request_typed() {
    let request: ProcessMediaRequest =
        decode("ProcessMedia", media(&json!({"TasksPriority": -3, "SessionId": null})), &[]).unwrap();
    let input = request.input_info.unwrap();
    assert_eq!(input.r#type.as_deref(), Some("URL"));
    assert_eq!(request.tasks_priority, Some(-3));
    assert_eq!(request.session_id, None);
    let tasks = request.media_process_task.unwrap().transcode_task_set.unwrap();
    assert_eq!(tasks[0].definition, Some(100_010));
}

#[test]
fn tolerates_action_and_version_in_the_body() {
    let params = json!({"Action": "DescribeTasks", "Version": "2019-06-12", "Status": "FINISH"});
    let request: DescribeTasksRequest = decode("DescribeTasks", params, &[]).unwrap();
    assert_eq!(request.status.as_deref(), Some("FINISH"));
    refuses(&json!({"InputInfo": {"Type": "URL", "Action": "x"}}), "UnknownParameter", "InputInfo.Action");
}

#[test]
fn names_an_unknown_member_with_its_path_and_a_guess() {
    refuses(&json!({"Foo": 1}), "UnknownParameter", "`Foo`");
    refuses(
        &json!({"MediaProcessTask": {"TranscodeTaskSet": [{"Definition": 1, "Foo": 1}]}}),
        "UnknownParameter",
        "`MediaProcessTask.TranscodeTaskSet.0.Foo`",
    );
    refuses(&json!({"outputdir": "/"}), "UnknownParameter", "did you mean `OutputDir`");
    let noisy = refusal(&json!({"\u{1b}[31m".repeat(50): 1}));
    assert!(noisy.message.len() < 400 && !noisy.message.contains('\u{1b}'));
}

#[test]
fn names_a_required_member_that_is_absent_or_null() {
    refuses(&json!({"InputInfo": null}), "MissingParameter", "`InputInfo`");
    refuses(&json!({"InputInfo": {}}), "MissingParameter", "`InputInfo.Type`");
    refuses(
        &json!({"MediaProcessTask": {"TranscodeTaskSet": [{"Definition": 1}, {}]}}),
        "MissingParameter",
        "`MediaProcessTask.TranscodeTaskSet.1.Definition`",
    );
    let error = decode::<DescribeTasksRequest>("DescribeTasks", json!({}), &[]).unwrap_err();
    assert_eq!(error.code, "MissingParameter");
}

#[test]
fn refuses_wrong_types() {
    refuses(
        &json!({"AiAnalysisTask": {"Definition": 1, "ExtendedParameter": {"a": 1}}}),
        "InvalidParameter",
        "`AiAnalysisTask.ExtendedParameter` must be a string, not an object",
    );
    refuses(&json!({"OutputDir": 5}), "InvalidParameter", "`OutputDir` must be a string");
    refuses(&json!({"TasksPriority": "high"}), "InvalidParameter", "`TasksPriority` must be an integer");
    refuses(&json!({"TasksPriority": 1.5}), "InvalidParameter", "`TasksPriority` must be an integer");
    refuses(&json!({"TasksPriority": [1]}), "InvalidParameter", "not a list");
    refuses(&json!({"InputInfo": "x"}), "InvalidParameter", "must be an object");
    refuses(
        &json!({"MediaProcessTask": {"TranscodeTaskSet": {"0": {}}}}),
        "InvalidParameter",
        "must be a list",
    );
    refuses(
        &json!({"MediaProcessTask": {"TranscodeTaskSet": [null]}}),
        "InvalidParameter",
        "TranscodeTaskSet.0",
    );
    refuses(&json!({"OutputDir": "a\u{0}b"}), "InvalidParameter", "NUL");
    for body in [json!([]), json!("x"), json!(null), json!(7)] {
        let error = decode::<DescribeTasksRequest>("DescribeTasks", body, &[]).unwrap_err();
        assert_eq!(error.code, "InvalidParameter");
    }
    let error = decode::<DescribeTasksRequest>(
        "DescribeTasks",
        json!({"Status": "", "SubTaskHasFailed": "yes"}),
        &[],
    );
    assert_eq!(error.unwrap_err().code, "InvalidParameter");
}

#[test]
fn takes_numbers_that_come_as_strings_or_with_a_zero_fraction() {
    let checked = decode_value(
        "ProcessMedia",
        media(&json!({"TasksPriority": "-7", "MediaProcessTask": {"TranscodeTaskSet": [
            {"Definition": 20.0, "StartTimeOffset": "1.25", "EndTimeOffset": "3"}]}})),
        &[],
    )
    .unwrap();
    assert_eq!(checked["TasksPriority"], json!(-7));
    assert_eq!(
        checked["MediaProcessTask"]["TranscodeTaskSet"][0],
        json!({"Definition": 20, "StartTimeOffset": 1.25, "EndTimeOffset": 3})
    );
    for word in ["", " 5", "inf", "NaN", "0x10", "5 ", "--5", "1e2"] {
        refuses(&json!({"TasksPriority": word}), "InvalidParameter", "TasksPriority");
    }
    refuses(
        &json!({"MediaProcessTask": {"TranscodeTaskSet": [{"Definition": 1, "StartTimeOffset": "1e999"}]}}),
        "InvalidParameter",
        "StartTimeOffset",
    );
}

#[test]
fn tells_a_number_out_of_range_from_a_wrong_type() {
    let template = |width: Value| {
        let video = json!({"Codec": "libx264", "Fps": 0, "Bitrate": 0, "Width": width});
        decode::<CreateTranscodeTemplateRequest>(
            "CreateTranscodeTemplate",
            json!({"Container": "mp4", "VideoTemplate": video}),
            &[],
        )
    };
    for width in [json!(-1), json!("-1"), json!(1e30)] {
        assert_eq!(template(width).unwrap_err().code, "InvalidParameterValue.Width");
    }
    assert_eq!(template(json!(1.5)).unwrap_err().code, "InvalidParameter");
    assert!(template(json!("1280")).is_ok());
    refuses(&json!({"TasksPriority": u64::MAX}), "InvalidParameterValue", "out of range");
}

#[test]
fn refuses_by_name_what_is_not_built_unless_it_says_nothing() {
    const REFUSED: &[Refused] = &[
        Refused { path: "AiAnalysisTask", why: "analysis is not built yet" },
        Refused {
            path: "MediaProcessTask.TranscodeTaskSet.WatermarkSet",
            why: "watermarks are not built yet",
        },
    ];
    let task = |watermarks: Value| {
        json!({"MediaProcessTask": {"TranscodeTaskSet":
            [{"Definition": 1}, {"Definition": 1, "WatermarkSet": watermarks}]}})
    };
    let try_it = |extra: &Value| decode::<ProcessMediaRequest>("ProcessMedia", media(extra), REFUSED);
    let error = try_it(&json!({"AiAnalysisTask": {"Definition": 1}})).unwrap_err();
    assert_eq!(error.code, "UnsupportedOperation");
    assert!(error.message.contains("`AiAnalysisTask`") && error.message.contains("not built yet"));
    let error = try_it(&task(json!([{"Definition": 5}]))).unwrap_err();
    assert_eq!(error.code, "UnsupportedOperation");
    assert!(error.message.contains("`MediaProcessTask.TranscodeTaskSet.1.WatermarkSet`"), "{error}");
    for nothing in [task(json!([])), task(json!(null)), json!({"AiAnalysisTask": null})] {
        assert!(try_it(&nothing).is_ok(), "{nothing}");
    }
    // A mistake is named as such even inside a refused member.
    let error = try_it(&task(json!([{"Foo": 5}]))).unwrap_err();
    assert_eq!(error.code, "UnknownParameter");
}

#[test]
fn knows_the_actions_by_exact_name_only() {
    for name in ["NoSuchAction", "processmedia", "", "ProcessMediaRequest"] {
        assert_eq!(decode_value(name, json!({}), &[]).unwrap_err().code, "InvalidAction");
    }
    assert!(decode_value("DescribeSchedules", json!({}), &[]).is_ok());
}
