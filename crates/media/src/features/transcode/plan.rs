//! Params and what the probe told → the command line and the names of its files.
//!
//! One main picture stream and one main sound stream, or the tracks that are chosen, are used (see [`MediaInfo::main_video`] and
//! [`MediaInfo::main_audio`]); subtitles, data and chapters are left behind. A wanted stream that the source lacks
//! is left out if the other one remains. Clips are cut exactly where frames are decoded, and at the key frame before
//! where they are copied.
//!
//! A playlist is always written as one file cut at each key frame; [`hls::Packaging`] joins the cuts to
//! segments, so that all four kinds of segments and short first segments are one path.

use mps_core::media_info::{AudioStream, MediaInfo, Ratio, VideoStream};
use mps_core::task::Fault;
use mps_core::{Error, Kind, Result};

use super::params::{Audio, Params, Segments, StepParams, Video, VideoEncode};
use super::words::{self, Container, VideoCodec};
use super::{audio, video};
use crate::features::added;
use crate::features::marks::Laid;
use crate::features::over::{self, Over};
use crate::graph::overlay::Below;
use crate::graph::picture::{self, Timing};
use crate::graph::seek::{is_bare, is_indexed, seconds};
use crate::hls;
use crate::names::{Pattern, Values};
use crate::plan::{self, Arg, Build, Command, Convert, Output, Plan, Role};

use super::from_wire::OBJECT_VARIABLES;

/// Name of the file that is written, without extension.
const FILE: &str = "output";
/// Sources without a dependable index are entered this much earlier and decoded up to the start.
const LEAD_IN_US: i64 = 10_000_000;
/// Frame rates that MXF can carry.
const MXF_RATES: &[Ratio] = &[
    Ratio::new(24_000, 1001),
    Ratio::new(24, 1),
    Ratio::new(25, 1),
    Ratio::new(30_000, 1001),
    Ratio::new(30, 1),
    Ratio::new(50, 1),
    Ratio::new(60_000, 1001),
    Ratio::new(60, 1),
];

