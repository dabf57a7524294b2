use mps_core::Kind;
use serde_json::{Value, json};

use super::*;
use crate::features::item::Given;
use crate::features::marks::Laid;
use crate::features::over::{self, Over};
use crate::graph::Geometry;

const BELOW: Below<'static> = Below {
    geometry: Geometry { scaled: (640, 360), frame: (640, 360), finish: None },
    length_us: 10_000_000,
    zero_us: 2_000_000,
    format: "yuv420p",
    is_still: false,
};

fn build() -> Build {
    let fonts = ["Liberation Sans", "Noto Sans CJK SC"].map(str::to_owned).into();
    Build { fonts, filters: ["ass".to_owned()].into(), ..Build::default() }
}

fn read(template: &Value) -> std::result::Result<Burn, mps_wire::ApiError> {
    let member =
        |name: &str| Given { path: format!("SubtitleTemplate.{name}"), input: json!({"Type": "URL"}) };
    let given: Vec<Given> =
        ["Path", "FontFileInput"].into_iter().filter(|name| !template[*name].is_null()).map(member).collect();
    from_wire(template, &given, "SubtitleTemplate", "Item.SubtitleTemplate", &build())
}

fn info(tracks: &[(u32, &str, bool)]) -> MediaInfo {
    let track = |(index, codec, is_bitmap): &(u32, &str, bool)| SubtitleStream {
        index: *index,
        codec: (*codec).to_owned(),
        is_bitmap: *is_bitmap,
        ..SubtitleStream::default()
    };
    MediaInfo { subtitles: tracks.iter().map(track).collect(), ..MediaInfo::default() }
}

fn laid(template: &Value, info: &MediaInfo) -> Result<Laid> {
    let (burn, build) = (read(template).unwrap(), build());
    over::lay(
        Over { burn: Some(&burn), ..Over::default() },
        1,
        "",
        &BELOW,
        Source { info, start_us: 5_000_000, build: &build },
    )
}

#[test]
fn a_file_is_fetched_converted_and_drawn_at_the_time_of_the_source() {
    let laid = laid(&json!({"Path": "x", "StreamIndex": 2, "FontSize": "10%"}), &info(&[])).unwrap();
    assert_eq!(laid.graph, "[below]ass=filename=captions.ass[drawn];[drawn]format=yuv420p[marked]");
    assert_eq!(laid.fetch[0].from, Extra::Input(json!({"Type": "URL"})));
    assert!(laid.prepare.is_empty());
    let convert = &laid.convert[0];
    assert_eq!((convert.shift_us, convert.look.size), (-3_000_000, Some(36.0)));
    assert_eq!(convert.look.family.as_deref(), Some("Noto Sans CJK SC"));
    assert_eq!((convert.look.colour, convert.look.outline, convert.look.board), (None, None, None));
}

#[test]
fn a_track_is_named_by_its_index_or_by_its_place() {
    let source = info(&[(2, "subrip", false), (3, "ass", false), (4, "hdmv_pgs_subtitle", true)]);
    for (index, map, format) in [(3, "0:3", "ass"), (2, "0:2", "srt"), (0, "0:2", "srt"), (1, "0:3", "ass")] {
        let laid = laid(&json!({"StreamIndex": index}), &source).unwrap();
        let args = &laid.prepare[0].args;
        assert_eq!((&args[3], &args[5]), (&Arg::from(map), &Arg::from(format)), "{index}");
        assert!(laid.fetch.is_empty());
    }
    for (index, told) in [(4, "pictures"), (9, "its tracks are 2, 3, 4")] {
        let error = laid(&json!({"StreamIndex": index}), &source).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput);
        assert!(error.message().contains(told), "{error}");
    }
    assert!(laid(&json!({"StreamIndex": 0}), &info(&[])).unwrap_err().message().contains("it has none"));
}

#[test]
fn lengths_are_pixels_or_parts_of_the_frame() {
    let template = json!({
        "Path": "x", "FontFileInput": {}, "FontColor": "0xFF8000", "FontAlpha": 0.9, "YPos": "20px",
        "BoardY": "5%", "BoardHeight": 20, "BoardHeightUnit": 1, "BoardColor": "0x0000FF",
        "OutlineWidth": 1, "OutlineWidthUnit": 1, "OutlineColor": "00FF00", "ShadowColor": "0x102030",
        "LineSpacing": 8, "Alignment": "top",
    });
    let laid = laid(&template, &info(&[])).unwrap();
    assert!(
        laid.graph.starts_with("[below]ass=filename=captions.ass:fontsdir=fonts[drawn]"),
        "{}",
        laid.graph
    );
    assert_eq!(laid.fetch[1].file, "fonts/captions");
    let look = &laid.convert[0].look;
    assert_eq!((look.family.as_deref(), look.colour, look.alpha), (None, Some(0xff_80_00), Some(0.9)));
    assert_eq!((look.y, look.is_top, look.line_spacing), (Some(20.0), true, 8.0));
    let board = Board { y: 18.0, width: 576.0, height: 72.0, colour: 0xff, alpha: 0.8 };
    assert_eq!(look.board, Some(board));
    assert_eq!(look.outline, Some(Edge { width: 3.6, colour: 0xff_00, alpha: 1.0 }));
    assert_eq!(look.shadow, Some(Edge { width: 0.0, colour: 0x10_20_30, alpha: 1.0 }));
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    for (member, value, code) in [
        ("FontType", json!("comic.ttf"), "InvalidParameterValue"),
        ("FontType", json!("thai.ttf"), "UnsupportedOperation"),
        ("FontSize", json!("0px"), "InvalidParameterValue"),
        ("FontSize", json!("101%"), "InvalidParameterValue"),
        ("FontSize", json!("4097px"), "InvalidParameterValue"),
        ("FontSize", json!("10"), "InvalidParameterValue"),
        ("FontColor", json!("OxFFFFFF"), "InvalidParameterValue"),
        ("FontAlpha", json!(0), "InvalidParameterValue"),
        ("FontAlpha", json!(1.1), "InvalidParameterValue"),
        ("YPos", json!("-1px"), "InvalidParameterValue"),
        ("BoardAlpha", json!(1.1), "InvalidParameterValue"),
        ("OutlineWidth", json!(1001), "InvalidParameterValue"),
        ("Alignment", json!("left"), "InvalidParameterValue"),
    ] {
        let mut template = json!({"Path": "x"});
        template[member] = value.clone();
        let error = read(&template).unwrap_err();
        assert!(error.code.starts_with(code), "{member} {value}: {error:?}");
        assert!(error.message.starts_with("Item.SubtitleTemplate"), "{error:?}");
    }
    assert_eq!(read(&json!({"FontSize": "10px"})).unwrap_err().code, "MissingParameter");
}
