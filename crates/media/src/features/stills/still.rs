//! One picture: its format, size and shape.

use mps_core::media_info::VideoStream;
use mps_core::{Error, Result};
use mps_wire::ApiError;
use mps_wire::codes::unsupported_operation;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::graph::picture::{self, Fill, Picture, Pixels, is_rgb, is_wide};
use crate::plan::Build;

/// The most pixels of a picture: what ffmpeg takes.
const MOST_PIXELS: u64 = 250_000_000;

/// File format of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// JPEG.
    Jpg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
}

impl Format {
    /// The format of a template's word; what is absent is JPEG.
    pub fn from_word(word: &str) -> Self {
        match word {
            "png" => Self::Png,
            "webp" => Self::Webp,
            _ => Self::Jpg,
        }
    }

    /// Extension of its files.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }

    /// Media type of its files.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Jpg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// ffmpeg's encoder.
    pub const fn encoder(self) -> &'static str {
        match self {
            Self::Jpg => "mjpeg",
            Self::Png => "png",
            Self::Webp => "libwebp",
        }
    }

    /// The longest side that its files can have.
    pub const fn longest_side(self) -> u32 {
        match self {
            Self::Jpg => 65_500,
            Self::Png => 65_535,
            Self::Webp => 16_383,
        }
    }

    /// The words that choose and set the encoder.
    pub fn words(self) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Jpg => &["-c:v", "mjpeg", "-q:v", "2"],
            Self::Png => &["-c:v", "png"],
            Self::Webp => &["-c:v", "libwebp", "-quality", "90", "-compression_level", "4"],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    /// The filters from a decoded picture with the matrix of `source` to what the format holds.
    pub fn finish(self, source: &VideoStream) -> String {
        format!("scale=in_color_matrix={}:{}", matrix(source), self.target())
    }

    /// The same from red, green and blue.
    pub fn finish_rgb(self) -> String {
        format!("scale={}", self.target())
    }

    /// Readers take JPEG and WebP for BT.601, whatever the size.
    const fn target(self) -> &'static str {
        match self {
            Self::Jpg => "out_color_matrix=bt601:out_range=pc,format=yuvj420p",
            Self::Png => "out_range=pc,format=rgb24",
            Self::Webp => "out_color_matrix=bt601:out_range=tv,format=yuv420p",
        }
    }
}

/// The matrix of the picture after scaling: that of the source, or what players take where it tells none.
fn matrix(source: &VideoStream) -> &'static str {
    if is_wide(source) || is_rgb(source) {
        return "bt709";
    }
    match source.color.space.as_str() {
        "bt470bg" | "smpte170m" | "bt601" => "bt601",
        "bt2020nc" | "bt2020c" | "bt2020" => "bt2020",
        "smpte240m" => "smpte240m",
        "fcc" => "fcc",
        "bt709" | "gbr" => "bt709",
        _ if source.width.max(source.height) >= 1280 || source.height > 576 => "bt709",
        _ => "bt601",
    }
}

/// Refuses what the format cannot hold; `what` it is, and how to make it smaller.
///
/// # Errors
/// `InvalidInput` with the size.
pub(super) fn check_size(
    format: Format,
    (width, height): (u64, u64),
    (what, advice): (&str, &str),
) -> Result<()> {
    let longest = u64::from(format.longest_side());
    if width.max(height) <= longest && width * height <= MOST_PIXELS {
        return Ok(());
    }
    let told = format!(
        "the {what} would have {width}x{height} pixels, too many for {}: {advice}",
        format.extension()
    );
    Err(Error::invalid(told))
}

/// Refuses an encoder that this installation lacks.
///
/// # Errors
/// `UnsupportedOperation` naming it.
pub(super) fn check_encoder(encoder: &str, here: &str, build: &Build) -> Result<(), ApiError> {
    if build.encodes(encoder) {
        return Ok(());
    }
    Err(unsupported_operation(format!("{here} needs {encoder}, which this server's ffmpeg lacks")))
}

/// A picture as a template wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Still {
    /// The file format.
    pub format: Format,
    /// Width, or the longer side; 0 follows from the other or from the source.
    pub width: u32,
    /// Height, or the shorter side; 0 follows from the other or from the source.
    pub height: u32,
    /// `width` and `height` mean the longer and the shorter side.
    pub by_sides: bool,
    /// What fills the picture when the shapes differ.
    pub fill: Fill,
}

impl Still {
    /// Of a template's body, which was checked when it was stored.
    pub fn read(body: &Value) -> Self {
        let size = |name: &str| u32::try_from(body[name].as_u64().unwrap_or(0)).unwrap_or(0);
        Self {
            format: Format::from_word(body["Format"].as_str().unwrap_or_default()),
            width: size("Width"),
            height: size("Height"),
            by_sides: body["ResolutionAdaptive"].as_str() != Some("close"),
            fill: match body["FillType"].as_str().unwrap_or_default() {
                "stretch" => Fill::Stretch,
                "white" => Fill::White,
                "gauss" => Fill::Gauss,
                _ => Fill::Black,
            },
        }
    }

    /// Its size for `source`.
    ///
    /// # Errors
    /// `InvalidInput` when `format` cannot hold it.
    pub(super) fn size(self, source: &VideoStream, format: Format) -> Result<(u32, u32)> {
        let (width, height) = picture::geometry(self.picture(), source).frame;
        let advice = ("picture", "ask for a smaller Width or Height");
        check_size(format, (width.into(), height.into()), advice)?;
        Ok((width, height))
    }

    /// The picture before [`Format::finish`].
    pub fn picture(self) -> Picture {
        let pixels = Pixels { format: "yuv444p", bits: 8, is_even: false };
        let Self { width, height, by_sides, fill, .. } = self;
        Picture { width, height, by_sides, fill, pixel_aspect: 1, pixels }
    }
}
