//! Playlists and their segments (TRC-03, TRC-12, VAR-03, VAR-10, VAR-11).

use std::path::Path;

use mps_e2e::{Bench, named_in, template};
use mps_testkit::compare::{decode, packet_times, probe};
use mps_testkit::made;
use serde_json::json;

use crate::{number, seconds, tools_or_return};

/// Lengths of the segments as the playlist tells them.
fn lengths(playlist: &str) -> Vec<f64> {
    playlist
        .lines()
        .filter_map(|line| line.strip_prefix("#EXTINF:")?.split(',').next()?.parse().ok())
        .collect()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a playlist is text")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preset_makes_a_playlist_and_segments_numbered_from_0() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = made::film(
        "mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=320x180:r=25:d=25",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p",
        ],
    );
    let source = named(&bench, &source, "AnimalWorldE01.mp4");
    let done = bench.one(&source, json!({"Definition": 100_210})).await;
    let path = done.output()["Path"].as_str().unwrap_or_default();
    assert!(path.ends_with("/AnimalWorldE01_transcode_100210.m3u8"), "{path}");
    let playlist = text(done.file());
    assert_eq!(
        named_in(&playlist),
        (0..3).map(|n| format!("AnimalWorldE01_transcode_100210_{n}.ts")).collect::<Vec<_>>()
    );
    assert!(
        playlist.contains("#EXT-X-ENDLIST") && playlist.contains("#EXT-X-PLAYLIST-TYPE:VOD"),
        "{playlist}"
    );
    assert!((lengths(&playlist).iter().sum::<f64>() - 25.0).abs() < 0.1, "{playlist}");
    decode(done.file()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn all_four_kinds_of_segments_play() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = made::clip(320, 180, "25", seconds(9));
    for (kind, has_map, has_range) in [(0, false, false), (2, false, true), (7, true, false), (5, true, true)]
    {
        let video = json!({"Gop": 25, "HlsTime": 3, "SegmentType": kind, "Bitrate": 400});
        let done = bench.raw(&source, template("hls", &video)).await;
        let playlist = text(done.file());
        assert_eq!(playlist.contains("#EXT-X-MAP"), has_map, "{kind}: {playlist}");
        assert_eq!(playlist.contains("#EXT-X-BYTERANGE"), has_range, "{kind}: {playlist}");
        let lengths = lengths(&playlist);
        assert_eq!(lengths.len(), 3, "{kind}: {playlist}");
        assert!(lengths.iter().all(|length| *length <= 3.0 + 1.0 + 0.001), "{kind}: {lengths:?}");
        assert!((lengths.iter().sum::<f64>() - 9.0).abs() < 0.1, "{kind}: {lengths:?}");
        let files = named_in(&playlist);
        assert_eq!(files.len(), if has_range { 1 } else { 3 + usize::from(has_map) }, "{kind}: {files:?}");
        let bytes: u64 = files.iter().map(|name| length_of(&done.file().with_file_name(name))).sum();
        assert_eq!(number(&done.output()["Size"]) as u64, bytes + length_of(done.file()), "{kind}");
        if let Err(told) = decode(done.file()) {
            panic!("{kind}: {told}\n{playlist}");
        }
        assert_eq!(packet_times(done.file(), "v:0").len(), 225, "{kind}");
        assert_eq!(probe(done.file()).size(), (320, 180), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_segments_may_be_short() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = made::clip(320, 180, "25", seconds(14));
    let first = json!({"Switch": "on", "FragmentTime": 1, "FragmentEndNum": 3});
    let video = json!({"HlsTime": 4, "SegmentType": 0, "Bitrate": 400, "SegmentSpecificInfo": first});
    let done = bench.raw(&source, template("hls", &video)).await;
    let lengths = lengths(&text(done.file()));
    assert!(lengths.iter().take(3).all(|length| (length - 1.0).abs() < 0.1), "{lengths:?}");
    assert!((lengths[3] - 4.0).abs() < 0.1, "{lengths:?}");
    assert!((lengths.iter().sum::<f64>() - 14.0).abs() < 0.1, "{lengths:?}");
    decode(done.file()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn patterns_make_the_names_of_segments() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = named(&bench, &made::clip(320, 180, "25", seconds(4)), "AnimalWorldE01.mp4");
    let template = template("hls", &json!({"Gop": 25, "HlsTime": 1, "Bitrate": 400}));
    let item = json!({"Definition": 0, "RawParameter": template, "OutputObjectPath": "{inputName}_from_{inputFormat}.{format}",
        "SegmentObjectName": "{inputName}_from_{inputFormat}_{number}"});
    let done = bench.one(&source, item).await;
    assert!(done.output()["Path"].as_str().unwrap_or_default().ends_with("/AnimalWorldE01_from_mp4.m3u8"));
    let names: Vec<String> = (0..4).map(|n| format!("AnimalWorldE01_from_mp4_{n}.ts")).collect();
    assert_eq!(named_in(&text(done.file())), names);

    let numbers = json!({"InitialValue": 1, "Increment": 5, "MinLength": 3, "PlaceHolder": "0"});
    let item = json!({"Definition": 0, "RawParameter": template, "OutputObjectPath": "numbered.{format}",
        "SegmentObjectName": "n{number}.{format}", "ObjectNumberFormat": numbers});
    let done = bench.one(&source, item).await;
    assert_eq!(named_in(&text(done.file())), ["n001.ts", "n006.ts", "n011.ts", "n016.ts"]);
    decode(done.file()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_in_a_folder_of_their_own_are_found_from_the_playlist() {
    tools_or_return!();
    let bench = Bench::start().await;
    let template = template("hls", &json!({"Gop": 25, "HlsTime": 1, "Bitrate": 400}));
    let item = json!({"Definition": 0, "RawParameter": template, "OutputObjectPath": "main.{format}",
        "SegmentObjectName": "parts/{number}.{format}"});
    let source = made::clip(320, 180, "25", seconds(3));
    let detail = bench.task(&source, &[item]).await;
    let result = &mps_e2e::results_of(&detail)[0];
    assert_eq!(result["Status"], "SUCCESS", "{result:#}");
    let path = result["Output"]["Path"].as_str().unwrap_or_default();
    let playlist = bench.server.object(mps_testkit::server::OUTPUT, path).await.expect("a playlist");
    let names = named_in(&String::from_utf8_lossy(&playlist));
    assert_eq!(names, ["parts/0.ts", "parts/1.ts", "parts/2.ts"]);
    for name in names {
        let key = path.replace("main.m3u8", &name);
        assert!(bench.server.object(mps_testkit::server::OUTPUT, &key).await.is_some(), "{key}");
    }
}

fn length_of(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |found| found.len())
}

/// The same film under another name.
fn named(bench: &Bench, film: &Path, name: &str) -> std::path::PathBuf {
    let path = bench.folder.path().join(name);
    std::fs::copy(film, &path).expect("a copy of the film");
    path
}
