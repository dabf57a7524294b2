//! Params and what the probe told → commands and named outputs.
//!
//! The first command decodes once and encodes every picture and every sound to a file of its own. The next ones
//! package without coding again: ffmpeg where sound and pictures share segments and for transport streams, the packager
//! for MPEG-4 with sound apart, for packed audio and for DASH. All write one file a stream; see
//! [`package`](crate::package) for what becomes of them.

use mps_core::media_info::{AudioStream, MediaInfo, VideoStream};
use mps_core::{Error, Result};
use serde_json::json;

use super::graph::{self, pad};
use super::ladder::{self, Cuts, Rung};
use super::layout::{Layout, SoundFile, Source};
use super::params::{Sound, StepParams};
use super::{encryption, outputs, packaging};
use crate::features::added;
use crate::features::marks::Laid;
use crate::features::over::{self, Over};
use crate::features::transcode::keyframes::Grid;
use crate::features::transcode::params::{Audio, AudioEncode};
use crate::features::transcode::words::VideoCodec;
use crate::features::transcode::{audio, check_level, video};
use crate::graph::overlay::Below;
use crate::graph::picture;
use crate::plan::{Arg, Build, Command, Fetch, Output, Plan};

/// Plans a step. `task_id` is the public id, for `{taskId}`.
///
/// # Errors
/// `InvalidInput` when the source has nothing that is wanted; `Unsupported` when ffmpeg lacks a filter that this source
/// needs.
pub(super) fn plan(step: &StepParams, info: &MediaInfo, task_id: &str, build: &Build) -> Result<Plan> {
    let rungs = ladder::choose(&step.params, info)?;
    check_start(&rungs, info)?;
    let layout = Layout::new(step, &rungs, info, build.has_packager);
    let cuts = ladder::cuts(step, &rungs, info);
    let marked = marked(step, &rungs, info, build)?;
    let mut commands = prepared(step, &marked);
    let convert = marked.iter().flat_map(|laid| laid.convert.clone()).collect();
    commands.push(Command { convert, ..encode(step, &rungs, &layout, &cuts, &marked, info, build)? });
    let encrypted = encryption::encrypted(step, &rungs, &layout, info, task_id);
    commands.extend(packaging::commands(step, &layout, &cuts, &encrypted));
    let package = outputs::package(step, &rungs, &layout, &cuts, info, task_id)?;
    let usage: Vec<String> = rungs.iter().map(|rung| usage(rung, info)).collect();
    Ok(Plan {
        fetch: fetches(step, &marked),
        commands,
        encrypted,
        outputs: vec![Output::Package { package: Box::new(package) }],
        probe: None,
        facts: json!({"usage": usage}),
    })
}

/// What a rung is counted as.
fn usage(rung: &Rung, info: &MediaInfo) -> String {
    let geometry = info.main_video().and_then(|source| rung.geometry(source));
    match (&rung.video, geometry) {
        (Some(video), Some(geometry)) => {
            let (width, height) = geometry.frame;
            format!("transcode.{}.{}p", counted(video.codec), width.min(height))
        }
        _ => "transcode.audio".to_owned(),
    }
}

/// The codec as the prober calls it, as for any other transcode.
fn counted(codec: VideoCodec) -> &'static str {
    match codec {
        VideoCodec::H265 => "hevc",
        VideoCodec::H266 => "vvc",
        other => other.word(),
    }
}

/// Kept timestamps are those of the output only where the source begins with them.
fn check_start(rungs: &[Rung], info: &MediaInfo) -> Result<()> {
    let keeps = rungs.iter().filter_map(|rung| rung.video.as_ref()).any(|video| video.keeps_timestamps);
    if !keeps || info.start_us.abs() <= 1000 {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the timestamps of the source begin at {:.3} s; adaptive streams begin at 0, so RawPts cannot be kept",
        info.start_us as f64 / 1e6
    )))
}

/// The subtitles and watermarks of each rung.
fn marked(step: &StepParams, rungs: &[Rung], info: &MediaInfo, build: &Build) -> Result<Vec<Laid>> {
    let mut first = 1 + step.sounds.len();
    let lay = |(nth, rung): (usize, &Rung)| {
        let (Some(video), Some(source)) = (&rung.video, info.main_video()) else {
            return Ok(Laid::default());
        };
        let picture = video.picture();
        let below = Below {
            geometry: picture::geometry(picture, source),
            length_us: info.duration_us,
            zero_us: 0,
            format: picture.pixels.format,
            is_still: false,
        };
        let source = over::Source { info, start_us: 0, build };
        let over = Over { burn: step.burn.as_ref(), marks: &step.marks, ..Over::default() };
        let laid = over::lay(over, first, &nth.to_string(), &below, source)?;
        first += laid.inputs.iter().filter(|word| **word == Arg::from("-i")).count();
        Ok(laid)
    };
    rungs.iter().enumerate().map(lay).collect()
}

/// What makes the files of the caller's ready, each told by its own name when it fails.
fn prepared(step: &StepParams, marked: &[Laid]) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    // Streams share what does not depend on their size.
    for command in marked.iter().flat_map(|laid| &laid.prepare) {
        if !commands.contains(command) {
            commands.push(command.clone());
        }
    }
    commands.extend(added::prepared(&step.sounds, &step.captions));
    commands
}

fn fetches(step: &StepParams, marked: &[Laid]) -> Vec<Fetch> {
    let mut all: Vec<Fetch> = Vec::new();
    for fetch in marked.iter().flat_map(|laid| &laid.fetch) {
        if !all.contains(fetch) {
            all.push(fetch.clone());
        }
    }
    all.extend(added::fetches(&step.sounds, &step.captions));
    all
}

