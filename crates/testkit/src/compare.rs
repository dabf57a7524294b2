//! Looking at pictures and listening to sound: what a file really holds, measured by ffmpeg and ffprobe.
//!
//! Everything here reads the file anew and trusts no result of the server. A file that cannot be read panics with
//! what the tool said.

mod picture;
mod probe;
mod sound;

pub use picture::{Patch, frame, is_interlaced, lights, patch, psnr, ssim};
pub use probe::{
    Probe, captioned_frames, decode, frame_times, gather, key_frame_times, packet_times, picture_packets,
    probe, subtitles,
};
pub use sound::{Sync, extract, loudness_db, sync, tone_db, tone_hz};

use std::path::Path;
use std::process::{Command, Output};

use crate::media_files;

/// Runs a tool and gives what it prints; panics with its complaint if it fails.
fn run(tool: &str, words: &[&str]) -> Vec<u8> {
    let done = try_run(tool, words);
    assert!(done.status.success(), "{tool} {}: {}", words.join(" "), String::from_utf8_lossy(&done.stderr));
    done.stdout
}

#[expect(clippy::disallowed_methods, reason = "the measuring tools of tests are processes")]
fn try_run(tool: &str, words: &[&str]) -> Output {
    let path = media_files::tool(tool).unwrap_or_else(|| panic!("tests of media need {tool}"));
    Command::new(path).args(words).output().unwrap_or_else(|e| panic!("{tool} does not start: {e}"))
}

fn name(path: &Path) -> &str {
    path.to_str().expect("names of test files are text")
}
