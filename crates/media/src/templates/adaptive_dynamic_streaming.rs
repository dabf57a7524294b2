//! Templates of adaptive streams: several renditions under one master playlist.

use mps_wire::ApiError;
use mps_wire::codes::{self, value_of};
use mps_wire::types::{AudioTemplateInfo, RawTranscodeParameter, VideoTemplateInfo};
use serde_json::{Value, json};

use super::rules::{Rule, flag, items, text, word};
use super::{FIRST_OWN, Family, Template, listed, rules};
use crate::features::adaptive::streams::{Format, picture_container, sound_container};
use crate::features::transcode::check;
use crate::presets::{self, Preset};

/// The family.
#[derive(Debug, Clone, Copy)]
pub struct AdaptiveDynamicStreaming;

const RULES: &[Rule] = &[
    word("Format", &["HLS", "MPEG-DASH"]),
    items("StreamInfos", 1, 10),
    flag("StreamInfos.RemoveAudio").code("RemoveAudio"),
    flag("StreamInfos.RemoveVideo").code("RemoveVideo"),
    items("StreamInfos.AudioList", 0, 64),
    flag("DisableHigherVideoBitrate"),
    flag("DisableHigherVideoResolution"),
    flag("PureAudio"),
    word("SegmentType", SEGMENT_TYPES),
    flag("StreamInfos.Audio.TrackChannelInfo.ChannelsRemix"),
    word("StreamInfos.Audio.TrackChannelInfo.SelectType", &["track", "track_channel"]),
    flag("StreamInfos.AudioList.TrackChannelInfo.ChannelsRemix"),
    word("StreamInfos.AudioList.TrackChannelInfo.SelectType", &["track", "track_channel"]),
    text("StreamInfos.Audio.AudioName", 64),
    text("StreamInfos.AudioList.AudioName", 64),
];

const SEGMENT_TYPES: &[&str] = &[
    "ts-segment",
    "ts-byterange",
    "mp4-segment",
    "mp4-byterange",
    "ts-packed-audio",
    "mp4-packed-audio",
    "ts-ts-segment",
    "ts-ts-byterange",
    "mp4-mp4-segment",
    "mp4-mp4-byterange",
    "ts-packed-audio-byterange",
    "mp4-packed-audio-byterange",
];
/// All that DASH can have.
const DASH_SEGMENT_TYPES: &[&str] = &["mp4-byterange", "mp4-mp4-byterange"];

impl Family for AdaptiveDynamicStreaming {
    fn name(&self) -> &'static str {
        "adaptive_dynamic_streaming"
    }

    fn first_definition(&self) -> i64 {
        FIRST_OWN
    }

    fn list_member(&self) -> &'static str {
        "AdaptiveDynamicStreamingTemplateSet"
    }

    fn presets(&self) -> Vec<Preset> {
        presets::adaptive_dynamic_streaming::all()
    }

    fn check(&self, body: &Value) -> Result<(), ApiError> {
        rules::check(body, RULES)?;
        let format = body["Format"].as_str().unwrap_or_default();
        if format.is_empty() {
            return Err(value_of("Format", "Format is empty; it must be HLS or MPEG-DASH"));
        }
        let segments = body["SegmentType"].as_str().unwrap_or_default();
        if format == "MPEG-DASH" && !segments.is_empty() && !DASH_SEGMENT_TYPES.contains(&segments) {
            let told = format!(
                "SegmentType {segments:?} does not go with MPEG-DASH, which has {}",
                DASH_SEGMENT_TYPES.join(", ")
            );
            return Err(value_of("SegmentType", told));
        }
        let is_pure_audio = body["PureAudio"] == 1;
        let streams = body["StreamInfos"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (number, stream) in streams.iter().enumerate() {
            check_stream(format, segments, is_pure_audio, stream).map_err(|error| ApiError {
                message: format!("StreamInfos.{number}: {}", error.message),
                ..error
            })?;
        }
        Ok(())
    }

    fn check_filters(&self, request: &Value) -> Result<(), ApiError> {
        rules::check(request, &[flag("PureAudio")])
    }

    fn passes(&self, template: &Template, request: &Value) -> bool {
        let kind = |value: &Value| value.as_i64().unwrap_or_default();
        request["PureAudio"].is_null() || kind(&request["PureAudio"]) == kind(&template.body["PureAudio"])
    }

    fn item(&self, template: &Template) -> Value {
        let is_dash = template.body["Format"] == "MPEG-DASH";
        let mut item = listed(
            template,
            json!({
                "DisableHigherVideoBitrate": 0,
                "DisableHigherVideoResolution": 0,
                "PureAudio": 0,
                "SegmentType": if is_dash { "mp4-byterange" } else { "ts-segment" },
            }),
        );
        for stream in item["StreamInfos"].as_array_mut().into_iter().flatten() {
            fill(stream, &json!({"RemoveAudio": 0, "RemoveVideo": 0}));
            fill(&mut stream["Video"], &json!({"ResolutionAdaptive": "open", "FillType": "black"}));
            fill(&mut stream["Audio"], &json!({"AudioChannel": 2}));
        }
        item
    }
}

