//! Killing the server while it works: what was accepted ends once, with whole outputs, and is told of.
//!
//! A victim is a running server with a client that never gives up ([`victim`]). It is killed by SIGKILL at the named
//! points of `mps_core::crash` and at moments drawn from a seed, which is printed; `MPS_FAULT_SEED` replays one. In
//! the end nothing may be missing, doubled, half done or left behind.

mod backup;
mod cluster;
mod embedded;
mod foreign;
mod garbage;
mod jobs;
mod stopping;
mod told;
mod uploads;
mod victim;

/// Skips a test on a machine without the media tools.
macro_rules! tools_or_return {
    () => {
        if ["ffmpeg", "ffprobe"].iter().any(|name| mps_testkit::media_files::tool(name).is_none()) {
            return;
        }
    };
}
pub(crate) use tools_or_return;

/// Seconds as a length.
pub(crate) fn seconds(length: u64) -> std::time::Duration {
    std::time::Duration::from_secs(length)
}
