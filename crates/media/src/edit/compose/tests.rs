use mps_core::MediaInfo;
use mps_core::media_info::{Ratio, VideoStream};
use mps_wire::types::EditMediaRequest;
use serde_json::{Value, json};

use crate::edit::{self, Call, Params};
use crate::features::transcode::testing::{everything, film, info};
use crate::names::SourceName;
use crate::plan::{Arg, Build, Extra, Output, Plan};

pub(in crate::edit) fn build() -> Build {
    let usual = everything();
    let filters = ["concat", "tpad", "overlay", "amix", "adelay", "xfade", "ass"].map(str::to_owned);
    let fonts = ["Noto Sans CJK SC", "Noto Serif CJK SC", "Liberation Sans"].map(str::to_owned).into();
    Build { filters: usual.filters.iter().cloned().chain(filters).collect(), fonts, ..usual }
}

/// The params of a request for these media.
pub(in crate::edit) fn read(request: &Value) -> Result<Params, String> {
    let request: EditMediaRequest = serde_json::from_value(request.clone()).unwrap();
    let count = request.file_infos.as_ref().map_or(0, Vec::len);
    let call = Call {
        inputs: vec![Value::Null; count],
        source: SourceName::from_key("in/film.mkv"),
        storage: json!({"Type": "COS"}),
    };
    edit::from_wire(&request, call, &build()).map_err(|e| format!("{}: {}", e.code, e.message))
}

/// A plan in lines, as a person would read it.
pub(in crate::edit) fn told(plan: &Plan) -> String {
    let word = |arg: &Arg| match arg {
        Arg::Text(text) => text.replace(';', ";\n"),
        Arg::Source => "SOURCE".to_owned(),
        Arg::Input(nth) => format!("INPUT{nth}"),
        Arg::File(name) => format!("<{name}>"),
    };
    let mut lines: Vec<String> =
        plan.commands.iter().map(|c| c.args.iter().map(word).collect::<Vec<_>>().join(" ")).collect();
    for fetch in &plan.fetch {
        if let Extra::Text(text) = &fetch.from {
            lines.push(format!("{}:\n{text}", fetch.file));
        }
    }
    for output in &plan.outputs {
        lines.push(match output {
            Output::File { file, key, content_type, .. } => format!("{file} -> {key} {content_type}"),
            Output::Text { text, key, .. } => format!("{key}\n{text}"),
            Output::Package { .. } => unreachable!("edits make no manifests"),
            Output::Hls { file, packaging } => format!("{file} -> {}", packaging.playlist_key),
        });
    }
    lines.join("\n")
}

fn still() -> MediaInfo {
    let picture = VideoStream {
        codec: "png".to_owned(),
        pixel_format: "rgba".to_owned(),
        duration_us: 0,
        ..film(200, 100)
    };
    MediaInfo { format: "png_pipe".to_owned(), duration_us: 0, audio: Vec::new(), ..info(picture) }
}

fn tone() -> MediaInfo {
    MediaInfo { format: "mp3".to_owned(), video: Vec::new(), ..info(film(1, 1)) }
}

fn media(kind: &str, id: &str, more: &Value) -> Value {
    let mut body = json!({"SourceMedia": {"FileId": id}});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"Type": kind, kind: body})
}

fn request(tracks: &Value) -> Value {
    json!({
        "FileInfos": [{"Id": "film"}, {"Id": "logo"}, {"Id": "music"}],
        "OutputObjectPath": "/out/",
        "ComposeConfig": {"Tracks": tracks, "Styles": [{"Id": "s", "Type": "Subtitle", "Subtitle": {}}]},
    })
}

fn planned(request: &Value) -> Result<Plan, String> {
    let params = read(request)?;
    let infos = [info(film(1280, 720)), still(), tone()];
    edit::plan(&params, &infos, "1-EditMedia-2", &build()).map_err(|e| e.message().to_owned())
}

fn refused(tracks: &Value) -> String {
    planned(&request(tracks)).unwrap_err()
}

#[test]
fn an_element_over_a_film_with_music() {
    let logo =
        json!({"XPos": "85%", "YPos": "10%", "Width": "15%", "TrackTime": {"Start": "2s", "Duration": "5s"}});
    let stretch = json!({"SourceMedia": {"FileId": "film", "StartTime": "10s", "EndTime": "20s"},
        "AudioOperations": [{"Type": "Volume", "Volume": 0.5}]});
    let tracks = json!([
        {"Type": "Video", "Items": [media("Image", "logo", &logo)]},
        {"Type": "Video", "Items": [media("Video", "film", &stretch)]},
        {"Type": "Audio", "Items": [media("Audio", "music", &json!({"TrackTime": {"Start": "1.5s", "Duration": "4s"}}))]},
    ]);
    insta::assert_snapshot!(told(&planned(&request(&tracks)).unwrap()));
}

