//! Composing: elements on tracks become one picture on a canvas and one mix of sound.
//!
//! Tracks lie over each other, the first on top. When an element is shown follows from [`timeline`], what it looks
//! like on the canvas from [`picture`], how it sounds from [`sound`]; texts are drawn by [`titles`].

mod from_wire;
mod params;
mod picture;
mod sound;
mod timeline;
mod titles;
mod transitions;
mod words;

use mps_core::media_info::{MediaInfo, Ratio};
use mps_core::{Error, Result};

pub(super) use from_wire::from_wire;
pub use params::Compose;
use params::Track;

use self::picture::Canvas;
use self::timeline::{Laid, Source, lay};
use super::Params;
use super::material::{Grid, Inputs, is_still, need, rate_of};
use super::output::{Pictures, Wanted};
use crate::features::transcode::audio;
use crate::features::transcode::params::Fill;
use crate::graph::picture::geometry;
use crate::plan::{Arg, Build, Command, Plan};

/// The longest output, in microseconds; ours, as the API names no limit.
const LONGEST_US: i64 = 12 * 3_600 * 1_000_000;

/// What the tracks are with every length known.
struct Scene<'a> {
    compose: &'a Compose,
    infos: &'a [MediaInfo],
    tracks: Vec<Vec<Laid>>,
    grid: Grid,
    length_us: i64,
}

/// Plans a composition.
///
/// # Errors
/// `InvalidInput` when elements overlap, a stretch lies outside its medium or nothing remains; `Unsupported` when ffmpeg
/// lacks a filter.
pub(super) fn plan(
    params: &Params,
    compose: &Compose,
    infos: &[MediaInfo],
    task_id: &str,
    build: &Build,
) -> Result<Plan> {
    need(build, &["overlay", "tpad", "amix", "adelay"])?;
    let scene = Scene::of(compose, infos)?;
    let mut inputs = Inputs::expecting(compose.elements().count());
    let mut graph = Vec::new();
    let mut texts = Vec::new();
    let pictures = match scene.canvas(build)? {
        Some(canvas) => {
            picture::draw(&scene, canvas, &mut inputs, &mut graph, &mut texts, build)?;
            Some(Pictures { frame: canvas.size, grid: scene.grid, bitrate_bps: compose.video_bps })
        }
        None => None,
    };
    let sound = sound::mix(&scene, &mut inputs, &mut graph);
    if pictures.is_none() && sound.is_none() {
        return Err(Error::invalid("nothing remains: no track has pictures or sound that may be kept"));
    }
    let sound = sound.map(|sound| (compose.sound.codec, sound));
    let wanted = Wanted { container: compose.container, pictures, sound, length_us: scene.length_us };
    let mut args = inputs.into_words();
    args.extend([Arg::from("-filter_complex"), Arg::from(graph.join(";"))]);
    args.extend(wanted.words());
    Ok(Plan {
        fetch: texts,
        commands: vec![Command::ffmpeg(args, scene.length_us)],
        outputs: wanted.outputs(&params.naming, task_id)?,
        probe: Some(wanted.probed()),
        facts: serde_json::Value::Null,
        ..Plan::default()
    })
}

impl<'a> Scene<'a> {
    fn of(compose: &'a Compose, infos: &'a [MediaInfo]) -> Result<Self> {
        let source = |file: usize| match infos.get(file) {
            Some(info) if is_still(info) => Source::Still,
            Some(info) if info.duration_us > 0 => Source::Length(info.duration_us),
            _ => Source::Unknown,
        };
        let mut tracks = Vec::new();
        for (nth, track) in compose.tracks.iter().enumerate() {
            let laid = lay(track, source).map_err(|clash| Error::invalid(clash.told(nth)))?;
            if let Some(open) = laid.iter().find(|laid| laid.end_us.is_none()) {
                let told = format!(
                    "the medium of `ComposeConfig.Tracks.{nth}.Items.{}` does not tell its length: set `EndTime` or `Duration`",
                    open.item
                );
                return Err(Error::invalid(told));
            }
            tracks.push(laid);
        }
        let length_us = tracks.iter().flatten().filter_map(|laid| laid.end_us).max().unwrap_or(0);
        if length_us > LONGEST_US {
            return Err(Error::invalid(format!(
                "the composition lasts longer than {} s",
                LONGEST_US / 1_000_000
            )));
        }
        let first = infos.iter().filter(|info| !is_still(info)).find_map(MediaInfo::main_video);
        let rate = match compose.fps {
            0 => first.map_or(Ratio::new(25, 1), rate_of),
            fps => Ratio::new(i64::from(fps), 1),
        };
        let grid = Grid(rate);
        let frames = grid.frame(length_us);
        if frames == 0 {
            return Err(Error::invalid("the composition is shorter than a frame"));
        }
        Ok(Self { compose, infos, tracks, grid, length_us: grid.us(frames) })
    }

    /// The canvas; `None` when no pictures are wanted or no track has any.
    fn canvas(&self, build: &Build) -> Result<Option<Canvas>> {
        let compose = self.compose;
        let is_drawn = |track: &Track| !matches!(track, Track::Audio(_));
        if !compose.has_video || !compose.tracks.iter().any(is_drawn) {
            return Ok(None);
        }
        if !build.encodes("libx264") {
            return Err(Error::new(
                mps_core::Kind::Unsupported,
                "this server's ffmpeg lacks the encoder libx264",
            ));
        }
        let moving = self.infos.iter().filter(|info| !is_still(info)).find_map(MediaInfo::main_video);
        let first = moving.or_else(|| self.infos.iter().find_map(MediaInfo::main_video));
        let natural = first
            .map(|source| geometry(super::output::form((0, 0), Fill::Black, "yuv420p", true), source).frame);
        let side = |wanted: u32, natural: Option<u32>| match (wanted, natural) {
            (0, None) => Err(Error::invalid(
                "no medium has pictures to take the size from: set `ComposeConfig.Canvas`",
            )),
            (0, Some(natural)) => Ok(natural),
            (wanted, _) => Ok((wanted & !1).max(2)),
        };
        let (width, height) = (natural.map(|n| n.0), natural.map(|n| n.1));
        Ok(Some(Canvas {
            size: (side(compose.width, width)?, side(compose.height, height)?),
            color: compose.color,
        }))
    }

    /// Frames from `from` to `to`, both in microseconds on the track.
    fn frames(&self, laid: &Laid) -> (i64, i64) {
        (self.grid.frame(laid.start_us), self.grid.frame(laid.end_us.unwrap_or(laid.start_us)))
    }
}

/// The numbers of the mix.
fn sound_form(compose: &Compose) -> audio::Sound {
    audio::sound(&compose.sound, &mps_core::media_info::AudioStream::default(), compose.container)
}

#[cfg(test)]
pub(super) mod tests;
