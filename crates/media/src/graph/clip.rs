//! The stretch of the source that is used.
//!
//! Offsets count from the source's own beginning: a source whose timestamps begin at 1.4 s has its second 0 there.
//! A negative offset counts back from the end, an end of 0 is the end, an end behind the end is the end, and a
//! start before the beginning is the beginning.

use mps_core::Error;
use mps_core::task::Fault;
use mps_wire::ApiError;
use mps_wire::codes::invalid_parameter_value;
use serde::{Deserialize, Serialize};

/// The longest offset, in seconds.
const MOST_S: f64 = 1e8;

/// A stretch of the source, as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Clip {
    /// Start in microseconds.
    pub start_us: i64,
    /// End in microseconds.
    pub end_us: i64,
}

impl Clip {
    /// Of the API's offsets in seconds.
    ///
    /// # Errors
    /// `InvalidParameterValue` when it is certain, without knowing the length, that nothing remains.
    pub fn from_seconds(start: f64, end: f64) -> Result<Self, ApiError> {
        for (name, value) in [("StartTimeOffset", start), ("EndTimeOffset", end)] {
            if !value.is_finite() || value.abs() > MOST_S {
                return Err(invalid_parameter_value(format!("{name} is {value:?}, out of range")));
            }
        }
        let clip = Self { start_us: (start * 1e6).round() as i64, end_us: (end * 1e6).round() as i64 };
        let same_side = clip.end_us != 0 && (clip.start_us < 0) == (clip.end_us < 0);
        if same_side && clip.start_us >= clip.end_us {
            return Err(invalid_parameter_value(format!(
                "StartTimeOffset {start} is not before EndTimeOffset {end}"
            )));
        }
        Ok(clip)
    }

    /// Start and, unless it runs to the end, the end, for a source of `duration_us` (0 when unknown).
    ///
    /// # Errors
    /// `InvalidInput` when nothing remains, or when a negative offset meets an unknown length.
    pub fn resolve(self, duration_us: i64) -> Result<(i64, Option<i64>), Error> {
        if duration_us <= 0 {
            if self.start_us < 0 || self.end_us < 0 {
                let told = "the length of the source is unknown, so nothing counts from its end";
                return Err(Fault::TimeOffset.of(Error::invalid(told)));
            }
            return Ok((self.start_us, (self.end_us > 0).then_some(self.end_us)));
        }
        let start = if self.start_us < 0 { (duration_us + self.start_us).max(0) } else { self.start_us };
        let end = match self.end_us {
            0 => duration_us,
            end if end < 0 => duration_us + end,
            end => end.min(duration_us),
        };
        if start >= end {
            return Err(Fault::TimeOffset.of(Error::invalid(format!(
                "nothing remains of the source: it is {:.3} s long, the clip goes from {:.3} s to {:.3} s",
                duration_us as f64 / 1e6,
                start as f64 / 1e6,
                end as f64 / 1e6
            ))));
        }
        Ok((start, (end < duration_us).then_some(end)))
    }
}

#[cfg(test)]
mod tests {
    use mps_core::task::Failure;

    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn of(start: f64, end: f64) -> Result<(i64, Option<i64>), String> {
        let clip = Clip::from_seconds(start, end).map_err(|e| e.code.into_owned())?;
        clip.resolve(MINUTE).map_err(|e| e.message().to_owned())
    }

    #[test]
    fn offsets_count_from_both_ends() {
        assert_eq!(of(0.0, 0.0), Ok((0, None)));
        assert_eq!(of(5.0, 15.0), Ok((5_000_000, Some(15_000_000))));
        assert_eq!(of(-10.0, 0.0), Ok((50_000_000, None)));
        assert_eq!(of(0.0, -10.0), Ok((0, Some(50_000_000))));
        assert_eq!(of(-20.0, -10.0), Ok((40_000_000, Some(50_000_000))));
        assert_eq!(of(50.0, -5.0), Ok((50_000_000, Some(55_000_000))));
        assert_eq!(of(-90.0, 100.0), Ok((0, None)));
    }

    #[test]
    fn refuses_a_clip_that_ends_before_it_starts() {
        for (start, end) in [(15.0, 5.0), (5.0, 5.0), (-5.0, -10.0), (f64::NAN, 0.0), (1e12, 0.0)] {
            assert_eq!(of(start, end), Err("InvalidParameterValue".to_owned()), "{start} {end}");
        }
        for (start, end) in [(61.0, 0.0), (58.0, -3.0), (0.0, -60.0)] {
            assert!(of(start, end).unwrap_err().contains("nothing remains"), "{start} {end}");
        }
        let beyond = Clip { start_us: MINUTE, end_us: 0 }.resolve(MINUTE).unwrap_err();
        assert_eq!(Failure::from_error(&beyond).word, "InvalidInput.InvalidTimeOffset");
    }

    #[test]
    fn an_unknown_length_allows_no_negative_offset() {
        assert!(Clip { start_us: -1, end_us: 0 }.resolve(0).is_err());
        assert_eq!(Clip { start_us: 5, end_us: 9 }.resolve(0).unwrap(), (5, Some(9)));
    }
}
