//! Names of a ladder's objects.

use mps_core::Result;
use mps_wire::ApiError;
use mps_wire::codes::invalid_parameter_value;

use super::params::{Format, StepParams, Track};
use crate::features::transcode::params::Audio;
use crate::hls::SUB_STREAM_SEGMENT_VARIABLES;
use crate::names::{Pattern, Values, Variable};

/// Default name of the manifest.
pub(super) const MANIFEST: &str = "{inputName}_adaptiveDynamicStreaming_{definition}.{format}";
/// Default name of a stream.
pub(super) const SUB_STREAM: &str =
    "{inputName}_adaptiveDynamicStreaming_{definition}_{subStreamNumber}.{format}";
/// Default name of a segment.
pub(super) const SEGMENT: &str =
    "{inputName}_adaptiveDynamicStreaming_{definition}_{subStreamNumber}_{segmentNumber}.{format}";

/// Variables that the name of the manifest may use.
pub(super) const MANIFEST_VARIABLES: &[Variable] =
    &[Variable::InputName, Variable::InputFormat, Variable::Definition, Variable::Format, Variable::TaskId];
/// Variables that names of streams may use.
pub(super) const SUB_STREAM_VARIABLES: &[Variable] = &[
    Variable::InputName,
    Variable::InputFormat,
    Variable::Definition,
    Variable::Format,
    Variable::SubStreamNumber,
    Variable::TaskId,
];
/// Variables that names of segments may use.
pub(super) const SEGMENT_VARIABLES: &[Variable] = SUB_STREAM_SEGMENT_VARIABLES;

/// Key of the manifest.
///
/// # Errors
/// `InvalidInput` when the source's name makes it unsafe or too long.
pub(super) fn manifest(step: &StepParams, task_id: &str) -> Result<String> {
    let values = values(step, step.params.format.extension(), "", task_id);
    Pattern::parse(&step.naming.manifest, MANIFEST_VARIABLES)?.key(&step.naming.directory, &values)
}

/// Directory of the manifest, where the names of streams and segments begin.
pub(super) fn directory(manifest: &str) -> String {
    manifest.rsplit_once('/').map_or_else(|| "/".to_owned(), |(directory, _)| format!("{directory}/"))
}

/// Key of the `nth` stream.
///
/// # Errors
/// `InvalidInput` when the source's name makes it unsafe or too long.
pub(super) fn sub_stream(
    step: &StepParams,
    directory: &str,
    nth: usize,
    extension: &str,
    task_id: &str,
) -> Result<String> {
    let number = nth.to_string();
    let values = values(step, extension, &number, task_id);
    Pattern::parse(&step.naming.sub_stream, SUB_STREAM_VARIABLES)?.key(directory, &values)
}

fn values<'a>(step: &'a StepParams, format: &'a str, number: &'a str, task_id: &'a str) -> Values<'a> {
    Values {
        input_name: &step.source.name,
        input_format: &step.source.format,
        definition: step.definition,
        format,
        sub_stream_number: number,
        task_id,
        ..Values::default()
    }
}

/// Refuses patterns that give one name to several objects.
///
/// # Errors
/// `InvalidParameterValue` naming the member.
pub(super) fn check(step: &StepParams, here: &str) -> std::result::Result<(), ApiError> {
    let unsafe_name =
        |error: mps_core::Error| invalid_parameter_value(format!("{here}: {}", error.message()));
    let manifest = manifest(step, "id").map_err(unsafe_name)?;
    let directory = directory(&manifest);
    let extension = match step.params.format {
        Format::Hls => "m3u8",
        Format::Dash => "mp4",
    };
    let refused = |name: &str, variable: &str| {
        invalid_parameter_value(format!(
            "{here}.{name} must contain {{{variable}}}, or several files would get one name"
        ))
    };
    let count = streams_at_most(step);
    let mut keys = vec![manifest];
    for nth in 0..count {
        keys.push(sub_stream(step, &directory, nth, extension, "id").map_err(unsafe_name)?);
    }
    if keys[1..].windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(refused("SubStreamObjectName", "subStreamNumber"));
    }
    if keys[1..].contains(&keys[0]) {
        return Err(invalid_parameter_value(format!(
            "{here}.SubStreamObjectName gives a stream the name of the manifest"
        )));
    }
    if step.params.format == Format::Hls {
        let pattern = Pattern::parse(&step.naming.segment, SEGMENT_VARIABLES).map_err(unsafe_name)?;
        if count > 1 && !pattern.uses(Variable::SubStreamNumber) {
            return Err(refused("SegmentObjectName", "subStreamNumber"));
        }
        let is_numbered = pattern.uses(Variable::SegmentNumber) || pattern.uses(Variable::Number);
        if !step.params.segments.is_range && !is_numbered {
            return Err(refused("SegmentObjectName", "segmentNumber"));
        }
    }
    Ok(())
}

/// As many streams as the step may come to have, sound and subtitles of their own among them.
fn streams_at_most(step: &StepParams) -> usize {
    let streams = step.params.streams.iter();
    let tracks: usize = streams.clone().map(|stream| stream.tracks.len()).sum();
    let is_plain = streams.clone().all(|stream| stream.tracks.len() + step.sounds.len() <= 1);
    let apart = if step.may_join() && is_plain { 0 } else { tracks };
    streams.count() + apart + step.sounds.len() + step.captions.len()
}

/// The language that a track is given; empty is the source's.
pub(super) fn language(track: &Track) -> &str {
    match &track.audio {
        Audio::Encode(encode) => encode.language.as_deref().unwrap_or_default(),
        Audio::Copy => "",
    }
}
