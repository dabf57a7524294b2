use mps_core::task::TaskView;
use serde_json::{Value, json};

use super::{cos_output, of_url, with};
use crate::app::{ACCOUNT, BUCKET, FOREIGN_BUCKET, TestApp};

async fn accepted(app: &TestApp, body: Value) -> TaskView {
    let id = app.call("ProcessMedia", body).await.ok()["TaskId"].as_str().unwrap().to_owned();
    app.engine.view(ACCOUNT, &id).await.unwrap().unwrap()
}

fn cos_input(bucket: &str, region: &str, object: &str) -> (&'static str, Value) {
    let place = json!({"Bucket": bucket, "Region": region, "Object": object});
    ("/InputInfo", json!({"Type": "COS", "CosInputInfo": place}))
}

fn s3_input(bucket: &str, region: &str) -> Value {
    json!({"Type": "AWS-S3", "S3InputInfo": {"S3Bucket": bucket, "S3Region": region, "S3Object": "in/a.mp4",
        "S3SecretId": "AKIA", "S3SecretKey": "hush"}})
}

#[tokio::test]
async fn a_key_with_and_without_a_leading_slash_is_one_file() {
    let app = TestApp::new().await;
    for object in ["/video/123.mp4", "video/123.mp4"] {
        let view = accepted(&app, with(&[cos_input(BUCKET, "ap-guangzhou", object)])).await;
        assert_eq!(view.steps[0].params["CosInputInfo"]["Object"], "video/123.mp4");
        assert_eq!(view.steps[1].params["naming"]["directory"], "/video/");
    }
}

#[tokio::test]
async fn a_bucket_is_checked_when_the_call_comes() {
    let app = TestApp::new().await;
    let cases = [
        (cos_input("test", "ap-guangzhou", "a.mp4"), "ResourceNotFound.CosBucketNameInvalid", "test"),
        (
            cos_input("none-1250000000", "ap-guangzhou", "a.mp4"),
            "ResourceNotFound.CosBucketNotExist",
            "none-",
        ),
        (cos_input(FOREIGN_BUCKET, "ap-guangzhou", "a.mp4"), "ResourceNotFound.CosBucketNotExist", "other-"),
        (cos_input(BUCKET, "ap-tokyo", "a.mp4"), "ResourceNotFound.CosBucketNotExist", "ap-tokyo"),
        (cos_input(BUCKET, "ap-guangzhou-9", "a.mp4"), "InvalidParameterValue", "ap-guangzhou-9"),
        (cos_input(BUCKET, "", "a.mp4"), "MissingParameter", "Region"),
        (cos_input(BUCKET, "ap-guangzhou", ""), "InvalidParameterValue.InputInfo", "Object"),
        (cos_input(BUCKET, "ap-guangzhou", "folder/"), "InvalidParameterValue.InputInfo", "Object"),
    ];
    for (change, code, named) in cases {
        app.call("ProcessMedia", with(&[change])).await.refused(code, named);
    }
    let output = |bucket, region| with(&[("/OutputStorage", cos_output(bucket, region))]);
    let reply = app.call("ProcessMedia", output("none-1250000000", "ap-guangzhou")).await;
    reply.refused("ResourceNotFound.CosBucketNotExist", "OutputStorage");
    let reply = app.call("ProcessMedia", output(FOREIGN_BUCKET, "ap-guangzhou")).await;
    reply.refused("ResourceNotFound.CosBucketNotExist", "OutputStorage");
    assert_eq!(app.count_tasks().await, 0);
}

#[tokio::test]
async fn a_bucket_made_meanwhile_is_found_within_a_second() {
    let app = TestApp::new().await;
    let body = with(&[cos_input("late-1250000007", "ap-guangzhou", "a.mp4")]);
    let other = app.add_account(ACCOUNT + 7, "seven-1250000007").await;
    app.call_as(&other, "ProcessMedia", body.clone())
        .await
        .refused("ResourceNotFound.CosBucketNotExist", "late");
    app.add_account(ACCOUNT + 7, "late-1250000007").await;
    app.clock.advance(1_001);
    app.call_as(&other, "ProcessMedia", body).await.ok();
}

#[tokio::test]
async fn an_alias_of_a_region_means_it() {
    let app = TestApp::new().await;
    let view = accepted(&app, with(&[cos_input(BUCKET, "ap-guangzhou-2", "a.mp4")])).await;
    assert_eq!(view.steps[0].params["CosInputInfo"]["Region"], "ap-guangzhou");
    assert_eq!(view.steps[1].params["storage"]["CosOutputStorage"]["Region"], "ap-guangzhou");
    assert_eq!(view.task.request["InputInfo"]["CosInputInfo"]["Region"], "ap-guangzhou-2");
}

