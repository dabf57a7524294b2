//! Templates of image sprites: many small pictures on few large sheets.

use mps_wire::ApiError;
use serde_json::{Value, json};

use super::picture::{ADAPTIVE, HEIGHT, STILL, WIDTH, check_sampling, check_webp, usual_size};
use super::rules::{Rule, whole, word};
use super::{FIRST_OWN, Family, Template, listed, merged, rules};
use crate::presets::{self, Preset};

/// The family.
#[derive(Debug, Clone, Copy)]
pub struct ImageSprite;

/// The API names no bound; a sheet of more pictures could not be held in memory.
const MOST_IN_LINE: i64 = 100;
/// Of a sheet only these fillings are known to the API.
const FILL: Rule = word("FillType", &["stretch", "black"]);

impl Family for ImageSprite {
    fn name(&self) -> &'static str {
        "image_sprite"
    }

    fn first_definition(&self) -> i64 {
        FIRST_OWN
    }

    fn list_member(&self) -> &'static str {
        "ImageSpriteTemplateSet"
    }

    fn presets(&self) -> Vec<Preset> {
        presets::snapshots::sprites()
    }

    fn check(&self, body: &Value) -> Result<(), ApiError> {
        let lines = [whole("RowCount", 1, MOST_IN_LINE), whole("ColumnCount", 1, MOST_IN_LINE)];
        rules::check(body, &[WIDTH, HEIGHT, ADAPTIVE, STILL, FILL])?;
        rules::check(body, &lines)?;
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
        let whole = json!({"SampleType": "Time", "SampleInterval": 10, "RowCount": 10, "ColumnCount": 10});
        check_cases(
            &ImageSprite,
            &whole,
            &[
                ("Width", &[json!(0), json!(128)], &[json!(127)], "Width"),
                ("Format", &[json!("png"), json!("jpg")], &[json!("gif")], "Format"),
                (
                    "FillType",
                    &[json!("stretch"), json!("black")],
                    &[json!("white"), json!("gauss")],
                    "FillType",
                ),
                ("RowCount", &[json!(1), json!(100)], &[json!(0), json!(101)], "RowCount"),
                ("ColumnCount", &[json!(1), json!(100)], &[json!(0), json!(101)], "ColumnCount"),
                ("SampleInterval", &[json!(1)], &[json!(0)], "SampleInterval"),
            ],
        );
    }
}
