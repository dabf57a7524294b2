//! A film between others: what comes before the source and what comes after it, in one file.
//!
//! All of them get the size, the frame rate and the sound of what the source alone would become. What has another shape
//! stands between black bars, or as the template fills them; nothing is stretched. What has no sound is silent. Clips,
//! watermarks, subtitles and added tracks are those of the source, at its times. Cuts are exact to the frame.

use std::fmt::Write as _;

use mps_core::media_info::{AudioStream, MediaInfo, Ratio, VideoStream};
use mps_core::{Error, Kind, Result};
use mps_wire::ApiError;
use mps_wire::codes::{invalid_parameter_value, value_of};
use serde_json::Value;

use super::audio::{self, Sound};
use super::params::{Audio, AudioEncode, Params, StepParams, Video};
use super::plan::{self, Streams};
use super::video::{self, Scene};
use crate::edit::material::{Form, Grid, Inputs, is_still, matrix_of, need, rate_of};
use crate::edit::row::Row;
use crate::features::added::{self, Added, List};
use crate::features::item::Given;
use crate::features::marks::Laid;
use crate::features::over::{self, Over};
use crate::graph::Clip;
use crate::graph::overlay::Below;
use crate::graph::picture::{self, Fill, Picture};
use crate::graph::seek::seconds;
use crate::plan::{Arg, Build, Command, Plan};

/// The member of an item that names them.
const MEMBER: &str = "HeadTailParameter";
/// Most films before the source, and most behind it; ours, as the API names no limit.
const MOST: usize = 10;

/// The films before (`HeadSet`) or behind (`TailSet`) the source.
///
/// # Errors
/// `InvalidParameterValue` when there are too many or the template does not code anew what they are joined to.
pub(super) fn from_wire(
    item: &Value,
    list: &str,
    given: &[Given],
    params: &Params,
    here: &str,
) -> std::result::Result<Vec<Added>, ApiError> {
    let above = format!("{MEMBER}.");
    let of = List { holder: &item[MEMBER], above: &above, list, input: "", labels: ("", "") };
    let mut films = added::read(of, given, here)?;
    if films.len() > MOST {
        let told = format!("{here}.{above}{list} has {} films; {MOST} is the most", films.len());
        return Err(invalid_parameter_value(told));
    }
    for film in &mut films {
        film.path.insert_str(0, &above);
    }
    let copies = params.video == Some(Video::Copy) || params.audio == Some(Audio::Copy);
    if !films.is_empty() && copies {
        return Err(invalid_parameter_value(format!(
            "{here}.{MEMBER} needs pictures and sound that are coded again; the template copies them"
        )));
    }
    let keeps = matches!(&params.video, Some(Video::Encode(video)) if video.keeps_timestamps);
    if !films.is_empty() && keeps {
        let told = format!("{here}.{MEMBER} cannot be used with RawPts: a joined film has times of its own");
        return Err(value_of("RawPts", told));
    }
    Ok(films)
}

/// A plan on its way.
struct Joining<'a> {
    step: &'a StepParams,
    info: &'a MediaInfo,
    build: &'a Build,
    streams: Streams<'a>,
    row: Row<'a>,
    inputs: Inputs,
    /// The number of each piece's input.
    opened: Vec<usize>,
    graph: Vec<String>,
}

/// Plans a transcode of a source that holds `info`, with `films` that hold these: those before it, then those behind.
///
/// # Errors
/// `InvalidInput` when a film has nothing that is wanted or no length; `Unsupported` when ffmpeg lacks a filter.
pub(super) fn plan(
    step: &StepParams,
    info: &MediaInfo,
    films: &[MediaInfo],
    task_id: &str,
    build: &Build,
) -> Result<Plan> {
    need(build, &["concat", "tpad"])?;
    let streams = Streams::choose(&step.params, info, &[])?;
    let grid = grid(&streams, step)?;
    let mut joining = Joining {
        row: row(step, info, films, grid)?,
        inputs: Inputs::expecting(1 + films.len()),
        opened: Vec::new(),
        graph: Vec::new(),
        step,
        info,
        build,
        streams,
    };
    // The source is input 0 of the command as it is of the step; those that frame it follow.
    let pieces = joining.row.pieces.iter();
    joining.opened = pieces.map(|piece| piece.open(&mut joining.inputs)).collect();
    joining.plan(grid, task_id)
}

/// The frames of the output.
fn grid(streams: &Streams<'_>, step: &StepParams) -> Result<Grid> {
    let Some((encode, source)) = streams.encode() else {
        return Ok(Grid(Ratio::new(25, 1)));
    };
    let wanted = plan::output_fps(encode, source, step.params.container)?;
    Ok(Grid(wanted.unwrap_or_else(|| rate_of(source))))
}

