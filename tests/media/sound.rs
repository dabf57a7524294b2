//! Sound, and sound with picture (TRC-14 and the duration rules).

use mps_e2e::{Bench, Done, template};
use mps_testkit::compare::{decode, loudness_db, packet_times, probe, sync, tone_hz};
use mps_testkit::made;
use serde_json::{Value, json};

use crate::{seconds, tools_or_return};

/// End of a stream in seconds.
fn end(done: &Done, stream: &str) -> f64 {
    packet_times(done.file(), stream).iter().map(|(at, length)| at + length).fold(0.0, f64::max)
}

#[tokio::test(flavor = "multi_thread")]
async fn picture_and_sound_are_equally_long() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = made::clip(320, 180, "30000/1001", seconds(6));
    for container in ["mp4", "mov", "mkv", "ts", "flv", "hls"] {
        let done = bench.raw(&source, template(container, &json!({"Bitrate": 500}))).await;
        let (video, audio) = (end(&done, "v:0"), end(&done, "a:0"));
        assert!((video - audio).abs() <= 0.035, "{container}: {video} and {audio}");
        let begins = |stream: &str| packet_times(done.file(), stream).first().map_or(0.0, |first| first.0);
        assert!(
            (begins("v:0") - begins("a:0")).abs() <= 0.035,
            "{container}: {} and {}",
            begins("v:0"),
            begins("a:0")
        );
        let frames = packet_times(done.file(), "v:0").len();
        assert!(frames.abs_diff(180) <= 1, "{container}: {frames} frames");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn beeps_stay_with_their_flashes() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = made::flashes_and_beeps();
    let before = sync(&source);
    assert_eq!((before.flashes_s.len(), before.beeps_s.len()), (9, 9), "{before:?}");
    let base: f64 = before.lags_ms().iter().sum::<f64>() / 9.0;
    let cases: [(&str, Value, Value); 6] = [
        ("plain", template("mp4", &json!({})), json!({})),
        ("ts", template("ts", &json!({})), json!({})),
        ("hls", template("hls", &json!({"HlsTime": 2})), json!({})),
        ("fps", template("mp4", &json!({"Fps": 50})), json!({})),
        ("clip", template("mp4", &json!({})), json!({"StartTimeOffset": 2.5, "EndTimeOffset": 9.5})),
        (
            "kept",
            json!({"Container": "mkv", "VideoTemplate": {"Codec": "copy", "Fps": 0, "Bitrate": 0},
            "AudioTemplate": {"Codec": "copy", "Bitrate": 0, "SampleRate": 0}}),
            json!({}),
        ),
    ];
    for (name, template, more) in cases {
        let mut item = json!({"Definition": 0, "RawParameter": template, "OutputObjectPath": format!("{name}.{{format}}")});
        if let (Some(item), Some(more)) = (item.as_object_mut(), more.as_object()) {
            item.extend(more.clone());
        }
        let done = bench.one(&source, item).await;
        let after = sync(done.file());
        let wanted = if name == "clip" { 7 } else { 9 };
        assert_eq!((after.flashes_s.len(), after.beeps_s.len()), (wanted, wanted), "{name}: {after:?}");
        for lag in after.lags_ms() {
            assert!((lag - base).abs() <= 20.0, "{name}: {lag} ms, {base} ms in the source; {after:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_without_sound_stays_without() {
    tools_or_return!();
    let bench = Bench::start().await;
    let words = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=320x180:r=25:d=2",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
    ];
    let source = made::film("mp4", &words);
    for container in ["mp4", "hls", "mkv"] {
        let done = bench.raw(&source, template(container, &json!({}))).await;
        assert!(!probe(done.file()).has("audio"), "{container}");
        assert_eq!(done.output()["AudioStreamSet"], json!([]), "{container}");
        decode(done.file()).unwrap();
    }
    let detail = bench.task(&source, &[json!({"Definition": 1010}), json!({"Definition": 100_010})]).await;
    let results = mps_e2e::results_of(&detail);
    assert_eq!(results[0]["Status"], "FAIL", "sound alone of a film without: {:#}", results[0]);
    assert_eq!(results[1]["Status"], "SUCCESS", "{:#}", results[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_alone_is_a_source_too() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = made::film("flac", &["-f", "lavfi", "-i", "sine=f=700:r=44100:d=3", "-c:a", "flac"]);
    let all = bench
        .transcode(
            &source,
            &[json!({"Definition": 1010}), json!({"Definition": 1110}), json!({"Definition": 100_010})],
        )
        .await;
    for done in all.iter().take(2) {
        let seen = probe(done.file());
        assert!((seen.duration_s() - 3.0).abs() < 0.1, "{} s", seen.duration_s());
        assert!((tone_hz(done.file()) - 700.0).abs() < 5.0, "{} Hz", tone_hz(done.file()));
    }
    // A film of it is its sound, or is refused; never a film of something else.
    if all[2].result["Status"] == "SUCCESS" {
        assert!(!probe(all[2].file()).has("video"));
    } else {
        assert_ne!(all[2].result["ErrCode"], 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_tracks_the_default_one_is_taken() {
    tools_or_return!();
    let bench = Bench::start().await;
    let words = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=320x180:r=25:d=3",
        "-f",
        "lavfi",
        "-i",
        "sine=f=400:r=48000:d=3",
        "-f",
        "lavfi",
        "-i",
        "sine=f=1200:r=48000:d=3",
        "-map",
        "0",
        "-map",
        "1",
        "-map",
        "2",
        "-disposition:a:0",
        "0",
        "-disposition:a:1",
        "default",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
    ];
    let done = bench.raw(&made::film("mkv", &words), template("mp4", &json!({}))).await;
    let seen = probe(done.file());
    assert_eq!(seen.streams("audio").len(), 1);
    let tone = tone_hz(done.file());
    assert!((tone - 1200.0).abs() < 10.0 || (tone - 400.0).abs() < 10.0, "{tone} Hz is none of the tracks");
    assert!((tone - 1200.0).abs() < 10.0, "the track that is not the default one was taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn loudness_stays_when_channels_are_mixed() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = made::film(
        "wav",
        &["-f", "lavfi", "-i", "sine=f=500:r=48000:d=3,aformat=channel_layouts=stereo", "-c:a", "pcm_s16le"],
    );
    let template = |channels: u32| json!({"Container": "m4a", "AudioTemplate": {"Codec": "aac", "Bitrate": 128, "SampleRate": 48000, "AudioChannel": channels}});
    let before = loudness_db(&source);
    for channels in [1, 2] {
        let done = bench.raw(&source, template(channels)).await;
        assert!(
            (loudness_db(done.file()) - before).abs() < 3.5,
            "{channels}: {} dB, not {before}",
            loudness_db(done.file())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_copied_without_coding_again() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = made::clip(320, 180, "25", seconds(4));
    let all = bench.transcode(&source, &[json!({"Definition": 9}), json!({"Definition": 6})]).await;
    for done in &all {
        decode(done.file()).unwrap();
        assert_eq!(packet_times(done.file(), "v:0").len(), 100);
        // The very same pictures: nothing was lost.
        assert!(mps_testkit::compare::psnr(done.file(), &source) > 99.0);
    }
    assert_eq!(probe(all[0].file()).video_codec(), "h264");
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_that_begins_late_stays_late() {
    tools_or_return!();
    let bench = Bench::start().await;
    let graph = "color=c=black:s=320x180:r=25:d=6,drawbox=c=white:t=fill:enable='between(t,2.99,3.5)'[v];aevalsrc=exprs='if(lt(t,0.3),0.6*sin(2*PI*1000*t),0)':s=48000:d=3,asetpts=PTS+3/TB[a]";
    let source = made::film(
        "mkv",
        &[
            "-filter_complex",
            graph,
            "-map",
            "[v]",
            "-map",
            "[a]",
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "aac",
        ],
    );
    for container in ["mp4", "hls"] {
        let done = bench.raw(&source, template(container, &json!({"HlsTime": 2}))).await;
        let seen = sync(done.file());
        assert_eq!((seen.flashes_s.len(), seen.beeps_s.len()), (1, 1), "{container}: {seen:?}");
        assert!(seen.lags_ms()[0].abs() <= 30.0, "{container}: {seen:?}");
    }
}
