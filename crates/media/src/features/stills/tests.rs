use mps_core::MediaInfo;
use mps_core::media_info::{Ratio, VideoStream};
use serde_json::{Value, json};

use crate::features::transcode::testing::{film, info};
use crate::features::{Feature, Item, Place, stills};
use crate::names::SourceName;
use crate::plan::{Arg, Build, Output, Plan};

fn build() -> Build {
    Build::with(["mjpeg", "png", "libwebp", "libwebp_anim", "gif"], ["bwdif", "gblur", "zscale", "tonemap"])
}

fn params(feature: &dyn Feature, item: &Value, template: &Value) -> Value {
    let source = SourceName::from_key("/video/film one.mp4");
    let storage = json!({"Type": "COS"});
    let place = Place { source: &source, directory: None, storage: &storage };
    feature
        .from_wire(
            &Item { nth: 0, value: item, template: Some(template), place, marks: &[], given: &[] },
            &build(),
        )
        .unwrap()
}

fn plan(feature: &dyn Feature, item: &Value, template: &Value, info: &MediaInfo) -> Plan {
    feature.plan(&params(feature, item, template), info, "TASK", &build()).unwrap()
}

/// A plan in lines, as a person would read it.
fn told(plan: &Plan) -> String {
    let word = |arg: &Arg| match arg {
        Arg::Text(text) => text.clone(),
        Arg::Source | Arg::Input(_) => "SOURCE".to_owned(),
        Arg::File(name) => format!("<{name}>"),
    };
    let mut lines: Vec<String> =
        plan.commands.iter().map(|c| c.args.iter().map(word).collect::<Vec<_>>().join(" ")).collect();
    for output in &plan.outputs {
        lines.push(match output {
            Output::File { file, key, content_type, .. } => format!("{file} -> {key} {content_type}"),
            Output::Text { text, key, .. } => format!("{key}\n{text}"),
            Output::Hls { file, .. } => file.clone(),
            Output::Package { package } => package.key().to_owned(),
        });
    }
    lines.join("\n")
}

#[test]
fn moments_are_entered_one_by_one() {
    let item = json!({"Definition": 10, "ExtTimeOffsetSet": ["0.5s", "50%"]});
    let template = json!({"Format": "jpg", "Height": 360});
    insta::assert_snapshot!(told(&plan(
        &stills::at_times::SnapshotByTimeOffset,
        &item,
        &template,
        &info(film(1920, 1080))
    )));
}

#[test]
fn close_moments_are_taken_in_one_pass_and_distant_ones_are_entered() {
    let item = json!({"Definition": 10});
    let of = |seconds: i64| {
        let template = json!({"Format": "png", "SampleType": "Time", "SampleInterval": seconds});
        plan(&stills::sample::SampleSnapshot, &item, &template, &info(film(640, 360)))
    };
    insta::assert_snapshot!(told(&of(10)));
    let (close, far) = (of(10), of(20));
    assert_eq!((close.commands.len(), close.outputs.len()), (1, 6));
    assert_eq!(far.outputs.len(), 3);
    assert_eq!(far.commands[0].args.iter().filter(|arg| **arg == Arg::Source).count(), 3);
    let stream = MediaInfo { format: "mpegts".to_owned(), ..info(film(640, 360)) };
    let template = json!({"Format": "png", "SampleType": "Time", "SampleInterval": 20});
    let far = plan(&stills::sample::SampleSnapshot, &item, &template, &stream);
    assert_eq!(far.commands[0].args.iter().filter(|arg| **arg == Arg::Source).count(), 1);

    // Moments in a stream that cannot be entered exactly share a pass.
    let item = json!({"Definition": 10, "ExtTimeOffsetSet": ["1s", "30s", "59s"]});
    let shared = plan(&stills::at_times::SnapshotByTimeOffset, &item, &json!({}), &stream);
    insta::assert_snapshot!("moments_of_a_stream", told(&shared));
}

#[test]
fn a_sheet_and_its_index() {
    let item = json!({"Definition": 10, "OutputObjectPath": "/a b/{number}.{format}"});
    let template = json!({"Format": "jpg", "Width": 142, "Height": 80, "FillType": "stretch",
        "ResolutionAdaptive": "close", "SampleType": "Time", "SampleInterval": 8, "RowCount": 2, "ColumnCount": 3});
    insta::assert_snapshot!(told(&plan(
        &stills::sprite::ImageSprite,
        &item,
        &template,
        &info(film(1920, 1080))
    )));
}

