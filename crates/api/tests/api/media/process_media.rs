use std::sync::{Arc, Mutex};
use std::time::Duration;

use mps_api::Prober;
use mps_core::task::StepState;
use mps_core::{Error, MediaInfo, Result};
use mps_wire::types::MediaInputInfo;
use serde_json::{Value, json};

use super::{transcode, with};
use crate::app::{ACCOUNT, TestApp};

#[tokio::test]
async fn a_call_becomes_a_task_with_a_gate_and_a_step_per_item() {
    let app = TestApp::new().await;
    let items = json!([{"Definition": 100_010}, {"Definition": 100_020}, {"Definition": 100_210}]);
    let sent = with(&[("/MediaProcessTask/TranscodeTaskSet", items)]);
    let id = app.call("ProcessMedia", sent.clone()).await.ok()["TaskId"].as_str().unwrap().to_owned();

    let (front, hex) = id.split_at("1250000000-WorkflowTask-".len());
    assert_eq!(front, "1250000000-WorkflowTask-");
    assert!(hex.ends_with("tt1") && hex[..32].chars().all(|c| c.is_ascii_hexdigit()), "{id}");
    let view = app.engine.view(ACCOUNT, &id).await.unwrap().unwrap();
    assert_eq!(view.task.request, sent);
    let kinds: Vec<_> = view.steps.iter().map(|s| (s.kind.as_str(), s.state, s.is_gate)).collect();
    let waits = ("transcode", StepState::Blocked, false);
    assert_eq!(kinds, [("source", StepState::Ready, true), waits, waits, waits]);
    assert_eq!(view.steps[0].params["CosInputInfo"]["Object"], "video/film.mp4");
    let definitions: Vec<_> = view.steps[1..].iter().map(|s| s.params["definition"].clone()).collect();
    assert_eq!(definitions, [json!(100_010), json!(100_020), json!(100_210)]);
}

#[derive(Clone, Default)]
struct Expects(Arc<Mutex<Vec<Value>>>);

#[async_trait::async_trait]
impl Prober for Expects {
    async fn probe(&self, _: i64, _: &MediaInputInfo, _: Duration) -> Result<MediaInfo> {
        Err(Error::not_found("nothing is looked into here"))
    }

    fn expect(&self, account: i64, source: &MediaInputInfo) {
        assert_eq!(account, ACCOUNT);
        self.0.lock().unwrap().push(json!(source.cos_input_info.as_ref().unwrap().object));
    }
}

#[tokio::test]
async fn the_source_of_a_task_is_announced_and_that_of_a_refused_call_is_not() {
    let expects = Expects::default();
    let app = TestApp::with(|parts| parts.prober = Arc::new(expects.clone())).await;
    app.call("ProcessMedia", with(&[("/TasksPriority", json!(11))]))
        .await
        .refused("InvalidParameterValue", "");
    let unknown = ("/MediaProcessTask/TranscodeTaskSet", json!([{"Definition": 99_999_999}]));
    app.call("ProcessMedia", with(&[unknown])).await.refused("InvalidParameterValue.Definition", "");
    assert!(expects.0.lock().unwrap().is_empty());
    app.call("ProcessMedia", with(&[])).await.ok();
    assert_eq!(*expects.0.lock().unwrap(), [json!("video/film.mp4")]);
}

#[tokio::test]
async fn numbers_may_come_as_strings() {
    let app = TestApp::new().await;
    let items = json!([{"Definition": "100010", "StartTimeOffset": "1.5"}]);
    let sent = with(&[("/MediaProcessTask/TranscodeTaskSet", items), ("/TasksPriority", json!("3"))]);
    let id = app.call("ProcessMedia", sent).await.ok()["TaskId"].as_str().unwrap().to_owned();
    let view = app.engine.view(ACCOUNT, &id).await.unwrap().unwrap();
    assert_eq!(view.task.priority, 3);
    assert_eq!(view.steps[1].params["definition"], 100_010);
}

