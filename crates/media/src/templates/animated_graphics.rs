//! Templates of animated pictures.

use mps_wire::ApiError;
use serde_json::{Value, json};

use super::picture::{ADAPTIVE, HEIGHT, WIDTH, check_webp, usual_size};
use super::rules::{number, whole, word};
use super::{FIRST_OWN, Family, Template, listed, merged, rules};
use crate::presets::{self, Preset};

/// The family.
#[derive(Debug, Clone, Copy)]
pub struct AnimatedGraphics;

impl Family for AnimatedGraphics {
    fn name(&self) -> &'static str {
        "animated_graphics"
    }

    fn first_definition(&self) -> i64 {
        FIRST_OWN
    }

    fn list_member(&self) -> &'static str {
        "AnimatedGraphicsTemplateSet"
    }

    fn presets(&self) -> Vec<Preset> {
        presets::snapshots::animated()
    }

    fn check(&self, body: &Value) -> Result<(), ApiError> {
        let format = word("Format", &["gif", "webp"]);
        rules::check(body, &[WIDTH, HEIGHT, ADAPTIVE, format, whole("Fps", 1, 30)])?;
        rules::check(body, &[number("Quality", 1.0, 100.0)])?;
        check_webp(body)
    }

    fn item(&self, template: &Template) -> Value {
        listed(template, merged(usual_size(), &json!({"Format": "gif", "Quality": 75})))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::testing::check_cases;

    #[test]
    fn each_member_has_its_range() {
        check_cases(
            &AnimatedGraphics,
            &json!({"Fps": 2}),
            &[
                ("Width", &[json!(0), json!(4096)], &[json!(4097)], "Width"),
                ("Format", &[json!("gif")], &[json!("jpg"), json!("apng")], "Format"),
                ("Fps", &[json!(1), json!(30)], &[json!(0), json!(31)], "Fps"),
                ("Quality", &[json!(1), json!(99.5), json!(100)], &[json!(0.9), json!(100.1)], "Quality"),
            ],
        );
    }
}