/// Plans a step. `task_id` is the public id, for `{taskId}`.
///
/// # Errors
/// `InvalidInput` when the source has nothing that is wanted, when the clip is empty or a stream cannot be copied;
/// `Unsupported` when ffmpeg lacks a filter that this source needs.
pub fn plan(step: &StepParams, info: &MediaInfo, task_id: &str, build: &Build) -> Result<Plan> {
    let params = &step.params;
    let streams = Streams::choose(params, info, &step.tracks)?;
    let (start_us, end_us) = step.clip.resolve(info.duration_us)?;
    let is_raw_pts = streams.encode().is_some_and(|(v, _)| v.keeps_timestamps);
    let lead_in_us = lead_in(info, &streams, start_us);
    // A second entry would set kept timestamps back to 0; filters cut without touching them.
    let trim = (is_raw_pts && lead_in_us > 0).then(|| seconds(start_us + info.start_us));

    let mut args: Vec<String> = Vec::new();
    let mut add = |words: &[&str]| args.extend(words.iter().map(|word| (*word).to_owned()));
    if is_raw_pts {
        add(&["-copyts"]);
    }
    if streams.copies() {
        add(&["-fflags", "+genpts"]);
    }
    if start_us > lead_in_us {
        add(&["-ss", &seconds(start_us - lead_in_us)]);
    }
    let head = std::mem::take(&mut args);

    let length_us = end_us.unwrap_or(info.duration_us).saturating_sub(start_us).max(0);
    // Where the first picture of the output lies on the clock of the filters.
    let zero_us = if is_raw_pts { start_us + info.start_us } else { lead_in_us };
    let mut laid = Laid::default();
    if let Some((encode, source)) = streams.encode() {
        let below = Below {
            geometry: picture::geometry(encode.picture(), source),
            length_us,
            zero_us,
            format: encode.picture().pixels.format,
            is_still: false,
        };
        let source = over::Source { info, start_us, build };
        let over = Over { mosaics: &step.mosaics, burn: step.burn.as_ref(), marks: &step.marks };
        laid = over::lay(over, 1 + step.sounds.len() + step.captions.len(), "", &below, source)?;
    }
    if let Some(v) = streams.video {
        let pad = if laid.graph.is_empty() { format!("0:{}", v.index) } else { "[marked]".to_owned() };
        args.extend(["-map".to_owned(), pad]);
    }
    for a in streams.audio.iter().chain(&streams.more) {
        args.extend(["-map".to_owned(), format!("0:{}", a.index)]);
    }
    args.extend(added_maps(step));
    args.extend(["-map_metadata", "0", "-map_chapters", "-1"].map(str::to_owned));
    args.extend(captions_words(step));
    args.push("-dn".to_owned());
    let pictures = Pictures { params, info, trim: trim.as_deref(), length_us, overlays: &laid.graph };
    picture_words(&mut args, pictures, &streams, build)?;
    sound_words(&mut args, step, &streams, is_raw_pts, trim.as_deref());
    if lead_in_us > 0 && trim.is_none() {
        args.extend(["-ss".to_owned(), seconds(lead_in_us)]);
    }
    // What is added must not go on behind the end of the source.
    let has_added = !(step.sounds.is_empty() && step.captions.is_empty());
    let known_us = Some(info.duration_us).filter(|length_us| has_added && *length_us > 0);
    if let Some(end_us) = end_us.or(known_us) {
        if is_raw_pts {
            args.extend(["-to".to_owned(), seconds(end_us + info.start_us)]);
        } else {
            args.extend(["-t".to_owned(), seconds(end_us - start_us)]);
        }
    }
    let (file, outputs) = container_words(&mut args, step, &streams, is_raw_pts, task_id)?;

    let mut command: Vec<Arg> = head.into_iter().map(Arg::Text).collect();
    command.extend([Arg::from("-i"), Arg::Source]);
    command.extend(added_inputs(step, start_us - lead_in_us, is_raw_pts.then_some(info.start_us)));
    command.extend(laid.inputs);
    command.extend(args.into_iter().map(Arg::Text));
    command.push(target(step, &file));
    let convert = laid.convert.into_iter().chain(moves(step, zero_us - start_us, None)).collect();
    let command = Command { convert, ..Command::ffmpeg(command, length_us) };
    let prepared = added::prepared(&step.sounds, &step.captions);
    let commands = laid.prepare.into_iter().chain(prepared).chain([command]).collect();
    let fetch = laid.fetch.into_iter().chain(added::fetches(&step.sounds, &step.captions)).collect();
    Ok(Plan { fetch, commands, outputs, probe: Some(file), ..Plan::default() })
}

/// What the command writes to: the playlist, or the file that holds everything.
pub(super) fn target(step: &StepParams, file: &str) -> Arg {
    Arg::File(match step.params.container {
        Container::Hls => format!("{FILE}.m3u8"),
        _ => file.to_owned(),
    })
}

/// Files that become tracks as inputs; the sound is entered like the source, the subtitles have its times already.
/// `zero_us` is where the source's kept timestamps begin.
pub(super) fn added_inputs(step: &StepParams, start_us: i64, zero_us: Option<i64>) -> Vec<Arg> {
    let mut words = Vec::new();
    for nth in 0..step.sounds.len() {
        if start_us > 0 {
            words.extend([Arg::from("-ss"), Arg::Text(seconds(start_us))]);
        }
        if let Some(zero_us) = zero_us.filter(|zero_us| *zero_us != 0) {
            words.extend([Arg::from("-itsoffset"), Arg::Text(seconds(zero_us))]);
        }
        words.extend([Arg::from("-i"), Arg::File(added::sound_file(nth))]);
    }
    words.extend((0..step.captions.len()).flat_map(|nth| [Arg::from("-i"), Arg::File(moved_captions(nth))]));
    words
}

/// Subtitles at the times of the output.
fn moved_captions(nth: usize) -> String {
    format!("moved-{nth}.vtt")
}

