//! What can be asked of the API but not of this server: features that are not built and encoders that the
//! installed ffmpeg lacks. Refused by name when the request comes, never in a worker.

use mps_wire::codes::unsupported_operation;
use mps_wire::types::RawTranscodeParameter;
use mps_wire::{ApiError, Refused};
use serde_json::Value;

use super::params::{Audio, Params, Rate, Video, VideoEncode};
use super::words::VideoCodec;
use crate::plan::Build;

const BLIND: &str = "digital watermarks are not built yet";
const MERGED: &str = "the API heeds it in adaptive streaming alone";
const EXTRA: &str = "extra parameters of a vendor's own kind have no meaning here";

/// Members of `MediaProcessTask.TranscodeTaskSet` that are refused wherever they stand.
pub const REFUSED: &[Refused] = &[
    Refused {
        path: "MediaProcessTask.TranscodeTaskSet.OutputStorage.VODOutputStorage",
        why: "there is no VOD service here",
    },
    Refused { path: "MediaProcessTask.TranscodeTaskSet.BlindWatermark", why: BLIND },
    Refused {
        path: "MediaProcessTask.TranscodeTaskSet.RawParameter.AudioTemplate.TrackChannelInfo",
        why: MERGED,
    },
];

/// Refuses what `body` (the same as `typed`, with what only updates know) asks for and this server does not do.
///
/// # Errors
/// `UnsupportedOperation` naming the member or the codec.
pub fn check(
    body: &Value,
    typed: &RawTranscodeParameter,
    params: &Params,
    build: &Build,
) -> Result<(), ApiError> {
    if let Some(kind) = typed.tehd_config.as_ref().and_then(|c| c.r#type.as_deref())
        && !matches!(kind, "" | "Common")
    {
        return Err(unsupported("TEHDConfig", "the top-speed codec is not built yet"));
    }
    if is_enhancing(&body["EnhanceConfig"]) {
        return Err(unsupported("EnhanceConfig", "enhancement is not built yet"));
    }
    if typed.std_ext_info.as_deref().is_some_and(|text| !text.trim().is_empty()) {
        return Err(unsupported("StdExtInfo", EXTRA));
    }
    let video = typed.video_template.as_ref();
    if params.video.is_some() && video.and_then(|v| v.scenario_based) == Some(1) {
        return Err(unsupported("VideoTemplate.ScenarioBased", "scene types are not built yet"));
    }
    if body["VideoTemplate"]["ContentAdaptStream"].as_i64().unwrap_or(0) != 0 {
        return Err(unsupported("VideoTemplate.ContentAdaptStream", "it is not built yet"));
    }
    if let Some(Video::Encode(video)) = &params.video {
        check_quality(video)?;
    }
    let audio = typed.audio_template.as_ref();
    if params.audio.is_some() && audio.is_some_and(|a| a.track_channel_info.is_some()) {
        return Err(unsupported("AudioTemplate.TrackChannelInfo", MERGED));
    }
    encoders(params, build)
}

/// Refuses a quality that the encoder would not heed.
fn check_quality(video: &VideoEncode) -> Result<(), ApiError> {
    let word = video.codec.word();
    match video.codec {
        _ if video.crf.is_none() => Ok(()),
        VideoCodec::Dnxhd => Err(unsupported(
            "VideoTemplate.Vcrf",
            "the quality of dnxhd follows from the size of the picture",
        )),
        VideoCodec::H266 | VideoCodec::Mpeg2 if video.rate != Rate::Crf => {
            let why = format!("{word} goes by the Bitrate; set Mode to CRF, or leave Vcrf out");
            Err(unsupported("VideoTemplate.Vcrf", &why))
        }
        _ => Ok(()),
    }
}

/// Refuses codecs that the installed ffmpeg cannot encode.
fn encoders(params: &Params, build: &Build) -> Result<(), ApiError> {
    if let Some(Video::Encode(video)) = &params.video {
        let codec = video.codec.word();
        match video.codec.encoder() {
            None => return Err(unsupported_operation(format!("no encoder for {codec} video exists here"))),
            Some(encoder) if !build.encodes(encoder) => {
                return Err(unsupported_operation(format!(
                    "this server cannot encode {codec} video: its ffmpeg lacks {encoder}"
                )));
            }
            Some(_) => {}
        }
    }
    if let Some(Audio::Encode(audio)) = &params.audio {
        let encoder = audio.codec.encoder();
        if !build.encodes(encoder) {
            return Err(unsupported_operation(format!(
                "this server cannot encode {} audio: its ffmpeg lacks {encoder}",
                audio.codec.word()
            )));
        }
    }
    Ok(())
}

fn unsupported(member: &str, why: &str) -> ApiError {
    unsupported_operation(format!("{member} cannot be used: {why}"))
}

/// Whether any part of an `EnhanceConfig` is switched on; a part without `Switch` is.
pub fn is_enhancing(config: &Value) -> bool {
    let Some(kinds) = config.as_object() else { return false };
    kinds.values().filter_map(Value::as_object).flat_map(|kind| kind.values()).any(|part| match part {
        Value::Object(part) => part.get("Switch").and_then(Value::as_str) != Some("OFF"),
        Value::String(scene) => !scene.is_empty(),
        _ => false,
    })
}
