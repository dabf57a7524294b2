//! Adaptive streams: HLS and MPEG-DASH in several sizes (TRC-22 to TRC-25, PM-12).

mod encryption;
mod ladder;

use mps_e2e::Bench;
use mps_testkit::compare::{decode, frame_times, gather, packet_times, patch, probe, ssim, sync, tone_db};
use mps_testkit::{made, media_files};
use serde_json::{Value, json};

use crate::{number, seconds, tools_or_return};
use ladder::{Ladder, ends, ladder, results, rung, template};

/// A moving picture under this name.
fn film(bench: &Bench, name: &str, height: u32, length_s: u64) -> std::path::PathBuf {
    let made = made::clip(height * 16 / 9, height, "25", seconds(length_s));
    let path = bench.folder.path().join(name);
    std::fs::copy(made, &path).expect("a copy of the film");
    path
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preset_makes_a_ladder_under_the_default_names() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = film(&bench, "Animal.mp4", 540, 13);
    let made = ladder(&bench, &source, json!({"Definition": 10})).await;
    assert_eq!(made.output["Package"], "HLS");
    assert_eq!(made.output["Definition"], 10);
    let base = "Animal_adaptiveDynamicStreaming_10";
    assert!(made.output["Path"].as_str().unwrap_or_default().ends_with(&format!("/{base}.m3u8")));
    let mut expected = vec![format!("{base}.m3u8")];
    for stream in 0..2 {
        expected.push(format!("{base}_{stream}.m3u8"));
        expected.extend((0..3).map(|segment| format!("{base}_{stream}_{segment}.ts")));
    }
    // 720 and 1080 would only enlarge the source.
    assert_eq!(sorted(made.names.clone()), sorted(expected));
    let variants = made.variants();
    let of = |name: &str| variants.iter().map(|variant| variant.get(name).to_owned()).collect::<Vec<_>>();
    assert_eq!(of("RESOLUTION"), ["640x360", "960x540"]);
    assert_eq!(of("FRAME-RATE"), ["25.000", "25.000"]);
    assert!(of("CODECS").iter().all(|codecs| codecs.starts_with("avc1.") && codecs.ends_with(",mp4a.40.2")));
    for variant in &variants {
        check_rates(&made, variant);
        let playlist = made.text(&variant.uri);
        for tag in ["#EXT-X-ENDLIST", "#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-TARGETDURATION:6\n"] {
            assert!(playlist.contains(tag), "{playlist}");
        }
        let lengths: Vec<f64> = made.segments(&variant.uri).iter().map(|segment| segment.length_s).collect();
        assert!((lengths.iter().sum::<f64>() - 13.0).abs() < 0.05, "{lengths:?}");
        decode(&made.file(&variant.uri)).unwrap();
        let pictures = made.pictures(&variant.uri);
        assert_eq!(frame_times(&pictures, "v:0").len(), 325);
        let likeness = ssim(&pictures, &source);
        assert!(likeness > 0.85, "{}: {likeness}", variant.uri);
    }
    let begins = made.begins(&variants[0].uri);
    assert_eq!(begins.iter().map(|at| at.round()).collect::<Vec<_>>(), [0.0, 6.0, 12.0]);
    assert_eq!(begins, made.begins(&variants[1].uri));
}

/// The rates of an entry are those of its files.
fn check_rates(made: &Ladder, variant: &ladder::Entry) {
    let segments = made.segments(&variant.uri);
    let bits: usize = segments.iter().map(|segment| segment.bytes.len() * 8).sum();
    let length_s: f64 = segments.iter().map(|segment| segment.length_s).sum();
    let told = |name: &str| variant.get(name).parse::<f64>().expect("a rate");
    let average = bits as f64 / length_s;
    assert!((told("AVERAGE-BANDWIDTH") - average).abs() < average * 0.02, "{variant:?} against {average}");
    let peak = segments.iter().filter(|s| s.length_s >= 3.0).map(|s| s.bytes.len() as f64 * 8.0 / s.length_s);
    assert!(told("BANDWIDTH") >= peak.fold(0.0, f64::max) * 0.98, "{variant:?}");
}

const KINDS: &[&str] = &[
    "ts-segment",
    "ts-byterange",
    "mp4-segment",
    "mp4-byterange",
    "ts-ts-segment",
    "ts-ts-byterange",
    "mp4-mp4-segment",
    "mp4-mp4-byterange",
    "ts-packed-audio",
    "ts-packed-audio-byterange",
    "mp4-packed-audio",
    "mp4-packed-audio-byterange",
];

