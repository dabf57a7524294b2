//! What the shape of a request alone decides, the same for every action.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::media::transcode;

#[tokio::test]
async fn absent_unknown_and_mistyped_parameters_have_their_codes() {
    let app = TestApp::new().await;
    let cases = [
        (json!({}), "MissingParameter", "Status"),
        (json!({"Status": null}), "MissingParameter", "Status"),
        (json!({"Status": "WAITING", "Colour": 1}), "UnknownParameter", "Colour"),
        (json!({"Status": 7}), "InvalidParameter", "Status"),
        (json!({"Status": "WAITING", "Limit": "ten"}), "InvalidParameter", "Limit"),
        (json!({"Status": "WAITING", "SubTaskHasFailed": "yes"}), "InvalidParameter", "SubTaskHasFailed"),
    ];
    for (body, code, named) in cases {
        app.call("DescribeTasks", body).await.refused(code, named);
    }
}

#[tokio::test]
async fn extended_parameters_are_text_not_objects() {
    let app = TestApp::new().await;
    let mut body = transcode();
    body["AiAnalysisTask"] = json!({"Definition": 22, "ExtendedParameter": {"des": {}}});
    app.call("ProcessMedia", body).await.refused("InvalidParameter", "AiAnalysisTask.ExtendedParameter");
}

/// JSON of any form, now and then with names that the API knows.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "(COS|URL|AWS-S3|Finish|WAITING|100010|mp4|h264)".prop_map(Value::from),
    ];
    let name = "(InputInfo|Type|CosInputInfo|UrlInputInfo|Url|MediaProcessTask|TranscodeTaskSet|Definition\
        |RawParameter|Container|VideoTemplate|AudioTemplate|Codec|TaskId|Status|Limit|Content|Definitions|OutputDir\
        |OutputStorage|TaskNotifyConfig|Name|[A-Za-z.]{0,6})";
    leaf.prop_recursive(6, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

#[test]
fn no_json_makes_an_action_fail_inside() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(TestApp::new());
    let actions: Vec<_> = mps_api::coverage().iter().map(|action| action.name).collect();
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(body in any_json(), merged in any::<bool>(), at in 0..actions.len())| {
        let mut sent = if merged { transcode() } else { json!({}) };
        match (&mut sent, &body) {
            (Value::Object(sent), Value::Object(body)) => sent.extend(body.clone()),
            (sent, body) => *sent = body.clone(),
        }
        let reply = runtime.block_on(app.call(actions[at], sent));
        prop_assert!(reply.response["RequestId"].is_string());
        prop_assert_ne!(reply.code(), "InternalError");
    });
}
