//! Templates of transcodes. Everything the API defines is stored and given back; what this server cannot do yet is
//! refused when the template is used, see [`support`](crate::features::transcode::support).

use mps_wire::ApiError;
use mps_wire::codes::value_of;
use mps_wire::types::TranscodeTemplate;
use serde_json::{Value, json};

use super::{Family, Template, merge};
use crate::features::transcode::words::Container;
use crate::features::transcode::{self, support};
use crate::presets::{self, Preset};

/// The family.
#[derive(Debug, Clone, Copy)]
pub struct Transcode;

impl Family for Transcode {
    fn name(&self) -> &'static str {
        "transcode"
    }

    fn first_definition(&self) -> i64 {
        1_000_001
    }

    fn list_member(&self) -> &'static str {
        "TranscodeTemplateSet"
    }

    fn presets(&self) -> Vec<Preset> {
        presets::transcode::all().to_vec()
    }

    fn check(&self, body: &Value) -> Result<(), ApiError> {
        if let Some(text) = body["StdExtInfo"].as_str().filter(|text| !text.is_empty())
            && serde_json::from_str::<Value>(text).is_err()
        {
            return Err(value_of("StdExtInfo", "StdExtInfo is not JSON"));
        }
        transcode::params(body).map(|_| ())
    }

    fn change(&self, body: &mut Value, patch: &Value) {
        merge(body, patch);
        transcode::forget_reset_values(body);
    }

    fn item(&self, template: &Template) -> Value {
        let mut item = template.body.clone();
        let usual = json!({
            "VideoTemplate": {"ResolutionAdaptive": "open", "FillType": "black", "BitDepth": 8},
            "AudioTemplate": {"AudioChannel": 2},
        });
        for (part, members) in usual.as_object().into_iter().flatten() {
            let Some(given) = item.get_mut(part).and_then(Value::as_object_mut) else { continue };
            for (name, value) in members.as_object().into_iter().flatten() {
                given.entry(name.as_str()).or_insert_with(|| value.clone());
            }
        }
        let typed: TranscodeTemplate = serde_json::from_value(item).unwrap_or_default();
        let typed = TranscodeTemplate {
            definition: template.definition.to_string(),
            name: template.name.clone(),
            comment: template.comment.clone(),
            r#type: if template.is_preset { "Preset" } else { "Custom" }.to_owned(),
            container_type: container_type(&template.body).to_owned(),
            create_time: template.create_time.clone(),
            update_time: template.update_time.clone(),
            alias_name: template.alias.clone(),
            ..typed
        };
        serde_json::to_value(typed).unwrap_or(Value::Null)
    }

    fn check_filters(&self, request: &Value) -> Result<(), ApiError> {
        for (name, code, words) in FILTERS {
            let word = request[*name].as_str().unwrap_or_default();
            if !word.is_empty() && !words.contains(&word) {
                return Err(value_of(code, format!("{name} {word:?} is not one of {}", words.join(", "))));
            }
        }
        Ok(())
    }

    fn passes(&self, template: &Template, request: &Value) -> bool {
        let body = &template.body;
        let wanted = |name: &str| request[name].as_str().filter(|word| !word.is_empty());
        let tehd = body["TEHDConfig"]["Type"].as_str().filter(|kind| *kind != "Common").unwrap_or_default();
        let is_enhancing = support::is_enhancing(&body["EnhanceConfig"]);
        let is_of = |kind: &str| match kind {
            "Common" => tehd.is_empty() && !is_enhancing,
            "TEHD" => tehd == "TEHD-100",
            "Enhance" => is_enhancing,
            other => tehd == other,
        };
        let is_scene = |name: &str, kind: &str| {
            let video = &body["VideoTemplate"];
            let own = video[name].as_str().filter(|own| !own.is_empty() && video["ScenarioBased"] == 1);
            own.unwrap_or(NOT_SET) == kind
        };
        let enhance = &body["EnhanceConfig"];
        let (sees, hears) = (!enhance["VideoEnhance"].is_null(), !enhance["AudioEnhance"].is_null());
        wanted("ContainerType").is_none_or(|kind| kind == container_type(body))
            && wanted("TEHDType").is_none_or(|kind| (kind == "TEHD") != tehd.is_empty())
            && wanted("TranscodeType").is_none_or(is_of)
            && wanted("SceneType").is_none_or(|kind| is_scene("SceneType", kind))
            && wanted("CompressType").is_none_or(|kind| is_scene("CompressType", kind))
            && wanted("EnhanceSceneType")
                .is_none_or(|kind| enhance["VideoEnhance"]["EnhanceSceneType"].as_str() == Some(kind))
            && wanted("EnhanceTranscodeType").is_none_or(|kind| {
                is_enhancing && if kind == "Common" { tehd.is_empty() } else { tehd == kind }
            })
            && wanted("EnhanceType").is_none_or(|kind| match kind {
                "VideoEnhance" => sees && !hears,
                "AudioEnhance" => hears && !sees,
                _ => sees && hears,
            })
    }
}

