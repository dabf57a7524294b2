//! Watermarks of an item: which pictures are laid over it, where and when.
//!
//! Pictures come with a template or, for videos, as a file of the caller's. Watermarks lie over each other in the order
//! of the request.

use std::fmt::Write as _;

use mps_wire::ApiError;
use mps_wire::codes::{invalid_parameter_value, missing_parameter, unsupported_operation, value_of};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::item::definition;
pub use crate::graph::overlay::Below;
use crate::graph::overlay::{Axis, Corner, Length, Overlay, Repeat, Window};
use crate::plan::{Arg, Extra, Fetch};
use crate::templates::watermark::picture_key;

/// The most watermarks of an item.
pub const MOST: usize = 10;
/// The most bytes of a watermark's picture.
const MOST_BYTES: u64 = 20 << 20;

/// What the call found for one watermark of the list.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The body of its template.
    pub template: Option<std::sync::Arc<Value>>,
    /// The picture that its own parameters name: `MediaInputInfo`, checked.
    pub picture: Option<Value>,
}

/// A watermark, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Number of its template; 0 when its parameters came with the call.
    pub definition: i64,
    overlay: Overlay,
    picture: Extra,
    is_animated: bool,
}

/// Reads the watermarks of `item` (`here` in messages), each with what was found for it.
///
/// # Errors
/// `InvalidParameterValue` naming the watermark; `UnsupportedOperation` for kinds that are not built yet.
pub fn from_wire(item: &Value, found: &[Found], here: &str, is_still: bool) -> Result<Vec<Mark>, ApiError> {
    let list = item["WatermarkSet"].as_array().map(Vec::as_slice).unwrap_or_default();
    if list.len() > MOST {
        let told = format!("{here}.WatermarkSet has {} watermarks; {MOST} is the most", list.len());
        return Err(invalid_parameter_value(told));
    }
    let none = Found::default();
    list.iter()
        .enumerate()
        .map(|(nth, mark)| {
            let here = format!("{here}.WatermarkSet.{nth}");
            read(mark, found.get(nth).unwrap_or(&none), &here, is_still)
        })
        .collect()
}

fn read(mark: &Value, found: &Found, here: &str, is_still: bool) -> Result<Mark, ApiError> {
    let definition = definition(mark);
    let raw = &mark["RawParameter"];
    let body = match (definition, &found.template) {
        (0, _) if raw.is_null() => {
            return Err(missing_parameter(format!("{here}.RawParameter is required when Definition is 0")));
        }
        (0, _) if is_still => {
            return Err(invalid_parameter_value(format!(
                "{here}.RawParameter is for videos; a picture takes a watermark of a template"
            )));
        }
        (0, _) => raw,
        (_, _) if !raw.is_null() => {
            return Err(invalid_parameter_value(format!("{here}.RawParameter is for Definition 0")));
        }
        (_, Some(template)) => &**template,
        (_, None) => {
            let told = format!("{here}.Definition: there is no watermark template {definition}");
            return Err(value_of("Definition", told));
        }
    };
    check_kind(mark, body, here, is_still)?;
    let picture = match (&found.picture, picture_key(body)) {
        (Some(input), _) => Extra::Input(input.clone()),
        (None, Some(key)) => Extra::Asset(key.to_owned()),
        (None, None) => return Err(missing_parameter(format!("{here} names no picture"))),
    };
    let is_animated = match &picture {
        Extra::Asset(key) => key.ends_with(".apng"),
        // What a file holds is not known before it is fetched; who says how it repeats says that it moves.
        Extra::Input(_) => body["ImageTemplate"]["RepeatType"].is_string(),
    };
    Ok(Mark { definition, overlay: overlay(mark, body, here)?, picture, is_animated })
}

fn check_kind(mark: &Value, body: &Value, here: &str, is_still: bool) -> Result<(), ApiError> {
    let kind = body["Type"].as_str().unwrap_or_default();
    if is_still && kind != "image" {
        return Err(invalid_parameter_value(format!(
            "{here} is a {kind} watermark; pictures take image watermarks only"
        )));
    }
    if kind != "image" {
        return Err(unsupported_operation(format!("{here} is a {kind} watermark: these are not built yet")));
    }
    for (name, of) in [("TextContent", "text"), ("SvgContent", "svg")] {
        if mark[name].as_str().is_some_and(|text| !text.is_empty()) {
            return Err(invalid_parameter_value(format!("{here}.{name} is for {of} watermarks")));
        }
    }
    for name in ["StartTimeOffset", "EndTimeOffset"] {
        if is_still && mark[name].as_f64().is_some_and(|second| second != 0.0) {
            return Err(invalid_parameter_value(format!("{here}.{name} is for videos")));
        }
    }
    Ok(())
}

