//! Command lines that take the frames shown at given moments.
//!
//! Moments that lie close together are taken from one pass over the source; those that lie far apart are each entered
//! by themselves, which reads little of a long source.

use std::fmt::Write as _;

use mps_core::Result;
use mps_core::media_info::{MediaInfo, VideoStream};

use super::Around;
use super::still::{Format, Still};
use crate::graph::picture::{self, Timing};
use crate::graph::seek::{Entry, is_indexed};
use crate::plan::{Arg, Build, Command, Output, Role, Tool};

/// From this distance on, entering for each moment reads less than one pass. Without an index there is no entering.
const FAR_US: i64 = 10_000_000;
/// Moments of one command: each is an input of its own.
const ENTRIES: usize = 8;
/// Moments taken from one pass.
const PASS_ENTRIES: usize = 32;

/// Even distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Series {
    /// Distance in microseconds.
    pub(super) every_us: i64,
    /// Number of moments; the first is 0.
    pub(super) count: i64,
}

impl Series {
    /// Moments of the series.
    pub(super) fn moments(self) -> Vec<i64> {
        (0..self.count).map(|nth| nth * self.every_us).collect()
    }

    /// Whether each is better entered by itself.
    pub(super) fn is_far(self, info: &MediaInfo) -> bool {
        is_indexed(info) && self.every_us > FAR_US
    }

    /// The filter that picks them in one pass.
    pub(super) fn timing(self, info: &MediaInfo) -> Timing {
        let held = Entry::new(info, 0).filter();
        let filter = format!("{held},fps=fps=1000000/{}:round=up:start_time=0", self.every_us);
        Timing { filter, is_dropping: true }
    }
}

/// Keeps the source's own timestamps; stands before all inputs.
pub(super) const COPY_TIMES: &str = "-copyts";

/// The source as an input, entered where `entry` says. A picture of another size in the middle must not make the
/// filters forget what they counted.
pub(super) fn input(entry: Option<Entry>) -> Vec<Arg> {
    let mut words: Vec<Arg> = ["-reinit_filter", "0"].map(Arg::from).to_vec();
    words.extend(entry.map(Entry::words).unwrap_or_default().into_iter().map(Arg::Text));
    words.extend([Arg::from("-i"), Arg::Source]);
    words
}

/// The pictures as objects, named after their numbers.
pub(super) fn outputs(around: &Around, format: Format, count: usize, task_id: &str) -> Result<Vec<Output>> {
    let extension = format.extension();
    let output = |nth: usize| {
        Ok(Output::File {
            file: file(nth, extension),
            key: around.key(nth, extension, task_id)?,
            content_type: format.content_type().to_owned(),
            role: Role::Main,
        })
    };
    (0..count).map(output).collect()
}

/// What frames are taken for.
#[derive(Clone, Copy)]
pub(super) struct Shot<'a> {
    pub(super) still: Still,
    pub(super) format: Format,
    pub(super) source: &'a VideoStream,
    pub(super) info: &'a MediaInfo,
    pub(super) build: &'a Build,
}

impl Shot<'_> {
    /// The filters from a decoded frame to the file.
    pub(super) fn chain(&self, timing: &Timing) -> Result<String> {
        let chain = picture::chain(self.still.picture(), self.source, Some(timing), self.build)?;
        Ok(format!("{chain},{}", self.format.finish(self.source)))
    }

    fn coding(&self) -> Result<Vec<String>> {
        self.still.size(self.source, self.format)?;
        Ok(self.format.words())
    }
}

/// The name of the `nth` file, for all formats.
fn file(nth: usize, extension: &str) -> String {
    format!("still-{nth:06}.{extension}")
}

/// ffmpeg's pattern for the same names.
pub(super) fn file_pattern(extension: &str) -> String {
    format!("still-%06d.{extension}")
}

/// Takes the frames of `moments`: each is entered by itself, or where that cannot be done exactly, many are taken from
/// one pass.
pub(super) fn at(shot: Shot<'_>, moments: &[i64]) -> Result<Vec<Command>> {
    let (extension, coding) = (shot.format.extension(), shot.coding()?);
    let is_entered = is_indexed(shot.info);
    let group = if is_entered { ENTRIES } else { PASS_ENTRIES };
    let mut commands = Vec::new();
    for (nth_group, moments) in moments.chunks(group).enumerate() {
        let entries: Vec<Entry> = moments.iter().map(|at_us| Entry::new(shot.info, *at_us)).collect();
        let mut args = vec![Arg::from(COPY_TIMES)];
        for entry in entries.iter().take(if is_entered { entries.len() } else { 1 }) {
            args.extend(input(Some(*entry)));
        }
        if !is_entered {
            let mut graph = format!("[0:{}]split={}", shot.source.index, entries.len());
            for nth in 0..entries.len() {
                let _ = write!(graph, "[at{nth}]");
            }
            for (nth, entry) in entries.iter().enumerate() {
                let _ = write!(graph, ";[at{nth}]{}[out{nth}]", shot.chain(&moment(*entry))?);
            }
            args.extend([Arg::from("-filter_complex"), Arg::Text(graph)]);
        }
        for (nth, entry) in entries.iter().enumerate() {
            let words = if is_entered {
                let pad = format!("{nth}:{}", shot.source.index);
                vec!["-map".to_owned(), pad, "-filter:v".to_owned(), shot.chain(&moment(*entry))?]
            } else {
                vec!["-map".to_owned(), format!("[out{nth}]")]
            };
            args.extend(words.into_iter().chain(coding.clone()).map(Arg::Text));
            args.extend(
                ["-fps_mode", "passthrough", "-frames:v", "1", "-f", "image2", "-update", "1"].map(Arg::from),
            );
            args.push(Arg::File(file(nth_group * group + nth, extension)));
        }
        commands.push(Command { tool: Tool::Ffmpeg, args, expected_us: 0 });
    }
    Ok(commands)
}

/// Picks the frame that is shown at the moment of an entry, which is met to a thousandth of a second.
fn moment(entry: Entry) -> Timing {
    // Ended by itself: beside others in one pass it would go on making frames that nobody takes.
    let filter = format!("{},fps=fps=1000:round=up:start_time=0,trim=end_frame=1", entry.filter());
    Timing { filter, is_dropping: true }
}

/// Takes the frames of a series.
pub(super) fn series(shot: Shot<'_>, series: Series) -> Result<Vec<Command>> {
    if series.is_far(shot.info) {
        return at(shot, &series.moments());
    }
    let (count, extension) = (series.count.to_string(), shot.format.extension());
    let mut args = vec![Arg::from(COPY_TIMES)];
    args.extend(input(None));
    let map = format!("0:{}", shot.source.index);
    args.extend(["-map", &map, "-filter:v", &shot.chain(&series.timing(shot.info))?].map(Arg::from));
    args.extend(shot.coding()?.into_iter().map(Arg::Text));
    args.extend(["-fps_mode", "passthrough", "-frames:v", &count].map(Arg::from));
    args.extend(["-f", "image2", "-start_number", "0"].map(Arg::from));
    args.push(Arg::File(file_pattern(extension)));
    Ok(vec![Command { tool: Tool::Ffmpeg, args, expected_us: series.every_us * series.count }])
}
