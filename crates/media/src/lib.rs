//! What to do with media: requests and probes become command lines and names, results become answers.
//!
//! Pure: no IO, no clock, no process. Only each feature's `from_wire` and `to_wire`, [`templates`], [`presets`] and
//! [`answer`] know the cloud's names.

pub mod answer;
pub mod drm;
pub mod features;
pub mod fonts;
pub mod graph;
pub mod hls;
pub mod names;
pub mod package;
pub mod plan;
pub mod presets;
pub mod subtitles;
pub mod templates;

#[cfg(test)]
mod properties;
