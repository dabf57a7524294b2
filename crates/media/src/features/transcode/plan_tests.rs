//! Command lines as they are given to ffmpeg, for sources of every shape.

use std::fmt::Write as _;

use mps_core::media_info::{Color, DynamicRange, FieldOrder, MediaInfo, Ratio, VideoStream};
use mps_core::task::Failure;
use serde_json::{Value, json};

use super::testing::{everything, film, info};
use super::{from_wire, plan};
use crate::features::item::{Item, Place, definition};
use crate::names::SourceName;
use crate::plan::{Arg, Output, Plan};
use crate::presets;

fn planned(item: &Value, info: &MediaInfo) -> Result<Plan, String> {
    let source = SourceName::from_key("/in/Animal.mp4");
    let storage = Value::Null;
    let place = Place { source: &source, directory: Some("/out/"), storage: &storage };
    let template = presets::transcode::find(definition(item)).map(|preset| preset.body.clone());
    let step = from_wire(
        &Item { nth: 0, value: item, template: template.as_ref(), place, marks: &[], given: &[] },
        &everything(),
    )
    .map_err(|e| e.to_string())?;
    plan(&step, info, "1-WorkflowTask-0tt1", &everything()).map_err(|e| e.message().to_owned())
}

/// The command line, an option and its value to a line.
fn line(item: &Value, info: &MediaInfo) -> String {
    let plan = match planned(item, info) {
        Ok(plan) => plan,
        Err(message) => return format!("error: {message}"),
    };
    let mut out = String::new();
    for arg in &plan.commands[0].args {
        let (text, begins) = match arg {
            Arg::Text(text) => {
                (text.clone(), text.starts_with('-') && text.len() > 2 && !text.starts_with("-1"))
            }
            Arg::Source | Arg::Input(_) => ("<source>".to_owned(), false),
            Arg::File(file) => (format!("<{file}>"), true),
        };
        let begins = begins || ["-i", "-f", "-g", "-t"].contains(&text.as_str());
        out.push_str(if out.is_empty() {
            ""
        } else if begins {
            "\n"
        } else {
            " "
        });
        out.push_str(&text);
    }
    let key = plan.main_key();
    format!("{out}\n=> {key}, {} s", plan.commands[0].expected_us / 1_000_000)
}

/// Parameters of the call's own: container, changes to the video (null removes it) and to the audio.
fn raw(container: &str, video: &Value, audio: &Value) -> Value {
    let mut body = json!({"Container": container});
    let parts = [
        ("VideoTemplate", "RemoveVideo", json!({"Codec": "h264", "Fps": 0, "Bitrate": 1000}), video),
        ("AudioTemplate", "RemoveAudio", json!({"Codec": "aac", "Bitrate": 96, "SampleRate": 0}), audio),
    ];
    for (name, remove, usual, changes) in parts {
        if changes.is_null() {
            body[remove] = json!(1);
        } else {
            body[name] = usual;
            crate::templates::merge(&mut body[name], changes);
        }
    }
    json!({"Definition": 0, "RawParameter": body})
}

fn with(mut item: Value, name: &str, value: Value) -> Value {
    item[name] = value;
    item
}

#[test]
fn a_preset_on_a_plain_source() {
    insta::assert_snapshot!(line(&json!({"Definition": 100_030}), &info(film(1920, 1080))));
}

#[test]
fn a_playlist_with_segments_of_its_own_length() {
    let video = json!({"HlsTime": 6, "SegmentType": 7, "Codec": "h265"});
    insta::assert_snapshot!(line(&raw("hls", &video, &json!({})), &info(film(1280, 720))));
}

