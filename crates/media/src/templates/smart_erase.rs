//! Templates of erasing: subtitles, watermarks, or faces and plates.

use mps_wire::ApiError;
use mps_wire::codes::{self, value_of};
use serde_json::{Value, json};

use super::areas::{check_areas, check_timed_areas};
use super::languages::check_targets;
use super::rules::{self, Rule, flag, is_given, items, text_at, word};
use super::{FIRST_OWN, Family, Need, Template, listed, merge, merged, subtitle_embed};
use crate::presets::{self, Preset};

/// The family.
#[derive(Debug, Clone, Copy)]
pub struct SmartErase;

/// Each type with the member that describes it.
const TYPES: [(&str, &str); 3] = [
    ("subtitle", "EraseSubtitleConfig"),
    ("watermark", "EraseWatermarkConfig"),
    ("privacy", "ErasePrivacyConfig"),
];

const RULES: &[Rule] = &[
    word("EraseType", &["subtitle", "watermark", "privacy"]),
    word("EraseSubtitleConfig.SubtitleEraseMethod", &["auto", "custom"]),
    word("EraseSubtitleConfig.SubtitleModel", &["standard", "area"]),
    word("EraseSubtitleConfig.OcrSwitch", &["ON", "OFF"]),
    word("EraseSubtitleConfig.SubtitleLang", &["zh_en", "multi"]),
    word("EraseSubtitleConfig.SubtitleFormat", &["vtt", "srt"]),
    word("EraseSubtitleConfig.TransSwitch", &["ON", "OFF"]),
    flag("EraseSubtitleConfig.UseOriginalPos"),
    flag("EraseSubtitleConfig.UseOriginalSize"),
    word("EraseWatermarkConfig.WatermarkEraseMethod", &["auto", "custom"]),
    word("EraseWatermarkConfig.WatermarkModel", &["basic", "advanced"]),
    word("ErasePrivacyConfig.PrivacyModel", &["blur", "mosaic"]),
    items("ErasePrivacyConfig.PrivacyTargets", 1, 2),
    word("ErasePrivacyConfig.PrivacyTargets", &["face", "plate"]),
];

/// Words that have no default: an empty one says nothing.
const REQUIRED: &[(&str, &str)] = &[
    ("EraseSubtitleConfig", "SubtitleEraseMethod"),
    ("EraseSubtitleConfig", "SubtitleModel"),
    ("EraseWatermarkConfig", "WatermarkEraseMethod"),
    ("EraseWatermarkConfig", "WatermarkModel"),
    ("ErasePrivacyConfig", "PrivacyModel"),
];

impl Family for SmartErase {
    fn name(&self) -> &'static str {
        "smart_erase"
    }

    fn first_definition(&self) -> i64 {
        FIRST_OWN
    }

    fn list_member(&self) -> &'static str {
        "SmartEraseTemplateSet"
    }

    fn presets(&self) -> Vec<Preset> {
        presets::smart_erase::all()
    }

    fn check(&self, body: &Value) -> Result<(), ApiError> {
        rules::check(body, RULES)?;
        let kind = text_at(body, "EraseType");
        if kind.is_empty() {
            return Err(value_of("EraseType", "EraseType is empty"));
        }
        for (other, member) in TYPES {
            match (other == kind, body[member].is_object()) {
                (true, false) => return Err(value_of(member, format!("{member} is required for {kind}"))),
                (false, true) if is_given(&body[member]) => {
                    return Err(value_of(member, format!("{member} does not go with the type {kind}")));
                }
                _ => {}
            }
        }
        for (member, name) in REQUIRED {
            if body[member].is_object() && text_at(&body[member], name).is_empty() {
                return Err(value_of(name, format!("{member}.{name} is empty")));
            }
        }
        match kind {
            "subtitle" => check_subtitle(&body["EraseSubtitleConfig"]),
            "watermark" => {
                let config = &body["EraseWatermarkConfig"];
                check_places("EraseWatermarkConfig", config, text_at(config, "WatermarkEraseMethod"))
            }
            _ => Ok(()),
        }
    }

    /// Another type needs another configuration, and the old one goes.
    fn change(&self, body: &mut Value, patch: &Value) {
        let kind = text_at(patch, "EraseType");
        if let Some(members) = body.as_object_mut().filter(|_| !kind.is_empty()) {
            for (other, member) in TYPES {
                if other != kind {
                    members.remove(member);
                }
            }
        }
        merge(body, patch);
    }

    fn needs(&self, body: &Value) -> Vec<Need> {
        subtitle_embed::need(&body["EraseSubtitleConfig"]["SubtitleEmbedId"]).into_iter().collect()
    }

    fn check_filters(&self, request: &Value) -> Result<(), ApiError> {
        rules::check(request, &RULES[..1])
    }

    fn passes(&self, template: &Template, request: &Value) -> bool {
        let wanted = text_at(request, "EraseType");
        wanted.is_empty() || wanted == text_at(&template.body, "EraseType")
    }

    fn item(&self, template: &Template) -> Value {
        let mut item = listed(template, TYPES.iter().map(|(_, member)| (*member, Value::Null)).collect());
        let config = &mut item["EraseSubtitleConfig"];
        if config.is_object() {
            *config = merged(json!({"OcrSwitch": "OFF", "TransSwitch": "OFF"}), config);
        }
        item["AliasName"] = Value::from(template.alias.as_str());
        item
    }
}

