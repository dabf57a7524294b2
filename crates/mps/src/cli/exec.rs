//! `mps __exec`: the launcher that puts itself into the sandbox and becomes a media program. Never called by people.

use std::process::ExitCode;

/// Carries out the launch; returns only when it failed.
pub fn run() -> ExitCode {
    mps_ffmpeg::sandbox::exec_main(std::env::args_os().skip(2))
}
