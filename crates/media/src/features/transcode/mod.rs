//! Transcoding: from a template, the call's own changes and a probe to one command line and named outputs.
//!
//! [`from_wire`] checks an item of the request when it comes; [`plan`](plan::plan) turns it into a command once the
//! source is known; [`to_wire`](result::to_wire) tells the caller what came out. What happens to time is told in
//! [`clip`], [`picture`], [`audio`] and [`keyframes`].

pub mod audio;
pub mod check;
pub mod clip;
mod from_wire;
pub mod keyframes;
pub mod params;
pub mod picture;
mod plan;
pub mod result;
pub mod support;
pub mod video;
pub mod words;

#[cfg(test)]
mod plan_tests;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use from_wire::forget_reset_values;
pub use from_wire::{OBJECT_VARIABLES, Place, check_output_dir, definition, from_wire, params};
pub use params::{Params, StepParams};
pub use plan::{main_key, plan};
pub use result::{StepResult, to_wire};
pub use support::REFUSED;

/// Name of the steps that do this.
pub const KIND: &str = "transcode";
