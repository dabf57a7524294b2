//! Pictures out of a video: moments, distances, sheets, animations (SNAP-01 to SNAP-08).

use std::path::{Path, PathBuf};

use mps_e2e::{Bench, SOON};
use mps_testkit::compare::{frame_times, patch, probe, ssim};
use mps_testkit::made;
use serde_json::{Value, json};

use crate::{number, seconds, tools_or_return};

/// Eight seconds at 25 fps whose brightness tells the number of the frame, with B-frames and no loss.
fn counted(extension: &str, more: &[&str]) -> PathBuf {
    let mut words = vec![
        "-f",
        "lavfi",
        "-i",
        "color=c=black:s=160x90:r=25:d=8,geq=lum='16+N':cb=128:cr=128",
        "-f",
        "lavfi",
        "-i",
        "sine=f=440:r=48000:d=8",
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

/// Two minutes at 10 fps whose brightness tells the second.
fn long() -> PathBuf {
    let words = [
        "-f",
        "lavfi",
        "-i",
        "color=c=black:s=160x90:r=10:d=120,geq=lum='16+floor(T)':cb=128:cr=128",
        "-c:v",
        "libx264",
        "-preset",
        "fast",
        "-qp",
        "0",
        "-g",
        "50",
        "-pix_fmt",
        "yuv420p",
    ];
    made::film("mp4", &words)
}

/// What the luma of a plain patch counts.
fn count_at(picture: &Path, (x, y): (i64, i64), at_s: f64) -> i64 {
    let seen = patch(picture, at_s, (x, y, 16, 16));
    assert!(seen.spread < 1.0, "{} is not plain: {seen:?}", picture.display());
    (seen.mean[1] * 219.0 / 255.0).round() as i64
}

fn count(picture: &Path) -> i64 {
    count_at(picture, (40, 30), 0.0)
}

/// The members of `member` in a task's results, which must all have succeeded.
async fn outputs(bench: &Bench, source: &Path, lists: Value, member: &str) -> Vec<Value> {
    let detail = bench.media(source, &lists).await;
    let set = detail["WorkflowTask"]["MediaProcessResultSet"].as_array().cloned().unwrap_or_default();
    set.iter()
        .filter(|result| !result[member].is_null())
        .map(|result| {
            assert_eq!(result[member]["Status"], "SUCCESS", "{result:#}");
            assert_ne!(result[member]["FinishTime"], "0000-00-00T00:00:00Z", "{result:#}");
            result[member]["Output"].clone()
        })
        .collect()
}

async fn files(bench: &Bench, paths: &Value) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in paths.as_array().into_iter().flatten() {
        files.push(bench.fetch(path.as_str().expect("a path")).await);
    }
    files
}

async fn template(bench: &Bench, action: &str, body: Value) -> i64 {
    bench.server.ok(action, &body).await["Definition"].as_i64().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_gives_the_frame_that_is_shown_then() {
    tools_or_return!();
    let bench = Bench::start().await;
    let png = template(&bench, "CreateSnapshotByTimeOffsetTemplate", json!({"Format": "png"})).await;
    let moments = ["0s", "0.039s", "0.1s", "3.5s", "3.519s", "50%", "7.9s", "100%", "99s"];
    let gap = "select='not(between(n,50,149)*mod(n,2))'";
    for (extension, more) in [
        ("mp4", &[][..]),
        ("mkv", &[]),
        ("ts", &["-muxdelay", "0"]),
        ("flv", &[]),
        // Half the frames are missing in the middle, each one left is shown for longer.
        ("mp4", &["-vf", gap, "-fps_mode", "vfr"]),
    ] {
        let source = counted(extension, more);
        let item = json!({"Definition": png, "ExtTimeOffsetSet": moments, "TimeOffsetSet": [1.2]});
        let lists = json!({"SnapshotByTimeOffsetTaskSet": [item]});
        let output = outputs(&bench, &source, lists, "SnapshotByTimeOffsetTask").await.remove(0);
        let told = output["PicInfoSet"].as_array().expect("pictures");
        // The moment behind the end has none.
        assert_eq!(told.len(), moments.len(), "{extension}: {output:#}");
        let seen = probe(&source);
        let start: f64 =
            seen.format()["start_time"].as_str().and_then(|text| text.parse().ok()).expect("a start");
        let shown: Vec<i64> =
            (0..200).filter(|n| !more.contains(&gap) || !(50..150).contains(n) || n % 2 == 0).collect();
        let times = frame_times(&source, "v:0");
        assert_eq!(times.len(), shown.len(), "{extension}");
        let begun_by = |at_s: f64| times.iter().filter(|time| **time - start <= at_s + 0.0006).count().max(1);
        let asked = [0.0, 0.039, 0.1, 3.5, 3.519, seen.duration_s() / 2.0, 7.9, seen.duration_s(), 1.2];
        for (nth, (picture, at_s)) in told.iter().zip(asked).enumerate() {
            let path = picture["Path"].as_str().expect("a path");
            assert!(path.ends_with(&format!("_snapshotByTimeOffset_{png}_{nth}.png")), "{path}");
            assert!((number(&picture["TimeOffset"]) - at_s).abs() < 0.05, "{output:#}");
            let seen = count(&bench.fetch(path).await);
            assert_eq!(seen, shown[begun_by(at_s) - 1], "{extension}: the moment {at_s}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_at_even_distances_begin_with_the_first_frame() {
    tools_or_return!();
    let bench = Bench::start().await;
    let every_2 = json!({"SampleType": "Time", "SampleInterval": 2, "Format": "png"});
    let every_2 = template(&bench, "CreateSampleSnapshotTemplate", every_2).await;
    let tenths =
        json!({"SampleType": "Percent", "SampleInterval": 10, "Format": "webp", "Width": 320, "Height": 180});
    let tenths = template(&bench, "CreateSampleSnapshotTemplate", tenths).await;
    let lists = json!({"SampleSnapshotTaskSet": [{"Definition": every_2}, {"Definition": tenths}, {"Definition": 10}]});
    let mut done = outputs(&bench, &counted("mp4", &[]), lists, "SampleSnapshotTask").await.into_iter();

    let seconds = done.next().expect("by time");
    assert_eq!((&seconds["SampleType"], &seconds["Interval"]), (&json!("Time"), &json!(2)));
    let seen: Vec<i64> =
        files(&bench, &seconds["ImagePathSet"]).await.iter().map(|file| count(file)).collect();
    assert_eq!(seen, [0, 50, 100, 150]);

    let tenths = done.next().expect("by parts");
    let pictures = files(&bench, &tenths["ImagePathSet"]).await;
    let seen: Vec<i64> = pictures.iter().map(|file| count(file)).collect();
    assert_eq!(seen.len(), 10);
    for (nth, seen) in seen.iter().enumerate() {
        assert!((seen - 20 * nth as i64).abs() <= 1, "picture {nth} shows frame {seen}");
    }
    assert_eq!(probe(&pictures[0]).video_codec(), "webp");

    let preset = done.next().expect("by the preset");
    let pictures = files(&bench, &preset["ImagePathSet"]).await;
    assert_eq!(pictures.len(), 10);
    assert!(pictures[9].to_string_lossy().ends_with("_sampleSnapshot_10_9.jpg"), "{pictures:?}");
    assert_eq!((probe(&pictures[9]).video_codec(), probe(&pictures[9]).size()), ("mjpeg", (160, 90)));
}

#[tokio::test(flavor = "multi_thread")]
async fn distant_pictures_of_a_long_source_are_as_exact() {
    tools_or_return!();
    let bench = Bench::start().await;
    let tenths = json!({"SampleType": "Percent", "SampleInterval": 10, "Format": "png"});
    let tenths = template(&bench, "CreateSampleSnapshotTemplate", tenths).await;
    let cells = json!({"SampleType": "Time", "SampleInterval": 15, "RowCount": 2, "ColumnCount": 3, "Width": 256,
        "Height": 144, "Format": "png"});
    let cells = template(&bench, "CreateImageSpriteTemplate", cells).await;
    let lists = json!({"SampleSnapshotTaskSet": [{"Definition": tenths}], "ImageSpriteTaskSet": [{"Definition": cells}]});
    let detail = bench.media(&long(), &lists).await;
    let set = &detail["WorkflowTask"]["MediaProcessResultSet"];
    let pictures = files(&bench, &set[0]["SampleSnapshotTask"]["Output"]["ImagePathSet"]).await;
    let seen: Vec<i64> = pictures.iter().map(|file| count(file)).collect();
    assert_eq!(seen, [0, 12, 24, 36, 48, 60, 72, 84, 96, 108], "{detail:#}");

    let output = &set[1]["ImageSpriteTask"]["Output"];
    let sheets = files(&bench, &output["ImagePathSet"]).await;
    assert_eq!(sheets.len(), 2, "{detail:#}");
    let seen: Vec<i64> = (0..8_i64)
        .map(|nth| {
            let (sheet, cell) = (&sheets[nth as usize / 6], nth % 6);
            count_at(sheet, (cell % 3 * 256 + 60, cell / 3 * 144 + 50), 0.0)
        })
        .collect();
    assert_eq!(seen, [0, 15, 30, 45, 60, 75, 90, 105]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sprite_and_its_index_agree() {
    tools_or_return!();
    let bench = Bench::start().await;
    let lists = json!({"ImageSpriteTaskSet": [{"Definition": 10}]});
    let output = outputs(&bench, &long(), lists, "ImageSpriteTask").await.remove(0);
    assert_eq!(
        (&output["Width"], &output["Height"], &output["TotalCount"]),
        (&json!(142), &json!(80), &json!(100))
    );
    let sheets = files(&bench, &output["ImagePathSet"]).await;
    assert_eq!(sheets.len(), 1);
    assert_eq!(probe(&sheets[0]).size(), (1420, 800));
    let index = output["WebVttPath"].as_str().expect("an index");
    assert!(index.ends_with("_imageSprite_10.vtt"), "{index}");
    let text = std::fs::read_to_string(bench.fetch(index).await).expect("an index is text");
    assert!(text.starts_with("WEBVTT\n\n00:00:00.000 --> 00:00:10.000\n"), "{text}");

    let sheet = sheets[0].file_name().and_then(|name| name.to_str()).expect("a name");
    let mut cells = 0;
    for cue in text.split("\n\n").skip(1) {
        let (times, address) = cue.trim().split_once('\n').expect("a cue of two lines");
        let second: i64 = times[6..8].parse::<i64>().unwrap() + 60 * times[3..5].parse::<i64>().unwrap();
        let place = address.strip_prefix(&format!("{sheet}#xywh=")).unwrap_or_else(|| panic!("{address}"));
        let place: Vec<i64> = place.split(',').map(|number| number.parse().unwrap()).collect();
        assert_eq!(place[2..], [142, 80]);
        let seen = count_at(&sheets[0], (place[0] + 60, place[1] + 30), 0.0);
        assert!((seen - second).abs() <= 1, "{cue} shows second {seen}");
        cells += 1;
    }
    assert_eq!(cells, 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_animation_shows_its_stretch_at_its_rate() {
    tools_or_return!();
    let bench = Bench::start().await;
    let gif = template(&bench, "CreateAnimatedGraphicsTemplate", json!({"Fps": 10, "Format": "gif"})).await;
    let webp = json!({"Fps": 5, "Format": "webp", "Width": 320, "Height": 0, "ResolutionAdaptive": "close"});
    let webp = template(&bench, "CreateAnimatedGraphicsTemplate", webp).await;
    let item =
        |definition: i64| json!({"Definition": definition, "StartTimeOffset": 1.5, "EndTimeOffset": 4.5});
    let lists = json!({"AnimatedGraphicTaskSet": [item(gif), item(webp)]});
    let done = outputs(&bench, &counted("mp4", &[]), lists, "AnimatedGraphicTask").await;

    let file = bench.fetch(done[0]["Path"].as_str().expect("a path")).await;
    assert_eq!((&done[0]["StartTimeOffset"], &done[0]["EndTimeOffset"]), (&json!(1.5), &json!(4.5)));
    assert_eq!(done[0]["Size"].as_u64(), Some(std::fs::metadata(&file).unwrap().len()));
    let seen = probe(&file);
    assert_eq!((seen.video_codec(), seen.size()), ("gif", (160, 90)));
    assert!((seen.duration_s() - 3.0).abs() < 0.02, "{} s", seen.duration_s());
    assert_eq!(frame_times(&file, "v:0").len(), 30);
    for (at_s, frame) in [(0.0, 37), (1.0, 62), (2.0, 87)] {
        let seen = count_at(&file, (40, 30), at_s);
        assert!((seen - frame).abs() <= 2, "at {at_s} s the frame {seen}");
    }

    // The encoder makes one frame of those that look alike; the length stays.
    let bytes = std::fs::read(bench.fetch(done[1]["Path"].as_str().expect("a path")).await).expect("bytes");
    let frames: Vec<usize> = (0..bytes.len() - 24).filter(|at| &bytes[*at..at + 4] == b"ANMF").collect();
    let length = |at: &usize| u32::from_le_bytes([bytes[at + 20], bytes[at + 21], bytes[at + 22], 0]);
    assert_eq!(&bytes[8..12], b"WEBP");
    assert!((10..=15).contains(&frames.len()), "{} frames", frames.len());
    assert_eq!(frames.iter().map(length).sum::<u32>(), 3000);
    assert_eq!((&done[1]["Width"], &done[1]["Height"]), (&json!(320), &json!(180)));
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_have_the_colours_of_the_video() {
    tools_or_return!();
    let bench = Bench::start().await;
    // An orange, as HD video stores it.
    let orange = "color=c=0xC87828:s=1280x720:r=25:d=1,format=gbrp,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p";
    let tags =
        ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"];
    let mut words = vec!["-f", "lavfi", "-i", orange, "-c:v", "libx264", "-qp", "0"];
    words.extend(tags);
    let source = made::film("mp4", &words);
    let mut lists = json!({"SnapshotByTimeOffsetTaskSet": []});
    for format in ["jpg", "png", "webp"] {
        let body = json!({"Format": format, "Width": 640, "Height": 360});
        let id = template(&bench, "CreateSnapshotByTimeOffsetTemplate", body).await;
        let item = json!({"Definition": id, "ExtTimeOffsetSet": ["0s"]});
        lists["SnapshotByTimeOffsetTaskSet"].as_array_mut().expect("a list").push(item);
    }
    for output in outputs(&bench, &source, lists, "SnapshotByTimeOffsetTask").await {
        let picture = bench.fetch(output["PicInfoSet"][0]["Path"].as_str().expect("a path")).await;
        if picture.extension().is_some_and(|extension| extension == "jpg") {
            assert_eq!(probe(&picture).size(), (640, 360));
        }
        let seen = patch(&picture, 0.0, (600, 320, 40, 40));
        for (seen, wanted) in seen.mean.iter().zip([200.0, 120.0, 40.0]) {
            assert!((seen - wanted).abs() < 4.0, "{}: {seen} for {wanted}", picture.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_without_an_index_are_exact_too() {
    tools_or_return!();
    let bench = Bench::start().await;
    let png = template(&bench, "CreateSnapshotByTimeOffsetTemplate", json!({"Format": "png"})).await;
    // Key frames lie 12.5 s apart, and the pictures end at 8 s while the sound goes on.
    let rare = made::film(
        "ts",
        &[
            "-f",
            "lavfi",
            "-i",
            "color=c=black:s=160x90:r=20:d=19,geq=lum='16+floor(T*10)':cb=128:cr=128",
            "-c:v",
            "libx264",
            "-qp",
            "0",
            "-g",
            "250",
            "-sc_threshold",
            "0",
            "-pix_fmt",
            "yuv420p",
            "-muxdelay",
            "0",
        ],
    );
    let long_sound = made::film(
        "ts",
        &[
            "-f",
            "lavfi",
            "-i",
            "color=c=black:s=160x90:r=25:d=8,geq=lum='16+floor(T*10)':cb=128:cr=128",
            "-f",
            "lavfi",
            "-i",
            "sine=f=440:d=20",
            "-c:v",
            "libx264",
            "-qp",
            "0",
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "aac",
            "-muxdelay",
            "0",
        ],
    );
    for (source, moments, tenths) in
        [(rare, json!(["12s", "18s"]), [120, 180]), (long_sound, json!(["4s", "15s"]), [40, 79])]
    {
        let lists =
            json!({"SnapshotByTimeOffsetTaskSet": [{"Definition": png, "ExtTimeOffsetSet": moments}]});
        let output = outputs(&bench, &source, lists, "SnapshotByTimeOffsetTask").await.remove(0);
        for (nth, wanted) in tenths.into_iter().enumerate() {
            let path = output["PicInfoSet"][nth]["Path"].as_str().expect("a path");
            let seen = count(&bench.fetch(path).await);
            assert!((seen - wanted).abs() <= 1, "{moments}: picture {nth} shows {seen}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_of_another_size_in_the_middle_changes_nothing() {
    tools_or_return!();
    let bench = Bench::start().await;
    let half = |size: &str, from: u32| {
        let graph = format!("color=c=black:s={size}:r=25:d=4,geq=lum='{from}+4*floor(T)':cb=128:cr=128");
        made::film("ts", &["-f", "lavfi", "-i", &graph, "-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv420p"])
    };
    let (small, large) = (half("160x90", 32), half("320x180", 48));
    let list = format!("concat:{}|{}", small.display(), large.display());
    let both = made::film("ts", &["-i", &list, "-c", "copy"]);
    let every = json!({"SampleType": "Time", "SampleInterval": 1, "Format": "png"});
    let every = template(&bench, "CreateSampleSnapshotTemplate", every).await;
    let lists = json!({"SampleSnapshotTaskSet": [{"Definition": every}]});
    let output = outputs(&bench, &both, lists, "SampleSnapshotTask").await.remove(0);
    let seen: Vec<i64> =
        files(&bench, &output["ImagePathSet"]).await.iter().map(|file| count(file)).collect();
    assert!(seen.len() >= 8, "{seen:?}");
    assert!(seen.windows(2).all(|pair| pair[0] <= pair[1]), "{seen:?}");
    for wanted in [16, 20, 24, 28, 32, 36, 40, 44] {
        assert!(seen.iter().any(|seen| (seen - wanted).abs() <= 1), "{wanted} is missing in {seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_of_red_green_and_blue_keeps_its_colours() {
    tools_or_return!();
    let bench = Bench::start().await;
    let red = made::film("gif", &["-f", "lavfi", "-i", "color=c=red:s=320x240:r=10:d=1"]);
    let png = template(&bench, "CreateSnapshotByTimeOffsetTemplate", json!({"Format": "png"})).await;
    let lists = json!({"SnapshotByTimeOffsetTaskSet": [{"Definition": png, "ExtTimeOffsetSet": ["0s"]}]});
    let output = outputs(&bench, &red, lists, "SnapshotByTimeOffsetTask").await.remove(0);
    let picture = bench.fetch(output["PicInfoSet"][0]["Path"].as_str().expect("a path")).await;
    let seen = patch(&picture, 0.0, (100, 100, 40, 40));
    assert!(seen.mean[0] > 250.0 && seen.mean[1] < 5.0 && seen.mean[2] < 5.0, "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turned_video_gives_upright_pictures() {
    tools_or_return!();
    let bench = Bench::start().await;
    let flat = made::clip(320, 180, "25", seconds(2));
    let flat_name = flat.to_string_lossy().into_owned();
    let turned = made::film("mp4", &["-display_rotation", "90", "-i", &flat_name, "-c", "copy"]);
    let upright =
        made::film("png", &["-i", &flat_name, "-vf", "transpose=cclock", "-frames:v", "1", "-update", "1"]);
    let lists = json!({"SnapshotByTimeOffsetTaskSet": [{"Definition": 10, "ExtTimeOffsetSet": ["0s"]}]});
    let output = outputs(&bench, &turned, lists, "SnapshotByTimeOffsetTask").await.remove(0);
    let picture = bench.fetch(output["PicInfoSet"][0]["Path"].as_str().expect("a path")).await;
    assert_eq!(probe(&picture).size(), (180, 320));
    assert!(ssim(&picture, &upright) > 0.95, "{}", ssim(&picture, &upright));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_says_why_and_leaves_the_rest() {
    tools_or_return!();
    let bench = Bench::start().await;
    let item = |moments: Value| json!({"Definition": 10, "ExtTimeOffsetSet": moments});
    let url = bench.web.offer("film.mp4", &counted("mp4", &[]));
    let request = |lists: Value| {
        let mut request = mps_e2e::by_url(&url, "/x/", &[]);
        request["MediaProcessTask"] = lists;
        request
    };
    for (lists, code, word) in [
        (json!({"SnapshotByTimeOffsetTaskSet": [item(json!(["3.5"]))]}), "InvalidParameterValue", "3.5"),
        (json!({"SnapshotByTimeOffsetTaskSet": [item(json!(["101%"]))]}), "InvalidParameterValue", "101%"),
        (json!({"SnapshotByTimeOffsetTaskSet": [item(json!([]))]}), "MissingParameter", "ExtTimeOffsetSet"),
        (json!({"SampleSnapshotTaskSet": [{"Definition": 99}]}), "InvalidParameterValue.Definition", "99"),
        (
            json!({"SampleSnapshotTaskSet": [{"Definition": 10, "OutputObjectPath": "same.jpg"}]}),
            "InvalidParameterValue",
            "{number}",
        ),
        (
            json!({"ImageSpriteTaskSet": [{"Definition": 10, "WebVttObjectName": "/abs.vtt"}]}),
            "InvalidParameterValue",
            "WebVttObjectName",
        ),
        (
            json!({"SampleSnapshotTaskSet": [{"Definition": 10, "WatermarkSet": [{"Definition": 1}]}]}),
            "InvalidParameterValue.Definition",
            "WatermarkSet.0",
        ),
        (
            json!({"AnimatedGraphicTaskSet": [{"Definition": 20000, "StartTimeOffset": 3, "EndTimeOffset": 2}]}),
            "InvalidParameterValue",
            "AnimatedGraphicTaskSet.0",
        ),
    ] {
        let refused = bench.server.call("ProcessMedia", &request(lists)).await.expect_err("refused");
        assert_eq!(refused.code, code, "{refused:?}");
        assert!(refused.message.contains(word), "{refused:?}");
    }

    let mixed = json!({"SnapshotByTimeOffsetTaskSet": [item(json!(["20s"])), item(json!(["1s", "20s"]))]});
    let task = bench.server.process(&request(mixed)).await;
    let detail = bench.server.ended(&task, SOON).await;
    let set = &detail["WorkflowTask"]["MediaProcessResultSet"];
    let (late, half) = (&set[0]["SnapshotByTimeOffsetTask"], &set[1]["SnapshotByTimeOffsetTask"]);
    assert_eq!(
        (&late["Status"], &late["ErrCodeExt"]),
        (&json!("FAIL"), &json!("InvalidInput.InvalidTimeOffset"))
    );
    assert_eq!(half["Output"]["PicInfoSet"].as_array().map(Vec::len), Some(1), "{half:#}");

    let sound = made::film("m4a", &["-f", "lavfi", "-i", "sine=f=440:d=2", "-c:a", "aac"]);
    let detail = bench.media(&sound, &json!({"SampleSnapshotTaskSet": [{"Definition": 10}]})).await;
    let failed = &detail["WorkflowTask"]["MediaProcessResultSet"][0]["SampleSnapshotTask"];
    assert_eq!(failed["ErrCodeExt"], "SourceFileError.NoVideoMedia", "{failed:#}");
    assert_eq!(failed["Output"], Value::Null, "{failed:#}");
}
