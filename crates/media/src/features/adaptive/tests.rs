//! Plans of ladders as they are given to the tools, and what they refuse.

use std::fmt::Write as _;
use std::sync::Arc;

use mps_core::media_info::{AudioStream, MediaInfo, Ratio, VideoStream};
use mps_core::task::Failure;
use serde_json::{Value, json};

use super::AdaptiveDynamicStreaming;
use crate::features::item::definition;
use crate::features::marks::Found;
use crate::features::transcode::testing::{everything, film, info};
use crate::features::{Feature, Given, Item, Place};
use crate::names::SourceName;
use crate::package::{HlsPart, Package};
use crate::plan::{Arg, Build, Output, Plan, Tool};
use crate::presets;
use crate::templates::merge;

fn preset(number: i64) -> Value {
    let all = presets::adaptive_dynamic_streaming::all();
    all.into_iter().find(|preset| preset.definition == number).map(|preset| preset.body).unwrap()
}

fn rung(height: u32, kbps: u32) -> Value {
    json!({
        "Video": {"Codec": "h264", "Fps": 25, "Bitrate": kbps, "Height": height},
        "Audio": {"Codec": "aac", "Bitrate": 64, "SampleRate": 48000},
    })
}

fn template(more: &Value) -> Value {
    let mut body = json!({"Format": "HLS", "StreamInfos": [rung(360, 400), rung(720, 1800)]});
    merge(&mut body, more);
    body
}

fn read_with(item: &Value, template: &Value, build: &Build) -> Result<Value, String> {
    let body =
        json!({"Type": "image", "XPos": "10%", "ImageTemplate": {"ImageKey": "a.png", "Width": "10%"}});
    let found = |mark: &Value| Found {
        template: mark["Definition"].as_i64().filter(|id| *id > 0).map(|_| Arc::new(body.clone())),
        picture: None,
    };
    let marks: Vec<Found> = item["WatermarkSet"].as_array().into_iter().flatten().map(found).collect();
    let source = SourceName::from_key("/in/Animal.mp4");
    let place = Place { source: &source, directory: Some("/out/"), storage: &Value::Null };
    let mut given = Vec::new();
    for (list, member) in AdaptiveDynamicStreaming.inputs() {
        for (nth, file) in item[*list].as_array().into_iter().flatten().enumerate() {
            if file[*member].is_null() {
                continue;
            }
            given.push(Given { path: format!("{list}.{nth}.{member}"), input: file[*member].clone() });
        }
    }
    let item = Item { nth: 0, value: item, template: Some(template), place, marks: &marks, given: &given };
    AdaptiveDynamicStreaming
        .from_wire(&item, build)
        .map_err(|error| format!("{}: {}", error.code, error.message))
}

fn read(item: &Value, template: &Value) -> Result<Value, String> {
    read_with(item, template, &everything())
}

fn plan(item: &Value, template: &Value, info: &MediaInfo) -> Result<Plan, String> {
    let params = read(item, template)?;
    let plan = AdaptiveDynamicStreaming.plan(&params, info, "1-WorkflowTask-0tt1", &everything());
    plan.map_err(|error| error.message().to_owned())
}

fn ten() -> Value {
    json!({"Definition": 10})
}

/// The command lines, an option to a line, and the objects.
fn told(plan: &Plan) -> String {
    let mut out = String::new();
    for command in &plan.commands {
        out.push_str(if command.tool == Tool::Packager { "packager" } else { "ffmpeg" });
        for arg in &command.args {
            match arg {
                Arg::Text(text) if text.starts_with('-') && !text.starts_with("-1") && text.len() > 2 => {
                    let _ = write!(out, "\n  {text}");
                }
                Arg::Text(text) if text.starts_with("in=") => {
                    let _ = write!(out, "\n  {text}");
                }
                Arg::Text(text) => {
                    let _ = write!(out, " {text}");
                }
                Arg::Source | Arg::Input(_) => out.push_str(" <source>"),
                Arg::File(file) => {
                    let _ = write!(out, "\n  <{file}>");
                }
            }
        }
        out.push('\n');
    }
    let Some(Output::Package { package }) = plan.outputs.first() else { panic!("no package") };
    let _ = writeln!(out, "=> {}", package.key());
    for stream in package.told().unwrap() {
        let _ = writeln!(out, "   {stream}");
    }
    out.replace("[v", "\n   [v").replace(';', ";\n   ")
}

