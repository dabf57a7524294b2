//! Files of the caller's that become tracks of a transcode (TRC-17).

use mps_e2e::Bench;
use mps_testkit::compare::probe;
use mps_testkit::made;
use serde_json::{Value, json};

use crate::{seconds, tools_or_return};

fn input(url: &str) -> Value {
    json!({"Type": "URL", "UrlInputInfo": {"Url": url}})
}

/// Seconds of a tone.
fn tone(hertz: u32, length_s: u32) -> std::path::PathBuf {
    let tone = format!("sine=f={hertz}:r=44100:d={length_s}");
    made::film("m4a", &["-f", "lavfi", "-i", &tone, "-c:a", "aac", "-b:a", "96k"])
}

/// A transcode to `container` with these changes of its template.
async fn with(bench: &Bench, container: &str, over: Value) -> Value {
    let template = mps_e2e::template(container, &json!({}));
    let id = bench.server.ok("CreateTranscodeTemplate", &template).await["Definition"].clone();
    json!({"Definition": id, "OverrideParameter": over})
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_of_the_callers_becomes_another_track() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = made::clip(320, 180, "25", seconds(6));
    let added = bench.web.offer("tone.m4a", &tone(1000, 20));
    for container in ["mp4", "mkv", "ts"] {
        let item = with(&bench, container, json!({"AddonAudioStream": [input(&added)]})).await;
        let done = bench.one(&source, item).await;
        let seen = probe(done.file());
        assert_eq!(seen.streams("audio").len(), 2, "{container}");
        assert!((seen.duration_s() - 6.0).abs() < 0.15, "{container}: {}", seen.duration_s());
        assert_eq!(done.output()["AudioStreamSet"].as_array().map(Vec::len), Some(2), "{container}");
        // The second one sounds of 1,000 Hz, the first one of 440.
        for (stream, hertz) in [("0:a:0", 440.0), ("0:a:1", 1000.0)] {
            let alone = bench.folder.path().join(format!("{container}-{hertz}.wav"));
            mps_testkit::compare::extract(done.file(), stream, &alone);
            let found = mps_testkit::compare::tone_hz(&alone);
            assert!((found - hertz).abs() < 15.0, "{container} {stream}: {found}");
        }
    }
    let flv = with(&bench, "flv", json!({"AddonAudioStream": [input(&added)]})).await;
    let request = mps_e2e::by_url(&bench.web.url("x.mp4"), "/x/", &[flv]);
    let refused = bench.server.call("ProcessMedia", &request).await.expect_err("refused");
    assert!(refused.message.contains("AddonAudioStream"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn subtitles_become_tracks_with_their_names() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = made::clip(320, 180, "25", seconds(6));
    let srt = "1\n00:00:01,000 --> 00:00:02,000\none\n\n2\n00:00:04,000 --> 00:00:05,500\ntwo\n\n\
               3\n00:01:00,000 --> 00:01:01,000\nnever\n";
    let srt = bench.web.offer_bytes("a.srt", srt.as_bytes());
    let vtt =
        bench.web.offer_bytes("b.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\n\xd1\x80\xd0\xb0\xd0\xb7\n");
    let tracks = json!([
        {"Type": "subtitle-stream", "Subtitle": input(&srt), "SubtitleName": "English", "SubtitleLanguage": "eng"},
        {"Subtitle": input(&vtt), "SubtitleName": "Русский", "SubtitleLanguage": "rus", "DefaultTrack": true},
    ]);
    for (container, codec) in [("mp4", "mov_text"), ("mkv", "subrip"), ("mov", "mov_text")] {
        let mut item = with(&bench, container, json!({"AddOnSubtitles": tracks})).await;
        let done = bench.one(&source, item.clone()).await;
        let seen = probe(done.file());
        assert!((seen.duration_s() - 6.0).abs() < 0.15, "{container}: {}", seen.duration_s());
        let streams = seen.streams("subtitle");
        assert_eq!(streams.len(), 2, "{container}");
        for (stream, language) in streams.iter().zip(["eng", "rus"]) {
            assert_eq!(
                (&stream["codec_name"], &stream["tags"]["language"]),
                (&json!(codec), &json!(language))
            );
            assert_eq!(stream["disposition"]["default"], json!(i32::from(language == "rus")), "{container}");
        }
        let text = mps_testkit::compare::subtitles(done.file(), 0);
        assert!(text.contains("00:00:01,000 --> 00:00:02,000\none"), "{text}");
        assert!(text.contains("00:00:04,000 --> 00:00:05,500\ntwo") && !text.contains("never"), "{text}");
        assert!(mps_testkit::compare::subtitles(done.file(), 1).contains("раз"));
        // In a clip they keep the time of the source.
        item["StartTimeOffset"] = json!(3);
        let done = bench.one(&source, item).await;
        let text = mps_testkit::compare::subtitles(done.file(), 0);
        assert!(text.contains("00:00:01,000 --> 00:00:02,500\ntwo"), "{container}: {text}");
    }
    let text = bench.web.offer_bytes("c.srt", b"no subtitles");
    let bad = with(&bench, "mp4", json!({"AddOnSubtitles": [{"Subtitle": input(&text)}]})).await;
    let done = bench.transcode(&source, &[bad]).await.remove(0);
    assert_eq!(done.result["Status"], "FAIL");
    assert!(
        done.result["Message"].as_str().is_some_and(|told| told.contains("AddOnSubtitles.0")),
        "{done:?}"
    );
}
