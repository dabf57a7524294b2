//! The prober's JSON as [`MediaInfo`]. Pure, and never panics whatever it is given.

use mps_core::media_info::{AudioStream, DynamicRange, SubtitleStream, VideoStream};
use mps_core::{Error, MediaInfo, Result};
use serde_json::Value;

use super::codecs::codecs;
use super::fields::{
    clock_micros, count, disposition, known_text, list, micros, ratio, seconds_to_micros, small, tag, text,
};
use super::video;
use crate::Progress;

/// Translates the answer of `ffprobe -show_format -show_streams -show_data`.
///
/// Fails with [`mps_core::Kind::InvalidInput`] when there is no stream of pictures, sound or subtitles.
pub fn parse(answer: &Value) -> Result<MediaInfo> {
    let format = answer.get("format").unwrap_or(&Value::Null);
    let streams = list(answer, "streams");
    let mut info = MediaInfo {
        format: text(format, "format_name"),
        size_bytes: count(format, "size").unwrap_or(0),
        start_us: micros(format, "start_time").unwrap_or(0),
        bit_rate_bps: count(format, "bit_rate").unwrap_or(0),
        stream_count: u32::try_from(streams.len()).unwrap_or(u32::MAX),
        ..MediaInfo::default()
    };
    for stream in streams {
        match text(stream, "codec_type").as_str() {
            "video" => info.video.push(video_stream(stream)),
            "audio" => info.audio.push(audio_stream(stream)),
            "subtitle" => info.subtitles.push(subtitle_stream(stream)),
            _ => {}
        }
    }
    if info.video.is_empty() && info.audio.is_empty() && info.subtitles.is_empty() {
        return Err(Error::invalid("the input holds no pictures, sound or subtitles"));
    }
    if is_picture(&info) {
        still(&mut info);
        return Ok(info);
    }
    let longest = longest_stream_us(&info);
    info.duration_us = micros(format, "duration").filter(|us| *us > 0).unwrap_or(longest);
    fill_gaps(&mut info);
    Ok(info)
}

/// Whether the file is one picture rather than a film.
fn is_picture(info: &MediaInfo) -> bool {
    let format = info.format.as_str();
    info.audio.is_empty() && (format == "image2" || format.ends_with("_pipe"))
}

/// The prober makes up a frame rate for pictures.
fn still(info: &mut MediaInfo) {
    info.bit_rate_bps = 0;
    for picture in &mut info.video {
        picture.duration_us = 0;
        picture.bit_rate_bps = 0;
        picture.average_fps = <_>::default();
        picture.base_fps = <_>::default();
        picture.frame_count = Some(1);
    }
}

/// Whether the look was too short to tell how pictures look.
pub(super) fn lacks_picture(info: &MediaInfo) -> bool {
    info.video.iter().any(|v| v.width == 0 || v.height == 0 || v.pixel_format.is_empty())
}

/// A stream whose size the prober could not find.
pub(super) fn lacks_size(info: &MediaInfo) -> Option<u32> {
    info.video.iter().find(|v| !v.is_attached_picture && (v.width == 0 || v.height == 0)).map(|v| v.index)
}

/// Takes over the size of the first decoded frame, from the `framecrc` output of ffmpeg.
pub(super) fn add_size(info: &mut MediaInfo, index: u32, checksums: &str) {
    let Some(stream) = info.video.iter_mut().find(|v| v.index == index) else { return };
    let size =
        checksums.lines().find_map(|line| line.strip_prefix("#dimensions 0: ")?.trim().split_once('x'));
    let Some((Ok(width), Ok(height))) = size.map(|(w, h)| (w.parse::<u32>(), h.parse::<u32>())) else {
        return;
    };
    (stream.width, stream.height) = (width, height);
    let row = checksums.lines().find(|line| line.starts_with("0,"));
    let bytes: Option<u64> = row.and_then(|row| row.split(',').nth(4)?.trim().parse().ok());
    let pixels = u64::from(width) * u64::from(height);
    if stream.pixel_format.is_empty() && matches!(stream.codec.as_str(), "png" | "apng") {
        // Of the formats of PNG these are told apart by their size alone.
        let told = [(3, "rgb24"), (4, "rgba"), (6, "rgb48be"), (8, "rgba64be")];
        let format = told.iter().find(|(size, _)| bytes == Some(pixels * size)).map_or("", |(_, name)| name);
        format.clone_into(&mut stream.pixel_format);
        stream.bit_depth = video::bit_depth(&Value::Null, format);
    }
}

