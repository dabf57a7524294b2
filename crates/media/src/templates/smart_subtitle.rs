//! Templates of subtitles: from speech, from other subtitles, or from text on screen.

use mps_wire::ApiError;
use mps_wire::codes::{self, value_of};
use serde_json::{Value, json};

use super::areas::check_areas;
use super::languages::{check_spoken, check_targets};
use super::rules::{Rule, flag, is_given, text_at, whole, word};
use super::{FIRST_OWN, Family, Need, Template, asr_hotwords, listed, rules, subtitle_embed};
use crate::presets::{self, Preset};

/// The family.
#[derive(Debug, Clone, Copy)]
pub struct SmartSubtitle;

/// What subtitles are made from.
#[derive(Clone, Copy, PartialEq)]
enum From {
    Speech,
    Subtitles,
    Screen,
}

const RULES: &[Rule] = &[
    whole("ProcessType", 0, 2),
    whole("SubtitleType", 0, 2),
    word("SubtitleFormat", &["vtt", "srt", "original"]),
    word("TranslateSwitch", &["ON", "OFF"]),
    word("AsrHotWordsConfigure.Switch", &["ON", "OFF"]).code("AsrHotWordsSwitch"),
    flag("SpeakerMode"),
    flag("SpeakerLabel"),
];

impl Family for SmartSubtitle {
    fn name(&self) -> &'static str {
        "smart_subtitle"
    }

    fn first_definition(&self) -> i64 {
        FIRST_OWN
    }

    fn list_member(&self) -> &'static str {
        "SmartSubtitleTemplateSet"
    }

    fn presets(&self) -> Vec<Preset> {
        presets::smart_subtitle::all()
    }

    fn check(&self, body: &Value) -> Result<(), ApiError> {
        rules::check(body, RULES)?;
        let from = match body["ProcessType"].as_u64().unwrap_or(0) {
            1 => From::Subtitles,
            2 => From::Screen,
            _ => From::Speech,
        };
        check_source(from, text_at(body, "VideoSrcLanguage"))?;
        let targets = check_translation(from, body)?;
        check_format(from, body, targets)?;
        check_extras(from, body, targets)
    }

    fn needs(&self, body: &Value) -> Vec<Need> {
        let embed = subtitle_embed::need(&body["SubtitleEmbedId"]);
        embed.into_iter().chain(asr_hotwords::need(&body["AsrHotWordsConfigure"])).collect()
    }

    fn check_filters(&self, request: &Value) -> Result<(), ApiError> {
        rules::check(request, &RULES[..1])
    }

    fn passes(&self, template: &Template, request: &Value) -> bool {
        let kind = |value: &Value| value.as_u64().unwrap_or(0);
        request["ProcessType"].is_null()
            || kind(&request["ProcessType"]) == kind(&template.body["ProcessType"])
    }

    fn item(&self, template: &Template) -> Value {
        let mut item = listed(
            template,
            json!({
                "AsrHotWordsConfigure": null, "AsrHotWordsLibraryName": null, "SubtitleFormat": "",
                "TranslateSwitch": if template.body["ProcessType"] == 1 { "ON" } else { "OFF" },
                "TranslateDstLanguage": null, "ProcessType": 0, "SelectingSubtitleAreasConfig": null,
                "SubtitleEmbedId": 0, "SpeakerMode": 0, "SpeakerLabel": 0,
            }),
        );
        item["AliasName"] = Value::from(template.alias.as_str());
        item
    }
}

fn check_source(from: From, language: &str) -> Result<(), ApiError> {
    match from {
        From::Screen if matches!(language, "zh_en" | "multi") => Ok(()),
        From::Screen => Err(value_of(
            "VideoSrcLanguage",
            format!("VideoSrcLanguage is {language:?}; of text on screen it must be zh_en or multi"),
        )),
        From::Speech | From::Subtitles => check_spoken("VideoSrcLanguage", "VideoSrcLanguage", language),
    }
}

/// Checks the switch, the type that goes with it and the languages; tells how many are translated into.
fn check_translation(from: From, body: &Value) -> Result<usize, ApiError> {
    let is_on = match (text_at(body, "TranslateSwitch"), from) {
        ("ON", _) => true,
        ("", From::Subtitles) if body["TranslateSwitch"].is_null() => true,
        (_, From::Subtitles) => {
            let told = "TranslateSwitch must be ON where subtitles are only translated";
            return Err(value_of("TranslateSwitch", told));
        }
        _ => false,
    };
    let kind = body["SubtitleType"].as_i64().unwrap_or_default();
    if is_on != (kind != 0) {
        let wanted = if is_on { "1 or 2 with" } else { "0 without" };
        let told = format!("SubtitleType is {kind}; it must be {wanted} translation");
        return Err(value_of("SubtitleType", told));
    }
    let words = text_at(body, "TranslateDstLanguage");
    if words.is_empty() && !is_on {
        return Ok(0);
    }
    let count = check_targets("TranslateDstLanguage", "TranslateDstLanguage", words)?;
    Ok(if is_on { count } else { 0 })
}