fn package(plan: &Plan) -> &Package {
    let Some(Output::Package { package }) = plan.outputs.first() else { panic!("no package") };
    package
}

/// Sizes of the variants in the order of the manifest.
fn sizes(plan: &Plan) -> Vec<Option<(u32, u32)>> {
    let Package::Hls(package) = package(plan) else { panic!("not HLS") };
    package.variants.iter().map(|variant| variant.size).collect()
}

#[test]
fn a_preset_on_a_plain_source() {
    insta::assert_snapshot!(told(&plan(&ten(), &preset(10), &info(film(1920, 1080))).unwrap()));
}

#[test]
fn the_same_as_dash() {
    insta::assert_snapshot!(told(
        &plan(&json!({"Definition": 20}), &preset(20), &info(film(1280, 720))).unwrap()
    ));
}

#[test]
fn sound_alone() {
    insta::assert_snapshot!(told(
        &plan(&json!({"Definition": 30}), &preset(30), &info(film(1280, 720))).unwrap()
    ));
}

#[test]
fn sound_apart_with_tracks_and_subtitles_of_the_callers() {
    let item = json!({
        "Definition": 1,
        "AddOnSubtitles": [{"Subtitle": {"Type": "URL"}, "SubtitleName": "中文", "SubtitleLanguage": "chi"}],
        "AddOnAudios": [{"InputInfo": {"Type": "URL"}, "AudioName": "Comment", "AudioLanguage": "eng"}],
        "SegmentObjectName": "{subStreamNumber}/{segmentNumber}",
    });
    let body = template(&json!({"SegmentType": "mp4-mp4-segment"}));
    let plan = plan(&item, &body, &info(film(1280, 720))).unwrap();
    assert_eq!(plan.fetch.len(), 2);
    let Package::Hls(package) = package(&plan) else { panic!("not HLS") };
    insta::assert_debug_snapshot!((&package.variants, &package.renditions));
    insta::assert_snapshot!(told(&plan));
}

#[test]
fn other_codecs_bars_and_key_times() {
    let mut body = template(&json!({"SegmentType": "mp4-segment"}));
    body["StreamInfos"][0]["Video"]["Codec"] = json!("h265");
    body["StreamInfos"][1]["Video"]["Codec"] = json!("av1");
    for (nth, fill) in [(0, "gauss"), (1, "white")] {
        merge(
            &mut body["StreamInfos"][nth]["Video"],
            &json!({"Width": 640 * (nth + 1), "Height": 360 * (nth + 1), "FillType": fill, "Gop": 50, "HlsTime": 4}),
        );
    }
    let item = json!({"Definition": 1, "KeyPTSList": [3000, 1234]});
    insta::assert_snapshot!(told(&plan(&item, &body, &info(film(960, 720))).unwrap()));
}

#[test]
fn packed_audio_beside_transport_streams() {
    let body = template(&json!({"SegmentType": "ts-packed-audio"}));
    insta::assert_snapshot!(told(&plan(&ten(), &body, &info(film(640, 360))).unwrap()));
}

#[test]
fn watermarks_are_laid_over_each_stream_in_its_own_size() {
    let item = json!({"Definition": 1, "WatermarkSet": [{"Definition": 7}]});
    let plan = plan(&item, &template(&json!({})), &info(film(1280, 720))).unwrap();
    // One file, looked through once, read for each stream.
    assert_eq!((plan.fetch.len(), plan.commands.len()), (1, 3));
    let text = told(&plan);
    for (size, input, pad) in [(64, 1, 0), (128, 2, 1)] {
        assert!(text.contains(&format!("[{input}:v]scale=w={size}:")), "{text}");
        assert!(
            text.contains(&format!("[below{pad}]")) && text.contains(&format!("[marked{pad}]")),
            "{text}"
        );
    }
    let item = json!({"Definition": 30, "WatermarkSet": [{"Definition": 7}]});
    assert!(read(&item, &preset(30)).unwrap_err().contains("WatermarkSet"));
}

