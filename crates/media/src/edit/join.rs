//! Joining: stretches of one or several media, one after the other.
//!
//! All of them are brought to the form of the first that has pictures, its size and its rate, what has another shape
//! between black bars; sound to that of the first that has any. What has no pictures is black, what has no sound is
//! silent. Cuts are exact to the frame. A fast edit takes the coded frames of its only medium over as they are and can
//! begin at a key frame alone.

use mps_core::media_info::{AudioStream, MediaInfo, VideoStream};
use mps_core::task::Fault;
use mps_core::{Error, Result};
use serde::{Deserialize, Serialize};

use super::Params;
use super::material::{Form, Grid, Inputs, Stretch, is_still, matrix_of, need, rate_of, tags};
use super::output::{self, Pictures, SEGMENT, VARIABLES, Wanted};
use crate::features::transcode::audio::{self, Sound};
use crate::features::transcode::params::{Fill, StepParams};
use crate::features::transcode::words::{AudioCodec, Container};
use crate::features::transcode::{self, params as transcode_params};
use crate::graph::Clip;
use crate::graph::picture::geometry;
use crate::names::{NumberFormat, Pattern, SourceName, Values};
use crate::plan::{Arg, Build, Command, Plan};

/// Which stretches, and the wrapping of what becomes of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Join {
    /// The wrapping.
    pub container: Container,
    /// A stretch of each input, in order.
    pub clips: Vec<Clip>,
}

/// Plans a fast edit.
///
/// # Errors
/// `InvalidInput` when the container cannot hold the streams as they are, or nothing remains.
pub(super) fn fast(
    params: &Params,
    container: Container,
    clip: Clip,
    info: &MediaInfo,
    task_id: &str,
    build: &Build,
) -> Result<Plan> {
    // Rendered here, as an edit's names know other variables than a transcode's.
    let key = params.naming.key(container, task_id)?;
    let (directory, name) = key.rsplit_once('/').unwrap_or(("", &key));
    let bare = name.strip_suffix(&format!(".{}", container.extension())).unwrap_or(name);
    let naming = transcode_params::Naming {
        directory: format!("{directory}/"),
        object: "{inputName}.{format}".to_owned(),
        segment: SEGMENT.to_owned(),
        number: NumberFormat::default(),
    };
    let source = SourceName { name: bare.to_owned(), ..params.naming.source.clone() };
    let step = StepParams::plain(Wanted::copied(container), clip, naming, source, params.storage.clone());
    let mut plan = transcode::plan(&step, info, task_id, build)?;
    for arg in plan.commands.iter_mut().flat_map(|command| &mut command.args) {
        if *arg == Arg::Source {
            *arg = Arg::Input(0);
        }
    }
    Ok(plan)
}

/// One stretch on the grid of the output.
struct Piece<'a> {
    stretch: Stretch,
    info: &'a MediaInfo,
    video: Option<&'a VideoStream>,
    audio: Option<&'a AudioStream>,
    frames: i64,
    length_us: i64,
}

