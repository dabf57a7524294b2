//! Compositions.

use std::path::{Path, PathBuf};

use mps_e2e::{Bench, SOON, notify};
use mps_testkit::compare::{decode, frame, loudness_db, packet_times, patch, probe, tone_hz};
use mps_testkit::made;
use serde_json::{Value, json};

use super::{done, file, refused, request, task};
use crate::{seconds, tools_or_return};

const RED: [f64; 3] = [255.0, 0.0, 0.0];

fn plain(colour: &str, size: &str) -> PathBuf {
    let picture = format!("color=c={colour}:s={size}:d=1:r=1,format=rgba");
    made::film("png", &["-f", "lavfi", "-i", &picture, "-frames:v", "1", "-update", "1"])
}

/// Grey with a tone, as long as told.
fn grey(length: u32) -> PathBuf {
    let picture = format!("color=c=0x808080:s=640x360:r=25:d={length},format=yuv420p");
    let sine = format!("sine=f=440:r=48000:d={length}");
    let words = [
        "-f",
        "lavfi",
        "-i",
        &picture,
        "-f",
        "lavfi",
        "-i",
        &sine,
        "-c:v",
        "libx264",
        "-qp",
        "0",
        "-g",
        "25",
        "-preset",
        "ultrafast",
        "-c:a",
        "aac",
        "-b:a",
        "128k",
    ];
    made::film("mp4", &words)
}

fn named(bench: &Bench, id: &str, path: &Path) -> Value {
    let mut file = file(bench, path);
    file["Id"] = json!(id);
    file
}

fn item(kind: &str, body: impl Into<Value>) -> Value {
    json!({"Type": kind, kind: body.into()})
}

/// An element of this type with more members.
fn media(kind: &str, id: &str, more: &Value) -> Value {
    let mut body = json!({"SourceMedia": {"FileId": id}});
    if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
        body.extend(more.clone());
    }
    item(kind, body)
}

fn track(kind: &str, items: &[Value]) -> Value {
    json!({"Type": kind, "Items": items})
}

fn composed(tracks: &[Value], more: &Value) -> Value {
    let mut config = json!({"Tracks": tracks});
    if let (Some(config), Some(more)) = (config.as_object_mut(), more.as_object()) {
        config.extend(more.clone());
    }
    json!({ "ComposeConfig": config })
}

/// The box of everything that differs from the grey of the frame: left, top, width, height.
fn seen(file: &Path, at_s: f64) -> Option<[i64; 4]> {
    let (width, _, pixels) = frame(file, at_s);
    let (mut left, mut top, mut right, mut bottom) = (usize::MAX, usize::MAX, 0, 0);
    for (nth, pixel) in pixels.chunks_exact(3).enumerate() {
        if pixel.iter().any(|value| value.abs_diff(128) > 40) {
            let (x, y) = (nth % width, nth / width);
            (left, top, right, bottom) = (left.min(x), top.min(y), right.max(x), bottom.max(y));
        }
    }
    let place = [left, top, (right + 1).saturating_sub(left), (bottom + 1).saturating_sub(top)];
    (left <= right).then(|| place.map(|side| i64::try_from(side).expect("a small number")))
}

