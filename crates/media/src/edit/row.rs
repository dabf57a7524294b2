//! Stretches of media one after the other, on the grid of the frames that come out.
//!
//! What has no pictures is black, what has no sound is silent. Ends are rounded, not lengths, so that many stretches
//! together are off by no more than one frame.

use mps_core::media_info::{AudioStream, MediaInfo, VideoStream};
use mps_core::task::Fault;
use mps_core::{Error, Result};

use super::material::{Form, Grid, Inputs, Stretch, is_still, tags};
use crate::features::transcode::audio::{self, Sound};
use crate::graph::Clip;
use crate::graph::seek::seconds;
use crate::plan::Build;

/// One stretch on the grid of the output.
#[derive(Debug)]
pub(crate) struct Piece<'a> {
    /// Which input, and what of it.
    pub(crate) stretch: Stretch,
    /// What the input holds.
    pub(crate) info: &'a MediaInfo,
    /// Its pictures; `None` is black.
    pub(crate) video: Option<&'a VideoStream>,
    /// Its sound; `None` is silence.
    pub(crate) audio: Option<&'a AudioStream>,
    /// How many frames come of it.
    pub(crate) frames: i64,
    /// How long they last.
    pub(crate) length_us: i64,
}

/// Stretches of the inputs of a command, in the order of both.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    /// The stretches.
    pub(crate) pieces: Vec<Piece<'a>>,
    grid: Grid,
    end_us: i64,
    end_frame: i64,
}

impl<'a> Row<'a> {
    /// None yet.
    pub(crate) const fn new(grid: Grid) -> Self {
        Self { pieces: Vec::new(), grid, end_us: 0, end_frame: 0 }
    }

    /// All of them together, in microseconds.
    pub(crate) fn length_us(&self) -> i64 {
        self.pieces.iter().map(|piece| piece.length_us).sum()
    }

    /// Adds a stretch of the next input; `name` is what messages call it.
    ///
    /// # Errors
    /// `InvalidInput` when the medium has neither pictures nor sound, no known length, or nothing remains of it.
    pub(crate) fn add(&mut self, name: &str, info: &'a MediaInfo, clip: Clip) -> Result<()> {
        let (video, audio) = (info.main_video(), info.main_audio());
        if video.is_none() && audio.is_none() {
            return Err(Fault::Source.of(Error::invalid(format!("{name} has neither video nor audio"))));
        }
        let of_time = |told: String| Fault::TimeOffset.of(Error::invalid(told));
        let whole_us = if is_still(info) { 0 } else { info.duration_us };
        let (start_us, end) = clip.resolve(whole_us)?;
        let stop_us = match end {
            Some(end) => end,
            None if whole_us > 0 => whole_us,
            None => return Err(of_time(format!("{name} has no length of its own: set its `EndTimeOffset`"))),
        };
        if start_us >= stop_us {
            return Err(of_time(format!("nothing remains of {name}")));
        }
        self.end_us += stop_us - start_us;
        let frames = self.grid.frame(self.end_us) - self.end_frame;
        let length_us = self.grid.us(self.end_frame + frames) - self.grid.us(self.end_frame);
        self.end_frame += frames;
        if frames == 0 {
            return Err(of_time(format!("the stretch of {name} is shorter than a frame")));
        }
        let stretch = Stretch { file: self.pieces.len(), start_us, length_us };
        self.pieces.push(Piece { stretch, info, video, audio, frames, length_us });
        Ok(())
    }
}

impl Piece<'_> {
    /// Opens its input; tells its number.
    pub(crate) fn open(&self, inputs: &mut Inputs) -> usize {
        inputs.open(self.stretch, self.info)
    }

    /// Its pictures in the form of all.
    ///
    /// # Errors
    /// `Unsupported` naming the filter that this build of ffmpeg lacks.
    pub(crate) fn pictures(
        &self,
        inputs: &Inputs,
        input: usize,
        form: Form,
        build: &Build,
    ) -> Result<String> {
        let Some(source) = self.video else {
            let (w, h) = (form.picture.width, form.picture.height);
            let (rate, frames) = (form.grid.word(), self.frames);
            let (format, sar) = (form.picture.pixels.format, form.picture.pixel_aspect);
            let black = format!("color=c=black:s={w}x{h}:r={rate},format={format},setsar={sar}");
            return Ok(format!("{black},{},trim=end_frame={frames}", tags(form.matrix)));
        };
        inputs.pictures(input, source, form, (self.frames, self.frames), build)
    }

    /// Its sound in the form of all.
    pub(crate) fn sound(&self, inputs: &Inputs, input: usize, sound: Sound) -> String {
        if let Some(source) = self.audio {
            return inputs.sound(input, source, sound, (self.length_us, self.length_us));
        }
        let (end, rate) = (seconds(self.length_us), sound.sample_rate_hz);
        format!("anullsrc=r={rate},{},atrim=end={end}", audio::chain(sound, false))
    }
}
