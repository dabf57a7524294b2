//! Size, shape, and what is done to pictures that are not plain (TRC-08, TRC-10).

use std::path::{Path, PathBuf};

use mps_e2e::{Bench, template};
use mps_testkit::compare::{decode, is_interlaced, patch, probe, psnr, ssim};
use mps_testkit::made;
use serde_json::{Value, json};

use crate::{seconds, tools_or_return};

fn raw(name: &str, video: &Value) -> Value {
    let mut template = template("mp4", video);
    template["VideoTemplate"]["Bitrate"] = json!(3000);
    json!({"Definition": 0, "RawParameter": template, "OutputObjectPath": format!("{name}.{{format}}")})
}

/// A film of two seconds from a graph.
fn film(graph: &str, more: &[&str]) -> PathBuf {
    let mut words = vec![
        "-f", "lavfi", "-i", graph, "-t", "2", "-c:v", "libx264", "-preset", "veryfast", "-crf", "12",
        "-pix_fmt", "yuv420p",
    ];
    words.extend(more);
    made::film("mp4", &words)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_of_another_shape_is_filled_as_asked() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = film("testsrc2=s=320x240:r=25", &[]);
    let fills = ["black", "white", "gauss", "stretch", "smarttailor"];
    let items: Vec<Value> = fills
        .iter()
        .map(|fill| {
            raw(fill, &json!({"Width": 640, "Height": 360, "ResolutionAdaptive": "close", "FillType": fill}))
        })
        .collect();
    let all = bench.transcode(&source, &items).await;
    let file = |fill: &str| -> &Path {
        all[fills.iter().position(|known| *known == fill).expect("a known fill")].file()
    };
    for fill in fills {
        assert_eq!(probe(file(fill)).size(), (640, 360), "{fill}");
    }
    // 4:3 in 16:9 leaves 80 columns on either side.
    for columns in [(8, 20, 60, 320), (572, 20, 60, 320)] {
        assert!(
            patch(file("black"), 1.0, columns).is_plain([0.0; 3]),
            "{:?}",
            patch(file("black"), 1.0, columns)
        );
        assert!(
            patch(file("white"), 1.0, columns).is_plain([255.0; 3]),
            "{:?}",
            patch(file("white"), 1.0, columns)
        );
        let (blurred, sharp) = (patch(file("gauss"), 1.0, columns), patch(file("stretch"), 1.0, columns));
        assert!(!blurred.is_plain([0.0; 3]) && !blurred.is_plain([255.0; 3]), "{blurred:?}");
        assert!(blurred.spread < sharp.spread, "{blurred:?} {sharp:?}");
    }
    // The middle of the film is the film.
    let middle = film("testsrc2=s=320x240:r=25,scale=480:360:flags=bicubic,pad=640:360:80:0", &[]);
    assert!(ssim(file("black"), &middle) > 0.95, "{}", ssim(file("black"), &middle));
    assert!(ssim(file("stretch"), &source) > 0.95, "{}", ssim(file("stretch"), &source));
    let cut = film("testsrc2=s=320x240:r=25,crop=320:180:0:30", &[]);
    assert!(ssim(file("smarttailor"), &cut) > 0.9, "{}", ssim(file("smarttailor"), &cut));
}

