//! Containers and codecs: their words in requests, and what fits into what.

use serde::{Deserialize, Serialize};

/// The wrapping of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Container {
    /// MPEG-4 part 14.
    Mp4,
    /// Flash video.
    Flv,
    /// A playlist with segments.
    Hls,
    /// MPEG transport stream.
    Ts,
    /// WebM.
    Webm,
    /// Matroska.
    Mkv,
    /// Material exchange format, OP1a.
    Mxf,
    /// QuickTime.
    Mov,
    /// MPEG audio.
    Mp3,
    /// FLAC.
    Flac,
    /// Ogg, for sound.
    Ogg,
    /// MPEG-4 part 14, for sound.
    M4a,
    /// RIFF wave.
    Wav,
    /// RIFF video; edits write it, templates cannot name it.
    Avi,
}

impl Container {
    /// Every container that templates can name.
    pub const ALL: [Self; 13] = [
        Self::Mp4,
        Self::Flv,
        Self::Hls,
        Self::Ts,
        Self::Webm,
        Self::Mkv,
        Self::Mxf,
        Self::Mov,
        Self::Mp3,
        Self::Flac,
        Self::Ogg,
        Self::M4a,
        Self::Wav,
    ];

    /// The word of requests.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Flv => "flv",
            Self::Hls => "hls",
            Self::Ts => "ts",
            Self::Webm => "webm",
            Self::Mkv => "mkv",
            Self::Mxf => "mxf",
            Self::Mov => "mov",
            Self::Mp3 => "mp3",
            Self::Flac => "flac",
            Self::Ogg => "ogg",
            Self::M4a => "m4a",
            Self::Wav => "wav",
            Self::Avi => "avi",
        }
    }

    /// The container of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.word() == word)
    }

    /// Whether it holds several tracks of sound that players offer.
    pub const fn has_tracks(self) -> bool {
        matches!(self, Self::Mp4 | Self::Mov | Self::Mkv | Self::Ts)
    }

    /// ffmpeg's encoder of tracks of subtitles; `None` when it holds none.
    pub const fn captions(self) -> Option<&'static str> {
        match self {
            Self::Mp4 | Self::Mov => Some("mov_text"),
            Self::Mkv => Some("srt"),
            Self::Webm => Some("webvtt"),
            _ => None,
        }
    }

    /// Whether it holds sound alone.
    pub const fn is_audio_only(self) -> bool {
        matches!(self, Self::Mp3 | Self::Flac | Self::Ogg | Self::M4a | Self::Wav)
    }

    /// Extension of the file that is asked for, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Hls => "m3u8",
            other => other.word(),
        }
    }

    /// ffmpeg's muxer.
    pub const fn muxer(self) -> &'static str {
        match self {
            Self::Ts => "mpegts",
            Self::Mkv => "matroska",
            Self::M4a => "ipod",
            other => other.word(),
        }
    }

    /// Media type of the file that is asked for.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Mp4 => "video/mp4",
            Self::Flv => "video/x-flv",
            Self::Hls => crate::hls::PLAYLIST_TYPE,
            Self::Ts => "video/mp2t",
            Self::Webm => "video/webm",
            Self::Mkv => "video/x-matroska",
            Self::Mxf => "application/mxf",
            Self::Mov => "video/quicktime",
            Self::Mp3 => "audio/mpeg",
            Self::Flac => "audio/flac",
            Self::Ogg => "audio/ogg",
            Self::M4a => "audio/mp4",
            Self::Wav => "audio/wav",
            Self::Avi => "video/x-msvideo",
        }
    }

    /// Whether the boxes of MPEG-4 are written.
    pub const fn is_boxed(self) -> bool {
        matches!(self, Self::Mp4 | Self::Mov | Self::M4a)
    }
}

/// How pictures are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VideoCodec {
    /// H.264.
    H264,
    /// H.265.
    H265,
    /// H.266.
    H266,
    /// AV1.
    Av1,
    /// VP8.
    Vp8,
    /// VP9.
    Vp9,
    /// MPEG-2.
    Mpeg2,
    /// VC-3.
    Dnxhd,
    /// Two views in H.265; known, but nothing here encodes it.
    MvHevc,
}

