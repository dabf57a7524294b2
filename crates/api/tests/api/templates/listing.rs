use serde_json::{Value, json};

use super::samples::{self, Sample};
use crate::app::TestApp;

async fn numbers(app: &TestApp, sample: &Sample, request: Value) -> Vec<i64> {
    let page = app.call(&sample.action("Describe"), request).await.ok();
    let items = page[sample.list_member()].as_array().unwrap();
    items.iter().map(|item| item["Definition"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn presets_come_first_and_pages_neither_repeat_nor_leave_out() {
    let app = TestApp::new().await;
    for sample in samples::all() {
        let mut own = Vec::new();
        for name in ["a", "b", "c"] {
            let mut request = sample.request();
            request["Name"] = json!(name);
            let made = app.call(&sample.action("Create"), request).await.ok();
            own.insert(0, made["Definition"].as_i64().unwrap());
        }
        let all = numbers(&app, &sample, json!({"Limit": sample.most_per_page})).await;
        assert_eq!(all[all.len() - 3..], own, "{}", sample.stem);
        if let Some(preset) = sample.preset {
            assert!(all[..all.len() - 3].contains(&preset), "{}", sample.stem);
            assert_eq!(numbers(&app, &sample, json!({"Type": "Custom"})).await, own, "{}", sample.stem);
            let presets =
                numbers(&app, &sample, json!({"Type": "Preset", "Limit": sample.most_per_page})).await;
            assert_eq!(presets, all[..all.len() - 3], "{}", sample.stem);
        }
        assert_eq!(
            numbers(&app, &sample, json!({"Name": "b"})).await.last(),
            Some(&own[1]),
            "{}",
            sample.stem
        );
        let last = json!({"Offset": all.len() - 2, "Limit": 1});
        assert_eq!(numbers(&app, &sample, last).await, own[1..2], "{}", sample.stem);
        assert!(numbers(&app, &sample, json!({"Offset": 9999})).await.is_empty(), "{}", sample.stem);
        assert!(numbers(&app, &sample, json!({})).await.len() <= 10, "{}", sample.stem);
    }
}

#[tokio::test]
async fn wrong_filters_are_refused() {
    let app = TestApp::new().await;
    let many: Vec<i64> = (0..101).collect();
    for sample in samples::all() {
        for (request, code) in [
            (json!({"Definitions": many}), "InvalidParameterValue.Definitions"),
            (json!({"Limit": sample.most_per_page + 1}), "InvalidParameterValue.Limit"),
            (json!({"Limit": 0}), "InvalidParameterValue.Limit"),
            (json!({"Type": "Mine"}), "InvalidParameterValue.Type"),
            (json!({"Name": "x".repeat(65)}), "InvalidParameterValue.Name"),
            (json!({"Nonsense": 1}), "UnknownParameter"),
        ] {
            let reply = app.call(&sample.action("Describe"), request.clone()).await;
            assert_eq!(reply.code(), code, "{} {request}", sample.stem);
        }
    }
}
