//! Probing real files: truth where we know it, and a clear end for every hostile one.

mod support;

use std::time::{Duration, Instant};

use mps_core::media_info::{DynamicRange, FieldOrder, MediaInfo};
use mps_core::{Blame, Kind, Retry};
use mps_ffmpeg::{ProbeOptions, SourceRef, Tools, probe};
use mps_testkit::media_files;
use support::tools;

async fn look(tools: &Tools, name: &str) -> Option<MediaInfo> {
    let path = media_files::media(name)?;
    Some(probe(tools, &SourceRef::File(path), &ProbeOptions::default()).await.unwrap())
}

macro_rules! look {
    ($tools:expr, $name:expr) => {
        match look(&$tools, $name).await {
            Some(info) => info,
            None => return,
        }
    };
}

#[tokio::test]
async fn an_ordinary_film() {
    let Some(tools) = tools() else { return };
    let info = look!(tools, "real/man_sample_rotate_and_reflect.mp4");
    let video = info.main_video().unwrap();
    assert_eq!((video.codec.as_str(), video.codecs.as_str()), ("h264", "avc1.64001f"));
    assert_eq!((video.width, video.height, video.display_size()), (1080, 720, (720, 1080)));
    assert_eq!((video.rotation_degrees, video.is_mirrored), (90, true));
    assert_eq!((video.duration_us, video.frame_count), (1_001_000, Some(30)));
    assert_eq!(video.field_order, FieldOrder::Progressive);
    let audio = info.main_audio().unwrap();
    assert_eq!((audio.codecs.as_str(), audio.sample_rate_hz, audio.channels), ("mp4a.40.2", 44_100, 1));
    assert_eq!(audio.start_us, 43_991);
}

#[tokio::test]
async fn phones_turn_their_pictures() {
    let Some(tools) = tools() else { return };
    assert_eq!(look!(tools, "real/phone_rot90_ios9.mov").main_video().unwrap().rotation_degrees, 90);
    assert_eq!(look!(tools, "real/vfr_phone_rot180.mp4").main_video().unwrap().rotation_degrees, 180);
    let portrait = look!(tools, "real/phone_4k60_portrait.mp4");
    let (width, height) = portrait.main_video().unwrap().display_size();
    assert!(height > width);
}

#[tokio::test]
async fn high_dynamic_range_is_told_apart() {
    let Some(tools) = tools() else { return };
    let hdr = look!(tools, "real/hdr10_hevc_1080p.mp4");
    let video = hdr.main_video().unwrap();
    assert_eq!((video.dynamic_range, video.bit_depth), (DynamicRange::Hdr10Plus, 10));
    assert_eq!(
        (video.color.transfer.as_str(), video.color.content_light.as_str()),
        ("smpte2084", "1000,200")
    );
    assert!(video.codecs.starts_with("hev1.2."), "{}", video.codecs);
    let hlg = look!(tools, "real/hlg_colorchart.mp4");
    assert_eq!(hlg.main_video().unwrap().dynamic_range, DynamicRange::Hlg);
}

#[tokio::test]
async fn fields_and_pixel_shapes() {
    let Some(tools) = tools() else { return };
    let info = look!(tools, "derived/interlaced_tff_480i_anamorphic.ts");
    let video = info.main_video().unwrap();
    assert_eq!(video.field_order, FieldOrder::TopFirst);
    assert!(video.sample_aspect.is_known() && video.display_size().0 != video.width, "{video:?}");
    let wide = look!(tools, "derived/anamorphic_2x.mp4");
    let wide = wide.main_video().unwrap();
    assert!(wide.display_size().0 > wide.width, "{wide:?}");
}

#[tokio::test]
async fn several_tracks_and_subtitles() {
    let Some(tools) = tools() else { return };
    let languages: Vec<String> =
        look!(tools, "derived/multiaudio_eng_deu.mkv").audio.iter().map(|a| a.language.clone()).collect();
    assert!(languages.contains(&"eng".to_owned()) && languages.len() >= 2, "{languages:?}");
    let bitmap = look!(tools, "real/man_sample_with_pgs_subtitles.mkv");
    assert!(bitmap.subtitles.iter().all(|s| s.is_bitmap) && !bitmap.subtitles.is_empty());
    let text = look!(tools, "real/man_sample_with_ass_subtitles.mkv");
    assert!(!text.subtitles.is_empty() && text.subtitles.iter().all(|s| !s.is_bitmap));
}