#[test]
fn what_would_only_enlarge_is_left_out_but_never_everything() {
    let of = |width, height, bps, more: Value| {
        let mut source = info(film(width, height));
        source.video[0].bit_rate_bps = bps;
        sizes(&plan(&ten(), &template(&more), &source).unwrap())
    };
    let size = |w, h| Some((w, h));
    assert_eq!(of(640, 360, 9_000_000, json!({})), [size(640, 360), size(1280, 720)]);
    let no_larger = json!({"DisableHigherVideoResolution": 1});
    assert_eq!(of(640, 360, 9_000_000, no_larger.clone()), [size(640, 360)]);
    assert_eq!(of(320, 180, 9_000_000, no_larger.clone()), [size(320, 180)]);
    // On its side.
    assert_eq!(of(720, 1280, 9_000_000, no_larger), [size(360, 640), size(720, 1280)]);
    let no_richer = json!({"DisableHigherVideoBitrate": 1});
    assert_eq!(of(1280, 720, 1_000_000, no_richer.clone()), [size(640, 360)]);
    assert_eq!(of(1280, 720, 200_000, no_richer.clone()), [size(640, 360)]);
    let mut source = info(film(1280, 720));
    source.video[0].bit_rate_bps = 200_000;
    let plan = plan(&ten(), &template(&no_richer), &source).unwrap();
    assert!(told(&plan).contains("-b:v 200000"), "{}", told(&plan));
}

#[test]
fn all_streams_have_the_frame_rate_of_the_first() {
    let mut body = template(&json!({}));
    body["StreamInfos"][0]["Video"]["Fps"] = json!(30);
    let text = told(&plan(&ten(), &body, &info(film(1280, 720))).unwrap());
    assert_eq!(text.matches("fps=fps=30/1").count(), 1, "{text}");
    body["StreamInfos"][0]["Video"]["Fps"] = json!(0);
    let text = told(&plan(&ten(), &body, &info(film(1280, 720))).unwrap());
    assert!(!text.contains("fps=fps="), "{text}");
    assert_eq!(text.matches("-fps_mode vfr").count(), 2, "{text}");
}

#[test]
fn key_frames_of_streams_with_other_distances_meet_at_the_segments() {
    let mut body = template(&json!({}));
    body["StreamInfos"][0]["Video"]["Gop"] = json!(50);
    body["StreamInfos"][1]["Video"]["Gop"] = json!(100);
    let forced = |body: &Value, source: &MediaInfo| -> Vec<String> {
        let text = told(&plan(&ten(), body, source).unwrap());
        text.lines()
            .filter_map(|line| line.trim().strip_prefix("-force_key_frames "))
            .map(|line| line.replace(" -f mp4", ""))
            .collect()
    };
    // The segments are 6 s: two and three seconds divide them.
    assert_eq!(forced(&body, &info(film(1280, 720))), ["expr:gte(t,n_forced*2)", "expr:gte(t,n_forced*3)"]);
    body["StreamInfos"][0]["Video"]["Gop"] = json!(100);
    assert_eq!(forced(&body, &info(film(1280, 720)))[0], "expr:gte(t+0.001,n_forced*100*1/25)");
    let source = VideoStream { average_fps: Ratio::new(24_000, 1001), ..film(1280, 720) };
    body["StreamInfos"][0]["Video"]["Fps"] = json!(0);
    assert_eq!(forced(&body, &info(source))[0], "expr:gte(t+0.001,n_forced*100*1001/24000)");
}