/// Plans an exact edit.
///
/// # Errors
/// `InvalidInput` when a medium has neither pictures nor sound, no known length, or nothing remains of it;
/// `Unsupported` when ffmpeg lacks a filter.
pub(super) fn plan(
    params: &Params,
    join: &Join,
    infos: &[MediaInfo],
    task_id: &str,
    build: &Build,
) -> Result<Plan> {
    need(build, &["concat", "tpad"])?;
    let first_video = infos.iter().find_map(MediaInfo::main_video);
    let first_audio = infos.iter().find_map(MediaInfo::main_audio);
    let grid = Grid(first_video.map_or(mps_core::media_info::Ratio::new(25, 1), rate_of));
    let pieces = pieces(join, infos, grid)?;
    let length_us: i64 = pieces.iter().map(|piece| piece.length_us).sum();

    let codec = if join.container == Container::Avi { AudioCodec::Mp3 } else { AudioCodec::Aac };
    let sound = first_audio.map(|first| audio::sound(&output::encode(codec, 0, 0, 0), first, join.container));
    let pictures = first_video.map(|first| {
        let natural = output::form((0, 0), Fill::Black, "yuv420p", true);
        Pictures { frame: geometry(natural, first).frame, grid, bitrate_bps: 0 }
    });
    let form = pictures.zip(first_video).map(|(pictures, first)| Form {
        picture: output::form(pictures.frame, Fill::Black, "yuv420p", true),
        grid,
        matrix: matrix_of(first),
    });

    let mut inputs = Inputs::expecting(pieces.len());
    let (mut graph, mut pads): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for (nth, piece) in pieces.iter().enumerate() {
        let input = inputs.open(piece.stretch, piece.info);
        if let Some(form) = form {
            graph.push(format!("{}[v{nth}]", piece.pictures(&inputs, input, form, build)?));
            pads.push(format!("[v{nth}]"));
        }
        if let Some(sound) = sound {
            graph.push(format!("{}[a{nth}]", piece.sound(&inputs, input, sound)));
            pads.push(format!("[a{nth}]"));
        }
    }
    let (v, a) = (u8::from(form.is_some()), u8::from(sound.is_some()));
    let into =
        [("[pictures]", v), ("[sound]", a)].map(|(pad, count)| if count > 0 { pad } else { "" }).concat();
    graph.push(format!("{}concat=n={}:v={v}:a={a}{into}", pads.concat(), pieces.len()));

    let wanted = Wanted { container: join.container, pictures, sound: sound.map(|s| (codec, s)), length_us };
    let mut args = inputs.into_words();
    args.extend([Arg::from("-filter_complex"), Arg::from(graph.join(";"))]);
    args.extend(wanted.words());
    Ok(Plan {
        commands: vec![Command::ffmpeg(args, length_us)],
        outputs: wanted.outputs(&params.naming, task_id)?,
        probe: Some(wanted.probed()),
        ..Plan::default()
    })
}

fn pieces<'a>(join: &Join, infos: &'a [MediaInfo], grid: Grid) -> Result<Vec<Piece<'a>>> {
    let (mut end_us, mut end_frame) = (0, 0);
    let mut pieces = Vec::new();
    for (file, (info, clip)) in infos.iter().zip(&join.clips).enumerate() {
        let here = |error: Error| error.with("input", file);
        let (video, audio) = (info.main_video(), info.main_audio());
        if video.is_none() && audio.is_none() {
            let told = format!("`FileInfos.{file}` has neither video nor audio");
            return Err(Fault::Source.of(Error::invalid(told)));
        }
        let whole_us = if is_still(info) { 0 } else { info.duration_us };
        let (start_us, end) = clip.resolve(whole_us).map_err(here)?;
        let stop_us = match end {
            Some(end) => end,
            None if whole_us > 0 => whole_us,
            None => {
                let told = format!("`FileInfos.{file}` has no length of its own: set its `EndTimeOffset`");
                return Err(Fault::TimeOffset.of(Error::invalid(told)));
            }
        };
        if start_us >= stop_us {
            let told = format!("nothing remains of `FileInfos.{file}`");
            return Err(Fault::TimeOffset.of(Error::invalid(told)));
        }
        // Ends are rounded, not lengths, so that many stretches together are off by no more than one.
        end_us += stop_us - start_us;
        let frames = grid.frame(end_us) - end_frame;
        let length_us = grid.us(end_frame + frames) - grid.us(end_frame);
        end_frame += frames;
        if frames == 0 {
            let told = format!("the stretch of `FileInfos.{file}` is shorter than a frame");
            return Err(Fault::TimeOffset.of(Error::invalid(told)));
        }
        let stretch = Stretch { file, start_us, length_us };
        pieces.push(Piece { stretch, info, video, audio, frames, length_us });
    }
    Ok(pieces)
}

