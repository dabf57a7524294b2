//! The steps of `MediaProcessTask.TranscodeTaskSet`: one for each item, in the order of the request.

use mps_core::task::NewStep;
use mps_media::features::transcode;
use mps_wire::types::ProcessMediaRequest;
use mps_wire::{ApiError, codes};
use serde_json::Value;

use super::process_media::{Place, params};
use crate::actions::transcode_templates;
use crate::app::App;
use crate::storage;

/// Items of one call; ours, as the API names no limit.
const ITEMS: usize = 100;
/// The weight of a transcode in the fair share, against 1 of a step that only looks.
const COST: u32 = 10;

/// Checks all items and makes their steps, each after the first step of the task.
pub(super) async fn steps(
    app: &App,
    account: i64,
    request: &ProcessMediaRequest,
    body: &Value,
    place: &Place,
) -> Result<Vec<NewStep>, ApiError> {
    let typed = request.media_process_task.as_ref().and_then(|task| task.transcode_task_set.as_deref());
    let typed = typed.unwrap_or_default();
    let Some(items) = body["MediaProcessTask"]["TranscodeTaskSet"].as_array() else { return Ok(Vec::new()) };
    if items.len() > ITEMS {
        let told = format!("`MediaProcessTask.TranscodeTaskSet` has at most {ITEMS} items");
        return Err(codes::invalid_parameter_value(told));
    }
    let build = app.tools.wait(app.limits.tools_timeout).await?;
    let mut steps = Vec::with_capacity(items.len());
    for (nth, (item, typed)) in items.iter().zip(typed).enumerate() {
        let path = format!("MediaProcessTask.TranscodeTaskSet.{nth}.OutputStorage");
        let storage = match &typed.output_storage {
            None => place.storage.clone().ok_or_else(storage::none_to_inherit)?,
            own => storage::check(app, account, &path, own.as_ref(), place.storage.as_ref()).await?,
        };
        let storage = params(&storage)?;
        let template = match transcode::definition(item) {
            0 => None,
            id => app.templates.body(account, transcode_templates::FAMILY, id).await?,
        };
        let around = transcode::Place {
            source: &place.source,
            directory: place.directory.as_deref(),
            storage: &storage,
        };
        let mut step = transcode::from_wire(nth, item, template.as_deref(), around, &build)?;
        step.storage = storage.clone();
        steps.push(NewStep {
            kind: transcode::KIND.to_owned(),
            capability: 0,
            params: params(&step)?,
            after: vec![0],
            is_gate: false,
            cost: COST,
        });
    }
    Ok(steps)
}
