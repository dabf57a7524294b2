//! Films before and behind the one that is transcoded (TRC-17).

use std::path::{Path, PathBuf};

use mps_e2e::Bench;
use mps_testkit::compare::{decode, extract, loudness_db, packet_times, patch, probe, sync, tone_hz};
use mps_testkit::made;
use serde_json::{Value, json};

use crate::{number, seconds, tools_or_return};

fn input(bench: &Bench, path: &Path) -> Value {
    let name = path.file_name().and_then(|name| name.to_str()).expect("a film has a name");
    json!({"Type": "URL", "UrlInputInfo": {"Url": bench.web.offer(name, path)}})
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path").to_owned()
}

/// Ten seconds of flashes and beeps in another shape, at another rate, with another sound.
fn square() -> PathBuf {
    let source = text(&made::flashes_and_beeps());
    let words = ["-i", &source, "-vf", "scale=240:240,setsar=1,fps=30", "-ar", "44100", "-ac", "1"];
    let more = ["-c:v", "libx264", "-preset", "veryfast", "-c:a", "pcm_s16le"];
    made::film("mkv", &[&words[..], &more[..]].concat())
}

/// Two seconds of red without any sound, at a rate of its own.
fn red() -> PathBuf {
    let picture = "color=c=red:s=160x120:r=12.5:d=2";
    made::film("mp4", &["-f", "lavfi", "-i", picture, "-c:v", "libx264", "-pix_fmt", "yuv420p"])
}

fn tone(hertz: u32, length_s: u32) -> PathBuf {
    let tone = format!("sine=f={hertz}:r=44100:d={length_s}");
    made::film("m4a", &["-f", "lavfi", "-i", &tone, "-c:a", "aac", "-b:a", "96k"])
}

/// The sound of a stretch of a stream, as a file of its own.
fn heard(bench: &Bench, path: &Path, stream: &str, from_s: f64, to_s: f64) -> PathBuf {
    let whole = bench.folder.path().join(format!("{}.wav", uuid::Uuid::new_v4()));
    extract(path, stream, &whole);
    let (from, to) = (format!("{from_s}"), format!("{to_s}"));
    made::film("wav", &["-ss", &from, "-to", &to, "-i", &text(&whole)])
}

