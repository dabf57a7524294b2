//! Templates: what every family shares, and a file for each family.
//!
//! A family is what [`Family`] asks for; creating, changing and listing then work the same for all. Bodies stay the
//! API's JSON: they are checked, stored and given back as they came.

pub mod adaptive_dynamic_streaming;
pub mod ai_analysis;
pub mod ai_recognition;
pub mod animated_graphics;
mod areas;
pub mod asr_hotwords;
pub mod blind_watermark;
pub mod content_review;
pub mod image_sprite;
mod languages;
pub mod live_record;
mod paging;
mod picture;
pub mod process_image;
pub mod quality_control;
pub(crate) mod rules;
pub mod sample_snapshot;
pub mod smart_erase;
pub mod smart_subtitle;
pub mod snapshot_by_time_offset;
pub mod subtitle_embed;
#[cfg(test)]
pub(crate) mod testing;
pub mod transcode;
pub mod watermark;
pub mod word_samples;

use mps_wire::ApiError;
use mps_wire::codes::{self, value_of};
use serde_json::{Value, json};

pub use paging::{Query, page, query};

use crate::presets::Preset;

/// The longest name, in characters.
pub const MAX_NAME: usize = 64;
/// The longest comment, in characters.
pub const MAX_COMMENT: usize = 256;
/// The most templates of one family that an account may have.
pub const MAX_CUSTOM: usize = 1000;

/// The most bytes that a body may have as JSON: a listing reads all of an account's.
pub const MAX_BODY_BYTES: usize = 128 * 1024;
/// Where the numbers of an account's own templates begin in most families: far above every preset.
pub const FIRST_OWN: i64 = 200_001;

/// One family of templates.
pub trait Family: Send + Sync {
    /// Name in the store, such as `transcode`.
    fn name(&self) -> &'static str;
    /// The first number of an account's own templates.
    fn first_definition(&self) -> i64;
    /// Member of the listing that holds the templates, such as `TranscodeTemplateSet`.
    fn list_member(&self) -> &'static str;
    /// The largest `Limit` of a listing.
    fn most_per_page(&self) -> u64 {
        100
    }
    /// The system's own templates, in the order of the listing.
    fn presets(&self) -> Vec<Preset>;
    /// Checks a whole body.
    ///
    /// # Errors
    /// The API's own codes.
    fn check(&self, body: &Value) -> Result<(), ApiError>;
    /// Checks the name beyond its length.
    ///
    /// # Errors
    /// `InvalidParameterValue.Name`.
    fn check_name(&self, _name: &str) -> Result<(), ApiError> {
        Ok(())
    }
    /// Puts the given members of `patch` over `body`.
    fn change(&self, body: &mut Value, patch: &Value) {
        merge(body, patch);
    }
    /// Refuses changes that are never allowed, whatever the result would be.
    ///
    /// # Errors
    /// The API's own codes.
    fn check_change(&self, _before: &Value, _patch: &Value) -> Result<(), ApiError> {
        Ok(())
    }
    /// What must be there for `body` to make sense; the caller looks it up.
    fn needs(&self, _body: &Value) -> Vec<Need> {
        Vec::new()
    }
    /// Whether `Type` of a listing is Preset or Custom. Families without presets have other words for it.
    fn has_preset_filter(&self) -> bool {
        true
    }
    /// Puts a listing in another order than presets first and the newest number first.
    fn sort(&self, _all: &mut [Template], _request: &Value) {}
    /// The item of the listing.
    fn item(&self, template: &Template) -> Value;
    /// Checks the filters that only this family has.
    ///
    /// # Errors
    /// The API's own codes.
    fn check_filters(&self, _request: &Value) -> Result<(), ApiError> {
        Ok(())
    }
    /// Whether `template` passes the filters that only this family has.
    fn passes(&self, _template: &Template, _request: &Value) -> bool {
        true
    }
}

/// Another thing of the account that a template names.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// The family it belongs to, as in the store.
    pub family: &'static str,
    /// Its number.
    pub definition: i64,
    /// The answer when it is not there.
    pub absent: ApiError,
}