fn check_format(from: From, body: &Value, targets: usize) -> Result<(), ApiError> {
    let format = text_at(body, "SubtitleFormat");
    let is_good = match (from, format) {
        (From::Speech, "") => targets < 2,
        (From::Screen, "") => embed_id(body) != 0,
        (From::Subtitles, "") | (From::Speech | From::Screen, "original") => false,
        _ => true,
    };
    if is_good {
        return Ok(());
    }
    let wanted = match from {
        From::Speech => "vtt or srt; without a file there can be one translation at most",
        From::Subtitles => "original, vtt or srt where subtitles are only translated",
        From::Screen => "vtt or srt; it can be empty only where subtitles are burnt in",
    };
    Err(value_of("SubtitleFormat", format!("SubtitleFormat is {format:?}; it must be {wanted}")))
}

fn check_extras(from: From, body: &Value, targets: usize) -> Result<(), ApiError> {
    let words = &body["AsrHotWordsConfigure"];
    let has_words = text_at(words, "Switch") == "ON";
    if has_words && from != From::Speech {
        let told = "AsrHotWordsConfigure goes with the recognition of speech only";
        return Err(codes::invalid_parameter_value_asr_hot_words_configure(told));
    }
    if has_words && text_at(words, "LibraryId").is_empty() {
        let told = "AsrHotWordsConfigure.LibraryId is required where the switch is ON";
        return Err(codes::invalid_parameter_value_asr_hot_words_library_id(told));
    }
    if embed_id(body) != 0 && (from == From::Subtitles || targets > 1) {
        let told = "SubtitleEmbedId goes with speech or text on screen, and with one translation at most";
        return Err(value_of("SubtitleEmbedId", told));
    }
    if body["SpeakerLabel"] == 1 && body["SpeakerMode"] != 1 {
        return Err(value_of("SpeakerLabel", "SpeakerLabel needs SpeakerMode 1"));
    }
    let areas = &body["SelectingSubtitleAreasConfig"];
    if is_given(areas) && from != From::Screen {
        let told = "SelectingSubtitleAreasConfig goes with text on screen only (ProcessType 2)";
        return Err(value_of("SelectingSubtitleAreasConfig", told));
    }
    check_areas("AutoAreas", "SelectingSubtitleAreasConfig.AutoAreas", &areas["AutoAreas"])
}

