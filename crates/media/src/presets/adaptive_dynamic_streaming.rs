//! Presets of adaptive streams, by falling number.
//!
//! Known from the documents: the numbers 10 (HLS) and 30 (HLS, sound alone). Ours, where they are silent: the number
//! 20 for MPEG-DASH, all names and times, and the ladders, which are those of the transcode presets.

use serde_json::{Value, json};

use super::Preset;

const TIME: &str = "2020-03-04T07:39:36+08:00";
/// Rungs: short side, video kbps, audio kbps.
const LADDER: &[(u32, u32, u32)] = &[(360, 400, 64), (540, 1000, 64), (720, 1800, 128), (1080, 2500, 128)];
const SOUND_KBPS: &[u32] = &[48, 96, 192];

/// Every preset.
pub fn all() -> Vec<Preset> {
    vec![
        Preset::new(30, "HLS-Audio", TIME, sound()),
        Preset::new(20, "DASH-Multi", TIME, video("MPEG-DASH", "mp4-byterange")),
        Preset::new(10, "HLS-Multi", TIME, video("HLS", "ts-segment")),
    ]
}

fn video(format: &str, segments: &str) -> Value {
    let rung = |&(side, video, audio): &(u32, u32, u32)| {
        json!({
            "RemoveVideo": 0,
            "RemoveAudio": 0,
            "Video": {
                "Codec": "libx264", "Fps": 25, "Bitrate": video, "ResolutionAdaptive": "open",
                "Width": 0, "Height": side, "Gop": 0, "FillType": "black",
            },
            "Audio": tone(audio),
        })
    };
    body(format, segments, 0, &LADDER.iter().map(rung).collect::<Vec<_>>())
}

fn sound() -> Value {
    let rung = |&kbps: &u32| {
        json!({
            "RemoveVideo": 1, "RemoveAudio": 0, "Audio": tone(kbps),
            "Video": {"Codec": "copy", "Fps": 0, "Bitrate": 0},
        })
    };
    body("HLS", "ts-segment", 1, &SOUND_KBPS.iter().map(rung).collect::<Vec<_>>())
}

fn body(format: &str, segments: &str, pure_audio: u32, streams: &[Value]) -> Value {
    json!({
        "Format": format, "SegmentType": segments, "PureAudio": pure_audio, "StreamInfos": streams,
        "DisableHigherVideoBitrate": 1, "DisableHigherVideoResolution": 1,
    })
}

fn tone(kbps: u32) -> Value {
    json!({"Codec": "libfdk_aac", "Bitrate": kbps, "SampleRate": 44100, "AudioChannel": 2})
}

#[cfg(test)]
mod tests {
    use crate::templates::adaptive_dynamic_streaming::AdaptiveDynamicStreaming;
    use crate::templates::testing::check_presets;

    #[test]
    fn every_preset_keeps_the_rules() {
        check_presets(&AdaptiveDynamicStreaming);
    }
}
