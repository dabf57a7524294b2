//! Presets of content analysis, by falling number.
//!
//! Known from the documents: numbers, names and times of 10, 20, 22, 24, 26, 27 and 28 and what each is for; the
//! numbers 32, 33, 34 and 37. Ours, where they are silent: names and times of those four and of 25, which is 24 under
//! the number that newer documents have; that switches are OFF where a preset stands for a feature without a switch.

use serde_json::{Value, json};

use super::Preset;

/// Every preset.
pub fn all() -> Vec<Preset> {
    let feature = |definition: i64, created: &str, updated: &str| {
        let name = format!("Presetting-Template{definition}");
        Preset::new(definition, &name, created, switches(0)).updated(updated)
    };
    let (first, later) = ("2024-10-29T10:09:28+08:00", "2024-10-29T10:27:11+08:00");
    let removal = ("2023-12-07T10:06:55+08:00", "2024-10-14T10:43:10+08:00");
    let old = ("2017-01-01T00:00:00+08:00", "2021-01-18T11:20:44+08:00");
    vec![
        feature(37, first, later),
        feature(34, first, later),
        feature(33, first, later),
        feature(32, first, later),
        feature(28, "2024-09-10T15:41:13+08:00", "2024-09-11T15:35:45+08:00"),
        feature(27, first, later),
        feature(26, "2024-07-04T18:11:14+08:00", "2024-07-05T10:11:36+08:00"),
        feature(25, removal.0, removal.1),
        feature(24, removal.0, removal.1),
        feature(22, "2023-12-06T20:24:23+08:00", "2023-12-07T10:31:12+08:00"),
        Preset::new(20, "Presetting Template20", old.0, switches(4)).updated(old.1),
        Preset::new(10, "Presetting Template10", old.0, switches(3)).updated(old.1),
    ]
}

/// The four switches, the first `on` of them ON.
fn switches(on: usize) -> Value {
    let of = |at: usize| json!({"Switch": if at < on { "ON" } else { "OFF" }});
    json!({
        "ClassificationConfigure": of(0), "TagConfigure": of(1), "CoverConfigure": of(2),
        "FrameTagConfigure": of(3),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::ai_analysis::AiAnalysis;
    use crate::templates::testing::check_presets;

    #[test]
    fn every_preset_keeps_the_rules() {
        check_presets(&AiAnalysis);
    }

    #[test]
    fn the_known_ones_are_as_the_documents_print_them() {
        let find =
            |definition: i64| all().into_iter().find(|preset| preset.definition == definition).unwrap();
        assert_eq!(find(28).name, "Presetting-Template28");
        assert_eq!(find(28).update_time, "2024-09-11T15:35:45+08:00");
        assert_eq!(find(10).name, "Presetting Template10");
        assert_eq!(find(10).body["FrameTagConfigure"]["Switch"], "OFF");
        assert_eq!(find(20).body["FrameTagConfigure"]["Switch"], "ON");
        assert_eq!(find(26).body["CoverConfigure"]["Switch"], "OFF");
    }
}
