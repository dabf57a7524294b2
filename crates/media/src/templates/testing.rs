//! What the tests of the families share.

use mps_wire::schema::{self, Kind, Object};
use serde_json::{Map, Value, json};

use super::{Family, Template, create};

/// A member's path in pointer form without the first `/`, values that are taken, values that are refused, and the
/// member whose code the refusal has; empty for the plain one.
pub(crate) type Case<'a> = (&'a str, &'a [Value], &'a [Value], &'a str);

/// Puts each value in its place in `whole`, which must be good itself.
#[track_caller]
pub(crate) fn check_cases(family: &dyn Family, whole: &Value, cases: &[Case<'_>]) {
    family.check(whole).unwrap_or_else(|error| panic!("{whole}: {error}"));
    for (path, good, bad, code) in cases {
        let code = match *code {
            "" => "InvalidParameterValue".to_owned(),
            member => format!("InvalidParameterValue.{member}"),
        };
        for value in *good {
            let body = with(whole, path, value);
            family.check(&body).unwrap_or_else(|error| panic!("{path} {value}: {error}"));
        }
        for value in *bad {
            let body = with(whole, path, value);
            let error = family.check(&body).expect_err(&format!("{path} {value} is taken"));
            assert_eq!(error.code, code, "{path} {value}: {}", error.message);
        }
    }
}

/// `whole` with `value` at a path whose parents are there; null takes the member away.
pub(crate) fn with(whole: &Value, path: &str, value: &Value) -> Value {
    let mut body = whole.clone();
    let (parent, name) = path.rsplit_once('/').map_or(("", path), |(parent, name)| (parent, name));
    let pointer = if parent.is_empty() { String::new() } else { format!("/{parent}") };
    let place = body.pointer_mut(&pointer).unwrap_or_else(|| panic!("there is no {parent}"));
    match place {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value.clone(),
        Value::Object(members) if value.is_null() => drop(members.remove(name)),
        other => other[name] = value.clone(),
    }
    body
}

/// A template of an account's own, made of a Create request.
pub(crate) fn stored(family: &dyn Family, request: &Value) -> Template {
    let content = create(family, request).unwrap();
    Template {
        definition: family.first_definition(),
        is_preset: false,
        name: content.name,
        alias: String::new(),
        comment: content.comment,
        body: content.body,
        create_time: "2026-01-01T00:00:00Z".to_owned(),
        update_time: "2026-01-01T00:00:00Z".to_owned(),
    }
}

/// Asserts that every preset is good by the rules its family has for callers.
#[track_caller]
pub(crate) fn check_presets(family: &dyn Family) {
    for preset in family.presets() {
        family.check(&preset.body).unwrap_or_else(|error| panic!("{}: {error}", preset.definition));
    }
    let numbers: Vec<_> = family.presets().iter().map(|preset| preset.definition).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] > pair[1]), "{numbers:?} do not fall");
}

/// Every family with the middle of the names of its actions.
pub(crate) fn families() -> Vec<(&'static str, &'static dyn Family)> {
    vec![
        ("Transcode", &super::transcode::Transcode),
        ("AdaptiveDynamicStreaming", &super::adaptive_dynamic_streaming::AdaptiveDynamicStreaming),
        ("Watermark", &super::watermark::Watermark),
        ("SnapshotByTimeOffset", &super::snapshot_by_time_offset::SnapshotByTimeOffset),
        ("SampleSnapshot", &super::sample_snapshot::SampleSnapshot),
        ("ImageSprite", &super::image_sprite::ImageSprite),
        ("AnimatedGraphics", &super::animated_graphics::AnimatedGraphics),
        ("AIAnalysis", &super::ai_analysis::AiAnalysis),
        ("AIRecognition", &super::ai_recognition::AiRecognition),
        ("ContentReview", &super::content_review::ContentReview),
        ("QualityControl", &super::quality_control::QualityControl),
        ("LiveRecord", &super::live_record::LiveRecord),
        ("SmartSubtitle", &super::smart_subtitle::SmartSubtitle),
        ("SmartErase", &super::smart_erase::SmartErase),
        ("SubtitleEmbed", &super::subtitle_embed::SubtitleEmbed),
        ("BlindWatermark", &super::blind_watermark::BlindWatermark),
        ("ProcessImage", &super::process_image::ProcessImage),
    ]
}

/// An own template that asks for nothing.
pub(crate) fn blank(family: &dyn Family) -> Template {
    Template {
        definition: family.first_definition(),
        is_preset: false,
        name: String::new(),
        alias: String::new(),
        comment: String::new(),
        body: json!({}),
        create_time: String::new(),
        update_time: String::new(),
    }
}

/// A request that the schema takes: each member is there or not, with whatever fits its type.
pub(crate) fn arbitrary(action: &str, seed: u64) -> Value {
    let request = schema::action(action).unwrap_or_else(|| panic!("no action {action}")).request;
    Dice(seed).object(request)
}

/// Numbers from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn object(&mut self, object: &Object) -> Value {
        let mut members = Map::new();
        for member in object.members {
            if member.required || self.roll(3) > 0 {
                let value = self.value(&member.kind);
                members.insert(member.name.to_owned(), value);
            }
        }
        Value::Object(members)
    }

    fn value(&mut self, kind: &Kind) -> Value {
        const WORDS: &[&str] = &[
            "",
            "ON",
            "OFF",
            "auto",
            "zh",
            "en/ja",
            "vtt",
            "custom",
            "image",
            "text",
            "svg",
            "HLS",
            "webp",
            "10%",
            "8px",
            "Time",
            "subtitle",
            "privacy",
            "0xFFFFFF",
            "hwd-1",
            "nonsense",
            "\u{1f600}|",
        ];
        const WHOLES: &[i64] = &[0, 1, 2, 10, 128, 600, -1, 4096, i64::MAX, i64::MIN];
        const NUMBERS: &[f64] = &[0.0, 0.5, 1.0, -1.0, 1e300, f64::MIN_POSITIVE];
        match kind {
            Kind::Text => json!(WORDS[self.roll(WORDS.len())]),
            Kind::Int => json!(WHOLES[self.roll(WHOLES.len())]),
            Kind::Uint => json!(WHOLES[self.roll(WHOLES.len())].unsigned_abs()),
            Kind::Float => json!(NUMBERS[self.roll(NUMBERS.len())]),
            Kind::Bool => json!(self.roll(2) == 0),
            Kind::Object(object) => self.object(object),
            Kind::List(inner) => (0..self.roll(3)).map(|_| self.value(inner)).collect(),
        }
    }
}
