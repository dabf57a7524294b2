//! Subtitles that become part of the picture (BURN-01 to BURN-11).

use std::path::{Path, PathBuf};

use mps_e2e::{Bench, Done};
use mps_testkit::compare::{patch, ssim};
use mps_testkit::made;
use serde_json::{Value, json};

use crate::marks::{GREY, RED, grey, is, seen};
use crate::tools_or_return;

const SRT: &str = "1\n00:00:02,000 --> 00:00:04,000\nHello\n\n2\n00:00:06,000 --> 00:00:08,000\n你好, мир\n";
const TTML: &str = "<?xml version=\"1.0\"?><tt xmlns=\"http://www.w3.org/2006/10/ttaf1\"><body><div>\
    <p begin=\"00:00:02.000\" end=\"00:00:04.000\">Hello</p>\
    <p begin=\"6s\" dur=\"2s\">你好, <span>мир</span></p></div></body></tt>";
const VTT: &str = "WEBVTT\n\n00:02.000 --> 00:04.000\nHello\n\n00:06.000 --> 00:08.000\n你好, мир\n";

/// Whether the fonts of the setup script are here.
pub(crate) fn has_fonts() -> bool {
    Path::new("/usr/share/fonts/opentype/noto").is_dir()
}

/// A transcode in the size of the grey film with these subtitles.
fn item(template: &Value) -> Value {
    let video = json!({"Codec": "h264", "Width": 640, "Height": 360, "Fps": 0, "Bitrate": 0, "Vcrf": 10});
    let raw =
        json!({"Container": "mp4", "RemoveAudio": 1, "VideoTemplate": video, "SubtitleTemplate": template});
    json!({"Definition": 0, "RawParameter": raw})
}

