//! Listing templates: filters, order and pages.

use mps_wire::ApiError;
use mps_wire::codes::value_of;
use serde_json::{Value, json};

use super::{Family, MAX_NAME, Template};

/// Stands for a number that no template can have.
const NOBODY: i64 = -1;
/// The most numbers in a filter.
const MAX_DEFINITIONS: usize = 100;
/// Page size where none is given.
const USUAL_LIMIT: u64 = 10;

/// A checked Describe request.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    definitions: Vec<i64>,
    preset: Option<bool>,
    name: String,
    offset: u64,
    limit: u64,
    request: Value,
}

impl Query {
    /// Whether the account's own templates can be in the answer.
    pub fn wants_custom(&self) -> bool {
        self.preset != Some(true)
    }
}

/// Checks a Describe request.
///
/// # Errors
/// `InvalidParameterValue.Definitions`, `.Limit`, `.Type`, `.Name`, and those of [`Family::check_filters`].
pub fn query(family: &dyn Family, request: &Value) -> Result<Query, ApiError> {
    let definitions: Vec<i64> = request["Definitions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|number| number.as_i64().unwrap_or(NOBODY))
        .collect();
    if definitions.len() > MAX_DEFINITIONS {
        return Err(value_of("Definitions", format!("more than {MAX_DEFINITIONS} Definitions")));
    }
    let most = family.most_per_page();
    let limit = at_least(&request["Limit"], 1, USUAL_LIMIT)
        .filter(|limit| *limit <= most)
        .ok_or_else(|| value_of("Limit", format!("Limit is {}; it must be 1 to {most}", request["Limit"])))?;
    let preset = match request["Type"].as_str().unwrap_or_default() {
        _ if !family.has_preset_filter() => None,
        "" => None,
        "Preset" => Some(true),
        "Custom" => Some(false),
        other => return Err(value_of("Type", format!("Type {other:?} is not Preset or Custom"))),
    };
    let name = request["Name"].as_str().unwrap_or_default().to_owned();
    if name.chars().count() > MAX_NAME {
        return Err(value_of("Name", format!("Name is longer than {MAX_NAME} characters")));
    }
    family.check_filters(request)?;
    let offset = at_least(&request["Offset"], 0, 0).ok_or_else(|| {
        value_of("Offset", format!("Offset is {}; it must not be negative", request["Offset"]))
    })?;
    Ok(Query { definitions, preset, name, offset, limit, request: request.clone() })
}

/// A number that was sent, if it is not below `least`; `usual` where none was. Some families have signed ones.
fn at_least(sent: &Value, least: u64, usual: u64) -> Option<u64> {
    if sent.is_null() { Some(usual) } else { sent.as_u64().filter(|number| *number >= least) }
}

/// The answer without `RequestId`: presets first, then the account's own, the newest number first in each.
/// `customs` are all of the account's own of this family.
pub fn page(family: &dyn Family, query: &Query, customs: Vec<Template>) -> Value {
    let mut all: Vec<Template> = family.presets().into_iter().map(Template::from).collect();
    let mut customs = customs;
    customs.sort_by_key(|template| std::cmp::Reverse(template.definition));
    all.extend(customs);
    all.retain(|template| passes(family, query, template));
    family.sort(&mut all, &query.request);
    let skip = usize::try_from(query.offset).unwrap_or(usize::MAX);
    let take = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let items: Vec<Value> = all.iter().skip(skip).take(take).map(|t| family.item(t)).collect();
    json!({"TotalCount": all.len(), family.list_member(): items})
}

fn passes(family: &dyn Family, query: &Query, template: &Template) -> bool {
    (query.definitions.is_empty() || query.definitions.contains(&template.definition))
        && query.preset.is_none_or(|preset| preset == template.is_preset)
        && (query.name.is_empty()
            || template.name.contains(&query.name)
            || template.alias.contains(&query.name))
        && family.passes(template, &query.request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::transcode::Transcode;

    fn custom(definition: i64, name: &str) -> Template {
        let body = json!({"Container": "mp3", "RemoveVideo": 1,
            "AudioTemplate": {"Codec": "mp3", "Bitrate": 128, "SampleRate": 44100}});
        let (comment, alias) = (String::new(), String::new());
        let (create_time, update_time) = (String::new(), String::new());
        let name = name.to_owned();
        Template { definition, is_preset: false, name, alias, comment, body, create_time, update_time }
    }

    fn list(request: &Value) -> (u64, Vec<String>) {
        let query = query(&Transcode, request).unwrap();
        let answer = page(&Transcode, &query, vec![custom(1_000_001, "a"), custom(1_000_002, "b")]);
        let numbers = answer["TranscodeTemplateSet"].as_array().unwrap();
        let numbers = numbers.iter().map(|item| item["Definition"].as_str().unwrap().to_owned()).collect();
        (answer["TotalCount"].as_u64().unwrap(), numbers)
    }

    #[test]
    fn presets_come_first_and_the_newest_of_each_first() {
        let (total, numbers) = list(&json!({"Limit": 100}));
        assert_eq!(total as usize, numbers.len());
        assert_eq!(numbers[0], "100740");
        assert_eq!(numbers[numbers.len() - 2..], ["1000002", "1000001"]);
        assert_eq!(list(&json!({"Type": "Custom"})).1, ["1000002", "1000001"]);
        assert_eq!(
            list(&json!({"Type": "Custom", "Offset": 1, "Limit": 1})),
            (2, vec!["1000001".to_owned()])
        );
        assert_eq!(list(&json!({})).1.len(), 10);
        assert_eq!(list(&json!({"Definitions": [100_010, 5]})).1, ["100010"]);
        assert_eq!(list(&json!({"Name": "b", "Type": "Custom"})).1, ["1000002"]);
    }

    #[test]
    fn limits_of_a_listing_have_their_codes() {
        let code = |request: Value| query(&Transcode, &request).unwrap_err().code.into_owned();
        let many: Vec<i64> = (0..101).collect();
        assert_eq!(code(json!({"Definitions": many})), "InvalidParameterValue.Definitions");
        assert_eq!(code(json!({"Limit": 101})), "InvalidParameterValue.Limit");
        assert_eq!(code(json!({"Limit": 0})), "InvalidParameterValue.Limit");
        assert_eq!(code(json!({"Limit": -1})), "InvalidParameterValue.Limit");
        assert_eq!(code(json!({"Offset": -1})), "InvalidParameterValue");
        assert_eq!(code(json!({"Type": "Mine"})), "InvalidParameterValue.Type");
        assert_eq!(code(json!({"Name": "x".repeat(65)})), "InvalidParameterValue.Name");
        assert_eq!(code(json!({"ContainerType": "Both"})), "InvalidParameterValue.ContainerType");
    }

    #[test]
    fn the_familys_own_filters_apply() {
        let pure = list(&json!({"ContainerType": "PureAudio", "Limit": 100})).1;
        assert!(pure.contains(&"1140".to_owned()) && !pure.contains(&"100010".to_owned()));
        assert_eq!(list(&json!({"TranscodeType": "TEHD-200", "Limit": 100})).1, ["100740", "100730"]);
        let common = list(&json!({"TEHDType": "Common", "Limit": 100})).1;
        assert!(common.contains(&"100010".to_owned()) && !common.contains(&"100740".to_owned()));
    }
}
