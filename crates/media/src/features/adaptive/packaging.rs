//! The commands that package what was coded. The packager is told here where to read keys, never the keys.

use std::fmt::Write as _;

use super::ladder::Cuts;
use super::layout::{Layout, Packer};
use super::outputs::TS_BEGINS_S;
use super::params::{Format, StepParams};
use crate::drm::packager::FLAG_FILE;
use crate::features::added::captions_file;
use crate::package::short;
use crate::plan::{Arg, Command, Encrypted, Tool};

/// Name in the job's folder of the master playlist that the packager writes.
pub(super) const MASTER: &str = "master.m3u8";
/// Name in the job's folder of the master playlist that the packager writes to tell codecs.
pub(super) const LOOKS: &str = "looks.m3u8";
/// Name in the job's folder of the MPD that the packager writes.
pub(super) const MPD: &str = "manifest.mpd";
/// The shortest piece that the packager is asked for, in microseconds.
const LEAST_PIECE_US: i64 = 40_000;

/// The commands after the coding.
pub(super) fn commands(
    step: &StepParams,
    layout: &Layout,
    cuts: &Cuts,
    encrypted: &[Encrypted],
) -> Vec<Command> {
    let by = |packer: Packer| -> Vec<usize> {
        (0..layout.parts.len()).filter(|nth| layout.parts[*nth].packer == packer).collect()
    };
    let mut commands = Vec::new();
    let (joint, apart) = (by(Packer::Ffmpeg), by(Packer::Packager));
    if !joint.is_empty() {
        commands.push(muxed(step, layout, &joint));
    }
    let untold: Vec<usize> = joint.iter().copied().filter(|nth| layout.is_untold(*nth)).collect();
    if !untold.is_empty() {
        commands.push(looked_at(layout, &untold));
    }
    if !apart.is_empty() {
        commands.push(packaged(step, layout, &apart, piece_us(step, cuts), encrypted));
    }
    commands
}

/// Length of the pieces that the packager writes, in microseconds: whole segments, or pieces to join where segments
/// differ in length.
pub(super) fn piece_us(step: &StepParams, cuts: &Cuts) -> i64 {
    let first_us = step.params.hls().first.map(|first| first.us);
    let mut least = first_us.map_or(cuts.segment_us, |us| us.min(cuts.segment_us));
    let mut ends = cuts.also_us.clone();
    for us in &cuts.also_us {
        // The beginnings of the usual segments on both sides.
        let before = us / cuts.segment_us * cuts.segment_us;
        ends.extend([before, before + cuts.segment_us]);
    }
    ends.sort_unstable();
    ends.dedup();
    for pair in ends.windows(2) {
        least = least.min(pair[1] - pair[0]);
    }
    // Half of the least distance keeps two cuts from falling into one piece.
    if ends.is_empty() { least } else { (least / 2).max(LEAST_PIECE_US) }
}

/// One run of ffmpeg that copies streams into files of stretches.
fn muxed(step: &StepParams, layout: &Layout, parts: &[usize]) -> Command {
    let mut args: Vec<Arg> = Vec::new();
    let mut files: Vec<String> = Vec::new();
    for nth in parts {
        let part = &layout.parts[*nth];
        files.extend(part.video.map(Layout::video_file));
        files.extend(part.sound.map(Layout::sound_file));
    }
    files.sort_unstable();
    files.dedup();
    for file in &files {
        args.extend([Arg::from("-i"), Arg::File(file.clone())]);
    }
    let input = |file: String| files.iter().position(|known| *known == file).unwrap_or_default();
    for nth in parts {
        let part = &layout.parts[*nth];
        let mut add = |words: &[&str]| args.extend(words.iter().map(|word| Arg::from(*word)));
        if let Some(rung) = part.video {
            add(&["-map", &format!("{}:v", input(Layout::video_file(rung)))]);
        }
        if let Some(sound) = part.sound {
            add(&["-map", &format!("{}:a", input(Layout::sound_file(sound)))]);
        }
        add(&["-c", "copy", "-map_metadata", "-1", "-avoid_negative_ts", "disabled"]);
        let kind = if step.params.segments.is_mp4 { "fmp4" } else { "mpegts" };
        if step.params.segments.is_mp4 {
            // Players that know H.265 know it by this name.
            if part.video.is_some_and(|rung| layout.is_h265[rung]) {
                add(&["-tag:v", "hvc1"]);
            }
        } else {
            // The same moment has the same time in every stream, and no time is below zero.
            add(&["-output_ts_offset", &TS_BEGINS_S.to_string(), "-muxdelay", "0", "-muxpreload", "0"]);
        }
        if part.video.is_some() {
            add(&["-master_pl_name", &Layout::master_file(*nth)]);
        }
        add(&[
            "-hls_segment_type",
            kind,
            "-hls_time",
            "0.5",
            "-hls_list_size",
            "0",
            "-hls_playlist_type",
            "vod",
        ]);
        add(&["-hls_flags", "single_file", "-hls_segment_filename", &layout.part_file(*nth), "-f", "hls"]);
        args.push(Arg::File(Layout::playlist_file(*nth)));
    }
    Command::ffmpeg(args, 0)
}

