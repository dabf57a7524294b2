//! Which files there are between coding and packaging, and which stream of the output each becomes.
//!
//! Streams of the template come first, under their numbers; sound and subtitles of their own follow. A sound that
//! several streams share is coded and packaged once.

use mps_core::media_info::{AudioStream, MediaInfo};

use super::ladder::Rung;
use super::mix::Mix;
use super::params::{Format, Sound, StepParams, Track};
use crate::features::transcode::params::Audio;
use crate::features::transcode::words::{AudioCodec, VideoCodec};

/// Where a sound comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    /// A stream of the source, by its index.
    Stream(u32),
    /// Several streams or channels of the source.
    Mixed(Mix),
    /// A file of the caller's, by its place in the list.
    Added(usize),
}

/// A sound to be coded.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SoundFile {
    pub(super) from: Source,
    pub(super) audio: Audio,
    /// The stream of the template whose container it goes by.
    pub(super) stream: usize,
    /// What a player calls it; empty leaves it to us.
    pub(super) name: String,
    /// Its language; empty is unknown.
    pub(super) language: String,
    pub(super) channels: u32,
    pub(super) is_default: bool,
}

/// Which program packages a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packer {
    Ffmpeg,
    Packager,
}

/// A stream of the output, subtitles apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    /// The rung whose pictures it has.
    pub(super) video: Option<usize>,
    /// The sound that it has.
    pub(super) sound: Option<usize>,
    /// Who makes it.
    pub(super) packer: Packer,
    /// Extension of the file that is made.
    pub(super) extension: &'static str,
}

/// All of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    /// Sounds to be coded, each once.
    pub(super) sounds: Vec<SoundFile>,
    /// The sounds of each rung, its default first.
    pub(super) of_rung: Vec<Vec<usize>>,
    /// Sound lies in the segments of the pictures.
    pub(super) is_joint: bool,
    /// The streams of the output by number: first one for each rung.
    pub(super) parts: Vec<Part>,
    /// Whether the pictures of each rung are H.265.
    pub(super) is_h265: Vec<bool>,
    has_packager: bool,
}

impl Layout {
    /// The layout of `rungs` of a source.
    pub(super) fn new(step: &StepParams, rungs: &[Rung], info: &MediaInfo, has_packager: bool) -> Self {
        let mut sounds = Vec::new();
        let of_rung: Vec<Vec<usize>> =
            rungs.iter().map(|rung| sounds_of(step, rung, info, &mut sounds)).collect();
        let is_joint = step.may_join() && of_rung.iter().all(|sounds| sounds.len() <= 1);
        let codec = |rung: &Rung| rung.video.as_ref().map(|video| video.codec);
        let is_h265 = rungs.iter().map(|rung| codec(rung) == Some(VideoCodec::H265)).collect();
        let mut layout = Self { sounds, of_rung, is_joint, parts: Vec::new(), is_h265, has_packager };
        for (nth, rung) in rungs.iter().enumerate() {
            let first = layout.of_rung[nth].first().copied();
            let part = match &rung.video {
                Some(video) if is_joint => layout.part(step, Some((nth, video.codec)), first),
                Some(video) => layout.part(step, Some((nth, video.codec)), None),
                None => layout.part(step, None, first),
            };
            layout.parts.push(part);
        }
        if !is_joint {
            for sound in 0..layout.sounds.len() {
                if layout.alone(sound).is_none() {
                    let part = layout.part(step, None, Some(sound));
                    layout.parts.push(part);
                }
            }
        }
        layout
    }

    /// The part that is this sound and nothing else.
    pub(super) fn alone(&self, sound: usize) -> Option<usize> {
        self.parts.iter().position(|part| part.video.is_none() && part.sound == Some(sound))
    }

    fn part(&self, step: &StepParams, video: Option<(usize, VideoCodec)>, sound: Option<usize>) -> Part {
        let segments = step.params.segments;
        let codec = sound.and_then(|sound| match &self.sounds[sound].audio {
            Audio::Encode(encode) => Some(encode.codec),
            Audio::Copy => None,
        });
        let is_packed = segments.sound == Sound::Packed && video.is_none();
        let is_known = video.is_none_or(|(_, codec)| codec != VideoCodec::H266)
            && codec
                .is_none_or(|codec| matches!(codec, AudioCodec::Aac | AudioCodec::Ac3 | AudioCodec::Eac3));
        let is_packager = step.params.format == Format::Dash
            || is_packed
            || (segments.is_mp4 && !self.is_joint && is_known);
        let extension = match codec {
            Some(AudioCodec::Ac3) if is_packed => "ac3",
            Some(AudioCodec::Eac3) if is_packed => "ec3",
            _ if is_packed => "aac",
            _ if segments.is_mp4 => "mp4",
            _ => "ts",
        };
        let packer = if is_packager { Packer::Packager } else { Packer::Ffmpeg };
        Part { video: video.map(|(rung, _)| rung), sound, packer, extension }
    }

