//! From the API's template body to checked [`Params`]: every range, every pair of codec and container, each with
//! the API's own code. Says nothing about what this build can encode; see [`super::support`].

use mps_core::media_info::Ratio;
use mps_wire::ApiError;
use mps_wire::codes::{self, value_of};
use mps_wire::types::{AudioTemplateInfo, RawTranscodeParameter, SegmentSpecificInfo, VideoTemplateInfo};

use super::params::{
    Audio, AudioEncode, Fill, Gop, Hls, Params, Profile, Rate, Segments, Video, VideoEncode,
};
use super::words::{AudioCodec, Container, VideoCodec};
use crate::hls::FirstSegments;

/// Levels of H.264 that the API names.
const H264_LEVELS: &[&str] =
    &["1", "1.1", "1.2", "1.3", "2", "2.1", "2.2", "3", "3.1", "3.2", "4", "4.1", "4.2", "5", "5.1"];
/// Levels of H.265 that the API names.
const H265_LEVELS: &[&str] =
    &["1", "2", "2.1", "3", "3.1", "4", "4.1", "5", "5.1", "5.2", "6", "6.1", "6.2", "8.5"];

/// Checks a whole template body.
///
/// # Errors
/// `InvalidParameterValue` with the member's own code where the API has one, `MissingParameter` for a stream
/// that is wanted but not described.
pub fn check(body: &RawTranscodeParameter) -> Result<Params, ApiError> {
    if let Some(kbps) = body.audio_template.as_ref().and_then(|audio| audio.bitrate)
        && kbps != 0
        && !(26..=256).contains(&kbps)
    {
        return Err(value_of("AudioBitrate", format!("audio Bitrate is {kbps}; it must be 0 or 26 to 256")));
    }
    check_preset(body)
}

/// Like [`check`], for a body that began as one of our presets: two of them have sound outside the range that
/// callers are held to.
///
/// # Errors
/// See [`check`].
pub fn check_preset(body: &RawTranscodeParameter) -> Result<Params, ApiError> {
    let word = body.container.as_deref().unwrap_or_default();
    let container = Container::from_word(word).ok_or_else(|| {
        let known: Vec<_> = Container::ALL.iter().map(|c| c.word()).collect();
        value_of("Container", format!("Container {word:?} is not one of {}", known.join(", ")))
    })?;
    let no_video = flag("RemoveVideo", body.remove_video)?;
    let no_audio = flag("RemoveAudio", body.remove_audio)?;
    if no_audio && (no_video || container.is_audio_only()) {
        return Err(value_of("RemoveAudio", "nothing is left when both video and audio are removed"));
    }
    if no_video && container == Container::Mxf {
        return Err(value_of("RemoveVideo", "mxf needs a video; take wav for sound alone"));
    }
    let video = match &body.video_template {
        Some(template) => Some(check_video(template, container)?),
        None if no_video || container.is_audio_only() => None,
        None => return Err(codes::missing_parameter("VideoTemplate is required unless RemoveVideo is 1")),
    };
    let audio = match &body.audio_template {
        Some(template) => Some(check_audio(template, container)?),
        None if no_audio => None,
        None => return Err(codes::missing_parameter("AudioTemplate is required unless RemoveAudio is 1")),
    };
    let hls = match &body.video_template {
        Some(template) => check_hls(template)?,
        None => Hls::default(),
    };
    if let Some(config) = &body.tehd_config {
        let kind = config.r#type.as_deref().unwrap_or_default();
        if !matches!(kind, "" | "Common" | "TEHD-100" | "TEHD-200") {
            return Err(value_of(
                "TEHDType",
                format!("TEHDConfig.Type {kind:?} is not TEHD-100 or TEHD-200"),
            ));
        }
        if config.max_video_bitrate.unwrap_or(0) < 0 {
            return Err(value_of("VideoBitrate", "TEHDConfig.MaxVideoBitrate must not be negative"));
        }
    }
    Ok(Params {
        container,
        video: video.filter(|_| !no_video && !container.is_audio_only()),
        audio: audio.filter(|_| !no_audio),
        hls,
    })
}