fn embed_id(body: &Value) -> i64 {
    body["SubtitleEmbedId"].as_i64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::testing::{check_cases, stored};

    fn plain() -> Value {
        json!({"VideoSrcLanguage": "zh", "SubtitleType": 0, "SubtitleFormat": "vtt"})
    }

    fn translated() -> Value {
        json!({
            "VideoSrcLanguage": "zh", "SubtitleType": 2, "SubtitleFormat": "vtt", "TranslateSwitch": "ON",
            "TranslateDstLanguage": "en",
        })
    }

    #[test]
    fn each_member_has_its_range() {
        check_cases(
            &SmartSubtitle,
            &plain(),
            &[
                (
                    "VideoSrcLanguage",
                    &[json!("auto"), json!("yue"), json!("zh_dialect")],
                    &[json!("xx"), json!("")],
                    "VideoSrcLanguage",
                ),
                ("SubtitleType", &[json!(0)], &[json!(1), json!(2), json!(3)], "SubtitleType"),
                (
                    "SubtitleFormat",
                    &[json!("srt"), json!("")],
                    &[json!("original"), json!("ass")],
                    "SubtitleFormat",
                ),
                ("TranslateSwitch", &[json!("OFF"), json!("")], &[json!("on")], "TranslateSwitch"),
                ("TranslateDstLanguage", &[json!("en"), json!("")], &[json!("xx")], "TranslateDstLanguage"),
                ("ProcessType", &[json!(0)], &[json!(3)], ""),
                ("SpeakerMode", &[json!(0), json!(1)], &[json!(2)], ""),
                ("SpeakerLabel", &[json!(0)], &[json!(1), json!(2)], ""),
            ],
        );
        check_cases(
            &SmartSubtitle,
            &translated(),
            &[
                ("SubtitleType", &[json!(1), json!(2)], &[json!(0)], "SubtitleType"),
                (
                    "TranslateDstLanguage",
                    &[json!("en/ja"), json!("zh-TW")],
                    &[json!(""), json!("auto"), Value::Null],
                    "TranslateDstLanguage",
                ),
            ],
        );
    }

    #[test]
    fn a_label_needs_the_recognition_of_speakers() {
        let mut body = plain();
        body["SpeakerMode"] = json!(1);
        body["SpeakerLabel"] = json!(1);
        assert_eq!(SmartSubtitle.check(&body), Ok(()));
    }

    #[test]
    fn several_languages_need_a_file_and_cannot_be_burnt_in() {
        let several = crate::templates::testing::with(&translated(), "TranslateDstLanguage", &json!("en/ja"));
        check_cases(
            &SmartSubtitle,
            &several,
            &[
                ("SubtitleFormat", &[json!("srt")], &[json!(""), Value::Null], "SubtitleFormat"),
                ("SubtitleEmbedId", &[json!(0)], &[json!(4)], "SubtitleEmbedId"),
            ],
        );
    }

    #[test]
    fn subtitles_alone_are_always_translated() {
        let body = json!({
            "ProcessType": 1, "VideoSrcLanguage": "en", "SubtitleType": 1, "SubtitleFormat": "original",
            "TranslateDstLanguage": "zh",
        });
        check_cases(
            &SmartSubtitle,
            &body,
            &[
                ("TranslateSwitch", &[json!("ON")], &[json!("OFF"), json!("")], "TranslateSwitch"),
                (
                    "SubtitleFormat",
                    &[json!("vtt"), json!("srt")],
                    &[json!(""), Value::Null],
                    "SubtitleFormat",
                ),
                ("SubtitleEmbedId", &[], &[json!(4)], "SubtitleEmbedId"),
            ],
        );
        assert_eq!(SmartSubtitle.item(&stored(&SmartSubtitle, &with_name(&body)))["TranslateSwitch"], "ON");
    }

    fn with_name(body: &Value) -> Value {
        crate::templates::testing::with(body, "Name", &json!("n"))
    }

    #[test]
    fn text_on_screen_has_languages_and_areas_of_its_own() {
        let area = json!({"LeftTopX": 0, "LeftTopY": 0.5, "RightBottomX": 1, "RightBottomY": 1, "Unit": 1});
        let body = json!({
            "ProcessType": 2, "VideoSrcLanguage": "zh_en", "SubtitleType": 0, "SubtitleFormat": "vtt",
            "SelectingSubtitleAreasConfig": {"AutoAreas": [area], "SampleWidth": 1920},
        });
        check_cases(
            &SmartSubtitle,
            &body,
            &[
                ("VideoSrcLanguage", &[json!("multi")], &[json!("zh"), json!("auto")], "VideoSrcLanguage"),
                ("SubtitleFormat", &[json!("srt")], &[json!(""), json!("original")], "SubtitleFormat"),
                ("SelectingSubtitleAreasConfig/AutoAreas/0/Unit", &[], &[json!(3)], "AutoAreas"),
            ],
        );
        let mut burnt = body.clone();
        burnt["SubtitleFormat"] = json!("");
        burnt["SubtitleEmbedId"] = json!(4);
        assert_eq!(SmartSubtitle.check(&burnt), Ok(()));
        let speech = crate::templates::testing::with(&body, "ProcessType", &json!(0));
        assert!(SmartSubtitle.check(&speech).unwrap_err().message.contains("SelectingSubtitleAreasConfig"));
    }

    #[test]
    fn hotwords_go_with_speech_and_name_their_library() {
        let mut body = plain();
        let code = |body: &Value| SmartSubtitle.check(body).err().map(|error| error.code.into_owned());
        body["AsrHotWordsConfigure"] = json!({"Switch": "ON", "LibraryId": "hwd-5"});
        assert_eq!(code(&body), None);
        let needs = SmartSubtitle.needs(&body);
        assert_eq!((needs.len(), needs[0].definition), (1, 5));
        assert_eq!(needs[0].absent.code, "InvalidParameterValue.HotWordsNotExist");
        body["AsrHotWordsConfigure"] = json!({"Switch": "ON"});
        assert_eq!(code(&body).as_deref(), Some("InvalidParameterValue.AsrHotWordsLibraryId"));
        body["AsrHotWordsConfigure"] = json!({"Switch": "yes"});
        assert_eq!(code(&body).as_deref(), Some("InvalidParameterValue.AsrHotWordsSwitch"));
        body["AsrHotWordsConfigure"] = json!({"Switch": "OFF"});
        assert_eq!(code(&body), None);
        assert!(SmartSubtitle.needs(&body).is_empty());
    }

    #[test]
    fn a_style_of_its_own_must_be_there_and_a_preset_always_is() {
        let needs = |id: i64| {
            let mut body = plain();
            body["SubtitleEmbedId"] = json!(id);
            SmartSubtitle.needs(&body).iter().map(|need| need.definition).collect::<Vec<_>>()
        };
        assert_eq!((needs(0), needs(4), needs(200_007)), (vec![], vec![], vec![200_007]));
    }
}
