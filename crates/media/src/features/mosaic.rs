//! Mosaics: parts of the picture made coarse, so that nobody can tell what they show.

use std::fmt::Write as _;

use mps_wire::ApiError;
use mps_wire::codes::{invalid_parameter_value, value_of};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::graph::overlay::{Axis, Below, Length, Window};

/// The most mosaics of an item.
pub const MOST: usize = 10;
/// Squares along the shorter side of a mosaic, and the fewest and the most pixels of a square.
const SQUARES: u32 = 8;
const LEAST_SQUARE: u32 = 8;
const MOST_SQUARE: u32 = 64;

/// A mosaic, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mosaic {
    x: Length,
    y: Length,
    width: Length,
    height: Length,
    window: Window,
}

/// Reads `MosaicSet` of `item` (`here` in messages).
///
/// # Errors
/// `InvalidParameterValue` naming the mosaic and the member.
pub fn from_wire(item: &Value, here: &str) -> Result<Vec<Mosaic>, ApiError> {
    let list = item["MosaicSet"].as_array().map(Vec::as_slice).unwrap_or_default();
    if list.len() > MOST {
        let told = format!("{here}.MosaicSet has {} mosaics; {MOST} is the most", list.len());
        return Err(invalid_parameter_value(told));
    }
    let read = |(nth, mosaic): (usize, &Value)| one(mosaic, &format!("{here}.MosaicSet.{nth}"));
    list.iter().enumerate().map(read).collect()
}

fn one(mosaic: &Value, here: &str) -> Result<Mosaic, ApiError> {
    let origin = mosaic["CoordinateOrigin"].as_str().unwrap_or_default();
    if !matches!(origin, "" | "TopLeft") {
        let told = format!("{here}.CoordinateOrigin is {origin:?}; a mosaic counts from TopLeft");
        return Err(value_of("CoordinateOrigin", told));
    }
    let length = |name: &str, axis: Axis, usual: Length| {
        let Some(text) = mosaic[name].as_str().filter(|text| !text.is_empty()) else { return Ok(usual) };
        let is_plain =
            text.ends_with("px") || text.trim_end_matches('%').ends_with(|c: char| c.is_ascii_digit());
        let is_part = text.ends_with('%');
        let number = Length::parse(text, axis).filter(|_| is_plain).filter(|length| match length {
            Length::Pixels(pixels) => *pixels <= 8192.0,
            Length::OfWidth(part) | Length::OfHeight(part) => is_part && *part <= 100.0,
            _ => false,
        });
        number.ok_or_else(|| {
            value_of(name, format!("{here}.{name} {text:?} is no length such as 10% or 100px"))
        })
    };
    let offset = |name: &str| {
        let second = mosaic[name].as_f64().unwrap_or(0.0);
        if second.abs() > 1e8 {
            return Err(invalid_parameter_value(format!("{here}.{name} is {second}, out of range")));
        }
        Ok((second * 1e6).round() as i64)
    };
    let none = Length::Pixels(0.0);
    let filled = |length: Length, usual: Length| if length.is_zero() { usual } else { length };
    Ok(Mosaic {
        x: length("XPos", Axis::Horizontal, none)?,
        y: length("YPos", Axis::Vertical, none)?,
        width: filled(length("Width", Axis::Horizontal, none)?, Length::OfWidth(10.0)),
        height: filled(length("Height", Axis::Vertical, none)?, Length::OfHeight(10.0)),
        window: Window { start_us: offset("StartTimeOffset")?, end_us: offset("EndTimeOffset")? },
    })
}

/// The graph of `mosaics` from the pad `from` to the pad that it returns; what lies outside of the frame or the time is
/// left out.
pub fn lay(mosaics: &[Mosaic], from: String, branch: &str, below: &Below<'_>, graph: &mut String) -> String {
    let mut from = from;
    for (nth, mosaic) in mosaics.iter().enumerate() {
        let Some((x, y, width, height)) = mosaic.place(below.geometry.frame) else { continue };
        let Some(enable) = mosaic.window.enable(below) else { continue };
        let square = (width.min(height) / SQUARES).clamp(LEAST_SQUARE, MOST_SQUARE);
        let (wide, high) = (width.div_ceil(square).max(1), height.div_ceil(square).max(1));
        let to = format!("mosaic{nth}of{branch}");
        let _ = write!(
            graph,
            "[{from}]split[{to}a][{to}b];[{to}b]crop=w={width}:h={height}:x={x}:y={y},\
             scale=w={wide}:h={high}:flags=area,scale=w={width}:h={height}:flags=neighbor[{to}c];\
             [{to}a][{to}c]overlay=x={x}:y={y}{enable}:format=auto[{to}];"
        );
        from = to;
    }
    from
}

impl Mosaic {
    /// Its part of the frame in pixels, even as halved colour needs.
    fn place(&self, frame: (u32, u32)) -> Option<(u32, u32, u32, u32)> {
        let even = |length: Length| (length.pixels(frame) / 2.0).round() as u32 * 2;
        let (x, y) = (even(self.x), even(self.y));
        let fit = |at: u32, length: u32, most: u32| length.max(2).min(most.saturating_sub(at)) / 2 * 2;
        let (width, height) = (fit(x, even(self.width), frame.0), fit(y, even(self.height), frame.1));
        (width >= 2 && height >= 2).then_some((x, y, width, height))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::graph::Geometry;

    const BELOW: Below<'static> = Below {
        geometry: Geometry { scaled: (640, 360), frame: (640, 360), finish: None },
        length_us: 10_000_000,
        zero_us: 0,
        format: "yuv420p",
        is_still: false,
    };

    #[test]
    fn a_part_is_made_coarse_for_its_time() {
        let item = json!({"MosaicSet": [
            {"XPos": "50%", "YPos": "20px", "Width": "101px", "Height": "25%", "StartTimeOffset": 2},
            {"XPos": "100%"},
            {},
        ]});
        let mosaics = from_wire(&item, "Item").unwrap();
        let mut graph = String::new();
        assert_eq!(lay(&mosaics, "below".to_owned(), "", &BELOW, &mut graph), "mosaic2of");
        assert!(
            graph.starts_with(
                "[below]split[mosaic0ofa][mosaic0ofb];[mosaic0ofb]crop=w=102:h=90:x=320:y=20,scale=w=10:h=9:flags=area,\
                 scale=w=102:h=90:flags=neighbor[mosaic0ofc];[mosaic0ofa][mosaic0ofc]overlay=x=320:y=20:\
                 enable='gte(t,2.000000)':format=auto[mosaic0of];[mosaic0of]split"
            ),
            "{graph}"
        );
        assert!(graph.contains("crop=w=64:h=36:x=0:y=0"), "{graph}");
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        for (member, value) in [
            ("CoordinateOrigin", json!("TopRight")),
            ("XPos", json!("10")),
            ("YPos", json!("-5px")),
            ("Width", json!("10S%")),
            ("Height", json!("101%")),
            ("StartTimeOffset", json!(1e9)),
        ] {
            let error = from_wire(&json!({"MosaicSet": [{}, {member: value}]}), "Item").unwrap_err();
            assert!(error.code.starts_with("InvalidParameterValue"), "{error:?}");
            assert!(error.message.starts_with(&format!("Item.MosaicSet.1.{member}")), "{error:?}");
        }
        assert!(from_wire(&json!({"MosaicSet": vec![json!({}); 11]}), "Item").is_err());
    }
}