async fn burnt(bench: &Bench, source: &Path, template: Value) -> Done {
    let done = bench.transcode(source, &[item(&template)]).await.remove(0);
    assert_eq!(done.result["Status"], "SUCCESS", "{:#}", done.result);
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn cues_are_seen_for_their_time_from_any_kind_of_file() {
    tools_or_return!();
    if !has_fonts() {
        return;
    }
    let bench = Bench::start().await;
    let source = grey("640x360");
    let srt = bench.web.offer_bytes("a.srt", SRT.as_bytes());
    let vtt = bench.web.offer_bytes("a.vtt", VTT.as_bytes());
    let one = burnt(&bench, &source, json!({"Path": srt})).await;
    for at_s in [1.9, 4.1, 5.9, 8.1] {
        assert_eq!(seen(one.file(), at_s), None, "{at_s}");
    }
    for at_s in [2.1, 3.9, 6.1, 7.9] {
        let [left, top, width, height] = seen(one.file(), at_s).expect("words");
        // Five percent of the height, four percent above the lower edge, in the middle.
        assert!((left + width / 2).abs_diff(320) <= 6, "{left} {width}");
        assert!((325..=340).contains(&top) && (338..=348).contains(&(top + height)), "{top} {height}");
    }
    let input = json!({"Type": "URL", "UrlInputInfo": {"Url": vtt}});
    let other = burnt(&bench, &source, json!({"SubtitleFileInput": input})).await;
    assert!(ssim(one.file(), other.file()) > 0.99);
    let ttml = bench.web.offer_bytes("a.dfxp", TTML.as_bytes());
    let third = burnt(&bench, &source, json!({"Path": ttml})).await;
    assert!(ssim(one.file(), third.file()) > 0.99);

    // A clip keeps the time of the source.
    let mut clip = item(&json!({"Path": vtt}));
    (clip["StartTimeOffset"], clip["EndTimeOffset"]) = (json!(3), json!(7));
    let done = bench.transcode(&source, &[clip]).await.remove(0);
    for (at_s, is_seen) in [(0.5, true), (1.5, false), (2.5, false), (3.5, true)] {
        assert_eq!(seen(done.file(), at_s).is_some(), is_seen, "{at_s}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_track_of_the_source_is_chosen() {
    tools_or_return!();
    if !has_fonts() {
        return;
    }
    let bench = Bench::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let text = |name: &str, words: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("1\n00:00:01,000 --> 00:00:03,000\n{words}\n")).expect("a file");
        path
    };
    let (short, long) = (text("short.srt", "I"), text("long.srt", "WWWWWWWW"));
    let plain = grey("640x360");
    let path = |path: &Path| path.to_str().expect("a path").to_owned();
    let source = made::film(
        "mkv",
        &[
            "-i",
            &path(&plain),
            "-i",
            &path(&short),
            "-i",
            &path(&long),
            "-map",
            "0:v",
            "-map",
            "1",
            "-map",
            "2",
        ]
        .into_iter()
        .chain(["-c:v", "copy", "-c:s", "srt", "-metadata", &format!("made={}", uuid::Uuid::new_v4())])
        .collect::<Vec<_>>(),
    );
    let mut widths = Vec::new();
    for index in [1, 2, 0] {
        let done = burnt(&bench, &source, json!({"StreamIndex": index, "FontSize": "40px"})).await;
        let [_, _, width, _] = seen(done.file(), 2.0).expect("words");
        widths.push(width);
        assert_eq!(seen(done.file(), 4.0), None);
    }
    assert!(widths[1] > widths[0] * 4 && widths[2] == widths[0], "{widths:?}");
    let missing = bench.transcode(&source, &[item(&json!({"StreamIndex": 7}))]).await.remove(0);
    assert_eq!(missing.result["Status"], "FAIL");
    assert!(missing.result["Message"].as_str().is_some_and(|told| told.contains("1, 2")), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_look_is_that_of_the_call() {
    tools_or_return!();
    if !has_fonts() {
        return;
    }
    let bench = Bench::start().await;
    let source = grey("640x360");
    let path = bench.web.offer_bytes("a.srt", b"1\n00:00:00,000 --> 00:00:09,000\nHHHH\n");
    let styled = |more: Value| {
        let mut template = json!({"Path": path, "OutlineWidth": 0});
        template.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        template
    };
    let mut heights = Vec::new();
    for size in ["40px", "80px"] {
        let done = burnt(&bench, &source, styled(json!({"FontSize": size}))).await;
        heights.push(seen(done.file(), 1.0).expect("words")[3] as f64);
    }
    assert!((heights[1] / heights[0] - 2.0).abs() < 0.2, "{heights:?}");
    // 22.2 % of the height are 80 pixels.
    let done = burnt(&bench, &source, styled(json!({"FontSize": "22.2%", "FontColor": "0xFF0000"}))).await;
    let [left, top, width, height] = seen(done.file(), 1.0).expect("words");
    assert!((height as f64 - heights[1]).abs() <= 3.0, "{height} {heights:?}");
    // The left leg of the first letter is red all through.
    let leg = |file: &Path| {
        let find = |x: i64| patch(file, 1.0, (x, (top + height / 4) as i64, 2, 2));
        let redness = |x: &i64| -> i64 { (find(*x).mean[0] - find(*x).mean[2]) as i64 };
        (left as i64..(left + width / 6) as i64).max_by_key(redness).map(find).expect("a letter")
    };
    assert!(leg(done.file()).is_plain(RED), "{:?}", leg(done.file()));
    let half = styled(json!({"FontSize": "22.2%", "FontColor": "0xFF0000", "FontAlpha": 0.5}));
    let done = burnt(&bench, &source, half).await;
    assert!(leg(done.file()).is_plain([191.0, 64.0, 64.0]), "{:?}", leg(done.file()));

    // A board only with BoardY, and only while there are words: 90 % by 15 %, 20 pixels above the edge.
    let board = styled(json!({"BoardY": "20px", "BoardColor": "0xFF0000", "BoardAlpha": 1, "YPos": "40px"}));
    let done = burnt(&bench, &source, board).await;
    for (x, y, colour) in [(40, 330, RED), (600, 295, RED), (40, 350, GREY), (20, 320, GREY), (40, 280, GREY)]
    {
        assert!(is(done.file(), 1.0, (x, y), colour), "{x} {y}");
    }
    assert_eq!(seen(done.file(), 9.5), None);
    // Aligned at the top, more lines go down from the same place.
    let lines = bench.web.offer_bytes("b.srt", b"1\n00:00:00,000 --> 00:00:09,000\nHHHH\nHHHH\n");
    let at = |path: &str, alignment: &str| {
        styled(json!({"Path": path, "YPos": "50%", "FontSize": "40px", "Alignment": alignment}))
    };
    let mut boxes = Vec::new();
    for (path, alignment) in [(&path, "top"), (&lines, "top"), (&path, "bottom"), (&lines, "bottom")] {
        let done = burnt(&bench, &source, at(path, alignment)).await;
        boxes.push(seen(done.file(), 1.0).expect("words"));
    }
    let bottom = |seen: [usize; 4]| seen[1] + seen[3];
    assert!(boxes[0][1].abs_diff(boxes[1][1]) <= 2 && bottom(boxes[1]) > bottom(boxes[0]) + 30, "{boxes:?}");
    assert!(bottom(boxes[2]).abs_diff(bottom(boxes[3])) <= 2 && boxes[3][1] + 30 < boxes[2][1], "{boxes:?}");
    let spaced = styled(json!({"Path": lines, "YPos": "50%", "FontSize": "40px", "LineSpacing": 30}));
    let done = burnt(&bench, &source, spaced).await;
    let height = seen(done.file(), 1.0).expect("words")[3];
    assert!(height.abs_diff(boxes[3][3] + 30) <= 5, "{height} {boxes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_template_takes_them() {
    tools_or_return!();
    if !has_fonts() {
        return;
    }
    let bench = Bench::start().await;
    let source = grey("640x360");
    let path = bench.web.offer_bytes("a.vtt", VTT.as_bytes());
    let look = json!({"Path": path, "FontType": "simkai.ttf", "FontColor": "0xFFFFFF", "FontAlpha": 0.9});
    let over = json!({"Definition": 100_040, "OverrideParameter": {"SubtitleTemplate": look}});
    let lists = json!({"TranscodeTaskSet": [over]});
    let detail = bench.media(&source, &lists).await;
    let results = detail["WorkflowTask"]["MediaProcessResultSet"].as_array().expect("results");
    let output = &results[0]["TranscodeTask"]["Output"];
    let file = bench.fetch(output["Path"].as_str().unwrap_or_else(|| panic!("{detail:#}"))).await;
    let [_, top, _, height] = seen(&file, 3.0).expect("words");
    let frame = mps_testkit::compare::probe(&file).size().1 as usize;
    assert!(top * 100 / frame > 85 && height < frame / 12, "{top} {height} {frame}");
    assert_eq!(seen(&file, 5.0), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_font_of_the_callers_own_is_used_and_bad_files_are_told() {
    tools_or_return!();
    if !has_fonts() {
        return;
    }
    let bench = Bench::start().await;
    let source = grey("640x360");
    let text = bench.web.offer_bytes("a.srt", b"1\n00:00:00,000 --> 00:00:09,000\niiiiiiWWWW\n");
    let font = Path::new("/usr/share/fonts/truetype/liberation2/LiberationMono-Regular.ttf");
    let input = |url: &str| json!({"Type": "URL", "UrlInputInfo": {"Url": url}});
    let font = input(&bench.web.offer("own.ttf", font));
    let size = "40px";
    let own = burnt(&bench, &source, json!({"Path": text, "FontSize": size, "FontFileInput": font})).await;
    let usual = burnt(&bench, &source, json!({"Path": text, "FontSize": size})).await;
    let width = |done: &Done| seen(done.file(), 1.0).expect("words")[2];
    assert!(width(&own) > width(&usual) + 30, "{} {}", width(&own), width(&usual));

    let gbk = bench.web.offer_bytes("gbk.srt", b"1\n00:00:00,000 --> 00:00:09,000\n\xc4\xe3\xba\xc3\n");
    let many = "00:00:00,000 --> 00:00:01,000\nx\n\n".repeat(400_000);
    let many = bench.web.offer_bytes("many.srt", many.as_bytes());
    let items = [
        item(&json!({"Path": gbk})),
        item(&json!({"Path": many})),
        item(&json!({"Path": bench.web.url("nowhere.srt")})),
        item(&json!({"Path": text, "FontFileInput": input(&text)})),
        item(&json!({"Path": text})),
    ];
    let done = bench.transcode(&source, &items).await;
    for (nth, told) in
        ["UTF-8 (line 3", "400000 cues", "SubtitleTemplate", "the font is no"].iter().enumerate()
    {
        let result = &done[nth].result;
        assert_eq!((&result["Status"], &result["ErrCode"]), (&json!("FAIL"), &json!(40_000)), "{result:#}");
        let message = result["Message"].as_str().unwrap_or_default();
        assert!(message.contains(told) && message.contains("SubtitleTemplate"), "{message}");
    }
    assert_eq!(done[4].result["Status"], "SUCCESS");
}
