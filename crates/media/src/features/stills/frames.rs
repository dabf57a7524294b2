//! Command lines that take the frames shown at given moments.
//!
//! Moments that lie close together are taken from one pass over the source; those that lie far apart are each entered
//! by themselves, which reads little of a long source.

use mps_core::media_info::{MediaInfo, VideoStream};
use mps_core::{Error, Kind, Result};

use super::still::{Format, Still};
use crate::graph::picture::{self, Timing};
use crate::graph::seek::{Entry, is_bare, is_indexed};
use crate::plan::{Arg, Build, Command, Tool};

/// From this distance on, entering for each moment reads less than one pass: with an index, and without.
const FAR_US: i64 = 10_000_000;
const FAR_UNINDEXED_US: i64 = 30_000_000;
/// Moments of one command: each is an input of its own.
const ENTRIES: usize = 8;

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
        !is_bare(&info.format) && self.every_us > if is_indexed(info) { FAR_US } else { FAR_UNINDEXED_US }
    }

    /// The filter that picks them in one pass.
    pub(super) fn timing(self, info: &MediaInfo) -> Timing {
        let held = Entry::new(info, 0).filter();
        let filter = format!("{held},fps=fps=1000000/{}:round=up:start_time=0", self.every_us);
        Timing { filter, is_dropping: true }
    }
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
        let encoder = self.format.encoder();
        if !self.build.encodes(encoder) {
            let told = format!("this server's ffmpeg lacks {encoder}");
            return Err(Error::new(Kind::Unsupported, told));
        }
        Ok(self.format.words())
    }
}

/// The name of the `nth` file, for all formats.
pub(super) fn file(nth: usize, extension: &str) -> String {
    format!("still-{nth:06}.{extension}")
}

/// ffmpeg's pattern for the same names.
pub(super) fn file_pattern(extension: &str) -> String {
    format!("still-%06d.{extension}")
}

/// Takes the frames of `moments`, each entered by itself.
pub(super) fn at(shot: Shot<'_>, moments: &[i64]) -> Result<Vec<Command>> {
    let extension = shot.format.extension();
    let coding = shot.coding()?;
    let mut commands = Vec::new();
    for (group, moments) in moments.chunks(ENTRIES).enumerate() {
        let (mut inputs, mut outputs) = (vec![Arg::from("-copyts")], Vec::new());
        for (nth, at_us) in moments.iter().enumerate() {
            let entry = Entry::new(shot.info, *at_us);
            inputs.extend(entry.words().into_iter().map(Arg::Text));
            inputs.extend([Arg::from("-i"), Arg::Source]);
            // A moment is met to a thousandth of a second.
            let filter = format!("{},fps=fps=1000:round=up:start_time=0", entry.filter());
            let chain = shot.chain(&Timing { filter, is_dropping: true })?;
            let words =
                ["-map", &format!("{nth}:{}", shot.source.index), "-filter:v", &chain].map(str::to_owned);
            outputs.extend(words.into_iter().chain(coding.clone()).map(Arg::Text));
            outputs.extend(
                ["-fps_mode", "passthrough", "-frames:v", "1", "-f", "image2", "-update", "1"].map(Arg::from),
            );
            outputs.push(Arg::File(file(group * ENTRIES + nth, extension)));
        }
        let args = inputs.into_iter().chain(outputs).collect();
        commands.push(Command { tool: Tool::Ffmpeg, args, expected_us: 0 });
    }
    Ok(commands)
}

/// Takes the frames of a series.
pub(super) fn series(shot: Shot<'_>, series: Series) -> Result<Vec<Command>> {
    if series.is_far(shot.info) {
        return at(shot, &series.moments());
    }
    let (count, extension) = (series.count.to_string(), shot.format.extension());
    let mut args = vec![Arg::from("-copyts"), Arg::from("-i"), Arg::Source];
    let map = format!("0:{}", shot.source.index);
    args.extend(["-map", &map, "-filter:v", &shot.chain(&series.timing(shot.info))?].map(Arg::from));
    args.extend(shot.coding()?.into_iter().map(Arg::Text));
    args.extend(["-fps_mode", "passthrough", "-frames:v", &count].map(Arg::from));
    args.extend(["-f", "image2", "-start_number", "0"].map(Arg::from));
    args.push(Arg::File(file_pattern(extension)));
    Ok(vec![Command { tool: Tool::Ffmpeg, args, expected_us: series.every_us * series.count }])
}
