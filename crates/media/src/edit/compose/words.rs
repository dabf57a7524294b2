//! The API's small words: lengths, moments and colours.

use serde::{Deserialize, Serialize};

/// The longest time that may be named, in seconds.
const MOST_S: f64 = 86_400.0;
/// The greatest length that may be named, in pixels and in percent.
const MOST_PIXELS: f64 = 8_192.0;
const MOST_PERCENT: f64 = 1_000.0;

/// A length on the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Pixels.
    Pixels(f64),
    /// Percent of a side of the canvas.
    Percent(f64),
}

impl Measure {
    /// Reads `100px` or `10%`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (number, of, most): (_, fn(f64) -> Self, _) = match text.strip_suffix("px") {
            Some(number) => (number, Self::Pixels, MOST_PIXELS),
            None => (text.strip_suffix('%')?, Self::Percent, MOST_PERCENT),
        };
        plain(number).filter(|number| *number <= most).map(of)
    }

    /// Pixels where the side that it is counted on has `side` of them.
    pub(super) fn pixels(self, side: u32) -> f64 {
        match self {
            Self::Pixels(pixels) => pixels,
            Self::Percent(percent) => f64::from(side) * percent / 100.0,
        }
    }

    /// Whether it is none at all.
    pub(super) fn is_zero(self) -> bool {
        let (Self::Pixels(number) | Self::Percent(number)) = self;
        number <= 0.0
    }
}

/// A moment of a medium.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Microseconds from its beginning.
    Us(i64),
    /// Percent of its length.
    Percent(f64),
}

impl Moment {
    /// Reads `3.5s` or `10%`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.strip_suffix('%') {
            Some(number) => plain(number).filter(|percent| *percent <= 100.0).map(Self::Percent),
            None => time_us(text).map(Self::Us),
        }
    }

    /// Microseconds from the beginning of a medium of this length; `None` when that is needed and unknown.
    pub(super) fn us(self, length_us: Option<i64>) -> Option<i64> {
        match self {
            Self::Us(us) => Some(us),
            Self::Percent(percent) => {
                length_us.map(|length| (length as f64 * percent / 100.0).round() as i64)
            }
        }
    }
}

/// Reads `3.5s` as microseconds.
pub(super) fn time_us(text: &str) -> Option<i64> {
    let seconds = plain(text.strip_suffix('s')?).filter(|seconds| *seconds <= MOST_S)?;
    Some((seconds * 1e6).round() as i64)
}

/// A number of digits and at most one dot.
fn plain(text: &str) -> Option<f64> {
    let is_plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    text.parse().ok().filter(|number: &f64| is_plain && number.is_finite())
}

/// Reads `#RRGGBB` or `0xRRGGBB`, both also with two digits of solidity behind.
pub(super) fn color(text: &str) -> Option<[u8; 4]> {
    let digits = text.strip_prefix('#').or_else(|| text.strip_prefix("0x"))?;
    if !matches!(digits.len(), 6 | 8) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut out = [255; 4];
    for (place, nth) in out.iter_mut().zip(0..digits.len() / 2) {
        *place = u8::from_str_radix(&digits[nth * 2..nth * 2 + 2], 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_a_unit() {
        assert_eq!(Measure::parse("10%").map(|m| m.pixels(640)), Some(64.0));
        assert_eq!(Measure::parse("12.5px").map(|m| m.pixels(640)), Some(12.5));
        for bad in ["", "10", "px", "%", "-1px", "1e3px", "9000px", "1001%", "1.2.3px", " 1px", "infpx"] {
            assert_eq!(Measure::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn moments_are_seconds_or_parts() {
        assert_eq!(Moment::parse("3.5s"), Some(Moment::Us(3_500_000)));
        assert_eq!(Moment::parse("50%").and_then(|m| m.us(Some(8_000_000))), Some(4_000_000));
        assert_eq!(Moment::parse("50%").and_then(|m| m.us(None)), None);
        for bad in ["", "3", "s", "-1s", "101%", "1m", "90000s", "NaNs"] {
            assert_eq!(Moment::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn colours_may_tell_how_solid_they_are() {
        assert_eq!(color("#FF8000"), Some([255, 128, 0, 255]));
        assert_eq!(color("0x000000FF"), Some([0, 0, 0, 255]));
        assert_eq!(color("#0000ff80"), Some([0, 0, 255, 128]));
        for bad in ["", "red", "#FFF", "FF8000", "#GG0000", "#+10000"] {
            assert_eq!(color(bad), None, "{bad:?}");
        }
    }
}
