//! What ffprobe tells: whatever JSON it prints about a hostile file, reading it does not panic, and what was read
//! survives being stored.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mps_core::MediaInfo;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let Ok(answer) = serde_json::from_str::<Value>(text) else { return };
    let Ok(info) = mps_ffmpeg::probe::parse(&answer) else { return };
    let _ = (info.main_video().map(|video| video.display_size()), info.main_audio());
    let stored = serde_json::to_string(&info).expect("what was read can be stored");
    let _: MediaInfo = serde_json::from_str(&stored).expect("what was stored can be read");
});
