//! Orchestrations on real films: nodes read what the one before them made, and uploads start them (ORC-01, ORC-06,
//! ORC-07, ORC-12, ORC-17, ORC-20, ORC-22, PM-16 to PM-19).

use std::time::{Duration, Instant};

use mps_e2e::{Bench, SOON, notify};
use mps_testkit::compare::probe;
use mps_testkit::made;
use mps_testkit::server::{INPUT, OUTPUT, REGION};
use serde_json::{Value, json};

use crate::{seconds, tools_or_return};

fn trans(definition: i64, rears: &[usize]) -> Value {
    json!({"ActivityType": "action-trans", "ReardriveIndex": rears,
        "ActivityPara": {"TranscodeTask": {"Definition": definition}}})
}

fn activities() -> Value {
    json!([
        {"ActivityType": "input", "ReardriveIndex": [1, 3]},
        trans(100_010, &[2]),
        {"ActivityType": "action-image-sprite", "ReardriveIndex": [4], "ActivityPara": {"ImageSpriteTask": {"Definition": 10}}},
        {"ActivityType": "action-snapshotByTimeOffset", "ReardriveIndex": [5], "ActivityPara":
            {"SnapshotByTimeOffsetTask": {"Definition": 10, "ExtTimeOffsetSet": ["1s"]}}},
        {"ActivityType": "output", "ReardriveIndex": []},
        trans(0, &[4]),
    ])
}

fn with_raw(mut activities: Value) -> Value {
    activities[5]["ActivityPara"]["TranscodeTask"]["RawParameter"] = json!({
        "Container": "mp4",
        "VideoTemplate": {"Codec": "libx264", "Fps": 0, "Bitrate": 300, "Width": 200, "Height": 0},
        "AudioTemplate": {"Codec": "libfdk_aac", "Bitrate": 64, "SampleRate": 44_100},
    });
    activities
}

fn schedule(name: &str, activities: &Value, receiver: &str) -> Value {
    json!({
        "ScheduleName": name,
        "Trigger": {"Type": "CosFileUpload", "CosFileUploadTrigger": {
            "Bucket": INPUT, "Region": REGION, "Dir": "/incoming/"}},
        "Activities": activities,
        "TaskNotifyConfig": notify(receiver, "Finish"),
    })
}

async fn upload(bench: &Bench, key: &str, bytes: Vec<u8>) {
    bench.server.put(INPUT, key, bytes).await;
}

fn result<'a>(detail: &'a Value, at: usize, member: &str) -> &'a Value {
    &detail["ScheduleTask"]["ActivityResultSet"][at]["ActivityResItem"][member]
}

/// All tasks there are, ended or not.
async fn tasks(bench: &Bench) -> Vec<String> {
    let mut all = Vec::new();
    for status in ["WAITING", "PROCESSING", "FINISH"] {
        let found = bench.server.ok("DescribeTasks", &json!({"Status": status, "Limit": 100})).await;
        let rows = found["TaskSet"].as_array().cloned().unwrap_or_default();
        all.extend(rows.iter().map(|row| row["TaskId"].as_str().unwrap().to_owned()));
    }
    all.sort();
    all.dedup();
    all
}

