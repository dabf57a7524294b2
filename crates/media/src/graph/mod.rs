//! Filter graphs as values: what several features do to a picture is said once here.

mod clip;
pub mod overlay;
pub mod picture;
pub mod seek;

pub use clip::Clip;
pub use picture::{Geometry, Picture, Timing};
pub use seek::Entry;
