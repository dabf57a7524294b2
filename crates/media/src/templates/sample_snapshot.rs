//! Templates of snapshots taken again and again.

use mps_wire::ApiError;
use serde_json::{Value, json};

use super::picture::{ADAPTIVE, FILL, HEIGHT, STILL, WIDTH, check_sampling, check_webp, usual_size};
use super::{FIRST_OWN, Family, Template, listed, merged, rules};
use crate::presets::{self, Preset};

/// The family.
#[derive(Debug, Clone, Copy)]
pub struct SampleSnapshot;

impl Family for SampleSnapshot {
    fn name(&self) -> &'static str {
        "sample_snapshot"
    }

    fn first_definition(&self) -> i64 {
        FIRST_OWN
    }

    fn list_member(&self) -> &'static str {
        "SampleSnapshotTemplateSet"
    }

    fn presets(&self) -> Vec<Preset> {
        presets::snapshots::sampled()
    }

    fn check(&self, body: &Value) -> Result<(), ApiError> {
        rules::check(body, &[WIDTH, HEIGHT, ADAPTIVE, STILL, FILL])?;
        check_webp(body)?;
        check_sampling(body)
    }

    fn item(&self, template: &Template) -> Value {
        listed(template, merged(usual_size(), &json!({"Format": "jpg", "FillType": "black"})))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::testing::check_cases;

    #[test]
    fn each_member_has_its_range() {
        check_cases(
            &SampleSnapshot,
            &json!({"SampleType": "Percent", "SampleInterval": 10}),
            &[
                ("Width", &[json!(0), json!(4096)], &[json!(4097)], "Width"),
                ("Format", &[json!("png")], &[json!("bmp")], "Format"),
                ("FillType", &[json!("gauss")], &[json!("blur")], "FillType"),
                ("SampleType", &[json!("Time")], &[json!("Frame"), json!("")], "SampleType"),
                ("SampleInterval", &[json!(1), json!(100)], &[json!(0), json!(101)], "SampleInterval"),
            ],
        );
    }
}