#[tokio::test]
async fn a_length_that_is_not_told_is_measured() {
    let Some(tools) = tools() else { return };
    for name in ["real/broken_no_duration.webm", "real/face_foreman_cif.264", "real/flower_720p.264"] {
        let info = look!(tools, name);
        assert!(info.duration_us > 100_000, "{name}: {}", info.duration_us);
        // With several streams nobody knows which one has how much of the whole.
        let alone = info.audio.is_empty();
        assert_eq!(info.main_video().unwrap().bit_rate_bps > 0, alone, "{name}");
    }
}

#[tokio::test]
async fn a_picture_has_no_length() {
    let Some(tools) = tools() else { return };
    let info = look!(tools, "real/img_plate_ccpd_0.jpg");
    let picture = info.main_video().unwrap();
    assert_eq!((info.duration_us, picture.frame_count, picture.average_fps.is_known()), (0, Some(1), false));
    assert!(picture.width > 100);
}

/// Every sample either gives plausible facts or a sentence that blames the file, soon.
#[tokio::test]
async fn every_sample_ends_well() {
    let Some(tools) = tools() else { return };
    let options = ProbeOptions { verify: true, ..ProbeOptions::default() };
    for folder in ["real", "derived", "derived/hostile"] {
        for path in media_files::media_under(folder) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let begun = Instant::now();
            let outcome = probe(&tools, &SourceRef::File(path), &options).await;
            assert!(begun.elapsed() < Duration::from_secs(10), "{name}: {:?}", begun.elapsed());
            let may_fail = name.starts_with("broken") || folder == "derived/hostile";
            match outcome {
                Ok(info) => {
                    assert!(folder != "derived/hostile", "{name}: {info:?}");
                    let is_film = info.video.iter().any(|v| !v.is_attached_picture) || !info.audio.is_empty();
                    let is_picture = name.starts_with("img_");
                    assert!(is_film && (info.duration_us > 0 || is_picture || may_fail), "{name}: {info:?}");
                    assert!(
                        info.video.iter().all(|v| v.width > 0 && v.height > 0) || may_fail,
                        "{name}: {info:?}"
                    );
                    if let Some(video) = info.main_video().filter(|_| name.starts_with("broken")) {
                        eprintln!(
                            "{name}: {} {}x{} {} us",
                            video.codec, video.width, video.height, info.duration_us
                        );
                    }
                }
                Err(error) => {
                    assert!(may_fail, "{name}: {error:?}");
                    let judged = (error.kind(), error.blame(), error.retry());
                    assert_eq!(
                        judged,
                        (Kind::InvalidInput, Blame::Caller, Retry::Never),
                        "{name}: {error:?}"
                    );
                    assert!(!error.message().contains('/') && error.message().len() > 10, "{name}: {error}");
                    eprintln!("{name}: {error}");
                }
            }
        }
    }
    assert_eq!(tools.children().count(), 0);
}

#[tokio::test]
async fn missing_and_empty_files_are_told_plainly() {
    let Some(tools) = tools() else { return };
    let dir = tempfile::tempdir().unwrap();
    let source = |name: &str| SourceRef::File(dir.path().join(name));
    let options = ProbeOptions::default();
    assert_eq!(probe(&tools, &source("none.mp4"), &options).await.unwrap_err().kind(), Kind::NotFound);
    std::fs::write(dir.path().join("empty.mp4"), "").unwrap();
    let error = probe(&tools, &source("empty.mp4"), &options).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::InvalidInput, "the input is empty"));
}

/// Not a benchmark: a look must stay far below what a user notices. Prints the figure.
#[tokio::test]
async fn a_look_is_quick() {
    let Some(tools) = tools() else { return };
    let Some(path) = media_files::media("real/man_sample.mp4") else { return };
    let source = SourceRef::File(path);
    let mut best = Duration::MAX;
    for _ in 0..8 {
        let begun = Instant::now();
        probe(&tools, &source, &ProbeOptions::default()).await.unwrap();
        best = best.min(begun.elapsed());
    }
    eprintln!("a look takes {best:?}");
    assert!(best < Duration::from_millis(250), "{best:?}");
}
