//! Templates of quality inspection: which defects are looked for, how often, and from which threshold.

use mps_wire::ApiError;
use mps_wire::codes::{self, value_of};
use serde_json::{Value, json};

use super::rules::{Rule, switch, text_at, whole, word};
use super::{FIRST_OWN, Family, Template, listed, merged, rules};
use crate::presets::{self, Preset};

/// The family.
#[derive(Debug, Clone, Copy)]
pub struct QualityControl;

/// Defects that are seen or heard.
pub(crate) const DETECTED: &[&str] = &[
    "Mosaic",
    "CrashScreen",
    "Blur",
    "Jitter",
    "Noise",
    "QRCode",
    "BarCode",
    "AppletCode",
    "SolidColorScreen",
    "BlackWhiteEdge",
    "LowLighting",
    "HighLighting",
    "NoVoice",
    "LowVoice",
    "HighVoice",
];
/// What else is seen or heard: scores, and what the API's text or its examples name beside.
pub(crate) const RATED: &[&str] = &["LowEvaluation", "AudioEvaluation", "AudioNoise", "VideoFreezedFrame"];
/// Faults of the file and its streams.
pub(crate) const DIAGNOSED: &[&str] = &[
    "VideoResolutionChanged",
    "AudioSampleRateChanged",
    "AudioChannelsChanged",
    "ParameterSetsChanged",
    "DarOrSarInvalid",
    "TimestampFallback",
    "DtsJitter",
    "PtsJitter",
    "AACDurationDeviation",
    "AudioDroppingFrames",
    "VideoDroppingFrames",
    "AVTimestampInterleave",
    "PtsLessThanDts",
    "ReceiveFpsJitter",
    "ReceiveFpsTooSmall",
    "FpsJitter",
    "StreamOpenFailed",
    "StreamEnd",
    "StreamParseFailed",
    "VideoFirstFrameNotIdr",
    "StreamNALUError",
    "TsStreamNoAud",
    "AudioStreamLack",
    "VideoStreamLack",
    "LackAudioRecover",
    "LackVideoRecover",
    "VideoBitrateOutofRange",
    "AudioBitrateOutofRange",
    "VideoDecodeFailed",
    "AudioDecodeFailed",
    "AudioOutOfPhase",
    "VideoDuplicatedFrame",
    "AudioDuplicatedFrame",
    "VideoRotation",
    "TsMultiPrograms",
    "Mp4InvalidCodecFourcc",
    "HLSBadM3u8Format",
    "HLSInvalidMasterM3u8",
    "HLSInvalidMediaM3u8",
    "HLSMasterM3u8Recommended",
    "HLSMediaM3u8Recommended",
    "HLSMediaM3u8DiscontinuityExist",
    "HLSMediaSegmentsStreamNumChange",
    "HLSMediaSegmentsPTSJitterDeviation",
    "HLSMediaSegmentsDTSJitterDeviation",
    "TimecodeTrackExist",
];

const RULES: &[Rule] = &[
    switch("QualityControlItemSet.Switch"),
    word("QualityControlItemSet.Sampling", &["Time"]),
    whole("QualityControlItemSet.IntervalTime", 0, i64::MAX),
    whole("QualityControlItemSet.Duration", 0, i64::MAX),
    word("RecordFormat", &["PNG"]),
    word("Strategy.StrategyType", &["TimeSpotCheck"]),
    whole("Strategy.TimeSpotCheck.CheckDuration", 10, 86_400),
    whole("Strategy.TimeSpotCheck.CheckInterval", 10, 3600),
    whole("Strategy.TimeSpotCheck.SkipDuration", 1, 1800),
    whole("Strategy.TimeSpotCheck.CirclesNumber", 0, 1000),
];

