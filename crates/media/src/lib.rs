//! What to do with media: requests and probes become command lines and names, results become answers.
//!
//! Pure: no IO, no clock, no process. Only the `from_wire` and `to_wire` of features and of [`edit`], [`templates`],
//! [`presets`] and [`answer`] know the cloud's names.

pub mod answer;
pub mod drm;
pub mod edit;
pub mod features;
pub mod fonts;
pub mod graph;
pub mod hls;
pub mod names;
pub mod package;
pub mod plan;
pub mod presets;
pub mod schedule;
pub mod subtitles;
pub mod templates;

#[cfg(test)]
mod properties;
