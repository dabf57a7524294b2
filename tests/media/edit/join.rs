//! Clips and joins.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mps_e2e::Bench;
use mps_testkit::compare::{decode, lights, loudness_db, packet_times, patch, probe};
use mps_testkit::made;
use mps_testkit::server::OUTPUT;
use serde_json::{Value, json};

use super::{done, file, refused, request, task};
use crate::{number, seconds, tools_or_return};

/// Ten seconds at 25 fps whose brightness counts the frames from `first` on, to a hundred and over again, with a tone.
fn counted(extension: &str, first: u32, more: &[&str]) -> PathBuf {
    let picture =
        format!("color=c=black:s=320x180:r=25:d=10,geq=lum='16+2*mod(N+{first},100)':cb=128:cr=128");
    let mut words = vec![
        "-f",
        "lavfi",
        "-i",
        &picture,
        "-f",
        "lavfi",
        "-i",
        "sine=f=440:r=48000:d=10",
        "-c:v",
        "libx264",
        "-preset",
        "fast",
        "-qp",
        "0",
        "-bf",
        "3",
        "-g",
        "60",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
        "-b:a",
        "64k",
    ];
    words.extend(more);
    made::film(extension, &words)
}

/// What each frame counts.
fn counts(path: &Path) -> Vec<i64> {
    lights(path).into_iter().map(|light| ((light - 16.0) / 2.0).round() as i64).collect()
}

fn with(mut file: Value, start: f64, end: f64) -> Value {
    file["StartTimeOffset"] = json!(start);
    file["EndTimeOffset"] = json!(end);
    file
}

/// The sound of a stretch of a file, as a file of its own.
fn sound_of(path: &Path, from: &str, length: &str) -> PathBuf {
    made::film("wav", &["-ss", from, "-t", length, "-i", path.to_str().expect("a name"), "-vn"])
}

#[tokio::test(flavor = "multi_thread")]
async fn two_files_become_one_as_long_as_both() {
    tools_or_return!();
    let bench = Bench::start().await;
    let files = [file(&bench, &counted("mp4", 0, &[])), file(&bench, &counted("mp4", 50, &[]))];
    let request = request(&files, "{inputName}-joined.{format}", &json!({}));
    let task = task(&bench, &request).await;
    let output = &task["Output"];
    let path = output["Path"].as_str().unwrap_or_else(|| panic!("{task:#}"));
    assert!(path.ends_with("-joined.mp4"), "{path}");
    assert_eq!(output["OutputStorage"]["CosOutputStorage"]["Bucket"], OUTPUT);
    assert_eq!(task["Input"]["FileInfoSet"].as_array().map(Vec::len), Some(2));
    assert_eq!(task["Message"], "SUCCESS");

    let file = bench.fetch(path).await;
    let seen = probe(&file);
    assert!((seen.duration_s() - 20.0).abs() <= 0.04, "{} s", seen.duration_s());
    assert_eq!((seen.video_codec(), seen.audio_codec(), seen.size()), ("h264", "aac", (320, 180)));
    let wanted: Vec<i64> = (0..250).map(|n| n % 100).chain((0..250).map(|n| (n + 50) % 100)).collect();
    assert_eq!(counts(&file), wanted);
    decode(&file).expect("it decodes");

    let meta = &output["MetaData"];
    assert_eq!(meta["Size"].as_u64(), Some(seen.size_bytes()));
    assert_eq!((&meta["Width"], &meta["Height"]), (&json!(320), &json!(180)));
    assert_eq!(meta["Container"], seen.format()["format_name"]);
    assert!((number(&meta["Duration"]) - seen.duration_s()).abs() < 0.001, "{meta:#}");
    assert_eq!(meta["VideoStreamSet"][0]["Codec"], "h264");
}

