//! Templates of invisible watermarks.

use mps_wire::ApiError;
use mps_wire::codes::value_of;
use serde_json::{Value, json};

use super::rules::{Rule, filled, text_at, word};
use super::{FIRST_OWN, Family, Template, listed, rules};
use crate::presets::Preset;

/// The family.
#[derive(Debug, Clone, Copy)]
pub struct BlindWatermark;

const RULES: &[Rule] = &[
    word("Type", &["blind-basic", "blind-nagra"]),
    filled("TextContent", 64),
    word("Strength", &["default", "stronger", "strongest"]),
];

impl Family for BlindWatermark {
    fn name(&self) -> &'static str {
        "blind_watermark"
    }

    fn first_definition(&self) -> i64 {
        FIRST_OWN
    }

    fn list_member(&self) -> &'static str {
        "BlindWatermarkTemplateSet"
    }

    /// No document names one.
    fn presets(&self) -> Vec<Preset> {
        Vec::new()
    }

    fn check(&self, body: &Value) -> Result<(), ApiError> {
        rules::check(body, RULES)?;
        if text_at(body, "Type").is_empty() {
            return Err(value_of("Type", "Type is empty; it must be blind-basic or blind-nagra"));
        }
        Ok(())
    }

    fn check_name(&self, name: &str) -> Result<(), ApiError> {
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        if name.chars().all(is_plain) {
            return Ok(());
        }
        Err(value_of("Name", format!("Name {name:?} may have letters, digits, `_`, `-` and `.` only")))
    }

    fn check_change(&self, before: &Value, patch: &Value) -> Result<(), ApiError> {
        if text_at(before, "Type") == "blind-nagra" && patch["TextContent"].is_string() {
            return Err(value_of(
                "TextContent",
                "TextContent of a blind-nagra template stays as it was made",
            ));
        }
        Ok(())
    }

    fn has_preset_filter(&self) -> bool {
        false
    }

    fn check_filters(&self, request: &Value) -> Result<(), ApiError> {
        rules::check(request, &RULES[..1])
    }

    fn passes(&self, template: &Template, request: &Value) -> bool {
        let wanted = text_at(request, "Type");
        wanted.is_empty() || wanted == text_at(&template.body, "Type")
    }

    fn item(&self, template: &Template) -> Value {
        let mut item = listed(template, json!({"Strength": "default"}));
        item["Type"] = template.body["Type"].clone();
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::testing::{check_cases, stored};
    use crate::templates::{create, modify};

    fn whole() -> Value {
        json!({"Type": "blind-basic", "TextContent": "mine"})
    }

    #[test]
    fn each_member_has_its_range() {
        check_cases(
            &BlindWatermark,
            &whole(),
            &[
                ("Type", &[json!("blind-nagra")], &[json!("nagra"), json!("")], "Type"),
                (
                    "TextContent",
                    &[json!("字".repeat(64))],
                    &[json!(""), json!("x".repeat(65))],
                    "TextContent",
                ),
                ("Strength", &[json!("default"), json!("strongest"), json!("")], &[json!("strong")], ""),
            ],
        );
    }

    #[test]
    fn names_have_letters_digits_and_three_signs() {
        let code = |name: &str| {
            let mut request = whole();
            request["Name"] = json!(name);
            create(&BlindWatermark, &request).err().map(|error| error.code.into_owned())
        };
        assert_eq!((code("水印_a-1.b"), code("")), (None, None));
        for name in ["a b", "a/b", "a<b"] {
            assert_eq!(code(name).as_deref(), Some("InvalidParameterValue.Name"), "{name}");
        }
    }

    #[test]
    fn the_text_of_one_type_stays() {
        let code = |kind: &str| {
            let mut body = whole();
            body["Type"] = json!(kind);
            let template = stored(&BlindWatermark, &body);
            modify(&BlindWatermark, &template, &json!({"TextContent": "new"}))
                .err()
                .map(|e| e.code.into_owned())
        };
        assert_eq!(code("blind-basic"), None);
        assert_eq!(code("blind-nagra").as_deref(), Some("InvalidParameterValue.TextContent"));
    }
}
