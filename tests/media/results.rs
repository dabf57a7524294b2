//! What is told of a result is what the result is (TRC-27, TRC-28, PM-29, PM-30, VAR-02, VAR-09, VAR-13).

use std::time::{Duration, Instant};

use mps_e2e::{Bench, SOON, by_url, results_of, template};
use mps_testkit::bucket::md5_hex;
use mps_testkit::compare::probe;
use mps_testkit::made;
use mps_testkit::server::OUTPUT;
use serde_json::{Value, json};

use crate::{number, seconds, tools_or_return};

#[tokio::test(flavor = "multi_thread")]
async fn a_result_tells_what_its_object_holds() {
    tools_or_return!();
    let bench = Bench::start().await;
    let items = [
        json!({"Definition": 100_010}),
        json!({"Definition": 0, "RawParameter": template("mkv", &json!({"Codec": "h265", "Height": 180})), "OutputObjectPath": "b.{format}"}),
        json!({"Definition": 1010}),
    ];
    for done in bench.transcode(&made::clip(640, 360, "25", seconds(4)), &items).await {
        let (output, seen) = (done.output(), probe(done.file()));
        let bytes = std::fs::read(done.file()).expect("the object");
        assert_eq!(output["Md5"], md5_hex(&bytes));
        assert_eq!(output["Size"].as_u64(), Some(bytes.len() as u64));
        assert!((number(&output["Duration"]) - seen.duration_s()).abs() < 0.05, "{output:#}");
        assert_eq!(
            output["AudioStreamSet"][0]["SamplingRate"].to_string(),
            seen.audio()["sample_rate"].as_str().unwrap_or_default()
        );
        assert_eq!(output["AudioStreamSet"][0]["Channel"], seen.audio()["channels"]);
        assert_eq!(output["AudioStreamSet"][0]["Codec"], seen.audio_codec());
        assert!(
            (number(&output["Bitrate"]) / seen.bitrate() - 1.0).abs() < 0.1,
            "{output:#}\n{:#}",
            seen.format()
        );
        if seen.has("video") {
            let size = (output["Width"].as_i64(), output["Height"].as_i64());
            assert_eq!(size, (Some(seen.size().0), Some(seen.size().1)));
            assert_eq!(output["VideoStreamSet"][0]["Codec"], seen.video_codec());
            assert_eq!(output["VideoStreamSet"][0]["Fps"], 25);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_is_that_of_the_source_unless_skipped() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = made::clip(640, 360, "30000/1001", seconds(4));
    let seen = probe(&source);
    let url = bench.web.offer("film.mp4", &source);
    let mut request = by_url(&url, "/kept/", &[json!({"Definition": 100_010})]);
    let task = bench.server.process(&request).await;
    let detail = bench.server.ended(&task, SOON).await;
    let meta = &detail["WorkflowTask"]["MetaData"];
    assert_eq!(meta["Size"].as_u64(), Some(seen.size_bytes()));
    for name in ["Duration", "VideoDuration"] {
        assert!((number(&meta[name]) - seen.duration_s()).abs() <= 0.05, "{name}: {meta:#}");
    }
    assert_eq!((meta["Width"].as_i64(), meta["Height"].as_i64()), (Some(640), Some(360)));
    assert_eq!(meta["Container"], seen.format()["format_name"]);
    assert_eq!(meta["Rotate"], 0);
    let video = &meta["VideoStreamSet"][0];
    assert_eq!(
        (&video["Codec"], &video["FpsNumerator"], &video["FpsDenominator"]),
        (&json!("h264"), &json!(30_000), &json!(1001))
    );
    assert_eq!(video["Fps"], 29);
    assert_eq!(meta["AudioStreamSet"][0]["SamplingRate"], 48_000);

    request["SkipMateData"] = json!(1);
    request["OutputDir"] = json!("/skipped/");
    let task = bench.server.process(&request).await;
    let detail = bench.server.ended(&task, SOON).await;
    assert_eq!(detail["WorkflowTask"]["MetaData"], Value::Null);
    assert_eq!(results_of(&detail)[0]["Status"], "SUCCESS");
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_never_falls_and_nothing_is_seen_before_success() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = made::clip(1280, 720, "30", seconds(20));
    let url = bench.web.offer("long.mp4", &source);
    let items = [json!({"Definition": 100_030}), json!({"Definition": 100_220})];
    let task = bench.server.process(&by_url(&url, "/unseen/", &items)).await;
    let limit = Instant::now() + SOON;
    let mut before = [0, 0];
    let mut between = 0;
    loop {
        // The listing first: what it shows must have succeeded by then.
        let keys = bench.server.keys(OUTPUT, "unseen/").await;
        let detail = bench.server.detail(&task).await;
        for (at, result) in results_of(&detail).iter().enumerate() {
            let (progress, status) = (result["Progress"].as_i64().unwrap_or(-1), &result["Status"]);
            assert!(progress >= before[at] && progress <= 100, "{progress} after {}", before[at]);
            assert_eq!(progress == 100, status == "SUCCESS", "{progress} and {status}");
            between += i32::from(progress > 0 && progress < 100);
            before[at] = progress;
            let id = if at == 0 { "100030" } else { "100220" };
            if keys.iter().any(|key| key.contains(id)) {
                assert_eq!(status, "SUCCESS", "{keys:?} are seen");
            }
        }
        if detail["Status"] == "FINISH" {
            break;
        }
        assert!(Instant::now() < limit, "{detail:#}");
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert_eq!(before, [100, 100]);
    assert!(between >= 3, "progress was seen between 0 and 100 only {between} times");
    let keys = bench.server.keys(OUTPUT, "unseen/").await;
    assert_eq!(keys.iter().filter(|key| key.contains("100030")).count(), 1, "{keys:?}");
    assert_eq!(keys.iter().filter(|key| key.rsplit('.').next() == Some("ts")).count(), 2, "{keys:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_three_fails_alone() {
    tools_or_return!();
    let bench = Bench::start().await;
    let items = [
        json!({"Definition": 100_010}),
        json!({"Definition": 100_020, "StartTimeOffset": 100.0}),
        json!({"Definition": 1010}),
    ];
    let detail = bench.task(&made::clip(640, 360, "25", seconds(2)), &items).await;
    assert_eq!(detail["WorkflowTask"]["ErrCode"], 0);
    let results = results_of(&detail);
    let seen: Vec<(&Value, &Value)> =
        results.iter().map(|r| (&r["Input"]["Definition"], &r["Status"])).collect();
    let wanted = [
        (json!(100_010), json!("SUCCESS")),
        (json!(100_020), json!("FAIL")),
        (json!(1010), json!("SUCCESS")),
    ];
    assert_eq!(seen, wanted.iter().map(|(id, status)| (id, status)).collect::<Vec<_>>());
    assert_ne!(results[1]["ErrCode"], 0);
    assert!(results[1]["Message"].as_str().is_some_and(|told| !told.is_empty() && told != "SUCCESS"));
    assert_eq!(results[1]["Output"], Value::Null);
    let failed =
        bench.server.ok("DescribeTasks", &json!({"Status": "FINISH", "SubTaskHasFailed": true})).await;
    assert_eq!(failed["TaskSet"].as_array().map(Vec::len), Some(1), "{failed:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_follow_their_patterns_and_absolute_ones_their_own_way() {
    tools_or_return!();
    let bench = Bench::start().await;
    let url = bench.web.offer("AnimalWorldE01.mp4", &made::clip(320, 180, "25", seconds(1)));
    let items = [
        json!({"Definition": 100_010, "OutputObjectPath": "{inputName}_{definition}.{format}"}),
        json!({"Definition": 100_020, "OutputObjectPath": "{inputName}_from_{inputFormat}.{format}"}),
        json!({"Definition": 100_010, "OutputObjectPath": "/elsewhere/{inputName}.{format}"}),
        json!({"Definition": 100_010, "OutputObjectPath": "deep/er/ёж 字.{format}"}),
        json!({"Definition": 100_010, "OutputObjectPath": "bare"}),
    ];
    let task = bench.server.process(&by_url(&url, "/out/", &items)).await;
    let detail = bench.server.ended(&task, SOON).await;
    let paths: Vec<Value> =
        results_of(&detail).iter().map(|result| result["Output"]["Path"].clone()).collect();
    let wanted = [
        "/out/AnimalWorldE01_100010.mp4",
        "/out/AnimalWorldE01_from_mp4.mp4",
        "/elsewhere/AnimalWorldE01.mp4",
        "/out/deep/er/ёж 字.mp4",
        "/out/bare.mp4",
    ];
    assert_eq!(paths, wanted.map(Value::from));
    for path in wanted {
        assert!(bench.server.object(OUTPUT, path).await.is_some(), "{path}");
    }
}
