//! From one item of `MediaProcessTask.TranscodeTaskSet` to what a worker needs.

use std::borrow::Cow;

use mps_wire::ApiError;
use mps_wire::codes::{invalid_parameter, invalid_parameter_value, missing_parameter, value_of};
use mps_wire::types::RawTranscodeParameter;
use serde::Deserialize;
use serde_json::Value;

use super::params::{Audio, Clip, Hls, Naming, Params, StepParams, Video};
use super::words::Container;
use super::{check, head_tail, support};
use crate::features::added::{self, Added, List};
use crate::features::burn::{self, Burn};
use crate::features::item::{Given, Item, Place, definition, number_format, pattern};
use crate::features::marks::{self, Found, Mark};
use crate::features::mosaic::{self, Mosaic};
use crate::hls::SEGMENT_VARIABLES;
use crate::names::Variable;
use crate::plan::Build;
use crate::presets;
use crate::templates::merge;

/// Variables that the name of the main file may use.
pub const OBJECT_VARIABLES: &[Variable] = &[
    Variable::InputName,
    Variable::InputFormat,
    Variable::Definition,
    Variable::Format,
    Variable::Number,
    Variable::TaskId,
];

const DEFAULT_OBJECT: &str = "{inputName}_transcode_{definition}.{format}";
const DEFAULT_SEGMENT: &str = "{inputName}_transcode_{definition}_{number}.{format}";

/// Checks an item of the list.
///
/// # Errors
/// The API's own codes; see [`check`](super::check::check), [`support::check`] and the names' rules.
pub fn from_wire(given: &Item<'_>, build: &Build) -> Result<StepParams, ApiError> {
    let Item { nth, value: item, template, place, marks, given: files } = *given;
    let here = format!("MediaProcessTask.TranscodeTaskSet.{nth}");
    let definition = definition(item);
    let body = body(item, definition, template, &here)?;
    let params = template_params(&body, item, definition, build)
        .map_err(|error| below(&parameters_of(item, definition, &here), error))?;
    let offset = |name: &str| item[name].as_f64().unwrap_or(0.0);
    Ok(StepParams {
        definition,
        item: nth,
        clip: Clip::from_seconds(offset("StartTimeOffset"), offset("EndTimeOffset"))
            .map_err(|error| below(&here, error))?,
        naming: naming(item, &params, place, &here)?,
        source: place.source.clone(),
        storage: given.storage(),
        marks: marks_of(item, marks, &params, &here, build)?,
        sounds: sounds_of(item, files, &params, &here)?,
        captions: captions_of(item, files, &params, &here)?,
        mosaics: mosaics_of(item, &params, &here)?,
        tracks: tracks_of(&body, item, &params, &here)?,
        heads: head_tail::from_wire(item, "HeadSet", files, &params, &here)?,
        tails: head_tail::from_wire(item, "TailSet", files, &params, &here)?,
        burn: burn_of(&body, definition, files, &params, &here, build)?,
        params,
    })
}

fn marks_of(
    item: &Value,
    found: &[Found],
    params: &Params,
    here: &str,
    build: &Build,
) -> Result<Vec<Mark>, ApiError> {
    let marks = marks::from_wire(item, found, here, false, build)?;
    if !marks.is_empty() && !matches!(params.video, Some(Video::Encode(_))) {
        return Err(invalid_parameter_value(format!(
            "{here}.WatermarkSet needs pictures that are coded again; the template copies them or leaves them out"
        )));
    }
    Ok(marks)
}

fn sounds_of(item: &Value, given: &[Given], params: &Params, here: &str) -> Result<Vec<Added>, ApiError> {
    let (list, above) = ("AddonAudioStream", "OverrideParameter.");
    let of = List { holder: &item["OverrideParameter"], above, list, input: "", labels: ("", "") };
    let sounds = added::read(of, given, here)?;
    let is_encoded = matches!(params.audio, Some(Audio::Encode(_)));
    if !sounds.is_empty() && (!is_encoded || !params.container.has_tracks()) {
        return Err(invalid_parameter_value(format!(
            "{here}.{above}{list} needs sound that is coded again, and mp4, mov, mkv or ts to hold several tracks"
        )));
    }
    Ok(sounds)
}