fn encode(
    step: &StepParams,
    rungs: &[Rung],
    layout: &Layout,
    cuts: &Cuts,
    marked: &[Laid],
    info: &MediaInfo,
    build: &Build,
) -> Result<Command> {
    let mut args = vec![Arg::from("-i"), Arg::Source];
    for nth in 0..step.sounds.len() {
        args.extend([Arg::from("-i"), Arg::File(added::sound_file(nth))]);
    }
    args.extend(marked.iter().flat_map(|laid| laid.inputs.clone()));
    let mut graphs = vec![match info.main_video() {
        Some(source) => graph::graph(rungs, marked, source, build)?,
        None => String::new(),
    }];
    for (nth, sound) in layout.sounds.iter().enumerate() {
        if let (Source::Mixed(mix), Audio::Encode(encode)) = (&sound.from, &sound.audio) {
            let numbers = numbers(step, sound, encode, &mix.form(encode.channels, info));
            let last = format!("{}[{}]", audio::chain(numbers, false), mixed(nth));
            graphs.push(mix.graph(encode.channels, info, nth, &last));
        }
    }
    graphs.retain(|graph| !graph.is_empty());
    if !graphs.is_empty() {
        args.extend([Arg::from("-filter_complex"), Arg::Text(graphs.join(";"))]);
    }
    if let Some(source) = info.main_video() {
        for (nth, rung) in rungs.iter().enumerate() {
            let pad = pad(nth, &marked[nth]);
            let words = picture_words(step, rung, &pad, cuts.grids[nth].as_ref(), source, info)?;
            if !words.is_empty() {
                args.extend(words.into_iter().map(Arg::Text));
                args.push(Arg::File(Layout::video_file(nth)));
            }
        }
    }
    for nth in 0..layout.sounds.len() {
        args.extend(sound_words(step, layout, nth, info)?.into_iter().map(Arg::Text));
        args.push(Arg::File(Layout::sound_file(nth)));
    }
    Ok(Command::ffmpeg(args, info.duration_us))
}

/// What a file of one stream begins with.
fn alone(pad: String) -> Vec<String> {
    let mut words = vec!["-map".to_owned(), pad];
    words.extend(["-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn"].map(str::to_owned));
    words
}

fn picture_words(
    step: &StepParams,
    rung: &Rung,
    pad: &str,
    grid: Option<&Grid>,
    source: &VideoStream,
    info: &MediaInfo,
) -> Result<Vec<String>> {
    let (Some(encode), Some(geometry)) = (&rung.video, rung.geometry(source)) else { return Ok(Vec::new()) };
    check_level(encode, geometry.frame)?;
    let params = &step.params.streams[rung.stream].encoding;
    let mut words = alone(format!("[{pad}]"));
    let timing: &[&str] = match encode.fps {
        Some(_) => &["-fps_mode", "passthrough"],
        None => &["-fps_mode", "vfr", "-enc_time_base", "demux"],
    };
    words.extend(timing.iter().map(|word| (*word).to_owned()));
    let length_us = info.duration_us;
    words.extend(video::words(
        encode,
        video::Scene { params, source, info, fps: encode.fps, geometry, length_us, grid },
    ));
    if encode.codec == VideoCodec::H265 {
        words.extend(["-tag:v", "hvc1"].map(str::to_owned));
    }
    words.extend(["-f", "mp4"].map(str::to_owned));
    Ok(words)
}

/// What comes out of a sound of this form.
fn numbers(step: &StepParams, sound: &SoundFile, encode: &AudioEncode, source: &AudioStream) -> audio::Sound {
    audio::sound(encode, source, step.params.streams[sound.stream].encoding.container)
}

/// The name of the pad of a sound that is mixed.
fn mixed(nth: usize) -> String {
    format!("mixed{nth}")
}

fn sound_words(step: &StepParams, layout: &Layout, nth: usize, info: &MediaInfo) -> Result<Vec<String>> {
    let sound = &layout.sounds[nth];
    let missing = || Error::internal("a sound without a source was planned");
    let unknown = AudioStream { sample_rate_hz: 48_000, channels: 2, ..AudioStream::default() };
    let Audio::Encode(encode) = &sound.audio else { return Err(missing()) };
    let of_mix;
    let (pad, source) = match &sound.from {
        Source::Stream(index) => {
            let source = info.audio.iter().find(|audio| audio.index == *index).ok_or_else(missing)?;
            (format!("0:{index}"), source)
        }
        Source::Mixed(mix) => {
            of_mix = mix.form(encode.channels, info);
            (format!("[{}]", mixed(nth)), &of_mix)
        }
        Source::Added(added) => (format!("{}:a:0", added + 1), &unknown),
    };
    let numbers = numbers(step, sound, encode, source);
    let mut words = alone(pad);
    if !matches!(sound.from, Source::Mixed(_)) {
        words.extend(["-filter:a".to_owned(), audio::chain(numbers, false)]);
    }
    words.extend(audio::words(encode, numbers));
    if step.params.segments.sound == Sound::Packed {
        // Without any wrapping nothing could say that the encoder's lead-in is not to be heard.
        words.extend(["-bsf:a", "noise=drop=lt(pts\\,0)"].map(str::to_owned));
    }
    if matches!(sound.from, Source::Added(_)) && info.duration_us > 0 {
        words.extend(["-t".to_owned(), crate::graph::seek::seconds(info.duration_us)]);
    }
    words.extend(["-f", "mp4"].map(str::to_owned));
    Ok(words)
}
