//! Frames, key frames, bit rates, profiles (TRC-06, TRC-07, TRC-09, TRC-11, TRC-15).

use std::path::PathBuf;

use mps_e2e::{Bench, template};
use mps_testkit::compare::{decode, frame_times, key_frame_times, packet_times, probe};
use mps_testkit::made;
use serde_json::{Value, json};

use crate::{seconds, tools_or_return};

fn raw(name: &str, video: &Value) -> Value {
    json!({"Definition": 0, "RawParameter": template("mp4", video), "OutputObjectPath": format!("{name}.{{format}}")})
}

#[tokio::test(flavor = "multi_thread")]
async fn key_frames_come_by_frames_or_by_seconds() {
    tools_or_return!();
    let bench = Bench::start().await;
    let items = [
        raw("frames", &json!({"Fps": 25, "Gop": 50})),
        raw("seconds", &json!({"Fps": 25, "Gop": 2, "GopUnit": "second"})),
        raw("h265", &json!({"Codec": "h265", "Fps": 25, "Gop": 50})),
    ];
    for done in bench.transcode(&made::clip(320, 180, "25", seconds(7)), &items).await {
        let times = key_frame_times(done.file());
        assert_eq!(times.len(), 4, "{times:?}");
        for (at, wanted) in times.iter().zip([0.0, 2.0, 4.0, 6.0]) {
            assert!((at - wanted).abs() < 0.001, "{times:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn frame_rates_may_be_fractions() {
    tools_or_return!();
    let bench = Bench::start().await;
    let cases: [(Value, &str, usize); 4] = [
        (json!({"Fps": 30_000, "FpsDenominator": 1001}), "30000/1001", 120),
        (json!({"Fps": 10}), "10/1", 40),
        (json!({"Fps": 50}), "50/1", 200),
        (json!({"Fps": 0}), "25/1", 100),
    ];
    let items: Vec<Value> =
        cases.iter().enumerate().map(|(n, (video, ..))| raw(&n.to_string(), video)).collect();
    let all = bench.transcode(&made::clip(320, 180, "25", seconds(4)), &items).await;
    for (done, (_, rate, count)) in all.iter().zip(&cases) {
        let seen = probe(done.file());
        assert_eq!(seen.video()["r_frame_rate"], *rate);
        assert_eq!(seen.video()["avg_frame_rate"], *rate);
        let frames = packet_times(done.file(), "v:0").len();
        assert!(frames.abs_diff(*count) <= 1, "{rate}: {frames} frames");
        assert!((seen.duration_s() - 4.0).abs() < 0.05, "{rate}: {} s", seen.duration_s());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uneven_frames_keep_their_times_unless_a_rate_is_asked_for() {
    tools_or_return!();
    let bench = Bench::start().await;
    let graph = "testsrc2=s=320x180:r=30:d=4,select='lt(t\\,1)+not(mod(n\\,3))'";
    let source = made::film(
        "mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            graph,
            "-fps_mode",
            "vfr",
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-pix_fmt",
            "yuv420p",
        ],
    );
    let template = |video: &Value| {
        let mut template = template("mp4", video);
        template["RemoveAudio"] = json!(1);
        template
    };
    let kept = bench.raw(&source, template(&json!({"Fps": 0}))).await;
    let (wanted, seen) = (frame_times(&source, "v:0"), frame_times(kept.file(), "v:0"));
    assert_eq!(wanted.len(), seen.len());
    for (wanted, seen) in wanted.iter().zip(&seen) {
        assert!((wanted - seen).abs() < 0.005, "{wanted} became {seen}");
    }
    let even = bench.raw(&source, template(&json!({"Fps": 25}))).await;
    let times = frame_times(even.file(), "v:0");
    assert!(times.windows(2).all(|pair| (pair[1] - pair[0] - 0.04).abs() < 0.001), "{times:?}");
    assert!(times.len().abs_diff(100) <= 3, "{}", times.len());
}

/// Noise that no encoder can make small.
fn noise(length_s: u32) -> PathBuf {
    let graph = format!("testsrc2=s=480x270:r=25:d={length_s},noise=alls=50:allf=t");
    made::film(
        "mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            &graph,
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-crf",
            "12",
            "-pix_fmt",
            "yuv420p",
        ],
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bit_rate_is_what_was_asked_for() {
    tools_or_return!();
    let bench = Bench::start().await;
    let cases = [("h264", "VBR"), ("h264", "ABR"), ("h264", "CBR"), ("h265", "VBR"), ("h265", "ABR")];
    let items: Vec<Value> = cases
        .iter()
        .map(|(codec, mode)| {
            raw(&format!("{codec}{mode}"), &json!({"Codec": codec, "Mode": mode, "Bitrate": 2000}))
        })
        .collect();
    // One pass has little time to find the rate of three seconds.
    for length_s in [8, 3] {
        for (done, case) in bench.transcode(&noise(length_s), &items).await.iter().zip(cases) {
            let seen = probe(done.file());
            let rate: f64 =
                seen.video()["bit_rate"].as_str().and_then(|rate| rate.parse().ok()).unwrap_or_default();
            assert!((rate / 2_000_000.0 - 1.0).abs() <= 0.15, "{case:?} in {length_s} s: {rate}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_better_factor_makes_a_larger_file() {
    tools_or_return!();
    let bench = Bench::start().await;
    let items = [
        raw("good", &json!({"Mode": "VCRF", "Vcrf": 20})),
        raw("poor", &json!({"Mode": "VCRF", "Vcrf": 40})),
    ];
    let source = made::clip(320, 180, "25", seconds(3));
    let all = bench.transcode(&source, &items).await;
    let size = |at: usize| std::fs::metadata(all[at].file()).map_or(0, |found| found.len());
    assert!(size(0) > size(1), "{} {}", size(0), size(1));
    let likeness = |at: usize| mps_testkit::compare::ssim(all[at].file(), &source);
    assert!(likeness(0) > 0.95 && likeness(0) > likeness(1), "{} {}", likeness(0), likeness(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_levels_and_depths_are_those_asked_for() {
    tools_or_return!();
    let bench = Bench::start().await;
    let cases = [
        (json!({"VideoProfile": "baseline"}), "Constrained Baseline", "yuv420p", None),
        (json!({"VideoProfile": "main", "VideoLevel": "3.1"}), "Main", "yuv420p", Some(31)),
        (json!({"VideoProfile": "high", "VideoLevel": "4"}), "High", "yuv420p", Some(40)),
        (json!({"BitDepth": 10}), "High 10", "yuv420p10le", None),
        (json!({"Codec": "h265"}), "Main", "yuv420p", None),
        (json!({"Codec": "h265", "BitDepth": 10, "VideoLevel": "4.1"}), "Main 10", "yuv420p10le", Some(123)),
    ];
    let items: Vec<Value> =
        cases.iter().enumerate().map(|(n, (video, ..))| raw(&n.to_string(), video)).collect();
    let all = bench.transcode(&made::clip(320, 180, "25", seconds(2)), &items).await;
    for (done, (asked, profile, format, level)) in all.iter().zip(&cases) {
        let seen = probe(done.file());
        assert_eq!(seen.video()["profile"], *profile, "{asked}");
        assert_eq!(seen.video()["pix_fmt"], *format, "{asked}");
        if let Some(level) = level {
            assert_eq!(seen.video()["level"], *level, "{asked}");
        }
        decode(done.file()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b_frames_are_as_many_as_asked_for() {
    tools_or_return!();
    let bench = Bench::start().await;
    let items = [raw("none", &json!({"Bframes": 0})), raw("two", &json!({"Bframes": 2}))];
    let all = bench.transcode(&made::clip(320, 180, "25", seconds(2)), &items).await;
    assert_eq!(probe(all[0].file()).video()["has_b_frames"], 0);
    assert_ne!(probe(all[1].file()).video()["has_b_frames"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_changes_what_it_names_and_nothing_else() {
    tools_or_return!();
    let bench = Bench::start().await;
    let items = [
        json!({"Definition": 100_010, "OutputObjectPath": "plain.{format}"}),
        json!({"Definition": 100_010, "OutputObjectPath": "low.{format}", "OverrideParameter": {"VideoTemplate": {"Height": 180}}}),
        json!({"Definition": 100_010, "OutputObjectPath": "mute.{format}", "OverrideParameter": {"RemoveAudio": 1}}),
        json!({"Definition": 100_010, "OutputObjectPath": "blind.{format}", "OverrideParameter": {"RemoveVideo": 1}}),
    ];
    let all = bench.transcode(&made::clip(640, 360, "30", seconds(2)), &items).await;
    let (plain, low) = (probe(all[0].file()), probe(all[1].file()));
    assert_eq!((plain.size(), low.size()), ((640, 360), (320, 180)));
    for name in ["codec_name", "r_frame_rate", "profile", "pix_fmt"] {
        assert_eq!(plain.video()[name], low.video()[name]);
    }
    assert_eq!(plain.audio()["sample_rate"], low.audio()["sample_rate"]);
    assert!(!probe(all[2].file()).has("audio") && probe(all[2].file()).has("video"));
    assert!(!probe(all[3].file()).has("video") && probe(all[3].file()).has("audio"));
}