impl VideoCodec {
    /// Every codec.
    pub const ALL: [Self; 9] = [
        Self::H264,
        Self::H265,
        Self::H266,
        Self::Av1,
        Self::Vp8,
        Self::Vp9,
        Self::Mpeg2,
        Self::Dnxhd,
        Self::MvHevc,
    ];

    /// The word of requests.
    pub const fn word(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::H265 => "h265",
            Self::H266 => "h266",
            Self::Av1 => "av1",
            Self::Vp8 => "vp8",
            Self::Vp9 => "vp9",
            Self::Mpeg2 => "mpeg2",
            Self::Dnxhd => "dnxhd",
            Self::MvHevc => "mv-hevc",
        }
    }

    /// The codec of this word; the names of encoders that preset templates print are read too.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "libx264" => Some(Self::H264),
            "libx265" => Some(Self::H265),
            _ => Self::ALL.into_iter().find(|c| c.word() == word),
        }
    }

    /// ffmpeg's encoder; `None` where there is none.
    pub const fn encoder(self) -> Option<&'static str> {
        match self {
            Self::H264 => Some("libx264"),
            Self::H265 => Some("libx265"),
            Self::H266 => Some("libvvenc"),
            Self::Av1 => Some("libsvtav1"),
            Self::Vp8 => Some("libvpx"),
            Self::Vp9 => Some("libvpx-vp9"),
            Self::Mpeg2 => Some("mpeg2video"),
            Self::Dnxhd => Some("dnxhd"),
            Self::MvHevc => None,
        }
    }

    /// Whether `container` may hold it by the rules of the API.
    pub const fn fits(self, container: Container) -> bool {
        use Container::{Flv, Hls, Mkv, Mov, Mp4, Mxf, Ts, Webm};
        match self {
            Self::H264 | Self::H265 => matches!(container, Mp4 | Flv | Hls | Ts | Mkv | Mov),
            Self::H266 => matches!(container, Mp4 | Hls | Ts | Mov),
            Self::Av1 => matches!(container, Mp4 | Webm | Mkv),
            Self::Vp8 | Self::Vp9 => matches!(container, Webm | Mkv),
            Self::Mpeg2 | Self::Dnxhd => matches!(container, Mxf),
            Self::MvHevc => matches!(container, Mp4 | Hls | Mov),
        }
    }
}

/// How sound is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AudioCodec {
    /// AAC, low complexity.
    Aac,
    /// MPEG-1/2 layer 3.
    Mp3,
    /// MPEG-1/2 layer 2.
    Mp2,
    /// AC-3.
    Ac3,
    /// Enhanced AC-3.
    Eac3,
    /// FLAC.
    Flac,
    /// Opus.
    Opus,
    /// Vorbis.
    Vorbis,
    /// Samples of 16 bits.
    Pcm16,
    /// Samples of 24 bits.
    Pcm24,
}

impl AudioCodec {
    /// Every codec.
    pub const ALL: [Self; 10] = [
        Self::Aac,
        Self::Mp3,
        Self::Mp2,
        Self::Ac3,
        Self::Eac3,
        Self::Flac,
        Self::Opus,
        Self::Vorbis,
        Self::Pcm16,
        Self::Pcm24,
    ];

