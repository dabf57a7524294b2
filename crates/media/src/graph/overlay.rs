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

/// From a number to a length.
type Unit = fn(f64) -> Length;

impl Length {
    /// Reads `100px`, `10%`, `10W%`, `10H%`, `10S%` or `10L%`.
    pub fn parse(text: &str, axis: Axis) -> Option<Self> {
        let units: [(&str, Unit); 6] = [
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

    /// The words of a filter for `x` and `y` pixels from this corner.
    fn place(self, x: i64, y: i64, names: Names) -> String {
        let (right, bottom) = match self {
            Self::TopLeft => (false, false),
            Self::TopRight => (true, false),
            Self::BottomLeft => (false, true),
            Self::BottomRight => (true, true),
        };
        let x = if right { format!("{}-{x}", names.0) } else { x.to_string() };
        let y = if bottom { format!("{}-{y}", names.1) } else { y.to_string() };
        format!("x={x}:y={y}")
    }
}

/// What a filter calls the room to the right of and below the thing that it lays.
#[derive(Debug, Clone, Copy)]
struct Names(&'static str, &'static str);

impl Names {
    const OVERLAY: Self = Self("W-w", "H-h");
    const DRAWTEXT: Self = Self("w-tw", "h-th");
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

    /// The option of a filter that shows something for this time only; `None` when it is never seen.
    pub fn enable(self, below: &Below<'_>) -> Option<String> {
        let (start, end) = self.resolve(below.length_us)?;
        if start == 0 && end.is_none() {
            return Some(String::new());
        }
        let seconds = |us: i64| super::seek::seconds(us + below.zero_us);
        let until = end.map_or_else(String::new, |end| format!("*lt(t,{})", seconds(end)));
        Some(format!(":enable='gte(t,{}){until}'", seconds(start)))
    }
}

/// The pictures that something is laid over.
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

/// Where something is laid, and when it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spot {
    /// Where positions count from.
    pub corner: Corner,
    /// Distance from the left or the right.
    pub x: Length,
    /// Distance from the top or the bottom.
    pub y: Length,
    /// When it is seen.
    pub window: Window,
}

impl Spot {
    /// Options of a filter that say where and when; `None` when it is never seen.
    fn words(&self, below: &Below<'_>, names: Names) -> Option<String> {
        let enable = self.window.enable(below)?;
        let frame = below.geometry.frame;
        let (x, y) = (self.x.pixels(frame).round() as i64, self.y.pixels(frame).round() as i64);
        Some(format!("{}{enable}", self.corner.place(x, y, names)))
    }
}

/// A picture to lay over a video, by the sizes that it gets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Overlay {
    /// Width; zero follows from the height.
    pub width: Length,
    /// Height; zero follows from the width.
    pub height: Length,
    /// What it does at its end.
    pub repeat: Repeat,
    /// Whether it moves.
    pub is_animated: bool,
}

impl Overlay {
    /// Width and height in pixels on frames of this size; `None` for what follows from the other.
    pub fn size(&self, frame: (u32, u32)) -> (Option<u32>, Option<u32>) {
        let side = |length: Length, most: u32| {
            (!length.is_zero()).then(|| (length.pixels(frame).round() as u32).clamp(1, most * 4))
        };
        (side(self.width, frame.0), side(self.height, frame.1))
    }