/// Puts the members of `usual` where a structure has none of that name; leaves what is no structure alone.
fn fill(given: &mut Value, usual: &Value) {
    let Some(given) = given.as_object_mut() else { return };
    for (name, value) in usual.as_object().into_iter().flatten() {
        given.entry(name.as_str()).or_insert_with(|| value.clone());
    }
}

fn check_stream(format: &str, segments: &str, is_pure_audio: bool, stream: &Value) -> Result<(), ApiError> {
    let no_video = stream["RemoveVideo"] == 1;
    let no_audio = stream["RemoveAudio"] == 1;
    let codec = stream["Video"]["Codec"].as_str();
    if is_pure_audio {
        if !no_video {
            return Err(value_of("RemoveVideo", "RemoveVideo must be 1 where PureAudio is 1"));
        }
        if no_audio {
            return Err(value_of("RemoveAudio", "RemoveAudio must be 0 where PureAudio is 1"));
        }
        if codec.is_some_and(|codec| codec != "copy") {
            return Err(value_of("VideoCodec", "Video.Codec must be copy where PureAudio is 1"));
        }
    } else {
        if codec == Some("copy") {
            return Err(value_of("VideoCodec", "Video.Codec cannot be copy where PureAudio is 0"));
        }
        if !no_video && stream["Video"]["Fps"].is_null() {
            return Err(codes::missing_parameter("Video.Fps is required where PureAudio is 0"));
        }
    }
    if no_video && no_audio {
        return Err(value_of("RemoveAudio", "nothing is left when both video and audio are removed"));
    }
    let video = if no_video { None } else { read::<VideoTemplateInfo>(&stream["Video"])? };
    // What each rendition is made of obeys the rules of a transcode into the files that its segments are.
    let format = if format == "HLS" { Format::Hls } else { Format::Dash };
    if let Some(video) = video {
        check::check_preset(&RawTranscodeParameter {
            container: Some(picture_container(format, segments, codec.unwrap_or_default()).to_owned()),
            remove_audio: Some(1),
            video_template: Some(video),
            ..RawTranscodeParameter::default()
        })?;
    } else if !no_video {
        return Err(codes::missing_parameter("Video is required unless RemoveVideo is 1"));
    }
    let sound = RawTranscodeParameter {
        container: Some(sound_container(format).to_owned()),
        remove_video: Some(1),
        ..RawTranscodeParameter::default()
    };
    match checked_sound(&stream["Audio"])? {
        None if no_audio => {}
        audio_template => {
            check::check_preset(&RawTranscodeParameter { audio_template, ..sound.clone() })?;
        }
    }
    let list = stream["AudioList"].as_array().map(Vec::as_slice).unwrap_or_default();
    for audio in list {
        let audio_template = checked_sound(audio)?;
        check::check_preset(&RawTranscodeParameter { audio_template, ..sound.clone() })?;
    }
    match list.iter().filter(|audio| audio["DefaultTrack"] == true).count() {
        0 | 1 => Ok(()),
        count => {
            Err(value_of("DefaultTrack", format!("AudioList has {count} default tracks; it can have one")))
        }
    }
}

