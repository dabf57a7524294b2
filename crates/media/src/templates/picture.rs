//! What the families of pictures share: sizes, formats, fillings, and when pictures are taken.

use mps_wire::ApiError;
use mps_wire::codes::{self, value_of};
use serde_json::{Value, json};

use super::rules::{Rule, word, zero_or};

/// Width and height of a picture.
pub(super) const WIDTH: Rule = zero_or("Width", 128, 4096);
pub(super) const HEIGHT: Rule = zero_or("Height", 128, 4096);
/// Whether width and height mean the longer and the shorter side.
pub(super) const ADAPTIVE: Rule = word("ResolutionAdaptive", &["open", "close"]);
/// Formats of still pictures.
pub(super) const STILL: Rule = word("Format", &["jpg", "png", "webp"]);
/// What fills the rest of the picture.
pub(super) const FILL: Rule = word("FillType", &["stretch", "black", "white", "gauss"]);

/// Refuses a WebP picture of unknown size.
pub(super) fn check_webp(body: &Value) -> Result<(), ApiError> {
    if body["Format"].as_str() != Some("webp") {
        return Ok(());
    }
    match (body["Width"].as_i64(), body["Height"].as_i64()) {
        (None, None) => Err(codes::invalid_parameter_value_format_webp_lack_width_and_height(
            "webp needs a size: give Width, Height or both",
        )),
        (None | Some(0), None | Some(0)) => {
            Err(codes::invalid_parameter_value_format_webp_width_and_height_both_zero(
                "webp needs a size: Width and Height cannot both be 0",
            ))
        }
        _ => Ok(()),
    }
}

/// Checks how often pictures are taken: every so many percent of the length, or every so many seconds.
pub(super) fn check_sampling(body: &Value) -> Result<(), ApiError> {
    let kind = body["SampleType"].as_str().unwrap_or_default();
    let interval = body["SampleInterval"].as_u64().unwrap_or_default();
    let most = match kind {
        "Percent" => 100,
        "Time" => u64::from(u32::MAX),
        _ => return Err(value_of("SampleType", format!("SampleType {kind:?} is not Percent or Time"))),
    };
    if (1..=most).contains(&interval) {
        return Ok(());
    }
    let told = format!("SampleInterval is {interval}; by {kind} it must be 1 to {most}");
    Err(value_of("SampleInterval", told))
}

/// Members that a listing shows with their defaults where they were not sent.
pub(super) fn usual_size() -> Value {
    json!({"Width": 0, "Height": 0, "ResolutionAdaptive": "open"})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webp_has_a_size() {
        let code = |body: Value| check_webp(&body).err().map(|error| error.code.into_owned());
        assert_eq!(code(json!({"Format": "webp", "Width": 128})), None);
        assert_eq!(code(json!({"Format": "webp", "Width": 0, "Height": 128})), None);
        assert_eq!(code(json!({"Format": "jpg"})), None);
        let lack = "InvalidParameterValue.FormatWebpLackWidthAndHeight";
        let zero = "InvalidParameterValue.FormatWebpWidthAndHeightBothZero";
        assert_eq!(code(json!({"Format": "webp"})).as_deref(), Some(lack));
        assert_eq!(code(json!({"Format": "webp", "Width": 0, "Height": 0})).as_deref(), Some(zero));
        assert_eq!(code(json!({"Format": "webp", "Height": 0})).as_deref(), Some(zero));
    }

    #[test]
    fn an_interval_fits_its_kind() {
        let code = |kind: &str, interval: u64| {
            let body = json!({"SampleType": kind, "SampleInterval": interval});
            check_sampling(&body).err().map(|error| error.code.into_owned())
        };
        assert_eq!((code("Percent", 1), code("Percent", 100), code("Time", 3600)), (None, None, None));
        for (kind, interval) in [("Percent", 0), ("Percent", 101), ("Time", 0)] {
            let wanted = Some("InvalidParameterValue.SampleInterval".to_owned());
            assert_eq!(code(kind, interval), wanted, "{kind} {interval}");
        }
        assert_eq!(code("Frames", 5).as_deref(), Some("InvalidParameterValue.SampleType"));
    }
}