fn flag(name: &'static str, value: Option<i64>) -> Result<bool, ApiError> {
    match value.unwrap_or(0) {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(value_of(name, format!("{name} is {other}; it must be 0 or 1"))),
    }
}

fn word<T: Copy>(name: &str, value: Option<&str>, default: T, words: &[(&str, T)]) -> Result<T, ApiError> {
    match value.unwrap_or_default() {
        "" => Ok(default),
        text => words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            value_of(name, format!("{name} {text:?} is not one of {}", known.join(", ")))
        }),
    }
}

fn check_video(template: &VideoTemplateInfo, container: Container) -> Result<Video, ApiError> {
    let name = template.codec.as_deref().unwrap_or_default();
    let codec = match name {
        "copy" => None,
        _ => Some(VideoCodec::from_word(name).ok_or_else(|| {
            let known: Vec<_> = VideoCodec::ALL.iter().map(|c| c.word()).collect();
            value_of("VideoCodec", format!("video Codec {name:?} is not one of {}, copy", known.join(", ")))
        })?),
    };
    if let Some(codec) = codec
        && !container.is_audio_only()
        && !codec.fits(container)
    {
        return Err(value_of("VideoCodec", format!("{} does not hold {name} video", container.word())));
    }
    let (width, height, by_sides) = check_size(template, codec)?;
    let fps = check_fps(template)?;
    let kbps = template.bitrate.unwrap_or(0);
    if kbps != 0 && !(128..=100_000).contains(&kbps) {
        return Err(value_of(
            "VideoBitrate",
            format!("video Bitrate is {kbps}; it must be 0 or 128 to 100000"),
        ));
    }
    let encode = VideoEncode {
        codec: codec.unwrap_or(VideoCodec::H264),
        fps,
        bitrate_bps: kbps.unsigned_abs() * 1000,
        width,
        height,
        by_sides,
        fill: word("FillType", template.fill_type.as_deref(), Fill::Black, FILLS)?,
        gop: check_gop(template)?,
        scene_cut: bool_of("NoScenecut", template.no_scenecut)?,
        rate: word("Mode", template.mode.as_deref(), Rate::Vbr, RATES)?,
        crf: small("Vcrf", template.vcrf.map(|v| v.min(1000) as i64), 0, 51)?,
        profile: check_profile(template, codec)?,
        level: check_level(template, codec)?,
        b_frames: check_b_frames(template, codec)?,
        pixel_aspect: word("Sar", template.sar.as_deref(), 1, &[("default", 1), ("1:1", 1), ("2:1", 2)])?,
        bit_depth: check_depth(template, codec)?,
        keeps_timestamps: bool_of("RawPts", template.raw_pts)?,
        compress_percent: small("Compress", template.compress.filter(|c| *c != -1), 0, 100)?,
    };
    check_scene(template)?;
    Ok(if codec.is_none() { Video::Copy } else { Video::Encode(Box::new(encode)) })
}

const FILLS: &[(&str, Fill)] = &[
    ("stretch", Fill::Stretch),
    ("black", Fill::Black),
    ("white", Fill::White),
    ("gauss", Fill::Gauss),
    ("smarttailor", Fill::Crop),
];
const RATES: &[(&str, Rate)] =
    &[("VBR", Rate::Vbr), ("ABR", Rate::Abr), ("CBR", Rate::Cbr), ("VCRF", Rate::Crf), ("CRF", Rate::Crf)];
const SCENES: &[(&str, ())] = &[
    ("normal", ()),
    ("pgc", ()),
    ("materials_video", ()),
    ("ugc", ()),
    ("e-commerce_video", ()),
    ("educational_video", ()),
];
const COMPRESSIONS: &[(&str, ())] =
    &[("ultra_compress", ()), ("standard_compress", ()), ("high_compress", ()), ("low_compress", ())];

