//! Watermarks: pictures, words and drawings over videos and pictures (WM-01 to WM-06, WM-08).

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mps_e2e::{Bench, Done};
use mps_testkit::compare::{frame, patch};
use mps_testkit::made;
use serde_json::{Value, json};

use crate::tools_or_return;

pub(crate) const GREY: [f64; 3] = [128.0, 128.0, 128.0];
pub(crate) const RED: [f64; 3] = [255.0, 0.0, 0.0];
const BLUE: [f64; 3] = [0.0, 0.0, 255.0];

/// Ten grey seconds of this size.
pub(crate) fn grey(size: &str) -> PathBuf {
    let picture = format!("color=c=0x808080:s={size}:r=25:d=10,format=yuv420p");
    let words =
        ["-f", "lavfi", "-i", &picture, "-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-g", "25"];
    made::film("mp4", &words)
}

/// A plain picture.
fn plain(extension: &str, colour: &str, size: &str) -> PathBuf {
    let picture = format!("color=c={colour}:s={size}:d=1:r=1,format=rgba");
    made::film(extension, &["-f", "lavfi", "-i", &picture, "-frames:v", "1", "-update", "1"])
}

/// One second of red and one of blue.
fn moving() -> PathBuf {
    let graph =
        "color=c=red:s=40x20:d=1:r=5[a];color=c=blue:s=40x20:d=1:r=5[b];[a][b]concat,format=rgba[out]";
    made::film("apng", &["-filter_complex", graph, "-map", "[out]", "-plays", "1", "-f", "apng"])
}

fn base64(path: &Path) -> String {
    STANDARD.encode(std::fs::read(path).expect("a picture"))
}

async fn watermark(bench: &Bench, body: Value) -> i64 {
    bench.server.ok("CreateWatermarkTemplate", &body).await["Definition"].as_i64().expect("a number")
}

async fn image(bench: &Bench, picture: &Path, body: Value) -> i64 {
    let mut body = body;
    body["Type"] = json!("image");
    body["ImageTemplate"]["ImageContent"] = json!(base64(picture));
    watermark(bench, body).await
}

/// A transcode whose colours can be measured, with these watermarks.
fn item(size: (u32, u32), marks: &Value) -> Value {
    let video = json!({
        "Codec": "h264", "Width": size.0, "Height": size.1, "Fps": 0, "Bitrate": 0, "Vcrf": 10,
    });
    let raw = json!({"Container": "mp4", "RemoveAudio": 1, "VideoTemplate": video});
    json!({"Definition": 0, "RawParameter": raw, "WatermarkSet": marks})
}

async fn marked(bench: &Bench, source: &Path, marks: Value) -> Done {
    let done = bench.transcode(source, &[item((640, 360), &marks)]).await.remove(0);
    assert_eq!(done.result["Status"], "SUCCESS", "{:#}", done.result);
    done
}

/// Whether the patch around (`x`, `y`) of the frame at `at_s` is plain and of this colour.
pub(crate) fn is(file: &Path, at_s: f64, (x, y): (i64, i64), colour: [f64; 3]) -> bool {
    patch(file, at_s, (x - 4, y - 4, 8, 8)).is_plain(colour)
}