#[tokio::test(flavor = "multi_thread")]
async fn cuts_are_exact_whatever_the_container() {
    tools_or_return!();
    let bench = Bench::start().await;
    for extension in ["mp4", "mkv", "ts", "flv"] {
        let source = file(&bench, &counted(extension, 0, &[]));
        let files =
            [with(source.clone(), 1.2, 3.4), with(source.clone(), 8.0, 10.0), with(source, 5.0, 5.04)];
        let file = done(&bench, &request(&files, "cut.mp4", &json!({}))).await;
        let seen = counts(&file);
        let wanted: Vec<i64> = (30..85).chain(200..250).chain(125..126).map(|n| n % 100).collect();
        assert_eq!(seen.len(), wanted.len(), "{extension}");
        // Streams without an index may tell their beginning from the sound, a frame before the pictures.
        let most = i64::from(!matches!(extension, "mp4" | "mkv"));
        for (nth, (seen, wanted)) in seen.iter().zip(&wanted).enumerate() {
            let apart = (seen - wanted + 50).rem_euclid(100) - 50;
            assert!(apart.abs() <= most, "{extension}: frame {nth} shows {seen}, not {wanted}");
        }
        let sound = packet_times(&file, "a:0");
        let end = sound.last().map_or(0.0, |(at, length)| at + length);
        assert!((end - 4.24).abs() < 0.05, "{extension}: the sound ends at {end}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_takes_the_form_of_the_first() {
    tools_or_return!();
    let bench = Bench::start().await;
    let white = "color=c=white:s=240x240:r=30:d=2";
    let square = made::film("mkv", &["-f", "lavfi", "-i", white, "-c:v", "libx264", "-pix_fmt", "yuv444p"]);
    let tone = made::film("mp3", &["-f", "lavfi", "-i", "sine=f=440:r=44100:d=2", "-ac", "1"]);
    let odd = made::film(
        "webm",
        &["-f", "lavfi", "-i", "color=c=red:s=161x121:r=12.5:d=2", "-c:v", "libvpx", "-b:v", "500k"],
    );
    let flat = made::clip(320, 180, "25", seconds(2));
    let flat_name = flat.to_string_lossy().into_owned();
    let turned = made::film("mp4", &["-display_rotation", "90", "-i", &flat_name, "-c", "copy"]);
    let files = [
        file(&bench, &made::clip(640, 360, "30000/1001", seconds(2))),
        file(&bench, &square),
        file(&bench, &tone),
        file(&bench, &odd),
        file(&bench, &turned),
    ];
    let file = done(&bench, &request(&files, "all.mp4", &json!({}))).await;
    let seen = probe(&file);
    assert_eq!((seen.size(), seen.streams("audio").len()), ((640, 360), 1));
    assert!((seen.frame_rate() - 29.97).abs() < 0.01, "{}", seen.frame_rate());
    assert!((seen.duration_s() - 10.0).abs() < 0.07, "{} s", seen.duration_s());
    assert_eq!(packet_times(&file, "v:0").len(), 300);

    let (black, white) = ([0.0; 3], [255.0; 3]);
    let is = |at_s, (x, y), colour| patch(&file, at_s, (x, y, 16, 16)).is_plain(colour);
    assert!(is(3.0, (40, 170), black) && is(3.0, (310, 170), white) && is(3.0, (600, 170), black));
    assert!(is(5.0, (310, 170), black), "sound has no pictures");
    assert!(is(7.0, (310, 170), [255.0, 0.0, 0.0]) && is(7.0, (20, 170), black));
    assert!(is(9.0, (40, 170), black) && !is(9.0, (310, 170), black), "it stands upright");

    let loud = |from: &str| loudness_db(&sound_of(&file, from, "1"));
    assert!(loud("0.5") > -30.0 && loud("4.5") > -30.0 && loud("8.5") > -30.0);
    assert!(loud("2.5") < -70.0 && loud("6.5") < -70.0, "{} {}", loud("2.5"), loud("6.5"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_container_is_written_both_ways() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = with(file(&bench, &counted("mp4", 0, &[])), 2.4, 7.2);
    for (container, name, audio) in
        [("mp4", "mov,mp4", "aac"), ("mov", "mov,mp4", "aac"), ("flv", "flv", "aac"), ("avi", "avi", "mp3")]
    {
        let config = json!({"OutputConfig": {"Container": container}});
        let file = done(&bench, &request(std::slice::from_ref(&source), "x.{format}", &config)).await;
        let seen = probe(&file);
        assert_eq!(file.extension().and_then(|e| e.to_str()), Some(container));
        assert!(
            seen.format()["format_name"].as_str().is_some_and(|found| found.starts_with(name)),
            "{container}"
        );
        assert_eq!((seen.video_codec(), seen.audio_codec()), ("h264", audio), "{container}");
        assert!((seen.duration_s() - 4.8).abs() < 0.1, "{container}: {} s", seen.duration_s());
        let wanted: Vec<i64> = (60..180).map(|n| n % 100).collect();
        assert_eq!(counts(&file), wanted, "{container}");
        decode(&file).expect(container);
    }

    let old = counted("mp4", 0, &["-c:v", "mpeg4", "-q:v", "3", "-g", "25", "-bf", "0"]);
    let fast = json!({"OutputConfig": {"Container": "mov", "Type": "fast"}});
    let file = done(&bench, &request(&[with(self::file(&bench, &old), 2.0, 6.0)], "fast", &fast)).await;
    let seen = probe(&file);
    assert_eq!((seen.video_codec(), file.extension().and_then(|e| e.to_str())), ("mpeg4", Some("mov")));
    assert!((seen.duration_s() - 4.0).abs() < 1.1, "{} s", seen.duration_s());
    assert_eq!(counts(&file)[..3], [50, 51, 52], "a key frame lies there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_playlist_has_its_segments_beside_it() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = file(&bench, &counted("mp4", 0, &[]));
    for kind in ["normal", "fast"] {
        let config = json!({"OutputConfig": {"Container": "hls", "Type": kind}});
        let files = if kind == "fast" { vec![source.clone()] } else { vec![source.clone(), source.clone()] };
        let length_s = 10.0 * files.len() as f64;
        let task = task(&bench, &request(&files, "list.m3u8", &config)).await;
        let output = &task["Output"];
        let path = output["Path"].as_str().unwrap_or_else(|| panic!("{task:#}"));
        assert!(path.ends_with("/list.m3u8"), "{path}");
        let list = bench.fetch(path).await;
        let text = std::fs::read_to_string(&list).expect("a playlist");
        let names = mps_e2e::named_in(&text);
        assert_eq!(names[0], "list_0.ts", "{text}");
        let bytes = |name: &str| std::fs::metadata(list.with_file_name(name)).expect(name).len();
        let size: u64 = names.iter().map(|name| bytes(name)).sum::<u64>() + bytes("list.m3u8");
        assert_eq!(output["MetaData"]["Size"].as_u64(), Some(size));
        assert_eq!(output["MetaData"]["Container"], "hls,applehttp");
        assert!((number(&output["MetaData"]["Duration"]) - length_s).abs() < 0.1, "{kind}: {output:#}");
        decode(&list).expect(kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_alone_is_joined_too() {
    tools_or_return!();
    let bench = Bench::start().await;
    let tone = |hz: &str, length: u32| {
        let sine = format!("sine=f={hz}:r=44100:d={length}");
        file(&bench, &made::film("flac", &["-f", "lavfi", "-i", &sine]))
    };
    let file = done(&bench, &request(&[tone("440", 3), tone("880", 2)], "tones", &json!({}))).await;
    let seen = probe(&file);
    assert!(!seen.has("video"));
    assert!((seen.duration_s() - 5.0).abs() < 0.05, "{} s", seen.duration_s());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_input_has_its_error() {
    tools_or_return!();
    let bench = Bench::start().await;
    let good = file(&bench, &made::clip(320, 180, "25", seconds(2)));
    let fast = json!({"OutputConfig": {"Type": "fast"}});
    let two = refused(&bench, &request(&[good.clone(), good.clone()], "x.mp4", &fast)).await;
    assert_eq!(two.0, "InvalidParameterValue");
    assert!(two.1.contains("OutputConfig.Type"), "{}", two.1);
    let turned = request(&[with(good.clone(), 2.0, 1.0)], "x.mp4", &json!({}));
    assert!(refused(&bench, &turned).await.1.contains("FileInfos.0"));

    bench.web.offer_bytes("text.mp4", "this is no film\n".repeat(100).as_bytes());
    let at = |name: &str| json!({"InputInfo": {"Type": "URL", "UrlInputInfo": {"Url": bench.web.url(name)}}});
    let still = made::film(
        "png",
        &["-f", "lavfi", "-i", "color=c=red:s=64x64:d=1:r=1", "-frames:v", "1", "-update", "1"],
    );
    for (files, code, word) in [
        (vec![good.clone(), at("text.mp4")], 70_000, "FileInfos.1"),
        (vec![at("nothing-there.mp4"), good.clone()], 70_000, "FileInfos.0"),
        (vec![good.clone(), with(good.clone(), 5.0, 6.0)], 40_000, "nothing remains"),
        (vec![file(&bench, &still)], 40_000, "FileInfos.0"),
    ] {
        let failed = task(&bench, &request(&files, "x.mp4", &json!({}))).await;
        assert_eq!(failed["Status"], "FINISH");
        assert_eq!(failed["ErrCode"], json!(code), "{failed:#}");
        assert!(failed["Message"].as_str().is_some_and(|told| told.contains(word)), "{failed:#}");
        assert_eq!(failed["Output"], Value::Null, "{failed:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_outlives_its_server() {
    tools_or_return!();
    let mut bench = Bench::start().await;
    let long = file(&bench, &made::clip(1280, 720, "50", seconds(20)));
    let request = request(&[long.clone(), long], "whole.mp4", &json!({}));
    let answer = bench.server.ok("EditMedia", &request).await;
    let id = answer["TaskId"].as_str().expect("an id").to_owned();
    let limit = Instant::now() + mps_e2e::SOON;
    while bench.server.programs().is_empty() {
        assert!(Instant::now() < limit, "the edit does not begin");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bench.server.kill().await;
    bench.server.restart(|setup| setup).await;
    let detail = bench.server.ended(&id, mps_e2e::SOON).await;
    let task = &detail["EditMediaTask"];
    assert_eq!(task["ErrCode"], 0, "{task:#}");
    let path = task["Output"]["Path"].as_str().expect("a path");
    let folder = path.trim_start_matches('/').rsplit_once('/').expect("a folder").0.to_owned();
    assert_eq!(bench.server.keys(OUTPUT, &folder).await.len(), 1);
    assert!((probe(&bench.fetch(path).await).duration_s() - 40.0).abs() < 0.03);
}
