//! Every action of the specification is answered, and none to somebody unknown.

use axum::body::Body;
use http::{Request, header};
use mps_wire::schema;
use serde_json::json;

use crate::app::TestApp;

#[tokio::test]
async fn every_action_of_the_specification_answers_with_an_envelope() {
    let app = TestApp::new().await;
    assert_eq!(schema::ACTIONS.len(), 230);
    for action in &schema::ACTIONS {
        let reply = app.call(action.name, json!({})).await;
        assert!(reply.response["RequestId"].is_string(), "{}", action.name);
        if action.served {
            assert_ne!(reply.code(), "UnsupportedOperation", "{}", action.name);
            assert_ne!(reply.code(), "InternalError", "{}", action.name);
        } else {
            reply.refused("UnsupportedOperation", action.name);
        }
    }
}

#[tokio::test]
async fn every_action_refuses_an_unsigned_call() {
    let app = TestApp::new().await;
    for action in &schema::ACTIONS {
        let request = Request::post("/")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::HOST, crate::app::HOST)
            .header("X-TC-Action", action.name)
            .header("X-TC-Version", "2019-06-12")
            .body(Body::from("{}"))
            .unwrap();
        let reply = app.send(request).await;
        assert!(reply.code().starts_with("AuthFailure"), "{}: {}", action.name, reply.code());
    }
}

#[tokio::test]
async fn each_refused_member_is_refused_with_a_reason() {
    for action in mps_api::coverage() {
        for refused in action.refused {
            assert!(!refused.why.is_empty(), "{} {}", action.name, refused.path);
        }
    }
}
