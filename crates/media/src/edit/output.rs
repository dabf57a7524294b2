//! What an edit writes: codecs, wrapping and names.

use mps_core::Result;
use mps_core::media_info::{MediaInfo, Ratio, VideoStream};
use serde::{Deserialize, Serialize};

use super::material::Grid;
use crate::features::transcode::audio::{self, Sound};
use crate::features::transcode::params::{
    Audio, AudioEncode, Fill, Gop, Hls, Params, Rate, Segments, Video, VideoEncode,
};
use crate::features::transcode::video::{self, Scene};
use crate::features::transcode::words::{AudioCodec, Container, VideoCodec};
use crate::features::transcode::{muxer_words, single_file};
use crate::graph::picture::{Geometry, Picture, Pixels};
use crate::hls;
use crate::names::{NumberFormat, Pattern, SourceName, Values, Variable};
use crate::plan::{Arg, Output, Role};

/// Variables that the name of an edit may use.
pub(super) const VARIABLES: &[Variable] =
    &[Variable::InputName, Variable::InputFormat, Variable::Format, Variable::TaskId];

/// Name of the file that is written, without extension.
const FILE: &str = "output";
/// Length of a segment in microseconds.
const SEGMENT_US: i64 = 10_000_000;

/// How the output is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Naming {
    /// Checked pattern, beginning with `/`.
    pub pattern: String,
    /// What the first input gives to names.
    pub source: SourceName,
}

impl Naming {
    /// The key of the file that is asked for.
    ///
    /// # Errors
    /// `InvalidInput` when an input's name makes it unsafe or too long.
    pub(super) fn key(&self, container: Container, task_id: &str) -> Result<String> {
        let values = Values {
            input_name: &self.source.name,
            input_format: &self.source.format,
            format: container.extension(),
            task_id,
            ..Values::default()
        };
        Pattern::parse(&self.pattern, VARIABLES)?.key("/", &values)
    }
}

/// The moving pictures of an output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pictures {
    /// Size in pixels, even.
    pub(super) frame: (u32, u32),
    /// Frames a second.
    pub(super) grid: Grid,
    /// Bit rate; 0 leaves it to the pictures.
    pub(super) bitrate_bps: u64,
}

/// An output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The wrapping.
    pub(super) container: Container,
    /// Its pictures.
    pub(super) pictures: Option<Pictures>,
    /// Its sound.
    pub(super) sound: Option<(AudioCodec, Sound)>,
    /// Its length in microseconds.
    pub(super) length_us: i64,
}

/// The picture that all stretches of `frame` pixels are brought to; `format` is ffmpeg's.
pub(super) fn form(frame: (u32, u32), fill: Fill, format: &'static str, is_even: bool) -> Picture {
    let pixels = Pixels { format, bits: 8, is_even };
    Picture { width: frame.0, height: frame.1, by_sides: false, fill, pixel_aspect: 1, pixels }
}

/// Sound that is coded anew.
pub(super) fn encode(codec: AudioCodec, bitrate_bps: u64, sample_rate_hz: u32, channels: u32) -> AudioEncode {
    AudioEncode { codec, bitrate_bps, sample_rate_hz, channels, language: None, title: None }
}

impl Wanted {
    /// The words after the graph: which pads (`[pictures]`, `[sound]`), how they are coded and wrapped, and the file.
    pub(super) fn words(&self) -> Vec<Arg> {
        let mut words: Vec<String> = Vec::new();
        if let Some(pictures) = self.pictures {
            words.extend(["-map", "[pictures]"].map(str::to_owned));
            words.extend(["-fps_mode", "passthrough"].map(str::to_owned));
            words.extend(self.picture_words(pictures));
        }
        if let Some((codec, sound)) = self.sound {
            words.extend(["-map", "[sound]"].map(str::to_owned));
            words.extend(audio::words(&encode(codec, 0, 0, 0), sound));
        }
        words.extend(["-map_metadata", "-1", "-map_chapters", "-1"].map(str::to_owned));
        words.extend(muxer_words(self.container, Segments::Ts));
        let mut words: Vec<Arg> = words.into_iter().map(Arg::Text).collect();
        words.push(Arg::File(self.written()));
        words
    }