fn overlay(mark: &Value, body: &Value, here: &str) -> Result<Overlay, ApiError> {
    let image = &body["ImageTemplate"];
    let length =
        |value: &Value, name: &str, axis: Axis| match value[name].as_str().filter(|text| !text.is_empty()) {
            None => Ok(Length::Pixels(0.0)),
            Some(text) => Length::parse(text, axis).ok_or_else(|| {
                value_of(name, format!("{here}: {name} {text:?} is no length such as 10% or 100px"))
            }),
        };
    let offset = |name: &str| -> Result<i64, ApiError> {
        let second = mark[name].as_f64().unwrap_or(0.0);
        if second.abs() > 1e8 {
            return Err(invalid_parameter_value(format!("{here}.{name} is {second}, out of range")));
        }
        Ok((second * 1e6).round() as i64)
    };
    Ok(Overlay {
        corner: Corner::from_word(body["CoordinateOrigin"].as_str().unwrap_or_default()),
        x: length(body, "XPos", Axis::Horizontal)?,
        y: length(body, "YPos", Axis::Vertical)?,
        width: length(image, "Width", Axis::Horizontal)?,
        height: length(image, "Height", Axis::Vertical)?,
        repeat: match image["RepeatType"].as_str().unwrap_or_default() {
            "once" => Repeat::Once,
            "repeat_last_frame" => Repeat::LastFrame,
            _ => Repeat::Forever,
        },
        window: Window { start_us: offset("StartTimeOffset")?, end_us: offset("EndTimeOffset")? },
    })
}

/// Numbers of the templates, as results print them.
pub fn definitions(marks: &[Mark]) -> Vec<i64> {
    marks.iter().map(|mark| mark.definition).collect()
}

/// The watermarks of one output as inputs and a graph.
#[derive(Debug, Default)]
pub struct Laid {
    /// Words of the inputs, to stand after the source.
    pub inputs: Vec<Arg>,
    /// Files to be there.
    pub fetch: Vec<Fetch>,
    /// The graph from the pad `below<branch>` to the pad `marked<branch>`; empty without watermarks.
    pub graph: String,
}

