//! Presets of quality inspection, by falling number.
//!
//! Known from the documents: the numbers 10, 20, 30 and 40, what each looks for, and the names of 30 and 40. Ours,
//! where they are silent: the names of 10 and 20, and the times.

use serde_json::{Value, json};

use super::Preset;
use crate::templates::quality_control::{DETECTED, DIAGNOSED, RATED};

const TIME: &str = "2024-01-01T00:00:00+08:00";

/// Every preset.
pub fn all() -> Vec<Preset> {
    vec![
        Preset::new(40, "Picture Quality Detection", TIME, body(&[DETECTED])),
        Preset::new(30, "Quality Scoring", TIME, body(&[&["LowEvaluation"]])),
        Preset::new(20, "Container Diagnosis", TIME, body(&[DIAGNOSED])),
        Preset::new(10, "Full Inspection", TIME, body(&[DETECTED, RATED, DIAGNOSED])),
    ]
}

fn body(kinds: &[&[&str]]) -> Value {
    let item = |kind: &&str| json!({"Type": kind, "Switch": "ON"});
    json!({"QualityControlItemSet": kinds.iter().copied().flatten().map(item).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::quality_control::QualityControl;
    use crate::templates::testing::check_presets;

    #[test]
    fn every_preset_keeps_the_rules() {
        check_presets(&QualityControl);
        let count = |definition: i64| {
            let preset = all().into_iter().find(|preset| preset.definition == definition).unwrap();
            preset.body["QualityControlItemSet"].as_array().unwrap().len()
        };
        assert_eq!((count(30), count(40)), (1, 15));
        assert_eq!(count(10), count(20) + 15 + 4);
    }
}
