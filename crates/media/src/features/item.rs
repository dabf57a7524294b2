//! An item of a list of the request, and what it has in common with items of other features: its template, its
//! storage and its names.

use mps_wire::ApiError;
use mps_wire::codes::{invalid_parameter_value, value_of};
use serde_json::Value;

use super::marks::Found;
use crate::names::{self, NumberFormat, Pattern, SourceName, Variable};

/// What the rest of the call gives to an item.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The source's name.
    pub source: &'a SourceName,
    /// `OutputDir` of the call, checked; `None` is the source's directory.
    pub directory: Option<&'a str>,
    /// `OutputStorage` of the call, or what stands for it.
    pub storage: &'a Value,
}

/// One item, as decoded: numbers are numbers, no nulls.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// Its place in the list, from 0.
    pub nth: usize,
    /// The item.
    pub value: &'a Value,
    /// The stored body of the template that it names.
    pub template: Option<&'a Value>,
    /// What the call gives.
    pub place: Place<'a>,
    /// What was found for each of its watermarks.
    pub marks: &'a [Found],
    /// The files of the caller's that it names.
    pub given: &'a [Given],
}

/// A file of the caller's that an item names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The member, from the item down, such as `AddOnSubtitles.0.Subtitle`.
    pub path: String,
    /// The API's `MediaInputInfo`, checked.
    pub input: Value,
}

/// The files that `item` names in these members (see [`Feature::inputs`](super::Feature::inputs)): where, and as what.
pub fn named<'a>(item: &'a Value, inputs: &[(&str, &str)]) -> Vec<(String, &'a Value)> {
    let mut found = Vec::new();
    for (path, member) in inputs {
        let place = path.split('.').fold(item, |value, name| &value[name]);
        let list = place.as_array().map(Vec::as_slice).unwrap_or_default();
        found.extend(
            list.iter().enumerate().map(|(nth, each)| (format!("{path}.{nth}.{member}"), &each[*member])),
        );
        if place.is_object() {
            found.push((format!("{path}.{member}"), &place[*member]));
        }
    }
    found.retain(|(_, file)| !file.is_null() && file.as_str() != Some(""));
    found
}

/// The template that an item names; 0 when it brings its own parameters.
pub fn definition(item: &Value) -> i64 {
    item["Definition"].as_i64().unwrap_or(0)
}

impl Item<'_> {
    /// Its path in the request, for messages.
    pub fn path(&self, list: &str) -> String {
        format!("MediaProcessTask.{list}.{}", self.nth)
    }

    /// The body of its template.
    ///
    /// # Errors
    /// `InvalidParameterValue.Definition` when there is none of that number.
    pub fn body(&self, list: &str) -> Result<&Value, ApiError> {
        self.template.ok_or_else(|| {
            let told =
                format!("{}.Definition: there is no template {}", self.path(list), definition(self.value));
            value_of("Definition", told)
        })
    }

    /// Directory for relative names, beginning and ending with `/`.
    pub fn directory(&self) -> String {
        self.place.directory.unwrap_or(&self.place.source.directory).to_owned()
    }

    /// Where its outputs go.
    pub fn storage(&self) -> Value {
        match &self.value["OutputStorage"] {
            Value::Null => self.place.storage.clone(),
            own => own.clone(),
        }
    }
}

/// Checks the call's `OutputDir`.
///
/// # Errors
/// `InvalidParameterValue` unless it begins and ends with `/` and is safe.
pub fn check_output_dir(directory: &str) -> Result<(), ApiError> {
    names::check_directory(directory)
        .map_err(|error| invalid_parameter_value(format!("OutputDir: {}", error.message())))
}

/// A name that `item` may give in its member `name`.
///
/// # Errors
/// `InvalidParameterValue` naming `here` and the member.
pub fn pattern(
    item: &Value,
    name: &str,
    default: &str,
    allowed: &[Variable],
    here: &str,
) -> Result<(String, Pattern), ApiError> {
    let text = item[name].as_str().filter(|text| !text.is_empty()).unwrap_or(default).to_owned();
    match Pattern::parse(&text, allowed) {
        Ok(pattern) => Ok((text, pattern)),
        Err(error) => Err(invalid_parameter_value(format!("{here}.{name}: {}", error.message()))),
    }
}

/// How `item` wants `{number}` to be written.
///
/// # Errors
/// `InvalidParameterValue` naming `here`.
pub fn number_format(item: &Value, here: &str) -> Result<NumberFormat, ApiError> {
    let value = &item["ObjectNumberFormat"];
    let usual = NumberFormat::default();
    let number = |name: &str, default: u64| value[name].as_u64().unwrap_or(default);
    let format = NumberFormat {
        initial: number("InitialValue", usual.initial),
        increment: number("Increment", usual.increment),
        min_length: number("MinLength", usual.min_length),
        placeholder: match value["PlaceHolder"].as_str() {
            Some(text) if !text.is_empty() => text.to_owned(),
            _ => usual.placeholder,
        },
    };
    let refused = |error: mps_core::Error| {
        invalid_parameter_value(format!("{here}.ObjectNumberFormat: {}", error.message()))
    };
    format.check().map_err(refused)?;
    Ok(format)
}

/// The number format as the API prints it.
pub fn printed(number: &NumberFormat) -> Value {
    serde_json::json!({
        "InitialValue": number.initial, "Increment": number.increment,
        "MinLength": number.min_length, "PlaceHolder": number.placeholder,
    })
}
