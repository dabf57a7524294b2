//! Pictures laid over the pictures of a video: where, how large, how long.
//!
//! Lengths are counted on the frame that is coded. Times count from the beginning of what is coded; what counts from its
//! end needs its length.

use serde::{Deserialize, Serialize};

use super::picture::Geometry;

/// A length in the API's units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Length {
    /// Pixels.
    Pixels(f64),
    /// Percent of the frame's width.
    OfWidth(f64),
    /// Percent of the frame's height.
    OfHeight(f64),
    /// Percent of the shorter side.
    OfShort(f64),
    /// Percent of the longer side.
    OfLong(f64),
}

/// Which side a plain percentage is counted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// The width.
    Horizontal,
    /// The height.
    Vertical,
}

impl Length {
    /// Reads `100px`, `10%`, `10W%`, `10H%`, `10S%` or `10L%`.
    pub fn parse(text: &str, axis: Axis) -> Option<Self> {
        let units: [(&str, fn(f64) -> Self); 6] = [
            ("px", Self::Pixels),
            ("W%", Self::OfWidth),
            ("H%", Self::OfHeight),
            ("S%", Self::OfShort),
            ("L%", Self::OfLong),
            ("%", if axis == Axis::Horizontal { Self::OfWidth } else { Self::OfHeight }),
        ];
        let (digits, of) = units.iter().find_map(|(unit, of)| Some((text.strip_suffix(unit)?, of)))?;
        digits.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0).map(of)
    }

    /// Pixels on a frame of this size.
    pub fn pixels(self, (width, height): (u32, u32)) -> f64 {
        let (width, height) = (f64::from(width), f64::from(height));
        match self {
            Self::Pixels(pixels) => pixels,
            Self::OfWidth(part) => width * part / 100.0,
            Self::OfHeight(part) => height * part / 100.0,
            Self::OfShort(part) => width.min(height) * part / 100.0,
            Self::OfLong(part) => width.max(height) * part / 100.0,
        }
    }

    /// Whether it says nothing.
    pub fn is_zero(self) -> bool {
        let (Self::Pixels(n) | Self::OfWidth(n) | Self::OfHeight(n) | Self::OfShort(n) | Self::OfLong(n)) =
            self;
        n <= 0.0
    }
}

/// The corner that positions count from, of the frame and of what is laid over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Corner {
    /// `TopLeft`.
    #[default]
    TopLeft,
    /// `TopRight`.
    TopRight,
    /// `BottomLeft`.
    BottomLeft,
    /// `BottomRight`.
    BottomRight,
}

impl Corner {
    /// Of the API's word; what is absent is the top left.
    pub fn from_word(word: &str) -> Self {
        match word {
            "TopRight" => Self::TopRight,
            "BottomLeft" => Self::BottomLeft,
            "BottomRight" => Self::BottomRight,
            _ => Self::TopLeft,
        }
    }

    /// The words of the overlay filter for `x` and `y` pixels from this corner.
    fn place(self, x: i64, y: i64) -> String {
        let (right, bottom) = match self {
            Self::TopLeft => (false, false),
            Self::TopRight => (true, false),
            Self::BottomLeft => (false, true),
            Self::BottomRight => (true, true),
        };
        let x = if right { format!("W-w-{x}") } else { x.to_string() };
        let y = if bottom { format!("H-h-{y}") } else { y.to_string() };
        format!("x={x}:y={y}")
    }
}

/// What a moving picture does at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// It disappears.
    Once,
    /// Its last frame stays.
    LastFrame,
    /// It begins again.
    #[default]
    Forever,
}

/// A stretch of time as asked: 0 is the beginning and the end, what is negative counts from the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Window {
    /// When it appears, in microseconds.
    pub start_us: i64,
    /// When it disappears, in microseconds.
    pub end_us: i64,
}

impl Window {
    /// Start and end within `length_us` (0 when unknown); `None` when it is never seen.
    pub fn resolve(self, length_us: i64) -> Option<(i64, Option<i64>)> {
        let from_end = |at_us: i64| (length_us > 0).then(|| (length_us + at_us).max(0));
        let start = if self.start_us < 0 { from_end(self.start_us)? } else { self.start_us };
        let end = match self.end_us {
            0 => None,
            end if end < 0 => Some(from_end(end)?),
            end => Some(end),
        };
        let is_seen = end.is_none_or(|end| start < end) && (length_us <= 0 || start < length_us);
        is_seen.then_some((start, end))
    }
}

/// The pictures that others are laid over.
#[derive(Debug, Clone, Copy)]
pub struct Below<'a> {
    /// Their sizes.
    pub geometry: Geometry,
    /// How long they are, in microseconds; 0 when unknown.
    pub length_us: i64,
    /// Where they begin on the clock of the filters.
    pub zero_us: i64,
    /// ffmpeg's pixel format of the result.
    pub format: &'a str,
    /// Each is seen by itself: what moves shows its first picture.
    pub is_still: bool,
}

