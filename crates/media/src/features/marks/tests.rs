use std::sync::Arc;

use mps_wire::ApiError;
use serde_json::{Value, json};

use super::*;
use crate::graph::Geometry;
use crate::plan::Build;

const BELOW: Below<'static> = Below {
    geometry: Geometry { scaled: (640, 360), frame: (640, 360), finish: None },
    length_us: 10_000_000,
    zero_us: 0,
    format: "yuv420p",
    is_still: false,
};

fn build() -> Build {
    Build { fonts: ["Liberation Sans", "Noto Sans CJK SC"].map(str::to_owned).into(), ..Build::default() }
}

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
    from_wire(&json!({"WatermarkSet": [mark]}), found, "Item", is_still, &build())
}

#[test]
fn a_watermark_of_a_template_is_laid_where_it_says() {
    let body = image(&json!({"CoordinateOrigin": "TopRight", "XPos": "5%", "YPos": "10px"}));
    let mark = json!({"Definition": 200_001, "StartTimeOffset": 1, "EndTimeOffset": -1});
    let marks = one(&mark, &found(body), false).unwrap();
    let laid = lay(&marks, 1, "", &BELOW);
    assert_eq!(
        laid.graph,
        "[1:v]scale=w=64:h=-1:flags=bicubic,format=rgba[over0ofmark];[below][over0ofmark]overlay=x=W-w-32:y=10:\
         enable='gte(t,1.000000)*lt(t,9.000000)':format=auto:eof_action=repeat[over0of];\
         [over0of]format=yuv420p[marked]"
    );
    assert_eq!(laid.fetch[0].from, Extra::Asset("watermarks/1/a.png".to_owned()));
    assert_eq!(laid.prepare[0].prepares.as_deref(), Some("WatermarkSet.0"));
    assert_eq!(definitions(&marks), [200_001]);
}

#[test]
fn several_lie_over_each_other_and_one_that_is_never_seen_is_left_out() {
    let found = [found(image(&json!({}))), found(image(&json!({}))), found(image(&json!({})))].concat();
    let item = json!({"WatermarkSet": [{"Definition": 1}, {"Definition": 2, "StartTimeOffset": 99}, {"Definition": 3}]});
    let marks = from_wire(&item, &found, "Item", false, &build()).unwrap();
    let laid = lay(&marks, 1, "r", &BELOW);
    assert_eq!(laid.fetch.iter().map(|f| f.file.as_str()).collect::<Vec<_>>(), ["mark-0", "mark-2"]);
    assert!(laid.graph.starts_with("[1:v]") && laid.graph.contains(";[2:v]"), "{}", laid.graph);
    assert!(laid.graph.contains("[over0ofr][over2ofrmark]overlay"), "{}", laid.graph);
    assert!(laid.graph.ends_with("[over2ofr]format=yuv420p[markedr]"), "{}", laid.graph);
    assert_eq!(lay(&[], 1, "", &BELOW).graph, "");
}

#[test]
fn what_moves_is_repeated_as_asked_and_stands_still_in_a_still() {
    for (repeat, words, at_end) in [
        ("repeat", 2, "shortest=1"),
        ("once", 0, "eof_action=pass"),
        ("repeat_last_frame", 0, "eof_action=repeat"),
    ] {
        let body = image(&json!({"ImageTemplate": {"ImageKey": "a.apng", "RepeatType": repeat}}));
        let marks = one(&json!({"Definition": 1}), &found(body), false).unwrap();
        let laid = lay(&marks, 1, "", &Below { length_us: 0, ..BELOW });
        assert_eq!(laid.inputs.len(), words + 2, "{repeat}");
        assert!(laid.graph.contains(at_end), "{}", laid.graph);
        let laid = lay(&marks, 1, "", &Below { is_still: true, ..BELOW });
        assert!(laid.inputs.len() == 2 && laid.graph.contains("trim=end_frame=1,"), "{}", laid.graph);
    }
}

