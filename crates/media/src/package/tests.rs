use super::*;
use crate::names::NumberFormat;

fn packaging(nth: usize, is_single: bool) -> Packaging {
    Packaging {
        playlist_key: format!("/out/a b_{nth}.m3u8"),
        directory: "/out/".to_owned(),
        segment: "parts/{subStreamNumber}_{segmentNumber}.{format}".to_owned(),
        number: NumberFormat::default(),
        extension: "m4s".to_owned(),
        content_type: "video/iso.segment".to_owned(),
        is_single,
        join_us: 0,
        first: None,
        also_us: Vec::new(),
        is_independent: true,
        input_name: "a".to_owned(),
        input_format: "mp4".to_owned(),
        definition: 10,
        task_id: "t".to_owned(),
        sub_stream: nth.to_string(),
    }
}

fn playlist(file: &str) -> String {
    format!(
        "#EXTM3U\n#EXT-X-TARGETDURATION:7\n#EXT-X-MAP:URI=\"{file}\",BYTERANGE=\"800@0\"\n\
         #EXTINF:6.000,\n#EXT-X-BYTERANGE:600000@900\n{file}\n#EXTINF:3.000,\n#EXT-X-BYTERANGE:375000\n{file}\n\
         #EXT-X-ENDLIST\n"
    )
}

const MASTER: &str = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,URI=\"part-1.m3u8\",GROUP-ID=\"a\",NAME=\"a\"\n\
    #EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"mp4a.40.2,avc1.64001e\",AUDIO=\"a\"\npart-0.m3u8\n";

fn ladder(is_single: bool) -> (Package, BTreeMap<String, String>) {
    let media = |nth: usize| HlsPart::Media {
        file: format!("part-{nth}.m3u8"),
        packaging: Box::new(packaging(nth, is_single)),
    };
    let captions = HlsPart::Captions {
        file: "captions-0.vtt".to_owned(),
        key: "/out/parts/2_0.vtt".to_owned(),
        playlist_key: "/out/a b_2.m3u8".to_owned(),
        begins_90khz: 90_000,
    };
    let rendition = |part, kind, group: &str, name: &str, channels| Rendition {
        part,
        kind,
        group: group.to_owned(),
        name: name.to_owned(),
        language: Some("zh".to_owned()),
        is_default: true,
        channels,
    };
    let package = Package::Hls(HlsPackage {
        key: "/out/main.m3u8".to_owned(),
        parts: vec![media(0), media(1), captions],
        variants: vec![Variant {
            part: 0,
            told_as: "part-0.m3u8".to_owned(),
            size: Some((640, 360)),
            millifps: 29_970,
            sound_codec: Some("mp4a.40.2".to_owned()),
            sound: Some("sound-0".to_owned()),
            captions: Some("captions".to_owned()),
        }],
        renditions: vec![
            rendition(1, RenditionKind::Sound, "sound-0", "中文 \"1\"", 2),
            rendition(2, RenditionKind::Captions, "captions", "sub", 0),
        ],
        masters: vec!["master.m3u8".to_owned()],
    });
    let texts = [
        ("part-0.m3u8", playlist("part-0.mp4")),
        ("part-1.m3u8", playlist("part-1.mp4")),
        ("captions-0.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n".to_owned()),
        ("master.m3u8", MASTER.to_owned()),
    ];
    (package, texts.map(|(file, text)| (file.to_owned(), text)).into())
}

#[test]
fn a_master_lists_variants_sound_and_subtitles() {
    let (package, texts) = ladder(false);
    assert_eq!(package.reads(), ["part-0.m3u8", "part-1.m3u8", "captions-0.vtt", "master.m3u8"]);
    let done = package.finish(&texts).unwrap();
    insta::assert_snapshot!(done.texts[0].text, @r#"
    #EXTM3U
    #EXT-X-VERSION:6
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound-0",NAME="中文 '1'",LANGUAGE="zh",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="a%20b_1.m3u8"
    #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="sub",LANGUAGE="zh",DEFAULT=YES,AUTOSELECT=YES,FORCED=NO,URI="a%20b_2.m3u8"
    #EXT-X-STREAM-INF:BANDWIDTH=2000000,AVERAGE-BANDWIDTH=1733334,CODECS="avc1.64001e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=29.970,AUDIO="sound-0",SUBTITLES="captions",CLOSED-CAPTIONS=NONE
    a%20b_0.m3u8
    "#);
    let keys: Vec<_> = done.pieces.iter().map(|piece| piece.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "/out/parts/0_init.mp4",
            "/out/parts/0_0.m4s",
            "/out/parts/0_1.m4s",
            "/out/parts/1_init.mp4",
            "/out/parts/1_0.m4s",
            "/out/parts/1_1.m4s"
        ]
    );
    let roles: Vec<_> = done.texts.iter().map(|text| (text.key.as_str(), text.role)).collect();
    assert_eq!(
        roles,
        [
            ("/out/main.m3u8", Role::Playlist),
            ("/out/parts/2_0.vtt", Role::Segment),
            ("/out/a b_0.m3u8", Role::SubPlaylist),
            ("/out/a b_1.m3u8", Role::SubPlaylist),
            ("/out/a b_2.m3u8", Role::SubPlaylist)
        ]
    );
    assert_eq!(
        done.texts[1].text,
        "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:90000,LOCAL:00:00:00.000\n\n00:01.000 --> 00:02.000\nHi\n"
    );
    assert!(done.texts[4].text.contains("#EXT-X-TARGETDURATION:9\n"), "{}", done.texts[4].text);
    assert!(done.texts[4].text.contains("#EXTINF:9.000000,\nparts/2_0.vtt\n"), "{}", done.texts[4].text);
    assert_eq!(done.duration_us, 9_000_000);
}