/// Moves subtitles to where the output begins; those outside of a window of the source's times are left out.
pub(super) fn moves(
    step: &StepParams,
    shift_us: i64,
    window_us: Option<(i64, i64)>,
) -> impl Iterator<Item = Convert> {
    step.captions.iter().enumerate().map(move |(nth, captions)| Convert {
        from: added::captions_file(nth),
        to: moved_captions(nth),
        into: plan::Into::Vtt,
        shift_us,
        window_us,
        name: captions.path.clone(),
    })
}

fn added_maps(step: &StepParams) -> Vec<String> {
    let sounds = step.sounds.len();
    let sounds = (0..sounds)
        .map(|nth| format!("{}:a:0", 1 + nth))
        .chain((0..step.captions.len()).map(move |nth| format!("{}:s:0", 1 + sounds + nth)));
    sounds.flat_map(|pad| ["-map".to_owned(), pad]).collect()
}

/// The words of the tracks of subtitles.
pub(super) fn captions_words(step: &StepParams) -> Vec<String> {
    let Some(codec) = step.params.container.captions().filter(|_| !step.captions.is_empty()) else {
        return vec!["-sn".to_owned()];
    };
    let mut words = vec!["-c:s".to_owned(), codec.to_owned()];
    for (nth, track) in step.captions.iter().enumerate() {
        for (name, value) in [("language", &track.language), ("title", &track.name)] {
            if !value.is_empty() {
                words.extend([format!("-metadata:s:s:{nth}"), format!("{name}={value}")]);
            }
        }
        let disposition = if track.is_default { "default" } else { "0" };
        words.extend([format!("-disposition:s:{nth}"), disposition.to_owned()]);
    }
    words
}

/// The streams that are used, with what happens to them.
pub(super) struct Streams<'a> {
    video: Option<&'a VideoStream>,
    audio: Option<&'a AudioStream>,
    /// Further tracks of sound.
    more: Vec<&'a AudioStream>,
    params: &'a Params,
}

impl<'a> Streams<'a> {
    pub(super) fn choose(params: &'a Params, info: &'a MediaInfo, tracks: &[usize]) -> Result<Self> {
        let video = params.video.as_ref().and_then(|_| info.main_video());
        let sounds = if params.audio.is_some() { sounds(info, tracks)? } else { Vec::new() };
        let audio = sounds.first().copied();
        let container = params.container;
        if video.is_none() && audio.is_none() {
            let (wanted, fault) = match (&params.video, &params.audio) {
                (Some(_), Some(_)) => ("neither video nor audio", Fault::Source),
                (Some(_), None) => ("no video", Fault::NoVideo),
                _ => ("no audio", Fault::Source),
            };
            return Err(fault.of(Error::invalid(format!("the source has {wanted}"))));
        }
        if video.is_none() && container == Container::Mxf {
            return Err(Fault::NoVideo.of(Error::invalid("the source has no video, and mxf needs one")));
        }
        if params.video == Some(Video::Copy) && video.is_some() && is_bare(&info.format) {
            let message =
                "the source is a bare stream without timestamps, which cannot be taken over as it is";
            return Err(Error::invalid(message));
        }
        if let (Some(Video::Copy), Some(v)) = (&params.video, video)
            && !words::can_copy_video(&v.codec, container)
        {
            return Err(Error::invalid(format!(
                "{} cannot hold {} video as it is",
                container.word(),
                v.codec
            )));
        }
        let is_foreign = |a: &&&AudioStream| !words::can_copy_audio(&a.codec, container);
        if let (Some(Audio::Copy), Some(a)) = (&params.audio, sounds.iter().find(is_foreign)) {
            return Err(Error::invalid(format!(
                "{} cannot hold {} audio as it is",
                container.word(),
                a.codec
            )));
        }
        Ok(Self { video, audio, more: sounds.into_iter().skip(1).collect(), params })
    }

