//! The steps of `MediaProcessTask`: one for each item of each feature's list, in the order of the request.

use mps_core::task::NewStep;
use mps_media::features::item::{definition, named};
use mps_media::features::marks::{Found, MOST};
use mps_media::features::{self, Feature, Given, Item, Onward};
use mps_media::schedule::graph;
use mps_media::templates::watermark::Watermark;
use mps_wire::types::{MediaInputInfo, TaskOutputStorage, UrlInputInfo};
use mps_wire::{ApiError, codes};
use serde::Deserialize;
use serde_json::{Value, json};

use super::accept::params;
use super::process_media::Place;
use crate::app::App;
use crate::{inputs, storage};

/// Items of one list; ours, as the API names no limit.
const ITEMS: usize = 100;
/// Files of one list of an item that are looked at; a feature refuses far fewer.
const MOST_GIVEN: usize = 200;

/// Checks all items and makes their steps, each after the first step of the task.
pub(super) async fn steps(
    app: &App,
    account: i64,
    body: &Value,
    place: &Place,
) -> Result<Vec<NewStep>, ApiError> {
    let mut steps = Vec::new();
    for feature in features::ALL {
        let list = feature.words().list;
        let Some(items) = body["MediaProcessTask"][list].as_array() else { continue };
        if items.len() > ITEMS {
            let told = format!("`MediaProcessTask.{list}` has at most {ITEMS} items");
            return Err(codes::invalid_parameter_value(told));
        }
        for (nth, item) in items.iter().enumerate() {
            steps.push(step(app, account, *feature, nth, item, place).await?);
        }
    }
    Ok(steps)
}

/// Checks the activities of a graph and makes their steps: each after the one before it, and reading what that hands
/// on.
pub(in crate::actions) async fn of_graph(
    app: &App,
    account: i64,
    activities: &Value,
    place: &Place,
) -> Result<Vec<NewStep>, ApiError> {
    let graph = graph::read(activities)?;
    let mut steps = Vec::with_capacity(graph.nodes.len());
    // For each node the ordinal of the step whose output the next one reads; the source is the output of the first.
    let mut left: Vec<Option<usize>> = Vec::with_capacity(graph.nodes.len());
    for (nth, node) in graph.nodes.iter().enumerate() {
        let words = node.feature.words();
        let usual = format!("MediaProcessTask.{}.{}", words.list, node.place);
        let here =
            |error: ApiError| ApiError { message: error.message.replace(&usual, &node.path()), ..error };
        let mut step = step(app, account, node.feature, node.place, node.item, place).await.map_err(here)?;
        let reads = node.parent.map_or(Some(0), |parent| left[parent]).ok_or_else(|| {
            codes::invalid_parameter_value(format!(
                "`Activities.{}`: the activity before it makes a playlist, which no other one can read",
                node.place
            ))
        })?;
        if reads > 0 {
            step.params["from"] = json!(reads);
        }
        step.after = vec![node.parent.map_or(0, |parent| parent + 1)];
        left.push(match node.feature.hands_on(&step.params) {
            Onward::Same => Some(reads),
            Onward::Output => Some(nth + 1),
            Onward::Playlist => None,
        });
        steps.push(step);
    }
    Ok(steps)
}

async fn step(
    app: &App,
    account: i64,
    feature: &'static dyn Feature,
    nth: usize,
    item: &Value,
    place: &Place,
) -> Result<NewStep, ApiError> {
    let words = feature.words();
    let build = app.tools.wait(app.limits.tools_timeout).await?;
    let storage = output_storage(app, account, words.list, nth, item, place).await?;
    let template = match definition(item) {
        0 => None,
        id => app.templates.body(account, feature.family(), id).await?,
    };
    let marks = marks(app, account, words.list, nth, item).await?;
    let given = given(app, account, feature, nth, item, place).await?;
    let around =
        features::Place { source: &place.source, directory: place.directory.as_deref(), storage: &storage };
    let item =
        Item { nth, value: item, template: template.as_deref(), place: around, marks: &marks, given: &given };
    let mut params = feature.from_wire(&item, &build)?;
    check_calls(app, feature, &item)?;
    // As checked: with what it takes over from the call.
    params["storage"] = storage;
    Ok(NewStep {
        kind: words.kind.to_owned(),
        capability: 0,
        params,
        after: vec![0],
        is_gate: false,
        cost: words.cost,
    })
}

