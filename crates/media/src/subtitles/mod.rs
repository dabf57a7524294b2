//! Subtitles as text: SRT, WebVTT, TTML and ASS are read, and written as ASS for burning in.
//!
//! Times are microseconds of the source. Files are the caller's: they are bounded, and what cannot be read is told with
//! its line. Markup that only some renderers know is dropped, the words never are.

mod ass;
mod cue;
mod markup;
mod style;
#[cfg(test)]
mod tests;
mod ttml;

use mps_core::{Error, Result};

pub use cue::{Cue, Place};
pub use style::{Board, Edge, Look};

/// The most bytes of a file.
pub const MOST_BYTES: u64 = 16 << 20;
/// The most cues of a file.
const MOST_CUES: usize = 100_000;

/// The text of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Subtitles {
    /// Cues without looks of their own, from SRT, WebVTT or TTML.
    Cues(Vec<Cue>),
    /// A script with its own looks, as it stands.
    Ass(String),
}

impl Subtitles {
    /// Reads a file, whose kind is seen from its text.
    ///
    /// # Errors
    /// `InvalidInput` when it is too long, in another encoding than UTF-8 or UTF-16, of no kind that we know, or broken.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        if bytes.len() as u64 > MOST_BYTES {
            return Err(Error::invalid(format!("the subtitles have more than {} MiB", MOST_BYTES >> 20)));
        }
        let text = decode(bytes)?;
        let text = text.trim_start_matches('\u{feff}');
        let start = text.trim_start();
        if ttml::is_meant(start) {
            return ttml::read(start).and_then(counted).map(Self::Cues);
        }
        if start.starts_with("WEBVTT") {
            return cue::vtt(text).and_then(counted).map(Self::Cues);
        }
        let is_ass = start.starts_with("[Script Info]") || text.contains("\n[V4") || start.starts_with("[V4");
        if is_ass {
            return Ok(Self::Ass(text.to_owned()));
        }
        if text.contains("-->") {
            return cue::srt(text).and_then(counted).map(Self::Cues);
        }
        Err(Error::invalid("the subtitles are neither SRT nor WebVTT nor TTML nor ASS"))
    }

    /// A script for a renderer of ASS; times are moved by `shift_us`.
    ///
    /// # Errors
    /// `InvalidInput` when a script of the caller's is broken.
    pub fn to_ass(&self, look: &Look, shift_us: i64) -> Result<String> {
        match self {
            Self::Cues(cues) => Ok(ass::of_cues(cues, look, shift_us)),
            Self::Ass(script) => ass::of_script(script, look, shift_us),
        }
    }
}

impl Subtitles {
    /// Leaves out what is shown before `from_us` or from `to_us` on; a script of ASS stays as it is.
    pub fn keep(&mut self, from_us: i64, to_us: i64) {
        let Self::Cues(cues) = self else { return };
        for cue in cues.iter_mut() {
            (cue.start_us, cue.end_us) = (cue.start_us.max(from_us), cue.end_us.min(to_us));
        }
        cues.retain(|cue| cue.start_us < cue.end_us);
    }

    /// A file of WebVTT; times are moved by `shift_us`, and what is over before 0 is left out.
    ///
    /// # Errors
    /// `InvalidInput` for a script of ASS, whose looks WebVTT does not have.
    pub fn to_vtt(&self, shift_us: i64) -> Result<String> {
        match self {
            Self::Cues(cues) => Ok(cue::to_vtt(cues, shift_us)),
            Self::Ass(_) => Err(Error::invalid("a script of ASS is no WebVTT")),
        }
    }
}

/// A file of TTML as WebVTT, any other as it is.
///
/// # Errors
/// `InvalidInput` when it is TTML and cannot be read.
pub fn plainer(bytes: &[u8]) -> Result<Vec<u8>> {
    let is_small = bytes.len() as u64 <= MOST_BYTES;
    let is_ttml = |text: String| ttml::is_meant(text.trim_start_matches('\u{feff}'));
    if is_small && decode(bytes).is_ok_and(is_ttml) {
        return Ok(Subtitles::read(bytes)?.to_vtt(0)?.into_bytes());
    }
    Ok(bytes.to_vec())
}

fn counted(cues: Vec<Cue>) -> Result<Vec<Cue>> {
    match cues.len() {
        0 => Err(Error::invalid("the subtitles have no cue")),
        n if n > MOST_CUES => {
            Err(Error::invalid(format!("the subtitles have {n} cues; {MOST_CUES} is the most")))
        }
        _ => Ok(cues),
    }
}

fn decode(bytes: &[u8]) -> Result<String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair));
        char::decode_utf16(units).collect::<Result<String, _>>()
    };
    let told = match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes).map_err(|_| "UTF-16".to_owned()),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes).map_err(|_| "UTF-16".to_owned()),
        _ => std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
            let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
            format!("UTF-8 (line {line} is not)")
        }),
    };
    let text =
        told.map_err(|what| Error::invalid(format!("the subtitles are no {what}; save them as UTF-8 text")))?;
    if text.contains('\0') {
        return Err(Error::invalid("the subtitles are no text"));
    }
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}