#[test]
fn a_source_that_lacks_what_is_wanted_is_told() {
    let mut silent = info(film(1280, 720));
    silent.audio.clear();
    let mut blind = info(film(1280, 720));
    blind.video.clear();
    assert_eq!(sizes(&plan(&ten(), &preset(10), &silent).unwrap()).len(), 3);
    assert_eq!(plan(&ten(), &preset(10), &blind).unwrap_err(), "the source has no video");
    assert_eq!(
        plan(&json!({"Definition": 30}), &preset(30), &silent).unwrap_err(),
        "the source has no audio"
    );
    let params = read(&ten(), &preset(10)).unwrap();
    let error = AdaptiveDynamicStreaming.plan(&params, &blind, "t", &everything()).unwrap_err();
    assert_eq!(Failure::from_error(&error).word, "SourceFileError.NoVideoMedia");
    let late = MediaInfo { start_us: 1_400_000, ..info(film(1280, 720)) };
    let mut body = template(&json!({}));
    body["StreamInfos"][0]["Video"]["RawPts"] = json!(1);
    assert!(plan(&ten(), &body, &late).unwrap_err().contains("RawPts"));
    assert!(plan(&ten(), &body, &info(film(1280, 720))).is_ok());
}

#[test]
fn a_stream_without_pictures_beside_others_is_a_choice_of_its_own() {
    let mut body = template(&json!({}));
    body["StreamInfos"][0]["RemoveVideo"] = json!(1);
    let plan = plan(&ten(), &body, &info(film(1280, 720))).unwrap();
    assert_eq!(sizes(&plan), [None, Some((1280, 720))]);
    // Both take the one sound.
    assert_eq!(plan.commands[0].args.iter().filter(|arg| **arg == Arg::from("aac")).count(), 1);
}

#[test]
fn two_tracks_of_a_stream_lie_apart_and_the_default_comes_first() {
    let mut body = template(&json!({}));
    let track = |language: &str, is_default: bool| {
        json!({"Codec": "aac", "Bitrate": 64, "SampleRate": 48000, "AudioLanguage": language,
            "AudioName": format!("in {language}"), "DefaultTrack": is_default})
    };
    body["StreamInfos"][0]["AudioList"] = json!([track("chi", false), track("eng", true)]);
    let plan = plan(&ten(), &body, &info(film(1280, 720))).unwrap();
    let Package::Hls(package) = package(&plan) else { panic!("not HLS") };
    let names: Vec<_> =
        package.renditions.iter().map(|r| (r.name.as_str(), r.is_default, r.group.as_str())).collect();
    assert_eq!(
        names,
        [("in eng", true, "sound-0"), ("in chi", false, "sound-0"), ("Audio 1", true, "sound-1")]
    );
    assert_eq!(package.parts.len(), 5);
    assert!(matches!(&package.parts[4], HlsPart::Media { packaging, .. } if packaging.extension == "ts"));
}

#[test]
fn a_track_is_that_stream_of_the_source() {
    let mut source = info(film(1280, 720));
    source.audio.push(AudioStream { index: 3, language: "deu".to_owned(), ..source.audio[0].clone() });
    let track = |number: u32| {
        json!({"Codec": "aac", "Bitrate": 64, "SampleRate": 48000,
            "TrackChannelInfo": {"SelectType": "track", "InputTrackInfo": [{"TrackNum": number.to_string()}]}})
    };
    let mut body = template(&json!({"StreamInfos": [rung(360, 400)]}));
    body["StreamInfos"][0]["AudioList"] = json!([track(1), track(3)]);
    let made = plan(&ten(), &body, &source).unwrap();
    let text = told(&made);
    assert!(text.contains("-map 0:1") && text.contains("-map 0:3"), "{text}");
    let Package::Hls(package) = package(&made) else { panic!("not HLS") };
    assert_eq!(package.renditions[1].language.as_deref(), Some("de"));
    source.audio.pop();
    assert!(plan(&ten(), &body, &source).unwrap_err().contains("TrackNum 3"));
}

