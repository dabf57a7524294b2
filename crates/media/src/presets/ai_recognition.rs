//! Presets of content recognition, by falling number.
//!
//! Known from the documents: the record of 30 with its times; the numbers 10, 20, 10101 (Chinese speech) and 10103
//! (translation). Ours, where they are silent: the numbers 10102 and 10104, the direction of the translations, what
//! 10 and 20 look for, and names and times of all but 30.

use serde_json::{Value, json};

use super::Preset;

const TIME: &str = "2019-06-13T11:07:07+08:00";

/// Every preset.
pub fn all() -> Vec<Preset> {
    let mut thirty = Preset::new(30, "Presetting Template30", TIME, everything("UserDefine"))
        .updated("2020-01-06T08:21:46+08:00");
    "All kinds of recognition, with the account's own library of faces only".clone_into(&mut thirty.comment);
    vec![
        Preset::new(10_104, "Translation-en-zh", TIME, translation("en", "zh")),
        Preset::new(10_103, "Translation-zh-en", TIME, translation("zh", "en")),
        Preset::new(10_102, "Speech-en", TIME, speech("en")),
        Preset::new(10_101, "Speech-zh", TIME, speech("zh")),
        thirty,
        Preset::new(20, "Presetting Template20", TIME, everything("All")),
        Preset::new(10, "Presetting Template10", TIME, everything("Default")),
    ]
}

fn everything(library: &str) -> Value {
    let mut body = parts();
    body["FaceConfigure"] = json!({
        "Switch": "ON", "Score": 95, "FaceLibrary": library, "DefaultLibraryLabelSet": [],
        "UserDefineLibraryLabelSet": [],
    });
    for part in ["OcrFullTextConfigure", "OcrWordsConfigure", "AsrFullTextConfigure", "AsrWordsConfigure"] {
        body[part]["Switch"] = json!("ON");
    }
    body
}

fn speech(language: &str) -> Value {
    let mut body = parts();
    body["AsrFullTextConfigure"] =
        json!({"Switch": "ON", "SubtitleFormat": "vtt", "SourceLanguage": language});
    body
}

fn translation(from: &str, to: &str) -> Value {
    let mut body = parts();
    body["TranslateConfigure"] =
        json!({"Switch": "ON", "SourceLanguage": from, "DestinationLanguage": to, "SubtitleFormat": "vtt"});
    body
}

/// Everything off.
fn parts() -> Value {
    json!({
        "FaceConfigure": {"Switch": "OFF", "Score": 95, "FaceLibrary": "All"},
        "OcrFullTextConfigure": {"Switch": "OFF"},
        "OcrWordsConfigure": {"Switch": "OFF", "LabelSet": []},
        "AsrFullTextConfigure": {"Switch": "OFF", "SubtitleFormat": "vtt", "SourceLanguage": "zh"},
        "AsrWordsConfigure": {"Switch": "OFF", "LabelSet": []},
        "TranslateConfigure": {
            "Switch": "OFF", "SourceLanguage": "en", "DestinationLanguage": "zh", "SubtitleFormat": "vtt",
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::ai_recognition::AiRecognition;
    use crate::templates::testing::check_presets;

    #[test]
    fn every_preset_keeps_the_rules() {
        check_presets(&AiRecognition);
        let thirty = all().into_iter().find(|preset| preset.definition == 30).unwrap();
        assert_eq!(thirty.body["FaceConfigure"]["FaceLibrary"], "UserDefine");
        assert_eq!(thirty.body["TranslateConfigure"]["Switch"], "OFF");
    }
}
