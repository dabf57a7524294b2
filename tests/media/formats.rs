//! Every container with every codec that it may hold (TRC-04, TRC-05, TRC-13).

use mps_e2e::{Bench, Done, SOON, by_url};
use mps_testkit::compare::{decode, probe};
use mps_testkit::made;
use serde_json::{Value, json};

use crate::{seconds, tools_or_return};

/// Word of the container, what ffprobe calls it, and sound that goes with video in it.
const CONTAINERS: [(&str, &str, &str); 8] = [
    ("mp4", "mov,mp4", "aac"),
    ("flv", "flv", "aac"),
    ("hls", "hls", "aac"),
    ("ts", "mpegts", "aac"),
    ("webm", "matroska,webm", "opus"),
    ("mkv", "matroska,webm", "aac"),
    ("mxf", "mxf", "pcm24"),
    ("mov", "mov,mp4", "aac"),
];

/// Codec, what ffprobe calls it, where it goes.
const PICTURES: [(&str, &str, &[&str]); 7] = [
    ("h264", "h264", &["mp4", "flv", "hls", "ts", "mkv", "mov"]),
    ("h265", "hevc", &["mp4", "flv", "hls", "ts", "mkv", "mov"]),
    ("av1", "av1", &["mp4", "webm", "mkv"]),
    ("vp8", "vp8", &["webm", "mkv"]),
    ("vp9", "vp9", &["webm", "mkv"]),
    ("mpeg2", "mpeg2video", &["mxf"]),
    ("dnxhd", "dnxhd", &["mxf"]),
];

/// Container, its name for ffprobe, codec, its name for ffprobe.
const SOUNDS: [(&str, &str, &str, &str); 23] = [
    ("mp3", "mp3", "mp3", "mp3"),
    ("flac", "flac", "flac", "flac"),
    ("ogg", "ogg", "flac", "flac"),
    ("m4a", "mov,mp4", "aac", "aac"),
    ("m4a", "mov,mp4", "ac3", "ac3"),
    ("wav", "wav", "pcm16", "pcm_s16le"),
    ("wav", "wav", "pcm24", "pcm_s24le"),
    ("mp4", "mov,mp4", "mp3", "mp3"),
    // MP4 has one number for both layers, and ffprobe calls it mp3.
    ("mp4", "mov,mp4", "mp2", "mp3"),
    ("flv", "flv", "mp3", "mp3"),
    ("hls", "hls", "mp3", "mp3"),
    ("hls", "hls", "eac3", "eac3"),
    ("ts", "mpegts", "mp3", "mp3"),
    ("ts", "mpegts", "mp2", "mp2"),
    ("ts", "mpegts", "ac3", "ac3"),
    ("ts", "mpegts", "eac3", "eac3"),
    ("webm", "matroska,webm", "opus", "opus"),
    ("webm", "matroska,webm", "vorbis", "vorbis"),
    ("mkv", "matroska,webm", "flac", "flac"),
    ("mkv", "matroska,webm", "opus", "opus"),
    ("mkv", "matroska,webm", "pcm24", "pcm_s24le"),
    ("mov", "mov,mp4", "pcm16", "pcm_s16le"),
    ("mov", "mov,mp4", "eac3", "eac3"),
];

fn item(name: &str, template: &Value) -> Value {
    json!({"Definition": 0, "RawParameter": template, "OutputObjectPath": format!("{name}.{{format}}"),
        "SegmentObjectName": format!("{name}_{{number}}.{{format}}")})
}

fn audio(codec: &str) -> Value {
    let rate = if codec == "mp3" { 44_100 } else { 48_000 };
    json!({"Codec": codec, "Bitrate": 128, "SampleRate": rate, "AudioChannel": 2})
}