#[tokio::test(flavor = "multi_thread")]
async fn films_before_and_behind_are_joined_to_the_clip() {
    tools_or_return!();
    let bench = Bench::start().await;
    let srt = "1\n00:00:01,000 --> 00:00:02,000\nover\n\n2\n00:00:04,000 --> 00:00:05,000\nin\n\n\
               3\n00:00:08,000 --> 00:00:30,000\ncut\n\n4\n00:00:09,000 --> 00:00:12,000\nnever\n";
    let srt = bench.web.offer_bytes("a.srt", srt.as_bytes());
    let over = json!({
        "AddonAudioStream": [input(&bench, &tone(1000, 20))],
        "AddOnSubtitles": [{"Subtitle": {"Type": "URL", "UrlInputInfo": {"Url": srt}}}],
    });
    for container in ["mp4", "mkv"] {
        let template = mps_e2e::template(container, &json!({}));
        let id = bench.server.ok("CreateTranscodeTemplate", &template).await["Definition"].clone();
        let item = json!({
            "Definition": id, "OverrideParameter": over, "StartTimeOffset": 2.52, "EndTimeOffset": 8.52,
            "HeadTailParameter": {"HeadSet": [input(&bench, &square())], "TailSet": [input(&bench, &red())]},
        });
        let done = bench.one(&made::flashes_and_beeps(), item).await;
        let (file, seen) = (done.file(), probe(done.file()));
        assert!((seen.duration_s() - 18.0).abs() < 0.06, "{container}: {} s", seen.duration_s());
        assert!((number(&done.output()["Duration"]) - 18.0).abs() < 0.06, "{:#}", done.output());
        assert_eq!((seen.size(), packet_times(file, "v:0").len()), ((320, 180), 450), "{container}");
        assert!((seen.frame_rate() - 25.0).abs() < 0.01);
        decode(file).expect(container);

        // In step before, at and behind the seam.
        let found = sync(file);
        let wanted: Vec<f64> = (1..10).chain(10..16).map(f64::from).collect();
        let wanted: Vec<f64> = wanted.iter().map(|at| if *at < 10.0 { *at } else { *at + 0.48 }).collect();
        assert_eq!(found.flashes_s.len(), wanted.len(), "{container}: {found:?}");
        for (flash, wanted) in found.flashes_s.iter().zip(&wanted) {
            assert!((flash - wanted).abs() < 0.045, "{container}: {flash} of {wanted}");
        }
        assert_eq!(found.beeps_s.len(), wanted.len(), "{container}: {found:?}");
        assert!(found.lags_ms().iter().all(|lag| lag.abs() < 45.0), "{container}: {:?}", found.lags_ms());

        // Each stands whole between bars, where its shape is another one.
        let is = |at_s, (x, y), colour| {
            let seen = patch(file, at_s, (x, y, 16, 16));
            let is = seen.is_plain(colour);
            if !is {
                eprintln!("{container}: at {at_s} s {seen:?}, not {colour:?}");
            }
            is
        };
        assert!(is(0.99, (152, 80), [255.0; 3]) && is(0.99, (20, 80), [0.0; 3]), "{container}");
        assert!(is(10.47, (20, 80), [255.0; 3]), "{container}: the source has the whole frame");
        assert!(is(17.0, (152, 80), [255.0, 0.0, 0.0]) && is(17.0, (10, 80), [0.0; 3]), "{container}");

        // What is added belongs to the source.
        let (quiet, loud) = ((-70.0), (-30.0));
        let level = |from_s, to_s| loudness_db(&heard(&bench, file, "0:a:1", from_s, to_s));
        assert!(level(0.5, 9.8) < quiet && level(16.2, 17.8) < quiet, "{container}");
        assert!(level(10.1, 15.9) > loud, "{container}");
        assert!((tone_hz(&heard(&bench, file, "0:a:1", 10.5, 15.5)) - 1000.0).abs() < 10.0, "{container}");
        assert!(loudness_db(&heard(&bench, file, "0:a:0", 16.2, 17.8)) < quiet, "{container}");
        let words = mps_testkit::compare::subtitles(file, 0);
        assert!(words.contains("00:00:11,480 --> 00:00:12,480\nin"), "{container}: {words}");
        assert!(words.contains("00:00:15,480 --> 00:00:16,000\ncut"), "{container}: {words}");
        assert!(!words.contains("over") && !words.contains("never"), "{container}: {words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subtitles_and_watermarks_keep_the_times_of_the_source() {
    tools_or_return!();
    if !crate::burn::has_fonts() {
        return;
    }
    let bench = Bench::start().await;
    let source = crate::marks::grey("640x360");
    let vtt = bench.web.offer_bytes("a.vtt", b"WEBVTT\n\n00:04.000 --> 00:05.000\nHello\n");
    let video = json!({"Codec": "h264", "Fps": 0, "Bitrate": 0, "Vcrf": 10});
    let raw = json!({"Container": "mp4", "RemoveAudio": 1, "VideoTemplate": video, "SubtitleTemplate": {"Path": vtt}});
    let item = json!({
        "Definition": 0, "RawParameter": raw, "StartTimeOffset": 3, "EndTimeOffset": 7,
        "MosaicSet": [{"XPos": "0px", "YPos": "0px", "Width": "100px", "Height": "100px"}],
        "HeadTailParameter": {"HeadSet": [input(&bench, &red()), input(&bench, &red())]},
    });
    let done = bench.one(&source, item).await;
    assert!((probe(done.file()).duration_s() - 8.0).abs() < 0.05);
    // Grey from 4 s on, which is second 3 of the source.
    for (at_s, is_seen) in [(4.5, false), (5.1, true), (5.9, true), (6.2, false), (7.9, false)] {
        assert_eq!(crate::marks::seen(done.file(), at_s).is_some(), is_seen, "{at_s}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_alone_and_playlists_are_joined_too() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = made::clip(320, 180, "25", seconds(6));
    let set = json!({"HeadSet": [input(&bench, &tone(880, 2))], "TailSet": [input(&bench, &tone(1320, 2))]});
    let sound = json!({"Codec": "aac", "Bitrate": 96, "SampleRate": 48000});
    let raw = json!({"Container": "m4a", "RemoveVideo": 1, "AudioTemplate": sound});
    let item = json!({"Definition": 0, "RawParameter": raw, "EndTimeOffset": 3, "HeadTailParameter": set});
    let done = bench.one(&source, item).await;
    let seen = probe(done.file());
    assert!(!seen.has("video") && (seen.duration_s() - 7.0).abs() < 0.05, "{} s", seen.duration_s());
    for (from_s, to_s, hertz) in [(0.2, 1.9, 880.0), (2.1, 4.9, 440.0), (5.1, 6.8, 1320.0)] {
        let found = tone_hz(&heard(&bench, done.file(), "0:a:0", from_s, to_s));
        assert!((found - hertz).abs() < 10.0, "{found} of {hertz}");
    }
    let raw = mps_e2e::template("hls", &json!({"HlsTime": 2}));
    let item = json!({"Definition": 0, "RawParameter": raw, "HeadTailParameter": set});
    let done = bench.one(&source, item).await;
    assert!((number(&done.output()["Duration"]) - 10.0).abs() < 0.1, "{:#}", done.output());
    assert!(patch(done.file(), 1.0, (100, 80, 16, 16)).is_plain([0.0; 3]), "sound has no pictures");
    decode(done.file()).expect("it plays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_film_fails_its_item_alone_by_its_name() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = made::clip(320, 180, "25", seconds(3));
    let at = |url: &str| json!({"Type": "URL", "UrlInputInfo": {"Url": url}});
    let text = at(&bench.web.offer_bytes("intro.mp4", "this is no film\n".repeat(100).as_bytes()));
    let gone = at(&bench.web.url("nothing-there.mp4"));
    let still = ["-f", "lavfi", "-i", "color=c=red:s=64x64:d=1:r=1", "-frames:v", "1", "-update", "1"];
    let still = input(&bench, &made::film("png", &still));
    let item = |set: Value| {
        let raw = mps_e2e::template("mp4", &json!({}));
        json!({"Definition": 0, "RawParameter": raw, "HeadTailParameter": set})
    };
    let items = [
        item(json!({"HeadSet": [text]})),
        item(json!({"HeadSet": [input(&bench, &red())], "TailSet": [input(&bench, &red()), gone]})),
        item(json!({"TailSet": [still]})),
        item(json!({})),
    ];
    let done = bench.transcode(&source, &items).await;
    for (done, name) in done.iter().zip(["HeadSet.0", "TailSet.1", "TailSet.0"]) {
        assert_eq!(done.result["Status"], "FAIL", "{:#}", done.result);
        let told = done.result["Message"].as_str().unwrap_or_default();
        assert!(told.contains(&format!("HeadTailParameter.{name}")), "{told}");
    }
    assert_eq!(done[3].result["Status"], "SUCCESS");

    let copied = json!({"Definition": 9, "HeadTailParameter": {"HeadSet": [input(&bench, &red())]}});
    let request = mps_e2e::by_url(&bench.web.url("x.mp4"), "/x/", &[copied]);
    let refused = bench.server.call("ProcessMedia", &request).await.expect_err("refused");
    assert!(refused.message.contains("HeadTailParameter"), "{refused:?}");
}
