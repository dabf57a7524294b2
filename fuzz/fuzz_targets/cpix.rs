//! Answers of key servers: whatever they are, reading ends with keys that were asked for or with a refusal.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mps_media::drm::tracks::{Kind, Track, Wanted, wanted};
use mps_media::drm::{Drm, Package, Speke, cpix, from_wire};
use serde_json::json;

static ASKED: LazyLock<(Speke, Vec<Wanted>)> = LazyLock::new(|| {
    let info = json!({"Type": "widevine+playready+fairplay", "SpekeDrm": {
        "ResourceId": "film-1", "KeyServerUrl": "https://keys.example/", "EncryptionPreset": "preset1",
        "Vector": "0123456789abcdef0123456789abcdef"}});
    let package = Package { format: "HLS", segment_type: "mp4-segment", codecs: &["h264"] };
    let Ok(Drm::Speke(speke)) = from_wire("item", &info, package) else { panic!("a good request is refused") };
    let track = |label: &str, stream| {
        Track { label: label.to_owned(), stream: Some(stream), kind: Kind::Video, height: 720 }
    };
    let wanted = wanted(&speke, &[track("video-1", 0), track("video-2", 1)]);
    (speke, wanted)
});

fuzz_target!(|data: &[u8]| {
    let (speke, wanted) = &*ASKED;
    if let Ok(keys) = cpix::read(data, speke, wanted) {
        assert_eq!(keys.0.len(), wanted.len());
        assert!(keys.0.iter().all(|key| key.systems.len() >= speke.systems.len()));
    }
});
