mod describe_task_detail;
mod describe_tasks;
mod manage_task;
mod parse_notification;

use serde_json::Value;

use crate::app::TestApp;
use crate::media;

/// Accepts a task and gives its id.
pub(crate) async fn accepted(app: &TestApp, body: Value) -> String {
    app.call("ProcessMedia", body).await.ok()["TaskId"].as_str().unwrap().to_owned()
}

/// Accepts a plain task and lets a worker fail its source, so that it has ended.
pub(crate) async fn ended(app: &TestApp) -> String {
    let id = accepted(app, media::transcode()).await;
    fail_next(app).await;
    id
}

/// Claims the next step and fails it for good.
pub(crate) async fn fail_next(app: &TestApp) {
    let ask = mps_tasks::Ask { capabilities: vec![0], limit: 1, lease_ms: 60_000 };
    let taken = app.engine.claim(&ask).await.unwrap();
    let error = mps_core::Error::invalid("cannot read the source").with("err_code", 70_000);
    app.engine.fail(taken[0], &error).await.unwrap();
}