#[tokio::test(flavor = "multi_thread")]
async fn sides_that_are_0_follow_from_the_source() {
    tools_or_return!();
    let bench = Bench::start().await;
    let cases = [
        ("both", json!({"Width": 0, "Height": 0}), (640, 360), (360, 640)),
        ("width", json!({"Width": 320, "Height": 0, "ResolutionAdaptive": "close"}), (320, 180), (320, 568)),
        ("height", json!({"Width": 0, "Height": 180, "ResolutionAdaptive": "close"}), (320, 180), (102, 180)),
        ("short", json!({"Width": 0, "Height": 180, "ResolutionAdaptive": "open"}), (320, 180), (180, 320)),
        ("long", json!({"Width": 320, "Height": 0, "ResolutionAdaptive": "open"}), (320, 180), (180, 320)),
        ("sides", json!({"Width": 480, "Height": 270, "ResolutionAdaptive": "open"}), (480, 270), (270, 480)),
        (
            "fixed",
            json!({"Width": 480, "Height": 270, "ResolutionAdaptive": "close"}),
            (480, 270),
            (480, 270),
        ),
        ("larger", json!({"Width": 0, "Height": 720}), (1280, 720), (720, 1280)),
    ];
    let items: Vec<Value> = cases.iter().map(|(name, video, ..)| raw(name, video)).collect();
    let wide = bench.transcode(&film("testsrc2=s=640x360:r=25", &[]), &items).await;
    let tall = bench.transcode(&film("testsrc2=s=360x640:r=25", &[]), &items).await;
    for (((name, _, wanted_wide, wanted_tall), wide), tall) in cases.iter().zip(&wide).zip(&tall) {
        assert_eq!(probe(wide.file()).size(), *wanted_wide, "{name}, wide");
        assert_eq!(probe(tall.file()).size(), *wanted_tall, "{name}, tall");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turned_phone_film_comes_out_upright() {
    tools_or_return!();
    let bench = Bench::start().await;
    let flat = film("testsrc2=s=640x360:r=25", &[]);
    let flat_name = flat.to_str().expect("a name");
    for (turn, size) in [("90", (360, 640)), ("-90", (360, 640)), ("180", (640, 360))] {
        let source = made::film("mov", &["-display_rotation", turn, "-i", flat_name, "-c", "copy"]);
        let done = bench
            .one(
                &source,
                json!({"Definition": 100_010, "OutputObjectPath": format!("turned{turn}.{{format}}")}),
            )
            .await;
        let seen = probe(done.file());
        assert_eq!(seen.size(), size, "{turn}");
        assert!(seen.video()["side_data_list"].is_null(), "{turn}: {:#}", seen.video());
        // The measuring tool turns the source by its metadata.
        assert!(ssim(done.file(), &source) > 0.9, "{turn}: {}", ssim(done.file(), &source));
        assert_eq!(
            (done.output()["Width"].as_i64(), done.output()["Height"].as_i64()),
            (Some(size.0), Some(size.1))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wide_pixels_come_out_square() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = film("testsrc2=s=320x360:r=25,setsar=2/1", &[]);
    let done =
        bench.one(&source, raw("square", &json!({"Height": 360, "ResolutionAdaptive": "close"}))).await;
    let seen = probe(done.file());
    assert_eq!(seen.size(), (640, 360));
    assert_eq!(seen.video()["sample_aspect_ratio"], "1:1");
    let wide = bench
        .one(&source, raw("wide", &json!({"Height": 360, "ResolutionAdaptive": "close", "Sar": "2:1"})))
        .await;
    let seen = probe(wide.file());
    assert_eq!(seen.video()["sample_aspect_ratio"], "2:1");
    assert_eq!(seen.video()["display_aspect_ratio"], "16:9");
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_become_whole_frames() {
    tools_or_return!();
    let bench = Bench::start().await;
    let graph = "testsrc2=s=640x480:r=50,tinterlace=interleave_top,setfield=tff";
    let source = made::film(
        "ts",
        &[
            "-f",
            "lavfi",
            "-i",
            graph,
            "-t",
            "3",
            "-c:v",
            "mpeg2video",
            "-b:v",
            "6M",
            "-flags",
            "+ilme+ildct",
            "-pix_fmt",
            "yuv420p",
        ],
    );
    assert!(is_interlaced(&source), "the source of this test has no fields");
    let done = bench.one(&source, raw("whole", &json!({"Fps": 0}))).await;
    assert!(!is_interlaced(done.file()));
    assert_eq!(probe(done.file()).video()["field_order"], "progressive");
    assert_eq!(probe(done.file()).video()["avg_frame_rate"], "25/1");
    decode(done.file()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wide_dynamic_range_becomes_what_8_bits_can_show() {
    tools_or_return!();
    let bench = Bench::start().await;
    let colours = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:log-level=none";
    let words = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=320x180:r=25:d=2,format=yuv420p10le",
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        colours,
        "-color_primaries",
        "bt2020",
        "-color_trc",
        "smpte2084",
        "-colorspace",
        "bt2020nc",
        "-tag:v",
        "hvc1",
    ];
    let source = made::film("mp4", &words);
    let all = bench
        .transcode(
            &source,
            &[raw("narrow", &json!({})), raw("kept", &json!({"Codec": "h265", "BitDepth": 10}))],
        )
        .await;
    let narrow = probe(all[0].file());
    assert_eq!(narrow.video()["pix_fmt"], "yuv420p");
    assert_eq!(narrow.video()["color_transfer"], "bt709");
    assert_eq!(narrow.video()["color_primaries"], "bt709");
    assert_eq!(all[0].output()["VideoStreamSet"][0]["HdrType"], "sdr");
    let kept = probe(all[1].file());
    assert_eq!(kept.video()["pix_fmt"], "yuv420p10le");
    assert_eq!(kept.video()["color_transfer"], "smpte2084");
    assert!(psnr(all[1].file(), &source) > 30.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_sizes_lose_a_line_and_nothing_else() {
    tools_or_return!();
    let bench = Bench::start().await;
    let graph = "testsrc2=s=321x181:r=25";
    let words = [
        "-f", "lavfi", "-i", graph, "-t", "2", "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt",
        "yuv444p",
    ];
    let source = made::film("mkv", &words);
    let done = bench.one(&source, raw("even", &json!({}))).await;
    assert_eq!(probe(done.file()).size(), (320, 180));
    assert_eq!(probe(done.file()).video()["pix_fmt"], "yuv420p");
    decode(done.file()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn three_presets_make_three_sizes() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = made::clip(1920, 1080, "30", seconds(2));
    let items: Vec<Value> = [100_010, 100_020, 100_030].iter().map(|id| json!({"Definition": id})).collect();
    let all = bench.transcode(&source, &items).await;
    let stem = source.file_stem().and_then(|stem| stem.to_str()).expect("a name");
    let wanted = [("100010", (640, 360)), ("100020", (960, 540)), ("100030", (1280, 720))];
    let mut before = 0.0;
    for (done, (id, size)) in all.iter().zip(wanted) {
        assert_eq!(probe(done.file()).size(), size);
        let path = done.output()["Path"].as_str().unwrap_or_default();
        assert!(path.ends_with(&format!("/{stem}_transcode_{id}.mp4")), "{path}");
        decode(done.file()).unwrap();
        let rate = probe(done.file()).bitrate();
        assert!(rate > before, "{id} has {rate}, less than the one before");
        before = rate;
    }
}