#[tokio::test(flavor = "multi_thread")]
async fn all_kinds_of_segments_play_and_keep_sound_and_pictures_together() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = made::flashes_and_beeps();
    let mut items = Vec::new();
    for kind in KINDS {
        let mut streams = [rung(180, 300), rung(144, 200)];
        for stream in &mut streams {
            stream["Video"]["HlsTime"] = json!(4);
        }
        let body = json!({"Format": "HLS", "SegmentType": kind, "StreamInfos": streams});
        items.push(json!({"Definition": template(&bench, body).await}));
    }
    for (kind, result) in KINDS.iter().zip(results(&bench, &source, &items).await) {
        let made = Ladder::fetch(&bench, &result).await;
        let variants = made.variants();
        assert_eq!(variants.len(), 2, "{kind}");
        let playlist = made.text(&variants[0].uri);
        assert_eq!(playlist.contains("#EXT-X-MAP"), kind.starts_with("mp4"), "{kind}: {playlist}");
        assert_eq!(playlist.contains("#EXT-X-BYTERANGE"), kind.ends_with("byterange"), "{kind}: {playlist}");
        let is_joint = ["ts-segment", "ts-byterange", "mp4-segment", "mp4-byterange"].contains(kind);
        assert_eq!(made.renditions().len(), usize::from(!is_joint), "{kind}: {}", made.manifest_text());
        assert_eq!(probe(&made.file(&variants[0].uri)).has("audio"), is_joint, "{kind}");
        assert_eq!(made.names.iter().any(|name| ends(name, "aac")), kind.contains("packed"), "{kind}");
        let begins = made.begins(&variants[0].uri);
        assert_eq!(begins.len(), 3, "{kind}: {playlist}");
        assert_eq!(begins, made.begins(&variants[1].uri), "{kind}");
        for variant in &variants {
            assert_eq!(packet_times(&made.pictures(&variant.uri), "v:0").len(), 250, "{kind}");
        }
        let whole = made.file("whole.mkv");
        gather(&made.manifest, &["0:v:0", "0:a:0"], &whole);
        let together = sync(&whole);
        assert_eq!((together.flashes_s.len(), together.beeps_s.len()), (9, 9), "{kind}: {together:?}");
        let worst = together.lags_ms().into_iter().fold(0.0, |a: f64, b| a.max(b.abs()));
        assert!(worst < 45.0, "{kind}: {together:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dash_is_a_finished_presentation_of_one_file_a_stream() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = made::flashes_and_beeps();
    let body = json!({"Format": "MPEG-DASH", "StreamInfos": [rung(180, 300), rung(144, 200)]});
    let id = template(&bench, body).await;
    let item = json!({"Definition": id, "OutputObjectPath": "film/{definition}.{format}",
        "SubStreamObjectName": "streams/{subStreamNumber}"});
    let made = ladder(&bench, &source, item).await;
    assert_eq!(made.output["Package"], "MPEG-DASH");
    assert!(made.output["Path"].as_str().unwrap_or_default().ends_with(&format!("/film/{id}.mpd")));
    let main = format!("{id}.mpd");
    assert_eq!(made.names, [&main, "streams/0.mp4", "streams/1.mp4", "streams/2.mp4"]);
    let text = made.manifest_text();
    assert!(text.contains("type=\"static\"") && !text.contains("dynamic"), "{text}");
    decode(&made.manifest).unwrap();
    let whole = made.file("whole.mkv");
    gather(&made.manifest, &["0:v", "0:a:0"], &whole);
    assert_eq!(probe(&whole).streams("video").len(), 2);
    let together = sync(&whole);
    assert_eq!((together.flashes_s.len(), together.beeps_s.len()), (9, 9), "{together:?}");
    assert!(together.lags_ms().iter().all(|lag| lag.abs() < 45.0), "{together:?}");
    assert!(ssim(&whole, &source) > 0.9);
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_and_subtitles_of_the_callers_are_listed_and_play() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = film(&bench, "talk.mp4", 180, 8);
    let tone = made::film("mp3", &["-f", "lavfi", "-i", "sine=f=1000:r=44100:d=12", "-b:a", "96k"]);
    let url = |name: &str, path: &std::path::Path| json!({"Type": "URL", "UrlInputInfo": {"Url": bench.web.offer(name, path)}});
    let words = "1\n00:00:01,000 --> 00:00:02,500\nHello, 世界\n\n2\n00:00:03,000 --> 00:00:04,000\nGone\n";
    let words =
        json!({"Type": "URL", "UrlInputInfo": {"Url": bench.web.offer_bytes("w.srt", words.as_bytes())}});
    for format in ["HLS", "MPEG-DASH"] {
        let id = template(&bench, json!({"Format": format, "StreamInfos": [rung(180, 300), rung(144, 200)]}))
            .await;
        let mut sound = json!({"InputInfo": url("tone.mp3", &tone), "AudioName": "Comment"});
        sound["AudioLanguage"] = json!("eng");
        let item = json!({
            "Definition": id,
            "AddOnAudios": [sound],
            "AddOnSubtitles": [{"Type": "subtitle-stream", "Subtitle": words, "SubtitleName": "中文",
                "SubtitleLanguage": "chi", "OutputFormat": "WebVTT", "DefaultTrack": true}],
        });
        let made = ladder(&bench, &source, item).await;
        let text = made.manifest_text();
        let vtt = made.names.iter().find(|name| ends(name, "vtt")).expect("subtitles");
        assert!(made.text(vtt).contains("Hello, 世界"), "{}", made.text(vtt));
        let whole = made.file("comment.mkv");
        if format == "HLS" {
            let renditions = made.renditions();
            let told: Vec<_> =
                renditions.iter().map(|r| (r.get("TYPE"), r.get("NAME"), r.get("LANGUAGE"))).collect();
            assert_eq!(told[0].0, "AUDIO", "{text}");
            assert_eq!(told[1..], [("AUDIO", "Comment", "en"), ("SUBTITLES", "中文", "zh")], "{text}");
            let is_default: Vec<_> = renditions.iter().map(|r| r.get("DEFAULT")).collect();
            assert_eq!(is_default, ["YES", "NO", "YES"], "{text}");
            assert!(made.variants().iter().all(|v| v.get("SUBTITLES") == "captions"), "{text}");
            // Subtitles have the clock of the transport streams.
            assert!(made.text(vtt).contains("X-TIMESTAMP-MAP=MPEGTS:90000,LOCAL:00:00:00.000"));
            gather(&made.file(&renditions[1].uri), &["0:a"], &whole);
        } else {
            for part in
                ["lang=\"en\"", "lang=\"zh\"", "<Label>Comment</Label>", "<Label>中文</Label>", "text/vtt"]
            {
                assert!(text.contains(part), "{part}: {text}");
            }
            gather(&made.manifest, &["0:a:1"], &whole);
        }
        let tone_hz = mps_testkit::compare::tone_hz(&whole);
        assert!((tone_hz - 1000.0).abs() < 20.0, "{format}: {tone_hz}");
        // Cut where the pictures end.
        assert!((probe(&whole).duration_s() - 8.0).abs() < 0.2, "{format}: {}", probe(&whole).duration_s());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tracks_of_the_source_are_told_apart() {
    tools_or_return!();
    let bench = Bench::start().await;
    let graph = "testsrc2=s=320x180:r=25:d=6[v];sine=f=440:r=48000:d=6[a];sine=f=1000:r=48000:d=6[b]";
    let words = ["-filter_complex", graph, "-map", "[v]", "-map", "[a]", "-map", "[b]", "-c:v", "libx264"];
    let more = ["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu", "-c:a", "aac"];
    let source = made::film("mkv", &[&words[..], &more[..]].concat());
    let track = |number: u32| {
        json!({"Codec": "aac", "Bitrate": 64, "SampleRate": 48000, "DefaultTrack": number == 2,
            "TrackChannelInfo": {"SelectType": "track", "InputTrackInfo": [{"TrackNum": number.to_string()}]}})
    };
    for kind in ["ts-segment", "mp4-segment", "mp4-packed-audio-byterange"] {
        let mut stream = rung(180, 300);
        stream["AudioList"] = json!([track(1), track(2)]);
        let id =
            template(&bench, json!({"Format": "HLS", "SegmentType": kind, "StreamInfos": [stream]})).await;
        let made = ladder(&bench, &source, json!({"Definition": id})).await;
        let renditions = made.renditions();
        let told: Vec<_> = renditions.iter().map(|r| (r.get("LANGUAGE"), r.get("DEFAULT"))).collect();
        assert_eq!(told, [("de", "YES"), ("en", "NO")], "{kind}: {}", made.manifest_text());
        for (rendition, expected_hz) in renditions.iter().zip([1000.0, 440.0]) {
            let heard_hz = mps_testkit::compare::tone_hz(&made.file(&rendition.uri));
            assert!((heard_hz - expected_hz).abs() < 15.0, "{kind}: {heard_hz} of {expected_hz}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_track_is_mixed_of_streams_and_channels() {
    tools_or_return!();
    let bench = Bench::start().await;
    // Stream 1: 440 Hz left, 700 Hz right. Stream 2: 1,000 Hz, mono, half as long.
    let graph = "testsrc2=s=320x180:r=25:d=6[v];sine=f=440:r=48000:d=6[l];sine=f=700:r=48000:d=6[r];\
                 [l][r]amerge=inputs=2[a];sine=f=1000:r=44100:d=3[b]";
    let words = ["-filter_complex", graph, "-map", "[v]", "-map", "[a]", "-map", "[b]", "-c:v", "libx264"];
    let source = made::film("mkv", &[&words[..], &["-c:a", "flac"]].concat());
    let track = |language: &str, channels: u32, info: Value| {
        json!({"Codec": "aac", "Bitrate": 192, "SampleRate": 48000, "AudioChannel": channels,
            "AudioLanguage": language, "TrackChannelInfo": info})
    };
    let by_channel = |inputs: Value| json!({"SelectType": "track_channel", "InputTrackInfo": inputs});
    let tracks = [
        // Louder on the left and absent on the right; the other stream only on the right.
        track(
            "eng",
            2,
            json!({"ChannelsRemix": 1, "InputTrackInfo": [
            {"TrackNum": "1", "ChannelVolume": [6, -60]}, {"TrackNum": "2", "ChannelVolume": [-60, -6]}]}),
        ),
        // The sides change places.
        track("deu", 2, by_channel(json!([{"TrackNum": "1.1"}, {"TrackNum": "1.0"}]))),
        // A channel of each stream side by side.
        track("fra", 2, by_channel(json!([{"TrackNum": "2.0"}, {"TrackNum": "1.0"}]))),
    ];
    let mut stream = rung(180, 300);
    stream["AudioList"] = json!(tracks);
    for kind in ["ts-segment", "mp4-mp4-segment"] {
        let body = json!({"Format": "HLS", "SegmentType": kind, "StreamInfos": [stream]});
        let made = ladder(&bench, &source, json!({"Definition": template(&bench, body).await})).await;
        // Decibels of a tone in the first two seconds of a channel of a track, against the source's.
        let level = |language: &str, channel: usize, hertz: f64| {
            let found = made.renditions().into_iter().find(|r| r.get("LANGUAGE") == language);
            let file = made.file(&found.expect("the track").uri);
            tone_db(&file, channel, hertz, (0.5, 2.5)) - tone_db(&source, 0, 440.0, (0.5, 2.5))
        };
        for (language, channel, hertz, wanted) in [
            ("en", 0, 440.0, 6.0),
            ("en", 1, 1000.0, -6.0),
            ("de", 0, 700.0, 0.0),
            ("de", 1, 440.0, 0.0),
            ("fr", 0, 1000.0, 0.0),
            ("fr", 1, 440.0, 0.0),
        ] {
            let found = level(language, channel, hertz);
            assert!((found - wanted).abs() < 0.5, "{kind} {language} {channel} {hertz}: {found} of {wanted}");
        }
        for (language, channel, hertz) in [
            ("en", 0, 700.0),
            ("en", 0, 1000.0),
            ("en", 1, 440.0),
            ("en", 1, 700.0),
            ("de", 0, 440.0),
            ("de", 1, 700.0),
            ("fr", 0, 440.0),
            ("fr", 1, 1000.0),
        ] {
            let found = level(language, channel, hertz);
            assert!(found < -45.0, "{kind} {language} {channel} {hertz}: {found}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_segments_may_be_short() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = film(&bench, "first.mp4", 180, 13);
    for kind in ["ts-segment", "mp4-mp4-byterange"] {
        let mut streams = [rung(180, 300), rung(144, 200)];
        for stream in &mut streams {
            stream["Video"]["HlsTime"] = json!(4);
            stream["Video"]["SegmentSpecificInfo"] =
                json!({"Switch": "on", "FragmentTime": 1, "FragmentEndNum": 2});
        }
        let id =
            template(&bench, json!({"Format": "HLS", "SegmentType": kind, "StreamInfos": streams})).await;
        let made = ladder(&bench, &source, json!({"Definition": id})).await;
        for variant in made.variants() {
            let begins: Vec<f64> = made.begins(&variant.uri).iter().map(|at| at.round()).collect();
            assert_eq!(begins, [0.0, 1.0, 2.0, 6.0, 10.0], "{kind}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_begin_at_the_times_of_the_call() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = film(&bench, "keys.mp4", 180, 13);
    for kind in ["ts-segment", "mp4-mp4-segment"] {
        let mut streams = [rung(180, 300), rung(144, 200)];
        for stream in &mut streams {
            stream["Video"]["Fps"] = json!(0);
            stream["Video"]["RawPts"] = json!(1);
        }
        let id =
            template(&bench, json!({"Format": "HLS", "SegmentType": kind, "StreamInfos": streams})).await;
        let item = json!({"Definition": id, "KeyPTSList": [7240, 1000, 1280]});
        let made = ladder(&bench, &source, item).await;
        let variants = made.variants();
        let begins: Vec<i64> =
            made.begins(&variants[0].uri).iter().map(|at| (at * 1000.0).round() as i64).collect();
        assert_eq!(begins, [0, 1000, 1280, 6000, 7240, 12_000], "{kind}");
        assert_eq!(made.begins(&variants[0].uri), made.begins(&variants[1].uri), "{kind}");
        decode(&made.file(&variants[1].uri)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_alone_is_a_ladder_too() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = film(&bench, "song.mp4", 180, 8);
    let made = ladder(&bench, &source, json!({"Definition": 30, "DefinitionType": "PureAudio"})).await;
    let variants = made.variants();
    assert_eq!(variants.len(), 3, "{}", made.manifest_text());
    for variant in &variants {
        assert_eq!((variant.get("CODECS"), variant.get("RESOLUTION")), ("mp4a.40.2", ""), "{variant:?}");
        let seen = probe(&made.file(&variant.uri));
        assert!(!seen.has("video") && seen.has("audio"));
        assert!((mps_testkit::compare::tone_hz(&made.file(&variant.uri)) - 440.0).abs() < 5.0);
        check_rates(&made, variant);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn newer_codecs_go_into_mp4() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = film(&bench, "new.mp4", 180, 7);
    for (format, kind) in
        [("HLS", "mp4-segment"), ("HLS", "mp4-mp4-byterange"), ("MPEG-DASH", "mp4-mp4-byterange")]
    {
        let mut streams = [rung(180, 300), rung(144, 200), rung(144, 150)];
        streams[0]["Video"]["Codec"] = json!("h265");
        streams[1]["Video"]["Codec"] = json!("av1");
        let body = json!({"Format": format, "SegmentType": kind, "StreamInfos": streams});
        let made = ladder(&bench, &source, json!({"Definition": template(&bench, body).await})).await;
        let text = made.manifest_text();
        for codec in ["hvc1.", "av01.", "avc1."] {
            assert!(text.contains(codec), "{format} {kind}: {text}");
        }
        if format == "HLS" {
            let begins: Vec<_> = made.variants().iter().map(|variant| made.begins(&variant.uri)).collect();
            assert!(begins.iter().all(|other| other == &begins[0]), "{kind}: {begins:?}");
            for variant in made.variants() {
                assert!(ssim(&made.pictures(&variant.uri), &source) > 0.85, "{kind}: {variant:?}");
            }
        } else {
            decode(&made.manifest).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn watermarks_lie_on_every_stream_in_its_size() {
    tools_or_return!();
    let bench = Bench::start().await;
    let grey = "color=c=0x808080:s=640x360:r=25:d=4,format=yuv420p";
    let source = made::film("mp4", &["-f", "lavfi", "-i", grey, "-c:v", "libx264", "-preset", "ultrafast"]);
    let red = "color=c=red:s=80x40:d=1:r=1,format=rgba";
    let red = made::film("png", &["-f", "lavfi", "-i", red, "-frames:v", "1", "-update", "1"]);
    let image = json!({"Type": "URL", "UrlInputInfo": {"Url": bench.web.offer("red.png", &red)}});
    let raw = json!({"Type": "image", "CoordinateOrigin": "TopLeft", "XPos": "50%", "YPos": "50%",
        "ImageTemplate": {"ImageContent": image, "Width": "20%", "Height": "20%"}});
    let id =
        template(&bench, json!({"Format": "HLS", "StreamInfos": [rung(360, 600), rung(180, 300)]})).await;
    let item = json!({"Definition": id, "WatermarkSet": [{"Definition": 0, "RawParameter": raw}]});
    let made = ladder(&bench, &source, item).await;
    for (variant, (x, y)) in made.variants().iter().zip([(360, 200), (180, 100)]) {
        let pictures = made.pictures(&variant.uri);
        let seen = patch(&pictures, 2.0, (x, y, 8, 8));
        assert!(seen.is_plain([255.0, 0.0, 0.0]), "{variant:?}: {seen:?}");
        assert!(patch(&pictures, 2.0, (20, 20, 8, 8)).is_plain([128.0; 3]), "{variant:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subtitles_are_part_of_every_stream() {
    tools_or_return!();
    if !crate::burn::has_fonts() {
        return;
    }
    let bench = Bench::start().await;
    let source = crate::marks::grey("640x360");
    let path = bench.web.offer_bytes("a.srt", b"1\n00:00:02,000 --> 00:00:04,000\nHello\n");
    let id =
        template(&bench, json!({"Format": "HLS", "StreamInfos": [rung(360, 600), rung(180, 300)]})).await;
    let item = json!({"Definition": id, "SubtitleTemplate": {"Path": path, "FontSize": "10%"}});
    let made = ladder(&bench, &source, item).await;
    let variants = made.variants();
    assert_eq!(variants.len(), 2);
    for (variant, frame) in variants.iter().zip([360, 180]) {
        let pictures = made.pictures(&variant.uri);
        let [_, top, _, height] = crate::marks::seen(&pictures, 3.0).expect("words");
        assert!(
            top * 100 / frame > 82 && (5..=10).contains(&(height * 100 / frame)),
            "{top} {height} of {frame}"
        );
        assert_eq!(crate::marks::seen(&pictures, 5.0), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn real_films_of_every_kind_become_ladders() {
    tools_or_return!();
    let bench = Bench::start().await;
    for (name, upright) in [
        ("real/vfr_phone_rot180.mp4", false),
        ("real/phone_rot90_ios9.mov", true),
        ("derived/interlaced_tff_480i_anamorphic.ts", false),
        ("real/hdr10_hevc_1080p.mp4", false),
        ("derived/multiaudio_eng_deu.mkv", false),
    ] {
        let Some(source) = media_files::media(name) else { continue };
        let mut streams = [rung(144, 200), rung(240, 400)];
        for stream in &mut streams {
            stream["Video"]["Fps"] = json!(0);
            stream["Video"]["Gop"] = json!(30);
            stream["Video"]["HlsTime"] = json!(2);
        }
        let id = template(&bench, json!({"Format": "HLS", "StreamInfos": streams})).await;
        let made = ladder(&bench, &source, json!({"Definition": id})).await;
        let variants = made.variants();
        let begins = made.begins(&variants[0].uri);
        assert_eq!(begins, made.begins(&variants[1].uri), "{name}");
        for variant in &variants {
            decode(&made.file(&variant.uri)).unwrap();
            let (width, height) = variant.get("RESOLUTION").split_once('x').expect("a size");
            let (width, height): (u32, u32) = (width.parse().unwrap(), height.parse().unwrap());
            assert_eq!(height > width, upright, "{name}: {variant:?}");
        }
        let length_s: f64 = made.segments(&variants[0].uri).iter().map(|segment| segment.length_s).sum();
        let expected = number(&json!(probe(&source).duration_s()));
        assert!((length_s - expected).abs() < 0.6, "{name}: {length_s} of {expected}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_sources_and_templates_become_ladders_that_play() {
    tools_or_return!();
    let bench = Bench::start().await;
    let made = |extension: &str, picture: &str, sound: Option<&str>, more: &[&str]| {
        let mut words = vec!["-f", "lavfi", "-i", picture];
        words.extend(sound.iter().flat_map(|sound| ["-f", "lavfi", "-i", *sound]));
        words.extend(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]);
        words.extend(more);
        made::film(extension, &words)
    };
    let sources = [
        made("mp4", "testsrc2=s=320x180:r=25:d=0.04", None, &[]),
        made("mp4", "testsrc2=s=320x180:r=24000/1001:d=5", Some("sine=f=440:d=9"), &["-bf", "3"]),
        made("flv", "testsrc2=s=322x182:r=30000/1001:d=9", Some("sine=f=440:d=4"), &[]),
        made("ts", "testsrc2=s=200x300:r=50:d=5", Some("sine=f=440:d=5"), &[]),
    ];
    let plain = |height: u32| {
        let mut stream = rung(height, 200);
        stream["Video"]["Fps"] = json!(0);
        stream
    };
    let mut mute = plain(144);
    mute["RemoveAudio"] = json!(1);
    let mut blind = plain(144);
    blind["RemoveVideo"] = json!(1);
    let mut counted = plain(180);
    (counted["Video"]["Gop"], counted["Video"]["HlsTime"]) = (json!(50), json!(3));
    let mut cut = plain(144);
    (cut["Video"]["Gop"], cut["Video"]["NoScenecut"]) = (json!(25), json!(1));
    let ten: Vec<Value> = (0..10).map(|nth| plain(128 + nth * 8)).collect();
    let mut ids = Vec::new();
    for (format, kind, streams) in [
        ("HLS", "ts-segment", json!([counted, cut])),
        ("HLS", "mp4-mp4-segment", json!([counted, mute, blind])),
        ("HLS", "mp4-segment", json!([plain(180), mute, blind])),
        ("HLS", "ts-packed-audio-byterange", json!([plain(180), blind])),
        ("MPEG-DASH", "mp4-byterange", json!([counted, mute, blind])),
        ("HLS", "ts-byterange", json!(ten)),
    ] {
        let body = json!({"Format": format, "SegmentType": kind, "StreamInfos": streams});
        ids.push((kind, template(&bench, body).await));
    }
    for source in sources {
        let items: Vec<_> =
            ids.iter().map(|(_, id)| json!({"Definition": id, "KeyPTSList": [1520]})).collect();
        let whole_s = probe(&source).duration_s();
        for ((kind, _), result) in ids.iter().zip(results(&bench, &source, &items).await) {
            let told = format!("{kind} of {}", source.display());
            let made = Ladder::fetch(&bench, &result).await;
            if made.output["Package"] == "MPEG-DASH" {
                decode(&made.manifest).unwrap_or_else(|error| panic!("{told}: {error}"));
                continue;
            }
            let mut begins: Vec<Vec<f64>> = Vec::new();
            for variant in made.variants() {
                decode(&made.file(&variant.uri)).unwrap_or_else(|error| panic!("{told}: {error}"));
                let length_s: f64 = made.segments(&variant.uri).iter().map(|s| s.length_s).sum();
                assert!(length_s < whole_s + 0.2, "{told}: {length_s} of {whole_s}");
                if !variant.get("RESOLUTION").is_empty() {
                    begins.push(made.begins(&variant.uri));
                }
            }
            let is_near = |a: &f64, b: &f64| (a - b).abs() < 0.002;
            let alike =
                |a: &[f64], b: &[f64]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_near(a, b));
            assert!(begins.windows(2).all(|pair| alike(&pair[0], &pair[1])), "{told}: {begins:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_source_lacks_fails_the_item_alone() {
    tools_or_return!();
    let bench = Bench::start().await;
    let tone = made::film("m4a", &["-f", "lavfi", "-i", "sine=f=440:r=48000:d=3", "-c:a", "aac"]);
    let told: Vec<Value> =
        results(&bench, &tone, &[json!({"Definition": 10}), json!({"Definition": 30})]).await;
    assert_eq!(
        (&told[0]["Status"], &told[0]["ErrCodeExt"]),
        (&json!("FAIL"), &json!("SourceFileError.NoVideoMedia"))
    );
    assert_eq!(told[1]["Status"], "SUCCESS", "{:#}", told[1]);
    let words =
        json!({"Type": "URL", "UrlInputInfo": {"Url": bench.web.offer_bytes("w.srt", b"not subtitles")}});
    let item = json!({"Definition": 10, "AddOnSubtitles": [{"Subtitle": words}]});
    let failed = results(&bench, &film(&bench, "a.mp4", 180, 2), &[item]).await.remove(0);
    assert_eq!(failed["Status"], "FAIL", "{failed:#}");
    assert!(failed["Message"].as_str().unwrap_or_default().contains("AddOnSubtitles.0"), "{failed:#}");
}
