//! The prober's JSON, translated: golden cases, and that no JSON whatever makes it panic.

use mps_core::Kind;
use mps_core::media_info::{DynamicRange, FieldOrder, Ratio};
use mps_ffmpeg::probe::parse;
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn a_phone_film_with_dolby_vision() {
    let info = parse(&json!({
        "streams": [{
            "index": 0, "codec_name": "hevc", "profile": "Main 10", "codec_type": "video", "codec_tag_string": "hvc1",
            "width": 1920, "height": 1080, "sample_aspect_ratio": "1:1", "pix_fmt": "yuv420p10le", "level": 123,
            "color_range": "tv", "color_space": "bt2020nc", "color_transfer": "arib-std-b67",
            "color_primaries": "bt2020", "field_order": "progressive", "r_frame_rate": "60/1",
            "avg_frame_rate": "24000/401", "time_base": "1/600", "start_time": "0.000000", "duration": "4.010000",
            "bit_rate": "8000000", "nb_frames": "240",
            "extradata": "\n00000000: 0102 2000 0000 b000 0000 0000 7bf0       .. ...........{.\n",
            "disposition": {"default": 1, "attached_pic": 0}, "tags": {"language": "und"},
            "side_data_list": [
                {"side_data_type": "DOVI configuration record", "dv_profile": 8},
                {"side_data_type": "Display Matrix", "rotation": -90,
                 "displaymatrix": "\n00000000:            0       65536           0\n00000001:       -65536           0           0\n00000002:            0           0  1073741824\n"}
            ]
        }, {
            "index": 1, "codec_name": "aac", "profile": "LC", "codec_type": "audio", "sample_rate": "48000",
            "channels": 2, "channel_layout": "stereo", "start_time": "0.000000", "duration": "4.000000",
            "bit_rate": "192000", "disposition": {"default": 1}, "tags": {"language": "rus", "title": "Main"}
        }, {"index": 2, "codec_type": "data", "codec_tag_string": "mebx"}],
        "format": {"format_name": "mov,mp4,m4a,3gp,3g2,mj2", "start_time": "0.000000", "duration": "4.010000",
                   "size": "4106240", "bit_rate": "8192000"}
    }))
    .unwrap();
    let video = &info.video[0];
    assert_eq!(
        (video.dynamic_range, video.bit_depth, video.rotation_degrees),
        (DynamicRange::DolbyVision, 10, 90)
    );
    assert_eq!((video.codecs.as_str(), video.display_size()), ("hvc1.2.4.L123.B0", (1080, 1920)));
    assert_eq!((video.duration_us, video.frame_count, video.language.as_str()), (4_010_000, Some(240), ""));
    assert_eq!((video.average_fps, video.time_base), (Ratio::new(24_000, 401), Ratio::new(1, 600)));
    assert_eq!((info.audio[0].language.as_str(), info.audio[0].title.as_str()), ("rus", "Main"));
    assert_eq!((info.stream_count, info.duration_us, info.size_bytes), (3, 4_010_000, 4_106_240));
}

#[test]
fn matroska_tells_by_tags() {
    let info = parse(&json!({
        "streams": [
            {"index": 0, "codec_name": "h264", "codec_type": "video", "width": 640, "height": 360, "pix_fmt": "yuv420p",
             "field_order": "tb", "avg_frame_rate": "25/1", "r_frame_rate": "25/1", "duration": "N/A", "bit_rate": "N/A",
             "tags": {"BPS": "900000", "DURATION": "00:00:10.040000000", "NUMBER_OF_FRAMES": "251"}},
            {"index": 1, "codec_name": "opus", "codec_type": "audio", "sample_rate": "48000", "channels": 6,
             "channel_layout": "5.1", "tags": {"language": "eng"}},
            {"index": 2, "codec_name": "hdmv_pgs_subtitle", "codec_type": "subtitle", "tags": {"LANGUAGE": "fra"}},
            {"index": 3, "codec_name": "mjpeg", "codec_type": "video", "width": 300, "height": 300,
             "pix_fmt": "yuvj420p", "disposition": {"attached_pic": 1}}
        ],
        "format": {"format_name": "matroska,webm", "duration": "10.100000", "size": "1262500"}
    }))
    .unwrap();
    let video = info.main_video().unwrap();
    assert_eq!((video.bit_rate_bps, video.duration_us, video.frame_count), (900_000, 10_040_000, Some(251)));
    assert_eq!(video.field_order, FieldOrder::BottomFirst);
    // The whole has 1 Mb/s; the one stream that does not tell its share has the rest.
    assert_eq!((info.bit_rate_bps, info.audio[0].bit_rate_bps), (1_000_000, 100_000));
    assert_eq!(info.audio[0].duration_us, 10_100_000);
    assert!(info.subtitles[0].is_bitmap && info.subtitles[0].language == "fra");
    assert!(info.video[1].is_attached_picture && info.video[1].bit_rate_bps == 0);
}