impl Family for QualityControl {
    fn name(&self) -> &'static str {
        "quality_control"
    }

    fn first_definition(&self) -> i64 {
        FIRST_OWN
    }

    fn list_member(&self) -> &'static str {
        "QualityControlTemplateSet"
    }

    fn presets(&self) -> Vec<Preset> {
        presets::quality_control::all()
    }

    fn check(&self, body: &Value) -> Result<(), ApiError> {
        let items = body["QualityControlItemSet"].as_array().map(Vec::as_slice).unwrap_or_default();
        if items.is_empty() {
            return Err(codes::invalid_parameter_value_empty_detect_item("QualityControlItemSet is empty"));
        }
        for item in items {
            let kind = text_at(item, "Type");
            if ![DETECTED, RATED, DIAGNOSED].iter().any(|known| known.contains(&kind)) {
                let told = format!("QualityControlItemSet.Type {kind:?} is no known kind of defect");
                return Err(codes::invalid_parameter_value_unknown_category(told));
            }
            let threshold = text_at(item, "Threshold");
            let number = threshold.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
            if !threshold.is_empty() && number.is_none() {
                let told = format!(
                    "QualityControlItemSet.Threshold of {kind} is {threshold:?}; it must be a number"
                );
                return Err(value_of("Threshold", told));
            }
        }
        rules::check(body, RULES)
    }

    fn item(&self, template: &Template) -> Value {
        let mut item = listed(template, json!({"Strategy": null}));
        // The API stores the format of evidence and does not list it.
        if let Some(members) = item.as_object_mut() {
            members.remove("RecordFormat");
        }
        for item in item["QualityControlItemSet"].as_array_mut().into_iter().flatten() {
            *item = merged(json!({"Switch": "ON"}), item);
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::testing::{check_cases, stored};

    #[test]
    fn each_member_has_its_range() {
        let whole = json!({
            "QualityControlItemSet": [{"Type": "Mosaic"}],
            "Strategy": {"StrategyType": "TimeSpotCheck", "TimeSpotCheck": {}},
        });
        check_cases(
            &QualityControl,
            &whole,
            &[
                ("QualityControlItemSet", &[], &[json!([])], "EmptyDetectItem"),
                (
                    "QualityControlItemSet/0/Type",
                    &[json!("LowEvaluation"), json!("VideoFreezedFrame"), json!("TimecodeTrackExist")],
                    &[json!("BackWhiteEdge"), json!("mosaic"), json!("")],
                    "UnknownCategory",
                ),
                ("QualityControlItemSet/0/Switch", &[json!("OFF")], &[json!("NO")], "Switch"),
                ("QualityControlItemSet/0/Sampling", &[json!("Time"), json!("")], &[json!("Frame")], ""),
                (
                    "QualityControlItemSet/0/Threshold",
                    &[json!(""), json!("0.001"), json!("50")],
                    &[json!("many"), json!("-1"), json!("inf")],
                    "",
                ),
                ("RecordFormat", &[json!("PNG"), json!("")], &[json!("JPG")], ""),
                ("Strategy/StrategyType", &[json!("")], &[json!("Random")], ""),
                (
                    "Strategy/TimeSpotCheck/CheckDuration",
                    &[json!(10), json!(86_400)],
                    &[json!(9), json!(86_401)],
                    "",
                ),
                (
                    "Strategy/TimeSpotCheck/CheckInterval",
                    &[json!(10), json!(3600)],
                    &[json!(9), json!(3601)],
                    "",
                ),
                (
                    "Strategy/TimeSpotCheck/SkipDuration",
                    &[json!(1), json!(1800)],
                    &[json!(0), json!(1801)],
                    "",
                ),
                ("Strategy/TimeSpotCheck/CirclesNumber", &[json!(0), json!(1000)], &[json!(1001)], ""),
            ],
        );
    }

    #[test]
    fn the_listing_has_the_switches_and_not_the_format_of_evidence() {
        let body =
            json!({"QualityControlItemSet": [{"Type": "Blur", "Threshold": "70"}], "RecordFormat": "PNG"});
        let item = QualityControl.item(&stored(&QualityControl, &body));
        let blur = json!({"Type": "Blur", "Threshold": "70", "Switch": "ON"});
        assert_eq!(item["QualityControlItemSet"], json!([blur]));
        assert!(!item.as_object().unwrap().contains_key("RecordFormat"));
    }
}