impl Piece<'_> {
    fn pictures(&self, inputs: &Inputs, input: usize, form: Form, build: &Build) -> Result<String> {
        let Some(source) = self.video else {
            let (w, h) = (form.picture.width, form.picture.height);
            let (rate, frames) = (form.grid.word(), self.frames);
            let black = format!("color=c=black:s={w}x{h}:r={rate},format=yuv420p,setsar=1");
            return Ok(format!("{black},{},trim=end_frame={frames}", tags(form.matrix)));
        };
        inputs.pictures(input, source, form, (self.frames, self.frames), build)
    }

    fn sound(&self, inputs: &Inputs, input: usize, sound: Sound) -> String {
        if let Some(source) = self.audio {
            return inputs.sound(input, source, sound, (self.length_us, self.length_us));
        }
        let (end, rate) = (crate::graph::seek::seconds(self.length_us), sound.sample_rate_hz);
        format!("anullsrc=r={rate},{},atrim=end={end}", audio::chain(sound, false))
    }
}

/// Whether a name of segments and playlists can be made of it.
pub(super) fn check_name(pattern: &str) -> Result<()> {
    let values =
        Values { input_name: "a", input_format: "b", format: "c", task_id: "d", ..Values::default() };
    Pattern::parse(pattern, VARIABLES)?.key("/", &values).map(drop)
}

#[cfg(test)]
mod tests {
    use mps_core::media_info::Ratio;
    use serde_json::{Value, json};

    use super::*;
    use crate::edit;
    use crate::edit::compose::tests::{build, read, told};
    use crate::features::transcode::testing::{film, info};

    fn plan_of(files: &Value, config: &Value, infos: &[MediaInfo]) -> Result<Plan> {
        let request = json!({"FileInfos": files, "OutputObjectPath": "/out/{inputName}.{format}", "OutputConfig": config});
        edit::plan(&read(&request).unwrap(), infos, "TASK", &build())
    }

    #[test]
    fn two_media_of_different_forms() {
        let mut silent = info(VideoStream {
            average_fps: Ratio::new(30, 1),
            base_fps: Ratio::new(30, 1),
            ..film(400, 400)
        });
        (silent.audio, silent.format) = (Vec::new(), "mpegts".to_owned());
        let files = json!([{"StartTimeOffset": 5.0, "EndTimeOffset": 15.0}, {"StartTimeOffset": -20.0}]);
        let plan = plan_of(&files, &json!({"Container": "avi"}), &[info(film(1280, 720)), silent]);
        insta::assert_snapshot!(told(&plan.unwrap()));
    }

    #[test]
    fn a_fast_clip_is_copied() {
        let files = json!([{"StartTimeOffset": 5.0, "EndTimeOffset": 15.0}]);
        let config = json!({"Container": "hls", "Type": "fast"});
        insta::assert_snapshot!(told(&plan_of(&files, &config, &[info(film(1280, 720))]).unwrap()));
    }

    #[test]
    fn many_short_stretches_are_together_as_long_as_they_should_be() {
        let files: Vec<Value> = (0..50).map(|_| json!({"EndTimeOffset": 1.03})).collect();
        let infos = vec![info(film(640, 360)); 50];
        let plan = plan_of(&json!(files), &Value::Null, &infos).unwrap();
        assert!(
            (plan.commands[0].expected_us - 51_500_000).abs() <= 20_000,
            "{}",
            plan.commands[0].expected_us
        );
        assert!(told(&plan).starts_with("-threads 1 "));
    }

    #[test]
    fn a_stretch_without_an_end_is_refused_by_its_place() {
        let nameless = MediaInfo { duration_us: 0, ..info(film(640, 360)) };
        let error = plan_of(&json!([{}, {}]), &Value::Null, &[info(film(640, 360)), nameless]).unwrap_err();
        assert!(error.message().contains("FileInfos.1"), "{error}");
        let none = plan_of(&json!([{}]), &Value::Null, &[MediaInfo::default()]).unwrap_err();
        assert!(none.message().contains("FileInfos.0"), "{none}");
    }
}