/// The source first, as it is the first input, then the others in their order.
fn row<'a>(step: &StepParams, info: &'a MediaInfo, films: &'a [MediaInfo], grid: Grid) -> Result<Row<'a>> {
    let mut row = Row::new(grid);
    row.add("the source", info, step.clip)?;
    for (film, info) in step.heads.iter().chain(&step.tails).zip(films) {
        let unusable = |told: String| Error::invalid(format!("{} cannot be used: {told}", film.path));
        if is_still(info) {
            return Err(unusable("it is a picture without any length".to_owned()));
        }
        row.add("it", info, Clip::default()).map_err(|error| unusable(error.message().to_owned()))?;
    }
    Ok(row)
}

impl<'a> Joining<'a> {
    fn plan(mut self, grid: Grid, task_id: &str) -> Result<Plan> {
        let step = self.step;
        let form = self.form(grid)?;
        let laid = match form {
            Some((form, shared)) => self.pictures(form, shared)?,
            None => Laid::default(),
        };
        let sound = self.sound();
        if let Some((_, sound)) = sound {
            self.sounds(sound);
        }
        self.join(form.is_some(), sound.map(|(_, sound)| sound));

        let length_us = self.row.length_us();
        let mut words: Vec<String> = vec!["-filter_complex".to_owned(), self.graph.join(";")];
        words.extend(self.maps(form.is_some(), sound.is_some()));
        words.extend(["-map_metadata", "0", "-map_chapters", "-1"].map(str::to_owned));
        words.extend(plan::captions_words(step));
        words.push("-dn".to_owned());
        words.extend(self.picture_words(grid, length_us)?);
        if let Some((encode, sound)) = sound {
            words.extend(audio::words(encode, sound));
        }
        let (file, outputs) = plan::container_words(&mut words, step, &self.streams, false, task_id)?;

        let (main, before_us) = (&self.row.pieces[0], self.before_us());
        let start_us = main.stretch.start_us;
        let window_us = (start_us, start_us + main.length_us);
        let moves = plan::moves(step, before_us - start_us, Some(window_us));
        let convert = laid.convert.into_iter().chain(moves).collect();
        let mut args = self.inputs.into_words();
        args.extend(plan::added_inputs(step, start_us, None));
        args.extend(laid.inputs);
        args.extend(words.into_iter().map(Arg::Text));
        args.push(plan::target(step, &file));
        let command = Command { convert, ..Command::ffmpeg(args, length_us) };
        let prepared = added::prepared(&step.sounds, &step.captions);
        let commands = laid.prepare.into_iter().chain(prepared).chain([command]).collect();
        let fetch = laid.fetch.into_iter().chain(added::fetches(&step.sounds, &step.captions)).collect();
        Ok(Plan { fetch, commands, outputs, probe: Some(file), ..Plan::default() })
    }

    /// What the pictures of the source are brought to, and what those of the others are.
    fn form(&self, grid: Grid) -> Result<Option<(Form, Form)>> {
        let Some((encode, source)) = self.streams.encode() else { return Ok(None) };
        let picture = encode.picture();
        let is_wide = |video: &VideoStream| picture.pixels.bits > 8 && picture::is_wide(video);
        if self.row.pieces.iter().filter_map(|piece| piece.video).any(is_wide) {
            let told = format!("{MEMBER}: pictures of wide dynamic range are joined in 8 bits alone");
            return Err(Error::new(Kind::Unsupported, told));
        }
        let frame = picture::geometry(picture, source).frame;
        // A template may stretch by a hair what it was made for; a film of another shape would be spoilt.
        let fill = if picture.fill == Fill::Stretch { Fill::Black } else { picture.fill };
        let shared = Picture { width: frame.0, height: frame.1, by_sides: false, fill, ..picture };
        let matrix = matrix_of(source);
        Ok(Some((Form { picture, grid, matrix }, Form { picture: shared, grid, matrix })))
    }