fn check_format(done: &Done, name: &str, format: &str) -> mps_testkit::compare::Probe {
    assert_eq!(done.result["Status"], "SUCCESS", "{name}: {:#}", done.result);
    let seen = probe(done.file());
    let told = seen.format()["format_name"].as_str().unwrap_or_default();
    assert!(told.starts_with(format), "{name} is {told}");
    assert!((seen.duration_s() - 1.0).abs() < 0.15, "{name} is {} s long", seen.duration_s());
    if let Err(told) = decode(done.file()) {
        panic!("{name} does not decode: {told}");
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn every_container_holds_every_picture_codec_it_may() {
    tools_or_return!();
    let bench = Bench::start().await;
    let mut names = Vec::new();
    let mut items = Vec::new();
    for (codec, seen, containers) in PICTURES {
        for word in containers {
            let (_, format, sound) =
                CONTAINERS.iter().find(|(known, ..)| known == word).expect("a known container");
            let name = format!("{codec}-in-{word}");
            let video = json!({"Codec": codec, "Fps": 25, "Bitrate": 600});
            items.push(item(
                &name,
                &json!({"Container": word, "VideoTemplate": video, "AudioTemplate": audio(sound)}),
            ));
            names.push((name, *format, seen));
        }
    }
    let done = bench.transcode(&made::clip(320, 180, "25", seconds(1)), &items).await;
    assert_eq!(done.len(), names.len());
    for (done, (name, format, codec)) in done.iter().zip(names) {
        let seen = check_format(done, &name, format);
        assert_eq!(seen.video_codec(), codec, "{name}");
        assert_eq!(seen.size(), (320, 180), "{name}");
        assert_eq!(seen.streams("audio").len(), 1, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_container_holds_every_sound_codec_it_may() {
    tools_or_return!();
    let bench = Bench::start().await;
    let name = |container: &str, codec: &str| format!("{codec}-in-{container}");
    let items: Vec<Value> = SOUNDS
        .iter()
        .map(|(container, _, codec, _)| {
            let template = json!({"Container": container, "RemoveVideo": 1, "AudioTemplate": audio(codec)});
            item(&name(container, codec), &template)
        })
        .collect();
    let done = bench.transcode(&made::clip(320, 180, "25", seconds(1)), &items).await;
    for (done, (container, format, codec, wanted)) in done.iter().zip(SOUNDS) {
        let name = name(container, codec);
        let seen = check_format(done, &name, format);
        assert_eq!(seen.audio_codec(), wanted, "{name}");
        assert_eq!(seen.audio()["channels"], 2, "{name}");
        assert!(!seen.has("video"), "{name}");
        assert!((mps_testkit::compare::tone_hz(done.file()) - 440.0).abs() < 3.0, "{name} sounds wrong");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_and_sample_rates_are_those_asked_for() {
    tools_or_return!();
    let bench = Bench::start().await;
    let cases = [(1, 22_050), (2, 32_000), (6, 48_000)];
    let items: Vec<Value> = cases
        .iter()
        .map(|(channels, rate)| {
            let audio = json!({"Codec": "aac", "Bitrate": 128, "SampleRate": rate, "AudioChannel": channels});
            item(&format!("c{channels}"), &json!({"Container": "m4a", "AudioTemplate": audio}))
        })
        .collect();
    let done = bench.transcode(&made::clip(320, 180, "25", seconds(2)), &items).await;
    for (done, (channels, rate)) in done.iter().zip(cases) {
        let seen = probe(done.file());
        assert_eq!(seen.audio()["channels"], channels);
        assert_eq!(seen.audio()["sample_rate"], rate.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoder_that_this_build_lacks_is_refused_by_name() {
    tools_or_return!();
    let bench = Bench::start().await;
    let url = bench.web.offer("a.mp4", &made::clip(320, 180, "25", seconds(1)));
    for codec in ["h266", "mv-hevc"] {
        let template = json!({"Container": "mp4", "RemoveAudio": 1,
            "VideoTemplate": {"Codec": codec, "Fps": 25, "Bitrate": 600}});
        let items = [json!({"Definition": 0, "RawParameter": template})];
        match bench.server.call("ProcessMedia", &by_url(&url, "/x/", &items)).await {
            Err(refused) => {
                assert!(refused.message.contains(codec) || refused.message.contains("vvenc"), "{refused:?}");
            }
            // A build that has the encoder makes the film.
            Ok(answer) => {
                let detail = bench.server.ended(answer["TaskId"].as_str().unwrap_or_default(), SOON).await;
                assert_eq!(
                    detail["WorkflowTask"]["MediaProcessResultSet"][0]["TranscodeTask"]["Status"],
                    "SUCCESS"
                );
            }
        }
    }
}
