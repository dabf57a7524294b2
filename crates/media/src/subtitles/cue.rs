//! SRT and WebVTT as cues.

use mps_core::{Error, Result};

use super::markup;

/// Words that are shown for some time.
#[derive(Debug, Clone, PartialEq)]
pub struct Cue {
    /// When it appears, in microseconds.
    pub start_us: i64,
    /// When it disappears, in microseconds.
    pub end_us: i64,
    /// Its lines, with the markup of ASS.
    pub lines: Vec<String>,
    /// Where the file wants it; nowhere in particular when `None`.
    pub place: Option<Place>,
}

/// A place that a file gives to a cue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// The point of the text that is placed, as keys of a number pad: 2 is the middle of its lower edge.
    pub anchor: u8,
    /// Where that point is, in parts of the frame from the left and the top; the anchor's own edge when `None`.
    pub at: Option<(f64, f64)>,
}

/// The longest text of a cue, in bytes.
const MOST_TEXT: usize = 16 * 1024;

/// Cues of a SubRip file. Numbers are not looked at; a cue that ends before it starts is left out.
pub(super) fn srt(text: &str) -> Result<Vec<Cue>> {
    cues(text, |_| None)
}

/// Cues of a WebVTT file; notes, styles and regions are left out.
pub(super) fn vtt(text: &str) -> Result<Vec<Cue>> {
    cues(text, settings)
}

fn cues(text: &str, place: fn(&str) -> Option<Place>) -> Result<Vec<Cue>> {
    let mut cues = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let Some((start, rest)) = line.split_once("-->") else { continue };
        let told =
            || Error::invalid(format!("line {} of the subtitles has no times: {line:.80}", number + 1));
        let rest = rest.trim_start();
        let (end, more) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let start_us = stamp(start.trim()).ok_or_else(told)?;
        let end_us = stamp(end.trim()).ok_or_else(told)?;
        let mut words = Vec::new();
        while let Some((_, line)) =
            lines.next_if(|(_, line)| !line.trim().is_empty() && !line.contains("-->"))
        {
            words.push(line);
        }
        // The number of the next cue, where no empty line stands before it.
        if lines.peek().is_some_and(|(_, line)| line.contains("-->"))
            && words.last().is_some_and(|word| word.trim().bytes().all(|byte| byte.is_ascii_digit()))
        {
            words.pop();
        }
        if words.iter().map(|line| line.len()).sum::<usize>() > MOST_TEXT {
            let told = format!("the cue of line {} has more than {MOST_TEXT} bytes", number + 1);
            return Err(Error::invalid(told));
        }
        if words.is_empty() || end_us <= start_us {
            continue;
        }
        let (lines, anchor) = markup::lines(&words);
        let anchored = anchor.map(|anchor| Place { anchor, at: None });
        cues.push(Cue { start_us, end_us, lines, place: anchored.or_else(|| place(more)) });
    }
    Ok(cues)
}

/// `HH:MM:SS,mmm`, hours and the parts of a second may be missing.
fn stamp(text: &str) -> Option<i64> {
    let (clock, part) = text.split_once([',', '.']).unwrap_or((text, "0"));
    let mut seconds = 0_i64;
    let mut count = 0;
    for number in clock.split(':') {
        let number: i64 = number.trim().parse().ok().filter(|number| (0..=99_999).contains(number))?;
        seconds = seconds.checked_mul(60)?.checked_add(number)?;
        count += 1;
    }
    let digits: String = part.trim().chars().take(6).collect();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let part: i64 = format!("{digits:0<6}").parse().ok()?;
    ((2..=3).contains(&count) && is_number).then_some(seconds * 1_000_000 + part)
}

/// The place that the settings of a WebVTT cue name.
fn settings(text: &str) -> Option<Place> {
    let (mut line, mut position, mut align) = (None, None, "center");
    for (name, value) in text.split_whitespace().filter_map(|setting| setting.split_once(':')) {
        let value = value.split(',').next().unwrap_or_default();
        let percent = value.strip_suffix('%').and_then(|digits| digits.parse::<f64>().ok());
        let percent = percent.filter(|part| (0.0..=100.0).contains(part)).map(|part| part / 100.0);
        match name {
            "line" => line = percent.or_else(|| lines_down(value)),
            "position" => position = percent,
            "align" => align = value,
            _ => {}
        }
    }
    let (column, across) = match align {
        "start" | "left" => (0, 0.02),
        "end" | "right" => (2, 0.98),
        _ => (1, 0.5),
    };
    if line.is_none() && position.is_none() {
        return (column != 1).then_some(Place { anchor: 1 + column, at: None });
    }
    let (row, down) = match line {
        Some(down) if down < 0.5 => (6, down),
        Some(down) => (0, down),
        None => (0, 0.96),
    };
    Some(Place { anchor: 1 + column + row, at: Some((position.unwrap_or(across), down)) })
}

/// Lines are counted from the top, negative ones from below; a frame has room for about eighteen.
fn lines_down(value: &str) -> Option<f64> {
    let number: i32 = value.parse().ok()?;
    let part = f64::from(number) / 18.0;
    Some(if number < 0 { 1.0 + (f64::from(number) + 1.0) / 18.0 } else { part }.clamp(0.02, 0.98))
}
