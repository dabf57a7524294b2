//! Presets of subtitles, by falling number. All of them are known from the documents: the name is the Chinese one, the
//! alias the English one.

use serde_json::json;

use super::Preset;

const TIME: &str = "2025-02-11T15:41:29+08:00";

/// Number, name, alias, spoken language, type, language of the translation.
const ALL: &[(i64, &str, &str, &str, u32, &str)] = &[
    (
        212,
        "英文源视频-生成中英文字幕",
        "Generate_Chinese_And_English_Subtitle_For_English_Video",
        "en",
        2,
        "zh",
    ),
    (211, "英文源视频-生成中文字幕", "Generate_Chinese_Subtitle_For_English_Video", "en", 1, "zh"),
    (200, "英文源视频-生成英文字幕", "Generate_English_Subtitle_For_English_Video", "en", 0, "en"),
    (
        122,
        "中文源视频-生成中英文字幕",
        "Generate_Chinese_And_English_Subtitle_For_Chinese_Video",
        "zh",
        2,
        "en",
    ),
    (121, "中文源视频-生成英文字幕", "Generate_English_Subtitle_For_Chinese_Video", "zh", 1, "en"),
    (100, "中文源视频-生成中文字幕", "Generate_Chinese_Subtitle_For_Chinese_Video", "zh", 0, "en"),
];

/// Every preset.
pub fn all() -> Vec<Preset> {
    let preset = |&(definition, name, alias, spoken, kind, target): &(i64, &str, &str, &str, u32, &str)| {
        let body = json!({
            "VideoSrcLanguage": spoken, "SubtitleType": kind, "SubtitleFormat": "vtt", "ProcessType": 0,
            "TranslateSwitch": if kind == 0 { "OFF" } else { "ON" }, "TranslateDstLanguage": target,
            "AsrHotWordsConfigure": {"Switch": "OFF", "LibraryId": ""},
        });
        Preset::new(definition, name, TIME, body).alias(alias)
    };
    ALL.iter().map(preset).collect()
}

#[cfg(test)]
mod tests {
    use crate::templates::smart_subtitle::SmartSubtitle;
    use crate::templates::testing::check_presets;

    #[test]
    fn every_preset_keeps_the_rules() {
        check_presets(&SmartSubtitle);
    }
}
