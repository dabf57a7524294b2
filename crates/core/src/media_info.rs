//! What a probe tells of a medium, in our words and exact units.

use serde::{Deserialize, Serialize};

/// A fraction such as a frame rate or an aspect ratio; `den` 0 means unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ratio {
    /// Numerator.
    pub num: i64,
    /// Denominator; 0 when unknown.
    pub den: i64,
}

impl Ratio {
    /// A fraction as given, not reduced.
    pub const fn new(num: i64, den: i64) -> Self {
        Self { num, den }
    }

    /// Whether there is a positive value.
    pub const fn is_known(self) -> bool {
        self.num > 0 && self.den > 0
    }

    /// The value, or 0 when unknown.
    pub fn value(self) -> f64 {
        if self.den == 0 { 0.0 } else { self.num as f64 / self.den as f64 }
    }
}

/// A whole medium.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MediaInfo {
    /// The demuxer's list of names, such as `mov,mp4,m4a,3gp,3g2,mj2`.
    pub format: String,
    /// Bytes of the file.
    pub size_bytes: u64,
    /// Length of the longest stream, in microseconds; 0 when unknown.
    pub duration_us: i64,
    /// Timestamp of the first packet, in microseconds.
    pub start_us: i64,
    /// Overall bit rate; 0 when unknown.
    pub bit_rate_bps: u64,
    /// Video streams in file order, attached pictures included (see [`VideoStream::is_attached_picture`]).
    pub video: Vec<VideoStream>,
    /// Audio streams in file order.
    pub audio: Vec<AudioStream>,
    /// Subtitle streams in file order.
    pub subtitles: Vec<SubtitleStream>,
    /// Number of streams of any kind, data streams included.
    pub stream_count: u32,
}

impl MediaInfo {
    /// The video stream a player would show: the default one, else the largest, never an attached picture or one
    /// whose codec is not known.
    pub fn main_video(&self) -> Option<&VideoStream> {
        let moving = || self.video.iter().filter(|v| !v.is_attached_picture && !v.codec.is_empty());
        moving().find(|v| v.is_default).or_else(|| {
            moving().max_by_key(|v| (u64::from(v.width) * u64::from(v.height), u32::MAX - v.index))
        })
    }

    /// The audio stream a player would use: the default one, else the first, never one whose codec is not known.
    pub fn main_audio(&self) -> Option<&AudioStream> {
        let known = || self.audio.iter().filter(|a| !a.codec.is_empty());
        known().find(|a| a.is_default).or_else(|| known().next())
    }
}

/// How the lines of a picture were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldOrder {
    /// Not told.
    #[default]
    Unknown,
    /// Whole frames.
    Progressive,
    /// Two fields, the upper one first.
    TopFirst,
    /// Two fields, the lower one first.
    BottomFirst,
}

impl FieldOrder {
    /// Whether frames consist of two fields taken at different times.
    pub const fn is_interlaced(self) -> bool {
        matches!(self, Self::TopFirst | Self::BottomFirst)
    }
}

/// The dynamic range a video was mastered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DynamicRange {
    /// Standard.
    #[default]
    Sdr,
    /// PQ (SMPTE 2084) without or with static metadata.
    Hdr10,
    /// PQ with dynamic metadata (SMPTE 2094-40).
    Hdr10Plus,
    /// Hybrid log-gamma.
    Hlg,
    /// Dolby Vision.
    DolbyVision,
}

/// Colour tags by ffmpeg's names; empty when unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Color {
    /// `tv` or `pc`.
    pub range: String,
    /// Matrix, such as `bt709`.
    pub space: String,
    /// Transfer, such as `smpte2084`.
    pub transfer: String,
    /// Primaries, such as `bt2020`.
    pub primaries: String,
    /// x265's `G(x,y)B(x,y)R(x,y)WP(x,y)L(max,min)` of the mastering display; empty when absent.
    pub mastering_display: String,
    /// `MaxCLL,MaxFALL`; empty when absent.
    pub content_light: String,
}

