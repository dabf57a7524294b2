//! Presets of erasing, by falling number. All of them are known from the documents: the name is the Chinese one, the
//! alias the English one.

use serde_json::{Value, json};

use super::Preset;

const TIME: &str = "2025-07-15T10:51:04+08:00";
const UPDATED: &str = "2025-07-15T18:36:53+08:00";

/// Every preset.
pub fn all() -> Vec<Preset> {
    let preset = |definition: i64, name: &str, alias: &str, body: Value| {
        Preset::new(definition, name, TIME, body).alias(alias)
    };
    let reading = "SubtitleRemovalAndOCRExtractSubtitles";
    let translating = "SubtitleRemoval_OCRExtractSubtitlesAndTranslateToEnglish";
    vec![
        preset(302, "人脸和车牌模糊", "FaceAndLicensePlateBlur", privacy(&["plate", "face"])),
        preset(301, "人脸模糊", "FaceBlur", privacy(&["face"])),
        preset(
            201,
            "去水印-高级版",
            "WatermarkRemoval-AdvancedVersion",
            json!({
                "EraseType": "watermark",
                "EraseWatermarkConfig": {"WatermarkEraseMethod": "auto", "WatermarkModel": "advanced"},
            }),
        ),
        preset(103, "去字幕_OCR提取字幕并翻译为英文", translating, subtitle("ON", "ON")).updated(UPDATED),
        preset(102, "去字幕_OCR提取字幕", reading, subtitle("ON", "OFF")).updated(UPDATED),
        preset(101, "去字幕", "SubtitleRemoval", subtitle("OFF", "OFF")),
    ]
}

fn subtitle(ocr: &str, translation: &str) -> Value {
    let mut config = json!({
        "SubtitleEraseMethod": "auto", "SubtitleModel": "standard", "OcrSwitch": ocr, "TransSwitch": translation,
    });
    if ocr == "ON" {
        config["SubtitleLang"] = json!("zh_en");
        config["SubtitleFormat"] = json!("vtt");
    }
    if translation == "ON" {
        config["TransDstLang"] = json!("en");
    }
    json!({"EraseType": "subtitle", "EraseSubtitleConfig": config})
}

fn privacy(targets: &[&str]) -> Value {
    json!({"EraseType": "privacy", "ErasePrivacyConfig": {"PrivacyModel": "blur", "PrivacyTargets": targets}})
}

#[cfg(test)]
mod tests {
    use crate::templates::smart_erase::SmartErase;
    use crate::templates::testing::check_presets;

    #[test]
    fn every_preset_keeps_the_rules() {
        check_presets(&SmartErase);
    }
}