#[test]
fn ranges_stay_ranges_of_one_object_a_stream() {
    let (package, texts) = ladder(true);
    let done = package.finish(&texts).unwrap();
    let keys: Vec<_> = done.pieces.iter().map(|piece| piece.key.as_str()).collect();
    assert_eq!(keys, ["/out/parts/0_0.m4s", "/out/parts/1_0.m4s"]);
    assert!(
        done.texts[2].text.contains("#EXT-X-BYTERANGE:375000@600900\nparts/0_0.m4s"),
        "{}",
        done.texts[2].text
    );
}

#[test]
fn what_a_tool_left_out_and_names_that_collide_are_errors() {
    let (package, mut texts) = ladder(false);
    texts.remove("part-1.m3u8");
    assert!(package.finish(&texts).unwrap_err().message().contains("part-1.m3u8"));
    let (mut package, texts) = ladder(true);
    if let Package::Hls(package) = &mut package {
        package.key = "/out/parts/2_0.vtt".to_owned();
    }
    assert!(package.finish(&texts).unwrap_err().message().contains("/out/parts/2_0.vtt"));
}

#[test]
fn without_the_codec_of_the_pictures_no_list_is_given() {
    let (package, mut texts) = ladder(false);
    texts.insert("master.m3u8".to_owned(), "#EXTM3U\n".to_owned());
    assert!(!package.finish(&texts).unwrap().texts[0].text.contains("CODECS"));
}

const MPD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!--Generated-->\n\
    <MPD type=\"static\" mediaPresentationDuration=\"PT1M2.5S\">\n  <Period id=\"0\">\n    \
    <AdaptationSet id=\"0\" contentType=\"audio\">\n      <Representation id=\"1\">\n        \
    <BaseURL>part-0.mp4</BaseURL>\n      </Representation>\n    </AdaptationSet>\n  </Period>\n</MPD>\n";

fn dash(key: &str, label: Option<&str>) -> Package {
    Package::Dash(DashPackage {
        key: "/out/main.mpd".to_owned(),
        file: "manifest.mpd".to_owned(),
        parts: vec![DashPart {
            file: "part-0.mp4".to_owned(),
            key: key.to_owned(),
            content_type: "audio/mp4".to_owned(),
            label: label.map(str::to_owned),
        }],
    })
}

fn with_mpd(text: &str) -> BTreeMap<String, String> {
    [("manifest.mpd".to_owned(), text.to_owned())].into()
}

#[test]
fn a_manifest_of_dash_gets_our_names() {
    let done = dash("/out/x/a&b <1>.mp4", Some("中 & <文>")).finish(&with_mpd(MPD)).unwrap();
    assert_eq!(done.duration_us, 62_500_000);
    let text = &done.texts[0].text;
    assert!(text.contains("<BaseURL>x/a&amp;b%20%3C1%3E.mp4</BaseURL>"), "{text}");
    assert!(
        text.contains(
            "<AdaptationSet id=\"0\" contentType=\"audio\">\n      <Label>中 &amp; &lt;文&gt;</Label>"
        ),
        "{text}"
    );
    assert!(!text.contains("Generated") && text.ends_with("</MPD>\n"), "{text}");
    assert_eq!(done.pieces[0].file, "part-0.mp4");
}

#[test]
fn a_manifest_that_lacks_a_file_or_is_still_growing_is_an_error() {
    let of =
        |text: &str| dash("/out/a.mp4", None).finish(&with_mpd(text)).map_err(|e| e.message().to_owned());
    assert!(of(MPD).is_ok());
    for (from, to, told) in [
        ("part-0.mp4", "../../etc/passwd", "not of this job"),
        ("static", "dynamic", "finished"),
        ("<BaseURL>part-0.mp4</BaseURL>", "", "lacks part-0.mp4"),
        ("</MPD>", "<", "cut short"),
        ("PT1M2.5S", "soon", "no length"),
    ] {
        let error = of(&MPD.replace(from, to)).unwrap_err();
        assert!(error.contains(told), "{from}: {error}");
    }
}
