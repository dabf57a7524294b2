//! `SubtitleTemplate` of a request, checked.

use mps_wire::ApiError;
use mps_wire::codes::{invalid_parameter_value, missing_parameter, value_of};
use serde_json::Value;

use super::{Burn, From, Plate, Rim};
use crate::features::item::Given;
use crate::fonts;
use crate::graph::overlay::{Axis, Length};
use crate::plan::{Build, Extra};
use crate::templates::rules::{self, Rule, above, bare_colour, colour, flag, number, word};

const RULES: &[Rule] = &[
    colour("FontColor"),
    above("FontAlpha", 0.0, 1.0),
    colour("BoardColor"),
    number("BoardAlpha", 0.0, 1.0),
    flag("BoardWidthUnit"),
    flag("BoardHeightUnit"),
    flag("OutlineWidthUnit"),
    bare_colour("OutlineColor"),
    above("OutlineAlpha", 0.0, 1.0),
    flag("ShadowWidthUnit"),
    bare_colour("ShadowColor"),
    above("ShadowAlpha", 0.0, 1.0),
    flag("LineSpacingUnit"),
    word("Alignment", &["top", "bottom"]),
];

/// The most pixels of a size or a place, and of a width of a line.
const MOST_PIXELS: f64 = 4096.0;
const MOST_EDGE: f64 = 1000.0;
/// The font where neither the call nor the file names one.
const USUAL_FONT: &str = "hei.ttf";

/// Reads `template` (`here` in messages), whose files are among `given` below `path`.
///
/// # Errors
/// `InvalidParameterValue` naming the member, `MissingParameter` without any text, `UnsupportedOperation` for a font that
/// is not installed.
pub fn from_wire(
    template: &Value,
    given: &[Given],
    path: &str,
    here: &str,
    build: &Build,
) -> Result<Burn, ApiError> {
    let within = |error: ApiError| ApiError { message: format!("{here}: {}", error.message), ..error };
    rules::check(template, RULES).map_err(within)?;
    let file = |member: &str| {
        let path = format!("{path}.{member}");
        given.iter().find(|given| given.path == path).map(|given| Extra::Input(given.input.clone()))
    };
    let from = match (file("Path").or_else(|| file("SubtitleFileInput")), template["StreamIndex"].as_u64()) {
        (Some(file), _) => From::File(file),
        (None, Some(index)) => From::Stream(u32::try_from(index).unwrap_or(u32::MAX)),
        (None, None) => {
            return Err(missing_parameter(format!("{here} needs Path, SubtitleFileInput or StreamIndex")));
        }
    };
    let font = file("FontFileInput");
    let name = template["FontType"].as_str().filter(|name| !name.is_empty());
    let family = match (&font, name) {
        (Some(_), _) => None,
        (None, name) => Some(fonts::family(name.unwrap_or(USUAL_FONT), build).map_err(within)?.to_owned()),
    };
    let lengths = Lengths { template, here };
    Ok(Burn {
        from,
        font,
        family,
        is_bold: name == Some("msyhbd.ttf"),
        size: lengths.text("FontSize", true)?,
        colour: rgb(&template["FontColor"]),
        alpha: template["FontAlpha"].as_f64(),
        y: lengths.text("YPos", false)?,
        is_top: template["Alignment"] == "top",
        outline: rim(template, "Outline", &lengths, Length::OfHeight(0.3))?,
        shadow: rim(template, "Shadow", &lengths, Length::Pixels(0.0))?,
        line_spacing: lengths.unit("LineSpacing", Axis::Vertical, MOST_EDGE)?.unwrap_or(Length::Pixels(0.0)),
        board: board(template, &lengths)?,
    })
}

fn board(template: &Value, lengths: &Lengths<'_>) -> Result<Option<Plate>, ApiError> {
    let Some(y) = lengths.text("BoardY", false)? else { return Ok(None) };
    let unset = |length: Length| (!length.is_zero()).then_some(length);
    let width = lengths.unit("BoardWidth", Axis::Horizontal, MOST_PIXELS)?.and_then(unset);
    let height = lengths.unit("BoardHeight", Axis::Vertical, MOST_PIXELS)?.and_then(unset);
    Ok(Some(Plate {
        y,
        width: width.unwrap_or(Length::OfWidth(90.0)),
        height: height.unwrap_or(Length::OfHeight(15.0)),
        colour: rgb(&template["BoardColor"]).unwrap_or(0),
        alpha: template["BoardAlpha"].as_f64().unwrap_or(0.8),
    }))
}

/// The line or the shadow, if anything is said of it.
fn rim(template: &Value, kind: &str, lengths: &Lengths<'_>, usual: Length) -> Result<Option<Rim>, ApiError> {
    let (width, colour, alpha) = (format!("{kind}Width"), format!("{kind}Color"), format!("{kind}Alpha"));
    let given = lengths.unit(&width, Axis::Vertical, MOST_EDGE)?;
    let (colour, alpha) = (rgb(&template[&colour]), template[&alpha].as_f64());
    let is_said = given.is_some() || colour.is_some() || alpha.is_some();
    Ok(is_said.then(|| Rim {
        width: given.unwrap_or(usual),
        colour: colour.unwrap_or(0),
        alpha: alpha.unwrap_or(1.0),
    }))
}

fn rgb(value: &Value) -> Option<u32> {
    let text = value.as_str().filter(|text| !text.is_empty())?;
    u32::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
}

struct Lengths<'a> {
    template: &'a Value,
    here: &'a str,
}

impl Lengths<'_> {
    /// A length such as `10px` or `5%` of the height.
    fn text(&self, name: &str, is_above_zero: bool) -> Result<Option<Length>, ApiError> {
        let Some(text) = self.template[name].as_str().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let plain = |unit: &str, most: f64| {
            let digits = text.strip_suffix(unit)?;
            let is_decimal = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            let number: f64 = digits.parse().ok().filter(|_| is_decimal)?;
            (number <= most && (number > 0.0 || !is_above_zero)).then_some(number)
        };
        let pixels = plain("px", MOST_PIXELS).map(Length::Pixels);
        let length = pixels.or_else(|| plain("%", 100.0).map(Length::OfHeight));
        let least = if is_above_zero { "more than 0" } else { "0" };
        length.map(Some).ok_or_else(|| {
            let here = self.here;
            let told = format!(
                "{here}.{name} is {text:?}; it must be Npx with N {least} to {MOST_PIXELS}, or N% up to 100"
            );
            value_of(name, told)
        })
    }

    /// A number whose unit is a member of its own: pixels, or percent of a side.
    fn unit(&self, name: &str, axis: Axis, most_pixels: f64) -> Result<Option<Length>, ApiError> {
        let Some(number) = self.template[name].as_f64() else { return Ok(None) };
        let is_part = self.template[format!("{name}Unit")] == 1;
        let most = if is_part { 100.0 } else { most_pixels };
        if !(0.0..=most).contains(&number) {
            let unit = if is_part { "percent" } else { "pixels" };
            let told = format!("{}.{name} is {number}; it must be 0 to {most} {unit}", self.here);
            return Err(invalid_parameter_value(told));
        }
        Ok(Some(match (is_part, axis) {
            (false, _) => Length::Pixels(number),
            (true, Axis::Horizontal) => Length::OfWidth(number),
            (true, Axis::Vertical) => Length::OfHeight(number),
        }))
    }
}