/// Whether only reading the whole file can tell its length.
pub(super) fn lacks_length(info: &MediaInfo) -> bool {
    let is_timed = !info.audio.is_empty() || info.video.iter().any(|v| !v.is_attached_picture);
    info.duration_us <= 0 && is_timed && !is_picture(info)
}

/// Takes over what reading the whole file told. Bare video streams have no times, but frames at an even rate.
pub(super) fn set_length(info: &mut MediaInfo, end: Progress) {
    let rate = info.main_video().map_or(0.0, |video| video.average_fps.value());
    let by_frames = || (rate > 0.0).then(|| seconds_to_micros(end.frames as f64 / rate)).flatten();
    let told = (end.out_time_us > 0).then_some(end.out_time_us);
    info.duration_us = told.or_else(by_frames).unwrap_or(0);
    fill_gaps(info);
}

/// A stream whose first frame may carry metadata of its dynamic range that the container lacks.
pub(super) fn wants_first_frame(info: &MediaInfo) -> Option<u32> {
    let main = info.main_video()?;
    let is_pq = main.dynamic_range == DynamicRange::Hdr10;
    is_pq.then_some(main.index)
}

/// Takes over the side data of a stream's first frame, from `ffprobe -show_frames`.
pub(super) fn add_first_frame(info: &mut MediaInfo, index: u32, answer: &Value) {
    let Some(frame) = list(answer, "frames").first() else { return };
    let Some(stream) = info.video.iter_mut().find(|v| v.index == index) else { return };
    // A container's display matrix has been read already and wins over the frame's.
    let (rotation, mirrored) = (stream.rotation_degrees, stream.is_mirrored);
    video::add_side_data(stream, video::side_data(frame));
    (stream.rotation_degrees, stream.is_mirrored) = (rotation, mirrored);
}

fn longest_stream_us(info: &MediaInfo) -> i64 {
    let video = info.video.iter().filter(|v| !v.is_attached_picture).map(|v| v.duration_us);
    video.chain(info.audio.iter().map(|a| a.duration_us)).max().unwrap_or(0)
}

/// Derives lengths and bit rates that the container tells only for the whole.
fn fill_gaps(info: &mut MediaInfo) {
    let whole_us = info.duration_us;
    for video in info.video.iter_mut().filter(|v| !v.is_attached_picture && v.duration_us <= 0) {
        video.duration_us = whole_us;
    }
    for audio in info.audio.iter_mut().filter(|a| a.duration_us <= 0) {
        audio.duration_us = whole_us;
    }
    if info.bit_rate_bps == 0 && whole_us > 0 {
        let bits = u128::from(info.size_bytes) * 8 * 1_000_000;
        info.bit_rate_bps = u64::try_from(bits / u128::from(whole_us.unsigned_abs())).unwrap_or(0);
    }
    fill_bit_rate(info);
}

/// If one stream alone does not tell its rate, it has what the others leave.
fn fill_bit_rate(info: &mut MediaInfo) {
    let moving = info.video.iter_mut().filter(|v| !v.is_attached_picture).map(|v| &mut v.bit_rate_bps);
    let mut rates: Vec<&mut u64> = moving.chain(info.audio.iter_mut().map(|a| &mut a.bit_rate_bps)).collect();
    let known: u64 = rates.iter().fold(0, |sum, rate| sum.saturating_add(**rate));
    let mut unknown = rates.iter_mut().filter(|rate| ***rate == 0);
    if let (Some(only), None) = (unknown.next(), unknown.next()) {
        **only = info.bit_rate_bps.saturating_sub(known);
    }
}

