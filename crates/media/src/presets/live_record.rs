//! Presets of live recording, by falling number.
//!
//! Known from the documents: that there is one of HLS with pieces of 30 seconds and files of an hour. Ours, where they
//! are silent: its number 10, the preset 20 of MP4, all names and times.

use serde_json::json;

use super::Preset;

const TIME: &str = "2023-05-04T10:00:00Z";

/// Every preset.
pub fn all() -> Vec<Preset> {
    let hls = json!({"ItemDuration": 30, "Interval": 3600, "ContinueTimeout": 0});
    vec![
        Preset::new(20, "MP4-1h", TIME, json!({"MP4Configure": {"Interval": 3600}, "RecordType": "video"})),
        Preset::new(10, "HLS-30s-1h", TIME, json!({"HLSConfigure": hls, "RecordType": "video"})),
    ]
}

#[cfg(test)]
mod tests {
    use crate::templates::live_record::LiveRecord;
    use crate::templates::testing::check_presets;

    #[test]
    fn every_preset_keeps_the_rules() {
        check_presets(&LiveRecord);
    }
}