    pub(super) fn encode(&self) -> Option<(&'a VideoEncode, &'a VideoStream)> {
        match (&self.params.video, self.video) {
            (Some(Video::Encode(encode)), Some(stream)) => Some((encode, stream)),
            _ => None,
        }
    }

    fn copies(&self) -> bool {
        (self.video.is_some() && self.params.video == Some(Video::Copy))
            || (self.audio.is_some() && self.params.audio == Some(Audio::Copy))
    }
}

/// The tracks of sound that are used; none where the source has none.
fn sounds<'a>(info: &'a MediaInfo, tracks: &[usize]) -> Result<Vec<&'a AudioStream>> {
    if tracks.is_empty() || info.audio.is_empty() {
        return Ok(info.main_audio().into_iter().collect());
    }
    let track = |number: &usize| {
        let count = info.audio.len();
        let told =
            || format!("StreamSelects {number}: the source has {count} tracks of sound, counted from 0");
        info.audio.get(*number).ok_or_else(|| Error::invalid(told()))
    };
    tracks.iter().map(track).collect()
}

/// How far before the start decoding begins, beyond what ffmpeg's exact entry does by itself.
fn lead_in(info: &MediaInfo, streams: &Streams<'_>, start_us: i64) -> i64 {
    if is_indexed(info) || streams.copies() { 0 } else { start_us.min(LEAD_IN_US) }
}

/// What the words for the pictures depend on beside the streams.
#[derive(Clone, Copy)]
struct Pictures<'a> {
    params: &'a Params,
    info: &'a MediaInfo,
    /// Where the filters cut, in seconds.
    trim: Option<&'a str>,
    /// Length of the output; 0 when unknown.
    length_us: i64,
    /// The graph of what is laid over them; empty when there is nothing.
    overlays: &'a str,
}

fn picture_words(
    args: &mut Vec<String>,
    pictures: Pictures<'_>,
    streams: &Streams<'_>,
    build: &Build,
) -> Result<()> {
    let Pictures { params, info, trim, length_us, overlays } = pictures;
    let Some(source) = streams.video else { return Ok(()) };
    let Some((encode, _)) = streams.encode() else {
        args.extend(["-c:v", "copy"].map(str::to_owned));
        if source.codec == "hevc" && has_boxes(params) {
            args.extend(["-tag:v", "hvc1"].map(str::to_owned));
        }
        return Ok(());
    };
    let fps = output_fps(encode, source, params.container)?;
    let timing = fps.map(|fps| {
        let start = if encode.keeps_timestamps { "" } else { ":start_time=0" };
        Timing {
            filter: format!("fps=fps={}/{}{start}", fps.num, fps.den),
            is_dropping: fps.value() < source.average_fps.value(),
        }
    });
    let chain = picture::chain(encode.picture(), source, timing.as_ref(), build)?;
    let trim = trim.map(|start| format!("trim=start={start},")).unwrap_or_default();
    if overlays.is_empty() {
        args.extend(["-filter:v".to_owned(), format!("{trim}{chain}")]);
    } else {
        let graph = format!("[0:{}]{trim}{chain}[below];{overlays}", source.index);
        args.extend(["-filter_complex".to_owned(), graph]);
    }
    let timing: &[&str] = match fps {
        Some(_) => &["-fps_mode", "passthrough"],
        None => &["-fps_mode", "vfr", "-enc_time_base", "demux"],
    };
    args.extend(timing.iter().map(|word| (*word).to_owned()));
    let geometry = picture::geometry(encode.picture(), source);
    check_level(encode, geometry.frame)?;
    args.extend(video::words(
        encode,
        video::Scene { params, source, info, fps, geometry, length_us, grid: None },
    ));
    args.extend(tag(encode, params));
    Ok(())
}

/// The name under which players of boxes look for pictures of this codec.
pub(super) fn tag(encode: &VideoEncode, params: &Params) -> Vec<String> {
    let is_named = encode.codec == VideoCodec::H265 && has_boxes(params);
    if is_named { ["-tag:v", "hvc1"].map(str::to_owned).to_vec() } else { Vec::new() }
}

