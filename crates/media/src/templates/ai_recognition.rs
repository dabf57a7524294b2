//! Templates of content recognition: faces, words on screen and in speech, translation.

use mps_wire::ApiError;
use mps_wire::codes::value_of;
use serde_json::{Value, json};

use super::languages::{check_spoken, check_targets};
use super::rules::{Rule, items, number, switch, text, text_at, word};
use super::{FIRST_OWN, Family, Template, listed, merged, rules};
use crate::presets::{self, Preset};

/// The family.
#[derive(Debug, Clone, Copy)]
pub struct AiRecognition;

const RULES: &[Rule] = &[
    switch("FaceConfigure.Switch"),
    number("FaceConfigure.Score", 0.0, 100.0).code("FaceScore"),
    word("FaceConfigure.DefaultLibraryLabelSet", &["entertainment", "sport", "politician"]),
    items("FaceConfigure.UserDefineLibraryLabelSet", 0, 100),
    text("FaceConfigure.UserDefineLibraryLabelSet", 16),
    word("FaceConfigure.FaceLibrary", &["Default", "UserDefine", "All"]),
    switch("OcrFullTextConfigure.Switch"),
    switch("OcrWordsConfigure.Switch"),
    items("OcrWordsConfigure.LabelSet", 0, 10),
    text("OcrWordsConfigure.LabelSet", 16),
    switch("AsrFullTextConfigure.Switch"),
    word("AsrFullTextConfigure.SubtitleFormat", &["vtt"]),
    switch("AsrWordsConfigure.Switch"),
    items("AsrWordsConfigure.LabelSet", 0, 10),
    text("AsrWordsConfigure.LabelSet", 16),
    switch("TranslateConfigure.Switch"),
    word("TranslateConfigure.SubtitleFormat", &["vtt"]),
];

/// All that a template has, in the order of the API.
const PARTS: &[&str] = &[
    "FaceConfigure",
    "OcrFullTextConfigure",
    "OcrWordsConfigure",
    "AsrFullTextConfigure",
    "AsrWordsConfigure",
    "TranslateConfigure",
];

impl Family for AiRecognition {
    fn name(&self) -> &'static str {
        "ai_recognition"
    }

    fn first_definition(&self) -> i64 {
        FIRST_OWN
    }

    fn list_member(&self) -> &'static str {
        "AIRecognitionTemplateSet"
    }

    fn most_per_page(&self) -> u64 {
        50
    }

    fn presets(&self) -> Vec<Preset> {
        presets::ai_recognition::all()
    }

    fn check(&self, body: &Value) -> Result<(), ApiError> {
        rules::check(body, RULES)?;
        for path in ["AsrFullTextConfigure.SourceLanguage", "TranslateConfigure.SourceLanguage"] {
            let language = text_at(body, path);
            if !language.is_empty() {
                check_spoken("SourceLanguage", path, language)?;
            }
        }
        let path = "TranslateConfigure.DestinationLanguage";
        let target = text_at(body, path);
        if !target.is_empty() {
            check_targets("DestinationLanguage", path, target)?;
        } else if text_at(body, "TranslateConfigure.Switch") == "ON" {
            return Err(value_of("DestinationLanguage", format!("{path} is required to translate")));
        }
        Ok(())
    }

    fn item(&self, template: &Template) -> Value {
        let mut item = listed(template, PARTS.iter().map(|part| (*part, Value::Null)).collect());
        if item["FaceConfigure"].is_object() {
            let face = item["FaceConfigure"].take();
            item["FaceConfigure"] = merged(json!({"Score": 95, "FaceLibrary": "All"}), &face);
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::testing::{check_cases, stored};

    fn whole() -> Value {
        json!({
            "FaceConfigure": {"Switch": "ON"},
            "OcrFullTextConfigure": {"Switch": "ON"},
            "OcrWordsConfigure": {"Switch": "ON"},
            "AsrFullTextConfigure": {"Switch": "ON"},
            "AsrWordsConfigure": {"Switch": "ON"},
            "TranslateConfigure": {"Switch": "ON", "SourceLanguage": "zh", "DestinationLanguage": "en"},
        })
    }

    #[test]
    fn each_member_has_its_range() {
        let labels = |count: usize, length: usize| json!(vec!["x".repeat(length); count]);
        let off = [json!("off")];
        check_cases(
            &AiRecognition,
            &whole(),
            &[
                ("FaceConfigure/Switch", &[json!("OFF")], &off, "Switch"),
                (
                    "FaceConfigure/Score",
                    &[json!(0), json!(99.5), json!(100)],
                    &[json!(-1), json!(100.5)],
                    "FaceScore",
                ),
                (
                    "FaceConfigure/DefaultLibraryLabelSet",
                    &[json!([]), json!(["sport", "entertainment"])],
                    &[json!(["sport", "music"])],
                    "DefaultLibraryLabelSet",
                ),
                (
                    "FaceConfigure/UserDefineLibraryLabelSet",
                    &[labels(100, 16)],
                    &[labels(101, 1), labels(1, 17)],
                    "UserDefineLibraryLabelSet",
                ),
                (
                    "FaceConfigure/FaceLibrary",
                    &[json!("All"), json!("Default")],
                    &[json!("None")],
                    "FaceLibrary",
                ),
                ("OcrFullTextConfigure/Switch", &[json!("OFF")], &off, "Switch"),
                (
                    "OcrWordsConfigure/LabelSet",
                    &[labels(10, 16)],
                    &[labels(11, 1), labels(1, 17)],
                    "LabelSet",
                ),
                (
                    "AsrWordsConfigure/LabelSet",
                    &[labels(10, 16)],
                    &[labels(11, 1), labels(1, 17)],
                    "LabelSet",
                ),
                (
                    "AsrFullTextConfigure/SubtitleFormat",
                    &[json!("vtt"), json!("")],
                    &[json!("srt")],
                    "SubtitleFormat",
                ),
                (
                    "AsrFullTextConfigure/SourceLanguage",
                    &[json!("zh"), json!("")],
                    &[json!("xx")],
                    "SourceLanguage",
                ),
                ("TranslateConfigure/SourceLanguage", &[json!("en")], &[json!("xx")], "SourceLanguage"),
                (
                    "TranslateConfigure/DestinationLanguage",
                    &[json!("ja")],
                    &[json!("xx"), json!(""), Value::Null],
                    "DestinationLanguage",
                ),
                ("TranslateConfigure/SubtitleFormat", &[json!("")], &[json!("srt")], "SubtitleFormat"),
            ],
        );
    }

    #[test]
    fn the_listing_shows_defaults_of_what_was_sent_and_nothing_else() {
        let item = AiRecognition.item(&stored(&AiRecognition, &json!({"FaceConfigure": {"Switch": "ON"}})));
        assert_eq!(item["FaceConfigure"], json!({"Switch": "ON", "Score": 95, "FaceLibrary": "All"}));
        assert_eq!((&item["AsrWordsConfigure"], &item["Type"]), (&Value::Null, &json!("Custom")));
    }
}
