//! Whatever comes in, nothing panics and no key escapes.

use proptest::prelude::*;
use serde_json::json;

use crate::answer::event;
use crate::features::transcode::params::Clip;
use crate::hls::{Packaging, Playlist, relative_uri};
use crate::names::{NumberFormat, Pattern, SourceName, Values, Variable, check_directory};
use crate::templates::testing::arbitrary;
use crate::templates::{self, create, transcode::Transcode};

const ALLOWED: &[Variable] =
    &[Variable::InputName, Variable::InputFormat, Variable::Format, Variable::Number];

fn is_safe(key: &str) -> bool {
    key.starts_with('/')
        && !key.chars().any(char::is_control)
        && key[1..].split('/').all(|step| !matches!(step, "" | "." | ".."))
}

proptest! {
    #[test]
    fn no_name_escapes(pattern in "(/?([a-z.{}/]|\\{inputName\\}|\\{format\\}|\\.\\.|\\PC){0,12})", key in "\\PC{0,30}") {
        let source = SourceName::from_key(&key);
        prop_assert!(check_directory(&source.directory).is_ok(), "{source:?}");
        let values = Values { input_name: &source.name, input_format: &source.format, format: "mp4", ..Values::default() };
        if let Ok(pattern) = Pattern::parse(&pattern, ALLOWED)
            && let Ok(key) = pattern.key(&source.directory, &values)
        {
            prop_assert!(is_safe(&key), "{key:?}");
        }
    }

    #[test]
    fn no_address_gives_an_unsafe_name(url in "(https?://)?\\PC{0,40}") {
        let source = SourceName::from_url(&url);
        prop_assert!(check_directory(&source.directory).is_ok(), "{source:?}");
        prop_assert!(!source.name.is_empty() && !source.name.contains('/'), "{source:?}");
    }

    #[test]
    fn numbers_are_at_least_as_long_as_asked(initial in 0..u64::MAX, increment in 1..u64::MAX, nth in 0..u64::MAX, least in 0..70_u64) {
        let format = NumberFormat { initial, increment, min_length: least, placeholder: "ab".to_owned() };
        prop_assert!(format.show(nth).len() as u64 >= least);
    }

    #[test]
    fn playlists_are_read_or_refused(lines in prop::collection::vec("#EXT[A-Z:-]{0,20}[0-9.@,]{0,12}|#EXTINF:[0-9.]{1,8},|#EXT-X-BYTERANGE:[0-9]{1,20}(@[0-9]{1,20})?|[a-z/.:]{1,8}", 0..20)) {
        let text = format!("#EXTM3U\n{}", lines.join("\n"));
        if let Ok(playlist) = Playlist::parse(&text) {
            let joined = playlist.joined(6_000_000, None, &[]);
            let total = |p: &Playlist| p.segments.iter().map(|s| s.duration_us).sum::<i64>();
            prop_assert_eq!(total(&playlist), total(&joined));
        }
        let packaging: Packaging = serde_json::from_value(json!({
            "playlist_key": "/a/x.m3u8", "directory": "/a/", "segment": "{number}", "number": NumberFormat::default(),
            "extension": "ts", "content_type": "video/mp2t", "is_single": false, "join_us": 1, "first": null,
            "is_independent": true, "input_name": "x", "input_format": "y", "definition": 1, "task_id": "t",
        })).unwrap();
        if let Ok(done) = packaging.finish(&text) {
            prop_assert!(done.pieces.iter().all(|piece| is_safe(&piece.key)));
        }
    }

    #[test]
    fn relative_addresses_hold_no_bare_special(a in "(/[a-z]{1,3}){1,4}", b in "(/[a-z#?% ]{1,3}){1,4}") {
        let uri = relative_uri(&a, &b);
        prop_assert!(!uri.contains(['#', '?', ' ']), "{uri}");
    }

    #[test]
    fn a_clip_lies_inside_its_source(start in -1e9..1e9_f64, end in -1e9..1e9_f64, duration in 0..10_000_000_000_i64) {
        if let Ok(clip) = Clip::from_seconds(start, end)
            && let Ok((from, to)) = clip.resolve(duration)
        {
            prop_assert!(from >= 0 && to.is_none_or(|to| to > from && (duration == 0 || to <= duration)));
        }
    }

    #[test]
    fn notifications_are_read_or_refused(text in "\\PC{0,60}", kind in "[A-Za-z]{0,12}") {
        let _ = event::parse(&text);
        let _ = event::parse(&json!({"EventType": kind, "WorkflowTaskEvent": {"TaskId": text}}).to_string());
    }

    #[test]
    fn templates_are_checked_without_panic(fps in any::<i64>(), den in any::<i64>(), rate in any::<i64>(), side in any::<u64>(), gop in any::<u64>(), crf in any::<u64>(), word in "\\PC{0,6}") {
        let _ = create(&Transcode, &json!({
            "Container": "mp4",
            "VideoTemplate": {"Codec": "h264", "Fps": fps, "FpsDenominator": den, "Bitrate": rate, "Width": side,
                "Gop": gop, "Vcrf": crf, "Bframes": fps, "Compress": den, "HlsTime": crf, "Mode": word},
            "AudioTemplate": {"Codec": "aac", "Bitrate": rate, "SampleRate": side, "AudioChannel": fps},
        }));
    }

    #[test]
    fn templates_of_every_family_are_checked_without_panic(seed in any::<u64>()) {
        for (stem, family) in templates::testing::families() {
            let request = arbitrary(&format!("Create{stem}Template"), seed);
            let change = arbitrary(&format!("Modify{stem}Template"), seed.rotate_left(7));
            let _ = create(family, &request);
            let template = templates::Template { body: request, ..templates::testing::blank(family) };
            let _ = templates::modify(family, &template, &change);
            let _ = family.needs(&template.body);
            prop_assert!(family.item(&template).is_object());
            if let Ok(query) = templates::query(family, &arbitrary(&format!("Describe{stem}Templates"), seed)) {
                let _ = templates::page(family, &query, vec![template]);
            }
        }
    }
}