/// One run of the packager that keeps nothing but the names of codecs.
fn looked_at(layout: &Layout, parts: &[usize]) -> Command {
    let mut args: Vec<Arg> = Vec::new();
    for nth in parts {
        let Some(rung) = layout.parts[*nth].video else { continue };
        let (file, playlist) = (Layout::video_file(rung), Layout::look_file(*nth));
        args.push(Arg::Text(format!("in={file},stream=video,out=look-{nth}.mp4,playlist_name={playlist}")));
    }
    args.push(Arg::Text(format!("--hls_master_playlist_output={LOOKS}")));
    args.extend([Arg::from("--temp_dir=."), Arg::from("--quiet")]);
    Command { tool: Tool::Packager, ..Command::ffmpeg(args, 0) }
}

/// One run of the packager.
fn packaged(
    step: &StepParams,
    layout: &Layout,
    parts: &[usize],
    piece_us: i64,
    encrypted: &[Encrypted],
) -> Command {
    let reads_keys = step.encrypts_samples();
    let is_dash = step.params.format == Format::Dash;
    let mut args: Vec<Arg> = Vec::new();
    for nth in parts {
        let part = &layout.parts[*nth];
        let (kind, file) = match (part.video, part.sound) {
            (Some(rung), _) => ("video", Layout::video_file(rung)),
            (None, sound) => ("audio", Layout::sound_file(sound.unwrap_or_default())),
        };
        let mut fields = format!("in={file},stream={kind},out={}", layout.part_file(*nth));
        if let (None, Some(sound)) = (part.video, part.sound) {
            let sound = &layout.sounds[sound];
            fields.push_str(&language(&sound.language));
            if is_dash {
                fields.push_str(if sound.is_default { ",dash_roles=main" } else { ",dash_roles=alternate" });
            } else {
                let _ = write!(fields, ",hls_group_id=sound,hls_name=sound-{nth}");
            }
        }
        if !is_dash {
            let _ = write!(fields, ",playlist_name={}", Layout::playlist_file(*nth));
        }
        if let Some(encrypted) = encrypted.get(*nth).filter(|_| reads_keys) {
            let _ = write!(fields, ",drm_label={}", encrypted.track.label);
        }
        args.push(Arg::Text(fields));
    }
    if is_dash {
        for (nth, text) in step.captions.iter().enumerate() {
            let (file, out) = (captions_file(nth), packaged_captions(nth));
            let language = language(&text.language);
            args.push(Arg::Text(format!("in={file},stream=text,out={out}{language},dash_roles=subtitle")));
        }
        args.push(Arg::Text(format!("--mpd_output={MPD}")));
    } else {
        args.push(Arg::Text(format!("--hls_master_playlist_output={MASTER}")));
    }
    // Packed audio beside transport streams has their clock.
    let begins_ms = if step.params.segments.is_mp4 { 0 } else { TS_BEGINS_S * 1000 };
    args.push(Arg::Text(format!("--transport_stream_timestamp_offset_ms={begins_ms}")));
    let seconds = crate::graph::seek::seconds(piece_us);
    args.push(Arg::Text(format!("--segment_duration={seconds}")));
    args.extend([Arg::from("--temp_dir=."), Arg::from("--quiet")]);
    args.extend(reads_keys.then(|| Arg::from(FLAG_FILE)));
    Command { tool: Tool::Packager, reads_keys, ..Command::ffmpeg(args, 0) }
}

/// Subtitles as the packager leaves them.
pub(super) fn packaged_captions(nth: usize) -> String {
    format!("part-captions-{nth}.vtt")
}

fn language(code: &str) -> String {
    if code.is_empty() { String::new() } else { format!(",language={}", short(code)) }
}