fn video_stream(stream: &Value) -> VideoStream {
    let pixel_format = known_text(stream, "pix_fmt");
    let color = video::color(stream);
    let mut out = VideoStream {
        index: small(stream, "index"),
        codec: text(stream, "codec_name"),
        profile: known_text(stream, "profile"),
        codecs: codecs(stream),
        width: small(stream, "width"),
        height: small(stream, "height"),
        sample_aspect: ratio(stream, "sample_aspect_ratio"),
        bit_depth: video::bit_depth(stream, &pixel_format),
        pixel_format,
        average_fps: ratio(stream, "avg_frame_rate"),
        base_fps: ratio(stream, "r_frame_rate"),
        time_base: ratio(stream, "time_base"),
        bit_rate_bps: bit_rate(stream),
        duration_us: duration(stream),
        start_us: micros(stream, "start_time").unwrap_or(0),
        frame_count: frame_count(stream),
        rotation_degrees: 0,
        is_mirrored: false,
        field_order: video::field_order(stream),
        dynamic_range: video::range_of_transfer(&color.transfer),
        color,
        is_attached_picture: disposition(stream, "attached_pic"),
        is_default: disposition(stream, "default"),
        language: language(stream),
    };
    video::add_side_data(&mut out, video::side_data(stream));
    out
}

fn audio_stream(stream: &Value) -> AudioStream {
    AudioStream {
        index: small(stream, "index"),
        codec: text(stream, "codec_name"),
        profile: known_text(stream, "profile"),
        codecs: codecs(stream),
        sample_rate_hz: small(stream, "sample_rate"),
        channels: small(stream, "channels"),
        channel_layout: known_text(stream, "channel_layout"),
        bit_rate_bps: bit_rate(stream),
        duration_us: duration(stream),
        start_us: micros(stream, "start_time").unwrap_or(0),
        language: language(stream),
        title: tag(stream, "title").unwrap_or_default(),
        is_default: disposition(stream, "default"),
    }
}

fn subtitle_stream(stream: &Value) -> SubtitleStream {
    let codec = text(stream, "codec_name");
    let bitmaps = ["hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "xsub", "dvb_teletext"];
    SubtitleStream {
        index: small(stream, "index"),
        is_bitmap: bitmaps.contains(&codec.as_str()),
        codec,
        language: language(stream),
        title: tag(stream, "title").unwrap_or_default(),
        is_default: disposition(stream, "default"),
    }
}

/// Told by the container, or by the statistics that Matroska writers leave in tags.
fn bit_rate(stream: &Value) -> u64 {
    let tagged = || ["BPS", "BPS-eng"].iter().find_map(|name| tag(stream, name)?.parse().ok());
    count(stream, "bit_rate").filter(|rate| *rate > 0).or_else(tagged).unwrap_or(0)
}

fn duration(stream: &Value) -> i64 {
    let tagged = || ["DURATION", "DURATION-eng"].iter().find_map(|name| clock_micros(&tag(stream, name)?));
    micros(stream, "duration").filter(|us| *us > 0).or_else(tagged).unwrap_or(0).max(0)
}

fn frame_count(stream: &Value) -> Option<u64> {
    let tagged = || {
        ["NUMBER_OF_FRAMES", "NUMBER_OF_FRAMES-eng"].iter().find_map(|name| tag(stream, name)?.parse().ok())
    };
    count(stream, "nb_frames").filter(|n| *n > 0).or_else(tagged)
}

fn language(stream: &Value) -> String {
    tag(stream, "language").filter(|language| language != "und").unwrap_or_default()
}
