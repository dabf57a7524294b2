use serde_json::{Value, json};

use super::*;

fn code(body: Value) -> String {
    let body = serde_json::from_value(body).unwrap();
    check(&body).map_or_else(|error| error.code.into_owned(), |_| "ok".to_owned())
}

/// A good body with one member of the video (`v.`), the audio (`a.`) or the top changed.
fn with(changes: &[(&str, Value)]) -> Value {
    let mut body = json!({
        "Container": "mp4",
        "VideoTemplate": {"Codec": "h264", "Fps": 25, "Bitrate": 1000},
        "AudioTemplate": {"Codec": "aac", "Bitrate": 128, "SampleRate": 44100},
    });
    for (path, value) in changes {
        let place = match path.split_once('.') {
            Some(("v", name)) => &mut body["VideoTemplate"][name],
            Some((_, name)) => &mut body["AudioTemplate"][name],
            None => &mut body[*path],
        };
        *place = value.clone();
    }
    body
}

#[test]
fn ranges_are_refused_by_their_own_codes() {
    let cases: &[(&str, Value, &str)] = &[
        ("Container", json!("xyz"), "Container"),
        ("RemoveVideo", json!(2), "RemoveVideo"),
        ("RemoveAudio", json!(-1), "RemoveAudio"),
        ("v.Codec", json!("h263"), "VideoCodec"),
        ("v.Codec", json!("vp9"), "VideoCodec"),
        ("v.Fps", json!(121), "Fps"),
        ("v.Fps", json!(-1), "Fps"),
        ("v.FpsDenominator", json!(0), "Fps"),
        ("v.Bitrate", json!(127), "VideoBitrate"),
        ("v.Bitrate", json!(100_001), "VideoBitrate"),
        ("v.Width", json!(127), "Width"),
        ("v.Width", json!(4097), "Width"),
        ("v.Height", json!(5000), "Height"),
        ("v.ResolutionAdaptive", json!("on"), "ResolutionAdaptive"),
        ("v.Gop", json!(100_001), "Gop"),
        ("v.GopUnit", json!("minute"), "Gop"),
        ("v.FillType", json!("grey"), "FillType"),
        ("a.Codec", json!("mp4a"), "AudioCodec"),
        ("a.Codec", json!("flac"), "AudioCodec"),
        ("a.Bitrate", json!(25), "AudioBitrate"),
        ("a.Bitrate", json!(257), "AudioBitrate"),
        ("a.SampleRate", json!(44_101), "AudioSampleRate"),
        ("a.AudioChannel", json!(3), "AudioChannel"),
        ("v.SegmentSpecificInfo", json!({"Switch": "NO"}), "Switch"),
        ("TEHDConfig", json!({"Type": "TEHD-300"}), "TEHDType"),
    ];
    for (path, value, wanted) in cases {
        let got = code(with(&[(path, value.clone())]));
        assert_eq!(got, format!("InvalidParameterValue.{wanted}"), "{path} = {value}");
    }
}

#[test]
fn values_without_a_code_of_their_own_are_still_refused() {
    for (path, value) in [
        ("v.Vcrf", json!(52)),
        ("v.Bframes", json!(17)),
        ("v.BitDepth", json!(9)),
        ("v.VideoProfile", json!("extended")),
        ("v.VideoLevel", json!("5.2")),
        ("v.Mode", json!("CQP")),
        ("v.Sar", json!("4:3")),
        ("v.NoScenecut", json!(2)),
        ("v.RawPts", json!(2)),
        ("v.Compress", json!(101)),
        ("v.HlsTime", json!(11)),
        ("v.SegmentType", json!(1)),
        ("v.SegmentSpecificInfo", json!({"Switch": "on", "FragmentTime": 0, "FragmentEndNum": 3})),
        ("v.SceneType", json!("sport")),
    ] {
        assert_eq!(code(with(&[(path, value.clone())])), "InvalidParameterValue", "{path} = {value}");
    }
}

#[test]
fn edges_of_the_ranges_are_accepted() {
    for changes in [
        vec![("v.Fps", json!(120)), ("v.Bitrate", json!(128))],
        vec![("v.Fps", json!(30_000)), ("v.FpsDenominator", json!(1001)), ("v.Bitrate", json!(100_000))],
        vec![("v.Width", json!(4096)), ("v.Height", json!(128)), ("v.Gop", json!(100_000))],
        vec![("v.Fps", json!(0)), ("v.Bitrate", json!(0)), ("v.HlsTime", json!(10))],
        vec![("a.Bitrate", json!(26)), ("a.AudioChannel", json!(6)), ("a.SampleRate", json!(0))],
    ] {
        assert_eq!(code(with(&changes)), "ok", "{changes:?}");
    }
}

#[test]
fn the_longer_side_may_not_be_the_shorter() {
    let narrow = [("v.Width", json!(360)), ("v.Height", json!(640))];
    assert_eq!(code(with(&narrow)), "InvalidParameterValue.Resolution");
    let mut closed = narrow.to_vec();
    closed.push(("v.ResolutionAdaptive", json!("close")));
    assert_eq!(code(with(&closed)), "ok");
}

#[test]
fn one_stream_at_least_remains() {
    assert_eq!(
        code(with(&[("RemoveVideo", json!(1)), ("RemoveAudio", json!(1))])),
        "InvalidParameterValue.RemoveAudio"
    );
    assert_eq!(
        code(with(&[("Container", json!("mxf")), ("RemoveVideo", json!(1))])),
        "InvalidParameterValue.RemoveVideo"
    );
    assert_eq!(code(with(&[("VideoTemplate", Value::Null)])), "MissingParameter");
    assert_eq!(code(with(&[("VideoTemplate", Value::Null), ("RemoveVideo", json!(1))])), "ok");
    assert_eq!(code(with(&[("AudioTemplate", Value::Null)])), "MissingParameter");
}

#[test]
fn sound_containers_take_no_picture_and_mp3_no_surround() {
    let body = with(&[("Container", json!("mp3")), ("a.Codec", json!("mp3"))]);
    let params = check(&serde_json::from_value(body).unwrap()).unwrap();
    assert_eq!(params.video, None);
    let surround = [("Container", json!("mp3")), ("a.Codec", json!("mp3")), ("a.AudioChannel", json!(6))];
    assert_eq!(code(with(&surround)), "InvalidParameterValue.AudioChannel");
    assert_eq!(code(with(&[("Container", json!("mp3"))])), "InvalidParameterValue.AudioCodec");
}

#[test]
fn defaults_are_those_of_the_api() {
    let params = check(&serde_json::from_value(with(&[])).unwrap()).unwrap();
    let Some(Video::Encode(video)) = params.video else { panic!("no video") };
    assert_eq!((video.fill, video.by_sides, video.rate), (Fill::Black, true, Rate::Vbr));
    assert_eq!((video.gop, video.scene_cut, video.bit_depth), (Gop::Auto, false, 8));
    let Some(Audio::Encode(audio)) = params.audio else { panic!("no audio") };
    assert_eq!(audio.channels, 2);
}
