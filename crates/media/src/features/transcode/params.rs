//! What a transcode is asked to do, checked and in our words.

use mps_core::media_info::Ratio;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::words::{AudioCodec, Container, VideoCodec};
use crate::features::added::Added;
use crate::features::burn::Burn;
use crate::features::marks::Mark;
use crate::features::mosaic::Mosaic;
pub use crate::graph::Clip;
pub use crate::graph::picture::Fill;
use crate::graph::picture::{Picture, Pixels};
use crate::hls::FirstSegments;
use crate::names::{NumberFormat, SourceName};

/// Everything about one output but its name and its stretch of the source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Params {
    /// The wrapping.
    pub container: Container,
    /// The pictures; `None` leaves them out.
    pub video: Option<Video>,
    /// The sound; `None` leaves it out.
    pub audio: Option<Audio>,
    /// How a playlist is cut; only of use with [`Container::Hls`].
    pub hls: Hls,
}

/// What happens to the pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Video {
    /// They are taken over as they are coded.
    Copy,
    /// They are decoded, changed and coded again.
    Encode(Box<VideoEncode>),
}

/// How pictures are coded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoEncode {
    /// The codec.
    pub codec: VideoCodec,
    /// Frames a second; `None` keeps the source's timing.
    pub fps: Option<Ratio>,
    /// Bit rate; 0 follows the source.
    pub bitrate_bps: u64,
    /// Width, or the longer side; 0 follows from the other or from the source.
    pub width: u32,
    /// Height, or the shorter side; 0 follows from the other or from the source.
    pub height: u32,
    /// `width` and `height` mean the longer and the shorter side, so that an upright picture stays upright.
    pub by_sides: bool,
    /// What fills the frame when the shapes differ.
    pub fill: Fill,
    /// Distance of key frames.
    pub gop: Gop,
    /// Whether key frames are also put where the scene changes.
    pub scene_cut: bool,
    /// How bits are spent.
    pub rate: Rate,
    /// Quality on the scale 0 (best) to 51; `None` leaves it to us.
    pub crf: Option<u8>,
    /// H.264 profile; `None` leaves it to the encoder.
    pub profile: Option<Profile>,
    /// Level such as `4.1`; `None` leaves it to the encoder.
    pub level: Option<String>,
    /// Most B-frames in a row, 0 to 16; `None` leaves it to the encoder.
    pub b_frames: Option<u8>,
    /// Width of a pixel divided by its height, 1 or 2.
    pub pixel_aspect: u8,
    /// 8 or 10.
    pub bit_depth: u8,
    /// The timestamps of the source are kept, its first one included.
    pub keeps_timestamps: bool,
    /// The bit rate is the source's less this percentage, 0 to 100; outranks `bitrate_bps`.
    pub compress_percent: Option<u8>,
}

impl VideoEncode {
    /// The picture that is coded.
    pub fn picture(&self) -> Picture {
        let format = match (self.codec, self.bit_depth) {
            (VideoCodec::Dnxhd, 10) => "yuv422p10le",
            (VideoCodec::Dnxhd, _) => "yuv422p",
            // The encoder takes nothing else.
            (VideoCodec::H266, _) | (_, 10) => "yuv420p10le",
            _ => "yuv420p",
        };
        Picture {
            width: self.width,
            height: self.height,
            by_sides: self.by_sides,
            fill: self.fill,
            pixel_aspect: self.pixel_aspect,
            pixels: Pixels { format, bits: self.bit_depth, is_even: true },
        }
    }
}

/// Distance of key frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gop {
    /// Ours to choose.
    Auto,
    /// This many frames.
    Frames(u32),
    /// This many seconds.
    Seconds(u32),
}

/// How bits are spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rate {
    /// The average is kept, with peaks where the picture needs them.
    Vbr,
    /// The average is kept over the whole.
    Abr,
    /// The same at every moment.
    Cbr,
    /// Even quality, whatever it takes.
    Crf,
}

/// H.264 profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// No B-frames, no CABAC.
    Baseline,
    /// Main.
    Main,
    /// High.
    High,
}