/// A picture to lay over a video.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Overlay {
    /// Where positions count from.
    pub corner: Corner,
    /// Distance from the left or the right.
    pub x: Length,
    /// Distance from the top or the bottom.
    pub y: Length,
    /// Width; zero follows from the height.
    pub width: Length,
    /// Height; zero follows from the width.
    pub height: Length,
    /// What it does at its end.
    pub repeat: Repeat,
    /// When it is seen.
    pub window: Window,
}

impl Overlay {
    /// Options before its input.
    pub fn input_words(&self, is_animated: bool) -> Vec<&'static str> {
        if is_animated && self.repeat == Repeat::Forever { vec!["-stream_loop", "-1"] } else { Vec::new() }
    }

    /// The graph from the pad `below` (the pictures so far) and the input `nth` to the pad `above`; `None` when it is
    /// never seen.
    pub fn graph(&self, nth: usize, (below, above): (&str, &str), pictures: &Below<'_>) -> Option<String> {
        let Below { geometry, length_us, zero_us, is_still, .. } = *pictures;
        let (start, end) = self.window.resolve(length_us)?;
        let frame = geometry.frame;
        let side = |length: Length, most: u32| {
            if length.is_zero() {
                -1
            } else {
                (length.pixels(frame).round() as i64).clamp(1, i64::from(most) * 4)
            }
        };
        let (mut width, height) = (side(self.width, frame.0), side(self.height, frame.1));
        if width < 0 && height < 0 {
            width = (Length::OfWidth(10.0).pixels(frame).round() as i64).max(1);
        }
        let place =
            self.corner.place(self.x.pixels(frame).round() as i64, self.y.pixels(frame).round() as i64);
        let seconds = |us: i64| super::seek::seconds(us + zero_us);
        let mut enable = String::new();
        if start > 0 || end.is_some() {
            let until = end.map_or_else(String::new, |end| format!("*lt(t,{})", seconds(end)));
            enable = format!(":enable='gte(t,{}){until}'", seconds(start));
        }
        let at_end = if self.repeat == Repeat::Once { "pass" } else { "repeat" };
        let shift = if zero_us == 0 {
            String::new()
        } else {
            format!(",setpts=PTS+{}/TB", super::seek::seconds(zero_us))
        };
        let first = if is_still { "trim=end_frame=1," } else { "" };
        let pad = format!("{above}mark");
        Some(format!(
            "[{nth}:v]{first}scale=w={width}:h={height}:flags=bicubic,format=rgba{shift}[{pad}];\
             [{below}][{pad}]overlay={place}:format=auto:eof_action={at_end}{enable}[{above}]"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Geometry = Geometry { scaled: (1280, 720), frame: (1280, 720), finish: None };

    #[test]
    fn lengths_are_read_in_all_units() {
        let pixels =
            |text: &str, axis: Axis| Length::parse(text, axis).map(|length| length.pixels((1280, 720)));
        for (text, horizontal, vertical) in [
            ("100px", 100.0, 100.0),
            ("10%", 128.0, 72.0),
            ("10W%", 128.0, 128.0),
            ("10H%", 72.0, 72.0),
            ("10S%", 72.0, 72.0),
            ("10L%", 128.0, 128.0),
        ] {
            assert_eq!(pixels(text, Axis::Horizontal), Some(horizontal), "{text}");
            assert_eq!(pixels(text, Axis::Vertical), Some(vertical), "{text}");
        }
        for bad in ["", "10", "px", "-1px", "NaN%", "1e400px", "10Q%"] {
            assert_eq!(pixels(bad, Axis::Vertical), None, "{bad}");
        }
    }

    #[test]
    fn a_window_counts_from_both_ends() {
        let of = |start_us, end_us| Window { start_us, end_us }.resolve(60);
        assert_eq!(of(0, 0), Some((0, None)));
        assert_eq!(of(10, 20), Some((10, Some(20))));
        assert_eq!(of(-5, 0), Some((55, None)));
        assert_eq!(of(0, -10), Some((0, Some(50))));
        assert_eq!(of(-90, -50), Some((0, Some(10))));
        for never in [of(20, 10), of(60, 0), of(-10, -10)] {
            assert_eq!(never, None);
        }
        assert_eq!(Window { start_us: -5, end_us: 0 }.resolve(0), None);
    }

    #[test]
    fn a_corner_is_that_of_the_frame_and_of_the_picture() {
        let overlay = Overlay {
            corner: Corner::BottomRight,
            x: Length::OfWidth(10.0),
            y: Length::Pixels(20.0),
            width: Length::OfWidth(0.0),
            height: Length::OfHeight(50.0),
            repeat: Repeat::Once,
            window: Window { start_us: 1_500_000, end_us: -500_000 },
        };
        let below =
            Below { geometry: FRAME, length_us: 10_000_000, zero_us: 0, format: "yuv420p", is_still: false };
        let graph = overlay.graph(1, ("base", "out"), &below).unwrap();
        assert_eq!(
            graph,
            "[1:v]scale=w=-1:h=360:flags=bicubic,format=rgba[outmark];\
             [base][outmark]overlay=x=W-w-128:y=H-h-20:format=auto:eof_action=pass:\
             enable='gte(t,1.500000)*lt(t,9.500000)'[out]"
        );
    }
}
