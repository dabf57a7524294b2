//! Presets of pictures: snapshots, sprites, animated pictures; each list by falling number.
//!
//! Known from the documents: numbers, parameters and times of the three still kinds, numbers and parameters of the
//! animated ones. Ours, where the documents are silent: all names, and the times of the animated ones.

use serde_json::json;

use super::Preset;

/// Presets of snapshots at given times.
pub fn by_time_offset() -> Vec<Preset> {
    let body = json!({
        "Width": 0, "Height": 0, "ResolutionAdaptive": "open", "Format": "jpg", "FillType": "stretch",
    });
    vec![Preset::new(10, "JPG-SourceSize", "2017-10-26T10:36:51Z", body).updated("2019-07-25T22:22:55Z")]
}

/// Presets of snapshots taken again and again.
pub fn sampled() -> Vec<Preset> {
    let body = json!({
        "Width": 0, "Height": 0, "ResolutionAdaptive": "open", "Format": "jpg", "FillType": "stretch",
        "SampleType": "Percent", "SampleInterval": 10,
    });
    vec![Preset::new(10, "JPG-Every10Percent", "2017-10-26T18:34:44Z", body)]
}

/// Presets of sprites.
pub fn sprites() -> Vec<Preset> {
    let body = json!({
        "Width": 142, "Height": 80, "ResolutionAdaptive": "close", "Format": "jpg", "FillType": "stretch",
        "SampleType": "Time", "SampleInterval": 10, "RowCount": 10, "ColumnCount": 10,
    });
    vec![Preset::new(10, "JPG-10x10-Every10s", "2019-07-25T22:24:36Z", body)]
}

/// Presets of animated pictures.
pub fn animated() -> Vec<Preset> {
    const TIME: &str = "2019-07-25T22:24:36Z";
    let body = |format: &str, width: u32| {
        json!({
            "Width": width, "Height": 0, "ResolutionAdaptive": "close", "Format": format, "Fps": 2, "Quality": 75,
        })
    };
    vec![
        Preset::new(20_001, "WEBP-320-2fps", TIME, body("webp", 320)),
        Preset::new(20_000, "GIF-SourceSize-2fps", TIME, body("gif", 0)),
    ]
}

#[cfg(test)]
mod tests {
    use crate::templates::Family as _;
    use crate::templates::animated_graphics::AnimatedGraphics;
    use crate::templates::image_sprite::ImageSprite;
    use crate::templates::sample_snapshot::SampleSnapshot;
    use crate::templates::snapshot_by_time_offset::SnapshotByTimeOffset;
    use crate::templates::testing::check_presets;

    #[test]
    fn every_preset_keeps_the_rules() {
        check_presets(&SnapshotByTimeOffset);
        check_presets(&SampleSnapshot);
        check_presets(&AnimatedGraphics);
    }

    #[test]
    fn the_known_sprite_is_smaller_than_callers_may_ask_for() {
        let body = &super::sprites()[0].body;
        assert_eq!((&body["Width"], &body["Height"]), (&142.into(), &80.into()));
        assert_eq!(ImageSprite.check(body).unwrap_err().code, "InvalidParameterValue.Height");
    }
}
