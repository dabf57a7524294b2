//! Films that people and cameras made, where a folder of them is (`MPS_TEST_MEDIA`).

use std::path::Path;

use mps_e2e::{Bench, results_of, template};
use mps_testkit::compare::{decode, is_interlaced, packet_times, probe, ssim};
use mps_testkit::media_files;
use serde_json::{Value, json};

use crate::tools_or_return;

/// Cuts a source short so that a whole shelf of films takes minutes, not hours.
fn short(video: &Value) -> Value {
    json!({"Definition": 0, "RawParameter": template("mp4", video), "EndTimeOffset": 3.0})
}

/// Where a stream ends, counted from the first picture or sound of its file, and how long its longest frame is.
#[derive(Debug)]
struct End {
    at_s: f64,
    longest_frame_s: f64,
}

fn end(path: &Path, stream: &str) -> End {
    let first = |stream: &str| packet_times(path, stream).first().map_or(f64::INFINITY, |first| first.0);
    let begin = first("v:0").min(first("a:0")).max(0.0);
    let times = packet_times(path, stream);
    let at_s = times.iter().map(|(at, length)| at + length).fold(0.0, f64::max) - begin;
    let longest_frame_s = times.windows(2).map(|pair| pair[1].0 - pair[0].0).fold(0.0, f64::max);
    End { at_s, longest_frame_s }
}

async fn transcoded(bench: &Bench, path: &Path, video: &Value) -> mps_e2e::Done {
    bench.one(path, short(video)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_film_of_the_shelf_becomes_a_film_that_plays() {
    tools_or_return!();
    let films: Vec<_> = media_files::media_under("real")
        .into_iter()
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let is_film = ["mp4", "mov", "mkv", "webm", "flv", "ts", "avi", "264"]
                .iter()
                .any(|e| name.ends_with(&format!(".{e}")));
            is_film && !name.starts_with("broken_") && !name.ends_with("_audio.mp4")
        })
        .collect();
    if films.is_empty() {
        return;
    }
    let bench = Bench::start().await;
    let mut wrong = Vec::new();
    for film in films {
        let name = film.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let detail = bench.task(&film, &[short(&json!({"Height": 180}))]).await;
        let done = bench.results(&detail).await.remove(0);
        if done.result["Status"] != "SUCCESS" {
            wrong.push(format!("{name}: {} {}", done.result["Message"], detail["WorkflowTask"]["Message"]));
            continue;
        }
        if let Err(told) = decode(done.file()) {
            wrong.push(format!("{name}: {told}"));
        }
        let (before, after) = (probe(&film), probe(done.file()));
        let (picture, sound) = (end(&film, "v:0"), end(&film, "a:0"));
        let (video, audio) = (end(done.file(), "v:0"), end(done.file(), "a:0"));
        if (video.at_s - picture.at_s.min(3.0)).abs() > 0.1 + picture.longest_frame_s {
            wrong.push(format!("{name}: {video:?}, the source has {picture:?}"));
        }
        if before.has("audio") && (audio.at_s - sound.at_s.min(3.0)).abs() > 0.1 {
            wrong.push(format!("{name}: sound of {audio:?}, the source has {sound:?}"));
        }
        if before.has("audio") != after.has("audio") {
            wrong.push(format!("{name}: sound before {}, after {}", before.has("audio"), after.has("audio")));
        }
        if after.size().0.min(after.size().1) != 180 {
            wrong.push(format!("{name}: {:?}", after.size()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn phone_films_come_out_upright() {
    tools_or_return!();
    let Some(film) = media_files::media("real/phone_rot90_ios9.mov") else { return };
    let bench = Bench::start().await;
    let done = transcoded(&bench, &film, &json!({"Height": 360, "Bitrate": 2000})).await;
    let (width, height) = probe(done.file()).size();
    assert!(height > width, "{width}x{height}");
    let whole = bench.raw(&film, template("mp4", &json!({"Bitrate": 3000}))).await;
    assert!(ssim(whole.file(), &film) > 0.85, "{}", ssim(whole.file(), &film));
}

#[tokio::test(flavor = "multi_thread")]
async fn hdr_becomes_8_bits_and_fields_become_frames() {
    tools_or_return!();
    let (Some(hdr), Some(fields)) = (
        media_files::media("real/hdr10_hevc_1080p.mp4"),
        media_files::media("derived/interlaced_tff_480i_anamorphic.ts"),
    ) else {
        return;
    };
    let bench = Bench::start().await;
    let done = transcoded(&bench, &hdr, &json!({"Height": 360})).await;
    assert_eq!(probe(done.file()).video()["pix_fmt"], "yuv420p");
    assert_eq!(probe(done.file()).video()["color_transfer"], "bt709");
    let done = transcoded(&bench, &fields, &json!({"Bitrate": 3000})).await;
    assert!(!is_interlaced(done.file()));
    let video = probe(done.file()).video().clone();
    assert_eq!(video["sample_aspect_ratio"], "1:1");
    // 853.3 pixels are as near to 16:9 as whole, even sides allow.
    assert_eq!(probe(&fields).video()["display_aspect_ratio"], "16:9");
    assert_eq!(probe(done.file()).size(), (854, 480));
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_and_hostile_files_end_with_a_code_or_a_film_that_plays() {
    tools_or_return!();
    let mut files = media_files::media_under("derived/hostile");
    files.extend(
        media_files::media_under("real").into_iter().chain(media_files::media_under("derived")).filter(
            |path| {
                path.file_name()
                    .and_then(|name| name.to_str())
                    .is_some_and(|name| name.starts_with("broken_"))
            },
        ),
    );
    if files.is_empty() {
        return;
    }
    let bench = Bench::start().await;
    for file in files {
        let detail = bench.task(&file, &[short(&json!({"Height": 180}))]).await;
        let failed = detail["WorkflowTask"]["ErrCode"] != 0 || results_of(&detail)[0]["Status"] == "FAIL";
        if failed {
            let text = detail.to_string();
            assert!(!text.contains("root:") && !text.contains("/etc/passwd"), "{text}");
            continue;
        }
        for done in bench.results(&detail).await {
            decode(done.file()).unwrap_or_else(|told| panic!("{}: {told}", file.display()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_languages_one_is_taken_whole() {
    tools_or_return!();
    let Some(film) = media_files::media("derived/multiaudio_eng_deu.mkv") else { return };
    let bench = Bench::start().await;
    let done = transcoded(&bench, &film, &json!({})).await;
    assert_eq!(probe(done.file()).streams("audio").len(), 1);
}