fn near(seen: Option<[i64; 4]>, wanted: [i64; 4]) {
    let seen = seen.unwrap_or_else(|| panic!("nothing is seen where {wanted:?} should be"));
    assert!(
        seen.iter().zip(wanted).all(|(seen, wanted)| (seen - wanted).abs() <= 1),
        "{seen:?} for {wanted:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_element_lies_where_and_when_it_was_put() {
    tools_or_return!();
    let bench = Bench::start().await;
    let files = [named(&bench, "film", &grey(4)), named(&bench, "logo", &plain("red", "80x40"))];
    for (look, wanted) in [
        (json!({"XPos": "25%", "YPos": "100px"}), [120, 80, 80, 40]),
        (json!({"XPos": "25%", "YPos": "100px", "Width": "10%"}), [128, 84, 64, 32]),
        (json!({"Height": "50%"}), [140, 90, 360, 180]),
        (json!({"XPos": "101px", "YPos": "55px", "Width": "33px", "Height": "71px"}), [84, 19, 33, 71]),
        (json!({"XPos": "0%", "YPos": "100%"}), [0, 340, 40, 20]),
        (json!({"ImageOperations": [{"Type": "Rotate", "RotateAngle": 90}]}), [300, 140, 40, 80]),
    ] {
        let mut look = look;
        look["TrackTime"] = json!({"Start": "1s", "Duration": "2s"});
        let tracks = [
            track("Video", &[media("Image", "logo", &look)]),
            track("Video", &[media("Video", "film", &json!({}))]),
        ];
        let file = done(&bench, &request(&files, "place.mp4", &composed(&tracks, &json!({})))).await;
        assert_eq!((probe(&file).size(), packet_times(&file, "v:0").len()), ((640, 360), 100));
        near(seen(&file, 2.0), wanted);
        near(seen(&file, 1.0), wanted);
        near(seen(&file, 2.96), wanted);
        assert_eq!((seen(&file, 0.96), seen(&file, 3.0)), (None, None), "{look}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_track_lies_on_top_and_the_canvas_shows_where_nothing_is() {
    tools_or_return!();
    let bench = Bench::start().await;
    let files = [
        named(&bench, "red", &plain("red", "100x100")),
        named(&bench, "blue", &plain("blue", "200x200")),
        named(&bench, "glass", &plain("white@0.5", "40x40")),
    ];
    let long = json!({"TrackTime": {"Duration": "2s"}});
    let tracks = [
        track("Video", &[media("Image", "glass", &long)]),
        track("Video", &[media("Image", "red", &long)]),
        track("Video", &[item("Empty", json!({"Duration": "1s"})), media("Image", "blue", &long)]),
    ];
    let canvas = json!({"Canvas": {"Color": "#20C040", "Width": 401, "Height": 300},
        "TargetInfo": {"VideoStream": {"Fps": 10, "Bitrate": 2000}}});
    let file = done(&bench, &request(&files, "stack.mp4", &composed(&tracks, &canvas))).await;
    let seen = probe(&file);
    assert_eq!((seen.size(), seen.has("audio")), ((400, 300), false));
    assert_eq!(packet_times(&file, "v:0").len(), 30);
    let is = |at_s, (x, y), colour| {
        let found = patch(&file, at_s, (x, y, 8, 8));
        assert!(found.is_plain(colour), "({x}, {y}) at {at_s}: {found:?}");
    };
    is(0.5, (20, 20), [32.0, 192.0, 64.0]);
    is(0.5, (160, 110), RED);
    is(0.5, (196, 146), [255.0, 127.0, 127.0]);
    is(0.5, (110, 60), [32.0, 192.0, 64.0]);
    is(1.5, (110, 60), [0.0, 0.0, 255.0]);
    is(1.5, (160, 110), RED);
    is(2.5, (196, 146), [0.0, 0.0, 255.0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transition_blends_what_it_joins() {
    tools_or_return!();
    let bench = Bench::start().await;
    let files = [
        named(&bench, "white", &plain("white", "320x180")),
        named(&bench, "black", &plain("black", "320x180")),
    ];
    let three = json!({"TrackTime": {"Duration": "3s"}});
    for (word, middle, corner) in [
        ("", 127.0, 127.0),
        ("ImageFadeInFadeOut", 127.0, 127.0),
        ("Heart", 0.0, 255.0),
        ("WipeRight", 127.0, 0.0),
        ("Swirl", 127.0, 127.0),
    ] {
        let joint = if word.is_empty() { json!({}) } else { json!({"Transitions": [{"Type": word}]}) };
        let items =
            [media("Image", "white", &three), item("Transition", joint), media("Image", "black", &three)];
        let config = composed(&[track("Video", &items)], &json!({}));
        let file = done(&bench, &request(&files, "blend.mp4", &config)).await;
        assert_eq!(packet_times(&file, "v:0").len(), 125, "{word}: 3 s and 3 s, one of them shared");
        let light = |at_s, place: (i64, i64)| patch(&file, at_s, (place.0, place.1, 8, 8)).mean[1];
        assert!(light(1.9, (156, 86)) > 250.0 && light(3.1, (156, 86)) < 5.0, "{word}");
        let (at_middle, at_corner) = (light(2.52, (156, 86)), light(2.52, (2, 2)));
        if word != "WipeRight" {
            assert!((at_middle - middle).abs() < 12.0, "{word}: the middle is {at_middle}");
        }
        assert!((at_corner - corner).abs() < 12.0, "{word}: the corner is {at_corner}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_title_is_seen_where_and_when_it_should_be() {
    tools_or_return!();
    let bench = Bench::start().await;
    let files = [named(&bench, "film", &grey(3))];
    let style = |more: Value| {
        let mut style = json!({"FontSize": "40px", "FontColor": "#FFFFFFFF", "MarginBottom": "100px"});
        if let (Some(style), Some(more)) = (style.as_object_mut(), more.as_object()) {
            style.extend(more.clone());
        }
        json!([{"Id": "s", "Type": "Subtitle", "Subtitle": style}])
    };
    let mut widths = Vec::new();
    for (text, more) in [
        ("片头示例", json!({})),
        ("Привет, мир", json!({"FontType": "SimSun", "FontBold": 1})),
        ("Left {x} \\ 左", json!({"FontAlign": "Left", "FontAlignMargin": "10%"})),
        ("Right", json!({"FontAlign": "Right", "FontAlignMargin": "64px", "FontItalic": 1})),
        ("one\ntwo", json!({"BorderWidth": "2px", "BorderColor": "#000000"})),
    ] {
        let title = json!({"StyleId": "s", "Text": text, "TrackTime": {"Start": "1s", "Duration": "1s"}});
        let tracks = [
            track("Title", &[item("Subtitle", title)]),
            track("Video", &[media("Video", "film", &json!({}))]),
        ];
        let config = composed(&tracks, &json!({"Styles": style(more.clone())}));
        let file = done(&bench, &request(&files, "title.mp4", &config)).await;
        assert_eq!((seen(&file, 0.96), seen(&file, 2.0)), (None, None), "{text}");
        let [left, top, width, height] = seen(&file, 1.5).unwrap_or_else(|| panic!("{text} is not seen"));
        // The stripe is 40 high for each line and ends 100 above the bottom.
        let lines = if text.contains('\n') { 2 } else { 1 };
        let (middle, centre) = (left + width / 2, top + height / 2);
        assert!((centre - (260 - 20 * lines)).abs() <= 10, "{text}: {top} and {height} high");
        assert!(height >= 20 && height <= 70 * lines, "{text}: {height} high");
        match more["FontAlign"].as_str() {
            Some("Left") => assert!((left - 64).abs() <= 6, "{text} begins at {left}"),
            Some(_) => assert!((left + width - 576).abs() <= 6, "{text} ends at {}", left + width),
            None => assert!((middle - 320).abs() <= 4, "{text} stands around {middle}"),
        }
        widths.push(width);
    }
    // Four Chinese letters are four times as wide as they are high.
    assert!((150..=164).contains(&widths[0]), "{widths:?}");
    assert!(widths[1] > 180, "{widths:?}");

    let ground = json!({"BottomColor": "#0000FFFF", "Height": "80px", "FontColor": "#FF0000"});
    let title = json!({"StyleId": "s", "Text": "片头", "TrackTime": {"Start": "0s", "Duration": "3s"}});
    let tracks =
        [track("Title", &[item("Subtitle", title)]), track("Video", &[media("Video", "film", &json!({}))])];
    let config = composed(&tracks, &json!({"Styles": style(ground)}));
    let file = done(&bench, &request(&files, "ground.mp4", &config)).await;
    let [left, top, width, height] = seen(&file, 1.0).expect("a ground");
    assert!((top - 180).abs() <= 8 && (height - 80).abs() <= 14, "{top} {height}");
    assert!(patch(&file, 1.0, (left + width / 2 - 3, top + 3, 6, 4)).is_plain([0.0, 0.0, 255.0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_is_as_loud_as_asked_for_and_mixed() {
    tools_or_return!();
    let bench = Bench::start().await;
    let high = made::film("wav", &["-f", "lavfi", "-i", "sine=f=1760:r=44100:d=6"]);
    let files = [named(&bench, "film", &grey(4)), named(&bench, "high", &high)];
    let volume = |factor: f64| json!({"AudioOperations": [{"Type": "Volume", "Volume": factor}]});
    let rate =
        json!({"TargetInfo": {"AudioStream": {"SampleRate": 48000, "AudioChannel": 1, "Bitrate": 128}}});
    let mut loud = Vec::new();
    for factor in [1.0, 0.5, 0.0] {
        let tracks = [track("Video", &[media("Video", "film", &volume(factor))])];
        let file = done(&bench, &request(&files, "loud.mp4", &composed(&tracks, &rate))).await;
        if factor > 0.0 {
            assert_eq!(probe(&file).audio()["channels"], 1);
            loud.push(loudness_db(&file));
        } else {
            assert!(!probe(&file).has("audio"), "nothing is left to be heard");
        }
    }
    assert!((loud[0] - loud[1] - 6.02).abs() < 0.5, "{loud:?}");

    let late = json!({"TrackTime": {"Start": "2s", "Duration": "3s"}});
    let tracks = [
        track("Audio", &[media("Audio", "high", &late)]),
        track("Video", &[media("Video", "film", &volume(0.0))]),
    ];
    let file = done(&bench, &request(&files, "late.mp4", &composed(&tracks, &rate))).await;
    let cut = |from: &str| {
        made::film("wav", &["-ss", from, "-t", "1", "-i", file.to_str().expect("a name"), "-vn"])
    };
    assert!((probe(&file).duration_s() - 5.0).abs() < 0.05);
    assert!(loudness_db(&cut("0.9")) < -60.0 && (tone_hz(&cut("3")) - 1760.0).abs() < 5.0);
    assert!(
        patch(&file, 4.5, (300, 160, 8, 8)).is_plain([0.0; 3]),
        "the film has ended, the canvas is black"
    );

    let mp3 = json!({"TargetInfo": {"Container": "mp3"}});
    let tracks = [track(
        "Audio",
        &[
            media("Audio", "high", &json!({"SourceMedia": {"FileId": "high", "StartTime": "50%"}})),
            item("Transition", json!({})),
            media("Audio", "film", &json!({})),
        ],
    )];
    let file = done(&bench, &request(&files, "only.mp3", &composed(&tracks, &mp3))).await;
    let seen = probe(&file);
    assert_eq!((seen.audio_codec(), &seen.audio()["sample_rate"]), ("mp3", &json!("16000")));
    assert!((seen.duration_s() - 6.0).abs() < 0.1, "{} s", seen.duration_s());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_film_with_its_events() {
    tools_or_return!();
    let bench = Bench::start().await;
    let files = [
        named(&bench, "video", &made::clip(640, 360, "25", seconds(6))),
        named(&bench, "end", &plain("blue", "640x360")),
        named(&bench, "logo", &plain("red", "80x40")),
        named(&bench, "music", &made::film("mp3", &["-f", "lavfi", "-i", "sine=f=880:r=44100:d=3"])),
    ];
    let style = json!([{"Id": "ss", "Type": "Subtitle", "Subtitle": {"MarginBottom": "50%", "FontType": "SimHei",
        "FontSize": "8%", "FontBold": 1, "FontColor": "#FF0000FF", "BorderWidth": "2px", "BorderColor": "#00FF00FF",
        "BottomColor": "#0000FFFF"}}]);
    let title = json!({"StyleId": "ss", "Text": "正片-示例", "TrackTime": {"Start": "0s", "Duration": "2s"}});
    let stretch = json!({"SourceMedia": {"FileId": "video", "StartTime": "1s", "EndTime": "5s"},
        "ImageOperations": [{"Type": "Flip", "FlipType": "Horizental"}, {"Type": "Rotate", "RotateAngle": 10}]});
    let tracks = [
        track("Title", &[item("Subtitle", title)]),
        track(
            "Video",
            &[media(
                "Image",
                "logo",
                &json!({"TrackTime": {"Duration": "6s"}, "XPos": "85%", "YPos": "10%",
            "Width": "15%"}),
            )],
        ),
        track(
            "Video",
            &[
                media("Video", "video", &stretch),
                item(
                    "Transition",
                    json!({"Transitions": [{"Type": "Doorway"},
            {"Type": "AudioFadeInFadeOut"}]}),
                ),
                media("Image", "end", &json!({"TrackTime": {"Duration": "3s"}})),
            ],
        ),
        track("Audio", &[media("Audio", "music", &json!({"TrackTime": {"Duration": "6s"}}))]),
    ];
    let mut request = request(
        &files,
        "",
        &composed(
            &tracks,
            &json!({"Styles": style,
        "TargetInfo": {"Container": "mp4", "VideoStream": {"Fps": 30}}}),
        ),
    );
    request["TaskNotifyConfig"] = notify(&bench.receiver.url("film"), "Finish");
    request["SessionContext"] = json!("kept");
    let task = task(&bench, &request).await;
    let path = task["Output"]["Path"].as_str().unwrap_or_else(|| panic!("{task:#}"));
    let id = task["TaskId"].as_str().expect("an id");
    assert!(id.contains("-EditMedia-") && path.ends_with(&format!("/{id}.mp4")), "{path}");
    let file = bench.fetch(path).await;
    let seen = probe(&file);
    assert_eq!((seen.size(), packet_times(&file, "v:0").len()), ((640, 360), 180));
    assert_eq!(seen.audio()["sample_rate"], "16000");
    decode(&file).expect("it decodes");
    assert!(patch(&file, 3.0, (540, 32, 8, 8)).is_plain(RED));
    assert!(patch(&file, 5.5, (300, 160, 8, 8)).is_plain([0.0, 0.0, 255.0]));

    let call = bench.receiver.wait("film", 1, SOON).await.remove(0);
    let body = call.body();
    assert_eq!((&body["EventType"], &body["SessionContext"]), (&json!("EditMediaTask"), &json!("kept")));
    assert_eq!(body["EditMediaTaskEvent"], task);
    let parsed = bench.server.ok("ParseNotification", &json!({"Content": call.text})).await;
    assert_eq!((&parsed["EventType"], &parsed["EditMediaTaskEvent"]), (&json!("EditMediaTask"), &task));
    let listed = bench.server.ok("DescribeTasks", &json!({"Status": "FINISH"})).await;
    assert_eq!(listed["TaskSet"][0]["TaskType"], "EditMediaTask", "{listed:#}");
    let other = id.replace("-EditMedia-", "-EditMediaTask-");
    assert_eq!(bench.server.detail(&other).await["EditMediaTask"], task);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_media_tell_fails_the_task_by_name() {
    tools_or_return!();
    let bench = Bench::start().await;
    let tone = made::film("mp3", &["-f", "lavfi", "-i", "sine=f=880:r=44100:d=3"]);
    let files = [named(&bench, "film", &grey(3)), named(&bench, "tone", &tone)];
    let both = |start: &str| {
        let late = json!({"TrackTime": {"Start": start}});
        [track("Video", &[media("Video", "film", &json!({})), media("Video", "film", &late)])]
    };
    let late = json!({"SourceMedia": {"FileId": "film", "StartTime": "3s"}});
    for (tracks, word) in [
        (both("2s"), "Tracks.0.Items.1"),
        ([track("Video", &[media("Video", "film", &late)])], "StartTime"),
        ([track("Video", &[media("Video", "tone", &json!({}))])], "no pictures"),
    ] {
        let failed = task(&bench, &request(&files, "x.mp4", &composed(&tracks, &json!({})))).await;
        assert_ne!(failed["ErrCode"], 0, "{failed:#}");
        assert!(failed["Message"].as_str().is_some_and(|told| told.contains(word)), "{word}: {failed:#}");
    }
    let known = json!({"TrackTime": {"Start": "1s", "Duration": "2s"}});
    let tracks = [track("Video", &[media("Video", "film", &known), media("Video", "film", &known)])];
    let (code, told) = refused(&bench, &request(&files, "x.mp4", &composed(&tracks, &json!({})))).await;
    assert_eq!(code, "InvalidParameterValue");
    assert!(told.contains("Tracks.0.Items.1") && told.contains("overlaps"), "{told}");
}
