//! Entering a source somewhere in the middle so that the frame shown at a moment is known.
//!
//! The frame shown at a moment is the last one that begins at it or before. ffmpeg's exact entry throws that frame
//! away when it begins before, so the entry here is inexact, a little early, and a filter waits for the moment.
//!
//! Timestamps are the source's own (`-copyts`): the zero that ffmpeg chooses by itself depends on which streams are
//! used.

use mps_core::media_info::MediaInfo;

/// Before the moment: enough for frames that are stored out of order.
const LEAD_US: i64 = 1_000_000;

/// An entry for one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What the options before the input ask for, in microseconds from the source's beginning; 0 needs none.
    pub seek_us: i64,
    /// The moment by the source's own timestamps, in microseconds.
    pub zero_us: i64,
}

impl Entry {
    /// The entry for the moment `at_us` after the source's beginning.
    pub fn new(info: &MediaInfo, at_us: i64) -> Self {
        // Without an index an entry may land behind the last key frame before the moment.
        let seek_us = if is_indexed(info) { (at_us.min(pictures_end_us(info)) - LEAD_US).max(0) } else { 0 };
        Self { seek_us, zero_us: info.start_us + at_us }
    }

    /// The filters that set the moment to 0 and hold the last frame for ever, so that a moment behind it has one too.
    pub fn filter(self) -> String {
        format!("settb=1/1000000,setpts=PTS-({}),tpad=stop=-1:stop_mode=clone", self.zero_us)
    }

    /// The words before `-i`.
    pub fn words(self) -> Vec<String> {
        if self.seek_us == 0 {
            return Vec::new();
        }
        ["-noaccurate_seek", "-ss", &seconds(self.seek_us)].map(str::to_owned).to_vec()
    }
}

/// Where the pictures end, from the source's beginning.
pub fn pictures_end_us(info: &MediaInfo) -> i64 {
    let end = info
        .main_video()
        .filter(|video| video.duration_us > 0)
        .map(|video| (video.start_us - info.start_us).max(0).saturating_add(video.duration_us));
    end.map_or(info.duration_us, |end| if info.duration_us > 0 { end.min(info.duration_us) } else { end })
}

/// Whether the source can be entered at any place exactly.
pub fn is_indexed(info: &MediaInfo) -> bool {
    info.format.split(',').any(|name| matches!(name, "mov" | "mp4" | "matroska" | "webm"))
}

/// Whether frames come without any time of their own, by the prober's name of the format.
pub fn is_bare(format: &str) -> bool {
    matches!(
        format,
        "h261"
            | "h263"
            | "h264"
            | "hevc"
            | "vvc"
            | "evc"
            | "m4v"
            | "mpegvideo"
            | "vc1"
            | "cavsvideo"
            | "obu"
            | "av1"
    )
}

/// A time as ffmpeg reads it, in seconds.
pub fn seconds(us: i64) -> String {
    let sign = if us < 0 { "-" } else { "" };
    let us = us.unsigned_abs();
    format!("{sign}{}.{:06}", us / 1_000_000, us % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::transcode::testing::{film, info};

    #[test]
    fn an_entry_is_early_and_never_before_the_beginning() {
        let indexed = info(film(640, 360));
        assert_eq!(Entry::new(&indexed, 400_000), Entry { seek_us: 0, zero_us: 400_000 });
        assert_eq!(Entry::new(&indexed, 5_000_000), Entry { seek_us: 4_000_000, zero_us: 5_000_000 });
        let stream = MediaInfo { format: "mpegts".to_owned(), start_us: 1_400_000, ..indexed };
        assert_eq!(Entry::new(&stream, 15_000_000), Entry { seek_us: 0, zero_us: 16_400_000 });
        assert!(Entry::new(&stream, 15_000_000).words().is_empty());
    }

    #[test]
    fn a_moment_behind_the_pictures_is_entered_at_their_end() {
        let mut short = info(film(640, 360));
        short.video[0].duration_us = 5_000_000;
        assert_eq!(Entry::new(&short, 30_000_000), Entry { seek_us: 4_000_000, zero_us: 30_000_000 });
        assert_eq!(Entry::new(&short, 30_000_000).words().join(" "), "-noaccurate_seek -ss 4.000000");
        short.video[0].start_us = 2_000_000;
        assert_eq!(pictures_end_us(&short), 7_000_000);
    }
}
