//! Templates of burnt-in subtitles: fonts, places, boards, outlines and shadows.

use mps_wire::ApiError;
use mps_wire::codes::{self, value_of};
use serde_json::{Value, json};

use super::rules::{self, Rule, above, bare_colour, colour, flag, is_given, number, whole, word};
use super::{FIRST_OWN, Family, Need, Template, listed};
use crate::presets::{self, Preset};

/// The family.
#[derive(Debug, Clone, Copy)]
pub struct SubtitleEmbed;

/// Fonts that the API names, and `auto` of its example.
const FONTS: &[&str] = &[
    "auto",
    "hei.ttf",
    "song.ttf",
    "kai.ttf",
    "simkai.ttf",
    "msyh.ttf",
    "msyhbd.ttf",
    "hkjgt.ttf",
    "dhttx.ttf",
    "xqgdzt.ttf",
    "qpcyt.ttf",
    "arial.ttf",
    "dinalternate.ttf",
    "helveticalt.ttf",
    "helveticains.ttf",
    "trajanpro.ttf",
    "korean.ttf",
    "japanese.ttf",
    "thai.ttf",
    "roboto.ttf",
    "notosans.ttf",
    "notosansthai.ttf",
    "sarabun.ttf",
    "kanit.ttf",
    "charmonman.ttf",
    "notonaskharabic.ttf",
    "notosansdevanagari.ttf",
    "notosanstc.ttf",
    "notosanskr.ttf",
    "gothica1.ttf",
    "nanummyeongjo.ttf",
    "notosansjp.ttf",
    "notoserifjp.ttf",
    "shipporimincho.ttf",
    // The same without the extension, as an example of the API has it.
    "hei",
    "song",
    "kai",
    "simkai",
    "msyh",
    "msyhbd",
    "hkjgt",
    "dhttx",
    "xqgdzt",
    "qpcyt",
    "arial",
    "dinalternate",
    "helveticalt",
    "helveticains",
    "trajanpro",
    "korean",
    "japanese",
    "thai",
    "roboto",
    "notosans",
    "notosansthai",
    "sarabun",
    "kanit",
    "charmonman",
    "notonaskharabic",
    "notosansdevanagari",
    "notosanstc",
    "notosanskr",
    "gothica1",
    "nanummyeongjo",
    "notosansjp",
    "notoserifjp",
    "shipporimincho",
];

const RULES: &[Rule] = &[
    word("FontType", FONTS),
    colour("FontColor"),
    above("FontAlpha", 0.0, 1.0),
    whole("SampleWidth", 0, 16_384),
    whole("SampleHeight", 0, 16_384),
    flag("SubtitleBoardConfig.SubtitleBoardConfigSwitch"),
    colour("SubtitleBoardConfig.BoardColor"),
    number("SubtitleBoardConfig.BoardAlpha", 0.0, 1.0),
    flag("SubtitleLayoutConfig.SubtitleLayoutConfigSwitch"),
    word("SubtitleLayoutConfig.Alignment", &["top", "bottom"]),
    flag("SubtitleOutlineConfig.SubtitleOutlineConfigSwitch"),
    bare_colour("SubtitleOutlineConfig.OutlineColor"),
    above("SubtitleOutlineConfig.OutlineAlpha", 0.0, 1.0),
    flag("SubtitleShadowConfig.SubtitleShadowConfigSwitch"),
    bare_colour("SubtitleShadowConfig.ShadowColor"),
    above("SubtitleShadowConfig.ShadowAlpha", 0.0, 1.0),
];

/// Lengths in pixels or percent by their unit: structure, member, range of pixels, range of percent.
type Length = (&'static str, &'static str, (f64, f64), (f64, f64));

const SIZE: ((f64, f64), (f64, f64)) = ((0.0, 4096.0), (0.0, 100.0));
const SHIFT: ((f64, f64), (f64, f64)) = ((-4096.0, 4096.0), (-100.0, 100.0));
const LENGTHS: &[Length] = &[
    ("", "FontSize", (1.0, 4096.0), (1.0, 100.0)),
    ("", "PosX", SHIFT.0, SHIFT.1),
    ("", "PosY", SIZE.0, SIZE.1),
    ("SubtitleBoardConfig", "BoardX", SHIFT.0, SHIFT.1),
    ("SubtitleBoardConfig", "BoardY", SIZE.0, SIZE.1),
    ("SubtitleBoardConfig", "BoardWidth", SIZE.0, SIZE.1),
    ("SubtitleBoardConfig", "BoardHeight", SIZE.0, SIZE.1),
    ("SubtitleLayoutConfig", "LineSpacing", (0.0, 1000.0), SIZE.1),
    ("SubtitleOutlineConfig", "OutlineWidth", SIZE.0, SIZE.1),
    ("SubtitleShadowConfig", "ShadowWidth", SIZE.0, SIZE.1),
];

impl Family for SubtitleEmbed {
    fn name(&self) -> &'static str {
        "subtitle_embed"
    }

    fn first_definition(&self) -> i64 {
        FIRST_OWN
    }

    fn list_member(&self) -> &'static str {
        "SubtitleEmbedTemplateSet"
    }

    fn presets(&self) -> Vec<Preset> {
        presets::subtitle_embed::all()
    }

    fn check(&self, body: &Value) -> Result<(), ApiError> {
        let config = &body["SubtitleEmbedConfig"];
        rules::check(config, RULES)?;
        for (part, member, pixels, percent) in LENGTHS {
            let part = if part.is_empty() { config } else { &config[part] };
            check_length(part, member, *pixels, *percent)?;
        }
        if is_given(&config["FontPath"]) && is_given(&config["CosInputInfo"]) {
            return Err(value_of(
                "FontPath",
                "FontPath and CosInputInfo are both given; a font has one place",
            ));
        }
        Ok(())
    }

    fn item(&self, template: &Template) -> Value {
        let mut item = listed(template, json!({"SubtitleEmbedConfig": null, "DeleteTag": 0}));
        item["AliasName"] = Value::from(template.alias.as_str());
        item
    }
}

