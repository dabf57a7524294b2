//! Which streams are made of a source, and where their key frames and segments lie.
//!
//! A stream that would only enlarge the source is left out where the template says so; if none would remain, the
//! smallest is made in the source's own size or rate. All pictures have the frame rate of the template's first
//! stream and key frames at the same times, so that a player may change from one to another at each segment.

use std::fmt::Write as _;

use mps_core::media_info::{MediaInfo, Ratio, VideoStream};
use mps_core::task::Fault;
use mps_core::{Error, Result};

use super::layout::source_of;
use super::params::{Params, StepParams};
use crate::features::transcode::keyframes::{Grid, every, inner};
use crate::features::transcode::params::{Gop, Rate, VideoEncode};
use crate::features::transcode::{output_fps, video};
use crate::graph::Geometry;
use crate::graph::picture::{self, Picture};

/// A stream that is made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rung {
    /// Its place in the template.
    pub(super) stream: usize,
    /// Its pictures, as they are coded.
    pub(super) video: Option<VideoEncode>,
    /// Whether it has sound.
    pub(super) has_sound: bool,
}

impl Rung {
    /// Sizes of its pictures.
    pub(super) fn geometry(&self, source: &VideoStream) -> Option<Geometry> {
        self.video.as_ref().map(|video| picture::geometry(video.picture(), source))
    }
}

/// The streams to make, in the order of the template.
///
/// # Errors
/// `InvalidInput` when the source lacks what the template is made of.
pub(super) fn choose(params: &Params, info: &MediaInfo) -> Result<Vec<Rung>> {
    let (source, sound) = (info.main_video(), info.main_audio());
    let wants_pictures = params.streams.iter().any(|stream| stream.video().is_some());
    if wants_pictures && source.is_none() {
        return Err(Fault::NoVideo.of(Error::invalid("the source has no video")));
    }
    if sound.is_some() {
        check_tracks(params, info)?;
    }
    let fps = params.streams.iter().find_map(|stream| stream.video()).and_then(|video| video.fps);
    let all = params.streams.iter().enumerate().map(|(stream, params)| Rung {
        stream,
        video: params.video().map(|video| VideoEncode { fps, ..video.clone() }),
        has_sound: !params.tracks.is_empty() && sound.is_some(),
    });
    let all: Vec<Rung> = all.filter(|rung| rung.video.is_some() || rung.has_sound).collect();
    if all.is_empty() {
        return Err(Fault::Source.of(Error::invalid("the source has no audio")));
    }
    let Some(source) = source else { return Ok(all) };
    let (pictures, others): (Vec<Rung>, Vec<Rung>) = all.into_iter().partition(|rung| rung.video.is_some());
    let mut kept: Vec<Rung> =
        pictures.iter().filter(|rung| !enlarges(params, rung, info, source)).cloned().collect();
    if kept.is_empty() {
        kept.extend(nearest(params, &pictures, info, source));
    }
    kept.extend(others);
    kept.sort_by_key(|rung| rung.stream);
    share_rate(&mut kept, params, source)?;
    Ok(kept)
}

/// Tracks that the template takes by number must be there.
fn check_tracks(params: &Params, info: &MediaInfo) -> Result<()> {
    let mut tracks = params.streams.iter().flat_map(|stream| &stream.tracks);
    for mix in tracks.clone().filter_map(|track| track.mix.as_ref()) {
        mix.check(info)?;
    }
    let Some(track) = tracks.find(|track| source_of(track, info).is_none()) else { return Ok(()) };
    let known: Vec<_> = info.audio.iter().map(|audio| audio.index.to_string()).collect();
    Err(Error::invalid(format!(
        "TrackNum {}: the source has its sound in the streams {}",
        track.stream_index.unwrap_or_default(),
        known.join(", ")
    )))
}

fn is_larger(rung: &Rung, source: &VideoStream) -> bool {
    let Some(video) = &rung.video else { return false };
    let natural = natural(video.picture(), source);
    let scaled = picture::geometry(video.picture(), source).scaled;
    // Sizes are rounded to even numbers.
    scaled.0 > natural.0 + 2 || scaled.1 > natural.1 + 2
}

fn natural(picture: Picture, source: &VideoStream) -> (u32, u32) {
    picture::geometry(Picture { width: 0, height: 0, ..picture }, source).frame
}

fn is_richer(rung: &Rung, info: &MediaInfo, source: &VideoStream) -> bool {
    let source_bps = video::source_bps(info, source);
    let bps =
        rung.video.as_ref().filter(|video| video.rate != Rate::Crf).map_or(0, |video| video.bitrate_bps);
    source_bps > 0 && bps > source_bps
}

fn enlarges(params: &Params, rung: &Rung, info: &MediaInfo, source: &VideoStream) -> bool {
    (params.no_higher_resolution && is_larger(rung, source))
        || (params.no_higher_bitrate && is_richer(rung, info, source))
}

/// The smallest of streams that are all too large, brought down to the source.
fn nearest(params: &Params, all: &[Rung], info: &MediaInfo, source: &VideoStream) -> Option<Rung> {
    let size = |rung: &Rung| {
        let (width, height) = rung.geometry(source).map_or((0, 0), |geometry| geometry.scaled);
        let bps = rung.video.as_ref().map_or(0, |video| video.bitrate_bps);
        (u64::from(width) * u64::from(height), bps)
    };
    let mut rung = all.iter().min_by_key(|rung| size(rung))?.clone();
    let (is_larger, is_richer) = (is_larger(&rung, source), is_richer(&rung, info, source));
    if let Some(video) = &mut rung.video {
        if params.no_higher_resolution && is_larger {
            (video.width, video.height) = (0, 0);
        }
        if params.no_higher_bitrate && is_richer {
            video.bitrate_bps = video::source_bps(info, source);
        }
    }
    Some(rung)
}