    /// Name in the job's folder of the coded pictures of a rung.
    pub(super) fn video_file(rung: usize) -> String {
        format!("video-{rung}.mp4")
    }

    /// Name in the job's folder of a coded sound.
    pub(super) fn sound_file(sound: usize) -> String {
        format!("sound-{sound}.mp4")
    }

    /// Name in the job's folder of the packaged `nth` part.
    pub(super) fn part_file(&self, nth: usize) -> String {
        format!("part-{nth}.{}", self.parts[nth].extension)
    }

    /// Name in the job's folder of its playlist.
    pub(super) fn playlist_file(nth: usize) -> String {
        format!("part-{nth}.m3u8")
    }

    /// Name in the job's folder of the master playlist that ffmpeg writes with it.
    pub(super) fn master_file(nth: usize) -> String {
        format!("codecs-{nth}.m3u8")
    }

    /// Whether ffmpeg packages the `nth` part and does not know the name of its codec, which the packager does.
    pub(super) fn is_untold(&self, nth: usize) -> bool {
        let part = &self.parts[nth];
        self.has_packager
            && part.packer == Packer::Ffmpeg
            && part.video.is_some_and(|rung| self.is_h265[rung])
    }

    /// Name in the job's folder of a playlist that the packager writes only to tell the codec of the `nth` part.
    pub(super) fn look_file(nth: usize) -> String {
        format!("look-{nth}.m3u8")
    }
}

/// The sound of the source that a track is made of; of a mix, its first.
pub(super) fn source_of<'a>(track: &Track, info: &'a MediaInfo) -> Option<&'a AudioStream> {
    match track.stream_index {
        None => info.main_audio(),
        Some(index) => info.audio.iter().find(|audio| audio.index == index),
    }
}

/// A language that says something.
fn known(language: &str) -> String {
    if matches!(language, "und" | "mis" | "mul" | "zxx") { String::new() } else { language.to_owned() }
}

/// The sounds of a rung, put into the list of all where they are not there yet.
fn sounds_of(step: &StepParams, rung: &Rung, info: &MediaInfo, all: &mut Vec<SoundFile>) -> Vec<usize> {
    let stream = &step.params.streams[rung.stream];
    let Some(usual) = stream.tracks.first() else { return Vec::new() };
    let mut own: Vec<SoundFile> = Vec::new();
    if rung.has_sound {
        own.extend(stream.tracks.iter().filter_map(|track| Some((track, source_of(track, info)?))).map(
            |(track, source)| {
                let (name, language, channels) = match &track.audio {
                    Audio::Encode(encode) => (encode.title.clone(), encode.language.clone(), encode.channels),
                    Audio::Copy => (None, None, 0),
                };
                SoundFile {
                    from: track.mix.clone().map_or(Source::Stream(source.index), Source::Mixed),
                    audio: track.audio.clone(),
                    stream: rung.stream,
                    name: name.unwrap_or_default(),
                    language: language.unwrap_or_else(|| known(&source.language)),
                    channels: match &track.mix {
                        _ if channels > 0 => channels,
                        Some(mix) => mix.channels(info),
                        None => source.channels,
                    },
                    is_default: track.is_default,
                }
            },
        ));
    }
    // A track that is added takes the form that the sound beside it has.
    own.extend(step.sounds.iter().enumerate().map(|(nth, added)| SoundFile {
        from: Source::Added(nth),
        audio: match &usual.audio {
            Audio::Encode(encode) => {
                let mut encode = encode.clone();
                (encode.language, encode.title) = (None, None);
                if encode.channels == 0 {
                    encode.channels = 2;
                }
                Audio::Encode(encode)
            }
            Audio::Copy => Audio::Copy,
        },
        stream: rung.stream,
        name: added.name.clone(),
        language: added.language.clone(),
        channels: match &usual.audio {
            Audio::Encode(encode) if encode.channels > 0 => encode.channels,
            _ => 2,
        },
        is_default: added.is_default,
    }));
    let default = own.iter().rposition(|sound| sound.is_default).unwrap_or(0);
    for (nth, sound) in own.iter_mut().enumerate() {
        sound.is_default = nth == default;
    }
    if default < own.len() {
        own.swap(0, default);
    }
    own.into_iter()
        .map(|sound| {
            let known =
                all.iter().position(|other| SoundFile { stream: sound.stream, ..other.clone() } == sound);
            known.unwrap_or_else(|| {
                all.push(sound);
                all.len() - 1
            })
        })
        .collect()
}