fn check_scene(template: &VideoTemplateInfo) -> Result<(), ApiError> {
    bool_of("ScenarioBased", template.scenario_based)?;
    word("SceneType", template.scene_type.as_deref(), (), SCENES)?;
    word("CompressType", template.compress_type.as_deref(), (), COMPRESSIONS)?;
    let layouts = &[("side_by_side", ()), ("top_bottom", ())];
    word("Stereo3dType", template.stereo3d_type.as_deref(), (), layouts)
}

fn bool_of(name: &'static str, value: Option<i64>) -> Result<bool, ApiError> {
    flag(name, value)
}

fn small(name: &str, value: Option<i64>, least: i64, most: i64) -> Result<Option<u8>, ApiError> {
    match value {
        Some(value) if !(least..=most).contains(&value) => {
            Err(value_of(name, format!("{name} is {value}; it must be {least} to {most}")))
        }
        other => Ok(other.and_then(|value| u8::try_from(value).ok())),
    }
}

fn check_size(template: &VideoTemplateInfo, codec: Option<VideoCodec>) -> Result<(u32, u32, bool), ApiError> {
    let most = if codec == Some(VideoCodec::MvHevc) { 7680 } else { 4096 };
    let side = |name: &'static str, value: Option<u64>| match value.unwrap_or(0) {
        0 => Ok(0),
        value if (128..=most).contains(&value) => Ok(value as u32),
        value => Err(value_of(name, format!("{name} is {value}; it must be 0 or 128 to {most}"))),
    };
    let (width, height) = (side("Width", template.width)?, side("Height", template.height)?);
    let adaptive = template.resolution_adaptive.as_deref();
    let by_sides = word("ResolutionAdaptive", adaptive, true, &[("open", true), ("close", false)])?;
    if by_sides && width != 0 && height != 0 && width < height {
        return Err(value_of(
            "Resolution",
            format!(
                "Width {width} is less than Height {height}: with ResolutionAdaptive open they are the longer and the shorter side"
            ),
        ));
    }
    Ok((width, height, by_sides))
}