/// A template, the system's or an account's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Its number.
    pub definition: i64,
    /// Whether it is the system's.
    pub is_preset: bool,
    /// Its name.
    pub name: String,
    /// Second name; empty where there is none.
    pub alias: String,
    /// Its comment.
    pub comment: String,
    /// What it asks for, in the API's words.
    pub body: Value,
    /// When it was made, as printed.
    pub create_time: String,
    /// When it was changed, as printed.
    pub update_time: String,
}

impl From<Preset> for Template {
    fn from(preset: Preset) -> Self {
        Self {
            definition: preset.definition,
            is_preset: true,
            name: preset.name,
            alias: preset.alias,
            comment: preset.comment,
            body: preset.body,
            create_time: preset.create_time,
            update_time: preset.update_time,
        }
    }
}

/// What a request says about a template, checked; the rest is the store's.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// The name; may be empty.
    pub name: String,
    /// The comment; may be empty.
    pub comment: String,
    /// The body.
    pub body: Value,
}

/// Members of requests that are not part of the body.
const OUTSIDE: [&str; 3] = ["Definition", "Name", "Comment"];

/// Checks a Create request.
///
/// # Errors
/// `InvalidParameterValue.Name`, `.Comment`, and those of [`Family::check`].
pub fn create(family: &dyn Family, request: &Value) -> Result<Content, ApiError> {
    let content = Content {
        name: text("Name", request, MAX_NAME)?.unwrap_or_default(),
        comment: text("Comment", request, MAX_COMMENT)?.unwrap_or_default(),
        body: body_of(request),
    };
    check(family, &content)?;
    Ok(content)
}

/// Checks a Modify request against what is stored: only given members change.
///
/// # Errors
/// `InvalidParameterValue.ModifyDefaultTemplate` for a preset, and those of [`create`].
pub fn modify(family: &dyn Family, existing: &Template, request: &Value) -> Result<Content, ApiError> {
    if existing.is_preset {
        return Err(codes::invalid_parameter_value_modify_default_template(format!(
            "template {} is the system's own and cannot be modified",
            existing.definition
        )));
    }
    let (mut body, patch) = (existing.body.clone(), body_of(request));
    family.check_change(&body, &patch)?;
    family.change(&mut body, &patch);
    let content = Content {
        name: text("Name", request, MAX_NAME)?.unwrap_or_else(|| existing.name.clone()),
        comment: text("Comment", request, MAX_COMMENT)?.unwrap_or_else(|| existing.comment.clone()),
        body,
    };
    check(family, &content)?;
    Ok(content)
}

fn check(family: &dyn Family, content: &Content) -> Result<(), ApiError> {
    let size_bytes = content.body.to_string().len();
    if size_bytes > MAX_BODY_BYTES {
        let told = format!("the template has {size_bytes} bytes; it may have at most {MAX_BODY_BYTES}");
        return Err(codes::invalid_parameter_value(told));
    }
    family.check_name(&content.name)?;
    family.check(&content.body)
}

/// Refuses to delete a preset.
///
/// # Errors
/// `InvalidParameterValue.DeleteDefaultTemplate`.
pub fn check_delete(family: &dyn Family, definition: i64) -> Result<(), ApiError> {
    if preset(family, definition).is_some() {
        return Err(codes::invalid_parameter_value_delete_default_template(format!(
            "template {definition} is the system's own and cannot be deleted"
        )));
    }
    Ok(())
}

/// The preset of this number.
pub fn preset(family: &dyn Family, definition: i64) -> Option<Template> {
    family.presets().into_iter().find(|preset| preset.definition == definition).map(Template::from)
}

fn body_of(request: &Value) -> Value {
    let mut body = request.clone();
    if let Some(map) = body.as_object_mut() {
        map.retain(|name, value| !OUTSIDE.contains(&name.as_str()) && !value.is_null());
    }
    body
}

fn text(name: &str, request: &Value, most: usize) -> Result<Option<String>, ApiError> {
    match request[name].as_str() {
        Some(text) if text.chars().count() > most => {
            Err(value_of(name, format!("{name} is longer than {most} characters")))
        }
        other => Ok(other.map(str::to_owned)),
    }
}

