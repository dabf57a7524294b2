//! Pieces of a source (TRC-16).

use std::path::{Path, PathBuf};

use mps_e2e::{Bench, SOON, by_url, template};
use mps_testkit::compare::{packet_times, patch, probe};
use mps_testkit::made;
use serde_json::{Value, json};

use crate::tools_or_return;

/// A minute at 25 fps whose brightness tells the second: 4 steps of grey a second.
fn minute() -> PathBuf {
    let words = [
        "-f",
        "lavfi",
        "-i",
        "color=c=black:s=160x90:r=25:d=60,geq=lum='16+3*floor(T)':cb=128:cr=128",
        "-f",
        "lavfi",
        "-i",
        "sine=f=440:r=48000:d=60",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-crf",
        "10",
        "-g",
        "250",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
        "-b:a",
        "64k",
    ];
    made::film("mp4", &words)
}

/// Second of the source that a frame of the output comes from.
fn second_at(path: &Path, at_s: f64) -> f64 {
    // Limited range black is 0 after conversion; each second is 3 steps of luma.
    patch(path, at_s, (40, 20, 80, 50)).mean[1] / (3.0 * 255.0 / 219.0)
}

fn item(start: f64, end: f64) -> Value {
    json!({"Definition": 0, "RawParameter": template("mp4", &json!({"Bitrate": 0})), "StartTimeOffset": start,
        "EndTimeOffset": end, "OutputObjectPath": format!("from{start}to{end}.{{format}}")})
}

#[tokio::test(flavor = "multi_thread")]
async fn clips_are_exact_to_the_frame() {
    tools_or_return!();
    let bench = Bench::start().await;
    // start, end, then the first second, the length
    let cases: [(f64, f64, f64, f64); 5] = [
        (5.0, 15.0, 5.0, 10.0),
        (-10.0, 0.0, 50.0, 10.0),
        (0.0, -10.0, 0.0, 50.0),
        (-20.0, -15.0, 40.0, 5.0),
        (3.5, 4.3, 3.5, 0.8),
    ];
    let items: Vec<Value> = cases.iter().map(|(start, end, ..)| item(*start, *end)).collect();
    let all = bench.transcode(&minute(), &items).await;
    for (done, (start, end, first, length)) in all.iter().zip(cases) {
        let told = format!("{start}..{end}");
        let seen = probe(done.file());
        assert!((seen.duration_s() - length).abs() <= 0.041, "{told}: {} s", seen.duration_s());
        let frames = packet_times(done.file(), "v:0");
        assert!((frames.len() as f64 - length * 25.0).abs() <= 1.0, "{told}: {} frames", frames.len());
        assert!(frames[0].0.abs() < 0.041, "{told} begins at {}", frames[0].0);
        let (seen_first, seen_last) = (second_at(done.file(), 0.0), second_at(done.file(), length - 0.06));
        assert!((seen_first - first.floor()).abs() < 0.5, "{told} begins with second {seen_first}");
        assert!(
            (seen_last - (first + length - 0.06).floor()).abs() < 0.5,
            "{told} ends with second {seen_last}"
        );
        let sound = packet_times(done.file(), "a:0");
        let sound_end = sound.last().map_or(0.0, |(at, length)| at + length);
        assert!((sound_end - length).abs() < 0.045, "{told}: the sound ends at {sound_end}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_that_ends_before_it_starts_is_an_error() {
    tools_or_return!();
    let bench = Bench::start().await;
    let url = bench.web.offer("minute.mp4", &minute());
    let refused = bench.server.call("ProcessMedia", &by_url(&url, "/x/", &[item(15.0, 5.0)])).await;
    assert!(refused.as_ref().is_err_and(|e| e.code.starts_with("InvalidParameter")), "{refused:?}");

    // What only the source's length tells fails that transcode alone.
    let task =
        bench.server.process(&by_url(&url, "/y/", &[item(70.0, 0.0), item(0.0, 1.0), item(-5.0, 2.0)])).await;
    let detail = bench.server.ended(&task, SOON).await;
    let results = mps_e2e::results_of(&detail);
    assert_eq!(results[0]["Status"], "FAIL", "{:#}", results[0]);
    assert_ne!(results[0]["ErrCode"], 0);
    assert_eq!(results[1]["Status"], "SUCCESS", "{:#}", results[1]);
    assert_eq!(results[2]["Status"], "FAIL", "{:#}", results[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_beyond_the_source_is_its_end() {
    tools_or_return!();
    let bench = Bench::start().await;
    let done = bench.one(&minute(), item(58.0, 90.0)).await;
    assert!((probe(done.file()).duration_s() - 2.0).abs() <= 0.041);
}