    /// The word of requests.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Aac => "aac",
            Self::Mp3 => "mp3",
            Self::Mp2 => "mp2",
            Self::Ac3 => "ac3",
            Self::Eac3 => "eac3",
            Self::Flac => "flac",
            Self::Opus => "opus",
            Self::Vorbis => "vorbis",
            Self::Pcm16 => "pcm16",
            Self::Pcm24 => "pcm24",
        }
    }

    /// The codec of this word; the names of encoders that preset templates print are read too.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "libfdk_aac" => Some(Self::Aac),
            "libmp3lame" => Some(Self::Mp3),
            _ => Self::ALL.into_iter().find(|c| c.word() == word),
        }
    }

    /// ffmpeg's encoder.
    pub const fn encoder(self) -> &'static str {
        match self {
            Self::Aac => "aac",
            Self::Mp3 => "libmp3lame",
            Self::Mp2 => "mp2",
            Self::Ac3 => "ac3",
            Self::Eac3 => "eac3",
            Self::Flac => "flac",
            Self::Opus => "libopus",
            Self::Vorbis => "libvorbis",
            Self::Pcm16 => "pcm_s16le",
            Self::Pcm24 => "pcm_s24le",
        }
    }

    /// Whether `container` may hold it: the rules of the API where it has one (mp4, flv, hls, mp3, flac, ogg,
    /// m4a, wav), what the container's own standard allows elsewhere.
    pub const fn fits(self, container: Container) -> bool {
        use Container::{Avi, Flac, Flv, Hls, M4a, Mkv, Mov, Mp3, Mp4, Mxf, Ogg, Ts, Wav, Webm};
        match container {
            Mp4 => matches!(self, Self::Aac | Self::Mp3 | Self::Mp2),
            // The API's text also lists mp2 here, which the format cannot carry.
            Flv => matches!(self, Self::Aac | Self::Mp3),
            Hls => matches!(self, Self::Aac | Self::Mp3 | Self::Eac3),
            Ts => matches!(self, Self::Aac | Self::Mp3 | Self::Mp2 | Self::Ac3 | Self::Eac3),
            Webm => matches!(self, Self::Opus | Self::Vorbis),
            Mkv => true,
            Mov => matches!(
                self,
                Self::Aac | Self::Mp3 | Self::Mp2 | Self::Ac3 | Self::Eac3 | Self::Pcm16 | Self::Pcm24
            ),
            Mxf => matches!(self, Self::Pcm16 | Self::Pcm24),
            Mp3 => matches!(self, Self::Mp3),
            Flac | Ogg => matches!(self, Self::Flac),
            M4a => matches!(self, Self::Aac | Self::Ac3),
            Wav => matches!(self, Self::Pcm16 | Self::Pcm24),
            Avi => matches!(self, Self::Mp3 | Self::Pcm16),
        }
    }

    /// Sample rates in hertz that it can carry, rising.
    pub const fn sample_rates(self) -> &'static [u32] {
        match self {
            Self::Aac => &[
                8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000,
            ],
            Self::Mp3 => &[8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000],
            Self::Mp2 => &[16_000, 22_050, 24_000, 32_000, 44_100, 48_000],
            Self::Ac3 | Self::Eac3 => &[32_000, 44_100, 48_000],
            Self::Opus => &[8_000, 12_000, 16_000, 24_000, 48_000],
            Self::Flac | Self::Vorbis | Self::Pcm16 | Self::Pcm24 => &[
                8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200,
                96_000, 176_400, 192_000,
            ],
        }
    }

    /// The part of [`AudioCodec::sample_rates`] that `container` can carry too.
    pub fn sample_rates_in(self, container: Container) -> impl Iterator<Item = u32> {
        let rates = self.sample_rates().iter().copied();
        rates.filter(move |rate| match (container, self) {
            (Container::Mxf, _) => *rate == 48_000,
            (Container::Flv, Self::Mp3) => matches!(rate, 11_025 | 22_050 | 44_100),
            (Container::Mp4 | Container::Mov, Self::Mp3) => *rate >= 16_000,
            _ => true,
        })
    }

    /// The most channels that it can carry.
    pub const fn most_channels(self) -> u32 {
        match self {
            Self::Mp3 | Self::Mp2 => 2,
            Self::Ac3 | Self::Eac3 => 6,
            _ => 8,
        }
    }

    /// Whether nothing is lost, so that a bit rate has no meaning.
    pub const fn is_lossless(self) -> bool {
        matches!(self, Self::Flac | Self::Pcm16 | Self::Pcm24)
    }
}

