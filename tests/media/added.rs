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
async fn tracks_of_the_source_are_chosen_in_their_order() {
    tools_or_return!();
    let bench = Bench::start().await;
    let graph = "testsrc2=s=320x180:r=25:d=4[v];sine=f=440:r=48000:d=4[a];sine=f=1000:r=48000:d=4[b]";
    let words = ["-filter_complex", graph, "-map", "[v]", "-map", "[a]", "-map", "[b]", "-c:v", "libx264"];
    let source = made::film("mkv", &[&words[..], &["-c:a", "aac"]].concat());
    let chosen = |tracks: Value| json!({"AudioTemplate": {"StreamSelects": tracks}});
    for (container, tracks, heard_hz) in [
        ("mp4", json!([1]), &[1000.0][..]),
        ("ts", json!([1, 0]), &[1000.0, 440.0]),
        ("mkv", json!([0, 1]), &[440.0, 1000.0]),
        ("flv", json!([1]), &[1000.0]),
    ] {
        let done = bench.one(&source, with(&bench, container, chosen(tracks)).await).await;
        assert_eq!(probe(done.file()).streams("audio").len(), heard_hz.len(), "{container}");
        for (nth, hertz) in heard_hz.iter().enumerate() {
            let alone = bench.folder.path().join(format!("{container}-{nth}.wav"));
            mps_testkit::compare::extract(done.file(), &format!("0:a:{nth}"), &alone);
            let found = mps_testkit::compare::tone_hz(&alone);
            assert!((found - hertz).abs() < 15.0, "{container} {nth}: {found}");
        }
    }
    let done = bench.transcode(&source, &[with(&bench, "mp4", chosen(json!([5]))).await]).await.remove(0);
    assert_eq!(done.result["Status"], "FAIL");
    assert!(done.result["Message"].as_str().is_some_and(|told| told.contains("StreamSelects 5")), "{done:?}");
    for (container, tracks) in [("flv", json!([0, 1])), ("mp4", json!([1, 1])), ("mp4", json!([-1]))] {
        let item = with(&bench, container, chosen(tracks)).await;
        let request = mps_e2e::by_url(&bench.web.url("x.mp4"), "/x/", &[item]);
        let refused = bench.server.call("ProcessMedia", &request).await.expect_err("refused");
        assert!(refused.message.contains("StreamSelects"), "{refused:?}");
    }
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
    let ttml = "<tt xmlns=\"http://www.w3.org/ns/ttml\"><body><div><p begin=\"1s\" end=\"2.5s\">a<br/>b &lt;</p></div></body></tt>";
    let ttml = bench.web.offer_bytes("d.ttml", ttml.as_bytes());
    let item = with(&bench, "mkv", json!({"AddOnSubtitles": [{"Subtitle": input(&ttml)}]})).await;
    let text = mps_testkit::compare::subtitles(bench.one(&source, item).await.file(), 0);
    assert!(text.contains("00:00:01,000 --> 00:00:02,500\na\nb <"), "{text}");

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
