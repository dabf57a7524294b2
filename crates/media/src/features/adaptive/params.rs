//! What a ladder is asked to be, checked and in our words.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::mix::Mix;
use crate::drm::Drm;
use crate::features::added::Added;
use crate::features::burn::Burn;
use crate::features::marks::Mark;
use crate::features::transcode::params::{Audio, Hls, Params as Encoding, Video, VideoEncode};
use crate::names::SourceName;

/// The manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Playlists.
    Hls,
    /// MPEG-DASH.
    Dash,
}

impl Format {
    /// The word of requests and results.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hls => "HLS",
            Self::Dash => "MPEG-DASH",
        }
    }

    /// Extension of the manifest.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Hls => "m3u8",
            Self::Dash => "mpd",
        }
    }
}

/// Where sound lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sound {
    /// In the segments of the pictures.
    Joint,
    /// In segments of its own, of the same kind.
    Apart,
    /// In segments of its own without any wrapping.
    Packed,
}

/// What segments are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segments {
    /// They are MPEG-4, else transport streams.
    pub is_mp4: bool,
    /// They are stretches of one object a stream.
    pub is_range: bool,
    /// Where sound lies.
    pub sound: Sound,
}

impl Segments {
    /// Of the word of requests; empty is the usual one of the format.
    pub fn from_word(word: &str, format: Format) -> Option<Self> {
        let of = |is_mp4, is_range, sound| Some(Self { is_mp4, is_range, sound });
        match word {
            // Players of DASH take no sound out of the files of pictures.
            "" | "mp4-byterange" | "mp4-mp4-byterange" if format == Format::Dash => {
                of(true, true, Sound::Apart)
            }
            _ if format == Format::Dash => None,
            "" | "ts-segment" => of(false, false, Sound::Joint),
            "ts-byterange" => of(false, true, Sound::Joint),
            "mp4-segment" => of(true, false, Sound::Joint),
            "mp4-byterange" => of(true, true, Sound::Joint),
            "ts-ts-segment" => of(false, false, Sound::Apart),
            "ts-ts-byterange" => of(false, true, Sound::Apart),
            "mp4-mp4-segment" => of(true, false, Sound::Apart),
            "mp4-mp4-byterange" => of(true, true, Sound::Apart),
            "ts-packed-audio" => of(false, false, Sound::Packed),
            "ts-packed-audio-byterange" => of(false, true, Sound::Packed),
            "mp4-packed-audio" => of(true, false, Sound::Packed),
            "mp4-packed-audio-byterange" => of(true, true, Sound::Packed),
            _ => None,
        }
    }
}

/// A track of sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// What it is mixed of, where that is not one stream as it is.
    #[serde(default)]
    pub mix: Option<Mix>,
    /// The stream of the source that it comes from; `None` is the main one.
    #[serde(default)]
    pub stream_index: Option<u32>,
    /// How it is coded.
    pub audio: Audio,
    /// Whether it is played unless another is chosen.
    pub is_default: bool,
}

/// One stream of the template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    /// How it is coded; the container is that of its segments.
    pub encoding: Encoding,
    /// Its sound; empty without.
    pub tracks: Vec<Track>,
}

impl Stream {
    /// How its pictures are coded.
    pub fn video(&self) -> Option<&VideoEncode> {
        match &self.encoding.video {
            Some(Video::Encode(encode)) => Some(encode),
            _ => None,
        }
    }
}

/// A whole template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Params {
    /// The manifest.
    pub format: Format,
    /// What segments are.
    pub segments: Segments,
    /// From one to ten.
    pub streams: Vec<Stream>,
    /// Streams of a higher bit rate than the source's are left out.
    pub no_higher_bitrate: bool,
    /// Streams of a larger picture than the source's are left out.
    pub no_higher_resolution: bool,
}

impl Params {
    /// Whether a stream has more than one track of sound, so that sound lies apart.
    pub fn has_several_tracks(&self) -> bool {
        self.streams.iter().any(|stream| stream.tracks.len() > 1)
    }

    /// How long segments are: of the first stream that has pictures, else of the first.
    pub fn hls(&self) -> Hls {
        let first = self.streams.iter().find(|stream| stream.video().is_some()).or(self.streams.first());
        first.map(|stream| stream.encoding.hls).unwrap_or_default()
    }
}

/// How the outputs are named; patterns are checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Naming {
    /// Directory for a relative manifest, beginning and ending with `/`.
    pub directory: String,
    /// Pattern of the manifest.
    pub manifest: String,
    /// Pattern of streams, relative to the directory of the manifest.
    pub sub_stream: String,
    /// Pattern of segments, relative to the same.
    pub segment: String,
}

/// All that a worker needs for one ladder; stored with the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepParams {
    /// Number of the template.
    pub definition: i64,
    /// Place of the item in the request's list, from 0.
    pub item: usize,
    /// What to make.
    pub params: Params,
    /// Times of the source, in microseconds and rising, where key frames and segments begin besides.
    pub key_times_us: Vec<i64>,
    /// Sound of the caller's.
    pub sounds: Vec<Added>,
    /// Subtitles of the caller's.
    pub captions: Vec<Added>,
    /// What is laid over the pictures.
    #[serde(default)]
    pub marks: Vec<Mark>,
    /// Subtitles that become part of the pictures.
    #[serde(default)]
    pub burn: Option<Burn>,
    /// How it is encrypted.
    #[serde(default)]
    pub drm: Option<Drm>,
    /// Under which names.
    pub naming: Naming,
    /// What the source's address gives to names.
    pub source: SourceName,
    /// Where to: the API's `TaskOutputStorage`.
    pub storage: Value,
}

impl StepParams {
    /// Whether samples are encrypted. Each file then has one track, and the packager makes it.
    pub fn encrypts_samples(&self) -> bool {
        self.drm.as_ref().is_some_and(Drm::is_of_samples)
    }

    /// Whether sound may share the segments of pictures.
    pub fn may_join(&self) -> bool {
        self.params.segments.sound == Sound::Joint && !self.encrypts_samples()
    }
}