    /// Options before its input.
    pub fn input_words(&self, below: &Below<'_>) -> &'static [&'static str] {
        if self.is_endless(below) { &["-stream_loop", "-1"] } else { &[] }
    }

    fn is_endless(&self, below: &Below<'_>) -> bool {
        self.is_animated && self.repeat == Repeat::Forever && !below.is_still
    }

    /// The graph from the pad `from` (the pictures so far) and the input `nth` to the pad `to`; `None` when it is never
    /// seen.
    pub fn graph(
        &self,
        spot: &Spot,
        nth: usize,
        (from, to): (&str, &str),
        below: &Below<'_>,
    ) -> Option<String> {
        let place = spot.words(below, Names::OVERLAY)?;
        let side = |pixels: Option<u32>| pixels.map_or_else(|| "-1".to_owned(), |n| n.to_string());
        let (width, height) = self.size(below.geometry.frame);
        let first = if below.is_still { "trim=end_frame=1," } else { "" };
        let shift = match below.zero_us {
            0 => String::new(),
            zero_us => format!(",setpts=PTS+{}/TB", super::seek::seconds(zero_us)),
        };
        let at_end = match self.repeat {
            Repeat::Once if !below.is_still => "eof_action=pass",
            _ if self.is_endless(below) => "shortest=1",
            _ => "eof_action=repeat",
        };
        Some(format!(
            "[{nth}:v]{first}scale=w={}:h={}:flags=bicubic,format=rgba{shift}[{to}mark];\
             [{from}][{to}mark]overlay={place}:format=auto:{at_end}[{to}]",
            side(width),
            side(height)
        ))
    }
}

/// Words to be written on a video.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Caption {
    /// Family of the font.
    pub family: String,
    /// Height of the letters' square.
    pub size: Length,
    /// `0xRRGGBB`.
    pub colour: String,
    /// 0 (not seen) to 1.
    pub alpha: f64,
}

impl Caption {
    /// The graph from the pad `from` to the pad `to` that writes what the file `file` holds; `None` when it is never
    /// seen.
    pub fn graph(
        &self,
        spot: &Spot,
        file: &str,
        (from, to): (&str, &str),
        below: &Below<'_>,
    ) -> Option<String> {
        let size = self.size.pixels(below.geometry.frame);
        if size < 1.0 {
            return None;
        }
        let place = spot.words(below, Names::DRAWTEXT)?;
        let Self { family, colour, alpha, .. } = self;
        Some(format!(
            "[{from}]drawtext=textfile={file}:expansion=none:font='{family}':fontsize={size:.2}:\
             fontcolor={colour}@{alpha:.3}:{place}[{to}]"
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

    fn below() -> Below<'static> {
        Below { geometry: FRAME, length_us: 10_000_000, zero_us: 0, format: "yuv420p", is_still: false }
    }

    const SPOT: Spot = Spot {
        corner: Corner::BottomRight,
        x: Length::OfWidth(10.0),
        y: Length::Pixels(20.0),
        window: Window { start_us: 1_500_000, end_us: -500_000 },
    };

    #[test]
    fn a_corner_is_that_of_the_frame_and_of_the_picture() {
        let overlay = Overlay {
            width: Length::OfWidth(0.0),
            height: Length::OfHeight(50.0),
            repeat: Repeat::Once,
            is_animated: false,
        };
        assert_eq!(
            overlay.graph(&SPOT, 1, ("base", "out"), &below()).unwrap(),
            "[1:v]scale=w=-1:h=360:flags=bicubic,format=rgba[outmark];\
             [base][outmark]overlay=x=W-w-128:y=H-h-20:enable='gte(t,1.500000)*lt(t,9.500000)':\
             format=auto:eof_action=pass[out]"
        );
    }

    #[test]
    fn words_are_measured_from_the_same_corner() {
        let mut caption = Caption {
            family: "Noto Sans CJK SC".to_owned(),
            size: Length::OfHeight(5.0),
            colour: "0xFF0000".to_owned(),
            alpha: 0.5,
        };
        assert_eq!(
            caption.graph(&SPOT, "mark-0", ("base", "out"), &below()).unwrap(),
            "[base]drawtext=textfile=mark-0:expansion=none:font='Noto Sans CJK SC':fontsize=36.00:\
             fontcolor=0xFF0000@0.500:x=w-tw-128:y=h-th-20:enable='gte(t,1.500000)*lt(t,9.500000)'[out]"
        );
        caption.size = Length::Pixels(0.0);
        assert_eq!(caption.graph(&SPOT, "mark-0", ("base", "out"), &below()), None);
    }
}