/// The most tracks of a source that can be chosen; ours, as the API names no limit.
const MOST_TRACKS: usize = 16;

fn tracks_of(body: &Value, item: &Value, params: &Params, here: &str) -> Result<Vec<usize>, ApiError> {
    let list = body["AudioTemplate"]["StreamSelects"].as_array().map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() || params.audio.is_none() {
        return Ok(Vec::new());
    }
    let refused =
        |why: String| Err(invalid_parameter_value(format!("{here}: AudioTemplate.StreamSelects {why}")));
    let all: Vec<usize> = list.iter().filter_map(Value::as_u64).map(|number| number as usize).collect();
    let is_twice = |nth: usize| all[..nth].contains(&all[nth]);
    if all.len() < list.len() || all.len() > MOST_TRACKS || (0..all.len()).any(is_twice) {
        return refused(format!(
            "must be at most {MOST_TRACKS} numbers of tracks of sound, counted from 0, each once"
        ));
    }
    if all.len() > 1 && !params.container.has_tracks() {
        let container = params.container.word();
        return refused(format!("names several tracks, and {container} holds one; take mp4, mov, mkv or ts"));
    }
    if item["HeadTailParameter"].as_object().is_some_and(|films| !films.is_empty()) {
        return refused("cannot be used with HeadTailParameter".to_owned());
    }
    Ok(all)
}

fn captions_of(item: &Value, given: &[Given], params: &Params, here: &str) -> Result<Vec<Added>, ApiError> {
    let above = "OverrideParameter.";
    let captions = added::captions(&item["OverrideParameter"], above, given, here)?;
    if !captions.is_empty() && params.container.captions().is_none() {
        return Err(invalid_parameter_value(format!(
            "{here}.{above}AddOnSubtitles: {} cannot hold subtitles here; take mp4, mov or mkv, or adaptive streaming",
            params.container.word()
        )));
    }
    Ok(captions)
}

fn mosaics_of(item: &Value, params: &Params, here: &str) -> Result<Vec<Mosaic>, ApiError> {
    let mosaics = mosaic::from_wire(item, here)?;
    if !mosaics.is_empty() && !matches!(params.video, Some(Video::Encode(_))) {
        return Err(invalid_parameter_value(format!(
            "{here}.MosaicSet needs pictures that are coded again; the template copies them or leaves them out"
        )));
    }
    Ok(mosaics)
}

fn burn_of(
    body: &Value,
    definition: i64,
    files: &[Given],
    params: &Params,
    here: &str,
    build: &Build,
) -> Result<Option<Burn>, ApiError> {
    let template = &body["SubtitleTemplate"];
    if template.as_object().is_none_or(serde_json::Map::is_empty) {
        return Ok(None);
    }
    let path =
        if definition == 0 { "RawParameter.SubtitleTemplate" } else { "OverrideParameter.SubtitleTemplate" };
    let here = format!("{here}.{path}");
    if !matches!(params.video, Some(Video::Encode(_))) {
        return Err(invalid_parameter_value(format!(
            "{here} needs pictures that are coded again; the template copies them or leaves them out"
        )));
    }
    burn::from_wire(template, files, path, &here, build).map(Some)
}

fn template_params(body: &Value, item: &Value, definition: i64, build: &Build) -> Result<Params, ApiError> {
    let typed = typed(body)?;
    let params = params_of(&typed, item, definition)?;
    support::check(body, &typed, &params, build)?;
    Ok(params)
}

/// What an error in the parameters has to name: a call may have many items, and the fault may lie in a template.
fn parameters_of(item: &Value, definition: i64, here: &str) -> String {
    match definition {
        0 => format!("{here}.RawParameter"),
        _ if item["OverrideParameter"].is_null() => format!("{here}: template {definition}"),
        _ => format!("{here}: template {definition} with OverrideParameter"),
    }
}

fn below(place: &str, error: ApiError) -> ApiError {
    ApiError { message: format!("{place}: {}", error.message), ..error }
}

/// The checked parameters of a whole template body.
///
/// # Errors
/// See [`check`](super::check::check).
pub fn params(body: &Value) -> Result<Params, ApiError> {
    check::check(&typed(body)?)
}

