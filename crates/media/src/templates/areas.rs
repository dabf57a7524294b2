//! Areas of the picture, as the families of erasing and of subtitles describe them.

use mps_wire::ApiError;
use mps_wire::codes::value_of;
use serde_json::Value;

/// Checks a list of areas; `code` and `path` are for the refusal.
pub(super) fn check_areas(code: &str, path: &str, areas: &Value) -> Result<(), ApiError> {
    let areas = areas.as_array().map(Vec::as_slice).unwrap_or_default();
    areas.iter().try_for_each(|area| {
        check_area(area).map_err(|why| value_of(code, format!("{path}: {why}, not {area}")))
    })
}

fn check_area(area: &Value) -> Result<(), &'static str> {
    let most = match area["Unit"].as_u64() {
        Some(1) => 1.0,
        Some(2) => f64::INFINITY,
        _ => return Err("Unit must be 1 for shares of the picture or 2 for pixels"),
    };
    let at = |name: &str| area[name].as_f64().unwrap_or(f64::NAN);
    let (left, top) = (at("LeftTopX"), at("LeftTopY"));
    let (right, bottom) = (at("RightBottomX"), at("RightBottomY"));
    if ![left, top, right, bottom].iter().all(|place| (0.0..=most).contains(place)) {
        return Err("coordinates must not be negative, and as shares not be more than 1");
    }
    if left >= right || top >= bottom {
        return Err("the left top corner must lie left of and above the right bottom one");
    }
    Ok(())
}

/// Checks a list of areas with times.
pub(super) fn check_timed_areas(code: &str, path: &str, spans: &Value) -> Result<(), ApiError> {
    for span in spans.as_array().map(Vec::as_slice).unwrap_or_default() {
        let (begin, end) = (span["BeginMs"].as_u64(), span["EndMs"].as_u64());
        if begin >= end {
            return Err(value_of(code, format!("{path}: BeginMs must be before EndMs, not {span}")));
        }
        if span["Areas"].as_array().is_none_or(Vec::is_empty) {
            return Err(value_of(code, format!("{path}: Areas is empty")));
        }
        check_areas(code, path, &span["Areas"])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn area(corners: [f64; 4], unit: u64) -> Value {
        let [left, top, right, bottom] = corners;
        json!({"LeftTopX": left, "LeftTopY": top, "RightBottomX": right, "RightBottomY": bottom, "Unit": unit})
    }

    #[test]
    fn an_area_lies_in_the_picture_and_has_a_size() {
        let is_good = |corners, unit| check_areas("AutoAreas", "A", &json!([area(corners, unit)])).is_ok();
        assert!(is_good([0.0, 0.5, 1.0, 1.0], 1) && is_good([10.0, 20.0, 300.0, 400.0], 2));
        for (corners, unit) in [
            ([0.0, 0.0, 1.1, 1.0], 1),
            ([-0.1, 0.0, 1.0, 1.0], 1),
            ([0.5, 0.0, 0.5, 1.0], 1),
            ([0.0, 9.0, 5.0, 8.0], 2),
            ([0.0, 0.0, 1.0, 1.0], 3),
            ([0.0, 0.0, 1.0, 1.0], 0),
        ] {
            assert!(!is_good(corners, unit), "{corners:?} {unit}");
        }
    }

    #[test]
    fn a_span_has_an_end_and_areas() {
        let good = area([0.0, 0.5, 1.0, 1.0], 1);
        let code = |span: Value| check_timed_areas("CustomAreas", "A", &json!([span])).err().map(|e| e.code);
        assert_eq!(code(json!({"BeginMs": 0, "EndMs": 1, "Areas": [good]})), None);
        for span in [
            json!({"BeginMs": 5, "EndMs": 5, "Areas": [good]}),
            json!({"BeginMs": 0, "EndMs": 1, "Areas": []}),
            json!({"BeginMs": 0, "EndMs": 1, "Areas": [area([0.0, 0.0, 0.0, 1.0], 1)]}),
        ] {
            assert_eq!(code(span.clone()).as_deref(), Some("InvalidParameterValue.CustomAreas"), "{span}");
        }
    }
}
