//! From one item of `MediaProcessTask.AdaptiveDynamicStreamingTaskSet` to what a worker needs.

use std::borrow::Cow;

use mps_wire::ApiError;
use mps_wire::codes::{invalid_parameter_value, unsupported_operation};
use serde_json::Value;

use super::params::{Format, Naming, Params, Sound, StepParams};
use super::{LIST, encryption, names, streams};
use crate::drm::Drm;
use crate::features::added::{self, Added, List};
use crate::features::item::{definition, pattern};
use crate::features::{Item, burn, marks};
use crate::plan::Build;
use crate::templates::{self, Family as _};

/// Most times of key frames; ours, as the API names no limit.
const MOST_KEY_TIMES: usize = 1000;

/// Checks an item.
///
/// # Errors
/// The API's own codes, each naming the item and the member or the template.
pub(super) fn from_wire(item: &Item<'_>, build: &Build) -> Result<StepParams, ApiError> {
    let here = item.path(LIST);
    let body = body(item, &here)?;
    let number = definition(item.value);
    let params = streams::read(&body, build).map_err(|error| {
        let message = format!("{here}: template {number}: {}", error.message);
        ApiError { message, ..error }
    })?;
    check_kind(item.value, &body, &here)?;
    let list = List {
        holder: item.value,
        above: "",
        list: "AddOnAudios",
        input: "InputInfo",
        labels: ("AudioName", "AudioLanguage"),
    };
    let sounds = added::read(list, item.given, &here)?;
    if !sounds.is_empty() && params.streams.iter().all(|stream| stream.tracks.is_empty()) {
        return Err(invalid_parameter_value(format!(
            "{here}.AddOnAudios: no stream of template {number} says how sound is coded"
        )));
    }
    let captions = added::captions(item.value, "", item.given, &here)?;
    check_languages(&params, &sounds, &here)?;
    let segment_type = body["SegmentType"].as_str().unwrap_or_default();
    let drm = encryption::from_wire(item.value, &params, segment_type, &here)?;
    let is_of_samples = drm.as_ref().is_some_and(Drm::is_of_samples);
    if (is_of_samples || needs_packager(&params, &sounds)) && !build.has_packager {
        return Err(unsupported_operation(format!(
            "{here}: this server lacks the packager that these segments need; without it there is HLS of ts-segment \
             and mp4-segment with one track of sound"
        )));
    }
    let marks = marks::from_wire(item.value, item.marks, &here, false, build)?;
    if !marks.is_empty() && params.streams.iter().all(|stream| stream.video().is_none()) {
        return Err(invalid_parameter_value(format!("{here}.WatermarkSet: the template has no pictures")));
    }
    let burn = match &item.value["SubtitleTemplate"] {
        template if template.as_object().is_none_or(serde_json::Map::is_empty) => None,
        _ if params.streams.iter().all(|stream| stream.video().is_none()) => {
            let told = format!("{here}.SubtitleTemplate: the template has no pictures");
            return Err(invalid_parameter_value(told));
        }
        template => {
            let here = format!("{here}.SubtitleTemplate");
            Some(burn::from_wire(template, item.given, "SubtitleTemplate", &here, build)?)
        }
    };
    let step = StepParams {
        definition: number,
        item: item.nth,
        key_times_us: key_times(item.value, &params, &here)?,
        naming: naming(item, params.format, &here)?,
        source: item.place.source.clone(),
        storage: item.storage(),
        params,
        sounds,
        captions,
        marks,
        burn,
        drm,
    };
    names::check(&step, &here)?;
    Ok(step)
}

/// The body that counts: the template's, with the streams of the call in place of its own.
fn body<'a>(item: &'a Item<'_>, here: &str) -> Result<Cow<'a, Value>, ApiError> {
    let body = item.body(LIST)?;
    let own = &item.value["StdExtStreamInfos"];
    if own.as_array().is_none_or(Vec::is_empty) {
        return Ok(Cow::Borrowed(body));
    }
    let mut body = body.clone();
    body["StreamInfos"] = own.clone();
    let family = templates::adaptive_dynamic_streaming::AdaptiveDynamicStreaming;
    family.check(&body).map_err(|error| ApiError {
        message: format!("{here}.StdExtStreamInfos: {}", error.message),
        ..error
    })?;
    Ok(Cow::Owned(body))
}