/// Sound with a rate in its range, which is wider where it is merged of several tracks.
fn checked_sound(value: &Value) -> Result<Option<AudioTemplateInfo>, ApiError> {
    let Some(audio) = read::<AudioTemplateInfo>(value)? else { return Ok(None) };
    let kbps = audio.bitrate.unwrap_or(0);
    let is_merged = audio.track_channel_info.is_some();
    let most = match audio.codec.as_deref() {
        Some("ac3") if is_merged => 640,
        Some("eac3") if is_merged && audio.sample_rate == Some(44_100) => 5644,
        Some("eac3") if is_merged => 6144,
        _ => 256,
    };
    if (26..=most).contains(&kbps) || (kbps == 0 && !is_merged) {
        return Ok(Some(audio));
    }
    let zero = if is_merged { "" } else { "0 or " };
    Err(value_of("AudioBitrate", format!("audio Bitrate is {kbps}; it must be {zero}26 to {most}")))
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> Result<Option<T>, ApiError> {
    if value.is_null() {
        return Ok(None);
    }
    T::deserialize(value)
        .map(Some)
        .map_err(|error| codes::invalid_parameter(format!("a stream cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::testing::{check_cases, stored, with};

    fn whole() -> Value {
        json!({
            "Format": "HLS",
            "StreamInfos": [{
                "Video": {"Codec": "h264", "Fps": 25, "Bitrate": 1000, "Height": 540},
                "Audio": {"Codec": "aac", "Bitrate": 64, "SampleRate": 44100},
            }],
        })
    }

    #[test]
    fn each_member_has_its_range() {
        let ten = vec![whole()["StreamInfos"][0].clone(); 10];
        let eleven = vec![whole()["StreamInfos"][0].clone(); 11];
        check_cases(
            &AdaptiveDynamicStreaming,
            &whole(),
            &[
                ("Format", &[json!("MPEG-DASH")], &[json!("DASH"), json!("")], "Format"),
                ("StreamInfos", &[json!(ten)], &[json!([]), json!(eleven)], ""),
                (
                    "DisableHigherVideoBitrate",
                    &[json!(0), json!(1)],
                    &[json!(2)],
                    "DisableHigherVideoBitrate",
                ),
                ("DisableHigherVideoResolution", &[json!(1)], &[json!(2)], "DisableHigherVideoResolution"),
                ("SegmentType", &[json!("mp4-segment"), json!("ts-ts-byterange")], &[json!("fmp4")], ""),
                ("StreamInfos/0/RemoveAudio", &[json!(0), json!(1)], &[json!(2)], "RemoveAudio"),
                ("StreamInfos/0/Video/Codec", &[json!("h265")], &[json!("copy"), json!("vp9")], "VideoCodec"),
                ("StreamInfos/0/Video/Fps", &[json!(0), json!(120)], &[json!(121)], "Fps"),
                ("StreamInfos/0/Video/Bitrate", &[json!(0), json!(128)], &[json!(127)], "VideoBitrate"),
                ("StreamInfos/0/Video/Width", &[json!(4096)], &[json!(4097)], "Width"),
                (
                    "StreamInfos/0/Audio/Bitrate",
                    &[json!(0), json!(256)],
                    &[json!(25), json!(257)],
                    "AudioBitrate",
                ),
                ("StreamInfos/0/Audio/Codec", &[json!("mp3")], &[json!("opus")], "AudioCodec"),
            ],
        );
    }

    #[test]
    fn dash_has_segments_of_mp4_only() {
        let dash = with(&whole(), "Format", &json!("MPEG-DASH"));
        let code = |kind: &str| {
            AdaptiveDynamicStreaming.check(&with(&dash, "SegmentType", &json!(kind))).err().map(|e| e.message)
        };
        assert_eq!((code("mp4-byterange"), code("mp4-mp4-byterange")), (None, None));
        assert!(code("ts-segment").unwrap().contains("MPEG-DASH"));
    }

    #[test]
    fn a_template_of_sound_has_no_picture_anywhere() {
        let audio = json!({"Codec": "aac", "Bitrate": 64, "SampleRate": 44100});
        let sound = json!({
            "Format": "HLS", "PureAudio": 1,
            "StreamInfos": [{"RemoveVideo": 1, "RemoveAudio": 0, "Video": {"Codec": "copy"}, "Audio": audio}],
        });
        check_cases(
            &AdaptiveDynamicStreaming,
            &sound,
            &[
                ("StreamInfos/0/RemoveVideo", &[], &[json!(0), Value::Null], "RemoveVideo"),
                ("StreamInfos/0/RemoveAudio", &[Value::Null], &[json!(1)], "RemoveAudio"),
                ("StreamInfos/0/Video/Codec", &[], &[json!("h264")], "VideoCodec"),
            ],
        );
        let template = stored(&AdaptiveDynamicStreaming, &sound);
        let passes = |request: Value| AdaptiveDynamicStreaming.passes(&template, &request);
        assert!(passes(json!({})) && passes(json!({"PureAudio": 1})) && !passes(json!({"PureAudio": 0})));
    }

    #[test]
    fn a_picture_needs_a_frame_rate() {
        let error = AdaptiveDynamicStreaming.check(&with(&whole(), "StreamInfos/0/Video/Fps", &Value::Null));
        assert_eq!(error.unwrap_err().code, "MissingParameter");
    }

    #[test]
    fn merged_sound_may_have_more() {
        let tracks =
            json!({"ChannelsRemix": 1, "SelectType": "track", "InputTrackInfo": [{"TrackNum": "1"}]});
        let mut body = whole();
        body["StreamInfos"][0]["Audio"] =
            json!({"Codec": "eac3", "Bitrate": 6144, "SampleRate": 48000, "TrackChannelInfo": tracks});
        assert_eq!(AdaptiveDynamicStreaming.check(&body), Ok(()));
        body["StreamInfos"][0]["Audio"]["SampleRate"] = json!(44_100);
        let error = AdaptiveDynamicStreaming.check(&body).unwrap_err();
        assert_eq!(error.code, "InvalidParameterValue.AudioBitrate");
    }

    #[test]
    fn each_track_of_a_list_is_checked_and_one_is_the_default() {
        let track = |codec: &str, is_default: bool| json!({"Codec": codec, "Bitrate": 64, "SampleRate": 44100, "DefaultTrack": is_default});
        let tracks = |tracks: Vec<Value>| json!(tracks);
        check_cases(
            &AdaptiveDynamicStreaming,
            &whole(),
            &[(
                "StreamInfos/0/AudioList",
                &[
                    tracks(vec![track("aac", true), track("mp3", false)]),
                    tracks(vec![track("aac", false); 64]),
                ],
                &[tracks(vec![track("aac", true); 2]), tracks(vec![track("aac", false); 65])],
                "",
            )],
        );
        let body = with(&whole(), "StreamInfos/0/AudioList", &tracks(vec![track("opus", false)]));
        let error = AdaptiveDynamicStreaming.check(&body).unwrap_err();
        assert_eq!(error.code, "InvalidParameterValue.AudioCodec");
    }
}
