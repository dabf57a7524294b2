//! The watermarks of a request, checked against their templates.

use mps_wire::ApiError;
use mps_wire::codes::{
    invalid_parameter_value, invalid_parameter_value_text_template, missing_parameter, value_of,
};
use serde_json::Value;

use super::{Content, Found, Mark};
use crate::features::item::definition;
use crate::fonts;
use crate::graph::overlay::{Axis, Caption, Corner, Length, Overlay, Repeat, Spot, Window};
use crate::plan::{Build, Extra};
use crate::templates::watermark::{check_raw, picture_key};

/// The most watermarks of an item.
pub const MOST: usize = 10;
/// The most characters of a text and of a drawing.
const MOST_TEXT: usize = 100;
const MOST_SVG: usize = 2_000_000;

/// Reads the watermarks of `item` (`here` in messages), each with what was found for it.
///
/// # Errors
/// `InvalidParameterValue` naming the watermark; `UnsupportedOperation` for a font that is not installed.
pub fn from_wire(
    item: &Value,
    found: &[Found],
    here: &str,
    is_still: bool,
    build: &Build,
) -> Result<Vec<Mark>, ApiError> {
    let list = item["WatermarkSet"].as_array().map(Vec::as_slice).unwrap_or_default();
    if list.len() > MOST {
        let told = format!("{here}.WatermarkSet has {} watermarks; {MOST} is the most", list.len());
        return Err(invalid_parameter_value(told));
    }
    let none = Found::default();
    let read = |(nth, mark): (usize, &Value)| {
        let here = format!("{here}.WatermarkSet.{nth}");
        let found = found.get(nth).unwrap_or(&none);
        let body = body(mark, found, &here, is_still)?;
        check_members(mark, body, &here, is_still)?;
        let content = match body["Type"].as_str().unwrap_or_default() {
            "image" => picture(body, found, &here)?,
            "text" => text(mark, &body["TextTemplate"], &here, build)?,
            _ => drawing(mark, &body["SvgTemplate"], &here)?,
        };
        Ok(Mark { definition: definition(mark), nth, spot: spot(mark, body, &here)?, content })
    };
    list.iter().enumerate().map(read).collect()
}

/// What describes the watermark: the body of its template, or its own parameters.
fn body<'a>(mark: &'a Value, found: &'a Found, here: &str, is_still: bool) -> Result<&'a Value, ApiError> {
    let (definition, raw) = (definition(mark), &mark["RawParameter"]);
    match (definition, &found.template) {
        (0, _) if raw.is_null() => {
            Err(missing_parameter(format!("{here}.RawParameter is required when Definition is 0")))
        }
        (0, _) if is_still => Err(invalid_parameter_value(format!(
            "{here}.RawParameter is for videos; a picture takes a watermark of a template"
        ))),
        (0, _) => {
            check_raw(raw).map_err(|error| ApiError {
                message: format!("{here}.RawParameter: {}", error.message),
                ..error
            })?;
            Ok(raw)
        }
        (_, _) if !raw.is_null() => {
            Err(invalid_parameter_value(format!("{here}.RawParameter is for Definition 0")))
        }
        (_, Some(template)) => Ok(template),
        (_, None) => {
            let told = format!("{here}.Definition: there is no watermark template {definition}");
            Err(value_of("Definition", told))
        }
    }
}

/// Refuses what does not go with the kind of the watermark or with pictures.
fn check_members(mark: &Value, body: &Value, here: &str, is_still: bool) -> Result<(), ApiError> {
    let kind = body["Type"].as_str().unwrap_or_default();
    if is_still && kind != "image" {
        let told = format!("{here} is a {kind} watermark; pictures take image watermarks only");
        return Err(invalid_parameter_value(told));
    }
    for (name, of) in [("TextContent", "text"), ("SvgContent", "svg")] {
        if kind != of && mark[name].as_str().is_some_and(|text| !text.is_empty()) {
            return Err(value_of(name, format!("{here}.{name} is for {of} watermarks")));
        }
    }
    for name in ["StartTimeOffset", "EndTimeOffset"] {
        if is_still && mark[name].as_f64().is_some_and(|second| second != 0.0) {
            return Err(invalid_parameter_value(format!("{here}.{name} is for videos")));
        }
    }
    Ok(())
}

