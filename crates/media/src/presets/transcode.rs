//! Transcode presets, listed by falling number.
//!
//! Known from the documents: numbers, containers, rates and sizes of 100010–100080, the record of 100010 with its
//! times, the remux presets 9 and 6, the audio ladders, 100730/100740. Ours, where the documents are silent: names of
//! all but 100010, the parameters of 10–40 and 210–240 (taken from 100010–100040), the times of every preset but
//! 100010 (its times are repeated).

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::Preset;

const CREATED: &str = "2020-03-04T07:39:36+08:00";
const UPDATED: &str = "2024-09-27T17:33:53+08:00";

/// Rungs: suffix of the number, name, short side, video kbps, audio kbps.
const LADDER: &[(i64, &str, u32, u32, u32)] = &[
    (10, "FLU", 360, 400, 64),
    (20, "SD", 540, 1000, 64),
    (30, "HD", 720, 1800, 128),
    (40, "FHD", 1080, 2500, 128),
    (70, "2K", 1440, 3000, 160),
    (80, "4K", 2160, 6000, 160),
];
const AUDIO: &[(i64, &str, &str, u32)] = &[
    (1010, "MP3-128K", "mp3", 128),
    (1020, "MP3-320K", "mp3", 320),
    (1100, "M4A-24K", "m4a", 24),
    (1110, "M4A-48K", "m4a", 48),
    (1120, "M4A-96K", "m4a", 96),
    (1130, "M4A-192K", "m4a", 192),
    (1140, "M4A-256K", "m4a", 256),
];

static ALL: LazyLock<Vec<Preset>> = LazyLock::new(make);

/// Every preset, by falling number.
pub fn all() -> &'static [Preset] {
    &ALL
}

fn make() -> Vec<Preset> {
    let mut presets = Vec::new();
    for &(suffix, name, side, video, audio) in LADDER {
        presets.push(preset(100_000 + suffix, format!("MP4-{name}"), rung("mp4", side, video, audio)));
        presets.push(preset(100_200 + suffix, format!("HLS-{name}"), rung("hls", side, video, audio)));
        if suffix <= 40 {
            let older = if suffix == 10 { "LD" } else { name };
            presets.push(preset(suffix, format!("MP4-{older}"), rung("mp4", side, video, audio)));
            presets.push(preset(200 + suffix, format!("HLS-{older}"), rung("hls", side, video, audio)));
        }
    }
    presets.push(preset(9, "MP4-Remux".to_owned(), remux("mp4")));
    presets.push(preset(6, "HLS-Remux".to_owned(), remux("hls")));
    for &(definition, name, container, kbps) in AUDIO {
        presets.push(preset(definition, name.to_owned(), sound(container, kbps, Value::Null)));
    }
    for (definition, kbps) in [(100_730, 192), (100_740, 256)] {
        let config = json!({"Type": "TEHD-200", "MaxVideoBitrate": 0});
        presets.push(preset(definition, format!("TSC-M4A-{kbps}K"), sound("m4a", kbps, config)));
    }
    presets.sort_by_key(|preset| std::cmp::Reverse(preset.definition));
    presets
}

/// The preset of this number.
pub fn find(definition: i64) -> Option<&'static Preset> {
    all().iter().find(|preset| preset.definition == definition)
}

fn preset(definition: i64, name: String, body: Value) -> Preset {
    Preset {
        definition,
        name,
        alias: String::new(),
        comment: String::new(),
        create_time: CREATED.to_owned(),
        update_time: UPDATED.to_owned(),
        body,
    }
}

fn rung(container: &str, side: u32, video: u32, audio: u32) -> Value {
    json!({
        "Container": container,
        "RemoveVideo": 0,
        "RemoveAudio": 0,
        "VideoTemplate": {
            "Codec": "libx264",
            "Fps": 25,
            "Bitrate": video,
            "ResolutionAdaptive": "open",
            "Width": 0,
            "Height": side,
            "FillType": "stretch",
            "Gop": 0,
            "VideoProfile": "",
            "VideoLevel": "",
            "SegmentType": 0,
            "FpsDenominator": 1,
            "Stereo3dType": "",
            "HlsTime": 0,
            "Mode": "ABR",
            "Sar": "",
            "NoScenecut": 0,
            "BitDepth": 8,
            "RawPts": 0,
            "ScenarioBased": 0,
            "SceneType": "",
            "CompressType": ""
        },
        "AudioTemplate": audio_body("libfdk_aac", audio),
    })
}

fn remux(container: &str) -> Value {
    json!({
        "Container": container,
        "RemoveVideo": 0,
        "RemoveAudio": 0,
        "VideoTemplate": {"Codec": "copy", "Fps": 0, "Bitrate": 0, "SegmentType": 0, "HlsTime": 0},
        "AudioTemplate": {"Codec": "copy", "Bitrate": 0, "SampleRate": 0, "AudioChannel": 0},
    })
}

fn sound(container: &str, kbps: u32, tehd: Value) -> Value {
    let codec = if container == "mp3" { "libmp3lame" } else { "libfdk_aac" };
    let mut body = json!({
        "Container": container,
        "RemoveVideo": 1,
        "RemoveAudio": 0,
        "AudioTemplate": audio_body(codec, kbps),
    });
    if !tehd.is_null() {
        body["TEHDConfig"] = tehd;
    }
    body
}

fn audio_body(codec: &str, kbps: u32) -> Value {
    json!({"Codec": codec, "Bitrate": kbps, "SampleRate": 44100, "AudioChannel": 2})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::transcode;

    #[test]
    fn numbers_fall_and_none_repeats() {
        let numbers: Vec<_> = all().iter().map(|p| p.definition).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] > pair[1]), "{numbers:?}");
        assert_eq!(numbers.len(), 31);
    }

    #[test]
    fn every_preset_can_be_read() {
        for preset in all() {
            let body = serde_json::from_value(preset.body.clone()).unwrap();
            if let Err(error) = transcode::check::check_preset(&body) {
                panic!("{}: {error}", preset.definition);
            }
        }
    }

    #[test]
    fn the_known_record_is_complete() {
        let preset = find(100_010).unwrap();
        assert_eq!(preset.name, "MP4-FLU");
        assert_eq!(preset.create_time, "2020-03-04T07:39:36+08:00");
        let video = &preset.body["VideoTemplate"];
        assert_eq!((&video["Codec"], &video["Mode"]), (&json!("libx264"), &json!("ABR")));
        assert_eq!(preset.body["AudioTemplate"]["Codec"], "libfdk_aac");
    }
}
