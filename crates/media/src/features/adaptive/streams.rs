//! From `StreamInfos` of a template to checked streams: each obeys the rules of a transcode into the files that its
//! segments are.

use mps_wire::ApiError;
use mps_wire::codes::{invalid_parameter, invalid_parameter_value, unsupported_operation, value_of};
use mps_wire::types::{AudioTemplateInfo, RawTranscodeParameter, VideoTemplateInfo};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::mix;
pub use super::params::Format;
use super::params::{Params, Segments, Sound, Stream, Track};
use crate::features::transcode::params::{Audio, Gop, Hls, Video};
use crate::features::transcode::words::{AudioCodec, VideoCodec};
use crate::features::transcode::{check, support};
use crate::plan::Build;

/// The container whose rules pictures obey.
pub fn picture_container(format: Format, segments: &str, codec: &str) -> &'static str {
    // The API names AV1 for MP4 alone, which segments of MPEG-4 are too.
    let is_av1_in_mp4 = codec == "av1" && segments.starts_with("mp4");
    if format == Format::Dash || is_av1_in_mp4 { "mp4" } else { "hls" }
}

/// The container whose rules sound obeys.
pub const fn sound_container(format: Format) -> &'static str {
    match format {
        Format::Hls => "hls",
        Format::Dash => "mp4",
    }
}

/// The streams of a template whose rules were checked when it was stored.
///
/// # Errors
/// The codes of [`check`](check::check) and `UnsupportedOperation` naming the member, each naming the stream.
pub fn read(body: &Value, build: &Build) -> Result<Params, ApiError> {
    let format = if body["Format"] == "MPEG-DASH" { Format::Dash } else { Format::Hls };
    let word = body["SegmentType"].as_str().unwrap_or_default();
    let segments = Segments::from_word(word, format).ok_or_else(|| {
        value_of("SegmentType", format!("SegmentType {word:?} does not go with {}", format.word()))
    })?;
    let mut streams = Vec::new();
    for (nth, stream) in body["StreamInfos"].as_array().into_iter().flatten().enumerate() {
        let read = read_stream(stream, format, segments, word, build);
        streams.push(read.map_err(|error| ApiError {
            message: format!("StreamInfos.{nth}: {}", error.message),
            ..error
        })?);
    }
    let params = Params {
        format,
        segments,
        streams,
        no_higher_bitrate: body["DisableHigherVideoBitrate"] == 1,
        no_higher_resolution: body["DisableHigherVideoResolution"] == 1,
    };
    if format == Format::Dash && params.hls().first.is_some() {
        let told = "SegmentSpecificInfo cannot be used: segments of MPEG-DASH all have one length";
        return Err(unsupported_operation(told));
    }
    Ok(params)
}