/// What happens to the sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audio {
    /// It is taken over as it is coded.
    Copy,
    /// It is decoded and coded again.
    Encode(AudioEncode),
}

/// How sound is coded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioEncode {
    /// The codec.
    pub codec: AudioCodec,
    /// Bit rate; 0 follows the source.
    pub bitrate_bps: u64,
    /// Samples a second; 0 follows the source.
    pub sample_rate_hz: u32,
    /// Channels; 0 follows the source.
    pub channels: u32,
    /// ISO 639-2 language to write; `None` keeps the source's.
    pub language: Option<String>,
    /// Title of the track to write; `None` keeps the source's.
    pub title: Option<String>,
}

/// How a playlist is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hls {
    /// What segments are.
    pub segments: Segments,
    /// Length of a segment in seconds, 1 to 10; 0 leaves it to us.
    pub seconds: u32,
    /// Short segments at the start.
    pub first: Option<FirstSegments>,
}

/// What segments are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Segments {
    /// Transport streams.
    #[default]
    Ts,
    /// Stretches of one transport stream.
    TsRange,
    /// Fragments of MPEG-4 with a shared header.
    Mp4,
    /// Stretches of one fragmented MPEG-4 file.
    Mp4Range,
}

impl Segments {
    /// Whether they are stretches of one file.
    pub const fn is_range(self) -> bool {
        matches!(self, Self::TsRange | Self::Mp4Range)
    }

    /// Whether they are MPEG-4.
    pub const fn is_mp4(self) -> bool {
        matches!(self, Self::Mp4 | Self::Mp4Range)
    }
}

/// How the outputs are named; patterns are checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Naming {
    /// Directory for relative patterns, beginning and ending with `/`.
    pub directory: String,
    /// Pattern of the file that is asked for.
    pub object: String,
    /// Pattern of segments, relative to the directory of the playlist.
    pub segment: String,
    /// How `{number}` is written.
    pub number: NumberFormat,
}

/// All that a worker needs for one transcode; stored with the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepParams {
    /// Number of the template; 0 when the parameters came with the call.
    pub definition: i64,
    /// Place of the item in the request's list, from 0.
    pub item: usize,
    /// What to make.
    pub params: Params,
    /// Of which stretch.
    pub clip: Clip,
    /// What is laid over the pictures.
    #[serde(default)]
    pub marks: Vec<Mark>,
    /// Files whose sound becomes further tracks.
    #[serde(default)]
    pub sounds: Vec<Added>,
    /// Files that become tracks of subtitles.
    #[serde(default)]
    pub captions: Vec<Added>,
    /// Parts of the pictures that are made coarse.
    #[serde(default)]
    pub mosaics: Vec<Mosaic>,
    /// Subtitles that become part of the pictures.
    #[serde(default)]
    pub burn: Option<Burn>,
    /// Which tracks of sound of the source are used, counted from 0, in this order; empty is the main one.
    #[serde(default)]
    pub tracks: Vec<usize>,
    /// Films that come before the source.
    #[serde(default)]
    pub heads: Vec<Added>,
    /// Films that come behind it.
    #[serde(default)]
    pub tails: Vec<Added>,
    /// Under which names.
    pub naming: Naming,
    /// What the source's address gives to names.
    pub source: SourceName,
    /// Where to: the API's `TaskOutputStorage` as it came.
    pub storage: Value,
}

impl StepParams {
    /// A transcode that no item of a request asked for, with nothing over its pictures.
    pub(crate) fn plain(
        params: Params,
        clip: Clip,
        naming: Naming,
        source: SourceName,
        storage: Value,
    ) -> Self {
        let (marks, mosaics) = (Vec::new(), Vec::new());
        let (sounds, captions) = (Vec::new(), Vec::new());
        let (heads, tails) = (Vec::new(), Vec::new());
        let tracks = Vec::new();
        Self {
            definition: 0,
            item: 0,
            params,
            clip,
            marks,
            mosaics,
            burn: None,
            sounds,
            captions,
            tracks,
            heads,
            tails,
            naming,
            source,
            storage,
        }
    }
}
