//! Editing: stretches joined, elements composed (EDIT-01 to EDIT-06).

mod compose;
mod join;

use std::path::{Path, PathBuf};

use mps_e2e::{Bench, SOON, storage};
use serde_json::{Value, json};

/// A file of `FileInfos`, offered by URL.
fn file(bench: &Bench, path: &Path) -> Value {
    let name = path.file_name().and_then(|name| name.to_str()).expect("a source has a name");
    json!({"InputInfo": {"Type": "URL", "UrlInputInfo": {"Url": bench.web.offer(name, path)}}})
}

/// A request for an output of this name in a folder of its own.
fn request(files: &[Value], name: &str, more: &Value) -> Value {
    let unique = uuid::Uuid::new_v4().simple().to_string();
    let mut request = json!({
        "FileInfos": files, "OutputStorage": storage(), "OutputObjectPath": format!("/{unique}/{name}"),
    });
    let (Some(all), Some(more)) = (request.as_object_mut(), more.as_object()) else {
        unreachable!("both are objects")
    };
    all.extend(more.clone());
    request
}

/// Has an edit done; its `EditMediaTask`.
async fn task(bench: &Bench, request: &Value) -> Value {
    let answer = bench.server.ok("EditMedia", request).await;
    let id = answer["TaskId"].as_str().expect("an id");
    let detail = bench.server.ended(id, SOON).await;
    assert_eq!(detail["TaskType"], "EditMediaTask");
    assert_eq!(detail["WorkflowTask"], Value::Null);
    detail["EditMediaTask"].clone()
}

/// Has an edit done that must succeed; its file.
async fn done(bench: &Bench, request: &Value) -> PathBuf {
    let task = task(bench, request).await;
    assert_eq!((&task["Status"], &task["ErrCode"]), (&json!("FINISH"), &json!(0)), "{task:#}");
    bench.fetch(task["Output"]["Path"].as_str().unwrap_or_else(|| panic!("no output: {task:#}"))).await
}

/// Has an edit refused in the call; code and message.
async fn refused(bench: &Bench, request: &Value) -> (String, String) {
    let refused = bench.server.call("EditMedia", request).await.expect_err("refused");
    (refused.code, refused.message)
}