#[tokio::test]
async fn a_bucket_of_a_region_of_its_own_is_found_there() {
    let app = TestApp::new().await;
    app.add_bucket(ACCOUNT, "rack-1250000000", "rack-9").await;
    app.add_bucket(ACCOUNT, "alias-1250000000", "ap-guangzhou-2").await;
    for (bucket, region, home) in [
        ("rack-1250000000", "rack-9", "rack-9"),
        ("alias-1250000000", "ap-guangzhou", "ap-guangzhou-2"),
        ("alias-1250000000", "ap-guangzhou-2", "ap-guangzhou-2"),
    ] {
        let view = accepted(&app, with(&[cos_input(bucket, region, "a.mp4")])).await;
        assert_eq!(view.steps[0].params["CosInputInfo"]["Region"], home);
    }
    let elsewhere = with(&[cos_input("rack-1250000000", "ap-guangzhou", "a.mp4")]);
    app.call("ProcessMedia", elsewhere).await.refused("ResourceNotFound.CosBucketNotExist", "rack-");
}

#[tokio::test]
async fn a_bucket_of_a_cos_outside_need_not_be_ours() {
    let app = TestApp::with(|parts| parts.bucket_names.has_outside = true).await;
    let view = accepted(&app, with(&[cos_input("far-1250000000", "ap-tokyo", "a.mp4")])).await;
    assert_eq!(view.steps[0].params["CosInputInfo"]["Bucket"], "far-1250000000");
    let others = with(&[cos_input(FOREIGN_BUCKET, "ap-guangzhou", "a.mp4")]);
    app.call("ProcessMedia", others).await.refused("ResourceNotFound.CosBucketNotExist", "other-");
}

#[tokio::test]
async fn outputs_inherit_what_they_do_not_say() {
    let app = TestApp::new().await;
    let storage = |view: &TaskView| view.steps[1].params["storage"]["CosOutputStorage"].clone();
    let whole = json!({"Bucket": BUCKET, "Region": "ap-guangzhou"});
    let bare = accepted(&app, with(&[])).await;
    assert_eq!(storage(&bare), whole);
    let no_member = accepted(&app, with(&[("/OutputStorage", json!({"Type": "COS"}))])).await;
    assert_eq!(storage(&no_member), whole);
    let half = json!({"Type": "COS", "CosOutputStorage": {"Bucket": BUCKET}});
    assert_eq!(storage(&accepted(&app, with(&[("/OutputStorage", half)])).await), whole);
    let items = json!([{"Definition": 100_010, "OutputStorage": {"Type": "COS"}}]);
    let item = accepted(&app, with(&[("/MediaProcessTask/TranscodeTaskSet", items)])).await;
    assert_eq!(storage(&item), whole);
}

#[tokio::test]
async fn an_output_dir_is_where_outputs_go() {
    let app = TestApp::new().await;
    let view = accepted(&app, with(&[("/OutputDir", json!("/out/2026/"))])).await;
    assert_eq!(view.steps[1].params["naming"]["directory"], "/out/2026/");
}

#[tokio::test]
async fn a_url_gives_no_storage_to_inherit() {
    let app = TestApp::new().await;
    let mut body = of_url("https://example.com/v/a.mp4");
    accepted(&app, body.clone()).await;
    body.as_object_mut().unwrap().remove("OutputStorage");
    app.call("ProcessMedia", body.clone()).await.refused("MissingParameter", "OutputStorage");
    body["OutputStorage"] = json!({"Type": "COS"});
    app.call("ProcessMedia", body.clone()).await.refused("MissingParameter", "OutputStorage");
    body.as_object_mut().unwrap().remove("OutputStorage");
    body["MediaProcessTask"]["TranscodeTaskSet"][0]["OutputStorage"] = cos_output(BUCKET, "ap-guangzhou");
    accepted(&app, body).await;
}

#[tokio::test]
async fn a_url_must_be_one_that_may_be_fetched() {
    let app = TestApp::new().await;
    for url in [
        "ftp://example.com/a.mp4",
        "file:///etc/passwd",
        "a.mp4",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:9/a.mp4",
        "http://[::1]/a.mp4",
    ] {
        app.call("ProcessMedia", of_url(url))
            .await
            .refused("InvalidParameter.InvalidUrl", "InputInfo.UrlInputInfo.Url");
    }
    app.call("ProcessMedia", of_url("")).await.refused("MissingParameter", "Url");
}

#[tokio::test]
async fn a_url_of_an_own_bucket_is_that_bucket() {
    let app = TestApp::new().await;
    for url in [
        "https://test-1250000000.cos.ap-guangzhou.myqcloud.com/v/a%20b.mp4?sign=x",
        "http://127.0.0.1:8081/test-1250000000/v/a%20b.mp4",
    ] {
        let view = accepted(&app, of_url(url)).await;
        let input = &view.steps[0].params;
        assert_eq!(input["Type"], "COS", "{url}");
        let cos = json!({"Bucket": BUCKET, "Region": "ap-guangzhou", "Object": "v/a b.mp4"});
        assert_eq!(input["CosInputInfo"], cos);
        assert_eq!(view.task.request["InputInfo"]["UrlInputInfo"]["Url"], url);
    }
}

