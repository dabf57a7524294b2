//! A stretch of a medium on the way into a picture or a mix: how it is entered, and the filters that bring it to the
//! form that all stretches of an edit share.
//!
//! Time: pictures are put on the grid of the output's frames, so that a stretch has a whole number of them and the next
//! one begins where it ends; what a medium lacks at its end is its last picture, and silence.

use mps_core::media_info::{AudioStream, MediaInfo, Ratio, VideoStream};
use mps_core::{Error, Result};

use crate::features::transcode::audio::{self, Sound};
use crate::graph::picture::{self, Picture, Timing};
use crate::graph::seek::{is_indexed, seconds};
use crate::plan::{Arg, Build};

/// Media are entered this much earlier than where they are wanted: the frame that is shown there may begin before.
const LEAD_US: i64 = 1_000_000;
/// The same for media without a dependable index, which are entered anywhere near.
const LONG_LEAD_US: i64 = 10_000_000;
/// Read beyond the end of a stretch, for frames that are stored out of order.
const BEYOND_US: i64 = 2_000_000;
/// With more inputs than this each is decoded by one thread: memory would run out before processors do.
const MANY: usize = 8;

/// The output's frames as a measure of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid(pub(crate) Ratio);

impl Grid {
    /// The frame that begins nearest to a moment.
    pub(crate) fn frame(self, us: i64) -> i64 {
        let (num, den) = (i128::from(self.0.num), i128::from(self.0.den) * 1_000_000);
        ((i128::from(us) * num * 2 + den) / (den * 2)) as i64
    }

    /// When a frame begins.
    pub(crate) fn us(self, frame: i64) -> i64 {
        let num = i128::from(self.0.num.max(1));
        ((i128::from(frame) * i128::from(self.0.den) * 2_000_000 + num) / (num * 2)) as i64
    }

    /// The same in seconds, as ffmpeg reads it.
    pub(crate) fn seconds(self, frame: i64) -> String {
        seconds(self.us(frame))
    }

    /// As ffmpeg reads it.
    pub(crate) fn word(self) -> String {
        format!("{}/{}", self.0.num, self.0.den)
    }
}

/// A stretch of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Which input of the request.
    pub(crate) file: usize,
    /// From its beginning.
    pub(crate) start_us: i64,
    /// How much of it is there to be used.
    pub(crate) length_us: i64,
}

/// Whether a medium is one picture without any time.
pub(crate) fn is_still(info: &MediaInfo) -> bool {
    let one =
        info.format.ends_with("_pipe") || matches!(info.format.as_str(), "image2" | "ico" | "jpegxl_anim");
    one && info.audio.is_empty() && info.main_video().is_some()
}

/// The inputs of a command, in the order in which they are opened.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    words: Vec<Arg>,
    leads: Vec<i64>,
    is_many: bool,
}

impl Inputs {
    /// None yet, of about `count`.
    pub(crate) fn expecting(count: usize) -> Self {
        Self { is_many: count > MANY, ..Self::default() }
    }

    /// Opens a stretch of a medium; tells its number.
    pub(crate) fn open(&mut self, stretch: Stretch, info: &MediaInfo) -> usize {
        let mut text = |words: &[&str]| self.words.extend(words.iter().map(|word| Arg::from(*word)));
        if self.is_many {
            text(&["-threads", "1"]);
        }
        let mut lead_us = 0;
        if !is_still(info) {
            lead_us = stretch.start_us.min(if is_indexed(info) { LEAD_US } else { LONG_LEAD_US });
            if stretch.start_us > lead_us {
                text(&["-ss", &seconds(stretch.start_us - lead_us)]);
            }
            text(&["-t", &seconds(lead_us + stretch.length_us + BEYOND_US)]);
        }
        self.words.extend([Arg::from("-i"), Arg::Input(stretch.file)]);
        self.leads.push(lead_us);
        self.leads.len() - 1
    }

    /// The words for all of them.
    pub(crate) fn into_words(self) -> Vec<Arg> {
        self.words
    }

    fn lead(&self, nth: usize) -> Option<String> {
        self.leads.get(nth).filter(|lead| **lead > 0).map(|lead| seconds(*lead))
    }

    /// The pictures of input `nth` in the form of `picture`, `has` frames of them and the last one on to `wanted`
    /// frames, beginning at 0; without names of pads at its end.
    ///
    /// # Errors
    /// `Unsupported` naming the filter that this build of ffmpeg lacks.
    pub(crate) fn pictures(
        &self,
        nth: usize,
        source: &VideoStream,
        form: Form,
        (has, wanted): (i64, i64),
        build: &Build,
    ) -> Result<String> {
        let Form { picture, grid, matrix } = form;
        let timing = Timing {
            // What begins before 0 and is still shown there counts; the end is cut and padded below.
            filter: format!("fps=fps={}:start_time=0:eof_action=pass", grid.word()),
            is_dropping: grid.0.value() < source.average_fps.value(),
        };
        let mut steps: Vec<String> = Vec::new();
        if let Some(lead) = self.lead(nth) {
            steps.push(format!("setpts=PTS-{lead}/TB"));
        }
        let own = matrix_of(source);
        let convert = format!("scale=in_color_matrix={own}:out_color_matrix={matrix}");
        // What is not stored by a matrix gets one only in the chain.
        let is_late = picture::is_rgb(source) || picture::is_wide(source);
        if own != matrix && !is_late {
            steps.push(convert.clone());
        }
        steps.push(picture::chain(picture, source, Some(&timing), build)?);
        if own != matrix && is_late {
            steps.push(convert);
        }
        steps.push(tags(matrix));
        // A still has one frame, however it was told.
        let has = has.max(1);
        if has < wanted {
            steps.push(format!("trim=end_frame={has}"));
        }
        steps.extend([format!("tpad=stop={wanted}:stop_mode=clone"), format!("trim=end_frame={wanted}")]);
        Ok(format!("[{nth}:{}]{}", source.index, steps.join(",")))
    }

