use super::image::tests::png;
use super::*;
use crate::templates::testing::{check_cases, stored, with};

fn picture() -> Value {
    json!({"Type": "image", "ImageTemplate": {"ImageKey": "k.png"}})
}

fn writing() -> Value {
    json!({"Type": "text", "TextTemplate": {
        "FontType": "arial.ttf", "FontSize": "40px", "FontColor": "0xFF0000", "FontAlpha": 0.5,
    }})
}

#[test]
fn each_member_has_its_range() {
    let origins = [json!("TopLeft"), json!("BottomRight"), json!("")];
    check_cases(
        &Watermark,
        &picture(),
        &[
            ("CoordinateOrigin", &origins, &[json!("topLeft"), json!("Centre")], "CoordinateOrigin"),
            (
                "XPos",
                &[json!("0px"), json!("10%"), json!("12.5%")],
                &[json!("10"), json!("-1px"), json!("101%")],
                "XPos",
            ),
            ("YPos", &[json!("2000px")], &[json!("px"), json!("1e3px"), json!("10W%")], "YPos"),
            (
                "ImageTemplate/Width",
                &[json!("8px"), json!("4096px"), json!("0px"), json!("100%"), json!("")],
                &[json!("7px"), json!("4097px"), json!("101%")],
                "Width",
            ),
            ("ImageTemplate/Height", &[json!("0px"), json!("8px")], &[json!("7px"), json!("x")], "Height"),
            ("ImageTemplate/RepeatType", &[json!("once"), json!("repeat")], &[json!("twice")], "RepeatType"),
            ("ImageTemplate/ImageKey", &[], &[Value::Null], "ImageTemplate"),
            ("Type", &[], &[json!("gif"), json!("")], "Type"),
        ],
    );
    check_cases(
        &Watermark,
        &writing(),
        &[
            ("TextTemplate/FontType", &[json!("simkai.ttf")], &[json!("comic.ttf")], "TextTemplate"),
            (
                "TextTemplate/FontSize",
                &[json!("0px"), json!("1px"), json!("8px"), json!("4096px"), json!("0.5px")],
                &[json!("2px"), json!("4097px"), json!("40"), json!("10%"), json!("")],
                "TextTemplate",
            ),
            (
                "TextTemplate/FontColor",
                &[json!("0x00ff00")],
                &[json!("OxFFFFFF"), json!("red")],
                "TextTemplate",
            ),
            ("TextTemplate/FontAlpha", &[json!(0.01), json!(1)], &[json!(0), json!(1.1)], "TextAlpha"),
            (
                "TextTemplate/TextContent",
                &[json!("字".repeat(100)), json!("")],
                &[json!("x".repeat(101))],
                "TextContent",
            ),
        ],
    );
    check_cases(
        &Watermark,
        &json!({"Type": "svg", "SvgTemplate": {}}),
        &[
            (
                "SvgTemplate/Width",
                &[json!("0px"), json!("10W%"), json!("10H%"), json!("10S%"), json!("10L%"), json!("10%")],
                &[json!("10X%"), json!("W%"), json!("101W%")],
                "SvgTemplateWidth",
            ),
            ("SvgTemplate/Height", &[json!("0px")], &[json!("tall")], "SvgTemplateHeight"),
        ],
    );
}

#[test]
fn each_type_has_its_own_member_and_no_other() {
    for (kind, member) in TYPES {
        let error = Watermark.check(&json!({"Type": kind})).unwrap_err();
        assert_eq!(error.code, format!("InvalidParameterValue.{member}"));
    }
    let both = with(&writing(), "SvgTemplate", &json!({"Width": "10%"}));
    assert_eq!(Watermark.check(&both).unwrap_err().code, "InvalidParameterValue.SvgTemplate");
}

#[test]
fn a_picture_is_taken_out_and_its_key_put_in() {
    let mut request = picture();
    request["ImageTemplate"] = json!({"ImageContent": STANDARD.encode(png(9)), "Width": "20%"});
    let taken = take_picture(&mut request).unwrap().unwrap();
    assert_eq!((taken.bytes, taken.kind), (png(9), ImageKind::Png));
    put_picture(&mut request, "a/b.png");
    assert_eq!(request["ImageTemplate"], json!({"Width": "20%", "ImageKey": "a/b.png"}));
    assert_eq!(take_picture(&mut json!({"Name": "only"})), Ok(None));
    for bad in ["", "not base64!", "AAAA"] {
        let mut request = json!({"ImageTemplate": {"ImageContent": bad}});
        let error = take_picture(&mut request).unwrap_err();
        assert_eq!(error.code, "InvalidParameterValue.ImageContent", "{bad:?}");
    }
}

#[test]
fn the_listing_shows_the_type_and_the_defaults() {
    let item = Watermark.item(&stored(&Watermark, &picture()));
    assert_eq!(item["Type"], "image");
    let image = json!({"ImageUrl": "k.png", "Width": "10%", "Height": "0px", "RepeatType": "repeat"});
    assert_eq!(item["ImageTemplate"], image);
    assert_eq!((&item["XPos"], &item["CoordinateOrigin"]), (&json!("0px"), &json!("TopLeft")));
    assert_eq!((&item["TextTemplate"], &item["SvgTemplate"]), (&Value::Null, &Value::Null));

    let tall = with(&picture(), "ImageTemplate/Height", &json!("50px"));
    let item = Watermark.item(&stored(&Watermark, &tall));
    assert_eq!(
        (&item["ImageTemplate"]["Width"], &item["ImageTemplate"]["Height"]),
        (&json!("0px"), &json!("50px"))
    );
    let item = Watermark.item(&stored(&Watermark, &json!({"Type": "svg", "SvgTemplate": {}})));
    assert_eq!(item["SvgTemplate"], json!({"Width": "10W%", "Height": "0px"}));
}

#[test]
fn a_listing_is_filtered_by_the_kind_of_mark() {
    let template = stored(&Watermark, &writing());
    let passes = |kind: &str| Watermark.passes(&template, &json!({"Type": kind}));
    assert!(passes("text") && passes("") && !passes("image"));
    assert_eq!(
        Watermark.check_filters(&json!({"Type": "Preset"})).unwrap_err().code,
        "InvalidParameterValue.Type"
    );
}
