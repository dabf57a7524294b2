use serde_json::{Value, json};

use super::{made, template};
use crate::app::TestApp;

async fn numbers(app: &TestApp, request: Value) -> Vec<String> {
    let page = app.call("DescribeTranscodeTemplates", request).await.ok();
    let items = page["TranscodeTemplateSet"].as_array().unwrap();
    items.iter().map(|item| item["Definition"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_preset_is_listed_with_its_parameters() {
    let app = TestApp::new().await;
    let page = app.call("DescribeTranscodeTemplates", json!({"Definitions": [100_010]})).await.ok();
    assert_eq!(page["TotalCount"], 1);
    let item = &page["TranscodeTemplateSet"][0];
    assert_eq!((&item["Name"], &item["Type"]), (&json!("MP4-FLU"), &json!("Preset")));
    assert_eq!(
        (&item["VideoTemplate"]["Height"], &item["VideoTemplate"]["Bitrate"]),
        (&json!(360), &json!(400))
    );
    assert_eq!(item["TEHDConfig"], Value::Null);
}

#[tokio::test]
async fn filters_and_pages_work_together() {
    let app = TestApp::new().await;
    let mut own = Vec::new();
    for name in ["a", "b", "c"] {
        let mut body = template();
        body["Name"] = json!(name);
        own.push(made(&app, body).await.to_string());
    }
    own.reverse();
    assert_eq!(numbers(&app, json!({"Type": "Custom"})).await, own);
    assert_eq!(numbers(&app, json!({"Type": "Custom", "Offset": 1, "Limit": 1})).await, own[1..2]);
    assert_eq!(numbers(&app, json!({"Type": "Custom", "Name": "b"})).await, own[1..2]);
    let presets = numbers(&app, json!({"Type": "Preset", "Limit": 100})).await;
    assert!(presets.contains(&"100040".to_owned()) && !presets.contains(&own[0]));
    assert_eq!(numbers(&app, json!({})).await.len(), 10);
    let sound = numbers(&app, json!({"ContainerType": "PureAudio", "Limit": 100})).await;
    assert!(sound.contains(&"1010".to_owned()) && !sound.contains(&"100010".to_owned()));
}

#[tokio::test]
async fn wrong_filters_are_refused() {
    let app = TestApp::new().await;
    let many: Vec<i64> = (0..101).collect();
    for (request, code) in [
        (json!({"Definitions": many}), "InvalidParameterValue.Definitions"),
        (json!({"Limit": 101}), "InvalidParameterValue.Limit"),
        (json!({"Limit": 0}), "InvalidParameterValue.Limit"),
        (json!({"Limit": -1}), "InvalidParameterValue.Limit"),
        (json!({"Type": "Mine"}), "InvalidParameterValue.Type"),
        (json!({"ContainerType": "Both"}), "InvalidParameterValue.ContainerType"),
        (json!({"Nonsense": 1}), "UnknownParameter"),
    ] {
        assert_eq!(app.call("DescribeTranscodeTemplates", request.clone()).await.code(), code, "{request}");
    }
}
