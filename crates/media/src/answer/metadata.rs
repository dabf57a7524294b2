//! What a probe found, in the API's words.

use mps_core::media_info::{AudioStream, DynamicRange, MediaInfo, VideoStream};
use mps_wire::types::{MediaAudioStreamItem, MediaMetaData, MediaVideoStreamItem};

/// The whole medium. Covers are not counted as video; rates of streams that do not tell theirs are taken from what
/// the file leaves.
pub fn describe(info: &MediaInfo) -> MediaMetaData {
    let moving: Vec<&VideoStream> = info.video.iter().filter(|v| !v.is_attached_picture).collect();
    let rest = unknown_rate(info, &moving);
    let video: Vec<_> = moving.iter().map(|v| video_item(v, rest)).collect();
    let audio: Vec<_> = info.audio.iter().map(|a| audio_item(a, moving.is_empty(), rest)).collect();
    let longest = |lengths: Vec<i64>| match lengths.into_iter().max() {
        None => 0.0,
        Some(0) => seconds(info.duration_us),
        Some(length) => seconds(length),
    };
    MediaMetaData {
        size: signed(info.size_bytes),
        container: info.format.clone(),
        bitrate: mean(video.iter().map(|v| v.bitrate)) + mean(audio.iter().map(|a| a.bitrate)),
        height: video.iter().map(|v| v.height).max().unwrap_or(0),
        width: video.iter().map(|v| v.width).max().unwrap_or(0),
        duration: seconds(info.duration_us),
        rotate: info.main_video().map_or(0, |v| i64::from(v.rotation_degrees)),
        video_duration: longest(moving.iter().map(|v| v.duration_us).collect()),
        audio_duration: longest(info.audio.iter().map(|a| a.duration_us).collect()),
        video_stream_set: video,
        audio_stream_set: audio,
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn seconds(us: i64) -> f64 {
    us as f64 / 1e6
}

fn mean(values: impl Iterator<Item = i64>) -> i64 {
    let values: Vec<i64> = values.collect();
    values.iter().sum::<i64>() / signed(values.len().max(1) as u64)
}

/// The rate for a stream without one: the file's, less that of the streams that tell theirs.
fn unknown_rate(info: &MediaInfo, moving: &[&VideoStream]) -> u64 {
    let whole = if info.bit_rate_bps > 0 {
        info.bit_rate_bps
    } else if info.duration_us > 0 {
        (info.size_bytes as f64 * 8e6 / info.duration_us as f64) as u64
    } else {
        0
    };
    let rates = || moving.iter().map(|v| v.bit_rate_bps).chain(info.audio.iter().map(|a| a.bit_rate_bps));
    // Sound that does not tell its rate beside pictures keeps 0: nothing tells the two apart.
    let silent = if moving.is_empty() {
        rates().filter(|rate| *rate == 0).count()
    } else {
        moving.iter().filter(|v| v.bit_rate_bps == 0).count()
    };
    whole.saturating_sub(rates().sum()) / (silent.max(1) as u64)
}

fn video_item(stream: &VideoStream, rest: u64) -> MediaVideoStreamItem {
    let fps = if stream.average_fps.is_known() { stream.average_fps } else { stream.base_fps };
    let fps_known = fps.is_known();
    MediaVideoStreamItem {
        bitrate: signed(if stream.bit_rate_bps > 0 { stream.bit_rate_bps } else { rest }),
        height: i64::from(stream.height),
        width: i64::from(stream.width),
        codec: stream.codec.clone(),
        fps: if fps_known { fps.num / fps.den } else { 0 },
        color_primaries: stream.color.primaries.clone(),
        color_space: stream.color.space.clone(),
        color_transfer: stream.color.transfer.clone(),
        hdr_type: hdr_word(stream.dynamic_range).to_owned(),
        codecs: stream.codecs.clone(),
        fps_numerator: if fps_known { fps.num } else { 0 },
        fps_denominator: if fps_known { fps.den } else { 0 },
    }
}

fn hdr_word(range: DynamicRange) -> &'static str {
    match range {
        DynamicRange::Sdr => "sdr",
        DynamicRange::Hdr10 => "hdr10",
        DynamicRange::Hdr10Plus => "hdr10+",
        DynamicRange::Hlg => "hlg",
        DynamicRange::DolbyVision => "dolby_vision",
    }
}

fn audio_item(stream: &AudioStream, is_alone: bool, rest: u64) -> MediaAudioStreamItem {
    let rate = match stream.bit_rate_bps {
        0 if is_alone => rest,
        rate => rate,
    };
    MediaAudioStreamItem {
        bitrate: signed(rate),
        sampling_rate: i64::from(stream.sample_rate_hz),
        codec: stream.codec.clone(),
        channel: i64::from(stream.channels),
        codecs: stream.codecs.clone(),
        loudness: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use mps_core::media_info::Ratio;

    use super::*;
    use crate::features::transcode::testing::{film, info};

    #[test]
    fn rates_add_up_and_frames_are_floored() {
        let mut medium = info(VideoStream { average_fps: Ratio::new(30_000, 1001), ..film(1920, 1080) });
        medium.video.push(VideoStream { is_attached_picture: true, ..film(3000, 3000) });
        let meta = describe(&medium);
        assert_eq!((meta.bitrate, meta.width, meta.height), (4_128_000, 1920, 1080));
        assert_eq!(meta.video_stream_set.len(), 1);
        let video = &meta.video_stream_set[0];
        assert_eq!((video.fps, video.fps_numerator, video.fps_denominator), (29, 30_000, 1001));
        assert_eq!(meta.audio_stream_set[0].channel, 2);
        assert!((meta.duration - 60.0).abs() < 1e-9);
    }

    #[test]
    fn a_missing_rate_is_what_the_file_leaves() {
        let mut medium = info(VideoStream { bit_rate_bps: 0, ..film(640, 360) });
        medium.bit_rate_bps = 1_000_000;
        assert_eq!(describe(&medium).video_stream_set[0].bitrate, 872_000);
        assert_eq!(describe(&medium).bitrate, 1_000_000);
    }
}