/// Lays `marks` over pictures. The first input of the watermarks is number `first`; several branches may share the inputs.
pub fn lay(marks: &[Mark], first: usize, branch: &str, pictures: Below<'_>) -> Laid {
    let mut laid = Laid::default();
    let mut below = format!("below{branch}");
    let mut nth = first;
    for (number, mark) in marks.iter().enumerate() {
        let above = format!("over{number}of{branch}");
        let Some(graph) = mark.overlay.graph(nth, (&below, &above), &pictures) else { continue };
        let file = format!("mark-{number}");
        let is_moving = mark.is_animated && !pictures.is_still;
        laid.inputs.extend(mark.overlay.input_words(is_moving).into_iter().map(Arg::from));
        laid.inputs.extend([Arg::from("-i"), Arg::File(file.clone())]);
        laid.fetch.push(Fetch { from: mark.picture.clone(), file, most_bytes: MOST_BYTES });
        laid.graph.push_str(&graph);
        laid.graph.push(';');
        (below, nth) = (above, nth + 1);
    }
    if !laid.graph.is_empty() {
        let _ = write!(laid.graph, "[{below}]format={}[marked{branch}]", pictures.format);
    }
    laid
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::plan::Extra;

    const FRAME: Geometry = Geometry { scaled: (640, 360), frame: (640, 360), finish: None };

    fn image(more: &Value) -> Value {
        let mut body =
            json!({"Type": "image", "ImageTemplate": {"ImageKey": "watermarks/1/a.png", "Width": "10%"}});
        crate::templates::merge(&mut body, more);
        body
    }

    fn found(body: Value) -> Vec<Found> {
        vec![Found { template: Some(Arc::new(body)), picture: None }]
    }

    fn one(mark: &Value, found: &[Found], is_still: bool) -> Result<Vec<Mark>, ApiError> {
        from_wire(&json!({"WatermarkSet": [mark]}), found, "Item", is_still)
    }

    #[test]
    fn a_watermark_of_a_template_is_laid_where_it_says() {
        let body = image(&json!({"CoordinateOrigin": "TopRight", "XPos": "5%", "YPos": "10px"}));
        let mark = json!({"Definition": 200_001, "StartTimeOffset": 1, "EndTimeOffset": -1});
        let marks = one(&mark, &found(body), false).unwrap();
        let below = Below { geometry: FRAME, length_us: 10_000_000, zero_us: 0, format: "yuv420p" };
        let laid = lay(&marks, 1, below);
        assert_eq!(
            laid.graph,
            "[1:v]scale=w=64:h=-1:flags=bicubic,format=rgba[mark1];[below][mark1]overlay=x=W-w-32:y=10:\
             format=auto:eof_action=repeat:enable='gte(t,1.000000)*lt(t,9.000000)'[over0];[over0]format=yuv420p[marked]"
        );
        assert_eq!(laid.fetch[0].from, Extra::Asset("watermarks/1/a.png".to_owned()));
        assert_eq!(definitions(&marks), [200_001]);
    }

    #[test]
    fn several_lie_over_each_other_and_one_that_is_never_seen_is_left_out() {
        let found = [found(image(&json!({}))), found(image(&json!({}))), found(image(&json!({})))].concat();
        let item = json!({"WatermarkSet": [{"Definition": 1}, {"Definition": 2, "StartTimeOffset": 99}, {"Definition": 3}]});
        let marks = from_wire(&item, &found, "Item", false).unwrap();
        let below = Below { geometry: FRAME, length_us: 10_000_000, zero_us: 0, format: "yuv420p" };
        let laid = lay(&marks, 1, below);
        assert_eq!(laid.fetch.len(), 2);
        assert!(laid.graph.contains("[over0][mark2]overlay"), "{}", laid.graph);
        assert!(laid.graph.ends_with("[over2]format=yuv420p[marked]"), "{}", laid.graph);
        assert_eq!(lay(&[], 1, below).graph, "");
    }

    #[test]
    fn what_moves_is_repeated_as_asked() {
        for (repeat, words, at_end) in
            [("repeat", 2, "repeat"), ("once", 0, "pass"), ("repeat_last_frame", 0, "repeat")]
        {
            let body = image(&json!({"ImageTemplate": {"ImageKey": "a.apng", "RepeatType": repeat}}));
            let marks = one(&json!({"Definition": 1}), &found(body), false).unwrap();
            let laid = lay(&marks, 1, Below { geometry: FRAME, length_us: 0, zero_us: 0, format: "yuv420p" });
            assert_eq!(laid.inputs.len(), words + 2, "{repeat}");
            assert!(laid.graph.contains(&format!("eof_action={at_end}")), "{}", laid.graph);
        }
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let code = |mark: Value, found: &[Found], is_still: bool| {
            one(&mark, found, is_still).map_or_else(|error| error.code.into_owned(), |_| "ok".to_owned())
        };
        let plain = || found(image(&json!({})));
        let raw = json!({"Type": "image", "ImageTemplate": {"ImageContent": {"Type": "URL"}}});
        let with_picture = [Found { template: None, picture: Some(json!({"Type": "URL"})) }];
        assert_eq!(code(json!({"Definition": 1}), &[], false), "InvalidParameterValue.Definition");
        assert_eq!(code(json!({"Definition": 0}), &[], false), "MissingParameter");
        assert_eq!(code(json!({"Definition": 0, "RawParameter": raw}), &with_picture, false), "ok");
        assert_eq!(
            code(json!({"Definition": 0, "RawParameter": raw}), &with_picture, true),
            "InvalidParameterValue"
        );
        assert_eq!(
            code(json!({"Definition": 1, "RawParameter": raw}), &plain(), false),
            "InvalidParameterValue"
        );
        assert_eq!(
            code(json!({"Definition": 1, "TextContent": "x"}), &plain(), false),
            "InvalidParameterValue"
        );
        assert_eq!(
            code(json!({"Definition": 1, "StartTimeOffset": 1}), &plain(), true),
            "InvalidParameterValue"
        );
        let text = || found(json!({"Type": "text", "TextTemplate": {"FontSize": "20px"}}));
        assert_eq!(code(json!({"Definition": 1}), &text(), true), "InvalidParameterValue");
        assert_eq!(code(json!({"Definition": 1}), &text(), false), "UnsupportedOperation");
        let bad = found(image(&json!({"XPos": "10Q"})));
        assert_eq!(code(json!({"Definition": 1}), &bad, false), "InvalidParameterValue.XPos");
        let many = json!({"WatermarkSet": vec![json!({"Definition": 1}); 11]});
        assert!(from_wire(&many, &plain(), "Item", false).unwrap_err().message.contains("11"));
    }
}