fn needs_packager(params: &Params, sounds: &[Added]) -> bool {
    let segments = params.segments;
    let is_apart = segments.sound == Sound::Apart || params.has_several_tracks() || !sounds.is_empty();
    params.format == Format::Dash || segments.sound == Sound::Packed || (segments.is_mp4 && is_apart)
}

fn check_kind(item: &Value, body: &Value, here: &str) -> Result<(), ApiError> {
    let is_pure_audio = body["PureAudio"] == 1;
    let expected = match item["DefinitionType"].as_str().unwrap_or_default() {
        "" => return Ok(()),
        "Common" => false,
        "PureAudio" => true,
        other => {
            let told = format!("{here}.DefinitionType {other:?} is not one of Common, PureAudio");
            return Err(invalid_parameter_value(told));
        }
    };
    if expected == is_pure_audio {
        return Ok(());
    }
    let kind = if is_pure_audio { "PureAudio" } else { "Common" };
    Err(invalid_parameter_value(format!("{here}.DefinitionType: the template is of the type {kind}")))
}

/// Players of DASH tell tracks apart by their languages alone.
fn check_languages(params: &Params, sounds: &[Added], here: &str) -> Result<(), ApiError> {
    if params.format != Format::Dash {
        return Ok(());
    }
    for (nth, stream) in params.streams.iter().enumerate() {
        let mut languages: Vec<&str> = stream.tracks.iter().map(names::language).collect();
        if !languages.is_empty() {
            languages.extend(sounds.iter().map(|sound| sound.language.as_str()));
        }
        let count = languages.len();
        languages.sort_unstable();
        languages.dedup();
        if languages.len() != count {
            return Err(invalid_parameter_value(format!(
                "{here}: StreamInfos.{nth} has several tracks of one language, which MPEG-DASH cannot tell apart: \
                 give each its AudioLanguage"
            )));
        }
    }
    Ok(())
}

fn key_times(item: &Value, params: &Params, here: &str) -> Result<Vec<i64>, ApiError> {
    let list = item["KeyPTSList"].as_array().map(Vec::as_slice).unwrap_or_default();
    let here = format!("{here}.KeyPTSList");
    if list.len() > MOST_KEY_TIMES {
        let told = format!("{here} has {} times; {MOST_KEY_TIMES} is the most", list.len());
        return Err(invalid_parameter_value(told));
    }
    let mut times = Vec::new();
    for time in list {
        let ms = time.as_i64().filter(|ms| (0..=100_000_000_000).contains(ms));
        times.push(ms.ok_or_else(|| invalid_parameter_value(format!("{here}: {time} is no time")))? * 1000);
    }
    times.sort_unstable();
    times.dedup();
    if times.is_empty() {
        return Ok(times);
    }
    let Some(video) = params.streams.iter().find_map(|stream| stream.video()) else {
        return Err(invalid_parameter_value(format!("{here}: the template has no pictures")));
    };
    if params.hls().first.is_some() {
        return Err(unsupported_operation(format!(
            "{here} cannot be used together with SegmentSpecificInfo"
        )));
    }
    let deaf = crate::features::transcode::words::VideoCodec::H266;
    if video.codec == deaf || params.streams.iter().filter_map(|s| s.video()).any(|v| v.codec == deaf) {
        return Err(unsupported_operation(format!("{here} cannot be used with h266")));
    }
    Ok(times)
}

fn naming(item: &Item<'_>, format: Format, here: &str) -> Result<Naming, ApiError> {
    let value = item.value;
    let (manifest, _) = pattern(value, "OutputObjectPath", names::MANIFEST, names::MANIFEST_VARIABLES, here)?;
    let relative = |name: &str, usual: &str, allowed: &[crate::names::Variable]| {
        let (text, parsed) = pattern(value, name, usual, allowed, here)?;
        if parsed.is_absolute() {
            return Err(invalid_parameter_value(format!("{here}.{name} must be a relative path")));
        }
        Ok(text)
    };
    let sub_stream = relative("SubStreamObjectName", names::SUB_STREAM, names::SUB_STREAM_VARIABLES)?;
    let segment = relative("SegmentObjectName", names::SEGMENT, names::SEGMENT_VARIABLES)?;
    if format == Format::Dash && value["SegmentObjectName"].as_str().is_some_and(|name| !name.is_empty()) {
        return Err(invalid_parameter_value(format!(
            "{here}.SegmentObjectName is for HLS: the streams of MPEG-DASH are one file each"
        )));
    }
    Ok(Naming { directory: item.directory(), manifest, sub_stream, segment })
}
