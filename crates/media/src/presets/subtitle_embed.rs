//! Presets of burnt-in subtitles, by falling number.
//!
//! Known from the documents: the record of 4, and that there is an `AutoFont-NoBackground-SmallSize`. Ours, where they
//! are silent: the numbers 1 to 3, and what a small size is.

use serde_json::{Value, json};

use super::Preset;

const TIME: &str = "2026-03-17T15:06:16+08:00";

/// Every preset.
pub fn all() -> Vec<Preset> {
    let preset = |definition: i64, has_board: bool, is_large: bool| {
        let board = if has_board { "Background" } else { "NoBackground" };
        let size = if is_large { "LargeSize" } else { "SmallSize" };
        let name = format!("AutoFont-{board}-{size}");
        let chinese = format!(
            "自动字体-{}底{}字幕",
            if has_board { "有" } else { "无" },
            if is_large { "大" } else { "小" }
        );
        Preset::new(definition, &chinese, TIME, body(has_board, is_large)).alias(&name)
    };
    vec![preset(4, true, true), preset(3, true, false), preset(2, false, true), preset(1, false, false)]
}

fn body(has_board: bool, is_large: bool) -> Value {
    let (size, y) = if is_large { (10, 13) } else { (5, 4) };
    let (board_y, board_height) = if is_large { (10, 30) } else { (2, 15) };
    let board = json!({
        "SubtitleBoardConfigSwitch": u32::from(has_board), "BoardX": 0, "BoardXUnit": 0, "BoardY": board_y,
        "BoardYUnit": 1, "BoardWidth": 90, "BoardWidthUnit": 1, "BoardHeight": board_height,
        "BoardHeightUnit": 1, "BoardColor": "0x000000", "BoardAlpha": 1,
    });
    json!({"SubtitleEmbedConfig": {
        "FontType": "auto", "FontSize": size, "FontSizeUnit": 1, "FontColor": "0xFFFFFF", "FontAlpha": 1,
        "PosX": 0, "PosXUnit": 1, "PosY": y, "PosYUnit": 1,
        "SubtitleBoardConfig": board,
        "SubtitleOutlineConfig": {
            "SubtitleOutlineConfigSwitch": 1, "OutlineWidth": 1, "OutlineWidthUnit": 0,
            "OutlineColor": "0x000000", "OutlineAlpha": 1,
        },
        "SubtitleShadowConfig": {"SubtitleShadowConfigSwitch": 0},
        "SubtitleLayoutConfig": {"SubtitleLayoutConfigSwitch": 0},
    }})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::subtitle_embed::SubtitleEmbed;
    use crate::templates::testing::check_presets;

    #[test]
    fn every_preset_keeps_the_rules() {
        check_presets(&SubtitleEmbed);
        let names: Vec<_> = all().into_iter().map(|preset| preset.alias).collect();
        assert_eq!(names[0], "AutoFont-Background-LargeSize");
        assert_eq!(names[3], "AutoFont-NoBackground-SmallSize");
    }
}
