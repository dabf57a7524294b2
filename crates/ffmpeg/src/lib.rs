//! How media tools are run: found, probed for what they can do, and started in a sandbox with limits.
//!
//! This crate decides nothing about a job. It takes the arguments of a plan, adds the guards that no plan may
//! forget ([`argv`]), runs the tool as a child that reads only its inputs and writes only its folder
//! ([`sandbox`]), and tells how it went. Untrusted bytes are decoded in such children and nowhere else.

pub mod argv;
pub mod capabilities;
mod child;
mod failure;
pub mod fonts;
mod launcher;
pub mod limits;
pub mod probe;
mod progress;
pub mod run;
pub mod sandbox;
mod stall;
mod supervise;
pub mod tools;

pub use argv::SourceRef;
pub use capabilities::{Capabilities, CapabilityService, Need};
pub use child::Children;
pub use launcher::LauncherSpec;
pub use limits::Limits;
pub use probe::{ProbeOptions, probe};
pub use progress::Progress;
pub use run::{OnProgress, Report, Run, run};
pub use tools::{Tool, ToolPaths, Tools};