#[test]
fn members_are_refused_by_name() {
    let of = |item: Value, body: Value| read(&item, &body).err().unwrap_or_default();
    let with = |name: &str, value: Value| {
        let mut item = ten();
        item[name] = value;
        of(item, template(&json!({})))
    };
    let subtitle = |more: Value| {
        let mut text = json!({"Subtitle": {"Type": "URL"}});
        merge(&mut text, &more);
        with("AddOnSubtitles", json!([text]))
    };
    for (told, code, words) in [
        (with("DefinitionType", json!("PureAudio")), "InvalidParameterValue", "DefinitionType"),
        (with("DefinitionType", json!("x")), "InvalidParameterValue", "DefinitionType"),
        (with("KeyPTSList", json!([-1])), "InvalidParameterValue", "KeyPTSList"),
        (with("KeyPTSList", json!(vec![1; 1001])), "InvalidParameterValue", "KeyPTSList"),
        (with("OutputObjectPath", json!("../x")), "InvalidParameterValue", "OutputObjectPath"),
        (with("OutputObjectPath", json!("{segmentNumber}")), "InvalidParameterValue", "OutputObjectPath"),
        (
            with("SubStreamObjectName", json!("/x_{subStreamNumber}")),
            "InvalidParameterValue",
            "SubStreamObjectName",
        ),
        (with("SubStreamObjectName", json!("same")), "InvalidParameterValue", "subStreamNumber"),
        (with("SegmentObjectName", json!("{segmentNumber}")), "InvalidParameterValue", "subStreamNumber"),
        (with("SegmentObjectName", json!("{subStreamNumber}")), "InvalidParameterValue", "segmentNumber"),
        (
            with("StdExtStreamInfos", json!(vec![rung(360, 400); 11])),
            "InvalidParameterValue",
            "StdExtStreamInfos",
        ),
        (with("AddOnAudios", json!([{"AudioName": "x"}])), "MissingParameter", "AddOnAudios.0.InputInfo"),
        (subtitle(json!({"Type": "close-caption-708"})), "UnsupportedOperation", "AddOnSubtitles.0.Type"),
        (subtitle(json!({"Type": "x"})), "InvalidParameterValue", "AddOnSubtitles.0.Type"),
        (subtitle(json!({"OutputFormat": "TTML"})), "UnsupportedOperation", "OutputFormat"),
        (subtitle(json!({"SubtitleName": "x".repeat(65)})), "InvalidParameterValue", "SubtitleName"),
        (subtitle(json!({"SubtitleLanguage": "a,b"})), "InvalidParameterValue", "SubtitleLanguage"),
    ] {
        assert!(told.starts_with(code) && told.contains(words), "{told} instead of {code} {words}");
        assert!(told.contains("AdaptiveDynamicStreamingTaskSet.0"), "{told}");
    }
    let item =
        json!({"Definition": 1, "SubStreamObjectName": "{inputName}", "OutputObjectPath": "{inputName}"});
    let one = template(&json!({"StreamInfos": [rung(360, 400)]}));
    assert!(of(item, one).contains("the name of the manifest"));
    let dash = template(&json!({"Format": "MPEG-DASH"}));
    assert!(
        of(json!({"Definition": 1, "SegmentObjectName": "x"}), dash.clone()).contains("SegmentObjectName")
    );
}

#[test]
fn streams_are_refused_with_their_number() {
    let of = |pointer: &str, value: Value, more: Value| {
        let mut body = template(&more);
        merge(body.pointer_mut(pointer).unwrap(), &value);
        read(&ten(), &body).err().unwrap_or_default()
    };
    let mp4 = json!({"SegmentType": "mp4-segment"});
    let dash = json!({"Format": "MPEG-DASH"});
    let second = "/StreamInfos/1";
    let av1 = json!({"Video": {"Codec": "av1"}});
    let h266 = json!({"Video": {"Codec": "h266"}});
    let mp3 = json!({"Audio": {"Codec": "mp3"}});
    assert!(
        of(second, av1.clone(), json!({})).contains("StreamInfos.1"),
        "{}",
        of(second, av1.clone(), json!({}))
    );
    assert_eq!(of(second, av1.clone(), mp4), "");
    assert_eq!(of(second, av1, dash.clone()), "");
    assert!(of(second, h266, dash.clone()).contains("h266"));
    assert!(of(second, mp3.clone(), dash).contains("mp3"));
    assert!(of(second, mp3.clone(), json!({"SegmentType": "ts-packed-audio"})).contains("mp3"));
    assert_eq!(of(second, mp3, json!({})), "");
    let track = |info: Value| json!({"Audio": {"Bitrate": 64, "TrackChannelInfo": info}});
    let one = json!([{"TrackNum": "2"}]);
    assert_eq!(of(second, track(json!({"SelectType": "track", "InputTrackInfo": one})), json!({})), "");
    for (info, member) in [
        (json!({"ChannelsRemix": 1}), "ChannelsRemix"),
        (json!({"InputTrackInfo": [{"TrackNum": "1", "ChannelVolume": [6]}]}), "ChannelVolume"),
        (json!({"InputTrackInfo": [{"TrackNum": "1.1"}]}), "TrackNum"),
    ] {
        let told = of(second, track(info), json!({}));
        assert!(told.contains(member) && told.contains("StreamInfos.1"), "{told}");
    }
    let scene = json!({"Video": {"ScenarioBased": 1}});
    assert!(of(second, scene, json!({})).contains("ScenarioBased"));
}

