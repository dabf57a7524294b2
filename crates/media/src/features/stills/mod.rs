//! Pictures taken out of a video: at given moments, at even distances, as sprite sheets, as short animations.
//!
//! A moment's picture is the frame that a player shows then: the last one that begins at the moment or before, and
//! the last one of all where the pictures end before the sound does. Moments count from the source's beginning.
//! Pictures are upright, with square pixels, and of the brightness range that still pictures have.

pub mod animated;
mod around;
pub mod at_times;
mod frames;
pub mod sample;
pub mod sprite;
mod still;

#[cfg(test)]
mod tests;

use mps_core::media_info::{MediaInfo, VideoStream};
use mps_core::task::Fault;
use mps_core::{Error, Result};

pub use around::{Around, Naming};
pub use still::{Format, Still};

const VOD: &str = "there is no VOD service here";
const EXTRA: &str = "extra parameters of a vendor's own kind have no meaning here";

/// The most pictures of one item.
pub const MOST_PICTURES: i64 = 10_000;

/// The pictures to take from.
fn pictures(info: &MediaInfo) -> Result<&VideoStream> {
    info.main_video().ok_or_else(|| Fault::NoVideo.of(Error::invalid("the source has no pictures to take")))
}

/// Length of the source, where moments depend on it.
fn length_us(info: &MediaInfo) -> Result<i64> {
    if info.duration_us > 0 {
        return Ok(info.duration_us);
    }
    let told = "the length of the source is unknown, so no moments follow from it";
    Err(Fault::TimeOffset.of(Error::invalid(told)))
}