fn check_subtitle(config: &Value) -> Result<(), ApiError> {
    let method = text_at(config, "SubtitleEraseMethod");
    check_places("EraseSubtitleConfig", config, method)?;
    let is_on = |name: &str| text_at(config, name) == "ON";
    let is_reading = is_on("OcrSwitch");
    let is_translating = is_on("TransSwitch");
    let has_style = config["SubtitleEmbedId"].as_i64().unwrap_or(0) != 0;
    if is_reading && method != "auto" {
        return Err(value_of(
            "OcrSwitch",
            "EraseSubtitleConfig.OcrSwitch can be ON with the method auto only",
        ));
    }
    if is_translating && !is_reading {
        return Err(value_of(
            "TransSwitch",
            "EraseSubtitleConfig.TransSwitch can be ON where OcrSwitch is ON",
        ));
    }
    let target = text_at(config, "TransDstLang");
    if !target.is_empty() && check_targets("TransDstLang", "EraseSubtitleConfig.TransDstLang", target)? > 1 {
        return Err(value_of("TransDstLang", "EraseSubtitleConfig.TransDstLang is one language"));
    }
    if config["SubtitleFormat"] == "" && is_reading && !has_style {
        let told = "EraseSubtitleConfig.SubtitleFormat can be empty only where subtitles are burnt in";
        return Err(value_of("SubtitleFormat", told));
    }
    if has_style && !is_translating {
        let told = "EraseSubtitleConfig.SubtitleEmbedId goes with translated subtitles only";
        return Err(codes::invalid_parameter_value_subtitle_embed_id(told));
    }
    for name in ["UseOriginalPos", "UseOriginalSize"] {
        if config[name] == 1 && !is_translating {
            let told = format!("EraseSubtitleConfig.{name} goes with translated subtitles only");
            return Err(value_of(name, told));
        }
    }
    Ok(())
}