/// A video stream.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct VideoStream {
    /// Index of the stream in the file, over all kinds.
    pub index: u32,
    /// ffmpeg's codec name, such as `h264`.
    pub codec: String,
    /// Profile as named by the prober, such as `High 10`.
    pub profile: String,
    /// RFC 6381 string such as `avc1.64001f`; empty when unknown.
    pub codecs: String,
    /// Coded width in pixels, before rotation and aspect ratio.
    pub width: u32,
    /// Coded height in pixels, before rotation and aspect ratio.
    pub height: u32,
    /// Shape of a pixel; unknown counts as 1:1.
    pub sample_aspect: Ratio,
    /// Pixel format such as `yuv420p10le`.
    pub pixel_format: String,
    /// Bits of a component; 8 when unknown.
    pub bit_depth: u32,
    /// Average frame rate.
    pub average_fps: Ratio,
    /// Lowest rate that represents all timestamps exactly, as guessed by the prober.
    pub base_fps: Ratio,
    /// Unit of the timestamps.
    pub time_base: Ratio,
    /// Bit rate; 0 when unknown.
    pub bit_rate_bps: u64,
    /// Length in microseconds; 0 when unknown.
    pub duration_us: i64,
    /// First timestamp in microseconds.
    pub start_us: i64,
    /// Number of frames where the container tells it.
    pub frame_count: Option<u64>,
    /// Clockwise turn that a player applies before showing: 0, 90, 180 or 270.
    pub rotation_degrees: u32,
    /// Whether the display matrix also mirrors.
    pub is_mirrored: bool,
    /// Frames or fields.
    pub field_order: FieldOrder,
    /// Colour tags.
    pub color: Color,
    /// Dynamic range.
    pub dynamic_range: DynamicRange,
    /// A cover picture rather than moving pictures.
    pub is_attached_picture: bool,
    /// Marked as default.
    pub is_default: bool,
    /// ISO 639 language; empty when unknown.
    pub language: String,
}

impl VideoStream {
    /// Width and height as shown: after pixel shape and rotation. At least 1 each.
    pub fn display_size(&self) -> (u32, u32) {
        let (mut width, height) = (f64::from(self.width), f64::from(self.height));
        if self.sample_aspect.is_known() {
            width *= self.sample_aspect.value();
        }
        let (width, height) = (width.round().max(1.0) as u32, height.max(1.0) as u32);
        if self.rotation_degrees % 180 == 90 { (height, width) } else { (width, height) }
    }

    /// Whether frames come at uneven times, judged by the two rates of the prober.
    pub fn has_variable_rate(&self) -> bool {
        let (average, base) = (self.average_fps.value(), self.base_fps.value());
        average > 0.0 && base > 0.0 && (average - base).abs() / base > 0.005
    }
}

/// An audio stream.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AudioStream {
    /// Index of the stream in the file, over all kinds.
    pub index: u32,
    /// ffmpeg's codec name, such as `aac`.
    pub codec: String,
    /// Profile as named by the prober, such as `LC`.
    pub profile: String,
    /// RFC 6381 string such as `mp4a.40.2`; empty when unknown.
    pub codecs: String,
    /// Samples a second.
    pub sample_rate_hz: u32,
    /// Number of channels.
    pub channels: u32,
    /// Channel layout such as `5.1(side)`; empty when unknown.
    pub channel_layout: String,
    /// Bit rate; 0 when unknown.
    pub bit_rate_bps: u64,
    /// Length in microseconds; 0 when unknown.
    pub duration_us: i64,
    /// First timestamp in microseconds.
    pub start_us: i64,
    /// ISO 639 language; empty when unknown.
    pub language: String,
    /// Title tag; empty when absent.
    pub title: String,
    /// Marked as default.
    pub is_default: bool,
}

/// A subtitle stream.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SubtitleStream {
    /// Index of the stream in the file, over all kinds.
    pub index: u32,
    /// ffmpeg's codec name, such as `subrip`.
    pub codec: String,
    /// Whether it consists of pictures (PGS, VobSub) rather than text.
    pub is_bitmap: bool,
    /// ISO 639 language; empty when unknown.
    pub language: String,
    /// Title tag; empty when absent.
    pub title: String,
    /// Marked as default.
    pub is_default: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone() -> VideoStream {
        VideoStream {
            codec: "h264".to_owned(),
            width: 1920,
            height: 1080,
            rotation_degrees: 90,
            ..VideoStream::default()
        }
    }

    #[test]
    fn a_turned_phone_video_is_shown_upright() {
        assert_eq!(phone().display_size(), (1080, 1920));
    }

    #[test]
    fn wide_pixels_widen_the_picture() {
        let dv = VideoStream { width: 720, height: 480, sample_aspect: Ratio::new(32, 27), ..phone() };
        assert_eq!(VideoStream { rotation_degrees: 0, ..dv }.display_size(), (853, 480));
    }

    #[test]
    fn a_cover_picture_is_never_the_main_video() {
        let cover = VideoStream { is_attached_picture: true, is_default: true, ..phone() };
        let film = VideoStream { index: 1, ..phone() };
        let info = MediaInfo { video: vec![cover, film], ..MediaInfo::default() };
        assert_eq!(info.main_video().map(|v| v.index), Some(1));
    }

    #[test]
    fn a_stream_that_nobody_can_read_is_as_good_as_absent() {
        let broken = AudioStream { is_default: true, ..AudioStream::default() };
        let mut info = MediaInfo { audio: vec![broken], ..MediaInfo::default() };
        assert_eq!(info.main_audio(), None);
        info.audio.push(AudioStream { index: 2, codec: "aac".to_owned(), ..AudioStream::default() });
        assert_eq!(info.main_audio().map(|a| a.index), Some(2));
    }
}