/// A preset may lie outside the ranges; what the call brings along may not.
fn params_of(body: &RawTranscodeParameter, item: &Value, definition: i64) -> Result<Params, ApiError> {
    let own_rate = &item["OverrideParameter"]["AudioTemplate"]["Bitrate"];
    if own_rate.is_null() && presets::transcode::find(definition).is_some() {
        return check::check_preset(body);
    }
    check::check(body)
}

fn typed(body: &Value) -> Result<RawTranscodeParameter, ApiError> {
    RawTranscodeParameter::deserialize(body)
        .map_err(|error| invalid_parameter(format!("the transcode parameters cannot be read: {error}")))
}

/// The body that counts: the call's own, or the template's with the call's overrides.
fn body<'a>(
    item: &'a Value,
    definition: i64,
    template: Option<&'a Value>,
    here: &str,
) -> Result<Cow<'a, Value>, ApiError> {
    let (unused, why) = match definition {
        0 => ("OverrideParameter", "changes a template; with Definition 0 put it into RawParameter"),
        _ => ("RawParameter", "is for Definition 0; use OverrideParameter to change a template"),
    };
    if item[unused].as_object().is_some_and(|members| !members.is_empty()) {
        return Err(invalid_parameter_value(format!("{here}.{unused} {why}")));
    }
    if definition == 0 {
        return match &item["RawParameter"] {
            Value::Null => {
                Err(missing_parameter(format!("{here}.RawParameter is required when Definition is 0")))
            }
            raw => Ok(Cow::Borrowed(raw)),
        };
    }
    let Some(template) = template else {
        return Err(value_of(
            "Definition",
            format!("{here}.Definition: there is no transcode template {definition}"),
        ));
    };
    let changes = &item["OverrideParameter"];
    if changes.is_null() {
        return Ok(Cow::Borrowed(template));
    }
    let mut body = template.clone();
    merge(&mut body, changes);
    forget_reset_values(&mut body);
    Ok(Cow::Owned(body))
}

/// Updates say "automatic again" by numbers outside the range.
pub(crate) fn forget_reset_values(body: &mut Value) {
    let Some(video) = body.get_mut("VideoTemplate").and_then(Value::as_object_mut) else { return };
    for (name, automatic) in [("Vcrf", 100), ("Bframes", -1), ("Compress", -1)] {
        if video.get(name).and_then(Value::as_i64) == Some(automatic) {
            video.remove(name);
        }
    }
}

fn naming(item: &Value, params: &Params, place: Place<'_>, here: &str) -> Result<Naming, ApiError> {
    let (object, _) = pattern(item, "OutputObjectPath", DEFAULT_OBJECT, OBJECT_VARIABLES, here)?;
    let (segment, parsed) = pattern(item, "SegmentObjectName", DEFAULT_SEGMENT, SEGMENT_VARIABLES, here)?;
    if parsed.is_absolute() {
        return Err(invalid_parameter_value(format!("{here}.SegmentObjectName must be a relative path")));
    }
    let numbered = parsed.uses(Variable::Number) || parsed.uses(Variable::SegmentNumber);
    if params.container == Container::Hls && !params.hls.segments.is_range() && !numbered {
        return Err(invalid_parameter_value(format!(
            "{here}.SegmentObjectName must contain {{number}}, or all segments would get one name"
        )));
    }
    let number = number_format(item, here)?;
    let directory = place.directory.unwrap_or(&place.source.directory).to_owned();
    Ok(Naming { directory, object, segment, number })
}

