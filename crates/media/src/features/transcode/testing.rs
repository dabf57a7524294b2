//! Sources, templates and builds for the tests of this feature.

use mps_core::media_info::{AudioStream, MediaInfo, Ratio, VideoStream};

use super::params::{Audio, AudioEncode, Fill, Gop, Hls, Params, Rate, Video, VideoEncode};
use super::words::{AudioCodec, Container, VideoCodec};
use crate::plan::Build;

pub(crate) fn everything() -> Build {
    let video = VideoCodec::ALL.iter().filter_map(|c| c.encoder());
    let audio = AudioCodec::ALL.iter().map(|c| c.encoder());
    let build = Build::with(video.chain(audio), ["bwdif", "gblur", "zscale", "tonemap"]);
    Build { has_packager: true, ..build }
}

pub(crate) fn encode() -> VideoEncode {
    VideoEncode {
        codec: VideoCodec::H264,
        fps: None,
        bitrate_bps: 1_000_000,
        width: 0,
        height: 0,
        by_sides: true,
        fill: Fill::Black,
        gop: Gop::Auto,
        scene_cut: false,
        rate: Rate::Vbr,
        crf: None,
        profile: None,
        level: None,
        b_frames: None,
        pixel_aspect: 1,
        bit_depth: 8,
        keeps_timestamps: false,
        compress_percent: None,
    }
}

pub(crate) fn params() -> Params {
    Params {
        container: Container::Mp4,
        video: Some(Video::Encode(Box::new(encode()))),
        audio: Some(Audio::Encode(AudioEncode {
            codec: AudioCodec::Aac,
            bitrate_bps: 128_000,
            sample_rate_hz: 44_100,
            channels: 2,
            language: None,
            title: None,
        })),
        hls: Hls::default(),
    }
}

pub(crate) fn film(width: u32, height: u32) -> VideoStream {
    VideoStream {
        index: 0,
        codec: "h264".to_owned(),
        width,
        height,
        pixel_format: "yuv420p".to_owned(),
        bit_depth: 8,
        average_fps: Ratio::new(25, 1),
        base_fps: Ratio::new(25, 1),
        time_base: Ratio::new(1, 12_800),
        bit_rate_bps: 4_000_000,
        duration_us: 60_000_000,
        is_default: true,
        ..VideoStream::default()
    }
}

pub(crate) fn info(video: VideoStream) -> MediaInfo {
    MediaInfo {
        format: "mov,mp4,m4a,3gp,3g2,mj2".to_owned(),
        size_bytes: 31_000_000,
        duration_us: 60_000_000,
        bit_rate_bps: 4_128_000,
        video: vec![video],
        audio: vec![AudioStream {
            index: 1,
            codec: "aac".to_owned(),
            sample_rate_hz: 48_000,
            channels: 2,
            bit_rate_bps: 128_000,
            duration_us: 60_000_000,
            is_default: true,
            ..AudioStream::default()
        }],
        stream_count: 2,
        ..MediaInfo::default()
    }
}
