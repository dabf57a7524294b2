//! Where sources come from and results go to (PM-02, PM-08, PM-09, COS-03, COS-07).

use mps_e2e::{Bench, SOON, results_of};
use mps_testkit::made;
use mps_testkit::server::{INPUT, OUTPUT, REGION};
use serde_json::{Value, json};

use crate::{seconds, tools_or_return};

fn source(object: &str) -> Value {
    json!({"Type": "COS", "CosInputInfo": {"Bucket": INPUT, "Region": REGION, "Object": object}})
}

#[tokio::test(flavor = "multi_thread")]
async fn results_lie_beside_their_source_unless_told_otherwise() {
    tools_or_return!();
    let bench = Bench::start().await;
    let film = std::fs::read(made::clip(320, 180, "25", seconds(1))).expect("a film");
    bench.server.put(INPUT, "video/123.mp4", film).await;
    let tasks = json!({"TranscodeTaskSet": [{"Definition": 100_010}]});
    for (object, folder, storage, bucket, key) in [
        ("/video/123.mp4", Value::Null, Value::Null, INPUT, "video/123_transcode_100010.mp4"),
        ("video/123.mp4", json!("/other/"), Value::Null, INPUT, "other/123_transcode_100010.mp4"),
        ("video/123.mp4", Value::Null, mps_e2e::storage(), OUTPUT, "video/123_transcode_100010.mp4"),
        ("video/123.mp4", json!("/third/"), mps_e2e::storage(), OUTPUT, "third/123_transcode_100010.mp4"),
    ] {
        let request = json!({"InputInfo": source(object), "OutputDir": folder, "OutputStorage": storage, "MediaProcessTask": tasks});
        let task = bench.server.process(&request).await;
        let detail = bench.server.ended(&task, SOON).await;
        let result = &results_of(&detail)[0];
        assert_eq!(result["Output"]["Path"], format!("/{key}"), "{result:#}");
        assert_eq!(result["Output"]["OutputStorage"]["CosOutputStorage"]["Bucket"], bucket);
        let object = bench.server.object(bucket, key).await.unwrap_or_else(|| panic!("no {bucket}/{key}"));
        assert_eq!(result["Output"]["Size"].as_u64(), Some(object.len() as u64));
    }
    assert_eq!(
        bench.server.keys(OUTPUT, "").await,
        ["third/123_transcode_100010.mp4", "video/123_transcode_100010.mp4"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_not_there_ends_the_task_with_a_code() {
    tools_or_return!();
    let bench = Bench::start().await;
    let request = json!({"InputInfo": source("/no/such.mp4"), "MediaProcessTask": {"TranscodeTaskSet": [{"Definition": 100_010}]}});
    let task = bench.server.process(&request).await;
    let detail = bench.server.ended(&task, seconds(60)).await;
    assert_ne!(detail["WorkflowTask"]["ErrCode"], 0);
    assert!(detail["WorkflowTask"]["Message"].as_str().is_some_and(|told| !told.is_empty()), "{detail:#}");
    assert!(bench.server.keys(INPUT, "").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_url_is_an_input() {
    tools_or_return!();
    let bench = Bench::start().await;
    let film = std::fs::read(made::clip(320, 180, "25", seconds(1))).expect("a film");
    bench.server.put(INPUT, "a b/ё.mp4", film).await;
    let url = format!("https://{INPUT}.cos.{REGION}.myqcloud.com/a%20b/%D1%91.mp4");
    let task =
        bench.server.process(&mps_e2e::by_url(&url, "/by-url/", &[json!({"Definition": 100_010})])).await;
    let detail = bench.server.ended(&task, SOON).await;
    assert_eq!(results_of(&detail)[0]["Output"]["Path"], "/by-url/ё_transcode_100010.mp4", "{detail:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_accounts_objects_are_out_of_reach() {
    tools_or_return!();
    let bench = Bench::start().await;
    let film = std::fs::read(made::clip(320, 180, "25", seconds(1))).expect("a film");
    bench.server.put(INPUT, "mine.mp4", film).await;
    let stranger = bench.server.new_key(1_250_000_077).await;
    let request = json!({"InputInfo": source("/mine.mp4"), "MediaProcessTask": {"TranscodeTaskSet": [{"Definition": 100_010}]}});
    let refused =
        bench.server.call_as(&stranger, "ProcessMedia", &request).await.expect_err("another's bucket");
    assert!(
        refused.code.starts_with("ResourceNotFound") || refused.code.starts_with("UnauthorizedOperation"),
        "{refused:?}"
    );
}
