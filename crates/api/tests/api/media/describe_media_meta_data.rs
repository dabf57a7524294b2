use serde_json::{Value, json};

use crate::app::{BUCKET, TestApp};

fn of(object: &str) -> Value {
    json!({"InputInfo": {"Type": "COS", "CosInputInfo": {
        "Bucket": BUCKET, "Region": "ap-guangzhou", "Object": object}}})
}

#[tokio::test]
async fn a_medium_is_described_at_once() {
    let app = TestApp::new().await;
    let data = app.call("DescribeMediaMetaData", of("/film.mp4")).await.ok()["MetaData"].clone();
    assert_eq!(data["Size"], 123_456);
    assert_eq!(data["Container"], "mov,mp4,m4a,3gp,3g2,mj2");
    assert_eq!(data["Duration"], 2.5);
    assert_eq!(
        (&data["VideoStreamSet"][0]["Width"], &data["VideoStreamSet"][0]["Height"]),
        (&json!(640), &json!(360))
    );
    assert_eq!(data["AudioStreamSet"], json!([]));
}

#[tokio::test]
async fn what_is_absent_or_no_medium_has_its_code() {
    let app = TestApp::new().await;
    let reply = app.call("DescribeMediaMetaData", of("none.mp4")).await;
    reply.refused("ResourceNotFound.DownloadError", "no such object");
    let reply = app.call("DescribeMediaMetaData", of("broken.mp4")).await;
    reply.refused("InvalidParameterValue.SrcFile", "no streams");
    let mut body = of("film.mp4");
    body["Mode"] = json!("fast");
    app.call("DescribeMediaMetaData", body).await.refused("InvalidParameterValue", "Mode");
    app.call("DescribeMediaMetaData", json!({})).await.refused("MissingParameter", "InputInfo");
}