    /// The pictures of each piece as pads `v0`, `v1`, …
    fn pictures(&mut self, form: Form, shared: Form) -> Result<Laid> {
        let Self { step, info, build, .. } = *self;
        let mut laid = Laid::default();
        for (nth, piece) in self.row.pieces.iter().enumerate() {
            let form = if nth == 0 { form } else { shared };
            let chain = piece.pictures(&self.inputs, self.opened[nth], form, build)?;
            if nth > 0 {
                self.graph.push(named_apart(&chain, nth));
                continue;
            }
            let Some(source) = piece.video else { continue };
            let below = Below {
                geometry: picture::geometry(form.picture, source),
                length_us: piece.length_us,
                zero_us: 0,
                format: form.picture.pixels.format,
                is_still: false,
            };
            let over = Over { mosaics: &step.mosaics, burn: step.burn.as_ref(), marks: &step.marks };
            let of = over::Source { info, start_us: piece.stretch.start_us, build };
            let first = self.opened.len() + step.sounds.len() + step.captions.len();
            laid = over::lay(over, first, "", &below, of)?;
            if laid.graph.is_empty() {
                self.graph.push(format!("{chain}[v0]"));
            } else {
                // What is laid over them may go on for longer than they do.
                let end = format!("[marked]trim=end_frame={}[v0]", piece.frames);
                self.graph.extend([format!("{chain}[below]"), laid.graph.clone(), end]);
            }
        }
        Ok(laid)
    }

    /// How sound is coded, and its form: that of the source, else of the first that has any.
    fn sound(&self) -> Option<(&'a AudioEncode, Sound)> {
        let Some(Audio::Encode(encode)) = &self.step.params.audio else { return None };
        let first = self.row.pieces.iter().find_map(|piece| piece.audio);
        let unknown = AudioStream { sample_rate_hz: 48_000, channels: 2, ..AudioStream::default() };
        let source = match first {
            Some(source) => source,
            None if self.step.sounds.is_empty() => return None,
            None => &unknown,
        };
        Some((encode, audio::sound(encode, source, self.step.params.container)))
    }

    /// The sound of each piece as pads `a0`, `a1`, …, and that of added tracks as `added0`, `added1`, …
    fn sounds(&mut self, sound: Sound) {
        for (nth, piece) in self.row.pieces.iter().enumerate() {
            self.graph.push(format!("{}[a{nth}]", piece.sound(&self.inputs, self.opened[nth], sound)));
        }
        let (length, whole) = (seconds(self.row.pieces[0].length_us), seconds(self.row.length_us()));
        let before = samples(self.before_us(), sound);
        for nth in 0..self.step.sounds.len() {
            let input = self.opened.len() + nth;
            self.graph.push(format!(
                "[{input}:a:0]{},atrim=end={length},adelay=delays={before}S:all=1,apad=whole_dur={whole},atrim=end={whole}[added{nth}]",
                audio::chain(sound, false)
            ));
        }
    }

    /// All pieces one after the other, as pads `pictures` and `sound`.
    fn join(&mut self, has_pictures: bool, sound: Option<Sound>) {
        let heads = self.step.heads.len();
        let order = (1..=heads).chain([0]).chain(heads + 1..self.row.pieces.len());
        let (mut pads, count) = (String::new(), self.row.pieces.len());
        for nth in order {
            if has_pictures {
                let _ = write!(pads, "[v{nth}]");
            }
            if sound.is_some() {
                let _ = write!(pads, "[a{nth}]");
            }
        }
        let (v, a) = (u8::from(has_pictures), u8::from(sound.is_some()));
        let into = [("[pictures]", v), ("[sound]", a)].map(|(pad, count)| if count > 0 { pad } else { "" });
        self.graph.push(format!("{pads}concat=n={count}:v={v}:a={a}{}", into.concat()));
    }

    fn maps(&self, has_pictures: bool, has_sound: bool) -> Vec<String> {
        let (sounds, captions) = (self.step.sounds.len(), self.step.captions.len());
        let first = self.opened.len() + sounds;
        let mut pads: Vec<String> = Vec::new();
        pads.extend(has_pictures.then(|| "[pictures]".to_owned()));
        pads.extend(has_sound.then(|| "[sound]".to_owned()));
        pads.extend((0..sounds).map(|nth| format!("[added{nth}]")));
        pads.extend((0..captions).map(|nth| format!("{}:s:0", first + nth)));
        pads.into_iter().flat_map(|pad| ["-map".to_owned(), pad]).collect()
    }

    fn picture_words(&self, grid: Grid, length_us: i64) -> Result<Vec<String>> {
        let Some((encode, source)) = self.streams.encode() else { return Ok(Vec::new()) };
        let Self { step, info, .. } = self;
        let geometry = picture::geometry(encode.picture(), source);
        plan::check_level(encode, geometry.frame)?;
        let mut words = ["-fps_mode", "passthrough"].map(str::to_owned).to_vec();
        let (params, fps) = (&step.params, Some(grid.0));
        words.extend(video::words(
            encode,
            Scene { params, source, info, fps, geometry, length_us, grid: None },
        ));
        words.extend(plan::tag(encode, params));
        Ok(words)
    }

    /// How long what comes before the source is.
    fn before_us(&self) -> i64 {
        self.row.pieces[1..=self.step.heads.len()].iter().map(|piece| piece.length_us).sum()
    }
}

