use serde_json::{Value, json};

use super::{listed, made, template};
use crate::app::{ACCOUNT, TestApp};

#[tokio::test]
async fn a_template_is_given_back_as_it_was_made() {
    let app = TestApp::new().await;
    let id = made(&app, template()).await;
    assert!(id > 1_000_000, "{id}");
    let item = listed(&app, id).await;
    assert_eq!(item["Definition"], id.to_string());
    assert_eq!((&item["Name"], &item["Comment"]), (&json!("mine"), &json!("for phones")));
    assert_eq!((&item["Type"], &item["ContainerType"]), (&json!("Custom"), &json!("Video")));
    assert_eq!((&item["VideoTemplate"]["Fps"], &item["VideoTemplate"]["Height"]), (&json!(30), &json!(480)));
    assert_eq!(item["AudioTemplate"]["SampleRate"], 44_100);
    assert_eq!(item["CreateTime"], "2026-03-01T08:00:00Z");
}

#[tokio::test]
async fn a_change_touches_only_what_it_names() {
    let app = TestApp::new().await;
    let id = made(&app, template()).await;
    let before = listed(&app, id).await;
    app.clock.advance(60_000);
    let change = json!({"Definition": id, "VideoTemplate": {"Height": 720}, "Comment": "larger"});
    app.call("ModifyTranscodeTemplate", change).await.ok();
    let mut wanted = before.clone();
    wanted["VideoTemplate"]["Height"] = json!(720);
    wanted["Comment"] = json!("larger");
    wanted["UpdateTime"] = json!("2026-03-01T08:01:00Z");
    assert_eq!(listed(&app, id).await, wanted);

    app.call("ModifyTranscodeTemplate", json!({"Definition": id, "Comment": ""})).await.ok();
    assert_eq!(listed(&app, id).await["Comment"], "");
}

#[tokio::test]
async fn a_wrong_change_changes_nothing() {
    let app = TestApp::new().await;
    let id = made(&app, template()).await;
    let before = listed(&app, id).await;
    let change = json!({"Definition": id, "Container": "webm"});
    app.call("ModifyTranscodeTemplate", change).await.refused("InvalidParameterValue.VideoCodec", "webm");
    assert_eq!(listed(&app, id).await, before);
}

#[tokio::test]
async fn the_systems_templates_stay() {
    let app = TestApp::new().await;
    for id in [100_010, 100_210, 9, 1_010] {
        let change = json!({"Definition": id, "Name": "x"});
        let reply = app.call("ModifyTranscodeTemplate", change).await;
        reply.refused("InvalidParameterValue.ModifyDefaultTemplate", &id.to_string());
        let reply = app.call("DeleteTranscodeTemplate", json!({"Definition": id})).await;
        reply.refused("InvalidParameterValue.DeleteDefaultTemplate", &id.to_string());
    }
}

#[tokio::test]
async fn a_deleted_template_is_gone_and_others_cannot_touch_it() {
    let app = TestApp::new().await;
    let id = made(&app, template()).await;
    let other = app.add_key(ACCOUNT + 1).await;
    let absent = "ResourceNotFound.TemplateNotExist";
    let change = json!({"Definition": id, "Name": "theirs"});
    app.call_as(&other, "ModifyTranscodeTemplate", change.clone()).await.refused(absent, &id.to_string());
    app.call_as(&other, "DeleteTranscodeTemplate", json!({"Definition": id}))
        .await
        .refused(absent, &id.to_string());
    let page = app.call_as(&other, "DescribeTranscodeTemplates", json!({"Definitions": [id]})).await.ok();
    assert_eq!(page["TotalCount"], 0);

    app.call("DeleteTranscodeTemplate", json!({"Definition": id})).await.ok();
    assert_eq!(listed(&app, id).await, Value::Null);
    app.call("DeleteTranscodeTemplate", json!({"Definition": id})).await.refused(absent, &id.to_string());
    app.call("ModifyTranscodeTemplate", change).await.refused(absent, &id.to_string());
    assert_ne!(made(&app, template()).await, id);
}

#[tokio::test]
async fn each_wrong_value_has_its_code() {
    let app = TestApp::new().await;
    let cases: &[(&str, Value, &str)] = &[
        ("/Name", json!("x".repeat(65)), "InvalidParameterValue.Name"),
        ("/Comment", json!("x".repeat(257)), "InvalidParameterValue.Comment"),
        ("/Container", json!("xyz"), "InvalidParameterValue.Container"),
        ("/Container", Value::Null, "MissingParameter"),
        ("/VideoTemplate", Value::Null, "MissingParameter"),
        ("/VideoTemplate/Codec", json!("vp9"), "InvalidParameterValue.VideoCodec"),
        ("/VideoTemplate/Bitrate", json!(127), "InvalidParameterValue.VideoBitrate"),
        ("/VideoTemplate/Fps", json!(121), "InvalidParameterValue.Fps"),
        ("/VideoTemplate/Width", json!(127), "InvalidParameterValue.Width"),
        ("/VideoTemplate/Colour", json!(1), "UnknownParameter"),
        ("/AudioTemplate/Codec", json!("vorbis"), "InvalidParameterValue.AudioCodec"),
        ("/RemoveVideo", json!(2), "InvalidParameterValue.RemoveVideo"),
    ];
    for (pointer, value, code) in cases {
        let mut body = template();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value.clone();
        assert_eq!(app.call("CreateTranscodeTemplate", body).await.code(), *code, "{pointer} {value}");
    }
    let mut body = template();
    body["Name"] = json!("x".repeat(64));
    body["Comment"] = json!("x".repeat(256));
    made(&app, body).await;
}