/// One of the codecs may need a fixed rate, which then all have.
fn share_rate(rungs: &mut [Rung], params: &Params, source: &VideoStream) -> Result<()> {
    let mut needed = None;
    for rung in rungs.iter() {
        if let Some(video) = &rung.video {
            let container = params.streams[rung.stream].encoding.container;
            needed = needed.or(output_fps(video, source, container)?);
        }
    }
    for video in rungs.iter_mut().filter_map(|rung| rung.video.as_mut()) {
        video.fps = needed;
    }
    Ok(())
}

/// Frames a second of all pictures; `None` when each keeps its time.
pub(super) fn fps(rungs: &[Rung]) -> Option<Ratio> {
    rungs.iter().find_map(|rung| rung.video.as_ref()).and_then(|video| video.fps)
}

/// Where everything is cut.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cuts {
    /// Usual length of a segment in microseconds.
    pub(super) segment_us: i64,
    /// Times in microseconds where segments begin besides, on the clock of the output.
    pub(super) also_us: Vec<i64>,
    /// The key frames of each rung; `None` for sound alone.
    pub(super) grids: Vec<Option<Grid>>,
}

/// The longest segment that is chosen by ourselves aims at this.
const USUAL_S: f64 = 6.0;
/// Key frames where the template leaves them open.
const OPEN_S: f64 = 2.0;

/// Distance of key frames.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    seconds: f64,
    /// As ffmpeg computes it, where it is no round number.
    text: Option<String>,
}

fn step(video: &VideoEncode, fps: Ratio) -> Option<Step> {
    match video.gop {
        Gop::Auto => None,
        Gop::Seconds(seconds) => Some(Step { seconds: f64::from(seconds), text: None }),
        Gop::Frames(frames) => Some(Step {
            seconds: f64::from(frames) / fps.value(),
            text: Some(format!("{}*{}/{}", frames, fps.den, fps.num)),
        }),
    }
}

/// The cuts of `rungs` of a source.
pub(super) fn cuts(step_params: &StepParams, rungs: &[Rung], info: &MediaInfo) -> Cuts {
    let hls = step_params.params.hls();
    let source_fps = info.main_video().map(|source| {
        [source.average_fps, source.base_fps]
            .into_iter()
            .find(|rate| rate.is_known())
            .unwrap_or(Ratio::new(25, 1))
    });
    let rate = fps(rungs).or(source_fps).unwrap_or(Ratio::new(25, 1));
    let steps: Vec<Option<Step>> =
        rungs.iter().filter_map(|rung| rung.video.as_ref()).map(|video| step(video, rate)).collect();
    let is_shared = steps.windows(2).all(|pair| pair[0] == pair[1]);
    let has_own_cuts = rungs.iter().filter_map(|rung| rung.video.as_ref()).any(|video| video.scene_cut);
    let first = steps.first().cloned().flatten();
    let segment_s = match (hls.seconds, &first) {
        (0, Some(step)) => step.seconds * (USUAL_S / step.seconds).round().max(1.0),
        (0, None) => USUAL_S,
        (seconds, _) => f64::from(seconds),
    };
    let also_us: Vec<i64> =
        step_params.key_times_us.iter().map(|us| us - info.start_us).filter(|us| *us > 0).collect();
    let grid = |video: &VideoEncode| {
        let own = step(video, rate);
        let seconds = own.as_ref().map(|step| step.seconds);
        let (distance, text) = match own {
            // All have key frames at the same times, and a segment ends at the next one.
            Some(step) if is_shared && !has_own_cuts && hls.first.is_none() => (step.seconds, step.text),
            // Whatever the distances, each segment of each stream has one at its beginning.
            _ => (inner(segment_s, seconds), None),
        };
        let expression = if !also_us.is_empty() {
            with_times(distance, text.as_deref(), &also_us)
        } else if let Some(first) = hls.first {
            crate::features::transcode::keyframes::at_first(segment_s, first, seconds)
        } else if let Some(text) = text {
            // The clock of the frames is a fraction that microseconds only come near to.
            format!("gte(t+0.001,n_forced*{text})")
        } else {
            every(distance, false)
        };
        Grid { expression, distance_s: distance, longest_s: distance.max(segment_s).max(OPEN_S) }
    };
    Cuts {
        segment_us: (segment_s * 1e6).round() as i64,
        grids: rungs.iter().map(|rung| rung.video.as_ref().map(grid)).collect(),
        also_us,
    }
}

/// Key frames on a grid and at the first frame at or after each of some times.
fn with_times(distance_s: f64, text: Option<&str>, also_us: &[i64]) -> String {
    let step = text.map_or_else(|| format!("{distance_s:.6}"), |text| format!("({text})"));
    let mut out =
        format!("if(isnan(prev_forced_t),1,gt(floor((t+0.001)/{step}),floor((prev_forced_t+0.001)/{step}))");
    for us in also_us {
        let at = crate::graph::seek::seconds((us - 1500).max(0));
        let _ = write!(out, "+lt(prev_forced_t,{at})*gte(t,{at})");
    }
    out.push(')');
    out
}
