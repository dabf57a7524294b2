//! Joining: stretches of one or several media, one after the other.
//!
//! All of them are brought to the form of the first that has pictures, its size and its rate, what has another shape
//! between black bars; sound to that of the first that has any. What has no pictures is black, what has no sound is
//! silent. Cuts are exact to the frame. A fast edit takes the coded frames of its only medium over as they are and can
//! begin at a key frame alone.

use mps_core::Result;
use mps_core::media_info::MediaInfo;
use serde::{Deserialize, Serialize};

use super::Params;
use super::material::{Form, Grid, Inputs, matrix_of, need, rate_of};
use super::output::{self, Pictures, SEGMENT, VARIABLES, Wanted};
use super::row::Row;
use crate::features::transcode::audio;
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
    let mut row = Row::new(grid);
    for (file, (info, clip)) in infos.iter().zip(&join.clips).enumerate() {
        row.add(&format!("`FileInfos.{file}`"), info, *clip).map_err(|error| error.with("input", file))?;
    }
    let (pieces, length_us) = (&row.pieces, row.length_us());

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
        let input = piece.open(&mut inputs);
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

/// Whether a name of segments and playlists can be made of it.
pub(super) fn check_name(pattern: &str) -> Result<()> {
    let values =
        Values { input_name: "a", input_format: "b", format: "c", task_id: "d", ..Values::default() };
    Pattern::parse(pattern, VARIABLES)?.key("/", &values).map(drop)
}

#[cfg(test)]
mod tests {
    use mps_core::media_info::{Ratio, VideoStream};
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