#[test]
fn words_get_a_font_that_can_write_them() {
    let body = json!({"Type": "text", "TextTemplate": {
        "FontType": "arial.ttf", "FontSize": "0.1px", "FontColor": "0x00FF00", "FontAlpha": 0.5, "TextContent": "Live",
    }});
    for (own, text, family) in [
        (json!(""), "Live", "Liberation Sans"),
        (json!("直播: '%{pts}'"), "直播: '%{pts}'", "Noto Sans CJK SC"),
    ] {
        let marks = one(&json!({"Definition": 1, "TextContent": own}), &found(body.clone()), false).unwrap();
        let laid = lay(&marks, 1, "", &BELOW);
        assert_eq!(laid.fetch[0].from, Extra::Text(text.to_owned()));
        assert!(laid.inputs.is_empty());
        assert!(
            laid.graph.contains(&format!(
                "textfile=mark-0:expansion=none:font='{family}':fontsize=36.00:fontcolor=0x00FF00@0.500:x=0:y=0"
            )),
            "{}",
            laid.graph
        );
    }
}

#[test]
fn a_drawing_is_drawn_in_the_size_that_it_is_shown_in() {
    for (template, words) in [
        (json!({}), ["64", "0", "1"]),
        (json!({"Width": "50S%", "Height": "20px"}), ["180", "20", "0"]),
        (json!({"Width": "0px", "Height": "10L%"}), ["0", "64", "1"]),
        (json!({"Width": "0px", "Height": "0px"}), ["0", "0", "1"]),
    ] {
        let body = json!({"Type": "svg", "SvgTemplate": template});
        let marks = one(&json!({"Definition": 1, "SvgContent": "<svg/>"}), &found(body), false).unwrap();
        let laid = lay(&marks, 1, "7", &BELOW);
        let expected = format!(
            "-f svg_pipe -width {} -height {} -keep_ar {} -i mark-0 -vf format=rgba,geq=",
            words[0], words[1], words[2]
        );
        let word = |arg: &Arg| match arg {
            Arg::Text(text) | Arg::File(text) => text.clone(),
            Arg::Source | Arg::Input(_) => "SOURCE".to_owned(),
        };
        let line = laid.prepare[0].args.iter().map(word).collect::<Vec<_>>().join(" ");
        assert!(line.starts_with(&expected), "{line}");
        assert!(line.ends_with("mark-07.png"), "{line}");
        assert_eq!(laid.inputs[1], Arg::File("mark-07.png".to_owned()));
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
    let mut odd = raw.clone();
    odd["ImageTemplate"]["RepeatType"] = json!("twice");
    let text = || found(json!({"Type": "text", "TextTemplate": {"FontSize": "20px"}}));
    let svg = || found(json!({"Type": "svg", "SvgTemplate": {}}));
    for (mark, found, is_still, expected) in [
        (json!({"Definition": 1}), Vec::new(), false, "InvalidParameterValue.Definition"),
        (json!({"Definition": 0}), Vec::new(), false, "MissingParameter"),
        (json!({"Definition": 0, "RawParameter": raw}), with_picture.to_vec(), false, "ok"),
        (json!({"Definition": 0, "RawParameter": raw}), with_picture.to_vec(), true, "InvalidParameterValue"),
        (
            json!({"Definition": 0, "RawParameter": odd}),
            with_picture.to_vec(),
            false,
            "InvalidParameterValue.RepeatType",
        ),
        (json!({"Definition": 1, "RawParameter": raw}), plain(), false, "InvalidParameterValue"),
        (json!({"Definition": 1, "TextContent": "x"}), plain(), false, "InvalidParameterValue.TextContent"),
        (json!({"Definition": 1, "SvgContent": "x"}), plain(), false, "InvalidParameterValue"),
        (json!({"Definition": 1, "StartTimeOffset": 1}), plain(), true, "InvalidParameterValue"),
        (json!({"Definition": 1, "TextContent": "x"}), text(), true, "InvalidParameterValue"),
        (json!({"Definition": 1}), text(), false, "MissingParameter"),
        (
            json!({"Definition": 1, "TextContent": "x".repeat(101)}),
            text(),
            false,
            "InvalidParameterValue.TextContent",
        ),
        (json!({"Definition": 1, "TextContent": "مباشر"}), text(), false, "UnsupportedOperation"),
        (json!({"Definition": 1}), svg(), false, "MissingParameter"),
        (
            json!({"Definition": 1}),
            found(image(&json!({"XPos": "10Q"}))),
            false,
            "InvalidParameterValue.XPos",
        ),
    ] {
        assert_eq!(code(mark.clone(), &found, is_still), expected, "{mark}");
    }
    let many = json!({"WatermarkSet": vec![json!({"Definition": 1}); 11]});
    assert!(from_wire(&many, &plain(), "Item", false, &build()).unwrap_err().message.contains("11"));
}