#[test]
fn an_animation_in_both_formats() {
    let item = json!({"Definition": 20000, "StartTimeOffset": 1.5, "EndTimeOffset": 4.5});
    for (name, template) in [
        ("gif", json!({"Format": "gif", "Fps": 10, "Quality": 30})),
        ("webp", json!({"Format": "webp", "Fps": 2, "Width": 320})),
    ] {
        let plan = plan(&stills::animated::AnimatedGraphic, &item, &template, &info(film(640, 360)));
        insta::assert_snapshot!(name, told(&plan));
    }
}

#[test]
fn what_no_file_can_hold_is_refused() {
    let tall = VideoStream { width: 100, height: 14_000, ..film(100, 14_000) };
    let template = json!({"Format": "webp", "Width": 128, "ResolutionAdaptive": "close"});
    let item = json!({"Definition": 10, "ExtTimeOffsetSet": ["0s"]});
    let params_of = params(&stills::at_times::SnapshotByTimeOffset, &item, &template);
    let error =
        stills::at_times::SnapshotByTimeOffset.plan(&params_of, &info(tall), "TASK", &build()).unwrap_err();
    assert!(error.message().contains("128x17920"), "{error}");

    let item = json!({"Definition": 20000, "StartTimeOffset": 0, "EndTimeOffset": 0});
    let params_of = params(&stills::animated::AnimatedGraphic, &item, &json!({"Fps": 30}));
    let error = stills::animated::AnimatedGraphic
        .plan(&params_of, &info(film(1920, 1080)), "TASK", &build())
        .unwrap_err();
    assert!(error.message().contains("1800 frames"), "{error}");
}

#[test]
fn an_encoder_that_is_missing_is_refused_in_the_call() {
    let source = SourceName::from_key("/video/film.mp4");
    let place = Place { source: &source, directory: None, storage: &Value::Null };
    let item =
        json!({"Definition": 10, "ExtTimeOffsetSet": ["0s"], "StartTimeOffset": 0, "EndTimeOffset": 1});
    let cases: [(&dyn Feature, &str, &str); 5] = [
        (&stills::at_times::SnapshotByTimeOffset, "jpg", "mjpeg"),
        (&stills::sample::SampleSnapshot, "webp", "libwebp"),
        (&stills::sprite::ImageSprite, "jpg", "mjpeg"),
        (&stills::animated::AnimatedGraphic, "gif", "gif"),
        (&stills::animated::AnimatedGraphic, "webp", "libwebp_anim"),
    ];
    for (feature, format, encoder) in cases {
        let template = json!({"Format": format});
        let item = Item { nth: 0, value: &item, template: Some(&template), place, marks: &[], given: &[] };
        let error = feature.from_wire(&item, &Build::default()).unwrap_err();
        assert_eq!(error.code, "UnsupportedOperation");
        assert!(error.message.contains(&format!("needs {encoder},")), "{}", error.message);
        assert!(feature.from_wire(&item, &build()).is_ok());
    }
}

#[test]
fn a_sheet_that_no_file_can_hold_is_refused() {
    let item = json!({"Definition": 10});
    let template = json!({"Format": "webp", "SampleType": "Percent", "SampleInterval": 1, "RowCount": 10,
        "ColumnCount": 10});
    let params = params(&stills::sprite::ImageSprite, &item, &template);
    let error =
        stills::sprite::ImageSprite.plan(&params, &info(film(1920, 1080)), "TASK", &build()).unwrap_err();
    assert!(error.message().contains("19200x10800"), "{error}");
}

#[test]
fn an_unknown_length_or_no_pictures_are_told() {
    let item = json!({"Definition": 10});
    let template = json!({"SampleType": "Percent", "SampleInterval": 10});
    let params = params(&stills::sample::SampleSnapshot, &item, &template);
    let of = |info: &MediaInfo| {
        stills::sample::SampleSnapshot.plan(&params, info, "TASK", &build()).unwrap_err().message().to_owned()
    };
    assert!(of(&MediaInfo { duration_us: 0, ..info(film(640, 360)) }).contains("length"));
    assert!(of(&MediaInfo { video: Vec::new(), ..info(film(640, 360)) }).contains("no pictures"));
}

#[test]
fn pixels_of_any_shape_come_out_square_and_sizes_are_exact() {
    let odd = VideoStream { sample_aspect: Ratio::new(4, 3), ..film(161, 121) };
    let item = json!({"Definition": 10, "ExtTimeOffsetSet": ["0s"]});
    let plan = plan(&stills::at_times::SnapshotByTimeOffset, &item, &json!({}), &info(odd));
    assert!(told(&plan).contains("scale=w=215:h=121"), "{}", told(&plan));
}
