use super::*;

const PLAIN: &str = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:0\n\
    #EXTINF:4.000000,\nseg0.ts\n#EXTINF:4.000000,\nseg1.ts\n#EXTINF:1.480000,\nseg2.ts\n#EXT-X-ENDLIST\n";
const SINGLE: &str = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n\
    #EXT-X-MAP:URI=\"all.mp4\",BYTERANGE=\"100@0\"\n\
    #EXTINF:1.0,\n#EXT-X-BYTERANGE:10@100\nall.mp4\n#EXTINF:1.0,\n#EXT-X-BYTERANGE:20@110\nall.mp4\n\
    #EXTINF:1.0,\n#EXT-X-BYTERANGE:30@130\nall.mp4\n#EXTINF:1.0,\n#EXT-X-BYTERANGE:40\nall.mp4\n\
    #EXTINF:0.5,\n#EXT-X-BYTERANGE:5@200\nall.mp4\n#EXT-X-ENDLIST\n";

fn packaging() -> Packaging {
    Packaging {
        playlist_key: "/out/Animal_from_mp4.m3u8".to_owned(),
        directory: "/out/".to_owned(),
        segment: "{inputName}_from_{inputFormat}_{number}".to_owned(),
        number: NumberFormat::default(),
        extension: "ts".to_owned(),
        content_type: "video/mp2t".to_owned(),
        is_single: false,
        join_us: 1_000_000,
        first: None,
        is_independent: false,
        input_name: "Animal".to_owned(),
        input_format: "mp4".to_owned(),
        definition: 100_210,
        task_id: "1-WorkflowTask-0tt1".to_owned(),
        also_us: Vec::new(),
        sub_stream: String::new(),
    }
}

#[test]
fn segments_get_their_keys_and_the_playlist_points_to_them() {
    let done = packaging().finish(PLAIN).unwrap();
    let keys: Vec<_> = done.pieces.iter().map(|p| p.key.as_str()).collect();
    assert_eq!(keys, ["/out/Animal_from_mp4_0.ts", "/out/Animal_from_mp4_1.ts", "/out/Animal_from_mp4_2.ts"]);
    insta::assert_snapshot!(done.playlist, @r"
    #EXTM3U
    #EXT-X-VERSION:3
    #EXT-X-TARGETDURATION:4
    #EXT-X-MEDIA-SEQUENCE:0
    #EXT-X-PLAYLIST-TYPE:VOD
    #EXTINF:4.000000,
    Animal_from_mp4_0.ts
    #EXTINF:4.000000,
    Animal_from_mp4_1.ts
    #EXTINF:1.480000,
    Animal_from_mp4_2.ts
    #EXT-X-ENDLIST
    ");
}

#[test]
fn short_first_segments_are_joined_from_pieces_of_one_object() {
    let single = Packaging {
        is_single: true,
        join_us: 2_000_000,
        first: Some(FirstSegments { us: 1_000_000, count: 2 }),
        extension: "mp4".to_owned(),
        is_independent: true,
        ..packaging()
    };
    let done = single.finish(SINGLE).unwrap();
    assert_eq!(done.pieces.len(), 1);
    insta::assert_snapshot!(done.playlist, @r#"
    #EXTM3U
    #EXT-X-VERSION:7
    #EXT-X-TARGETDURATION:2
    #EXT-X-MEDIA-SEQUENCE:0
    #EXT-X-PLAYLIST-TYPE:VOD
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-MAP:URI="Animal_from_mp4_0.mp4",BYTERANGE="100@0"
    #EXTINF:1.000000,
    #EXT-X-BYTERANGE:10@100
    Animal_from_mp4_0.mp4
    #EXTINF:1.000000,
    #EXT-X-BYTERANGE:20@110
    Animal_from_mp4_0.mp4
    #EXTINF:2.000000,
    #EXT-X-BYTERANGE:70@130
    Animal_from_mp4_0.mp4
    #EXTINF:0.500000,
    #EXT-X-BYTERANGE:5@200
    Animal_from_mp4_0.mp4
    #EXT-X-ENDLIST
    "#);
}

#[test]
fn pieces_of_one_file_can_become_objects_of_their_own() {
    let cut = Packaging {
        join_us: 3_000_000,
        first: Some(FirstSegments { us: 1_000_000, count: 1 }),
        extension: "m4s".to_owned(),
        ..packaging()
    };
    let done = cut.finish(SINGLE).unwrap();
    let pieces: Vec<_> = done
        .pieces
        .iter()
        .map(|p| (p.key.rsplit('/').next().unwrap(), p.range.map(|r| (r.offset, r.length))))
        .collect();
    assert_eq!(
        pieces,
        [
            ("Animal_from_mp4_init.mp4", Some((0, 100))),
            ("Animal_from_mp4_0.m4s", Some((100, 10))),
            ("Animal_from_mp4_1.m4s", Some((110, 90))),
            ("Animal_from_mp4_2.m4s", Some((200, 5))),
        ]
    );
    assert!(done.playlist.contains("#EXT-X-MAP:URI=\"Animal_from_mp4_init.mp4\"\n"));
    assert!(!done.playlist.contains("BYTERANGE"));
}

#[test]
fn a_playlist_that_leads_out_of_the_folder_is_refused() {
    for uri in ["../x.ts", "/etc/passwd", "http://h/x.ts", "a/b.ts", ".x"] {
        let text = PLAIN.replace("seg1.ts", uri);
        assert!(packaging().finish(&text).is_err(), "{uri}");
    }
    assert!(packaging().finish("#EXTM3U\n#EXT-X-ENDLIST\n").is_err());
    assert!(packaging().finish("hello").is_err());
    assert!(Playlist::parse("#EXTM3U\n#EXTINF:x,\na.ts\n").is_err());
    assert!(Playlist::parse("#EXTM3U\n#EXTINF:1,\n#EXT-X-BYTERANGE:1@18446744073709551615\na\n").is_err());
}

#[test]
fn names_that_would_collide_are_refused() {
    let fixed = Packaging { segment: "{inputName}".to_owned(), ..packaging() };
    assert!(fixed.finish(PLAIN).is_err());
}

#[test]
fn addresses_are_relative_and_encoded() {
    assert_eq!(relative_uri("/out/a.m3u8", "/out/seg/中 1#.ts"), "seg/%E4%B8%AD%201%23.ts");
    assert_eq!(relative_uri("/out/x/a.m3u8", "/out/y/b.ts"), "../y/b.ts");
    assert_eq!(relative_uri("/a.m3u8", "/b:c.ts"), "b%3Ac.ts");
}
