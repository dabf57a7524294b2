//! `[tools]`: the media programs.

use std::path::PathBuf;

use crate::config::section::section;

section! {
    /// The media programs. Absent: the ones in the data folder, then those on `PATH`.
    pub struct Tools {
        /// ffmpeg; also `MPS_FFMPEG`.
        ffmpeg: Option<PathBuf> = None,
        /// ffprobe; also `MPS_FFPROBE`.
        ffprobe: Option<PathBuf> = None,
        /// Shaka packager; also `MPS_PACKAGER`.
        packager: Option<PathBuf> = None,
        /// The sandbox of media programs: `auto` uses what the kernel offers (`mps doctor` says what is missing),
        /// `require` starts none where the kernel cannot confine it, `off` keeps the limits only.
        sandbox: Sandbox = Sandbox::Auto,
    }
}

/// How much the sandbox matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sandbox {
    /// What the kernel offers.
    Auto,
    /// All of it, or no start.
    Require,
    /// Limits only, for machines whose container forbids the rest.
    Off,
}

impl crate::config::section::Shown for Sandbox {
    const KIND: crate::config::section::Kind = crate::config::section::Kind::Word;
}