/// Whether `container` can hold the pictures of a source as they are; `codec` by ffmpeg's name.
pub fn can_copy_video(codec: &str, container: Container) -> bool {
    match container {
        Container::Mp4 => {
            matches!(
                codec,
                "h264" | "hevc" | "vvc" | "av1" | "vp9" | "mpeg4" | "mpeg2video" | "mpeg1video" | "mjpeg"
            )
        }
        Container::Mov => {
            matches!(
                codec,
                "h264"
                    | "hevc"
                    | "vvc"
                    | "mpeg4"
                    | "mpeg2video"
                    | "mpeg1video"
                    | "mjpeg"
                    | "prores"
                    | "dnxhd"
                    | "dvvideo"
            )
        }
        Container::Flv => matches!(codec, "h264" | "hevc" | "av1" | "vp9" | "flv1" | "vp6f"),
        Container::Hls | Container::Ts => {
            matches!(codec, "h264" | "hevc" | "vvc" | "mpeg2video" | "mpeg1video" | "mpeg4")
        }
        Container::Webm => matches!(codec, "vp8" | "vp9" | "av1"),
        Container::Mkv => true,
        Container::Mxf => matches!(codec, "mpeg2video" | "dnxhd"),
        Container::Avi => {
            matches!(codec, "h264" | "mpeg4" | "mpeg2video" | "mpeg1video" | "mjpeg" | "dvvideo")
        }
        _ => false,
    }
}

/// Whether `container` can hold the sound of a source as it is; `codec` by ffmpeg's name.
pub fn can_copy_audio(codec: &str, container: Container) -> bool {
    match container {
        Container::Mp4 => {
            matches!(codec, "aac" | "mp3" | "mp2" | "ac3" | "eac3" | "flac" | "opus" | "alac" | "dts")
        }
        Container::Mov => {
            matches!(codec, "aac" | "mp3" | "mp2" | "ac3" | "eac3" | "alac") || codec.starts_with("pcm_")
        }
        Container::Flv => matches!(codec, "aac" | "mp3" | "speex" | "nellymoser" | "pcm_alaw" | "pcm_mulaw"),
        Container::Hls => matches!(codec, "aac" | "mp3" | "mp2" | "ac3" | "eac3"),
        Container::Ts => matches!(codec, "aac" | "mp3" | "mp2" | "ac3" | "eac3" | "dts" | "opus"),
        Container::Webm => matches!(codec, "opus" | "vorbis"),
        Container::Mkv => true,
        Container::Mxf => matches!(codec, "pcm_s16le" | "pcm_s24le"),
        Container::Mp3 => codec == "mp3",
        Container::Flac => codec == "flac",
        Container::Ogg => matches!(codec, "flac" | "vorbis" | "opus" | "speex"),
        Container::M4a => matches!(codec, "aac" | "alac" | "ac3"),
        Container::Wav => codec.starts_with("pcm_"),
        Container::Avi => matches!(codec, "mp3" | "mp2" | "ac3") || codec.starts_with("pcm_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back() {
        for container in Container::ALL {
            assert_eq!(Container::from_word(container.word()), Some(container));
        }
        for codec in VideoCodec::ALL {
            assert_eq!(VideoCodec::from_word(codec.word()), Some(codec));
        }
        for codec in AudioCodec::ALL {
            assert_eq!(AudioCodec::from_word(codec.word()), Some(codec));
        }
        assert_eq!(Container::from_word("xyz"), None);
        assert_eq!(VideoCodec::from_word("libx264"), Some(VideoCodec::H264));
    }

    #[test]
    fn pairs_of_codec_and_container_follow_the_api() {
        let pairs = |codec: VideoCodec| -> Vec<_> {
            Container::ALL.into_iter().filter(|c| codec.fits(*c)).map(Container::word).collect()
        };
        assert_eq!(pairs(VideoCodec::Av1), ["mp4", "webm", "mkv"]);
        assert_eq!(pairs(VideoCodec::H266), ["mp4", "hls", "ts", "mov"]);
        assert_eq!(pairs(VideoCodec::Vp9), ["webm", "mkv"]);
        assert_eq!(pairs(VideoCodec::Mpeg2), ["mxf"]);
        assert!(!VideoCodec::H264.fits(Container::Webm));
        assert!(!AudioCodec::Aac.fits(Container::Mp3));
    }
}
