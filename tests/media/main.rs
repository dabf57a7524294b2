//! What comes out of the server, measured: real encodes of films whose every frame and tone is known.
//!
//! Each test has a server of its own. Tests are skipped, and say so, where the media tools are absent.

mod adaptive;
mod added;
mod burn;
mod callbacks;
mod captions;
mod clips;
mod drm;
mod edit;
mod formats;
mod head_tail;
mod hls;
mod marks;
mod orchestrations;
mod pictures;
mod rates;
mod real;
mod results;
mod sound;
mod stills;
mod storage;
mod tasks;
mod traces;

/// Skips a test of media on a machine without the tools.
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

/// A number of a JSON value.
pub(crate) fn number(value: &serde_json::Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}
