//! Templates of snapshots at given times.

use mps_wire::ApiError;
use serde_json::{Value, json};

use super::picture::{ADAPTIVE, FILL, HEIGHT, STILL, WIDTH, check_webp, usual_size};
use super::{FIRST_OWN, Family, Template, listed, merged, rules};
use crate::presets::{self, Preset};

/// The family.
#[derive(Debug, Clone, Copy)]
pub struct SnapshotByTimeOffset;

impl Family for SnapshotByTimeOffset {
    fn name(&self) -> &'static str {
        "snapshot_by_time_offset"
    }

    fn first_definition(&self) -> i64 {
        FIRST_OWN
    }

    fn list_member(&self) -> &'static str {
        "SnapshotByTimeOffsetTemplateSet"
    }

    fn presets(&self) -> Vec<Preset> {
        presets::snapshots::by_time_offset()
    }

    fn check(&self, body: &Value) -> Result<(), ApiError> {
        rules::check(body, &[WIDTH, HEIGHT, ADAPTIVE, STILL, FILL])?;
        check_webp(body)
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
            &SnapshotByTimeOffset,
            &json!({}),
            &[
                ("Width", &[json!(0), json!(128), json!(4096)], &[json!(127), json!(4097)], "Width"),
                ("Height", &[json!(0), json!(128), json!(4096)], &[json!(1), json!(4097)], "Height"),
                (
                    "ResolutionAdaptive",
                    &[json!("open"), json!("close"), json!("")],
                    &[json!("yes")],
                    "ResolutionAdaptive",
                ),
                ("Format", &[json!("jpg"), json!("png")], &[json!("gif"), json!("JPG")], "Format"),
                (
                    "FillType",
                    &[json!("stretch"), json!("black"), json!("white"), json!("gauss")],
                    &[json!("smarttailor")],
                    "FillType",
                ),
            ],
        );
    }
}
