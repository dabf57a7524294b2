//! Subtitles that become part of the picture: `SubtitleTemplate` of a transcode or a stream.
//!
//! The text comes from a file of the caller's or from a track of the source. It is made a script of ASS for the very
//! frame that is coded, so lengths in pixels and percent are exact, and drawn above the scaled picture and below
//! watermarks. Cues keep the time of the source, also in a clip.

mod from_wire;
#[cfg(test)]
mod tests;

use mps_core::media_info::{MediaInfo, SubtitleStream};
use mps_core::{Error, Kind, Result};
use serde::{Deserialize, Serialize};

use super::over::Source;
use crate::graph::overlay::{Below, Length};
use crate::plan::{self, Arg, Command, Convert, Extra, Fetch};
use crate::subtitles::{Board, Edge, Look, MOST_BYTES};

pub use from_wire::from_wire;

/// What messages of a worker call it.
const NAME: &str = "SubtitleTemplate";
const FILE: &str = "captions";
/// A folder of its own: the renderer reads every file beside a font.
const FONT: &str = "fonts/captions";
const MOST_FONT_BYTES: u64 = 64 << 20;

/// Subtitles to burn in, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Burn {
    from: From,
    /// A font of the caller's, which outweighs the family.
    font: Option<Extra>,
    family: Option<String>,
    is_bold: bool,
    size: Option<Length>,
    colour: Option<u32>,
    alpha: Option<f64>,
    y: Option<Length>,
    is_top: bool,
    outline: Option<Rim>,
    shadow: Option<Rim>,
    line_spacing: Length,
    board: Option<Plate>,
}

/// Where the text comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum From {
    /// A file of the caller's.
    File(Extra),
    /// A track of the source: its index in the file, else its place among the tracks of subtitles.
    Stream(u32),
}

/// [`Edge`] before the frame is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Rim {
    width: Length,
    colour: u32,
    alpha: f64,
}

/// [`Board`] before the frame is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Plate {
    y: Length,
    width: Length,
    height: Length,
    colour: u32,
    alpha: f64,
}

/// The subtitles of one output.
pub(super) struct Drawn {
    pub(super) fetch: Vec<Fetch>,
    pub(super) prepare: Option<Command>,
    pub(super) convert: Convert,
    /// The filter that draws them.
    pub(super) filter: String,
}

impl Burn {
    /// Draws the subtitles on pictures.
    ///
    /// # Errors
    /// `InvalidInput` when the source has no such track or it consists of pictures; `Unsupported` when ffmpeg cannot draw.
    pub(super) fn draw(&self, branch: &str, below: &Below<'_>, source: Source<'_>) -> Result<Drawn> {
        let Source { info, start_us, build } = source;
        if !build.filters("ass") {
            let told = "the installed ffmpeg cannot draw subtitles: it lacks the filter ass";
            return Err(Error::new(Kind::Unsupported, told));
        }
        let (mut fetch, mut prepare) = (Vec::new(), None);
        let mut wanted = |from: &Extra, file: &str, name: &str, most_bytes| {
            fetch.push(Fetch {
                from: from.clone(),
                file: file.to_owned(),
                name: name.to_owned(),
                most_bytes,
            });
        };
        match &self.from {
            From::File(from) => wanted(from, FILE, NAME, MOST_BYTES),
            From::Stream(index) => prepare = Some(taken_out(track(info, *index)?)),
        }
        if let Some(font) = &self.font {
            wanted(font, FONT, &format!("{NAME}.FontFileInput"), MOST_FONT_BYTES);
        }
        let script = format!("{FILE}{branch}.ass");
        let folder = if self.font.is_some() { ":fontsdir=fonts" } else { "" };
        let filter = format!("ass=filename={script}{folder}");
        let convert = Convert {
            from: FILE.to_owned(),
            to: script,
            into: plan::Into::Ass {
                look: Box::new(self.look(below.geometry.frame)),
                font: self.font.is_some().then(|| FONT.to_owned()),
            },
            shift_us: below.zero_us - start_us,
            window_us: None,
            name: NAME.to_owned(),
        };
        Ok(Drawn { fetch, prepare, convert, filter })
    }

    fn look(&self, frame: (u32, u32)) -> Look {
        let pixels = |length: Length| length.pixels(frame);
        let edge = |rim: Rim| Edge { width: pixels(rim.width), colour: rim.colour, alpha: rim.alpha };
        Look {
            frame,
            family: self.family.clone(),
            is_bold: self.is_bold,
            size: self.size.map(pixels),
            colour: self.colour,
            alpha: self.alpha,
            y: self.y.map(pixels),
            is_top: self.is_top,
            outline: self.outline.map(edge),
            shadow: self.shadow.map(edge),
            line_spacing: pixels(self.line_spacing),
            board: self.board.map(|plate| Board {
                y: pixels(plate.y),
                width: pixels(plate.width),
                height: pixels(plate.height),
                colour: plate.colour,
                alpha: plate.alpha,
            }),
        }
    }
}

/// The track of the source that a number means.
fn track(info: &MediaInfo, index: u32) -> Result<&SubtitleStream> {
    let tracks = &info.subtitles;
    let found = tracks.iter().find(|track| track.index == index).or_else(|| tracks.get(index as usize));
    let known = || {
        let list: Vec<String> = tracks.iter().map(|track| track.index.to_string()).collect();
        if list.is_empty() { "it has none".to_owned() } else { format!("its tracks are {}", list.join(", ")) }
    };
    let track = found.ok_or_else(|| {
        Error::invalid(format!("the source has no subtitle track {index} (StreamIndex); {}", known()))
    })?;
    if track.is_bitmap {
        let told = format!(
            "the subtitle track {index} (StreamIndex) consists of pictures ({}), not of text",
            track.codec
        );
        return Err(Error::invalid(told));
    }
    Ok(track)
}

/// Takes a track of text out of the source.
fn taken_out(track: &SubtitleStream) -> Command {
    let format = if matches!(track.codec.as_str(), "ass" | "ssa") { "ass" } else { "srt" };
    let map = format!("0:{}", track.index);
    let mut args = vec![Arg::from("-i"), Arg::Source];
    args.extend(["-map", &map, "-f", format].map(Arg::from));
    args.push(Arg::File(FILE.to_owned()));
    Command::ffmpeg(args, 0)
}