fn check_fps(template: &VideoTemplateInfo) -> Result<Option<Ratio>, ApiError> {
    let fps = template.fps.unwrap_or(0);
    let denominator = template.fps_denominator.unwrap_or(1);
    if denominator < 1 {
        return Err(value_of("Fps", format!("FpsDenominator is {denominator}; it must be at least 1")));
    }
    // The value is an exact fraction: no rounding lets 120.0001 pass.
    let in_range = fps >= 0 && i128::from(fps) <= 120 * i128::from(denominator);
    if !in_range || denominator > 1_000_000 {
        return Err(value_of("Fps", format!("Fps is {fps}/{denominator}; it must be 0 to 120")));
    }
    if fps == 0 {
        return Ok(None);
    }
    let divisor = gcd(fps, denominator);
    let ratio = Ratio::new(fps / divisor, denominator / divisor);
    if ratio.num < ratio.den && ratio.den > ratio.num * 3600 {
        return Err(value_of("Fps", format!("Fps is {fps}/{denominator}: less than a frame an hour")));
    }
    Ok(Some(ratio))
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

fn check_gop(template: &VideoTemplateInfo) -> Result<Gop, ApiError> {
    let units = &[("frame", false), ("second", true)];
    let in_seconds = word("GopUnit", template.gop_unit.as_deref(), false, units)
        .map_err(|error| value_of("Gop", error.message))?;
    match template.gop.unwrap_or(0) {
        0 => Ok(Gop::Auto),
        gop if gop > 100_000 => Err(value_of("Gop", format!("Gop is {gop}; it must be 0 or 1 to 100000"))),
        gop if in_seconds => Ok(Gop::Seconds(gop as u32)),
        gop => Ok(Gop::Frames(gop as u32)),
    }
}

fn check_profile(
    template: &VideoTemplateInfo,
    codec: Option<VideoCodec>,
) -> Result<Option<Profile>, ApiError> {
    let words = &[
        ("default", None),
        ("baseline", Some(Profile::Baseline)),
        ("main", Some(Profile::Main)),
        ("high", Some(Profile::High)),
    ];
    let profile = word("VideoProfile", template.video_profile.as_deref(), None, words)?;
    if profile.is_some() && codec.is_some_and(|c| c != VideoCodec::H264) {
        return Err(value_of("VideoProfile", "VideoProfile can be chosen for h264 only"));
    }
    Ok(profile)
}

fn check_level(template: &VideoTemplateInfo, codec: Option<VideoCodec>) -> Result<Option<String>, ApiError> {
    let Some(level) = template.video_level.as_deref().map(str::trim).filter(|l| !l.is_empty()) else {
        return Ok(None);
    };
    let known = match codec {
        Some(VideoCodec::H264) => H264_LEVELS,
        Some(VideoCodec::H265) => H265_LEVELS,
        None => return Ok(None),
        Some(_) => &[],
    };
    if known.contains(&level) {
        return Ok(Some(level.to_owned()));
    }
    let message = match known {
        [] => "VideoLevel can be chosen for h264 and h265 only".to_owned(),
        _ => format!("VideoLevel {level:?} is not one of {}", known.join(", ")),
    };
    Err(value_of("VideoLevel", message))
}

fn check_b_frames(template: &VideoTemplateInfo, codec: Option<VideoCodec>) -> Result<Option<u8>, ApiError> {
    let count = small("Bframes", template.bframes.filter(|count| *count != -1), 0, 16)?;
    match codec {
        Some(VideoCodec::H264 | VideoCodec::H265) | None => Ok(count),
        Some(other) if count.is_some() => Err(value_of(
            "Bframes",
            format!("Bframes can be chosen for h264 and h265 only, not for {}", other.word()),
        )),
        Some(_) => Ok(None),
    }
}

fn check_depth(template: &VideoTemplateInfo, codec: Option<VideoCodec>) -> Result<u8, ApiError> {
    let depth = match template.bit_depth.unwrap_or(0) {
        0 | 8 => 8,
        10 => 10,
        other => return Err(value_of("BitDepth", format!("BitDepth is {other}; it must be 8 or 10"))),
    };
    if depth == 10 && matches!(codec, Some(VideoCodec::Vp8 | VideoCodec::Mpeg2)) {
        return Err(value_of("BitDepth", "vp8 and mpeg2 have 8 bits only"));
    }
    let profile = template.video_profile.as_deref().unwrap_or_default();
    if depth == 10 && matches!(profile, "baseline" | "main") {
        return Err(value_of("BitDepth", format!("the {profile} profile has 8 bits only")));
    }
    Ok(depth)
}

fn check_hls(template: &VideoTemplateInfo) -> Result<Hls, ApiError> {
    let seconds = template.hls_time.unwrap_or(0);
    if seconds > 10 {
        return Err(value_of(
            "HlsTime",
            format!("HlsTime is {seconds}; it must be more than 0 and at most 10"),
        ));
    }
    let segments = match template.segment_type.unwrap_or(0) {
        0 => Segments::Ts,
        2 => Segments::TsRange,
        7 => Segments::Mp4,
        5 => Segments::Mp4Range,
        other => {
            return Err(value_of("SegmentType", format!("SegmentType is {other}; it must be 0, 2, 5 or 7")));
        }
    };
    let first = match &template.segment_specific_info {
        Some(info) => check_first(info)?,
        None => None,
    };
    Ok(Hls { segments, seconds: seconds as u32, first })
}

fn check_first(info: &SegmentSpecificInfo) -> Result<Option<FirstSegments>, ApiError> {
    let is_on = word("Switch", info.switch.as_deref(), false, &[("on", true), ("off", false)])?;
    let seconds = info.fragment_time.unwrap_or(0);
    let count = info.fragment_end_num.unwrap_or(0);
    if !(0..=10).contains(&seconds) || (is_on && seconds == 0) {
        return Err(value_of("FragmentTime", format!("FragmentTime is {seconds}; it must be 1 to 10")));
    }
    if !(0..=10_000).contains(&count) || (is_on && count == 0) {
        return Err(value_of("FragmentEndNum", format!("FragmentEndNum is {count}; it must be 1 to 10000")));
    }
    Ok(is_on.then_some(FirstSegments { us: seconds * 1_000_000, count: count as u32 }))
}

fn check_audio(template: &AudioTemplateInfo, container: Container) -> Result<Audio, ApiError> {
    let name = template.codec.as_deref().unwrap_or_default();
    let codec = match name {
        "copy" => None,
        _ => Some(AudioCodec::from_word(name).ok_or_else(|| {
            let known: Vec<_> = AudioCodec::ALL.iter().map(|c| c.word()).collect();
            value_of("AudioCodec", format!("audio Codec {name:?} is not one of {}, copy", known.join(", ")))
        })?),
    };
    if let Some(codec) = codec
        && !codec.fits(container)
    {
        let fitting: Vec<_> =
            AudioCodec::ALL.iter().filter(|c| c.fits(container)).map(|c| c.word()).collect();
        return Err(value_of(
            "AudioCodec",
            format!("{} does not hold {name} audio; use {}", container.word(), fitting.join(", ")),
        ));
    }
    let kbps = template.bitrate.unwrap_or(0).max(0);
    let rate = template.sample_rate.unwrap_or(0);
    if let Some(codec) = codec
        && rate != 0
        && !codec.sample_rates_in(container).any(|r| u64::from(r) == rate)
    {
        let known: Vec<_> = codec.sample_rates_in(container).map(|r| r.to_string()).collect();
        return Err(value_of(
            "AudioSampleRate",
            format!(
                "SampleRate is {rate}; {} in {} has {}",
                codec.word(),
                container.word(),
                known.join(", ")
            ),
        ));
    }
    let channels = template.audio_channel.unwrap_or(2);
    if !matches!(channels, 0 | 1 | 2 | 6) {
        return Err(value_of("AudioChannel", format!("AudioChannel is {channels}; it must be 0, 1, 2 or 6")));
    }
    if channels == 6 && (container == Container::Mp3 || codec.is_some_and(|c| c.most_channels() < 6)) {
        return Err(value_of(
            "AudioChannel",
            format!("{} holds at most 2 channels", container_or(codec, container)),
        ));
    }
    let Some(codec) = codec else { return Ok(Audio::Copy) };
    Ok(Audio::Encode(AudioEncode {
        codec,
        bitrate_bps: kbps.unsigned_abs() * 1000,
        sample_rate_hz: rate as u32,
        channels: channels as u32,
        language: check_label("AudioLanguage", template.audio_language.as_deref(), 3)?,
        title: check_label("AudioName", template.audio_name.as_deref(), 64)?,
    }))
}

fn container_or(codec: Option<AudioCodec>, container: Container) -> &'static str {
    codec.map_or(container.word(), AudioCodec::word)
}

/// A label of a track; `source` and an empty text keep the source's.
fn check_label(name: &str, value: Option<&str>, most: usize) -> Result<Option<String>, ApiError> {
    match value.unwrap_or_default() {
        "" | "source" => Ok(None),
        text if text.chars().count() > most || text.chars().any(char::is_control) => Err(value_of(
            name,
            format!("{name} is longer than {most} characters or holds a control character"),
        )),
        text => Ok(Some(text.to_owned())),
    }
}

#[cfg(test)]
mod tests;