#[tokio::test]
async fn each_wrong_value_has_its_code_and_makes_no_task() {
    let app = TestApp::new().await;
    let set = |value: Value| ("/MediaProcessTask/TranscodeTaskSet", value);
    let cases = [
        (("/TasksPriority", json!(11)), "InvalidParameterValue", "TasksPriority"),
        (("/TasksPriority", json!(-11)), "InvalidParameterValue", "TasksPriority"),
        (("/TasksPriority", json!("high")), "InvalidParameter", "TasksPriority"),
        (("/SessionId", json!("x".repeat(51))), "InvalidParameterValue.SessionIdTooLong", "SessionId"),
        (
            ("/SessionContext", json!("x".repeat(1_001))),
            "InvalidParameterValue.SessionContextTooLong",
            "SessionContext",
        ),
        (("/SkipMateData", json!(2)), "InvalidParameterValue", "SkipMateData"),
        (("/TaskType", json!("Nightly")), "InvalidParameterValue", "TaskType"),
        (("/OutputDir", json!("output")), "InvalidParameterValue", "OutputDir"),
        (("/OutputDir", json!("/output")), "InvalidParameterValue", "OutputDir"),
        (("/OutputDir", json!("/a/../../b/")), "InvalidParameterValue", "OutputDir"),
        (("/MediaProcessTask", Value::Null), "MissingParameter", "TranscodeTaskSet"),
        (("/MediaProcessTask", json!({})), "MissingParameter", "TranscodeTaskSet"),
        (set(json!([])), "MissingParameter", "TranscodeTaskSet"),
        (("/InputInfo", Value::Null), "MissingParameter", "InputInfo"),
        (set(json!([{"Definition": 99_999_999}])), "InvalidParameterValue.Definition", "99999999"),
        (set(json!([{}])), "MissingParameter", "TranscodeTaskSet.0.Definition"),
        (
            set(json!([{"Definition": 100_010, "Quality": 1}])),
            "UnknownParameter",
            "TranscodeTaskSet.0.Quality",
        ),
        (set(json!([{"Definition": [1]}])), "InvalidParameter", "TranscodeTaskSet.0.Definition"),
        (set(json!({"Definition": 100_010})), "InvalidParameter", "TranscodeTaskSet"),
        (set(json!(vec![json!({"Definition": 100_010}); 101])), "InvalidParameterValue", "TranscodeTaskSet"),
    ];
    for (change, code, named) in cases {
        app.call("ProcessMedia", with(&[change])).await.refused(code, named);
    }
    assert_eq!(app.count_tasks().await, 0);
}

#[tokio::test]
async fn what_is_not_built_is_refused_by_name() {
    let app = TestApp::new().await;
    let marked = json!({"Definition": 10, "BlindWatermark": {"Definition": 10}});
    let marked = json!({"MediaProcessTask": {"AdaptiveDynamicStreamingTaskSet": [marked]}});
    let cases = [
        (json!({"ResourceId": "res-1"}), "ResourceId"),
        (json!({"TaskType": "Offline"}), "TaskType"),
        (json!({"AiContentReviewTask": {"Definition": 10}}), "AiContentReviewTask"),
        (json!({"AiAnalysisTask": {"Definition": 22}}), "AiAnalysisTask"),
        (json!({"AiRecognitionTask": {"Definition": 10}}), "AiRecognitionTask"),
        (json!({"AiQualityControlTask": {"Definition": 10}}), "AiQualityControlTask"),
        (json!({"SmartSubtitlesTask": {"Definition": 122}}), "SmartSubtitlesTask"),
        (json!({"SmartEraseTask": {"Definition": 303}}), "SmartEraseTask"),
        (marked, "BlindWatermark"),
    ];
    for (extra, named) in cases {
        let mut body = transcode();
        for (name, value) in extra.as_object().unwrap() {
            body[name] = value.clone();
        }
        app.call("ProcessMedia", body).await.refused("UnsupportedOperation", named);
    }
    assert_eq!(app.count_tasks().await, 0);
}

