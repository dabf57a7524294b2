//! Closed captions inside of the pictures of the source.

use std::path::PathBuf;

use mps_e2e::Bench;
use mps_testkit::compare::captioned_frames;
use mps_testkit::made;
use serde_json::json;

use crate::{seconds, tools_or_return};

/// Two seconds of H.264 each of whose 50 frames carries captions, as the standard puts them in front of the picture.
fn captioned(bench: &Bench) -> PathBuf {
    let clip = made::clip(320, 180, "25", seconds(2));
    let clip = clip.to_str().expect("a path");
    let bare =
        made::film("h264", &["-i", clip, "-an", "-c:v", "libx264", "-bf", "0", "-x264-params", "slices=1"]);
    let bytes = std::fs::read(bare).expect("a stream");
    // User data of ATSC with one pair of bytes of CEA-608: a character, which ends with its parity.
    let captions =
        [&[0x06, 4, 14, 0xb5, 0x00, 0x31][..], b"GA94", &[0x03, 0x41, 0xff, 0xfc, 0xc8, 0x49, 0xff, 0x80]]
            .concat();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(3).position(|three| three == [0, 0, 1]) {
        out.extend(&bytes[at..at + found]);
        at += found + 3;
        if matches!(bytes[at] & 31, 1 | 5) {
            out.extend([0, 0, 1]);
            out.extend(&captions);
        }
        out.extend([0, 0, 1]);
    }
    out.extend(&bytes[at..]);
    let stream = bench.folder.path().join("captioned.h264");
    std::fs::write(&stream, out).expect("a stream");
    let name = stream.to_str().expect("a path");
    let film =
        made::film("mp4", &["-r", "25", "-i", name, "-c", "copy", "-metadata", &format!("made={name}")]);
    assert_eq!(captioned_frames(&film), 50);
    film
}

#[tokio::test(flavor = "multi_thread")]
async fn captions_of_the_source_stay_in_h264() {
    tools_or_return!();
    let bench = Bench::start().await;
    let source = captioned(&bench);
    for (video, kept) in [
        (json!({"Codec": "h264", "Fps": 0, "Bitrate": 0, "Height": 240}), 50),
        (json!({"Codec": "copy", "Fps": 0, "Bitrate": 0}), 50),
        (json!({"Codec": "h265", "Fps": 0, "Bitrate": 0}), 0),
    ] {
        let raw = json!({"Container": "mp4", "RemoveAudio": 1, "VideoTemplate": video});
        assert_eq!(captioned_frames(bench.raw(&source, raw).await.file()), kept, "{video}");
    }
    let subtitle = json!({"Type": "URL", "UrlInputInfo": {"Url": bench.web.url("x.srt")}});
    let added = json!({"AddOnSubtitles": [{"Type": "close-caption-608", "Subtitle": subtitle}]});
    let item = json!({"Definition": 100_010, "OverrideParameter": added});
    let request = mps_e2e::by_url(&bench.web.url("x.mp4"), "/x/", &[item]);
    let refused = bench.server.call("ProcessMedia", &request).await.expect_err("refused");
    assert!(refused.message.contains("close-caption-608"), "{refused:?}");
}
