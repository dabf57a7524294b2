//! Words of the command line that code sound.
//!
//! Sound starts with the picture: what begins late is led in by silence, what begins early is cut, and gaps of more
//! than 20 ms are filled, so that nothing drifts.

use mps_core::media_info::AudioStream;

use super::params::AudioEncode;
use super::words::{AudioCodec, Container};

/// What comes out, given the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sound {
    /// Samples a second.
    pub sample_rate_hz: u32,
    /// Channels.
    pub channels: u32,
    /// Bits a second; 0 where it has no meaning.
    pub bitrate_bps: u64,
    /// Samples are brought to 16 bits: more would only store the decoder's rounding.
    pub is_narrowed: bool,
}

/// The numbers for `source` in `container`.
pub fn sound(audio: &AudioEncode, source: &AudioStream, container: Container) -> Sound {
    let rates: Vec<u32> = audio.codec.sample_rates_in(container).collect();
    let wanted = if audio.sample_rate_hz > 0 { audio.sample_rate_hz } else { source.sample_rate_hz };
    let sample_rate_hz =
        rates.iter().copied().find(|rate| *rate >= wanted).or(rates.last().copied()).unwrap_or(48_000);
    let most = audio.codec.most_channels();
    let wanted = if audio.channels > 0 { audio.channels } else { source.channels };
    let channels = match wanted.min(most) {
        0 => 2,
        1..=6 => wanted.min(most),
        7 => 6,
        _ => 8,
    };
    let is_exact = source.codec.starts_with("pcm_")
        || matches!(source.codec.as_str(), "flac" | "alac" | "ape" | "tta" | "wavpack" | "truehd" | "mlp");
    Sound {
        sample_rate_hz,
        channels,
        bitrate_bps: bitrate(audio, source, sample_rate_hz, channels),
        is_narrowed: audio.codec == AudioCodec::Flac && !is_exact,
    }
}

fn bitrate(audio: &AudioEncode, source: &AudioStream, rate: u32, channels: u32) -> u64 {
    if audio.codec.is_lossless() {
        return 0;
    }
    let wanted = if audio.bitrate_bps > 0 {
        audio.bitrate_bps
    } else if source.bit_rate_bps > 0 {
        source.bit_rate_bps.clamp(26_000, 256_000 * u64::from(channels.max(2)) / 2)
    } else {
        64_000 * u64::from(channels)
    };
    // Layers 2 and 3 and AC-3 have fixed steps; the low sample rates of layers 2 and 3 end at 160.
    let steps: &[u64] = match (audio.codec, rate) {
        (AudioCodec::Mp3, 32_000..) => &[32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
        (AudioCodec::Mp3, 16_000..) => &[8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
        (AudioCodec::Mp3, _) => &[8, 16, 24, 32, 40, 48, 56, 64],
        (AudioCodec::Mp2, 32_000..) if channels == 1 => &[32, 48, 56, 64, 80, 96, 112, 128, 160, 192],
        (AudioCodec::Mp2, 32_000..) => &[64, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        (AudioCodec::Mp2, _) => &[32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
        (AudioCodec::Ac3, _) => {
            &[32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640]
        }
        _ => return wanted,
    };
    let least = if audio.codec == AudioCodec::Ac3 { 32 * u64::from(channels) } else { 0 };
    let fitting = steps.iter().filter(|step| **step >= least);
    let nearest = fitting.min_by_key(|step| (**step * 1000).abs_diff(wanted));
    nearest.map_or(wanted, |step| step * 1000)
}

/// The filter chain. `keeps_timestamps` leaves the start where the source has it.
pub fn chain(sound: Sound, keeps_timestamps: bool) -> String {
    let layout = match sound.channels {
        1 => "mono",
        2 => "stereo",
        3 => "3.0",
        4 => "quad",
        5 => "5.0",
        6 => "5.1",
        _ => "7.1",
    };
    let start = if keeps_timestamps { "" } else { ":first_pts=0" };
    let narrow = if sound.is_narrowed { ":sample_fmts=s16" } else { "" };
    format!(
        "aresample={}:async=1:min_hard_comp=0.02{start},aformat=channel_layouts={layout}{narrow}",
        sound.sample_rate_hz
    )
}

/// The words for the encoder.
pub fn words(audio: &AudioEncode, sound: Sound) -> Vec<String> {
    let mut out = vec!["-c:a".to_owned(), audio.codec.encoder().to_owned()];
    if sound.bitrate_bps > 0 {
        out.extend(["-b:a".to_owned(), sound.bitrate_bps.to_string()]);
    }
    for (name, value) in [("language", &audio.language), ("title", &audio.title)] {
        if let Some(value) = value {
            out.extend(["-metadata:s:a:0".to_owned(), format!("{name}={value}")]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(codec: AudioCodec) -> AudioEncode {
        AudioEncode { codec, bitrate_bps: 0, sample_rate_hz: 0, channels: 0, language: None, title: None }
    }

    fn source(sample_rate_hz: u32, channels: u32, bit_rate_bps: u64) -> AudioStream {
        AudioStream { sample_rate_hz, channels, bit_rate_bps, ..AudioStream::default() }
    }

    #[test]
    fn open_numbers_follow_the_source_within_what_the_codec_can() {
        let of = |codec, rate, channels, bps| {
            let s = sound(&encode(codec), &source(rate, channels, bps), Container::Mkv);
            (s.sample_rate_hz, s.channels, s.bitrate_bps)
        };
        assert_eq!(of(AudioCodec::Aac, 48_000, 6, 384_000), (48_000, 6, 384_000));
        assert_eq!(of(AudioCodec::Aac, 8_000, 1, 0), (8_000, 1, 64_000));
        assert_eq!(of(AudioCodec::Mp3, 96_000, 6, 1_500_000), (48_000, 2, 256_000));
        assert_eq!(of(AudioCodec::Opus, 44_100, 2, 128_000), (48_000, 2, 128_000));
        assert_eq!(of(AudioCodec::Flac, 44_100, 2, 128_000), (44_100, 2, 0));
        assert_eq!(of(AudioCodec::Aac, 48_000, 7, 0).1, 6);
    }

    #[test]
    fn fixed_steps_are_met() {
        let of = |codec, kbps: u64, rate, channels| {
            let audio =
                AudioEncode { bitrate_bps: kbps * 1000, sample_rate_hz: rate, channels, ..encode(codec) };
            sound(&audio, &source(48_000, 2, 0), Container::Mkv).bitrate_bps / 1000
        };
        assert_eq!(of(AudioCodec::Mp3, 130, 44_100, 2), 128);
        assert_eq!(of(AudioCodec::Mp3, 256, 22_050, 2), 160);
        assert_eq!(of(AudioCodec::Mp2, 26, 44_100, 2), 64);
        assert_eq!(of(AudioCodec::Ac3, 26, 48_000, 6), 192);
        assert_eq!(of(AudioCodec::Aac, 26, 44_100, 2), 26);
    }
}