fn check_length(part: &Value, member: &str, pixels: (f64, f64), percent: (f64, f64)) -> Result<(), ApiError> {
    let unit_name = format!("{member}Unit");
    let (unit, (least, most)) = match part[&unit_name].as_i64() {
        None | Some(0) => ("pixels", pixels),
        Some(1) => ("percent", percent),
        Some(other) => {
            let told = format!("{unit_name} is {other}; it must be 0 for pixels or 1 for percent");
            return Err(value_of(&unit_name, told));
        }
    };
    match part[member].as_f64() {
        Some(length) if !(least..=most).contains(&length) => {
            Err(value_of(member, format!("{member} is {length}; in {unit} it must be {least} to {most}")))
        }
        _ => Ok(()),
    }
}

/// That a template named by `SubtitleEmbedId` must be there; presets always are.
pub(crate) fn need(id: &Value) -> Option<Need> {
    let definition = id.as_i64().filter(|id| *id != 0)?;
    let is_preset = presets::subtitle_embed::all().iter().any(|preset| preset.definition == definition);
    (!is_preset).then(|| Need {
        family: SubtitleEmbed.name(),
        definition,
        absent: codes::invalid_parameter_value_subtitle_embed_id(format!(
            "SubtitleEmbedId is {definition}; there is no such template"
        )),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::testing::{check_cases, with};

    fn whole_body() -> Value {
        json!({"SubtitleEmbedConfig": {
            "SubtitleBoardConfig": {}, "SubtitleLayoutConfig": {}, "SubtitleOutlineConfig": {},
            "SubtitleShadowConfig": {},
        }})
    }

    #[test]
    fn each_member_has_its_range() {
        let alphas = [json!(0.01), json!(1)];
        let no_alphas = [json!(0), json!(1.1)];
        let (switch, no_switch) = ([json!(0), json!(1)], [json!(2)]);
        check_cases(
            &SubtitleEmbed,
            &whole_body(),
            &[
                (
                    "SubtitleEmbedConfig/FontType",
                    &[json!("hei.ttf"), json!("auto")],
                    &[json!("comic.ttf")],
                    "",
                ),
                ("SubtitleEmbedConfig/FontColor", &[json!("0xFF0000")], &[json!("OxFFFFFF")], ""),
                ("SubtitleEmbedConfig/FontAlpha", &alphas, &no_alphas, ""),
                ("SubtitleEmbedConfig/FontSize", &[json!(1), json!(4096)], &[json!(0), json!(4097)], ""),
                ("SubtitleEmbedConfig/PosX", &[json!(-4096), json!(4096)], &[json!(-4097)], ""),
                ("SubtitleEmbedConfig/PosY", &[json!(0), json!(4096)], &[json!(-1), json!(4097)], ""),
                ("SubtitleEmbedConfig/PosXUnit", &switch, &no_switch, ""),
                (
                    "SubtitleEmbedConfig/SubtitleBoardConfig/SubtitleBoardConfigSwitch",
                    &switch,
                    &no_switch,
                    "",
                ),
                (
                    "SubtitleEmbedConfig/SubtitleBoardConfig/BoardAlpha",
                    &[json!(0), json!(1)],
                    &[json!(1.1)],
                    "",
                ),
                ("SubtitleEmbedConfig/SubtitleBoardConfig/BoardWidth", &[json!(4096)], &[json!(4097)], ""),
                ("SubtitleEmbedConfig/SubtitleLayoutConfig/LineSpacing", &[json!(1000)], &[json!(1001)], ""),
                ("SubtitleEmbedConfig/SubtitleLayoutConfig/Alignment", &[json!("top")], &[json!("left")], ""),
                ("SubtitleEmbedConfig/SubtitleOutlineConfig/OutlineAlpha", &alphas, &no_alphas, ""),
                ("SubtitleEmbedConfig/SubtitleOutlineConfig/OutlineWidth", &[json!(0.5)], &[json!(-0.5)], ""),
                (
                    "SubtitleEmbedConfig/SubtitleShadowConfig/ShadowColor",
                    &[json!("0x000000"), json!("00ff00")],
                    &[json!("black")],
                    "",
                ),
                ("SubtitleEmbedConfig/SubtitleShadowConfig/ShadowAlpha", &alphas, &no_alphas, ""),
            ],
        );
    }

    #[test]
    fn a_unit_of_percent_has_another_range() {
        for (member, good, bad) in [("FontSize", 100, 101), ("PosX", -100, -101), ("PosY", 100, 101)] {
            let mut body = with(&whole_body(), &format!("SubtitleEmbedConfig/{member}Unit"), &json!(1));
            body["SubtitleEmbedConfig"][member] = json!(good);
            assert_eq!(SubtitleEmbed.check(&body), Ok(()), "{member}");
            body["SubtitleEmbedConfig"][member] = json!(bad);
            assert!(SubtitleEmbed.check(&body).is_err(), "{member}");
        }
    }

    #[test]
    fn a_font_has_one_place() {
        let cos = json!({"Bucket": "b", "Region": "r", "Object": "/f.ttf"});
        let body = json!({"SubtitleEmbedConfig": {"FontPath": "http://a/f.ttf", "CosInputInfo": cos}});
        assert!(SubtitleEmbed.check(&body).unwrap_err().message.contains("CosInputInfo"));
    }
}
