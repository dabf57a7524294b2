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
        /// The sandbox of a media program: `auto` uses what the kernel offers and says in `mps doctor` what is
        /// missing, `require` refuses to start where a part is missing.
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
}

impl crate::config::section::Shown for Sandbox {
    const KIND: crate::config::section::Kind = crate::config::section::Kind::Word;
}
