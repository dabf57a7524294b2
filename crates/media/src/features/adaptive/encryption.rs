//! Which encrypted tracks a ladder has, and what of a template can be encrypted.

use mps_core::media_info::MediaInfo;
use mps_wire::ApiError;
use serde_json::Value;

use super::ladder::Rung;
use super::layout::Layout;
use super::params::{Format, Params, StepParams};
use crate::drm::tracks::{Kind, Track};
use crate::drm::{self, Drm, Package};
use crate::features::transcode::params::Audio;
use crate::plan::Encrypted;

/// Reads `DrmInfo` of the item at `here`, whose template has this `SegmentType`.
///
/// # Errors
/// Those of [`drm::from_wire`].
pub(super) fn from_wire(
    item: &Value,
    params: &Params,
    segment_type: &str,
    here: &str,
) -> Result<Option<Drm>, ApiError> {
    let info = &item["DrmInfo"];
    if info.is_null() {
        return Ok(None);
    }
    let segment_type = match (segment_type, params.format) {
        ("", Format::Hls) => "ts-segment",
        ("", Format::Dash) => "mp4-byterange",
        (word, _) => word,
    };
    let mut codecs: Vec<&str> = Vec::new();
    for stream in &params.streams {
        codecs.extend(stream.video().map(|video| video.codec.word()));
        codecs.extend(stream.tracks.iter().filter_map(|track| match &track.audio {
            Audio::Encode(encode) => Some(encode.codec.word()),
            Audio::Copy => None,
        }));
    }
    let package = Package { format: params.format.word(), segment_type, codecs: &codecs };
    drm::from_wire(here, info, package).map(Some)
}

/// The parts that are encrypted: all but subtitles. Empty without encryption.
pub(super) fn encrypted(
    step: &StepParams,
    rungs: &[Rung],
    layout: &Layout,
    info: &MediaInfo,
    task_id: &str,
) -> Vec<Encrypted> {
    if step.drm.is_none() {
        return Vec::new();
    }
    let track = |nth: usize| {
        let part = &layout.parts[nth];
        let rung = part.video.or_else(|| only_one(layout, part.sound?));
        let geometry = part.video.and_then(|rung| rungs[rung].geometry(info.main_video()?));
        Track {
            // Other films under the same id and vector must not be counted over the same numbers.
            label: format!("{task_id}-{}-{nth}", step.item),
            stream: rung.map(|rung| rung as u32),
            kind: if part.video.is_some() { Kind::Video } else { Kind::Audio },
            // Of a film on its side too, the class is that of its lines.
            height: geometry.map_or(0, |geometry| geometry.frame.0.min(geometry.frame.1)),
        }
    };
    (0..layout.parts.len()).map(|nth| Encrypted { file: layout.part_file(nth), track: track(nth) }).collect()
}

/// The rung that has this sound, if no other has it.
fn only_one(layout: &Layout, sound: usize) -> Option<usize> {
    let mut owners = (0..layout.of_rung.len()).filter(|rung| layout.of_rung[*rung].contains(&sound));
    owners.next().filter(|_| owners.next().is_none())
}