async fn wait_for_tasks(bench: &Bench, count: usize) -> Vec<String> {
    let limit = Instant::now() + SOON;
    loop {
        let found = tasks(bench).await;
        if found.len() >= count {
            return found;
        }
        assert!(Instant::now() < limit, "{} of {count} tasks: {}", found.len(), bench.server.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_reads_what_the_one_before_it_made() {
    tools_or_return!();
    let bench = Bench::start().await;
    let film = std::fs::read(made::clip(640, 360, "25", seconds(4))).unwrap();
    upload(&bench, "films/film.mp4", film).await;
    let graph = with_raw(activities());
    let receiver = bench.receiver.url("told");
    let made = bench.server.ok("CreateSchedule", &schedule("chain", &graph, &receiver)).await;
    let request = json!({
        "InputInfo": {"Type": "COS", "CosInputInfo": {"Bucket": INPUT, "Region": REGION, "Object": "/films/film.mp4"}},
        "OutputStorage": {"Type": "COS", "CosOutputStorage": {"Bucket": OUTPUT, "Region": REGION}},
        "OutputDir": "/chain/",
        "ScheduleId": made["ScheduleId"],
    });
    let task = bench.server.process(&request).await;
    let detail = bench.server.ended(&task, SOON).await;
    for (at, member) in
        [(0, "TranscodeTask"), (1, "ImageSpriteTask"), (2, "SnapshotByTimeOffsetTask"), (3, "TranscodeTask")]
    {
        assert_eq!(result(&detail, at, member)["Status"], "SUCCESS", "{detail:#}");
    }
    let first = result(&detail, 0, "TranscodeTask")["Output"]["Path"].as_str().unwrap().to_owned();
    assert_eq!(first, "/chain/film_transcode_100010.mp4");
    let made = probe(&bench.fetch(&first).await);
    let sprite = &result(&detail, 1, "ImageSpriteTask")["Output"]["ImagePathSet"][0];
    assert!(sprite.as_str().unwrap().starts_with("/chain/film_transcode_100010_imageSprite_10"), "{sprite}");
    // A snapshot makes no film, so what comes after it is made of the source.
    let last = result(&detail, 3, "TranscodeTask")["Output"]["Path"].as_str().unwrap().to_owned();
    assert_eq!(last, "/chain/film_transcode_0.mp4");
    let small = probe(&bench.fetch(&last).await);
    assert_eq!(small.video()["width"], 200);
    assert!(
        (made.duration_s() - small.duration_s()).abs() < 0.1,
        "{} {}",
        made.duration_s(),
        small.duration_s()
    );

    let calls = bench.receiver.wait("told", 1, SOON).await;
    assert_eq!(calls[0].body()["EventType"], "ScheduleTask");
    assert_eq!(calls[0].body()["ScheduleTaskEvent"], detail["ScheduleTask"]);
    let parsed = bench.server.ok("ParseNotification", &json!({"Content": calls[0].text})).await;
    assert_eq!(parsed["ScheduleTaskEvent"]["TaskId"], task.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_after_a_failed_node_is_not_done_and_says_why() {
    tools_or_return!();
    let bench = Bench::start().await;
    let film = std::fs::read(made::clip(320, 180, "25", seconds(2))).unwrap();
    upload(&bench, "film.mp4", film).await;
    let mut graph = json!([
        {"ActivityType": "input", "ReardriveIndex": [1, 3]},
        trans(100_010, &[2]),
        trans(100_010, &[4]),
        trans(100_010, &[4]),
        {"ActivityType": "output"},
    ]);
    // Beyond the end of the film.
    graph[1]["ActivityPara"]["TranscodeTask"]["StartTimeOffset"] = json!(100.0);
    let request = json!({
        "InputInfo": {"Type": "COS", "CosInputInfo": {"Bucket": INPUT, "Region": REGION, "Object": "/film.mp4"}},
        "OutputDir": "/out/",
        "Activities": graph,
    });
    let task = bench.server.process(&request).await;
    let detail = bench.server.ended(&task, SOON).await;
    let told: Vec<_> = (0..3).map(|at| result(&detail, at, "TranscodeTask").clone()).collect();
    assert_eq!(told[0]["Status"], "FAIL", "{detail:#}");
    assert_eq!(told[1]["Status"], "FAIL");
    let why = told[1]["Message"].as_str().unwrap();
    assert!(why.starts_with("an activity before this one failed: "), "{why}");
    assert_eq!(told[2]["Status"], "SUCCESS", "{detail:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_upload_starts_an_enabled_orchestration_once_and_outputs_start_nothing() {
    tools_or_return!();
    let mut bench = Bench::start().await;
    let film = std::fs::read(made::clip(320, 180, "25", seconds(2))).unwrap();
    // Without an output directory the results lie beside the source, in the watched directory.
    let graph = json!([{"ActivityType": "input", "ReardriveIndex": [1]}, trans(100_010, &[2]), {"ActivityType": "output"}]);
    let receiver = bench.receiver.url("told");
    let made = bench.server.ok("CreateSchedule", &schedule("watch", &graph, &receiver)).await;
    let id = json!({"ScheduleId": made["ScheduleId"]});

    upload(&bench, "incoming/early.mp4", film.clone()).await;
    upload(&bench, "elsewhere/first.mp4", film.clone()).await;
    tokio::time::sleep(seconds(2)).await;
    assert!(tasks(&bench).await.is_empty(), "a trigger that sleeps");
    bench.server.ok("EnableSchedule", &id).await;
    upload(&bench, "incoming/note.txt", b"no film".to_vec()).await;
    upload(&bench, "elsewhere/second.mp4", film.clone()).await;
    for nth in 0..3 {
        upload(&bench, &format!("incoming/deep/film{nth}.mp4"), film.clone()).await;
    }
    bench.server.kill().await;
    bench.server.restart(|setup| setup).await;
    for task in wait_for_tasks(&bench, 3).await {
        let detail = bench.server.ended(&task, SOON).await;
        assert_eq!(result(&detail, 0, "TranscodeTask")["Status"], "SUCCESS", "{detail:#}");
        let path = result(&detail, 0, "TranscodeTask")["Output"]["Path"].as_str().unwrap();
        assert!(path.starts_with("/incoming/deep/film"), "{path}");
    }
    bench.receiver.wait("told", 3, SOON).await;
    // A new version of the same key is another upload.
    upload(&bench, "incoming/deep/film0.mp4", film.clone()).await;
    for task in wait_for_tasks(&bench, 4).await {
        bench.server.ended(&task, SOON).await;
    }
    bench.server.ok("DisableSchedule", &id).await;
    upload(&bench, "incoming/late.mp4", film).await;
    tokio::time::sleep(seconds(2)).await;
    assert_eq!(tasks(&bench).await.len(), 4);
}