#[test]
fn nothing_known_is_nothing_claimed() {
    let info = parse(&json!({"streams": [{"codec_type": "video"}, {"codec_type": "audio"}]})).unwrap();
    assert_eq!((info.duration_us, info.bit_rate_bps, info.size_bytes), (0, 0, 0));
    let video = &info.video[0];
    assert_eq!((video.width, video.bit_depth, video.rotation_degrees), (0, 8, 0));
    assert!(!video.average_fps.is_known() && video.codecs.is_empty() && video.frame_count.is_none());
    assert_eq!((info.audio[0].channels, info.audio[0].duration_us), (0, 0));
}

#[test]
fn a_file_without_streams_is_refused() {
    for answer in
        [json!({}), json!({"streams": []}), json!({"streams": [{"codec_type": "data"}]}), json!(null)]
    {
        assert_eq!(parse(&answer).unwrap_err().kind(), Kind::InvalidInput, "{answer}");
    }
}

/// Values as a hostile or changed prober could print them.
fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop_oneof![
            Just("N/A"),
            Just("0/0"),
            Just("1/0"),
            Just("9223372036854775807/1"),
            Just("-1:-1"),
            Just("video"),
            Just("audio"),
            Just("subtitle"),
            Just("h264"),
            Just("hevc"),
            Just("av1"),
            Just("vp9"),
            Just("aac"),
            Just("mpeg4"),
            Just("1e308"),
            Just("NaN"),
            Just("99:99:99.9"),
            Just("Display Matrix"),
            Just("Mastering display metadata"),
            Just("smpte2084"),
            Just("00000000: 01 02"),
            Just("Profile 0"),
            Just("\n00000000: 0142 0102 0304 0506 0708 090a 0b0c 0d0e  ....\n"),
            Just("\n00000000: 0000 0142 0100 0003 0000 0300 0003 0000  ....\n"),
            Just("\n00000000: 9223372036854775807 -1 0\n00000001: nan inf 0\n00000002: 0 0 1\n"),
        ]
        .prop_map(Value::from),
    ]
}

const KEYS: &[&str] = &[
    "streams",
    "format",
    "codec_type",
    "codec_name",
    "profile",
    "extradata",
    "index",
    "width",
    "height",
    "pix_fmt",
    "duration",
    "bit_rate",
    "size",
    "start_time",
    "avg_frame_rate",
    "sample_aspect_ratio",
    "tags",
    "DURATION",
    "BPS",
    "NUMBER_OF_FRAMES",
    "disposition",
    "attached_pic",
    "side_data_list",
    "side_data_type",
    "displaymatrix",
    "rotation",
    "red_x",
    "max_luminance",
    "max_content",
    "level",
    "channels",
    "sample_rate",
    "bits_per_raw_sample",
    "format_name",
    "color_transfer",
    "nb_frames",
    "codec_tag_string",
    "mime_codec_string",
];

fn tree() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(5, 96, 10, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(KEYS), inner), 0..10)
                .prop_map(|fields| fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

/// A stream that gets past the first checks, so that the depths are reached.
fn stream() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(&["video", "audio", "subtitle"][..]);
    let codec = prop::sample::select(&["h264", "hevc", "av1", "vp9", "aac", "mpeg4", "png"][..]);
    let fields = prop::collection::vec((prop::sample::select(KEYS), prop_oneof![leaf(), tree()]), 0..16);
    (kind, codec, fields).prop_map(|(kind, codec, fields)| {
        let mut stream: serde_json::Map<String, Value> =
            fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        stream.insert("codec_type".to_owned(), kind.into());
        stream.insert("codec_name".to_owned(), codec.into());
        Value::Object(stream)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_json_makes_it_panic(answer in tree()) {
        let _ = parse(&answer);
    }

    #[test]
    fn whatever_a_stream_says_the_facts_stay_sane(streams in prop::collection::vec(stream(), 1..5), format in tree()) {
        let info = parse(&json!({"streams": streams, "format": format})).unwrap();
        prop_assert!(info.duration_us >= 0);
        for video in &info.video {
            prop_assert!(matches!(video.rotation_degrees, 0 | 90 | 180 | 270));
            prop_assert!((1..=32).contains(&video.bit_depth) && video.duration_us >= 0);
            prop_assert!(video.codecs.len() < 300 && video.language.len() < 1100);
        }
        prop_assert_eq!(info.stream_count as usize, streams.len());
        let text = serde_json::to_string(&info).unwrap();
        prop_assert!(serde_json::from_str::<mps_core::MediaInfo>(&text).is_ok());
    }
}