fn read_stream(
    stream: &Value,
    format: Format,
    segments: Segments,
    word: &str,
    build: &Build,
) -> Result<Stream, ApiError> {
    let codec = stream["Video"]["Codec"].as_str().unwrap_or_default();
    let has_video = stream["RemoveVideo"] != 1;
    let pictures = RawTranscodeParameter {
        container: Some(picture_container(format, word, codec).to_owned()),
        video_template: if has_video { typed::<VideoTemplateInfo>(&stream["Video"])? } else { None },
        remove_audio: Some(1),
        ..RawTranscodeParameter::default()
    };
    let mut encoding = None;
    if has_video {
        let checked = check::check_preset(&pictures)?;
        support::check(&json!({"VideoTemplate": stream["Video"]}), &pictures, &checked, build)?;
        check_pictures(checked.video.as_ref(), format, segments)?;
        encoding = Some(checked);
    }
    let mut tracks = Vec::new();
    if stream["RemoveAudio"] != 1 {
        let list = stream["AudioList"].as_array().map(Vec::as_slice).unwrap_or_default();
        let list = if list.is_empty() { std::slice::from_ref(&stream["Audio"]) } else { list };
        for audio in list {
            let mut template = typed::<AudioTemplateInfo>(audio)?;
            if let Some(template) = &mut template {
                // Which track it is says nothing about how it is coded.
                template.track_channel_info = None;
            }
            let alone = RawTranscodeParameter {
                container: Some(sound_container(format).to_owned()),
                audio_template: template,
                remove_video: Some(1),
                ..RawTranscodeParameter::default()
            };
            let checked = check::check_preset(&alone)?;
            support::check(&Value::Null, &alone, &checked, build)?;
            let sound = checked.audio.clone().ok_or_else(|| invalid_parameter("the sound cannot be read"))?;
            check_sound(&sound, format, segments)?;
            let (stream_index, mix) = mix::read(&audio["TrackChannelInfo"], &sound)?;
            let is_default = audio["DefaultTrack"] == true;
            tracks.push(Track { mix, stream_index, audio: sound, is_default });
            encoding.get_or_insert(checked);
        }
    }
    let mut encoding =
        encoding.ok_or_else(|| value_of("RemoveAudio", "a stream has neither video nor audio"))?;
    if !has_video {
        // The length of segments is a member of the pictures, which may be described although there are none.
        encoding.hls = Hls { seconds: seconds(&stream["Video"])?, ..Hls::default() };
    }
    Ok(Stream { encoding, tracks })
}

fn seconds(video: &Value) -> Result<u32, ApiError> {
    match video["HlsTime"].as_u64().unwrap_or(0) {
        seconds @ 0..=10 => Ok(seconds as u32),
        other => {
            Err(value_of("HlsTime", format!("HlsTime is {other}; it must be more than 0 and at most 10")))
        }
    }
}

/// Refuses pictures that the packaging cannot hold.
fn check_pictures(video: Option<&Video>, format: Format, segments: Segments) -> Result<(), ApiError> {
    let Some(Video::Encode(video)) = video else {
        return Err(value_of(
            "VideoCodec",
            "Video.Codec cannot be copy: a ladder is made of encoded pictures",
        ));
    };
    let word = video.codec.word();
    if format == Format::Dash && video.codec == VideoCodec::H266 {
        return Err(unsupported_operation(format!(
            "Video.Codec {word} cannot be packaged as MPEG-DASH here"
        )));
    }
    if !segments.is_mp4 && video.codec == VideoCodec::Av1 {
        return Err(unsupported_operation(format!(
            "Video.Codec {word} does not go into transport streams: take a SegmentType of mp4"
        )));
    }
    if video.codec == VideoCodec::H266
        && matches!(video.gop, Gop::Frames(_) | Gop::Seconds(_))
        && video.scene_cut
    {
        return Err(invalid_parameter_value("Video.NoScenecut cannot be used with h266"));
    }
    Ok(())
}

/// Refuses sound that the packaging cannot hold.
fn check_sound(audio: &Audio, format: Format, segments: Segments) -> Result<(), ApiError> {
    let Audio::Encode(audio) = audio else {
        return Err(unsupported_operation(
            "Audio.Codec copy cannot be used in adaptive streams: sound is encoded so that its segments match",
        ));
    };
    let is_packable = matches!(audio.codec, AudioCodec::Aac | AudioCodec::Ac3 | AudioCodec::Eac3);
    let word = audio.codec.word();
    if format == Format::Dash && !is_packable {
        return Err(unsupported_operation(format!(
            "Audio.Codec {word} cannot be packaged as MPEG-DASH here"
        )));
    }
    if segments.sound == Sound::Packed && !is_packable {
        return Err(unsupported_operation(format!(
            "Audio.Codec {word} cannot be packed audio here; take aac"
        )));
    }
    Ok(())
}

fn typed<T: DeserializeOwned>(value: &Value) -> Result<Option<T>, ApiError> {
    if value.is_null() {
        return Ok(None);
    }
    let unreadable = |error| invalid_parameter(format!("a stream cannot be read: {error}"));
    T::deserialize(value).map(Some).map_err(unreadable)
}
