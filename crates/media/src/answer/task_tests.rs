use mps_core::task::{Failure, Notify, NotifyMode, Step, StepState, Task, TaskState, TaskView};
use serde_json::{Value, json};

use super::{detail, event};
use crate::features::transcode::params::{Naming, StepParams};
use crate::features::transcode::testing::{film, info, params};
use crate::features::transcode::{self, StepResult};
use crate::names::{NumberFormat, SourceName};

fn step(ordinal: i32, item: usize, state: StepState) -> Step {
    let params = StepParams {
        definition: 100_010,
        item,
        params: params(),
        clip: transcode::params::Clip::default(),
        marks: Vec::new(),
        burn: None,
        mosaics: Vec::new(),
        sounds: Vec::new(),
        captions: Vec::new(),
        tracks: Vec::new(),
        heads: Vec::new(),
        tails: Vec::new(),
        naming: Naming {
            directory: "/out/".to_owned(),
            object: "{inputName}.{format}".to_owned(),
            segment: "{number}".to_owned(),
            number: NumberFormat::default(),
        },
        source: SourceName::from_key("a/film.mov"),
        storage: json!({"Type": "AWS-S3", "S3OutputStorage": {"S3Bucket": "b", "S3Region": "us-east-1",
            "S3SecretId": "AKIAIOSFODNN7EXAMPLE", "S3SecretKey": "topsecretkey"}}),
    };
    let result = StepResult {
        path: "/out/film.mp4".to_owned(),
        size_bytes: 1_000_000,
        md5: "eff7031ad7877865f9a3240e9ab165ad".to_owned(),
        info: info(film(640, 360)),
        playlist_duration_us: 0,
        objects: 1,
    };
    Step {
        id: i64::from(ordinal) + 10,
        task: 1,
        ordinal,
        kind: transcode::KIND.to_owned(),
        capability: 0,
        state,
        attempt: 1,
        losses: 0,
        fence: 1,
        progress: 100,
        is_gate: false,
        after: vec![],
        params: serde_json::to_value(params).unwrap(),
        result: (state == StepState::Succeeded).then(|| serde_json::to_value(result).unwrap()),
        failure: (state == StepState::Failed).then(|| Failure {
            code: 60_000,
            word: "SourceFileError".to_owned(),
            message: "the source has no audio".to_owned(),
        }),
        begun_ms: Some(1_563_258_088_000),
        finished_ms: None,
    }
}

fn view(state: TaskState, steps: Vec<Step>) -> TaskView {
    let items: Vec<Value> = steps.iter().map(|_| json!({"Definition": 100_010})).collect();
    TaskView {
        task: Task {
            id: 1,
            public_id: "1250000000-WorkflowTask-b20a8e0000000000000000000000000att1".to_owned(),
            account: 1_250_000_000,
            kind: "WorkflowTask".to_owned(),
            state,
            priority: 3,
            session_id: "s-1".to_owned(),
            session_context: "ctx".to_owned(),
            request: json!({
                "InputInfo": {"Type": "URL", "UrlInputInfo": {"Url": "http://h/a/film.mov"}},
                "MediaProcessTask": {"TranscodeTaskSet": items},
            }),
            notify: Some(Notify {
                target: json!({"NotifyType": "URL", "NotifyUrl": "http://h/cb?x=1", "NotifyKey": "k1"}),
                mode: NotifyMode::Finish,
            }),
            metadata: Some(serde_json::to_value(info(film(1920, 1080))).unwrap()),
            failure: None,
            aborted: false,
            created_ms: 1_563_258_087_000,
            begun_ms: Some(1_563_258_088_000),
            finished_ms: (state == TaskState::Finished).then_some(1_563_258_106_000),
        },
        steps,
    }
}

#[test]
fn a_finished_task_is_told_whole() {
    let done = view(TaskState::Finished, vec![step(0, 0, StepState::Succeeded)]);
    insta::assert_json_snapshot!(detail(&done));
}

#[test]
fn parts_come_in_the_order_of_the_request() {
    let steps =
        vec![step(0, 1, StepState::Failed), step(1, 0, StepState::Succeeded), step(2, 2, StepState::Running)];
    let answer = detail(&view(TaskState::Processing, steps));
    let words: Vec<_> = answer["WorkflowTask"]["MediaProcessResultSet"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| {
            let task = &r["TranscodeTask"];
            (
                task["Status"].as_str().unwrap(),
                task["ErrCode"].as_i64().unwrap(),
                task["Progress"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(words, [("SUCCESS", 0, 100), ("FAIL", 60_000, 99), ("PROCESSING", 0, 99)]);
    assert_eq!(answer["FinishTime"], "0000-00-00T00:00:00Z");
    assert_eq!(answer["Status"], "PROCESSING");
}

#[test]
fn a_broken_source_fails_the_whole_and_each_part() {
    let mut broken = view(TaskState::Finished, vec![step(0, 0, StepState::Cancelled)]);
    broken.task.metadata = None;
    broken.task.failure = Some(Failure {
        code: 70_000,
        word: "SourceFileError".to_owned(),
        message: "source file err".to_owned(),
    });
    let answer = detail(&broken);
    let workflow = &answer["WorkflowTask"];
    assert_eq!((&workflow["ErrCode"], &workflow["MetaData"]), (&json!(70_000), &Value::Null));
    let part = &workflow["MediaProcessResultSet"][0]["TranscodeTask"];
    assert_eq!((&part["Status"], &part["Output"]), (&json!("FAIL"), &Value::Null));
    assert_eq!(part["Message"], "source file err");
}

#[test]
fn metadata_can_be_skipped() {
    let mut quiet = view(TaskState::Finished, vec![step(0, 0, StepState::Succeeded)]);
    quiet.task.request["SkipMateData"] = json!(1);
    assert_eq!(detail(&quiet)["WorkflowTask"]["MetaData"], Value::Null);
}

#[test]
fn a_callback_equals_the_query_and_reads_back() {
    let done = view(TaskState::Finished, vec![step(0, 0, StepState::Succeeded)]);
    let body = event::body(&done, 1_563_258_106_500).unwrap();
    assert_eq!(body["WorkflowTaskEvent"], detail(&done)["WorkflowTask"]);
    assert_eq!(body["Timestamp"], 1_563_258_706);
    assert_eq!(body["Sign"], event::sign(1_563_258_706, "k1"));
    let text = body.to_string();
    assert!(!text.contains("topsecretkey") && !text.contains("\"k1\""), "{text}");
    assert_eq!(event::parse(&text).unwrap(), body);
}

#[test]
fn a_receiver_hears_of_the_end_alone_unless_it_asks_for_changes() {
    let mut running = view(TaskState::Processing, vec![step(0, 0, StepState::Running)]);
    assert_eq!(event::body(&running, 0), None);
    running.task.notify.as_mut().unwrap().mode = NotifyMode::Change;
    assert_eq!(event::body(&running, 0).unwrap()["WorkflowTaskEvent"]["Status"], "PROCESSING");
    running.task.notify = None;
    assert_eq!(event::body(&running, 0), None);
}
