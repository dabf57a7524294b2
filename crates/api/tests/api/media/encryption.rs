//! `DrmInfo`: what is refused at once, and what becomes a step (DRM-06, DRM-11, DRM-13 to DRM-15, DRM-17, DRM-18).

use mps_api::ToolsCell;
use mps_media::plan::Build;
use serde_json::{Value, json};

use super::with;
use crate::app::{ACCOUNT, TestApp};

/// An app whose tools include the packager.
async fn app() -> TestApp {
    TestApp::with(|parts| {
        parts.tools = ToolsCell::default();
        let build = Build::with(["libx264", "aac", "libfdk_aac", "libmp3lame"], []);
        parts.tools.fill(Build { has_packager: true, ..build });
    })
    .await
}

async fn template(app: &TestApp, format: &str, segments: &str) -> i64 {
    let stream = json!({
        "Video": {"Codec": "h264", "Fps": 25, "Bitrate": 300, "Height": 180},
        "Audio": {"Codec": "aac", "Bitrate": 64, "SampleRate": 48000},
    });
    let body = json!({"Format": format, "SegmentType": segments, "StreamInfos": [stream]});
    let made = app.call("CreateAdaptiveDynamicStreamingTemplate", body).await.ok();
    made["Definition"].as_i64().unwrap()
}

fn request(id: i64, drm: &Value) -> Value {
    let items = json!({"AdaptiveDynamicStreamingTaskSet": [{"Definition": id, "DrmInfo": drm}]});
    with(&[("/MediaProcessTask", items)])
}

fn widevine(changes: &Value) -> Value {
    let mut drm = json!({"Type": "widevine", "SpekeDrm": {
        "ResourceId": "test123", "KeyServerUrl": "https://keys.example/cpix?ticket=a%2Fb",
        "Vector": "0123456789abcdef0123456789abcdef", "EncryptionMethod": "cbcs", "EncryptionPreset": "preset0",
    }});
    for (name, value) in changes.as_object().unwrap() {
        match name.as_str() {
            "Type" => drm[name] = value.clone(),
            _ => drm["SpekeDrm"][name] = value.clone(),
        }
    }
    drm
}

#[tokio::test]
async fn what_no_stream_can_be_encrypted_with_is_refused_and_names_the_member() {
    let app = app().await;
    let mp4 = template(&app, "HLS", "mp4-segment").await;
    let ts = template(&app, "HLS", "ts-segment").await;
    let range = template(&app, "HLS", "ts-byterange").await;
    let dash = template(&app, "MPEG-DASH", "mp4-byterange").await;
    let simple = |member: &str, value: Value| {
        let mut drm =
            json!({"Type": "simpleaes", "SimpleAesDrm": {"Uri": "https://k/1", "Key": "0".repeat(32)}});
        drm["SimpleAesDrm"][member] = value;
        drm
    };
    let cases = [
        (ts, widevine(&json!({})), "DrmInfo.Type"),
        (dash, widevine(&json!({"Type": "fairplay"})), "DrmInfo.Type"),
        (dash, simple("Key", json!("1".repeat(32))), "DrmInfo.Type"),
        (range, simple("Key", json!("1".repeat(32))), "DrmInfo.Type"),
        (mp4, widevine(&json!({"Type": "none"})), "DrmInfo.Type"),
        (mp4, widevine(&json!({"Type": "fairplay", "EncryptionMethod": "cenc"})), "EncryptionMethod"),
        (mp4, widevine(&json!({"EncryptionPreset": "preset2"})), "EncryptionPreset"),
        (mp4, widevine(&json!({"ResourceId": ""})), "ResourceId"),
        (mp4, widevine(&json!({"ResourceId": "a b"})), "ResourceId"),
        (mp4, widevine(&json!({"ResourceId": "a".repeat(129)})), "ResourceId"),
        (mp4, widevine(&json!({"Vector": "0".repeat(31)})), "Vector"),
        (mp4, widevine(&json!({"Vector": "x".repeat(32)})), "Vector"),
        (mp4, widevine(&json!({"KeyServerUrl": "abc"})), "KeyServerUrl"),
        (mp4, widevine(&json!({"KeyServerUrl": "ftp://x/?t=s3cr3t"})), "KeyServerUrl"),
        (mp4, widevine(&json!({"KeyServerUrl": "http://127.0.0.1:9/?t=s3cr3t"})), "KeyServerUrl"),
        (mp4, widevine(&json!({"KeyServerUrl": "http://169.254.169.254/?t=s3cr3t"})), "KeyServerUrl"),
        (ts, simple("Key", json!("s3cr3t")), "SimpleAesDrm.Key"),
        (ts, simple("Vector", json!("12")), "SimpleAesDrm.Vector"),
    ];
    for (id, drm, named) in cases {
        let reply = app.call("ProcessMedia", request(id, &drm)).await;
        assert!(!reply.message().contains("s3cr3t"), "{}", reply.message());
        assert!(
            reply.code().starts_with("InvalidParameterValue"),
            "{drm}: {} {}",
            reply.code(),
            reply.message()
        );
        assert!(reply.message().contains("AdaptiveDynamicStreamingTaskSet.0.DrmInfo"), "{}", reply.message());
        assert!(reply.message().contains(named), "{}", reply.message());
    }
    for (id, drm) in [(mp4, json!({"Type": "widevine"})), (mp4, json!({})), (ts, simple("Uri", Value::Null))]
    {
        app.call("ProcessMedia", request(id, &drm)).await.refused("MissingParameter", "DrmInfo");
    }
    assert_eq!(app.count_tasks().await, 0);
}

#[tokio::test]
async fn the_documented_call_is_taken_and_its_ticket_is_masked() {
    let app = app().await;
    for (format, segments) in [("HLS", "mp4-segment"), ("MPEG-DASH", "")] {
        let id = template(&app, format, segments).await;
        let made = app.call("ProcessMedia", request(id, &widevine(&json!({})))).await.ok();
        let task = made["TaskId"].as_str().unwrap();
        let view = app.engine.view(ACCOUNT, task).await.unwrap().unwrap();
        assert_eq!(view.steps[1].params["drm"]["resource_id"], "test123");
        let told = app.call("DescribeTaskDetail", json!({"TaskId": task})).await.ok().to_string();
        assert!(told.contains("https://keys.example/cpix?******") && !told.contains("ticket"), "{told}");
    }
}

#[tokio::test]
async fn samples_are_not_encrypted_without_the_packager() {
    let app = TestApp::new().await;
    let id = template(&app, "HLS", "mp4-segment").await;
    app.call("ProcessMedia", request(id, &widevine(&json!({}))))
        .await
        .refused("UnsupportedOperation", "packager");
}
