//! What is written, and on which canvas.

use mps_wire::types::{ComposeAudioStream, ComposeCanvas, ComposeTargetInfo, ComposeVideoStream};

use super::{Checked, wrong};
use crate::edit::compose::params::Compose;
use crate::edit::compose::words::color;
use crate::edit::output::encode;
use crate::features::transcode::params::AudioEncode;
use crate::features::transcode::words::{AudioCodec, Container};

/// A composition without its tracks and canvas.
pub(super) fn target(info: &ComposeTargetInfo) -> Checked<Compose> {
    let ComposeTargetInfo { container, remove_video, remove_audio, video_stream, audio_stream } = info;
    let here = "ComposeConfig.TargetInfo";
    let container = match container.as_deref().unwrap_or_default() {
        "" | "mp4" => Container::Mp4,
        "mp3" => Container::Mp3,
        other => return Err(wrong(&format!("{here}.Container"), format!("is mp4 or mp3, not {other:?}"))),
    };
    let is_removed = |name: &str, value: Option<i64>| match value.unwrap_or(0) {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(wrong(&format!("{here}.{name}"), format!("is 0 or 1, not {other}"))),
    };
    let no_video = is_removed("RemoveVideo", *remove_video)?;
    let no_audio = is_removed("RemoveAudio", *remove_audio)?;
    if no_audio && (no_video || container == Container::Mp3) {
        return Err(wrong(&format!("{here}.RemoveAudio"), "is 1, which leaves nothing to write"));
    }
    let (fps, video_bps) = video_stream.as_ref().map_or(Ok((0, 0)), video)?;
    let sound = audio(audio_stream.as_ref().unwrap_or(&ComposeAudioStream::default()), container)?;
    Ok(Compose {
        container,
        has_video: !no_video && container == Container::Mp4,
        has_audio: !no_audio,
        fps,
        video_bps,
        sound,
        width: 0,
        height: 0,
        color: [0; 3],
        tracks: Vec::new(),
    })
}

/// A number that may be left out by sending 0.
fn number(path: &str, value: Option<i64>, range: std::ops::RangeInclusive<i64>, unit: &str) -> Checked<u32> {
    match value.unwrap_or(0) {
        0 => Ok(0),
        value if range.contains(&value) => Ok(value as u32),
        other => {
            let (least, most) = (range.start(), range.end());
            Err(wrong(path, format!("is {least} to {most}{unit}, not {other}")))
        }
    }
}

fn video(stream: &ComposeVideoStream) -> Checked<(u32, u64)> {
    let ComposeVideoStream { codec, fps, bitrate } = stream;
    let here = "ComposeConfig.TargetInfo.VideoStream";
    match codec.as_deref().unwrap_or_default() {
        "" | "H.264" => {}
        other => return Err(wrong(&format!("{here}.Codec"), format!("is H.264, not {other:?}"))),
    }
    let fps = number(&format!("{here}.Fps"), *fps, 0..=60, "")?;
    let kbps = number(&format!("{here}.Bitrate"), *bitrate, 50..=35_000, " kbps")?;
    Ok((fps, u64::from(kbps) * 1_000))
}

fn audio(stream: &ComposeAudioStream, container: Container) -> Checked<AudioEncode> {
    let ComposeAudioStream { codec, sample_rate, audio_channel, bitrate } = stream;
    let here = "ComposeConfig.TargetInfo.AudioStream";
    let fitting = if container == Container::Mp3 { AudioCodec::Mp3 } else { AudioCodec::Aac };
    let codec = match codec.as_deref().unwrap_or_default() {
        "" => fitting,
        "AAC" => AudioCodec::Aac,
        "MP3" => AudioCodec::Mp3,
        other => return Err(wrong(&format!("{here}.Codec"), format!("is AAC or MP3, not {other:?}"))),
    };
    if codec != fitting {
        let told = format!("is {} for {}", fitting.word().to_uppercase(), container.word());
        return Err(wrong(&format!("{here}.Codec"), told));
    }
    let sample_rate = match sample_rate.unwrap_or(0) {
        0 => 16_000,
        rate @ (16_000 | 32_000 | 44_100 | 48_000) => rate as u32,
        other => {
            let told = format!("is 16000, 32000, 44100 or 48000, not {other}");
            return Err(wrong(&format!("{here}.SampleRate"), told));
        }
    };
    let channels = match audio_channel.unwrap_or(0) {
        0 => 2,
        count @ (1 | 2) => count as u32,
        other => return Err(wrong(&format!("{here}.AudioChannel"), format!("is 1 or 2, not {other}"))),
    };
    let kbps = number(&format!("{here}.Bitrate"), *bitrate, 26..=10_000, " kbps")?;
    Ok(encode(codec, u64::from(kbps) * 1_000, sample_rate, channels))
}

pub(super) fn canvas(canvas: &ComposeCanvas) -> Checked<(u32, u32, [u8; 3])> {
    let ComposeCanvas { color: text, width, height } = canvas;
    let here = "ComposeConfig.Canvas";
    let text = text.as_deref().filter(|text| !text.is_empty()).unwrap_or("#000000");
    let color = color(text).filter(|_| text.len() == 7);
    let [r, g, b, _] =
        color.ok_or_else(|| wrong(&format!("{here}.Color"), format!("is #RRGGBB, not {text:?}")))?;
    let width = number(&format!("{here}.Width"), *width, 0..=3_840, " pixels")?;
    let height = number(&format!("{here}.Height"), *height, 0..=3_840, " pixels")?;
    Ok((width, height, [r, g, b]))
}