/// The box of everything that differs from the grey of the frame: left, top, width, height.
pub(crate) fn seen(file: &Path, at_s: f64) -> Option<[usize; 4]> {
    let (width, _, pixels) = frame(file, at_s);
    let (mut left, mut top, mut right, mut bottom) = (usize::MAX, usize::MAX, 0, 0);
    for (nth, pixel) in pixels.chunks_exact(3).enumerate() {
        if pixel.iter().any(|value| value.abs_diff(128) > 40) {
            let (x, y) = (nth % width, nth / width);
            (left, top) = (left.min(x), top.min(y));
            (right, bottom) = (right.max(x + 1), bottom.max(y + 1));
        }
    }
    (right > 0).then(|| [left, top, right - left, bottom - top])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_lies_where_its_template_says() {
    tools_or_return!();
    let bench = Bench::start().await;
    let (source, red, blue) = (grey("640x360"), plain("png", "red", "80x40"), plain("jpg", "blue", "60x60"));
    let usual = image(&bench, &red, json!({})).await;
    let right = json!({"CoordinateOrigin": "TopRight", "XPos": "20px", "YPos": "10%", "ImageTemplate": {"Width": "100px"}});
    let right = image(&bench, &red, right).await;
    let bottom = json!({"CoordinateOrigin": "BottomLeft", "XPos": "5%", "YPos": "20px",
        "ImageTemplate": {"Width": "50px", "Height": "20%"}});
    let bottom = image(&bench, &blue, bottom).await;
    let corner = json!({"CoordinateOrigin": "BottomRight", "ImageTemplate": {"Height": "10%"}});
    let corner = image(&bench, &blue, corner).await;

    let marks = [usual, right, bottom, corner].map(|id| json!({"Definition": id}));
    let done = marked(&bench, &source, json!(marks)).await;
    let file = done.file();
    // 10 % of the width by the picture's shape; 100 by 50 from the right; 50 by 72 from below; 36 by 36 in the corner.
    for (inside, outside, colour) in [
        ((5, 5), (70, 5), RED),
        ((59, 27), (59, 38), RED),
        ((525, 41), (514, 41), RED),
        ((615, 81), (625, 81), RED),
        ((37, 273), (37, 262), BLUE),
        ((77, 335), (77, 346), BLUE),
        ((609, 329), (598, 329), BLUE),
        ((635, 355), (609, 318), BLUE),
    ] {
        assert!(
            is(file, 5.0, inside, colour),
            "{inside:?}: {:?}",
            patch(file, 5.0, (inside.0, inside.1, 2, 2))
        );
        assert!(is(file, 5.0, outside, GREY), "{outside:?}");
    }
    // A source of another size has the same picture at the same part of the frame; the last one lies on top.
    let done = bench
        .transcode(&source, &[item((1280, 720), &json!([{"Definition": usual}, {"Definition": bottom}]))])
        .await
        .remove(0);
    assert!(is(done.file(), 0.0, (120, 56), RED) && is(done.file(), 0.0, (136, 56), GREY));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watermark_is_seen_for_its_time_only() {
    tools_or_return!();
    let bench = Bench::start().await;
    let (source, red, moving) = (grey("640x360"), plain("png", "red", "80x40"), moving());
    let still = image(&bench, &red, json!({})).await;
    let of = |more: Value| {
        let mut mark = json!({"Definition": still});
        mark.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        mark
    };
    for (mark, seen, unseen) in [
        (of(json!({"StartTimeOffset": 2, "EndTimeOffset": 4})), [2.1, 3.8], [1.8, 4.1]),
        (of(json!({"StartTimeOffset": -5})), [5.1, 9.8], [0.0, 4.8]),
        (of(json!({"EndTimeOffset": -8})), [0.0, 1.8], [2.1, 9.8]),
    ] {
        let done = marked(&bench, &source, json!([mark])).await;
        for at_s in seen {
            assert!(is(done.file(), at_s, (30, 16), RED), "{mark} at {at_s}");
        }
        for at_s in unseen {
            assert!(is(done.file(), at_s, (30, 16), GREY), "{mark} at {at_s}");
        }
    }
    for (repeat, colours) in [
        ("once", [RED, BLUE, GREY, GREY]),
        ("repeat_last_frame", [RED, BLUE, BLUE, BLUE]),
        ("repeat", [RED, BLUE, RED, BLUE]),
    ] {
        let id = image(&bench, &moving, json!({"ImageTemplate": {"RepeatType": repeat}})).await;
        let done = marked(&bench, &source, json!([{"Definition": id}])).await;
        for (at_s, colour) in [0.5, 1.5, 2.5, 3.5].into_iter().zip(colours) {
            assert!(is(done.file(), at_s, (30, 16), colour), "{repeat} at {at_s}");
        }
    }
    // Of a clip, time counts from its own beginning and end.
    let mut clip = item((640, 360), &json!([of(json!({"StartTimeOffset": 1, "EndTimeOffset": -1}))]));
    clip["StartTimeOffset"] = json!(3);
    clip["EndTimeOffset"] = json!(7);
    let done = bench.transcode(&source, &[clip]).await.remove(0);
    for (at_s, colour) in [(0.8, GREY), (1.2, RED), (2.8, RED), (3.2, GREY)] {
        assert!(is(done.file(), at_s, (30, 16), colour), "at {at_s}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_written_in_their_size_and_script() {
    tools_or_return!();
    if !Path::new("/usr/share/fonts/opentype/noto").is_dir() {
        return;
    }
    let bench = Bench::start().await;
    let source = grey("640x360");
    let template = |size: &str, origin: &str| {
        json!({"Type": "text", "CoordinateOrigin": origin, "XPos": "20px", "YPos": "30px", "TextTemplate": {
            "FontType": "simkai.ttf", "FontSize": size, "FontColor": "0xFF0000", "FontAlpha": 1.0,
            "TextContent": "Live",
        }})
    };
    let mut heights = Vec::new();
    for size in ["40px", "80px"] {
        let id = watermark(&bench, template(size, "TopLeft")).await;
        let done = marked(&bench, &source, json!([{"Definition": id}])).await;
        let [left, top, width, height] = seen(done.file(), 5.0).expect("words");
        assert!(
            (18..30).contains(&left) && (28..60).contains(&top) && width > height,
            "{left} {top} {width} {height}"
        );
        heights.push(height as f64);
    }
    assert!((heights[1] / heights[0] - 2.0).abs() < 0.2, "{heights:?}");
    let id = watermark(&bench, template("0.2px", "BottomRight")).await;
    let done = marked(&bench, &source, json!([{"Definition": id, "TextContent": "M"}])).await;
    let [left, top, width, height] = seen(done.file(), 5.0).expect("words");
    assert!(
        (608..=621).contains(&(left + width)) && (300..=331).contains(&(top + height)),
        "{left} {top} {width} {height}"
    );

    // What a font lacks is drawn as empty boxes, which are all alike.
    let mut pictures = Vec::new();
    for text in ["直播", "回放", "Прямой", "Записи", "方", "%{localtime}:'x'"] {
        let id = watermark(&bench, template("60px", "TopLeft")).await;
        let done = marked(&bench, &source, json!([{"Definition": id, "TextContent": text}])).await;
        pictures.push(seen(done.file(), 5.0).map(|seen| (seen, done.file().to_owned())).expect("words"));
    }
    for (one, other) in [(0, 1), (2, 3)] {
        let likeness = mps_testkit::compare::ssim(&pictures[one].1, &pictures[other].1);
        assert!(likeness < 0.99, "{likeness}");
    }
    let one_character = pictures[4].0[2];
    assert!(pictures[0].0[2] > one_character * 3 / 2 && one_character > 40, "{one_character}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drawing_is_measured_by_the_side_it_names() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = grey("640x360");
    let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50" width="100" height="50" preserveAspectRatio="none">
        <rect width="100" height="50" fill="#0000ff"/></svg>"##;
    for ((width, height), expected) in [
        (("10W%", "0px"), [64, 32]),
        (("10H%", "0px"), [36, 18]),
        (("20S%", "0px"), [72, 36]),
        (("0px", "10L%"), [128, 64]),
        (("120px", "40px"), [120, 40]),
        (("0px", "0px"), [100, 50]),
    ] {
        let body = json!({"Type": "svg", "CoordinateOrigin": "TopRight", "XPos": "10px", "YPos": "10px",
            "SvgTemplate": {"Width": width, "Height": height}});
        let id = watermark(&bench, body).await;
        let done = marked(&bench, &source, json!([{"Definition": id, "SvgContent": svg}])).await;
        let [left, top, wide, high] = seen(done.file(), 5.0).expect("a drawing");
        assert!(
            wide.abs_diff(expected[0]) <= 2 && high.abs_diff(expected[1]) <= 2,
            "{width} {height}: {wide} {high}"
        );
        assert!((left + wide).abs_diff(630) <= 2 && top.abs_diff(10) <= 2, "{left} {top} {wide} {high}");
        let middle = ((left + wide / 2) as i64, (top + high / 2) as i64);
        assert!(is(done.file(), 5.0, middle, BLUE));
    }
    // Half-seen white over grey is lighter, and no dark rim comes of it.
    let veil = r##"<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50">
        <rect width="100" height="50" fill="#ffffff" fill-opacity="0.5"/></svg>"##;
    let id =
        watermark(&bench, json!({"Type": "svg", "SvgTemplate": {"Width": "0px", "Height": "0px"}})).await;
    let done = marked(&bench, &source, json!([{"Definition": id, "SvgContent": veil}])).await;
    assert!(is(done.file(), 5.0, (50, 25), [191.0; 3]), "{:?}", patch(done.file(), 5.0, (40, 20, 8, 8)));
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_out_of_a_video_carry_watermarks_of_pictures() {
    tools_or_return!();
    let bench = Bench::start().await;
    let (source, red) = (grey("640x360"), plain("png", "red", "80x40"));
    let mark = image(&bench, &red, json!({"CoordinateOrigin": "BottomRight"})).await;
    let text = json!({"Type": "text", "TextTemplate": {
        "FontType": "arial.ttf", "FontSize": "40px", "FontColor": "0xFF0000", "FontAlpha": 1, "TextContent": "x"}});
    let text = watermark(&bench, text).await;
    let template = bench.server.ok("CreateSnapshotByTimeOffsetTemplate", &json!({"Format": "png"})).await;
    let at_times = json!({"Definition": template["Definition"], "ExtTimeOffsetSet": ["1s", "5s", "9s"],
        "WatermarkSet": [{"Definition": mark}]});
    let template = json!({"SampleType": "Time", "SampleInterval": 3, "Format": "jpg"});
    let template = bench.server.ok("CreateSampleSnapshotTemplate", &template).await;
    let sample = json!({"Definition": template["Definition"], "WatermarkSet": [{"Definition": mark}]});
    let lists = json!({"SnapshotByTimeOffsetTaskSet": [at_times], "SampleSnapshotTaskSet": [sample]});
    let detail = bench.media(&source, &lists).await;
    let results = detail["WorkflowTask"]["MediaProcessResultSet"].as_array().expect("results");
    let at_times = &results[0]["SnapshotByTimeOffsetTask"]["Output"]["PicInfoSet"];
    let mut paths: Vec<&str> = Vec::new();
    for picture in at_times.as_array().expect("pictures") {
        assert_eq!(picture["WaterMarkDefinition"], json!([mark]));
        paths.extend(picture["Path"].as_str());
    }
    let sample = &results[1]["SampleSnapshotTask"]["Output"];
    assert_eq!(sample["WaterMarkDefinition"], json!([mark]));
    paths.extend(sample["ImagePathSet"].as_array().expect("pictures").iter().filter_map(Value::as_str));
    assert_eq!(paths.len(), 7, "{detail:#}");
    for path in paths {
        let file = bench.fetch(path).await;
        assert!(is(&file, 0.0, (634, 354), RED) && is(&file, 0.0, (582, 334), RED), "{path}");
        assert!(is(&file, 0.0, (570, 334), GREY) && is(&file, 0.0, (600, 322), GREY), "{path}");
    }
    let refused = json!({
        "InputInfo": {"Type": "URL", "UrlInputInfo": {"Url": bench.web.url("x.mp4")}},
        "OutputStorage": mps_e2e::storage(),
        "MediaProcessTask": {"SampleSnapshotTaskSet": [{"Definition": 10, "WatermarkSet": [{"Definition": text}]}]},
    });
    let error = bench.server.call("ProcessMedia", &refused).await.expect_err("refused");
    assert_eq!(error.code, "InvalidParameterValue", "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_of_the_callers_own_is_fetched_and_a_bad_one_is_told() {
    tools_or_return!();
    let bench = Bench::start().await;
    let (source, red) = (grey("640x360"), plain("png", "red", "80x40"));
    let raw = |url: &str| {
        let picture = json!({"Type": "URL", "UrlInputInfo": {"Url": url}});
        let image = json!({"ImageContent": picture, "Width": "80px"});
        json!({"Definition": 0, "RawParameter": {"Type": "image", "XPos": "100px", "ImageTemplate": image}})
    };
    let good = raw(&bench.web.offer("mark.png", &red));
    let done = marked(&bench, &source, json!([good])).await;
    assert!(is(done.file(), 5.0, (140, 20), RED) && is(done.file(), 5.0, (90, 20), GREY));

    let whole = std::fs::read(&red).expect("a picture");
    let broken = raw(&bench.web.offer_bytes("broken.png", &whole[..whole.len() / 2]));
    let missing = raw(&bench.web.url("nowhere.png"));
    let drawing = watermark(&bench, json!({"Type": "svg", "SvgTemplate": {}})).await;
    let bomb = {
        let doubled: Vec<String> =
            (1..30).map(|n| format!("<!ENTITY e{n} \"&e{0};&e{0};\">", n - 1)).collect();
        format!(
            "<!DOCTYPE svg [<!ENTITY e0 \"<rect width='1' height='1'/>\">{}]>\
             <svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\">&e29;</svg>",
            doubled.concat()
        )
    };
    let items = [
        item((640, 360), &json!([good, broken])),
        item((640, 360), &json!([missing])),
        item((640, 360), &json!([{"Definition": drawing, "SvgContent": "this is no drawing"}])),
        item((640, 360), &json!([{"Definition": drawing, "SvgContent": bomb}])),
        item((640, 360), &json!([good])),
    ];
    let done = bench.transcode(&source, &items).await;
    for (nth, (member, code)) in [
        ("WatermarkSet.1", 40_000),
        ("WatermarkSet.0", 40_000),
        ("WatermarkSet.0", 40_000),
        ("WatermarkSet.0", 40_000),
    ]
    .into_iter()
    .enumerate()
    {
        let result = &done[nth].result;
        assert_eq!(result["Status"], "FAIL", "{result:#}");
        assert_eq!(result["ErrCode"], code, "{result:#}");
        assert!(result["Message"].as_str().is_some_and(|told| told.contains(member)), "{result:#}");
    }
    assert_eq!(done[4].result["Status"], "SUCCESS", "{:#}", done[4].result);
}
