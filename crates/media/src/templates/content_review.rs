//! Templates of content review: what pictures, speech and text on screen are looked through for.

use mps_wire::ApiError;
use serde_json::{Value, json};

use super::rules::{self, Rule, items, switch, text, whole, word};
use super::{FIRST_OWN, Family, Template, listed, merged};
use crate::presets::{self, Preset};

/// The family.
#[derive(Debug, Clone, Copy)]
pub struct ContentReview;

/// A kind of review: configuration, part, scores from which a find is blocked and reviewed where none are sent.
type Kind = (&'static str, &'static str, u8, u8);

/// All kinds, in the order of the API.
pub(crate) const KINDS: &[Kind] = &[
    ("PornConfigure", "ImgReviewInfo", 90, 0),
    ("PornConfigure", "AsrReviewInfo", 100, 75),
    ("PornConfigure", "OcrReviewInfo", 100, 75),
    ("TerrorismConfigure", "ImgReviewInfo", 90, 80),
    ("TerrorismConfigure", "OcrReviewInfo", 100, 75),
    ("PoliticalConfigure", "ImgReviewInfo", 97, 95),
    ("PoliticalConfigure", "AsrReviewInfo", 100, 75),
    ("PoliticalConfigure", "OcrReviewInfo", 100, 75),
    ("ProhibitedConfigure", "AsrReviewInfo", 100, 75),
    ("ProhibitedConfigure", "OcrReviewInfo", 100, 75),
    ("UserDefineConfigure", "FaceReviewInfo", 97, 95),
    ("UserDefineConfigure", "AsrReviewInfo", 100, 75),
    ("UserDefineConfigure", "OcrReviewInfo", 100, 75),
];

/// Rules of each part, wherever it stands.
const PART: &[Rule] =
    &[switch("Switch"), whole("BlockConfidence", 0, 100), whole("ReviewConfidence", 0, 100)];
const OWN_LABELS: &[Rule] = &[items("LabelSet", 0, 10), text("LabelSet", 16)];
const LABELS: &[Rule] = &[
    word("PornConfigure.ImgReviewInfo.LabelSet", &["porn", "vulgar", "intimacy", "sexy"]),
    word(
        "TerrorismConfigure.ImgReviewInfo.LabelSet",
        &["guns", "crowd", "bloody", "police", "banners", "militant", "explosion", "terrorists"],
    ),
    word(
        "PoliticalConfigure.ImgReviewInfo.LabelSet",
        &[
            "violation_photo",
            "politician",
            "entertainment",
            "sport",
            "entrepreneur",
            "scholar",
            "celebrity",
            "military",
        ],
    ),
];

impl Family for ContentReview {
    fn name(&self) -> &'static str {
        "content_review"
    }

    fn first_definition(&self) -> i64 {
        FIRST_OWN
    }

    fn list_member(&self) -> &'static str {
        "ContentReviewTemplateSet"
    }

    fn most_per_page(&self) -> u64 {
        50
    }

    fn presets(&self) -> Vec<Preset> {
        presets::content_review::all()
    }

    fn check(&self, body: &Value) -> Result<(), ApiError> {
        for (configuration, part, ..) in KINDS {
            let given = &body[configuration][part];
            let own = if *configuration == "UserDefineConfigure" { OWN_LABELS } else { &[] };
            let checked = rules::check(given, PART).and_then(|()| rules::check(given, own));
            checked.map_err(|error| ApiError {
                message: format!("{configuration}.{part}.{}", error.message),
                ..error
            })?;
        }
        rules::check(body, LABELS)
    }

    fn item(&self, template: &Template) -> Value {
        let mut item = listed(template, KINDS.iter().map(|(part, ..)| (*part, Value::Null)).collect());
        for (configuration, part, block, review) in KINDS {
            let given = item[configuration].get_mut(part).filter(|given| given.is_object());
            let Some(given) = given else { continue };
            let usual = json!({"BlockConfidence": block, "ReviewConfidence": review});
            *given = merged(usual, given);
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::testing::{check_cases, stored};

    #[test]
    fn every_kind_has_the_same_ranges() {
        for (configuration, part, ..) in KINDS {
            let whole = json!({*configuration: {*part: {"Switch": "ON"}}});
            let path = |member: &str| format!("{configuration}/{part}/{member}");
            let scores = [json!(0), json!(100)];
            let beyond = [json!(-1), json!(101)];
            check_cases(
                &ContentReview,
                &whole,
                &[
                    (&path("Switch"), &[json!("OFF")], &[json!("on")], "Switch"),
                    (&path("BlockConfidence"), &scores, &beyond, "BlockConfidence"),
                    (&path("ReviewConfidence"), &scores, &beyond, "ReviewConfidence"),
                ],
            );
        }
    }

    #[test]
    fn labels_are_known_or_short() {
        let on = |configuration: &str, part: &str| json!({configuration: {part: {"Switch": "ON"}}});
        for (configuration, good, bad) in [
            ("PornConfigure", "sexy", "guns"),
            ("TerrorismConfigure", "guns", "sexy"),
            ("PoliticalConfigure", "violation_photo", "guns"),
        ] {
            check_cases(
                &ContentReview,
                &on(configuration, "ImgReviewInfo"),
                &[(
                    &format!("{configuration}/ImgReviewInfo/LabelSet"),
                    &[json!([]), json!([good])],
                    &[json!([good, bad])],
                    "LabelSet",
                )],
            );
        }
        let (ten, eleven) = (vec!["x".repeat(16); 10], vec!["x"; 11]);
        check_cases(
            &ContentReview,
            &on("UserDefineConfigure", "FaceReviewInfo"),
            &[(
                "UserDefineConfigure/FaceReviewInfo/LabelSet",
                &[json!(ten)],
                &[json!(eleven), json!(["x".repeat(17)])],
                "LabelSet",
            )],
        );
    }

    #[test]
    fn the_listing_shows_the_scores_of_what_was_sent() {
        let body = json!({"PoliticalConfigure": {"ImgReviewInfo": {"Switch": "ON", "BlockConfidence": 50}}});
        let item = ContentReview.item(&stored(&ContentReview, &body));
        let part = json!({"Switch": "ON", "BlockConfidence": 50, "ReviewConfidence": 95});
        assert_eq!(item["PoliticalConfigure"], json!({"ImgReviewInfo": part}));
        assert_eq!(item["PornConfigure"], Value::Null);
    }
}