#[tokio::test]
async fn a_url_of_another_accounts_bucket_is_only_a_url() {
    let app = TestApp::new().await;
    let view = accepted(&app, of_url("https://other-1250000001.cos.ap-guangzhou.myqcloud.com/a.mp4")).await;
    assert_eq!(view.steps[0].params["Type"], "URL");
    let own_address = of_url("http://127.0.0.1:8081/other-1250000001/a.mp4");
    app.call("ProcessMedia", own_address).await.refused("InvalidParameter.InvalidUrl", "Url");
}

#[tokio::test]
async fn an_aws_input_lends_its_keys_to_outputs() {
    let app = TestApp::new().await;
    let view = accepted(&app, with(&[("/InputInfo", s3_input("my-bucket", "ap-southeast-1"))])).await;
    assert_eq!(view.steps[0].params["S3InputInfo"]["S3Object"], "in/a.mp4");
    let whole = json!({"S3Bucket": "my-bucket", "S3Region": "ap-southeast-1", "S3SecretId": "AKIA", "S3SecretKey": "hush"});
    assert_eq!(view.steps[1].params["storage"]["S3OutputStorage"], whole);
    let out =
        json!({"Type": "AWS-S3", "S3OutputStorage": {"S3Bucket": "my-bucket", "S3Region": "ap-southeast-1"}});
    let changes = [("/InputInfo", s3_input("my-bucket", "ap-southeast-1")), ("/OutputStorage", out)];
    let view = accepted(&app, with(&changes)).await;
    assert_eq!(view.steps[1].params["storage"]["S3OutputStorage"], whole);
}

#[tokio::test]
async fn an_aws_bucket_without_keys_needs_those_of_the_operator() {
    let mut input = s3_input("my-bucket", "us-east-1");
    input["S3InputInfo"]["S3SecretId"] = json!("");
    input["S3InputInfo"]["S3SecretKey"] = json!("");
    let body = with(&[("/InputInfo", input)]);
    let without = TestApp::new().await;
    without.call("ProcessMedia", body.clone()).await.refused("MissingParameter", "S3SecretId");
    let app = TestApp::with(|parts| parts.bucket_names.has_s3_keys = true).await;
    accepted(&app, body.clone()).await;
    let mut half = body;
    half["InputInfo"]["S3InputInfo"]["S3SecretId"] = json!("AKIA");
    app.call("ProcessMedia", half).await.refused("MissingParameter", "S3SecretKey");
}

#[tokio::test]
async fn aws_names_follow_the_rules_of_aws() {
    let app = TestApp::new().await;
    for (bucket, region, named) in [
        ("My-Bucket", "us-east-1", "S3Bucket"),
        ("my-bucket", "US-EAST-1", "S3Region"),
        ("my-bucket", "mars-north-1", "S3Region"),
    ] {
        let body = with(&[("/InputInfo", s3_input(bucket, region))]);
        app.call("ProcessMedia", body).await.refused("InvalidParameterValue", named);
    }
    let mut input = s3_input("my-bucket", "us-east-1");
    input["S3InputInfo"]["S3SecretKey"] = json!("");
    app.call("ProcessMedia", with(&[("/InputInfo", input)])).await.refused("MissingParameter", "S3SecretKey");
}

#[tokio::test]
async fn types_of_storage_are_known_or_refused_by_name() {
    let app = TestApp::new().await;
    let input = |kind: &str| with(&[("/InputInfo", json!({"Type": kind}))]);
    app.call("ProcessMedia", input("VOD")).await.refused("UnsupportedOperation", "VOD");
    app.call("ProcessMedia", input("FTP")).await.refused("InvalidParameterValue.InputInfo", "FTP");
    app.call("ProcessMedia", input("COS")).await.refused("MissingParameter", "CosInputInfo");
    app.call("ProcessMedia", input("URL")).await.refused("MissingParameter", "UrlInputInfo");
    app.call("ProcessMedia", input("AWS-S3")).await.refused("MissingParameter", "S3InputInfo");
    let vod = json!({"Type": "VOD", "VODInputInfo": {"FileId": "1", "SubAppId": 1}});
    app.call("ProcessMedia", with(&[("/InputInfo", vod)])).await.refused("UnsupportedOperation", "VOD");
    let output = |kind: &str| with(&[("/OutputStorage", json!({"Type": kind}))]);
    app.call("ProcessMedia", output("VOD")).await.refused("UnsupportedOperation", "VOD");
    app.call("ProcessMedia", output("NFS")).await.refused("InvalidParameterValue", "NFS");
}
