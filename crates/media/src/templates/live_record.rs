//! Templates of live recording: pieces of HLS, or files of MP4.

use mps_wire::ApiError;
use mps_wire::codes;
use serde_json::{Value, json};

use super::rules::{Rule, whole, word, zero_or};
use super::{FIRST_OWN, Family, Template, listed, merge, merged, rules};
use crate::presets::{self, Preset};

/// The family.
#[derive(Debug, Clone, Copy)]
pub struct LiveRecord;

/// The two forms, of which a template has one.
const FORMS: [&str; 2] = ["HLSConfigure", "MP4Configure"];

const RULES: &[Rule] = &[
    whole("HLSConfigure.ItemDuration", 5, 30),
    whole("HLSConfigure.Interval", 600, 43_200),
    zero_or("HLSConfigure.ContinueTimeout", 60, 1800),
    whole("MP4Configure.Interval", 600, 43_200),
    word("RecordType", &["video", "audio", "auto"]),
];

impl Family for LiveRecord {
    fn name(&self) -> &'static str {
        "live_record"
    }

    fn first_definition(&self) -> i64 {
        FIRST_OWN
    }

    fn list_member(&self) -> &'static str {
        "LiveRecordTemplateSet"
    }

    fn presets(&self) -> Vec<Preset> {
        presets::live_record::all()
    }

    fn check(&self, body: &Value) -> Result<(), ApiError> {
        match FORMS.map(|form| body[form].is_object()) {
            [true, false] | [false, true] => rules::check(body, RULES),
            [true, true] => Err(codes::invalid_parameter_value(
                "HLSConfigure and MP4Configure are both given; a template records one form",
            )),
            [false, false] => {
                Err(codes::invalid_parameter_value("one of HLSConfigure and MP4Configure is required"))
            }
        }
    }

    /// The form that is named replaces the other one.
    fn change(&self, body: &mut Value, patch: &Value) {
        let named = FORMS.map(|form| patch[form].is_object());
        if let (Some(members), [hls, mp4]) = (body.as_object_mut(), named)
            && hls != mp4
        {
            members.remove(if hls { FORMS[1] } else { FORMS[0] });
        }
        merge(body, patch);
    }

    fn item(&self, template: &Template) -> Value {
        let usual = json!({"HLSConfigure": null, "MP4Configure": null, "RecordType": "video"});
        let mut item = listed(template, usual);
        let hls = json!({"ItemDuration": 30, "Interval": 3600, "ContinueTimeout": 0});
        for (form, usual) in FORMS.into_iter().zip([hls, json!({"Interval": 3600})]) {
            if item[form].is_object() {
                item[form] = merged(usual, &item[form]);
            }
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::modify;
    use crate::templates::testing::{check_cases, stored};

    #[test]
    fn each_member_has_its_range() {
        check_cases(
            &LiveRecord,
            &json!({"HLSConfigure": {}}),
            &[
                ("HLSConfigure/ItemDuration", &[json!(5), json!(30)], &[json!(4), json!(31)], ""),
                ("HLSConfigure/Interval", &[json!(600), json!(43_200)], &[json!(599), json!(43_201)], ""),
                (
                    "HLSConfigure/ContinueTimeout",
                    &[json!(0), json!(60), json!(1800)],
                    &[json!(59), json!(1801), json!(-1)],
                    "",
                ),
                ("RecordType", &[json!("audio"), json!("auto"), json!("")], &[json!("x")], ""),
            ],
        );
        check_cases(
            &LiveRecord,
            &json!({"MP4Configure": {}}),
            &[("MP4Configure/Interval", &[json!(600), json!(43_200)], &[json!(599), json!(43_201)], "")],
        );
    }

    #[test]
    fn a_template_records_one_form() {
        for body in [json!({}), json!({"HLSConfigure": {}, "MP4Configure": {}})] {
            assert_eq!(LiveRecord.check(&body).unwrap_err().code, "InvalidParameterValue", "{body}");
        }
    }

    #[test]
    fn the_form_can_be_changed() {
        let hls = stored(&LiveRecord, &json!({"HLSConfigure": {"ItemDuration": 10}}));
        let changed = modify(&LiveRecord, &hls, &json!({"MP4Configure": {"Interval": 600}})).unwrap();
        assert_eq!(changed.body, json!({"MP4Configure": {"Interval": 600}}));
        let changed = modify(&LiveRecord, &hls, &json!({"HLSConfigure": {"Interval": 600}})).unwrap();
        assert_eq!(changed.body, json!({"HLSConfigure": {"ItemDuration": 10, "Interval": 600}}));
        assert!(modify(&LiveRecord, &hls, &json!({"HLSConfigure": {}, "MP4Configure": {}})).is_err());
    }

    #[test]
    fn the_listing_shows_the_defaults_of_the_form() {
        let item = LiveRecord.item(&stored(&LiveRecord, &json!({"HLSConfigure": {}})));
        assert_eq!(item["HLSConfigure"], json!({"ItemDuration": 30, "Interval": 3600, "ContinueTimeout": 0}));
        assert_eq!((&item["MP4Configure"], &item["RecordType"]), (&Value::Null, &json!("video")));
    }
}
