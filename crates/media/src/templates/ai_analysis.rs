//! Templates of content analysis: four switches. The features of the newer presets have no switch; they are told by
//! the number.

use mps_wire::ApiError;
use serde_json::{Value, json};

use super::rules::{Rule, switch};
use super::{FIRST_OWN, Family, Template, listed, rules};
use crate::presets::{self, Preset};

/// The family.
#[derive(Debug, Clone, Copy)]
pub struct AiAnalysis;

const RULES: &[Rule] = &[
    // The vendor's spelling of the code.
    switch("ClassificationConfigure.Switch").code("ClassifcationConfigure"),
    switch("TagConfigure.Switch").code("TagConfigure"),
    switch("CoverConfigure.Switch").code("CoverConfigure"),
    switch("FrameTagConfigure.Switch").code("FrameTagConfigure"),
];

impl Family for AiAnalysis {
    fn name(&self) -> &'static str {
        "ai_analysis"
    }

    fn first_definition(&self) -> i64 {
        FIRST_OWN
    }

    fn list_member(&self) -> &'static str {
        "AIAnalysisTemplateSet"
    }

    fn presets(&self) -> Vec<Preset> {
        presets::ai_analysis::all()
    }

    fn check(&self, body: &Value) -> Result<(), ApiError> {
        rules::check(body, RULES)
    }

    fn item(&self, template: &Template) -> Value {
        let usual = json!({
            "ClassificationConfigure": null, "TagConfigure": null, "CoverConfigure": null,
            "FrameTagConfigure": null,
        });
        listed(template, usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::testing::check_cases;

    #[test]
    fn switches_are_on_or_off() {
        let on = json!({"Switch": "ON"});
        let whole = json!({
            "ClassificationConfigure": on, "TagConfigure": on, "CoverConfigure": on, "FrameTagConfigure": on,
        });
        let (good, bad) = ([json!("ON"), json!("OFF")], [json!("on"), json!("YES")]);
        check_cases(
            &AiAnalysis,
            &whole,
            &[
                ("ClassificationConfigure/Switch", &good, &bad, "ClassifcationConfigure"),
                ("TagConfigure/Switch", &good, &bad, "TagConfigure"),
                ("CoverConfigure/Switch", &good, &bad, "CoverConfigure"),
                ("FrameTagConfigure/Switch", &good, &bad, "FrameTagConfigure"),
            ],
        );
        check_cases(&AiAnalysis, &json!({}), &[]);
    }
}