#[tokio::test]
async fn a_codec_that_nothing_here_can_write_is_refused_by_name() {
    let app = TestApp::new().await;
    let raw = json!({"Container": "mp4",
        "VideoTemplate": {"Codec": "av1", "Fps": 0, "Bitrate": 0},
        "AudioTemplate": {"Codec": "aac", "Bitrate": 64, "SampleRate": 44_100}});
    let items = json!([{"Definition": 0, "RawParameter": raw}]);
    let reply = app.call("ProcessMedia", with(&[("/MediaProcessTask/TranscodeTaskSet", items)])).await;
    reply.refused("UnsupportedOperation", "av1");
}

#[tokio::test]
async fn a_session_id_is_good_once_in_three_days() {
    let app = TestApp::new().await;
    let body = with(&[("/SessionId", json!("order-7"))]);
    app.call("ProcessMedia", body.clone()).await.ok();
    app.call("ProcessMedia", body.clone()).await.refused("InvalidParameterValue.SessionId", "SessionId");
    assert_eq!(app.count_tasks().await, 1);
    app.clock.advance(3 * 24 * 3_600_000 + 1_000);
    app.call("ProcessMedia", body).await.ok();
}

#[tokio::test]
async fn an_empty_session_id_is_no_id() {
    let app = TestApp::new().await;
    for _ in 0..2 {
        app.call("ProcessMedia", with(&[("/SessionId", json!(""))])).await.ok();
    }
}

#[tokio::test]
async fn two_accounts_may_use_the_same_session_id() {
    let app = TestApp::new().await;
    let other = app.add_account(ACCOUNT + 7, "seven-1250000007").await;
    let body = with(&[("/SessionId", json!("order-7"))]);
    app.call("ProcessMedia", body.clone()).await.ok();
    let mut body = body;
    body["InputInfo"]["CosInputInfo"]["Bucket"] = json!("seven-1250000007");
    app.call_as(&other, "ProcessMedia", body).await.ok();
}

#[tokio::test]
async fn session_words_and_priority_are_kept_as_sent() {
    let app = TestApp::new().await;
    let words = format!("{}\u{1F3AC}\n\"<&", "字".repeat(990));
    let sent = with(&[
        ("/SessionContext", json!(words)),
        ("/SessionId", json!("s 1")),
        ("/TasksPriority", json!(-10)),
    ]);
    let id = app.call("ProcessMedia", sent).await.ok()["TaskId"].as_str().unwrap().to_owned();
    let detail = app.call("DescribeTaskDetail", json!({"TaskId": id})).await.ok();
    assert_eq!(detail["SessionContext"], json!(words));
    assert_eq!((&detail["SessionId"], &detail["TasksPriority"]), (&json!("s 1"), &json!(-10)));
}

#[tokio::test]
async fn path_traversal_in_names_is_refused() {
    let app = TestApp::new().await;
    for name in ["../../etc/passwd.{format}", "/../x.{format}", "a/../../x.{format}"] {
        let items = json!([{"Definition": 100_010, "OutputObjectPath": name}]);
        let reply = app.call("ProcessMedia", with(&[("/MediaProcessTask/TranscodeTaskSet", items)])).await;
        reply.refused("InvalidParameterValue", "OutputObjectPath");
    }
}

#[tokio::test]
async fn an_own_template_is_used_and_a_deleted_one_is_not() {
    let app = TestApp::new().await;
    let template = json!({"Container": "mp4",
        "VideoTemplate": {"Codec": "h264", "Fps": 0, "Bitrate": 512},
        "AudioTemplate": {"Codec": "aac", "Bitrate": 64, "SampleRate": 44_100}});
    let made = app.call("CreateTranscodeTemplate", template).await.ok()["Definition"].clone();
    let body = with(&[("/MediaProcessTask/TranscodeTaskSet", json!([{"Definition": made}]))]);
    app.call("ProcessMedia", body.clone()).await.ok();
    app.call("DeleteTranscodeTemplate", json!({"Definition": made})).await.ok();
    app.call("ProcessMedia", body).await.refused("InvalidParameterValue.Definition", &made.to_string());
}
