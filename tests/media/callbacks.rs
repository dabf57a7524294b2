//! Callbacks as their receivers see them (CB-01, CB-02, CB-13, CB-16, CB-21, CB-22, PM-20).

use std::time::{Duration, Instant};

use mps_e2e::{Bench, SOON, by_url, notify};
use mps_testkit::made;
use mps_testkit::receiver::{Answer, Receiver};
use serde_json::{Value, json};

use crate::{seconds, tools_or_return};

fn request(bench: &Bench, url: &str, mode: &str) -> Value {
    let source = bench.web.offer("a.mp4", &made::clip(320, 180, "25", seconds(2)));
    let mut request = by_url(&source, "/cb/", &[json!({"Definition": 100_010})]);
    request["TaskNotifyConfig"] = notify(url, mode);
    request["SessionContext"] = json!("kept \"as\" it is ё");
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_is_told_once_and_the_body_is_the_answer() {
    tools_or_return!();
    let bench = Bench::start().await;
    let url = format!("{}?a=1&b=x%20y", bench.receiver.url("end"));
    let task = bench.server.process(&request(&bench, &url, "Finish")).await;
    let calls = bench.receiver.wait("end", 1, SOON).await;
    let call = &calls[0];
    assert_eq!(call.target, "/end?a=1&b=x%20y");
    assert_eq!((call.method.as_str(), call.attempt.as_str()), ("POST", "1"));
    assert!(call.content_type.starts_with("application/json"), "{}", call.content_type);
    assert!(!call.event_id.is_empty());
    let (body, detail) = (call.body(), bench.server.detail(&task).await);
    assert_eq!(body["EventType"], "WorkflowTask");
    assert_eq!(body["WorkflowTaskEvent"], detail["WorkflowTask"]);
    assert_eq!(body["SessionContext"], "kept \"as\" it is ё");

    let parsed = bench.server.ok("ParseNotification", &json!({"Content": call.text})).await;
    assert_eq!(parsed["EventType"], "WorkflowTask");
    assert_eq!(parsed["WorkflowTaskEvent"], detail["WorkflowTask"]);
    assert_eq!(parsed["SessionContext"], "kept \"as\" it is ё");
    tokio::time::sleep(seconds(2)).await;
    assert_eq!(bench.receiver.at("end").len(), 1, "told again");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told_in_order_with_growing_progress() {
    tools_or_return!();
    let bench = Bench::start().await;
    let mut request = request(&bench, &bench.receiver.url("change"), "Change");
    request["MediaProcessTask"]["TranscodeTaskSet"] =
        json!([{"Definition": 100_010}, {"Definition": 100_020}]);
    let task = bench.server.process(&request).await;
    bench.server.ended(&task, SOON).await;
    let limit = Instant::now() + seconds(30);
    while bench
        .receiver
        .at("change")
        .last()
        .is_none_or(|call| call.body()["WorkflowTaskEvent"]["Status"] != "FINISH")
    {
        assert!(Instant::now() < limit, "the end was never told");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let calls = bench.receiver.at("change");
    assert!(calls.len() >= 2, "{} callbacks", calls.len());
    let mut before = -1;
    for call in &calls {
        let event = &call.body()["WorkflowTaskEvent"];
        let sum: i64 = event["MediaProcessResultSet"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| item["TranscodeTask"]["Progress"].as_i64())
            .sum();
        assert!(sum >= before, "{sum} after {before}");
        before = sum;
    }
    assert_eq!(before, 200);
    let mut ids: Vec<&str> = calls.iter().map(|call| call.event_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), calls.len(), "an event was told twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_is_told_again_and_one_that_hangs_delays_nobody() {
    tools_or_return!();
    // A receiver of its own, as hosts are kept apart from each other.
    let bad = Receiver::start().await;
    let bench = Bench::with(|setup| setup.allow(&bad.host())).await;
    bad.always("hang", Answer::Hang);
    bench.receiver.script("twice", &[Answer::Status(500), Answer::Status(503)]);
    let mut hanging = Vec::new();
    for _ in 0..3 {
        hanging.push(bench.server.process(&request(&bench, &bad.url("hang"), "Finish")).await);
    }
    let failing = bench.server.process(&request(&bench, &bench.receiver.url("twice"), "Finish")).await;
    let quick = bench.server.process(&request(&bench, &bench.receiver.url("quick"), "Finish")).await;
    bench.server.ended(&quick, SOON).await;
    bench.receiver.wait("quick", 1, seconds(5)).await;
    for task in &hanging {
        assert_eq!(bench.server.ended(task, SOON).await["WorkflowTask"]["ErrCode"], 0);
    }
    let calls = bench.receiver.wait("twice", 3, seconds(45)).await;
    assert!(calls.iter().all(|call| call.event_id == calls[0].event_id && call.text == calls[0].text));
    assert_eq!(calls.iter().map(|call| call.attempt.as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
    let waits: Vec<f64> = calls.windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs_f64()).collect();
    assert!(waits[0] > 3.0 && waits[0] < 9.0 && waits[1] > 6.0 && waits[1] < 16.0, "{waits:?}");
    assert_eq!(calls[0].task_id(), failing);
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(bench.receiver.at("twice").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_receiver_does_not_matter_and_none_is_told_without_asking() {
    tools_or_return!();
    let bench = Bench::with(|setup| setup.allow("127.0.0.1:9")).await;
    let dead = bench.server.process(&request(&bench, "http://127.0.0.1:9/", "Finish")).await;
    assert_eq!(bench.server.ended(&dead, SOON).await["WorkflowTask"]["ErrCode"], 0);
    let mut silent = request(&bench, "", "");
    silent["TaskNotifyConfig"] = Value::Null;
    let silent = bench.server.process(&silent).await;
    bench.server.ended(&silent, SOON).await;
    tokio::time::sleep(seconds(1)).await;
    assert!(bench.receiver.all().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_are_refused_unless_allowed() {
    tools_or_return!();
    let bench = Bench::start().await;
    let hidden = Receiver::start().await;
    // As a callback: refused in the call, or never sent.
    for url in [
        hidden.url("spy"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        hidden.url("spy").replace("127.0.0.1", "localhost"),
    ] {
        if let Ok(answer) = bench.server.call("ProcessMedia", &request(&bench, &url, "Finish")).await {
            bench.server.ended(answer["TaskId"].as_str().unwrap_or_default(), SOON).await;
        }
    }
    // As a source, straight and by a redirect of a server that may be reached.
    for url in [hidden.url("spy"), bench.web.url(&format!("redirect-to/{}/spy", hidden.host()))] {
        match bench.server.call("ProcessMedia", &by_url(&url, "/x/", &[json!({"Definition": 100_010})])).await
        {
            Ok(answer) => {
                let detail =
                    bench.server.ended(answer["TaskId"].as_str().unwrap_or_default(), seconds(60)).await;
                assert_ne!(detail["WorkflowTask"]["ErrCode"], 0, "{url}");
            }
            Err(refused) => assert!(refused.code.starts_with("InvalidParameter"), "{refused:?}"),
        }
    }
    tokio::time::sleep(seconds(2)).await;
    assert!(hidden.all().is_empty(), "{:?}", hidden.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_of_a_request_are_never_told() {
    tools_or_return!();
    let bench = Bench::with(|setup| setup.set("aws.s3_endpoint_url", "http://127.0.0.1:9")).await;
    let secret = "sEcReT-of-a-store-0123456789";
    let mut request = request(&bench, &bench.receiver.url("secret"), "Finish");
    request["InputInfo"] = json!({"Type": "AWS-S3", "S3InputInfo": {"S3Bucket": "films", "S3Region": "us-east-1", "S3Object": "a.mp4",
        "S3SecretId": "AKIDEXAMPLE", "S3SecretKey": secret}});
    request["TaskNotifyConfig"]["NotifyKey"] = json!("notify-key-0123456789");
    let task = bench.server.process(&request).await;
    let detail = bench.server.ended(&task, seconds(150)).await;
    assert!(!detail.to_string().contains(secret), "{detail:#}");
    let calls = bench.receiver.wait("secret", 1, seconds(30)).await;
    for text in [&calls[0].text, &bench.server.log()] {
        assert!(!text.contains(secret) && !text.contains("notify-key-0123456789"), "{text}");
    }
}