/// H.265 refuses to encode pictures that the chosen level cannot hold.
///
/// # Errors
/// `InvalidInput` naming the level.
pub fn check_level(encode: &VideoEncode, (width, height): (u32, u32)) -> Result<()> {
    let (VideoCodec::H265, Some(level)) = (encode.codec, encode.level.as_deref()) else { return Ok(()) };
    let most_pixels: u64 = match level {
        "1" => 36_864,
        "2" => 122_880,
        "2.1" => 245_760,
        "3" => 552_960,
        "3.1" => 983_040,
        "4" | "4.1" => 2_228_224,
        "5" | "5.1" | "5.2" => 8_912_896,
        _ => 35_651_584,
    };
    let longest = u64::from(width.max(height));
    if u64::from(width) * u64::from(height) > most_pixels || longest * longest > 8 * most_pixels {
        return Err(Error::invalid(format!("level {level} of h265 cannot hold {width}x{height} pixels")));
    }
    Ok(())
}

fn has_boxes(params: &Params) -> bool {
    params.container.is_boxed() || (params.container == Container::Hls && params.hls.segments.is_mp4())
}

/// The rate to force; `None` keeps the time of each frame.
///
/// # Errors
/// `InvalidInput` when the container has no such rate.
pub fn output_fps(encode: &VideoEncode, source: &VideoStream, container: Container) -> Result<Option<Ratio>> {
    let known = [source.average_fps, source.base_fps].into_iter().find(|rate| rate.is_known());
    let wanted = encode.fps;
    if container == Container::Mxf {
        let near = wanted.or(known).unwrap_or(Ratio::new(25, 1));
        let best = MXF_RATES
            .iter()
            .min_by(|a, b| (a.value() - near.value()).abs().total_cmp(&(b.value() - near.value()).abs()));
        let best = best.copied().unwrap_or(near);
        if wanted.is_some() && (best.value() - near.value()).abs() > 0.001 {
            let message = format!("mxf cannot carry {:.3} frames a second", near.value());
            return Err(Error::new(Kind::InvalidInput, message));
        }
        return Ok(Some(best));
    }
    if wanted.is_some() {
        return Ok(wanted);
    }
    // These take their rate control from a fixed frame rate and do not know uneven ones.
    let needs_rate =
        matches!(encode.codec, VideoCodec::H266 | VideoCodec::Av1 | VideoCodec::Vp8 | VideoCodec::Vp9);
    let has_rate = known.is_some_and(|rate| rate.value() <= 120.0) && !source.has_variable_rate();
    Ok(if needs_rate && has_rate && !encode.keeps_timestamps {
        Some(source.base_fps).filter(|r| r.is_known()).or(known)
    } else {
        None
    })
}

fn sound_words(
    args: &mut Vec<String>,
    step: &StepParams,
    streams: &Streams<'_>,
    is_raw_pts: bool,
    trim: Option<&str>,
) {
    // Sound that is added has a form of its own, which is brought to that of the first track.
    let unknown = AudioStream { sample_rate_hz: 48_000, channels: 2, ..AudioStream::default() };
    let source = match streams.audio {
        Some(source) => source,
        None if step.sounds.is_empty() => return,
        None => &unknown,
    };
    let params = &step.params;
    match &params.audio {
        Some(Audio::Encode(encode)) => {
            let sound = audio::sound(encode, source, params.container);
            let trim = trim.map(|start| format!("atrim=start={start},")).unwrap_or_default();
            let chain = audio::chain(sound, is_raw_pts);
            args.extend(["-filter:a".to_owned(), format!("{trim}{chain}")]);
            args.extend(audio::words(encode, sound));
        }
        _ => args.extend(["-c:a", "copy"].map(str::to_owned)),
    }
}