impl Hls {
    /// Length of a segment in seconds; 10 where the template leaves it open.
    pub fn segment_seconds(&self) -> u32 {
        if self.seconds == 0 { 10 } else { self.seconds }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::features::transcode::params::Fill;
    use crate::features::transcode::testing::everything;
    use crate::names::SourceName;

    fn source() -> SourceName {
        SourceName::from_key("/video/AnimalWorldE01.mp4")
    }

    #[expect(clippy::needless_pass_by_value, reason = "tests write the item in place")]
    fn read(item: Value) -> Result<StepParams, ApiError> {
        let source = source();
        let storage = json!({"Type": "COS", "CosOutputStorage": {"Bucket": "b-1", "Region": "ap-guangzhou"}});
        let place = Place { source: &source, directory: None, storage: &storage };
        let template = presets::transcode::find(definition(&item)).map(|preset| preset.body.clone());
        from_wire(
            &Item { nth: 0, value: &item, template: template.as_ref(), place, marks: &[], given: &[] },
            &everything(),
        )
    }

    fn code(item: Value) -> String {
        read(item).map_or_else(|error| error.code.into_owned(), |_| "ok".to_owned())
    }

    #[test]
    fn a_preset_alone_gives_its_parameters_and_the_default_names() {
        let step = read(json!({"Definition": 100_010})).unwrap();
        assert_eq!(step.naming.object, "{inputName}_transcode_{definition}.{format}");
        assert_eq!(step.naming.directory, "/video/");
        let Some(Video::Encode(video)) = step.params.video else { panic!("no video") };
        assert_eq!((video.height, video.bitrate_bps, video.fill), (360, 400_000, Fill::Stretch));
    }

    #[test]
    fn an_override_changes_only_what_it_names() {
        let plain = read(json!({"Definition": 100_010})).unwrap();
        let mut wanted = plain.clone();
        let Some(Video::Encode(video)) = &mut wanted.params.video else { panic!("no video") };
        video.height = 480;
        let over = json!({"Definition": 100_010, "OverrideParameter": {"VideoTemplate": {"Height": 480}}});
        assert_eq!(read(over).unwrap(), wanted);
    }

    #[test]
    fn an_override_can_ask_for_the_automatic_value_again() {
        let over = json!({"VideoTemplate": {"Vcrf": 100, "Bframes": -1, "Compress": -1}});
        assert_eq!(
            read(json!({"Definition": 100_010, "OverrideParameter": over})).unwrap(),
            read(json!({"Definition": 100_010})).unwrap()
        );
    }

    #[test]
    fn templates_and_raw_parameters_are_found_or_asked_for() {
        assert_eq!(code(json!({"Definition": 99_999_999})), "InvalidParameterValue.Definition");
        assert_eq!(code(json!({"Definition": 0})), "MissingParameter");
        let raw = json!({"Container": "m4a", "RemoveVideo": 1,
            "AudioTemplate": {"Codec": "aac", "Bitrate": 96, "SampleRate": 0}});
        assert_eq!(code(json!({"Definition": 0, "RawParameter": raw})), "ok");
    }

    #[test]
    fn parameters_that_would_not_count_are_refused() {
        let raw = json!({"Container": "m4a", "RemoveVideo": 1,
            "AudioTemplate": {"Codec": "aac", "Bitrate": 96, "SampleRate": 0}});
        let over = json!({"VideoTemplate": {"Height": 480}});
        let both = json!({"Definition": 0, "RawParameter": raw, "OverrideParameter": over});
        let message = read(both).unwrap_err().message;
        assert!(message.starts_with("MediaProcessTask.TranscodeTaskSet.0.OverrideParameter"), "{message}");
        assert_eq!(code(json!({"Definition": 100_010, "RawParameter": raw})), "InvalidParameterValue");
        assert_eq!(code(json!({"Definition": 0, "RawParameter": raw, "OverrideParameter": {}})), "ok");
    }

    #[test]
    fn names_are_checked_at_once() {
        let with = |name: &str, value: Value| {
            let mut item = json!({"Definition": 100_210});
            item[name] = value;
            code(item)
        };
        assert_eq!(with("OutputObjectPath", json!("../../x.mp4")), "InvalidParameterValue");
        assert_eq!(with("OutputObjectPath", json!("{foo}.mp4")), "InvalidParameterValue");
        assert_eq!(with("SegmentObjectName", json!("/abs/{number}.ts")), "InvalidParameterValue");
        assert_eq!(with("SegmentObjectName", json!("same")), "InvalidParameterValue");
        assert_eq!(with("SegmentObjectName", json!("{inputName}_from_{inputFormat}_{number}")), "ok");
        assert_eq!(with("ObjectNumberFormat", json!({"Increment": 0})), "InvalidParameterValue");
        assert_eq!(with("ObjectNumberFormat", json!({"PlaceHolder": "a/b"})), "InvalidParameterValue");
    }

    #[test]
    fn what_is_not_built_is_refused_by_name() {
        let raw = |change: (&str, Value)| {
            let mut body = json!({
                "Container": "mp4",
                "VideoTemplate": {"Codec": "h264", "Fps": 0, "Bitrate": 0},
                "AudioTemplate": {"Codec": "aac", "Bitrate": 0, "SampleRate": 0},
            });
            body[change.0] = change.1;
            read(json!({"Definition": 0, "RawParameter": body})).map_err(|e| (e.code.into_owned(), e.message))
        };
        for (name, value) in [
            ("TEHDConfig", json!({"Type": "TEHD-100"})),
            ("EnhanceConfig", json!({"VideoEnhance": {"Denoise": {"Type": "weak"}}})),
            ("StdExtInfo", json!("{}")),
        ] {
            let (code, message) = raw((name, value)).unwrap_err();
            assert_eq!(code, "UnsupportedOperation");
            assert!(message.contains(name), "{message}");
        }
        assert!(raw(("EnhanceConfig", json!({"VideoEnhance": {"Denoise": {"Switch": "OFF"}}}))).is_ok());
        assert!(raw(("TEHDConfig", json!({"Type": ""}))).is_ok());
    }

    #[test]
    fn a_refusal_says_which_item_and_where_its_parameters_come_from() {
        let message = |item: Value| read(item).unwrap_err().message;
        assert!(
            message(json!({"Definition": 100_730}))
                .starts_with("MediaProcessTask.TranscodeTaskSet.0: template 100730: TEHDConfig")
        );
        let over = json!({"VideoTemplate": {"Height": 127}});
        assert!(
            message(json!({"Definition": 100_010, "OverrideParameter": over}))
                .contains(".0: template 100010 with OverrideParameter: Height is 127")
        );
        assert!(
            message(json!({"Definition": 0, "RawParameter": {"Container": "xyz"}}))
                .contains(".0.RawParameter: Container \"xyz\"")
        );
        assert!(
            message(json!({"Definition": 100_010, "StartTimeOffset": 5, "EndTimeOffset": 3}))
                .starts_with("MediaProcessTask.TranscodeTaskSet.0: StartTimeOffset 5")
        );
    }

    #[test]
    fn a_missing_encoder_is_refused_by_name() {
        let source = source();
        let place = Place { source: &source, directory: None, storage: &Value::Null };
        let item = json!({"Definition": 100_010});
        let template = presets::transcode::find(100_010).map(|preset| preset.body.clone());
        let error = from_wire(
            &Item { nth: 0, value: &item, template: template.as_ref(), place, marks: &[], given: &[] },
            &Build::with(["aac"], []),
        )
        .unwrap_err();
        assert_eq!(error.code, "UnsupportedOperation");
        assert!(error.message.contains("libx264"), "{}", error.message);
    }

    #[test]
    fn a_quality_that_would_not_count_is_refused() {
        let of = |container: &str, codec: &str, more: Value| {
            let mut video = json!({"Codec": codec, "Fps": 25, "Bitrate": 2000, "Vcrf": 20});
            video.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let raw = json!({"Container": container, "RemoveAudio": 1, "VideoTemplate": video});
            read(json!({"Definition": 0, "RawParameter": raw})).map_err(|error| error.message)
        };
        for (container, codec) in [("mxf", "mpeg2"), ("mxf", "dnxhd")] {
            assert!(of(container, codec, json!({})).unwrap_err().contains("Vcrf"), "{codec}");
        }
        assert!(of("mxf", "dnxhd", json!({"Mode": "CRF"})).is_err());
        assert!(of("mxf", "mpeg2", json!({"Mode": "CRF"})).is_ok());
        assert!(of("mp4", "h264", json!({})).is_ok());
    }

    #[test]
    fn an_item_may_have_its_own_storage() {
        let own = json!({"Type": "COS", "CosOutputStorage": {"Bucket": "c-1", "Region": "ap-beijing"}});
        let step = read(json!({"Definition": 100_010, "OutputStorage": own})).unwrap();
        assert_eq!(step.storage, own);
        assert_eq!(
            read(json!({"Definition": 100_010})).unwrap().storage["CosOutputStorage"]["Bucket"],
            "b-1"
        );
    }
}
