//! Presets of content review.
//!
//! Known from the documents: the number 10 and that every switch is on. Ours, where they are silent: its name and
//! time, and its scores, which are the API's defaults.

use serde_json::{Value, json};

use super::Preset;
use crate::templates::content_review::KINDS;

/// Every preset.
pub fn all() -> Vec<Preset> {
    let mut body = json!({});
    for (configuration, part, block, review) in KINDS {
        let mut on = json!({"Switch": "ON", "BlockConfidence": block, "ReviewConfidence": review});
        if *part == "ImgReviewInfo" || *configuration == "UserDefineConfigure" {
            on["LabelSet"] = Value::Array(Vec::new());
        }
        body[configuration][part] = on;
    }
    vec![Preset::new(10, "Presetting Template10", "2019-06-13T11:07:07+08:00", body)]
}

#[cfg(test)]
mod tests {
    use crate::templates::content_review::ContentReview;
    use crate::templates::testing::check_presets;

    #[test]
    fn every_preset_keeps_the_rules() {
        check_presets(&ContentReview);
    }
}