/// Puts the members of `patch` over those of `base`, structures member by member; lists are replaced and nulls
/// change nothing.
pub fn merge(base: &mut Value, patch: &Value) {
    match (base, patch) {
        (_, Value::Null) => {}
        (Value::Object(base), Value::Object(patch)) => {
            for (name, value) in patch {
                if !value.is_null() {
                    merge(base.entry(name.as_str()).or_insert(Value::Null), value);
                }
            }
        }
        (base, patch) => *base = patch.clone(),
    }
}

/// `base` with the members of `over` put over it.
pub(crate) fn merged(mut base: Value, over: &Value) -> Value {
    merge(&mut base, over);
    base
}

/// The item of a listing: the body over the members that are `usual` where they were not sent, and around it what
/// every template has.
pub(crate) fn listed(template: &Template, usual: Value) -> Value {
    let frame = json!({
        "Definition": template.definition,
        "Type": if template.is_preset { "Preset" } else { "Custom" },
        "Name": template.name,
        "Comment": template.comment,
        "CreateTime": template.create_time,
        "UpdateTime": template.update_time,
    });
    merged(merged(usual, &template.body), &frame)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::transcode::Transcode;
    use super::*;

    fn request() -> Value {
        json!({
            "Container": "mp4", "Name": "mine",
            "VideoTemplate": {"Codec": "h264", "Fps": 25, "Bitrate": 1000, "Height": 480},
            "AudioTemplate": {"Codec": "aac", "Bitrate": 128, "SampleRate": 44100},
        })
    }

    fn stored() -> Template {
        let content = create(&Transcode, &request()).unwrap();
        Template {
            definition: 1_000_001,
            is_preset: false,
            name: content.name,
            alias: String::new(),
            comment: content.comment,
            body: content.body,
            create_time: String::new(),
            update_time: String::new(),
        }
    }

    #[test]
    fn names_and_comments_have_limits() {
        for (name, most) in [("Name", 64), ("Comment", 256)] {
            let mut long = request();
            long[name] = json!("名".repeat(most));
            assert!(create(&Transcode, &long).is_ok());
            long[name] = json!("x".repeat(most + 1));
            assert_eq!(create(&Transcode, &long).unwrap_err().code, format!("InvalidParameterValue.{name}"));
            assert_eq!(
                modify(&Transcode, &stored(), &json!({"Definition": 1_000_001, name: long[name]}))
                    .unwrap_err()
                    .code,
                format!("InvalidParameterValue.{name}")
            );
        }
    }

    #[test]
    fn a_change_touches_only_what_it_names() {
        let patch = json!({"Definition": 1_000_001, "VideoTemplate": {"Height": 720}});
        let changed = modify(&Transcode, &stored(), &patch).unwrap();
        let mut wanted = stored();
        wanted.body["VideoTemplate"]["Height"] = json!(720);
        assert_eq!((changed.name, changed.body), (wanted.name, wanted.body));
    }

    #[test]
    fn the_result_of_a_change_must_be_whole() {
        let patch = json!({"Definition": 1_000_001, "Container": "webm"});
        assert_eq!(
            modify(&Transcode, &stored(), &patch).unwrap_err().code,
            "InvalidParameterValue.VideoCodec"
        );
    }

    #[test]
    fn a_body_has_a_size() {
        let of = |length: usize| {
            let mut long = request();
            long["StdExtInfo"] = json!(format!("\"{}\"", "x".repeat(length)));
            create(&Transcode, &long).map(drop)
        };
        assert_eq!(of(MAX_BODY_BYTES - 1000), Ok(()));
        assert_eq!(of(MAX_BODY_BYTES).unwrap_err().code, "InvalidParameterValue");
    }

    #[test]
    fn presets_stay_as_they_are() {
        let preset = preset(&Transcode, 100_010).unwrap();
        assert_eq!(
            modify(&Transcode, &preset, &json!({"Name": "x"})).unwrap_err().code,
            "InvalidParameterValue.ModifyDefaultTemplate"
        );
        assert_eq!(
            check_delete(&Transcode, 100_010).unwrap_err().code,
            "InvalidParameterValue.DeleteDefaultTemplate"
        );
        assert!(check_delete(&Transcode, 1_000_001).is_ok());
    }
}