    /// The sound of input `nth` in the form of `sound`, `has_us` of it and silence on to `wanted_us`, beginning at 0.
    pub(crate) fn sound(
        &self,
        nth: usize,
        source: &AudioStream,
        sound: Sound,
        (has_us, wanted_us): (i64, i64),
    ) -> String {
        let mut steps: Vec<String> = Vec::new();
        if let Some(lead) = self.lead(nth) {
            steps.extend([format!("atrim=start={lead}"), format!("asetpts=PTS-{lead}/TB")]);
        }
        steps.push(audio::chain(sound, false));
        if has_us < wanted_us {
            steps.push(format!("atrim=end={}", seconds(has_us)));
        }
        // Endless silence would keep a mix from ever coming to its end.
        let end = seconds(wanted_us);
        steps.extend([format!("apad=whole_dur={end}"), format!("atrim=end={end}")]);
        format!("[{nth}:{}]{}", source.index, steps.join(","))
    }
}

/// What all pictures are brought to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    /// Size and pixels.
    pub(crate) picture: Picture,
    /// Frames a second.
    pub(crate) grid: Grid,
    /// Matrix of the colours, by ffmpeg's name.
    pub(crate) matrix: &'static str,
}

/// The matrix of a stream's colours once [`picture::chain`] has dealt with it.
pub(crate) fn matrix_of(source: &VideoStream) -> &'static str {
    if picture::is_rgb(source) || picture::is_wide(source) {
        return "bt709";
    }
    match source.color.space.as_str() {
        "smpte170m" | "bt470bg" => "smpte170m",
        "" | "unknown" | "unspecified" if source.height < 720 => "smpte170m",
        _ => "bt709",
    }
}

/// Tells the colours of pictures that were converted.
pub(crate) fn tags(matrix: &str) -> String {
    let transfer = if matrix == "bt709" { "bt709" } else { "smpte170m" };
    format!("setparams=range=tv:colorspace={matrix}:color_primaries={transfer}:color_trc={transfer}")
}

/// A steady rate for an output that follows this stream.
pub(crate) fn rate_of(source: &VideoStream) -> Ratio {
    const USUAL: [Ratio; 8] = [
        Ratio::new(24_000, 1001),
        Ratio::new(24, 1),
        Ratio::new(25, 1),
        Ratio::new(30_000, 1001),
        Ratio::new(30, 1),
        Ratio::new(50, 1),
        Ratio::new(60_000, 1001),
        Ratio::new(60, 1),
    ];
    let known = [source.average_fps, source.base_fps].into_iter().find(|rate| rate.is_known());
    let Some(known) = known.filter(|rate| rate.value() <= 120.0) else { return Ratio::new(25, 1) };
    if !source.has_variable_rate() {
        return known;
    }
    let enough = USUAL.into_iter().find(|usual| usual.value() >= known.value() * 0.98);
    enough.unwrap_or(Ratio::new(60, 1))
}

/// Refuses what this build lacks.
///
/// # Errors
/// `Unsupported` naming the filter.
pub(crate) fn need(build: &Build, filters: &[&str]) -> Result<()> {
    match filters.iter().find(|filter| !build.filters(filter)) {
        None => Ok(()),
        Some(lacking) => Err(Error::new(
            mps_core::Kind::Unsupported,
            format!("edits need ffmpeg's filter {lacking}, which this server's ffmpeg lacks"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::transcode::testing::film;

    #[test]
    fn moments_fall_on_the_nearest_frame_and_do_not_drift() {
        let grid = Grid(Ratio::new(30_000, 1001));
        assert_eq!(grid.frame(10_010_000), 300);
        assert_eq!(grid.us(300), 10_010_000);
        assert_eq!(grid.frame(16_683), 0);
        assert_eq!(grid.frame(16_684), 1);
        for frame in [1, 7, 1_000, 123_457] {
            assert_eq!(grid.frame(grid.us(frame)), frame);
        }
    }

    #[test]
    fn an_uneven_rate_becomes_the_usual_one_that_is_enough() {
        let uneven = VideoStream {
            average_fps: Ratio::new(2897, 100),
            base_fps: Ratio::new(90_000, 1),
            ..film(640, 360)
        };
        assert!(uneven.has_variable_rate());
        assert_eq!(rate_of(&uneven), Ratio::new(30_000, 1001));
        assert_eq!(rate_of(&film(640, 360)), Ratio::new(25, 1));
    }
}
