//! Command lines that take the frames shown at given moments.
//!
//! Moments that lie close together are taken from one pass over the source; those that lie far apart are each entered
//! by themselves, which reads little of a long source.

use mps_core::Result;
use mps_core::media_info::{MediaInfo, VideoStream};

use serde_json::Value;

use super::Around;
use super::still::{Format, Still};
use crate::features::marks::{self, Laid, Mark};
use crate::graph::overlay::Below;
use crate::graph::picture::{self, Timing};
use crate::graph::seek::{Entry, is_indexed};
use crate::plan::{Arg, Build, Command, Fetch, Output, Plan, Role};

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
    pub(super) marks: &'a [Mark],
}

/// Commands, and the files that they need.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) commands: Vec<Command>,
    fetch: Vec<Fetch>,
}

impl Taken {
    pub(super) fn plan(self, outputs: Vec<Output>, facts: Value) -> Plan {
        let Self { commands, fetch } = self;
        Plan { fetch, commands, outputs, facts, ..Plan::default() }
    }
}

impl Shot<'_> {
    /// The filters from a decoded frame to the file.
    pub(super) fn chain(&self, timing: &Timing) -> Result<String> {
        Ok(format!("{},{}", self.scaled(timing)?, self.format.finish(self.source)))
    }

    fn scaled(&self, timing: &Timing) -> Result<String> {
        picture::chain(self.still.picture(), self.source, Some(timing), self.build)
    }

    /// The same as a graph from `pad` to the pad `out<nth>`, with the watermarks; their first input is `first`.
    fn branch(&self, nth: usize, pad: &str, timing: &Timing, first: usize) -> Result<(String, Laid)> {
        let picture = self.still.picture();
        let below = Below {
            geometry: picture::geometry(picture, self.source),
            length_us: 0,
            zero_us: 0,
            format: picture.pixels.format,
            is_still: true,
        };
        let laid = marks::lay(self.marks, first, &nth.to_string(), &below);
        if laid.graph.is_empty() {
            return Ok((format!("[{pad}]{}[out{nth}]", self.chain(timing)?), laid));
        }
        let (scaled, finish) = (self.scaled(timing)?, self.format.finish(self.source));
        Ok((format!("[{pad}]{scaled}[below{nth}];{};[marked{nth}]{finish}[out{nth}]", laid.graph), laid))
    }

    /// The branches of all entries, each from an input of its own or from one that they share.
    fn graph(&self, entries: &[Entry], is_entered: bool, first: usize) -> Result<(String, Laid)> {
        let (mut graph, mut laid) = (Vec::new(), Laid::default());
        if !is_entered {
            let pads: Vec<String> = (0..entries.len()).map(|nth| format!("[at{nth}]")).collect();
            graph.push(format!("[0:{}]split={}{}", self.source.index, entries.len(), pads.concat()));
        }
        for (nth, entry) in entries.iter().enumerate() {
            let pad = if is_entered { format!("{nth}:{}", self.source.index) } else { format!("at{nth}") };
            let (branch, marks) = self.branch(nth, &pad, &moment(*entry), first)?;
            graph.push(branch);
            laid = marks;
        }
        Ok((graph.join(";"), laid))
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
pub(super) fn at(shot: Shot<'_>, moments: &[i64]) -> Result<Taken> {
    let coding = shot.coding()?;
    let is_entered = is_indexed(shot.info);
    let group = if is_entered { ENTRIES } else { PASS_ENTRIES };
    let mut taken = Taken::default();
    for (nth_group, moments) in moments.chunks(group).enumerate() {
        let entries: Vec<Entry> = moments.iter().map(|at_us| Entry::new(shot.info, *at_us)).collect();
        let mut args = vec![Arg::from(COPY_TIMES)];
        let inputs = if is_entered { entries.len() } else { 1 };
        for entry in entries.iter().take(inputs) {
            args.extend(input(Some(*entry)));
        }
        let sources = if is_entered && shot.marks.is_empty() {
            let source = |(nth, entry): (usize, &Entry)| {
                let pad = format!("{nth}:{}", shot.source.index);
                Ok(["-map", &pad, "-filter:v", &shot.chain(&moment(*entry))?].map(Arg::from).to_vec())
            };
            entries.iter().enumerate().map(source).collect::<Result<Vec<_>>>()?
        } else {
            let (graph, laid) = shot.graph(&entries, is_entered, inputs)?;
            args.extend(laid.inputs);
            args.extend([Arg::from("-filter_complex"), Arg::Text(graph)]);
            if nth_group == 0 {
                taken.fetch = laid.fetch;
                taken.commands = laid.prepare;
            }
            (0..entries.len()).map(|nth| vec![Arg::from("-map"), Arg::Text(format!("[out{nth}]"))]).collect()
        };
        for (nth, source) in sources.into_iter().enumerate() {
            args.extend(source);
            args.extend(coding.iter().cloned().map(Arg::Text));
            args.extend(
                ["-fps_mode", "passthrough", "-frames:v", "1", "-f", "image2", "-update", "1"].map(Arg::from),
            );
            args.push(Arg::File(file(nth_group * group + nth, shot.format.extension())));
        }
        taken.commands.push(Command::ffmpeg(args, 0));
    }
    Ok(taken)
}

/// Picks the frame that is shown at the moment of an entry, which is met to a thousandth of a second.
fn moment(entry: Entry) -> Timing {
    // Ended by itself: beside others in one pass it would go on making frames that nobody takes.
    let filter = format!("{},fps=fps=1000:round=up:start_time=0,trim=end_frame=1", entry.filter());
    Timing { filter, is_dropping: true }
}

/// Takes the frames of a series.
pub(super) fn series(shot: Shot<'_>, series: Series) -> Result<Taken> {
    if series.is_far(shot.info) {
        return at(shot, &series.moments());
    }
    let (count, extension) = (series.count.to_string(), shot.format.extension());
    let (timing, source) = (series.timing(shot.info), shot.source.index);
    let mut args = vec![Arg::from(COPY_TIMES)];
    args.extend(input(None));
    let mut taken = Taken::default();
    if shot.marks.is_empty() {
        args.extend(["-map", &format!("0:{source}"), "-filter:v", &shot.chain(&timing)?].map(Arg::from));
    } else {
        let (graph, laid) = shot.branch(0, &format!("0:{source}"), &timing, 1)?;
        args.extend(laid.inputs);
        args.extend(["-filter_complex", &graph, "-map", "[out0]"].map(Arg::from));
        taken = Taken { commands: laid.prepare, fetch: laid.fetch };
    }
    args.extend(shot.coding()?.into_iter().map(Arg::Text));
    args.extend(["-fps_mode", "passthrough", "-frames:v", &count].map(Arg::from));
    args.extend(["-f", "image2", "-start_number", "0"].map(Arg::from));
    args.push(Arg::File(file_pattern(extension)));
    taken.commands.push(Command::ffmpeg(args, series.every_us * series.count));
    Ok(taken)
}
