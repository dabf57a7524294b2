//! Templates of watermarks: pictures, texts, and SVG drawings that come with the task.
//!
//! A picture comes as Base64 and is kept outside of the body: [`take_picture`] takes it out of a request and looks at
//! its frame, the caller stores the bytes and puts their key in place by [`put_picture`]. A listing shows
//! the key as `ImageUrl`, to which the caller adds the address.

mod image;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mps_wire::ApiError;
use mps_wire::codes::{self, value_of};
use serde_json::{Value, json};

use super::rules::{Rule, above, colour, is_given, text, text_at, word};
use super::{FIRST_OWN, Family, Template, listed, merged, rules};
use crate::presets::Preset;

pub use image::ImageKind;

/// The family.
#[derive(Debug, Clone, Copy)]
pub struct Watermark;

/// Each type with the member that describes it.
const TYPES: [(&str, &str); 3] =
    [("image", "ImageTemplate"), ("text", "TextTemplate"), ("svg", "SvgTemplate")];
/// Where the key of a stored picture stands in a body; not a word of the API.
const KEY: &str = "ImageKey";

const RULES: &[Rule] = &[
    word("Type", &["image", "text", "svg"]),
    word("CoordinateOrigin", &["TopLeft", "TopRight", "BottomLeft", "BottomRight"]),
    word("ImageTemplate.RepeatType", &["once", "repeat_last_frame", "repeat"]),
    word("TextTemplate.FontType", &["simkai.ttf", "arial.ttf"]).code("TextTemplate"),
    colour("TextTemplate.FontColor").code("TextTemplate"),
    above("TextTemplate.FontAlpha", 0.0, 1.0).code("TextAlpha"),
    text("TextTemplate.TextContent", 100),
];

/// Lengths: path, code, units, whether pixels are 0 or 8 to 4096.
const LENGTHS: &[(&str, &str, &[&str], bool)] = &[
    ("XPos", "XPos", PLAIN, false),
    ("YPos", "YPos", PLAIN, false),
    ("ImageTemplate.Width", "Width", PLAIN, true),
    ("ImageTemplate.Height", "Height", PLAIN, true),
    ("SvgTemplate.Width", "SvgTemplateWidth", RELATIVE, false),
    ("SvgTemplate.Height", "SvgTemplateHeight", RELATIVE, false),
];
const PLAIN: &[&str] = &["px", "%"];
/// Longer units first: `10W%` also ends in `%`.
const RELATIVE: &[&str] = &["px", "W%", "H%", "S%", "L%", "%"];

impl Family for Watermark {
    fn name(&self) -> &'static str {
        "watermark"
    }

    fn first_definition(&self) -> i64 {
        FIRST_OWN
    }

    fn list_member(&self) -> &'static str {
        "WatermarkTemplateSet"
    }

    /// No document names one.
    fn presets(&self) -> Vec<Preset> {
        Vec::new()
    }

    fn check(&self, body: &Value) -> Result<(), ApiError> {
        rules::check(body, RULES)?;
        let kind = text_at(body, "Type");
        if kind.is_empty() {
            return Err(value_of("Type", "Type is empty; it must be image, text or svg"));
        }
        for (other, member) in TYPES {
            let is_own = other == kind;
            // A drawing has a default for each of its members.
            let has_it = is_given(&body[member]) || (other == "svg" && body[member].is_object());
            if is_own && !has_it {
                return Err(value_of(member, format!("{member} is required for the type {kind}")));
            }
            if !is_own && is_given(&body[member]) {
                return Err(value_of(member, format!("{member} does not go with the type {kind}")));
            }
        }
        check_lengths(body)?;
        match kind {
            "text" => check_font_size(text_at(body, "TextTemplate.FontSize")),
            "image" if picture_key(body).is_none() => {
                Err(codes::invalid_parameter_value_image_content("ImageTemplate.ImageContent is required"))
            }
            _ => Ok(()),
        }
    }

    fn has_preset_filter(&self) -> bool {
        false
    }

    fn check_filters(&self, request: &Value) -> Result<(), ApiError> {
        rules::check(request, &RULES[..1])
    }

    fn passes(&self, template: &Template, request: &Value) -> bool {
        let wanted = text_at(request, "Type");
        wanted.is_empty() || wanted == text_at(&template.body, "Type")
    }

    fn item(&self, template: &Template) -> Value {
        let usual = json!({
            "CoordinateOrigin": "TopLeft", "XPos": "0px", "YPos": "0px",
            "ImageTemplate": null, "TextTemplate": null, "SvgTemplate": null,
        });
        let mut item = listed(template, usual);
        item["Type"] = template.body["Type"].clone();
        match text_at(&template.body, "Type") {
            "image" => item["ImageTemplate"] = shown_image(&template.body),
            "svg" => {
                let usual = json!({"Width": "10W%", "Height": "0px"});
                item["SvgTemplate"] = merged(usual, &template.body["SvgTemplate"]);
            }
            _ => {}
        }
        item
    }
}