#[test]
fn every_codec_in_its_container() {
    let source = info(film(1280, 720));
    let mut all = String::new();
    for (container, video, audio) in [
        ("mp4", "av1", "mp3"),
        ("mov", "h266", "pcm24"),
        ("webm", "vp8", "vorbis"),
        ("mkv", "vp9", "flac"),
        ("mxf", "mpeg2", "pcm16"),
        ("mxf", "dnxhd", "pcm24"),
        ("ts", "h265", "ac3"),
        ("flv", "h264", "mp3"),
    ] {
        let item = raw(container, &json!({"Codec": video, "Gop": 50}), &json!({"Codec": audio}));
        let _ = write!(all, "## {container} {video} {audio}\n{}\n\n", line(&item, &source));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn sound_alone() {
    let source = info(film(640, 360));
    let mut all = String::new();
    for (container, audio) in
        [("mp3", "mp3"), ("flac", "flac"), ("ogg", "flac"), ("m4a", "ac3"), ("wav", "pcm16")]
    {
        let item = raw(container, &Value::Null, &json!({"Codec": audio, "Bitrate": 0, "AudioChannel": 0}));
        let _ = write!(all, "## {container}\n{}\n\n", line(&item, &source));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn rate_control_modes() {
    let source = info(film(640, 360));
    let mut all = String::new();
    for codec in ["h264", "h265", "av1"] {
        for mode in [
            json!({"Mode": "VBR"}),
            json!({"Mode": "VBR", "Vcrf": 20}),
            json!({"Mode": "ABR"}),
            json!({"Mode": "CBR"}),
            json!({"Mode": "VCRF", "Vcrf": 28}),
            json!({"Mode": "CRF"}),
            json!({"Bitrate": 0}),
            json!({"Compress": 40}),
        ] {
            let mut video = mode.clone();
            video["Codec"] = json!(codec);
            let text = line(&raw("mp4", &video, &Value::Null), &source);
            let kept = text.lines().filter(|l| {
                ["-b:v", "-maxrate", "-minrate", "-bufsize", "-crf", "-x26", "-svt"]
                    .iter()
                    .any(|w| l.starts_with(w))
            });
            let _ = writeln!(all, "{codec} {mode}: {}", kept.collect::<Vec<_>>().join(" "));
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_short_output_is_held_to_its_rate_more_tightly() {
    let short = MediaInfo { duration_us: 5_000_000, ..info(film(640, 360)) };
    let words = |container: &str, codec: &str, info: &MediaInfo| {
        let text = line(&raw(container, &json!({"Codec": codec}), &Value::Null), info);
        let kept =
            text.lines().filter(|l| ["-minrate", "-maxrate", "-bufsize"].iter().any(|w| l.starts_with(w)));
        kept.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(words("mp4", "h265", &short), "-maxrate 1050000 -bufsize 1000000");
    assert_eq!(words("mp4", "h265", &info(film(640, 360))), "-maxrate 1250000 -bufsize 2000000");
    assert_eq!(words("mp4", "h264", &short), "-maxrate 1050000 -bufsize 1000000");
    assert_eq!(words("mp4", "h264", &info(film(640, 360))), "-maxrate 1250000 -bufsize 2000000");
    assert_eq!(words("webm", "vp9", &short), "-minrate 1000000 -maxrate 1000000 -bufsize 2000000");
    assert_eq!(words("webm", "vp9", &info(film(640, 360))), "");
}

#[test]
fn vp8_leaves_scene_changes_alone_unless_asked() {
    let distances = |video: &Value| {
        let text = line(&raw("webm", video, &Value::Null), &info(film(640, 360)));
        let kept = text.lines().filter(|l| l.starts_with("-g ") || l.starts_with("-keyint_min"));
        kept.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(distances(&json!({"Codec": "vp8"})), "-g 10000000 -keyint_min 10000000");
    assert_eq!(distances(&json!({"Codec": "vp8", "Gop": 50})), "-g 50 -keyint_min 50");
    assert_eq!(distances(&json!({"Codec": "vp8", "NoScenecut": 1})), "-g 76");
}

fn filter(item: &Value, source: VideoStream) -> String {
    let text = line(item, &info(source));
    let found = text.lines().find_map(|l| l.strip_prefix("-filter:v "));
    found.map_or_else(|| text.clone(), str::to_owned)
}

#[test]
fn pictures_of_every_shape() {
    let plain = raw("mp4", &json!({"Height": 480}), &Value::Null);
    let hdr = VideoStream {
        codec: "hevc".to_owned(),
        pixel_format: "yuv420p10le".to_owned(),
        bit_depth: 10,
        dynamic_range: DynamicRange::Hdr10,
        color: Color {
            transfer: "smpte2084".to_owned(),
            primaries: "bt2020".to_owned(),
            space: "bt2020nc".to_owned(),
            ..Color::default()
        },
        ..film(3840, 2160)
    };
    let mut all = String::new();
    let mut add = |name: &str, item: &Value, source: VideoStream| {
        let _ = writeln!(all, "{name}: {}", filter(item, source));
    };
    add("turned", &plain, VideoStream { rotation_degrees: 90, ..film(1920, 1080) });
    add("interlaced", &plain, VideoStream { field_order: FieldOrder::TopFirst, ..film(720, 576) });
    add("anamorphic", &plain, VideoStream { sample_aspect: Ratio::new(2, 1), ..film(640, 544) });
    add("odd", &raw("mp4", &json!({}), &Value::Null), film(161, 121));
    add("rgb", &plain, VideoStream { pixel_format: "gbrp".to_owned(), ..film(640, 480) });
    add("wide range to 8 bits", &plain, hdr.clone());
    let deep = json!({"Codec": "h265", "BitDepth": 10});
    add("wide range kept", &raw("mp4", &deep, &Value::Null), hdr);
    for fill in ["stretch", "black", "white", "gauss", "smarttailor"] {
        let square = json!({"Width": 720, "Height": 720, "FillType": fill});
        add(fill, &raw("mp4", &square, &Value::Null), film(1920, 1080));
    }
    let slower = json!({"Fps": 30000, "FpsDenominator": 1001});
    add(
        "fewer frames",
        &raw("mp4", &slower, &Value::Null),
        VideoStream { average_fps: Ratio::new(60, 1), ..film(640, 360) },
    );
    add("more frames", &raw("mp4", &slower, &Value::Null), film(640, 360));
    insta::assert_snapshot!(all);
}

#[test]
fn uneven_timing_is_kept() {
    let phone =
        VideoStream { average_fps: Ratio::new(1_998, 100), base_fps: Ratio::new(30, 1), ..film(640, 360) };
    insta::assert_snapshot!(line(&raw("mp4", &json!({}), &json!({})), &info(phone)));
}

#[test]
fn clips_enter_exactly() {
    let item = with(
        with(raw("mp4", &json!({}), &json!({})), "StartTimeOffset", json!(-20)),
        "EndTimeOffset",
        json!(-5),
    );
    let mut stream = info(film(640, 360));
    let head = |info: &MediaInfo, item: &Value| {
        let text = line(item, info);
        text.lines()
            .filter(|l| ["-ss", "-t ", "-to", "-copyts", "=>"].iter().any(|w| l.starts_with(w)))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(head(&stream, &item), "-ss 40.000000 -t 15.000000 => /out/Animal_transcode_0.mp4, 15 s");
    stream.format = "mpegts".to_owned();
    stream.start_us = 1_400_000;
    assert_eq!(
        head(&stream, &item),
        "-ss 30.000000 -ss 10.000000 -t 15.000000 => /out/Animal_transcode_0.mp4, 15 s"
    );
    let kept = with(
        with(raw("ts", &json!({"RawPts": 1}), &json!({})), "StartTimeOffset", json!(20)),
        "EndTimeOffset",
        json!(25),
    );
    assert_eq!(
        head(&stream, &kept),
        "-copyts -ss 10.000000 -to 26.400000 => /out/Animal_transcode_0.ts, 5 s"
    );
}

#[test]
fn streams_that_are_missing_are_left_out_or_missed() {
    let mut silent = info(film(640, 360));
    silent.audio.clear();
    let mut blind = info(film(640, 360));
    blind.video.clear();
    let both = raw("mp4", &json!({}), &json!({}));
    let text = line(&both, &silent);
    assert!(text.contains("-map 0:0") && !text.contains("-c:a"), "{text}");
    let text = line(&both, &blind);
    assert!(text.contains("-map 0:1") && !text.contains("-c:v"), "{text}");
    let sound = raw("mp3", &Value::Null, &json!({"Codec": "mp3"}));
    assert_eq!(line(&sound, &silent), "error: the source has no audio");
    assert_eq!(line(&raw("mp4", &json!({}), &Value::Null), &blind), "error: the source has no video");
    let mxf = raw("mxf", &json!({"Codec": "mpeg2"}), &json!({"Codec": "pcm16"}));
    assert_eq!(line(&mxf, &blind), "error: the source has no video, and mxf needs one");
}

#[test]
fn remuxing_copies_what_the_container_can_hold() {
    let source = info(film(640, 360));
    insta::assert_snapshot!(line(&json!({"Definition": 9}), &source));
    let vp8 = info(VideoStream { codec: "vp8".to_owned(), ..film(640, 360) });
    assert_eq!(line(&json!({"Definition": 9}), &vp8), "error: mp4 cannot hold vp8 video as it is");
    let bare = MediaInfo { format: "h264".to_owned(), ..source };
    assert!(line(&json!({"Definition": 9}), &bare).contains("bare stream"));
}

#[test]
fn the_second_track_is_used_when_it_is_the_default() {
    let mut two = info(film(640, 360));
    let mut second = two.audio[0].clone();
    (second.index, second.language) = (2, "deu".to_owned());
    two.audio[0].is_default = false;
    two.audio.push(second);
    assert!(line(&raw("mp4", &json!({}), &json!({})), &two).contains("-map 0:2"));
}

#[test]
fn mxf_takes_only_its_own_rates() {
    let rate = |fps: i64, source: Ratio| {
        let video = json!({"Codec": "mpeg2", "Fps": fps});
        filter(
            &raw("mxf", &video, &json!({"Codec": "pcm16"})),
            VideoStream { average_fps: source, base_fps: source, ..film(640, 360) },
        )
    };
    assert!(rate(0, Ratio::new(15, 1)).contains("fps=fps=24000/1001"));
    assert!(rate(25, Ratio::new(30, 1)).contains("fps=fps=25/1"));
    assert!(rate(15, Ratio::new(30, 1)).starts_with("error: mxf cannot carry"));
}

#[test]
fn a_level_too_low_for_the_picture_is_told_before_the_run() {
    let low = raw("mp4", &json!({"Codec": "h265", "VideoLevel": "2"}), &Value::Null);
    assert_eq!(line(&low, &info(film(640, 360))), "error: level 2 of h265 cannot hold 640x360 pixels");
    assert!(line(&low, &info(film(320, 240))).contains("level-idc=2"));
}

#[test]
fn segments_lie_beside_their_playlist_under_the_names_of_the_pattern() {
    let item = with(
        with(
            json!({"Definition": 100_210}),
            "OutputObjectPath",
            json!("sub/{inputName}_from_{inputFormat}.{format}"),
        ),
        "SegmentObjectName",
        json!("{inputName}_from_{inputFormat}_{number}"),
    );
    let plan = planned(&item, &info(film(640, 360))).unwrap();
    assert_eq!(plan.main_key(), "/out/sub/Animal_from_mp4.m3u8");
    let Output::Hls { packaging, .. } = &plan.outputs[0] else { panic!("no playlist") };
    let written = "#EXTM3U\n#EXTINF:10.0,\n#EXT-X-BYTERANGE:100@0\noutput.ts\n#EXTINF:3.0,\n#EXT-X-BYTERANGE:50@100\noutput.ts\n#EXT-X-ENDLIST\n";
    let done = packaging.finish(written).unwrap();
    let keys: Vec<_> = done.pieces.iter().map(|piece| piece.key.as_str()).collect();
    assert_eq!(keys, ["/out/sub/Animal_from_mp4_0.ts", "/out/sub/Animal_from_mp4_1.ts"]);
    assert!(done.playlist.contains("\nAnimal_from_mp4_0.ts\n"), "{}", done.playlist);
}

#[test]
fn a_plan_survives_storage() {
    let plan = planned(&json!({"Definition": 100_210}), &info(film(640, 360))).unwrap();
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
}

#[test]
fn a_source_without_what_is_wanted_is_its_own_kind_of_failure() {
    let fault = |container: &str, video: &Value, audio: &Value, info: &MediaInfo| {
        let source = SourceName::from_key("/in/Animal.mp4");
        let place = Place { source: &source, directory: None, storage: &Value::Null };
        let step = from_wire(
            &Item {
                nth: 0,
                value: &raw(container, video, audio),
                template: None,
                place,
                marks: &[],
                given: &[],
            },
            &everything(),
        )
        .unwrap();
        let error = plan(&step, info, "1-WorkflowTask-0tt1", &everything()).unwrap_err();
        let failure = Failure::from_error(&error);
        (failure.code, failure.word)
    };
    let sound = MediaInfo { video: Vec::new(), ..info(film(640, 360)) };
    let mute = MediaInfo { audio: Vec::new(), ..info(film(640, 360)) };
    let told = |code: i64, word: &str| (code, word.to_owned());
    assert_eq!(fault("mp4", &json!({}), &Value::Null, &sound), told(60_000, "SourceFileError.NoVideoMedia"));
    assert_eq!(fault("mp4", &Value::Null, &json!({}), &mute), told(60_000, "SourceFileError"));
    let copy = json!({"Codec": "copy"});
    let wmv = VideoStream { codec: "wmv3".to_owned(), ..film(640, 360) };
    assert_eq!(fault("mp4", &copy, &Value::Null, &info(wmv)), told(40_000, "InvalidInput"));
}