    fn picture_words(&self, Pictures { frame, grid, bitrate_bps }: Pictures) -> Vec<String> {
        let encode = VideoEncode {
            codec: VideoCodec::H264,
            fps: Some(grid.0),
            bitrate_bps,
            width: frame.0,
            height: frame.1,
            by_sides: false,
            fill: Fill::Black,
            gop: Gop::Auto,
            scene_cut: false,
            rate: if bitrate_bps > 0 { Rate::Vbr } else { Rate::Crf },
            crf: None,
            profile: None,
            level: None,
            // Frames out of order have no place for their times there.
            b_frames: (self.container == Container::Avi).then_some(0),
            pixel_aspect: 1,
            bit_depth: 8,
            keeps_timestamps: false,
            compress_percent: None,
        };
        let audio = self.sound.map(|(codec, _)| Audio::Encode(self::encode(codec, 0, 0, 0)));
        let params = Params {
            container: self.container,
            video: Some(Video::Encode(Box::new(encode.clone()))),
            audio,
            hls: hls(),
        };
        let (width, height) = frame;
        let average: Ratio = grid.0;
        let source =
            VideoStream { width, height, average_fps: average, base_fps: average, ..VideoStream::default() };
        let scene = Scene {
            params: &params,
            source: &source,
            info: &MediaInfo::default(),
            fps: Some(average),
            geometry: Geometry { scaled: frame, frame, finish: None },
            length_us: self.length_us,
            grid: None,
        };
        video::words(&encode, scene)
    }

    /// Name of the file that the run is told to write.
    fn written(&self) -> String {
        format!("{FILE}.{}", self.container.extension())
    }

    /// Name of the file that tells what came out.
    pub(super) fn probed(&self) -> String {
        if self.container == Container::Hls { single_file(Segments::Ts) } else { self.written() }
    }

    /// The objects.
    ///
    /// # Errors
    /// Those of [`Naming::key`].
    pub(super) fn outputs(&self, naming: &Naming, task_id: &str) -> Result<Vec<Output>> {
        let key = naming.key(self.container, task_id)?;
        if self.container != Container::Hls {
            let content_type = self.container.content_type().to_owned();
            return Ok(vec![Output::File { file: self.written(), key, content_type, role: Role::Main }]);
        }
        let packaging = packaging(&key, naming, task_id);
        Ok(vec![Output::Hls { file: self.written(), packaging: Box::new(packaging) }])
    }

    /// Params of a transcode that takes the streams over as they are.
    pub(super) fn copied(container: Container) -> Params {
        Params { container, video: Some(Video::Copy), audio: Some(Audio::Copy), hls: hls() }
    }
}

fn hls() -> Hls {
    Hls { seconds: (SEGMENT_US / 1_000_000) as u32, ..Hls::default() }
}

/// Pattern of segments: the playlist's own name and a number.
pub(super) const SEGMENT: &str = "{inputName}_{number}.{format}";

fn packaging(key: &str, naming: &Naming, task_id: &str) -> hls::Packaging {
    let (directory, file) = key.rsplit_once('/').unwrap_or(("", key));
    let name = file.strip_suffix(".m3u8").unwrap_or(file).to_owned();
    hls::Packaging {
        directory: format!("{directory}/"),
        playlist_key: key.to_owned(),
        segment: SEGMENT.to_owned(),
        number: NumberFormat::default(),
        extension: "ts".to_owned(),
        content_type: "video/mp2t".to_owned(),
        is_single: false,
        join_us: SEGMENT_US,
        first: None,
        also_us: Vec::new(),
        sub_stream: String::new(),
        is_independent: true,
        input_name: name,
        input_format: naming.source.format.clone(),
        definition: 0,
        task_id: task_id.to_owned(),
    }
}