fn shown_image(body: &Value) -> Value {
    let given = &body["ImageTemplate"];
    let is_set =
        |name: &str| text_at(given, name).trim_start_matches('0').starts_with(|c: char| c.is_ascii_digit());
    let width = if is_set("Height") { "0px" } else { "10%" };
    let mut image = merged(json!({"Width": width, "Height": "0px", "RepeatType": "repeat"}), given);
    if let Some(members) = image.as_object_mut() {
        let key = members.remove(KEY).unwrap_or_default();
        members.insert("ImageUrl".to_owned(), key);
    }
    image
}

/// A picture that a request brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its file.
    pub bytes: Vec<u8>,
    /// Its format.
    pub kind: ImageKind,
}

/// Drops from a Create request the descriptions of other types: the API says that they have no effect, and an example
/// of it sends them.
pub fn drop_other_types(request: &mut Value) {
    let kind = text_at(request, "Type").to_owned();
    if let Some(members) = request.as_object_mut()
        && TYPES.iter().any(|(word, _)| *word == kind)
    {
        for (_, member) in TYPES.iter().filter(|(word, _)| *word != kind) {
            members.remove(*member);
        }
    }
}

/// Takes the picture out of a Create or Modify request, if it brings one.
///
/// # Errors
/// `InvalidParameterValue.ImageContent` for what is not Base64 of a whole PNG or JPEG file.
pub fn take_picture(request: &mut Value) -> Result<Option<Picture>, ApiError> {
    let Some(template) = request.get_mut("ImageTemplate").and_then(Value::as_object_mut) else {
        return Ok(None);
    };
    // A caller's word for our own member would name another's picture; the schema refuses it before.
    template.remove(KEY);
    let Some(content) = template.remove("ImageContent") else { return Ok(None) };
    let bad =
        |why: &str| codes::invalid_parameter_value_image_content(format!("ImageTemplate.ImageContent {why}"));
    let bytes = STANDARD
        .decode(content.as_str().unwrap_or_default().trim())
        .map_err(|_| bad("is not Base64 with padding"))?;
    let kind = image::look(&bytes).ok_or_else(|| bad("is not a whole PNG or JPEG picture"))?;
    Ok(Some(Picture { bytes, kind }))
}

/// Puts the key of a stored picture where [`take_picture`] took it from.
pub fn put_picture(request: &mut Value, key: &str) {
    request["ImageTemplate"][KEY] = Value::from(key);
}

/// The key of a body's stored picture.
pub fn picture_key(body: &Value) -> Option<&str> {
    body["ImageTemplate"][KEY].as_str().filter(|key| !key.is_empty())
}

/// Checks the parameters of a watermark that come with a task: those of a picture, which is named there.
///
/// # Errors
/// `InvalidParameterValue` naming the member.
pub fn check_raw(raw: &Value) -> Result<(), ApiError> {
    rules::check(raw, RULES)?;
    if text_at(raw, "Type") != "image" {
        return Err(value_of("Type", "Type must be image; texts and drawings take a template"));
    }
    check_lengths(raw)
}

fn check_lengths(body: &Value) -> Result<(), ApiError> {
    for (path, code, units, is_bounded) in LENGTHS {
        check_length(text_at(body, path), units, *is_bounded)
            .map_err(|why| value_of(code, format!("{path} {why}")))?;
    }
    Ok(())
}

/// Checks a length such as `10%` or `100px`; an empty one is not there.
fn check_length(length: &str, units: &[&str], is_bounded: bool) -> Result<(), String> {
    if length.is_empty() {
        return Ok(());
    }
    let told = || format!("is {length:?}; it must be a number and one of {}", units.join(", "));
    let (unit, digits) = units
        .iter()
        .find_map(|unit| length.strip_suffix(unit).map(|digits| (*unit, digits)))
        .ok_or_else(told)?;
    let is_decimal = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') && digits.len() <= 10;
    let number: f64 = digits.parse().ok().filter(|_| is_decimal).ok_or_else(told)?;
    if unit != "px" && number > 100.0 {
        return Err(format!("is {length:?}; a percentage is at most 100"));
    }
    if unit == "px" && is_bounded && number != 0.0 && !(8.0..=4096.0).contains(&number) {
        return Err(format!("is {length:?}; pixels must be 0 or 8 to 4096"));
    }
    Ok(())
}

fn check_font_size(size: &str) -> Result<(), ApiError> {
    let pixels =
        size.strip_suffix("px").filter(|digits| digits.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    let pixels = pixels.and_then(|digits| digits.parse::<f64>().ok());
    if pixels.is_some_and(|n| (0.0..=1.0).contains(&n) || (8.0..=4096.0).contains(&n)) {
        return Ok(());
    }
    let told = format!("TextTemplate.FontSize is {size:?}; it must be Npx with N 0 to 1 or 8 to 4096");
    Err(codes::invalid_parameter_value_text_template(told))
}

#[cfg(test)]
mod tests;