/// Addresses that a step will call: what none may reach is refused at once.
fn check_calls(app: &App, feature: &dyn Feature, item: &Item<'_>) -> Result<(), ApiError> {
    let words = feature.words();
    for path in feature.calls() {
        let Some(address) = path.split('.').fold(item.value, |value, name| &value[name]).as_str() else {
            continue;
        };
        let member = path.rsplit('.').next().unwrap_or(path);
        app.guard.check_url(address).map_err(|error| {
            codes::value_of(member, format!("`{}.{path}`: {}", item.path(words.list), error.message()))
        })?;
    }
    Ok(())
}

/// What the watermarks of an item name: templates, and files of the caller's.
async fn marks(
    app: &App,
    account: i64,
    list: &str,
    nth: usize,
    item: &Value,
) -> Result<Vec<Found>, ApiError> {
    let mut found = Vec::new();
    for (number, mark) in item["WatermarkSet"].as_array().into_iter().flatten().take(MOST + 1).enumerate() {
        let template = match definition(mark) {
            0 => None,
            id => app.templates.body(account, &Watermark, id).await?,
        };
        let path = format!(
            "MediaProcessTask.{list}.{nth}.WatermarkSet.{number}.RawParameter.ImageTemplate.ImageContent"
        );
        let picture = match &mark["RawParameter"]["ImageTemplate"]["ImageContent"] {
            Value::Null => None,
            input => {
                let input = MediaInputInfo::deserialize(input)
                    .map_err(|error| codes::invalid_parameter(format!("{path}: {error}")))?;
                Some(params(&inputs::check(app, account, &path, &input).await?)?)
            }
        };
        found.push(Found { template, picture });
    }
    Ok(found)
}

/// The files of the caller's that an item names, checked.
async fn given(
    app: &App,
    account: i64,
    feature: &'static dyn Feature,
    nth: usize,
    item: &Value,
    place: &Place,
) -> Result<Vec<Given>, ApiError> {
    let mut found = Vec::new();
    for (path, file) in named(item, feature.inputs()).into_iter().take(MOST_GIVEN) {
        let whole = format!("MediaProcessTask.{}.{nth}.{path}", feature.words().list);
        let input = match file {
            Value::String(address) => by_address(address, &place.input),
            file => MediaInputInfo::deserialize(file)
                .map_err(|error| codes::invalid_parameter(format!("{whole}: {error}")))?,
        };
        let checked = inputs::check(app, account, &whole, &input).await?;
        found.push(Given { path, input: params(&checked)? });
    }
    Ok(found)
}

/// A file by its address, or by its key beside the source.
fn by_address(address: &str, source: &MediaInputInfo) -> MediaInputInfo {
    let mut input = source.clone();
    if let Some(cos) = input.cos_input_info.as_mut().filter(|_| !address.contains("://")) {
        cos.object = Some(address.to_owned());
    } else if let Some(s3) = input.s3_input_info.as_mut().filter(|_| !address.contains("://")) {
        s3.s3_object = Some(address.to_owned());
    } else {
        let url = UrlInputInfo { url: Some(address.to_owned()) };
        input = MediaInputInfo {
            r#type: Some("URL".to_owned()),
            url_input_info: Some(url),
            ..MediaInputInfo::default()
        };
    }
    input
}

async fn output_storage(
    app: &App,
    account: i64,
    list: &str,
    nth: usize,
    item: &Value,
    place: &Place,
) -> Result<Value, ApiError> {
    let own = match &item["OutputStorage"] {
        Value::Null => None,
        own => Some(TaskOutputStorage::deserialize(own).map_err(|error| {
            codes::invalid_parameter(format!("MediaProcessTask.{list}.{nth}.OutputStorage: {error}"))
        })?),
    };
    let storage = match own {
        None => place.storage.clone().ok_or_else(storage::none_to_inherit)?,
        own => {
            let path = format!("MediaProcessTask.{list}.{nth}.OutputStorage");
            storage::check(app, account, &path, own.as_ref(), place.storage.as_ref()).await?
        }
    };
    params(&storage)
}
