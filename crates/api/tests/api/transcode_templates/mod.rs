mod changing;
mod describe_transcode_templates;

use serde_json::{Value, json};

use crate::app::TestApp;

/// A template that is accepted.
pub(crate) fn template() -> Value {
    json!({
        "Container": "mp4", "Name": "mine", "Comment": "for phones",
        "VideoTemplate": {"Codec": "h264", "Fps": 30, "Bitrate": 800, "Width": 0, "Height": 480},
        "AudioTemplate": {"Codec": "aac", "Bitrate": 64, "SampleRate": 44_100},
    })
}

/// Makes a template and gives its number.
pub(crate) async fn made(app: &TestApp, body: Value) -> i64 {
    app.call("CreateTranscodeTemplate", body).await.ok()["Definition"].as_i64().unwrap()
}

/// What the list says of a template.
pub(crate) async fn listed(app: &TestApp, id: i64) -> Value {
    let page = app.call("DescribeTranscodeTemplates", json!({"Definitions": [id]})).await.ok();
    page["TranscodeTemplateSet"][0].clone()
}