/// The word by which a filter asks for templates that have no scene.
const NOT_SET: &str = "no_config";

/// Filters with their codes and words.
const FILTERS: &[(&str, &str, &[&str])] = &[
    ("ContainerType", "ContainerType", &["Video", "PureAudio"]),
    ("TEHDType", "TEHDType", &["Common", "TEHD"]),
    ("TranscodeType", "TranscodeType", &["Common", "TEHD", "TEHD-100", "TEHD-200", "Enhance"]),
    ("EnhanceTranscodeType", "EnhanceTranscodeType", &["Common", "TEHD-100", "TEHD-200"]),
    ("EnhanceType", "EnhanceType", &["VideoEnhance", "AudioEnhance", "VideoAudioEnhance"]),
];

fn container_type(body: &Value) -> &'static str {
    let container = body["Container"].as_str().and_then(Container::from_word);
    if container.is_some_and(Container::is_audio_only) { "PureAudio" } else { "Video" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::{Template, create, preset};

    #[test]
    fn a_preset_is_listed_as_the_vendor_prints_it() {
        insta::assert_json_snapshot!(Transcode.item(&preset(&Transcode, 100_010).unwrap()));
    }

    #[test]
    fn scenes_are_found_by_their_word_and_their_absence_by_no_config() {
        let of = |video: Value| Template {
            definition: 1_000_001,
            is_preset: false,
            name: String::new(),
            alias: String::new(),
            comment: String::new(),
            body: json!({"Container": "mp4", "VideoTemplate": video}),
            create_time: String::new(),
            update_time: String::new(),
        };
        let plain = of(json!({"Codec": "h264"}));
        let film = of(json!({"Codec": "h264", "ScenarioBased": 1, "SceneType": "pgc", "CompressType": ""}));
        let found = |template: &Template, name: &str, kind: &str| {
            let mut request = json!({});
            request[name] = json!(kind);
            Transcode.passes(template, &request)
        };
        assert!(found(&plain, "SceneType", "no_config") && found(&plain, "CompressType", "no_config"));
        assert!(found(&film, "SceneType", "pgc") && found(&film, "CompressType", "no_config"));
        assert!(!found(&film, "SceneType", "no_config") && !found(&plain, "SceneType", "pgc"));
    }

    #[test]
    fn what_was_stored_comes_back_with_defaults_around_it() {
        let request = json!({
            "Container": "hls", "Name": "n", "Comment": "c",
            "VideoTemplate": {"Codec": "h265", "Fps": 30000, "FpsDenominator": 1001, "Bitrate": 0, "Gop": 2,
                "GopUnit": "second", "ScenarioBased": 1, "SceneType": "ugc", "CompressType": "high_compress"},
            "AudioTemplate": {"Codec": "aac", "Bitrate": 0, "SampleRate": 0},
            "TEHDConfig": {"Type": "TEHD-100", "MaxVideoBitrate": 900},
            "EnhanceConfig": {"VideoEnhance": {"Denoise": {"Switch": "ON", "Type": "weak"}}},
        });
        let content = create(&Transcode, &request).unwrap();
        let item = Transcode.item(&Template {
            definition: 1_000_001,
            is_preset: false,
            name: content.name,
            alias: String::new(),
            comment: content.comment,
            body: content.body,
            create_time: "2025-01-01T00:00:00Z".to_owned(),
            update_time: "2025-01-01T00:00:00Z".to_owned(),
        });
        for (name, value) in request["VideoTemplate"].as_object().unwrap() {
            assert_eq!(&item["VideoTemplate"][name], value, "{name}");
        }
        assert_eq!(item["VideoTemplate"]["FillType"], "black");
        assert_eq!(item["AudioTemplate"]["AudioChannel"], 2);
        assert_eq!(item["TEHDConfig"], request["TEHDConfig"]);
        assert_eq!(item["EnhanceConfig"]["VideoEnhance"]["Denoise"]["Type"], "weak");
        assert_eq!((&item["Name"], &item["Type"]), (&json!("n"), &json!("Custom")));
    }
}