pub(super) fn container_words(
    args: &mut Vec<String>,
    step: &StepParams,
    streams: &Streams<'_>,
    is_raw_pts: bool,
    task_id: &str,
) -> Result<(String, Vec<Output>)> {
    let container = step.params.container;
    let mut add = |words: &[&str]| args.extend(words.iter().map(|word| (*word).to_owned()));
    if is_raw_pts {
        add(&["-avoid_negative_ts", "disabled"]);
        if matches!(container, Container::Ts | Container::Hls) {
            add(&["-muxdelay", "0", "-muxpreload", "0", "-mpegts_copyts", "1"]);
        }
    }
    args.extend(muxer_words(container, step.params.hls.segments));
    let key = main_key(step, task_id)?;
    if container == Container::Hls {
        let packaging = packaging(step, streams, key, task_id);
        let file = single_file(step.params.hls.segments);
        return Ok((
            file,
            vec![Output::Hls { file: format!("{FILE}.m3u8"), packaging: Box::new(packaging) }],
        ));
    }
    let file = format!("{FILE}.{}", container.extension());
    let content_type = container.content_type().to_owned();
    Ok((file.clone(), vec![Output::File { file, key, content_type, role: Role::Main }]))
}

/// The words that wrap the streams of a file.
pub(crate) fn muxer_words(container: Container, segments: Segments) -> Vec<String> {
    let file = single_file(segments);
    let kind = if segments.is_mp4() { "fmp4" } else { "mpegts" };
    let own: &[&str] = match container {
        Container::Mp4 | Container::Mov | Container::M4a => &["-movflags", "+faststart"],
        Container::Mp3 => &["-id3v2_version", "3"],
        Container::Hls => &[
            "-hls_segment_type",
            kind,
            "-hls_time",
            "0.5",
            "-hls_list_size",
            "0",
            "-hls_playlist_type",
            "vod",
            "-hls_flags",
            "single_file",
            "-hls_segment_filename",
            &file,
        ],
        _ => &[],
    };
    own.iter().chain(&["-f", container.muxer()]).map(|word| (*word).to_owned()).collect()
}

/// The file in the job's folder that all segments lie in.
pub(crate) fn single_file(segments: Segments) -> String {
    format!("{FILE}.{}", if segments.is_mp4() { "mp4" } else { "ts" })
}

/// The key of the file that is asked for.
///
/// # Errors
/// `InvalidInput` when the source's name makes it unsafe or too long.
pub fn main_key(step: &StepParams, task_id: &str) -> Result<String> {
    let number = step.naming.number.show(0);
    let values = Values {
        input_name: &step.source.name,
        input_format: &step.source.format,
        definition: step.definition,
        format: step.params.container.extension(),
        number: &number,
        task_id,
        ..Values::default()
    };
    Pattern::parse(&step.naming.object, OBJECT_VARIABLES)?.key(&step.naming.directory, &values)
}

fn packaging(step: &StepParams, streams: &Streams<'_>, key: String, task_id: &str) -> hls::Packaging {
    let hls = step.params.hls;
    let directory = key.rsplit_once('/').map_or_else(|| "/".to_owned(), |(dir, _)| format!("{dir}/"));
    let (extension, content_type) = match hls.segments {
        Segments::Ts | Segments::TsRange => ("ts", "video/mp2t"),
        Segments::Mp4 => ("m4s", "video/iso.segment"),
        Segments::Mp4Range => ("mp4", "video/mp4"),
    };
    hls::Packaging {
        playlist_key: key,
        directory,
        segment: step.naming.segment.clone(),
        number: step.naming.number.clone(),
        extension: extension.to_owned(),
        content_type: content_type.to_owned(),
        is_single: hls.segments.is_range(),
        join_us: i64::from(hls.segment_seconds()) * 1_000_000,
        first: hls.first,
        is_independent: streams.video.is_none() || streams.encode().is_some(),
        input_name: step.source.name.clone(),
        input_format: step.source.format.clone(),
        definition: step.definition,
        task_id: task_id.to_owned(),
        also_us: Vec::new(),
        sub_stream: String::new(),
    }
}