fn picture(body: &Value, found: &Found, here: &str) -> Result<Content, ApiError> {
    let from = match (&found.picture, picture_key(body)) {
        (Some(input), _) => Extra::Input(input.clone()),
        (None, Some(key)) => Extra::Asset(key.to_owned()),
        (None, None) => return Err(missing_parameter(format!("{here} names no picture"))),
    };
    let image = &body["ImageTemplate"];
    let is_animated = match &from {
        Extra::Asset(key) => key.rsplit_once('.').is_some_and(|(_, extension)| extension == "apng"),
        // What a file holds is not known before it is fetched; who says how it repeats says that it moves.
        _ => image["RepeatType"].is_string(),
    };
    let repeat = match image["RepeatType"].as_str().unwrap_or_default() {
        "once" => Repeat::Once,
        "repeat_last_frame" => Repeat::LastFrame,
        _ => Repeat::Forever,
    };
    let mut width = length(image, "Width", Axis::Horizontal, here)?;
    let height = length(image, "Height", Axis::Vertical, here)?;
    if width.is_zero() && height.is_zero() {
        width = Length::OfWidth(10.0);
    }
    Ok(Content::Picture { from, overlay: Overlay { width, height, repeat, is_animated } })
}

fn drawing(mark: &Value, template: &Value, here: &str) -> Result<Content, ApiError> {
    let svg = mark["SvgContent"].as_str().unwrap_or_default();
    if svg.trim().is_empty() {
        return Err(missing_parameter(format!("{here}.SvgContent is required for an svg watermark")));
    }
    if svg.chars().count() > MOST_SVG {
        let told = format!("{here}.SvgContent has more than {MOST_SVG} characters");
        return Err(value_of("SvgContent", told));
    }
    let mut width = length(template, "Width", Axis::Horizontal, here)?;
    if template["Width"].as_str().is_none_or(str::is_empty) {
        width = Length::OfWidth(10.0);
    }
    let height = length(template, "Height", Axis::Vertical, here)?;
    let overlay = Overlay { width, height, repeat: Repeat::LastFrame, is_animated: false };
    Ok(Content::Drawing { svg: svg.to_owned(), overlay })
}

fn text(mark: &Value, template: &Value, here: &str, build: &Build) -> Result<Content, ApiError> {
    let given = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let text = given(&mark["TextContent"]).or_else(|| given(&template["TextContent"]));
    let text = text.ok_or_else(|| {
        missing_parameter(format!("{here}.TextContent is required: its template has no text either"))
    })?;
    if text.chars().count() > MOST_TEXT {
        let told = format!("{here}.TextContent has more than {MOST_TEXT} characters");
        return Err(value_of("TextContent", told));
    }
    let size = template["FontSize"].as_str().unwrap_or_default();
    let pixels: Option<f64> = size.strip_suffix("px").and_then(|digits| digits.parse().ok());
    let size = match pixels.filter(|n| n.is_finite() && *n >= 0.0) {
        // The API allows 0 to 1 beside 8 and more: a part of the picture's height.
        Some(part) if part <= 1.0 => Length::OfHeight(part * 100.0),
        Some(pixels) => Length::Pixels(pixels),
        None => {
            let told = format!("{here}: FontSize {size:?} of the template is no size such as 40px");
            return Err(invalid_parameter_value_text_template(told));
        }
    };
    let name = template["FontType"].as_str().filter(|name| !name.is_empty()).unwrap_or("simkai.ttf");
    let caption = Caption {
        family: fonts::family_for(name, &text, build)?.to_owned(),
        size,
        colour: given(&template["FontColor"]).unwrap_or_else(|| "0xFFFFFF".to_owned()),
        alpha: template["FontAlpha"].as_f64().unwrap_or(1.0),
    };
    Ok(Content::Text { text, caption })
}

fn length(value: &Value, name: &str, axis: Axis, here: &str) -> Result<Length, ApiError> {
    match value[name].as_str().filter(|text| !text.is_empty()) {
        None => Ok(Length::Pixels(0.0)),
        Some(text) => Length::parse(text, axis).ok_or_else(|| {
            value_of(name, format!("{here}: {name} {text:?} is no length such as 10% or 100px"))
        }),
    }
}

fn spot(mark: &Value, body: &Value, here: &str) -> Result<Spot, ApiError> {
    let offset = |name: &str| -> Result<i64, ApiError> {
        let second = mark[name].as_f64().unwrap_or(0.0);
        if second.abs() > 1e8 {
            return Err(invalid_parameter_value(format!("{here}.{name} is {second}, out of range")));
        }
        Ok((second * 1e6).round() as i64)
    };
    Ok(Spot {
        corner: Corner::from_word(body["CoordinateOrigin"].as_str().unwrap_or_default()),
        x: length(body, "XPos", Axis::Horizontal, here)?,
        y: length(body, "YPos", Axis::Vertical, here)?,
        window: Window { start_us: offset("StartTimeOffset")?, end_us: offset("EndTimeOffset")? },
    })
}
