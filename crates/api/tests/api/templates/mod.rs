//! What all template families have in common, on a sample of each.

mod every_family;
mod hotwords;
mod listing;
mod samples;
mod subtitles;
mod watermark;
mod word_samples;

use serde_json::{Value, json};

use crate::app::TestApp;
use samples::Sample;

/// Makes a template of a sample and gives its number.
async fn made(app: &TestApp, sample: &Sample) -> i64 {
    let answer = app.call(&sample.action("Create"), sample.request()).await.ok();
    answer["Definition"].as_i64().unwrap()
}

/// What the listing says of a template; null when it is not listed.
async fn listed(app: &TestApp, sample: &Sample, id: i64) -> Value {
    let page = app.call(&sample.action("Describe"), json!({"Definitions": [id]})).await.ok();
    page[sample.list_member()][0].clone()
}