#[test]
fn a_transition_and_a_title() {
    let second = json!({"ImageOperations": [{"Type": "Rotate", "RotateAngle": 30}, {"Type": "Flip", "FlipType": "Vertical"}],
        "TrackTime": {"Duration": "3s"}});
    let title = json!({"StyleId": "s", "Text": "片头 – Привет\\nдва", "TrackTime": {"Duration": "2s"}});
    let tracks = json!([
        {"Type": "Title", "Items": [{"Type": "Subtitle", "Subtitle": title}]},
        {"Type": "Video", "Items": [
            media("Video", "film", &json!({"TrackTime": {"Duration": "4s"}})),
            {"Type": "Transition", "Transition": {"Duration": "2.9s"}},
            media("Image", "logo", &second),
        ]},
    ]);
    let mut request = request(&tracks);
    request["ComposeConfig"]["Canvas"] = json!({"Width": 640, "Height": 361, "Color": "#102030"});
    request["ComposeConfig"]["TargetInfo"] =
        json!({"VideoStream": {"Fps": 30, "Bitrate": 900}, "AudioStream": {"SampleRate": 44100}});
    insta::assert_snapshot!(told(&planned(&request).unwrap()));
}

#[test]
fn media_are_used_as_often_as_they_are_named() {
    let part = |from: &str| json!({"SourceMedia": {"FileId": "film", "StartTime": from}, "TrackTime": {"Duration": "1s"}});
    let tracks = json!([{"Type": "Video", "Items": [media("Video", "film", &part("50%")), media("Video", "film", &part("1s"))]}]);
    let line = told(&planned(&request(&tracks)).unwrap());
    assert_eq!(line.matches("INPUT0").count(), 4, "twice for the pictures and twice for the sound: {line}");
    assert!(line.contains("-ss 29.000000 -t 4.000000 -i INPUT0"), "{line}");
    assert!(!line.contains("INPUT1"), "{line}");
}