#[test]
fn a_missing_encoder_is_refused_in_the_call() {
    let build = Build::with(["libx264", "aac"], []);
    let mut body = template(&json!({}));
    body["StreamInfos"][1]["Video"]["Codec"] = json!("h265");
    let told = read_with(&ten(), &body, &build).unwrap_err();
    assert!(told.starts_with("UnsupportedOperation") && told.contains("libx265"), "{told}");
    assert!(told.contains("StreamInfos.1"), "{told}");
    let no_packager = Build { has_packager: false, ..everything() };
    let of = |kind: &str| read_with(&ten(), &template(&json!({"SegmentType": kind})), &no_packager);
    assert!(of("mp4-mp4-segment").unwrap_err().starts_with("UnsupportedOperation"));
    assert!(of("ts-packed-audio").unwrap_err().contains("packager"));
    assert!(of("mp4-segment").is_ok() && of("ts-ts-byterange").is_ok());
}

#[test]
fn streams_of_the_call_stand_for_those_of_the_template() {
    let item = json!({"Definition": 10, "StdExtStreamInfos": [rung(480, 700)]});
    assert_eq!(sizes(&plan(&item, &preset(10), &info(film(1920, 1080))).unwrap()), [Some((854, 480))]);
}

#[test]
fn a_finished_ladder_is_told_with_its_package_and_manifest() {
    use crate::features::{Made, Object};
    use crate::plan::Role;
    let params = read(&ten(), &preset(10)).unwrap();
    let plan = AdaptiveDynamicStreaming.plan(&params, &info(film(1920, 1080)), "t", &everything()).unwrap();
    let objects = [
        Object { key: "/out/a_0.ts", size_bytes: 900, md5: "", role: Role::Segment },
        Object { key: "/out/a.m3u8", size_bytes: 100, md5: "m", role: Role::Playlist },
    ];
    let source = MediaInfo::default();
    let made = Made { facts: &plan.facts, objects: &objects, info: &source, playlist_us: 60_000_000 };
    let result = AdaptiveDynamicStreaming.result(&params, &made).unwrap();
    assert_eq!((&result["path"], &result["size_bytes"]), (&json!("/out/a.m3u8"), &json!(1000)));
    let used = AdaptiveDynamicStreaming.usage(&params, &made);
    let used: Vec<_> = used.iter().map(|used| (used.item.as_str(), used.amount)).collect();
    assert_eq!(
        used,
        [
            ("transcode.h264.360p", 60_000),
            ("transcode.h264.540p", 60_000),
            ("transcode.h264.720p", 60_000),
            ("transcode.h264.1080p", 60_000)
        ]
    );
}

#[test]
fn the_sound_of_a_source_is_coded_once_for_all_that_want_it_alike() {
    let mut source = info(film(1920, 1080));
    source.audio[0] = AudioStream { channels: 6, ..source.audio[0].clone() };
    let plan = plan(&ten(), &preset(10), &source).unwrap();
    let coded = plan.commands[0].args.iter().filter(|arg| **arg == Arg::from("-c:a")).count();
    assert_eq!(coded, 2);
    assert_eq!(definition(&ten()), 10);
}
