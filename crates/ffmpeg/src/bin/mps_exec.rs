//! The launcher alone, for tests: what `mps __exec` is in the real binary.

fn main() -> std::process::ExitCode {
    mps_ffmpeg::sandbox::exec_main(std::env::args_os().skip(1))
}