#[test]
fn what_cannot_be_is_refused_by_its_name() {
    let image = |more: Value| media("Image", "logo", &more);
    let on = |kind: &str, items: Value| json!([{"Type": kind, "Items": items}]);
    let transition = |more: Value| json!({"Type": "Transition", "Transition": more});
    for (tracks, word) in [
        (json!([]), "ComposeConfig.Tracks"),
        (on("Picture", json!([image(json!({}))])), "Tracks.0.Type"),
        (on("Video", json!([])), "Tracks.0.Items"),
        (on("Audio", json!([image(json!({}))])), "Items.0.Type"),
        (on("Video", json!([{"Type": "Image", "Video": {}}])), "Items.0.Video"),
        (on("Video", json!([{"Type": "Image"}])), "Items.0.Image"),
        (on("Video", json!([media("Image", "none", &json!({}))])), "SourceMedia.FileId"),
        (on("Video", json!([image(json!({"XPos": "10"}))])), "Image.XPos"),
        (on("Video", json!([image(json!({"Width": "9000px"}))])), "Image.Width"),
        (on("Video", json!([image(json!({"TrackTime": {"Start": "1"}}))])), "TrackTime.Start"),
        (on("Video", json!([image(json!({"TrackTime": {"Duration": "0s"}}))])), "TrackTime.Duration"),
        (
            on(
                "Video",
                json!([image(json!({"ImageOperations": [{"Type": "Rotate", "RotateAngle": 361.0}]}))]),
            ),
            "RotateAngle",
        ),
        (
            on("Video", json!([image(json!({"ImageOperations": [{"Type": "Flip", "FlipType": "Both"}]}))])),
            "FlipType",
        ),
        (
            on(
                "Video",
                json!([media(
                    "Video",
                    "film",
                    &json!({"AudioOperations": [{"Type": "Volume", "Volume": 6.0}]})
                )]),
            ),
            "Volume",
        ),
        (on("Video", json!([transition(json!({})), image(json!({}))])), "Items.0"),
        (on("Video", json!([image(json!({})), transition(json!({}))])), "Items.1"),
        (
            on("Video", json!([image(json!({})), transition(json!({"Duration": "0.5s"})), image(json!({}))])),
            "Duration",
        ),
        (
            on(
                "Video",
                json!([
                    image(json!({})),
                    transition(json!({"Transitions": [{"Type": "Sparkle"}]})),
                    image(json!({}))
                ]),
            ),
            "Transitions.0.Type",
        ),
        (on("Video", json!([{"Type": "Empty", "Empty": {}}])), "Empty.Duration"),
        (on("Title", json!([{"Type": "Subtitle", "Subtitle": {"StyleId": "none", "Text": "x"}}])), "StyleId"),
        (
            on("Title", json!([{"Type": "Subtitle", "Subtitle": {"StyleId": "s", "Text": ""}}])),
            "Subtitle.Text",
        ),
    ] {
        let told = refused(&tracks);
        assert!(told.contains(word), "{tracks}: {told}");
        assert!(told.starts_with("InvalidParameterValue") || told.starts_with("MissingParameter"), "{told}");
    }
    for (at, value, word) in [
        ("/Canvas", json!({"Width": 4000}), "Canvas.Width"),
        ("/Canvas", json!({"Color": "red"}), "Canvas.Color"),
        ("/Canvas", json!({"Color": "#00000080"}), "Canvas.Color"),
        ("/TargetInfo", json!({"Container": "mov"}), "TargetInfo.Container"),
        ("/TargetInfo", json!({"RemoveVideo": 2}), "RemoveVideo"),
        ("/TargetInfo", json!({"RemoveVideo": 1, "RemoveAudio": 1}), "RemoveAudio"),
        ("/TargetInfo", json!({"VideoStream": {"Codec": "H.265"}}), "VideoStream.Codec"),
        ("/TargetInfo", json!({"VideoStream": {"Fps": 61}}), "VideoStream.Fps"),
        ("/TargetInfo", json!({"VideoStream": {"Bitrate": 49}}), "VideoStream.Bitrate"),
        ("/TargetInfo", json!({"AudioStream": {"Codec": "MP3"}}), "AudioStream.Codec"),
        ("/TargetInfo", json!({"AudioStream": {"SampleRate": 8000}}), "SampleRate"),
        ("/TargetInfo", json!({"AudioStream": {"AudioChannel": 3}}), "AudioChannel"),
        ("/Styles", json!([{"Id": "a b", "Type": "Subtitle"}]), "Styles.0.Id"),
        ("/Styles", json!([{"Id": "a", "Type": "Picture"}]), "Styles.0.Type"),
        ("/Styles", json!([{"Id": "a", "Type": "Subtitle", "Subtitle": {"FontType": "Comic"}}]), "FontType"),
        ("/Styles", json!([{"Id": "a", "Type": "Subtitle", "Subtitle": {"FontColor": "red"}}]), "FontColor"),
        ("/Styles", json!([{"Id": "a", "Type": "Subtitle", "Subtitle": {"FontAlign": "Top"}}]), "FontAlign"),
    ] {
        let mut request = request(&on("Video", json!([image(json!({}))])));
        request["ComposeConfig"][&at[1..]] = value.clone();
        let told = planned(&request).unwrap_err();
        assert!(told.contains(word), "{value}: {told}");
    }
}

#[test]
fn what_only_the_media_tell_is_found_by_the_plan() {
    let tracks = |items: Value| json!([{"Type": "Video", "Items": items}]);
    let film = |more: Value| media("Video", "film", &more);
    for (items, word) in [
        (json!([film(json!({})), film(json!({"TrackTime": {"Start": "59s"}}))]), "overlaps"),
        (json!([film(json!({"SourceMedia": {"FileId": "film", "StartTime": "61s"}}))]), "StartTime"),
        (
            json!([media("Image", "logo", &json!({})), {"Type": "Transition"}, film(json!({}))]),
            "the element before it",
        ),
        (json!([media("Image", "music", &json!({}))]), "no pictures"),
    ] {
        let told = refused(&tracks(items.clone()));
        assert!(told.contains(word), "{items}: {told}");
        assert!(told.contains("Tracks.0.Items."), "{told}");
    }
    let hidden = json!({"AudioOperations": [{"Type": "Volume", "Volume": 0.0}]});
    let silent = json!([{"Type": "Audio", "Items": [media("Audio", "music", &hidden)]}]);
    assert!(refused(&silent).contains("nothing remains"));
}

#[test]
fn a_rate_and_a_size_left_open_are_those_of_the_first_film() {
    let ntsc = VideoStream {
        average_fps: Ratio::new(24_000, 1001),
        base_fps: Ratio::new(24_000, 1001),
        ..film(854, 480)
    };
    let tracks = json!([{"Type": "Video", "Items": [media("Image", "logo", &json!({}))]}]);
    let params = read(&request(&tracks)).unwrap();
    let plan = edit::plan(&params, &[still(), info(ntsc), tone()], "t", &build());
    // The logo's medium has come first, and only the film moves.
    let line = told(&plan.unwrap());
    assert!(line.contains("s=854x480:r=24000/1001"), "{line}");
}
