use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use mps_api::Regions;
use mps_api::bucket_door::{self, BucketDoorLimits, BucketDoorParts};
use mps_core::clock::Clock;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::app::{ACCOUNT, TestApp};

/// The smallest PNG there is: one grey pixel.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";

fn door(app: &TestApp) -> Router {
    bucket_door::service(BucketDoorParts {
        store: app.store.clone(),
        buckets: app.local.clone(),
        clock: Arc::clone(&app.clock) as Arc<dyn Clock>,
        regions: Regions::new("ap-guangzhou", std::collections::BTreeMap::new()),
        domains: Vec::new(),
        limits: BucketDoorLimits::default(),
    })
}

/// Status, media type and bytes of an unsigned request to the bucket door.
async fn ask(app: &TestApp, method: &str, url: &str) -> (StatusCode, String, Vec<u8>) {
    let path = url.strip_prefix("http://127.0.0.1:8081").unwrap();
    let request = Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:8081");
    let response = door(app).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let kind = response.headers().get(header::CONTENT_TYPE).map(|v| v.to_str().unwrap().to_owned());
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes().to_vec();
    (status, kind.unwrap_or_default(), bytes)
}

async fn image_of(app: &TestApp, id: &Value) -> Value {
    let page = app.call("DescribeWatermarkTemplates", json!({"Definitions": [id]})).await.ok();
    page["WatermarkTemplateSet"][0]["ImageTemplate"].clone()
}

fn picture() -> Value {
    json!({"Type": "image", "ImageTemplate": {"ImageContent": PNG, "Width": "20%"}})
}

#[tokio::test]
async fn the_address_of_a_picture_gives_its_bytes_to_anybody() {
    let app = TestApp::new().await;
    let made = app.call("CreateWatermarkTemplate", picture()).await.ok();
    let url = made["ImageUrl"].as_str().unwrap().to_owned();
    let (status, kind, bytes) = ask(&app, "GET", &url).await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, "image/png"));
    assert_eq!(bytes, STANDARD.decode(PNG).unwrap());
    let image = json!({"ImageUrl": url, "Width": "20%", "Height": "0px", "RepeatType": "repeat"});
    assert_eq!(image_of(&app, &made["Definition"]).await, image);
}

#[tokio::test]
async fn nobody_can_do_more_than_read_a_picture_whose_name_they_know() {
    let app = TestApp::new().await;
    let made = app.call("CreateWatermarkTemplate", picture()).await.ok();
    let url = made["ImageUrl"].as_str().unwrap().to_owned();
    let bucket = "http://127.0.0.1:8081/mps-service";
    let own = format!("{bucket}/watermarks/{ACCOUNT}/");
    assert!(url.starts_with(&own), "{url}");
    for (method, url) in [
        ("GET", format!("{bucket}/")),
        ("GET", format!("{bucket}/?list-type=2&prefix=watermarks/")),
        ("GET", format!("{url}?acl")),
        ("GET", format!("{url}?tagging")),
        ("PUT", url.clone()),
        ("DELETE", url.clone()),
        ("DELETE", bucket.to_owned()),
    ] {
        assert_eq!(ask(&app, method, &url).await.0, StatusCode::FORBIDDEN, "{method} {url}");
    }
    assert_eq!(ask(&app, "GET", &format!("{own}other.png")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(ask(&app, "HEAD", &url).await.0, StatusCode::OK);
    let error = app.local.create_bucket(ACCOUNT, "mps-service", "ap-guangzhou").await.unwrap_err();
    assert!(error.message().contains("service's own"), "{error}");
}

#[tokio::test]
async fn a_new_picture_has_a_new_address_and_other_changes_keep_the_old() {
    let app = TestApp::new().await;
    let made = app.call("CreateWatermarkTemplate", picture()).await.ok();
    let id = &made["Definition"];
    let change = json!({"Definition": id, "ImageTemplate": {"Width": "30%"}});
    assert_eq!(app.call("ModifyWatermarkTemplate", change).await.ok()["ImageUrl"], "");
    let image = image_of(&app, id).await;
    assert_eq!((&image["Width"], &image["ImageUrl"]), (&json!("30%"), &made["ImageUrl"]));

    let change = json!({"Definition": id, "ImageTemplate": {"ImageContent": PNG}});
    let changed = app.call("ModifyWatermarkTemplate", change).await.ok()["ImageUrl"].clone();
    assert_ne!(changed, made["ImageUrl"]);
    assert_eq!(image_of(&app, id).await["ImageUrl"], changed);
    // A task that was accepted before may still need the first one.
    for url in [&changed, &made["ImageUrl"]] {
        assert_eq!(ask(&app, "GET", url.as_str().unwrap()).await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_broken_picture_is_refused_and_nothing_is_kept_of_a_refused_call() {
    let app = TestApp::new().await;
    let code = "InvalidParameterValue.ImageContent";
    for content in [json!(""), json!("%%%"), json!(&PNG[..40]), json!(STANDARD.encode("<svg/>"))] {
        let mut request = picture();
        request["ImageTemplate"]["ImageContent"] = content;
        app.call("CreateWatermarkTemplate", request).await.refused(code, "ImageContent");
    }
    let mut request = picture();
    request["XPos"] = json!("left");
    app.call("CreateWatermarkTemplate", request).await.refused("InvalidParameterValue.XPos", "left");
    let change = json!({"Definition": 5, "ImageTemplate": {"ImageContent": PNG}});
    app.call("ModifyWatermarkTemplate", change).await.refused("ResourceNotFound.TemplateNotExist", "5");
    let query = mps_backends::objects::local::ListQuery { limit: 10, ..Default::default() };
    assert!(app.local.list("mps-service", &query).await.unwrap().objects.is_empty());
}

#[tokio::test]
async fn pictures_are_kept_after_the_server_moved_to_another_region() {
    let app = TestApp::new().await;
    app.local.create_bucket(0, "mps-service", "ap-tokyo").await.unwrap();
    let made = app.call("CreateWatermarkTemplate", picture()).await.ok();
    assert_eq!(ask(&app, "GET", made["ImageUrl"].as_str().unwrap()).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_listing_is_filtered_by_the_kind_of_mark() {
    let app = TestApp::new().await;
    app.call("CreateWatermarkTemplate", picture()).await.ok();
    let drawing = json!({"Type": "svg", "SvgTemplate": {"Width": "10S%"}});
    app.call("CreateWatermarkTemplate", drawing).await.ok();
    for (kind, count) in [("image", 1), ("svg", 1), ("text", 0), ("", 2)] {
        let page = app.call("DescribeWatermarkTemplates", json!({"Type": kind})).await.ok();
        assert_eq!(page["TotalCount"], count, "{kind}");
    }
}