fn check_places(member: &str, config: &Value, method: &str) -> Result<(), ApiError> {
    let is_empty = config["CustomAreas"].as_array().is_none_or(Vec::is_empty);
    if method == "custom" && is_empty {
        return Err(value_of(
            "CustomAreas",
            format!("{member}.CustomAreas is required with the method custom"),
        ));
    }
    check_areas("AutoAreas", &format!("{member}.AutoAreas"), &config["AutoAreas"])?;
    check_timed_areas("CustomAreas", &format!("{member}.CustomAreas"), &config["CustomAreas"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::modify;
    use crate::templates::testing::{check_cases, stored};

    fn area() -> Value {
        json!({"LeftTopX": 0.1, "LeftTopY": 0.5, "RightBottomX": 0.9, "RightBottomY": 1, "Unit": 1})
    }

    fn subtitle() -> Value {
        json!({"EraseType": "subtitle", "EraseSubtitleConfig": {
            "SubtitleEraseMethod": "auto", "SubtitleModel": "standard", "OcrSwitch": "ON", "TransSwitch": "ON",
        }})
    }

    fn privacy() -> Value {
        json!({"EraseType": "privacy", "ErasePrivacyConfig": {"PrivacyModel": "blur", "PrivacyTargets": ["face"]}})
    }

    #[test]
    fn each_member_has_its_range() {
        let broken =
            json!([{"LeftTopX": 0.9, "LeftTopY": 0, "RightBottomX": 0.1, "RightBottomY": 1, "Unit": 1}]);
        check_cases(
            &SmartErase,
            &subtitle(),
            &[
                ("EraseType", &[], &[json!("logo"), json!("")], "EraseType"),
                (
                    "EraseSubtitleConfig/SubtitleEraseMethod",
                    &[],
                    &[json!("manual"), json!("")],
                    "SubtitleEraseMethod",
                ),
                (
                    "EraseSubtitleConfig/SubtitleModel",
                    &[json!("area")],
                    &[json!("best"), json!("")],
                    "SubtitleModel",
                ),
                ("EraseSubtitleConfig/OcrSwitch", &[], &[json!("on")], "OcrSwitch"),
                ("EraseSubtitleConfig/SubtitleLang", &[json!("multi")], &[json!("zh")], "SubtitleLang"),
                (
                    "EraseSubtitleConfig/SubtitleFormat",
                    &[json!("srt")],
                    &[json!("ass"), json!("")],
                    "SubtitleFormat",
                ),
                ("EraseSubtitleConfig/TransSwitch", &[json!("OFF")], &[json!("on")], "TransSwitch"),
                (
                    "EraseSubtitleConfig/TransDstLang",
                    &[json!("ja")],
                    &[json!("xx"), json!("en/ja")],
                    "TransDstLang",
                ),
                ("EraseSubtitleConfig/UseOriginalPos", &[json!(0), json!(1)], &[json!(2)], "UseOriginalPos"),
                (
                    "EraseSubtitleConfig/UseOriginalSize",
                    &[json!(0), json!(1)],
                    &[json!(2)],
                    "UseOriginalSize",
                ),
                ("EraseSubtitleConfig/AutoAreas", &[json!([]), json!([area()])], &[broken], "AutoAreas"),
            ],
        );
        let watermark = json!({"EraseType": "watermark", "EraseWatermarkConfig": {
            "WatermarkEraseMethod": "custom", "WatermarkModel": "basic",
            "CustomAreas": [{"BeginMs": 0, "EndMs": 1000, "Areas": [area()]}],
        }});
        check_cases(
            &SmartErase,
            &watermark,
            &[
                (
                    "EraseWatermarkConfig/WatermarkEraseMethod",
                    &[json!("auto")],
                    &[json!("x")],
                    "WatermarkEraseMethod",
                ),
                (
                    "EraseWatermarkConfig/WatermarkModel",
                    &[json!("advanced")],
                    &[json!("x")],
                    "WatermarkModel",
                ),
                ("EraseWatermarkConfig/CustomAreas", &[], &[json!([]), Value::Null], "CustomAreas"),
                ("EraseWatermarkConfig/CustomAreas/0/EndMs", &[json!(1)], &[json!(0)], "CustomAreas"),
            ],
        );
        check_cases(
            &SmartErase,
            &privacy(),
            &[
                ("ErasePrivacyConfig/PrivacyModel", &[json!("mosaic")], &[json!("black")], "PrivacyModel"),
                (
                    "ErasePrivacyConfig/PrivacyTargets",
                    &[json!(["plate", "face"])],
                    &[json!([]), json!(["dog"])],
                    "PrivacyTargets",
                ),
            ],
        );
    }

    #[test]
    fn what_needs_another_switch_is_refused_without_it() {
        let refused = |name: &str, value: Value, off: &str| {
            let mut body = subtitle();
            body["EraseSubtitleConfig"][off] = json!("OFF");
            if off == "OcrSwitch" {
                body["EraseSubtitleConfig"]["TransSwitch"] = json!("OFF");
            }
            assert_eq!(SmartErase.check(&body), Ok(()), "without {name}");
            body["EraseSubtitleConfig"][name] = value;
            SmartErase.check(&body).unwrap_err().code.into_owned()
        };
        assert_eq!(refused("TransSwitch", json!("ON"), "OcrSwitch"), "InvalidParameterValue.TransSwitch");
        assert_eq!(
            refused("SubtitleEmbedId", json!(4), "TransSwitch"),
            "InvalidParameterValue.SubtitleEmbedId"
        );
        assert_eq!(
            refused("UseOriginalPos", json!(1), "TransSwitch"),
            "InvalidParameterValue.UseOriginalPos"
        );
        let mut body = subtitle();
        body["EraseSubtitleConfig"]["SubtitleEraseMethod"] = json!("custom");
        body["EraseSubtitleConfig"]["CustomAreas"] = json!([{"BeginMs": 0, "EndMs": 1, "Areas": [area()]}]);
        assert_eq!(SmartErase.check(&body).unwrap_err().code, "InvalidParameterValue.OcrSwitch");
    }

    #[test]
    fn each_type_has_its_own_member_and_no_other() {
        for (kind, member) in TYPES {
            let error = SmartErase.check(&json!({"EraseType": kind})).unwrap_err();
            assert_eq!(error.code, format!("InvalidParameterValue.{member}"));
        }
        let mut both = subtitle();
        both["ErasePrivacyConfig"] = privacy()["ErasePrivacyConfig"].clone();
        assert_eq!(SmartErase.check(&both).unwrap_err().code, "InvalidParameterValue.ErasePrivacyConfig");
    }

    #[test]
    fn another_type_brings_its_own_configuration() {
        let template = stored(&SmartErase, &subtitle());
        let changed = modify(&SmartErase, &template, &privacy()).unwrap();
        assert_eq!(changed.body, privacy());
        let error = modify(&SmartErase, &template, &json!({"EraseType": "privacy"})).unwrap_err();
        assert_eq!(error.code, "InvalidParameterValue.ErasePrivacyConfig");
    }

    #[test]
    fn areas_stay_until_they_are_cleared() {
        let mut body = subtitle();
        body["EraseSubtitleConfig"]["AutoAreas"] = json!([area()]);
        let template = stored(&SmartErase, &body);
        let areas = |patch: Value| {
            let patch = json!({"EraseSubtitleConfig": patch});
            modify(&SmartErase, &template, &patch).unwrap().body["EraseSubtitleConfig"]["AutoAreas"].clone()
        };
        assert_eq!(areas(json!({"SubtitleModel": "area"})), json!([area()]));
        assert_eq!(areas(json!({"AutoAreas": []})), json!([]));
    }
}
