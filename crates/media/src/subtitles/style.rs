//! How subtitles look. Lengths are pixels of the frame that is coded.

use serde::{Deserialize, Serialize};

/// The look of burnt-in subtitles. What is `None` is the file's own, or the usual.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// Width and height of the frame.
    pub frame: (u32, u32),
    /// Family of the font.
    pub family: Option<String>,
    /// Whether letters are bold.
    pub is_bold: bool,
    /// Height of a line.
    pub size: Option<f64>,
    /// Colour of the letters, `0xRRGGBB`.
    pub colour: Option<u32>,
    /// How opaque the letters are, above 0 to 1.
    pub alpha: Option<f64>,
    /// From the lower edge of the frame to the lower edge of the text.
    pub y: Option<f64>,
    /// The upper edge of the text stays where that of a single line is.
    pub is_top: bool,
    /// The line around the letters.
    pub outline: Option<Edge>,
    /// The shadow of the letters.
    pub shadow: Option<Edge>,
    /// Room between lines.
    pub line_spacing: f64,
    /// What lies behind the text while there is one.
    pub board: Option<Board>,
}

/// A line around letters, or their shadow.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// How wide.
    pub width: f64,
    /// `0xRRGGBB`.
    pub colour: u32,
    /// Above 0 to 1.
    pub alpha: f64,
}

/// A rectangle in the middle of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Board {
    /// From the lower edge of the frame to that of the board.
    pub y: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// `0xRRGGBB`.
    pub colour: u32,
    /// 0 to 1.
    pub alpha: f64,
}

/// Parts of the frame's height that are usual where neither the call nor the file says anything.
pub(super) const USUAL_SIZE: f64 = 0.05;
pub(super) const USUAL_Y: f64 = 0.04;
pub(super) const USUAL_OUTLINE: f64 = 0.003;

/// A colour as tags of ASS write it.
pub(super) fn ass_colour(rgb: u32) -> String {
    let [_, red, green, blue] = rgb.to_be_bytes();
    format!("&H{blue:02X}{green:02X}{red:02X}&")
}

/// An opacity as ASS writes it: 0 is opaque.
pub(super) fn ass_alpha(alpha: f64) -> u8 {
    (255.0 * (1.0 - alpha.clamp(0.0, 1.0))).round() as u8
}

/// Both, as styles write them.
pub(super) fn ass_style_colour(rgb: u32, alpha: f64) -> String {
    let [_, red, green, blue] = rgb.to_be_bytes();
    format!("&H{:02X}{blue:02X}{green:02X}{red:02X}", ass_alpha(alpha))
}
