use mps_core::Kind;

use super::*;

fn look() -> Look {
    Look {
        frame: (640, 360),
        family: Some("Noto Sans CJK SC".to_owned()),
        is_bold: false,
        size: None,
        colour: None,
        alpha: None,
        y: None,
        is_top: false,
        outline: None,
        shadow: None,
        line_spacing: 0.0,
        board: None,
    }
}

fn cues(text: &str) -> Vec<Cue> {
    match Subtitles::read(text.as_bytes()).unwrap() {
        Subtitles::Cues(cues) => cues,
        Subtitles::Ass(script) => panic!("{script}"),
    }
}

const SRT: &str = "1\r\n00:00:01,000 --> 00:00:02,500\r\nfirst <i>line</i>\r\nsecond\r\n\r\n\
                   2\r\n00:01:00,5 --> 00:01:02,000\r\n{\\an8}above\r\n";

#[test]
fn the_same_words_are_read_from_srt_and_vtt() {
    let vtt = "\u{feff}WEBVTT - a title\n\nNOTE nothing\n\nSTYLE\n::cue { color: red }\n\none\n\
               00:01.000 --> 00:02.500\nfirst <i>line</i>\nsecond\n\n01:00.500 --> 00:01:02.000 line:0%\nabove\n";
    let (one, other) = (cues(SRT), cues(vtt));
    assert_eq!(one[0].lines, ["first {\\i1}line{\\i0}", "second"]);
    assert_eq!((one[0].start_us, one[0].end_us), (1_000_000, 2_500_000));
    assert_eq!(one[0], other[0]);
    assert_eq!((one[1].start_us, &one[1].lines), (other[1].start_us, &other[1].lines));
    assert_eq!(one[1].place.map(|place| place.anchor), Some(8));
    assert_eq!(other[1].place, Some(Place { anchor: 8, at: Some((0.5, 0.0)) }));
}

#[test]
fn words_never_become_commands() {
    let text = "1\n00:00:00,000 --> 00:00:01,000\na {b} \\N <x> 1<2 &lt;i&gt; <v Bob>hi</v> <font color=\"#FF8000\">c</font>\n";
    assert_eq!(cues(text)[0].lines, ["a \\{b\\} \\\u{2060}N <x> 1<2 <i> hi {\\c&H0080FF&}c{\\c}"]);
}

#[test]
fn what_cannot_be_read_is_told_with_its_line() {
    let refused = |bytes: &[u8]| {
        let error = Subtitles::read(bytes).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput);
        error.message().to_owned()
    };
    assert!(
        refused(b"1\n00:00:00,000 --> 00:00:01,000\n\xc4\xe3\xba\xc3\n").contains("UTF-8 (line 3 is not)")
    );
    assert!(refused(b"hello").contains("neither SRT"));
    assert!(refused(b"1\n00:00:00 --> later\nx\n").contains("line 2"));
    assert!(refused(b"WEBVTT\n\nNOTE --\n").contains("no cue"));
    let many = "00:00:00,000 --> 00:00:01,000\nx\n\n".repeat(100_001);
    assert!(refused(many.as_bytes()).contains("100001 cues"));
    assert!(refused(&vec![b' '; 17 << 20]).contains("16 MiB"));
    let wide: Vec<u8> =
        std::iter::once(0xfeff).chain(SRT.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(Subtitles::read(&wide).unwrap(), Subtitles::Cues(cues(SRT)));
}

#[test]
fn a_script_has_the_usual_look_on_the_frame() {
    let script = Subtitles::Cues(cues(SRT)).to_ass(&look(), 0).unwrap();
    assert!(script.contains("PlayResX: 640\nPlayResY: 360\n"), "{script}");
    assert!(
        script.contains(
            "Style: Text,Noto Sans CJK SC,18.00,&H00FFFFFF,&H00FFFFFF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,1.08,\
             0.00,2,32,32,14,-1\n"
        ),
        "{script}"
    );
    assert!(
        script.contains("Dialogue: 1,0:00:01.00,0:00:02.50,Text,,0,0,0,,first {\\i1}line{\\i0}\\Nsecond\n"),
        "{script}"
    );
    assert!(script.ends_with("Dialogue: 1,0:01:00.50,0:01:02.00,Text,,0,0,0,,{\\an8}above\n"), "{script}");
}

#[test]
fn the_call_outweighs_the_file() {
    let board = Board { y: 10.0, width: 500.0, height: 50.0, colour: 0x10_20_30, alpha: 0.5 };
    let look = Look {
        y: Some(36.0),
        colour: Some(0xff_00_00),
        alpha: Some(0.8),
        line_spacing: 6.0,
        board: Some(board),
        ..look()
    };
    let script = Subtitles::Cues(cues(SRT)).to_ass(&look, -59_000_000).unwrap();
    assert!(script.contains("&H330000FF,") && script.contains(",2,32,32,36,-1\n"), "{script}");
    // The first cue was over before the clip begins.
    assert!(!script.contains("first"), "{script}");
    assert!(script.contains("Dialogue: 1,0:00:01.50,0:00:03.00,Text,,0,0,0,,above\n"), "{script}");
    assert!(
        script.ends_with(
            "Dialogue: -1,0:00:01.50,0:00:03.00,Text,,0,0,0,,{\\an7\\pos(70.0,300.0)\\bord0\\shad0\\1c&H302010&\\1a&H80&\
             \\p1}m 0 0 l 500.0 0 500.0 50.0 0 50.0\n"
        ),
        "{script}"
    );
    let top = Subtitles::Cues(cues(SRT)).to_ass(&Look { is_top: true, ..look }, 0).unwrap();
    assert!(
        top.contains("{\\an8\\pos(320,306)}first {\\i1}line{\\i0}\\N{\\fs6.0}\u{a0}\\N{\\r}second"),
        "{top}"
    );
}

#[test]
fn a_script_of_the_callers_keeps_what_the_call_leaves_open() {
    let own = "[Script Info]\nPlayResX: 1280\nPlayResY: 720\n\n[V4+ Styles]\n\
               Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, Outline, Alignment, MarginV\n\
               Style: Main,Arial,40,&H0000FF00,&H00000000,2,8,20\n\n[Events]\n\
               Format: Layer, Start, End, Style, Text\n\
               Dialogue: 0,0:00:01.00,0:00:02.00,Main,{\\pos(1,2)\\b1}one, two\n";
    let script = Subtitles::read(own.as_bytes()).unwrap();
    let plain = Look { family: None, ..look() };
    assert_eq!(script.to_ass(&plain, 0).unwrap(), own);
    let changed = Look { size: Some(30.0), y: Some(18.0), ..look() };
    let text = script.to_ass(&changed, 500_000).unwrap();
    assert!(text.contains("Style: Main,Noto Sans CJK SC,60.00,&H0000FF00,&H00000000,2,2,36\n"), "{text}");
    assert!(text.contains("Dialogue: 0,0:00:01.50,0:00:02.50,Main,{\\b1}one, two\n"), "{text}");
    let empty = own.split("Dialogue").next().unwrap();
    assert!(Subtitles::read(empty.as_bytes()).unwrap().to_ass(&plain, 0).is_err());
}