/// A chain to the pad `v<nth>`; the names inside of a chain are those of the chain alone.
fn named_apart(chain: &str, nth: usize) -> String {
    let chain = ["front", "back", "blurred"]
        .iter()
        .fold(chain.to_owned(), |text, name| text.replace(&format!("[{name}]"), &format!("[{name}-{nth}]")));
    format!("{chain}[v{nth}]")
}

fn samples(us: i64, sound: Sound) -> i128 {
    i128::from(us) * i128::from(sound.sample_rate_hz) / 1_000_000
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::features::transcode::testing::{encode, everything, film, info, params};
    use crate::names::{NumberFormat, SourceName};

    fn step(heads: usize, tails: usize) -> StepParams {
        let films = |list: &str, count: usize| {
            let film = |nth: usize| Added {
                input: Value::Null,
                path: format!("{MEMBER}.{list}.{nth}"),
                name: String::new(),
                language: String::new(),
                is_default: false,
            };
            (0..count).map(film).collect::<Vec<_>>()
        };
        let naming = super::super::params::Naming {
            directory: "/out/".to_owned(),
            object: "x.{format}".to_owned(),
            segment: "x_{number}.{format}".to_owned(),
            number: NumberFormat::default(),
        };
        let clip = Clip { start_us: 5_000_000, end_us: 15_000_000 };
        let step = StepParams::plain(params(), clip, naming, SourceName::from_key("/x.mp4"), Value::Null);
        StepParams { heads: films("HeadSet", heads), tails: films("TailSet", tails), ..step }
    }

    fn planned(step: &StepParams, films: &[MediaInfo]) -> Result<Plan> {
        let mut build = everything();
        build.filters.extend(["concat", "tpad"].map(str::to_owned));
        plan(step, &info(film(640, 360)), films, "t", &build)
    }

    fn graph(plan: &Plan) -> String {
        let args = &plan.commands[0].args;
        let at = args.iter().position(|arg| *arg == Arg::from("-filter_complex")).expect("a graph");
        let Arg::Text(text) = &args[at + 1] else { panic!("no text") };
        text.replace(';', "\n")
    }

    #[test]
    fn what_differs_takes_the_form_of_the_source() {
        let mut silent = info(film(400, 400));
        silent.audio.clear();
        silent.duration_us = 2_000_000;
        let tail = MediaInfo { duration_us: 3_000_000, ..info(film(1280, 720)) };
        let made = planned(&step(1, 1), &[silent, tail]).unwrap();
        assert_eq!(made.commands[0].expected_us, 15_000_000);
        insta::assert_snapshot!(graph(&made));
    }

    #[test]
    fn a_film_that_cannot_be_joined_is_named() {
        let told = |films: &[MediaInfo]| planned(&step(1, 1), films).unwrap_err().message().to_owned();
        let good = info(film(640, 360));
        let still = MediaInfo { format: "png_pipe".to_owned(), audio: Vec::new(), ..good.clone() };
        assert!(told(&[good.clone(), still]).starts_with("HeadTailParameter.TailSet.0 cannot be used"));
        let endless = MediaInfo { duration_us: 0, ..good.clone() };
        assert!(told(&[endless, good]).starts_with("HeadTailParameter.HeadSet.0 cannot be used"));
    }

    #[test]
    fn what_is_copied_or_keeps_its_times_cannot_be_joined() {
        let item = json!({"HeadTailParameter": {"HeadSet": [{"Type": "URL"}]}});
        let given = [Given { path: "HeadTailParameter.HeadSet.0".to_owned(), input: Value::Null }];
        let read = |params: &Params| from_wire(&item, "HeadSet", &given, params, "Here");
        assert_eq!(read(&params()).unwrap()[0].path, "HeadTailParameter.HeadSet.0");
        let copied = Params { video: Some(Video::Copy), ..params() };
        assert!(read(&copied).unwrap_err().message.contains("Here.HeadTailParameter"));
        let raw = super::super::params::VideoEncode { keeps_timestamps: true, ..encode() };
        let raw = Params { video: Some(Video::Encode(Box::new(raw))), ..params() };
        assert!(read(&raw).unwrap_err().message.contains("RawPts"));
        let many = json!({"HeadTailParameter": {"TailSet": vec![json!({}); 11]}});
        let given: Vec<Given> = (0..11)
            .map(|nth| Given { path: format!("HeadTailParameter.TailSet.{nth}"), input: Value::Null })
            .collect();
        let told = from_wire(&many, "TailSet", &given, &params(), "Here").unwrap_err();
        assert!(told.message.contains("11 films"), "{}", told.message);
    }
}
