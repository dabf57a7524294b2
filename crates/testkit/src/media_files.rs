//! Where a checkout keeps what tests of media need: the tools and the sample files.
//!
//! Neither is committed. Tools come from `MPS_FFMPEG`, `MPS_FFPROBE`, `MPS_PACKAGER` or `.cache/tools`; samples from
//! `MPS_TEST_MEDIA` or a folder `shared/media` beside the checkout. What is absent is told on stderr, and the test
//! that asked skips itself.

use std::path::{Path, PathBuf};

/// The root of this checkout.
pub fn repo_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// A tool by its name (`ffmpeg`, `ffprobe`, `packager`), or nothing after saying so.
pub fn tool(name: &str) -> Option<PathBuf> {
    let chosen = variable(&format!("MPS_{}", name.to_uppercase())).map(PathBuf::from);
    let path = chosen.unwrap_or_else(|| repo_root().join(".cache/tools").join(name));
    if path.is_file() {
        return Some(path);
    }
    eprintln!("skipped: {name} is not at {}; run scripts/media-tools.sh", path.display());
    None
}

/// The folder of sample media, or nothing after saying so.
pub fn media_folder() -> Option<PathBuf> {
    let chosen = variable("MPS_TEST_MEDIA").map(PathBuf::from);
    let path = chosen.unwrap_or_else(|| repo_root().join("../shared/media"));
    let found = path.canonicalize().ok();
    if found.is_none() {
        eprintln!("skipped: no sample media at {}; set MPS_TEST_MEDIA", path.display());
    }
    found
}

/// A sample by its path inside the folder, such as `real/man_sample.mp4`, or nothing after saying so.
pub fn media(name: &str) -> Option<PathBuf> {
    let path = media_folder()?.join(name);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("skipped: no sample {}", path.display());
    None
}

/// All files of a folder of samples, in order of name; empty after saying so.
pub fn media_under(folder: &str) -> Vec<PathBuf> {
    let Some(root) = media_folder() else { return Vec::new() };
    let entries = std::fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment where their files are")]
pub(crate) fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
