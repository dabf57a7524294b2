//! What the packaged files become: names, variants, groups of sound and subtitles.

use mps_core::Result;
use mps_core::media_info::MediaInfo;

use super::ladder::{self, Cuts, Rung};
use super::layout::{Layout, Packer};
use super::params::{Added, Format, StepParams};
use super::plan::captions_file;
use super::{names, packaging};
use crate::features::transcode::params::Audio;
use crate::features::transcode::words::AudioCodec;
use crate::hls::Packaging;
use crate::names::{NumberFormat, Pattern, Values};
use crate::package::{
    DashPackage, DashPart, HlsPackage, HlsPart, Package, Rendition, RenditionKind, VTT_TYPE, Variant, short,
};

/// Where transport streams begin, in seconds: sound may begin a little before the pictures, and no time is below zero.
pub(super) const TS_BEGINS_S: u64 = 1;

const CAPTIONS: &str = "captions";

/// What becomes of the files of a plan.
///
/// # Errors
/// `InvalidInput` when the source's name makes a name unsafe or too long.
pub(super) fn package(
    step: &StepParams,
    rungs: &[Rung],
    layout: &Layout,
    cuts: &Cuts,
    info: &MediaInfo,
    task_id: &str,
) -> Result<Package> {
    let key = names::manifest(step, task_id)?;
    let names = Names { step, directory: names::directory(&key), task_id };
    match step.params.format {
        Format::Dash => dash(&names, key, layout),
        Format::Hls => hls(&names, key, rungs, layout, cuts, info),
    }
}

struct Names<'a> {
    step: &'a StepParams,
    directory: String,
    task_id: &'a str,
}

impl Names<'_> {
    fn sub_stream(&self, nth: usize, extension: &str) -> Result<String> {
        names::sub_stream(self.step, &self.directory, nth, extension, self.task_id)
    }
}

fn dash(names: &Names<'_>, key: String, layout: &Layout) -> Result<Package> {
    let mut parts = Vec::new();
    for (nth, part) in layout.parts.iter().enumerate() {
        let sound = part.sound.filter(|_| part.video.is_none()).map(|sound| &layout.sounds[sound]);
        parts.push(DashPart {
            file: layout.part_file(nth),
            key: names.sub_stream(nth, part.extension)?,
            content_type: if part.video.is_some() { "video/mp4" } else { "audio/mp4" }.to_owned(),
            label: sound.map(|sound| sound.name.clone()).filter(|name| !name.is_empty()),
        });
    }
    for (nth, text) in names.step.captions.iter().enumerate() {
        parts.push(DashPart {
            file: packaging::packaged_captions(nth),
            key: names.sub_stream(layout.parts.len() + nth, "vtt")?,
            content_type: VTT_TYPE.to_owned(),
            label: Some(text.name.clone()).filter(|name| !name.is_empty()),
        });
    }
    Ok(Package::Dash(DashPackage { key, file: packaging::MPD.to_owned(), parts }))
}

fn hls(
    names: &Names<'_>,
    key: String,
    rungs: &[Rung],
    layout: &Layout,
    cuts: &Cuts,
    info: &MediaInfo,
) -> Result<Package> {
    let step = names.step;
    let mut parts = Vec::new();
    for nth in 0..layout.parts.len() {
        let packaging = Box::new(packaging_of(names, layout, cuts, nth)?);
        parts.push(HlsPart::Media { file: Layout::playlist_file(nth), packaging });
    }
    let mut renditions = Vec::new();
    let mut groups: Vec<&[usize]> = Vec::new();
    let mut variants = Vec::new();
    let captions = (!step.captions.is_empty()).then(|| CAPTIONS.to_owned());
    let millifps = millifps(rungs, info);
    for (nth, rung) in rungs.iter().enumerate() {
        let sounds = layout.of_rung[nth].as_slice();
        let is_listed = !sounds.is_empty() && !layout.is_joint && (rung.video.is_some() || sounds.len() > 1);
        let group = is_listed.then(|| {
            let known = groups.iter().position(|group| *group == sounds);
            known.unwrap_or_else(|| {
                groups.push(sounds);
                groups.len() - 1
            })
        });
        let geometry = info.main_video().and_then(|source| rung.geometry(source));
        let is_untold = layout.is_untold(nth);
        variants.push(Variant {
            part: nth,
            told_as: if is_untold { Layout::look_file(nth) } else { Layout::playlist_file(nth) },
            size: geometry.map(|geometry| geometry.frame),
            millifps,
            sound_codec: sounds.first().and_then(|sound| codec(&layout.sounds[*sound].audio)),
            sound: group.map(|group| format!("sound-{group}")),
            captions: captions.clone().filter(|_| geometry.is_some()),
        });
    }
    for (nth, group) in groups.iter().enumerate() {
        for (place, sound) in group.iter().enumerate() {
            renditions.extend(rendition(layout, *sound, nth, place));
        }
    }
    for (nth, text) in step.captions.iter().enumerate() {
        let part = parts.len();
        parts.push(captions_part(names, nth, part)?);
        renditions.push(captions_rendition(text, nth, part));
    }
    let is_by =
        |packer: Packer| layout.parts.iter().any(|part| part.packer == packer && part.video.is_some());
    let mut masters: Vec<String> = Vec::new();
    for (nth, part) in layout.parts.iter().enumerate() {
        if part.packer == Packer::Ffmpeg && part.video.is_some() {
            masters.push(Layout::master_file(nth));
        }
    }
    if (0..layout.parts.len()).any(|nth| layout.is_untold(nth)) {
        masters.push(packaging::LOOKS.to_owned());
    }
    if is_by(Packer::Packager) {
        masters.push(packaging::MASTER.to_owned());
    }
    Ok(Package::Hls(HlsPackage { key, parts, variants, renditions, masters }))
}

/// Frames in a thousand seconds of all pictures; 0 when unknown.
fn millifps(rungs: &[Rung], info: &MediaInfo) -> u64 {
    let known = info.main_video().map(|source| source.average_fps).filter(|rate| rate.is_known());
    let rate = ladder::fps(rungs).or(known);
    rate.map_or(0, |rate| (rate.value() * 1000.0).round() as u64)
}

fn rendition(layout: &Layout, sound: usize, group: usize, place: usize) -> Option<Rendition> {
    let part = layout.alone(sound)?;
    let told = &layout.sounds[sound];
    let name = match (told.name.as_str(), told.language.as_str()) {
        ("", "") => format!("Audio {}", place + 1),
        ("", language) => format!("{} {}", short(language), place + 1),
        (name, _) => name.to_owned(),
    };
    Some(Rendition {
        part,
        kind: RenditionKind::Sound,
        group: format!("sound-{group}"),
        name,
        language: Some(short(&told.language)).filter(|language| !language.is_empty()),
        is_default: place == 0,
        channels: told.channels,
    })
}

fn captions_rendition(text: &Added, nth: usize, part: usize) -> Rendition {
    let name = match (text.name.as_str(), text.language.as_str()) {
        ("", "") => format!("Subtitles {}", nth + 1),
        ("", language) => format!("{} {}", short(language), nth + 1),
        (name, _) => name.to_owned(),
    };
    Rendition {
        part,
        kind: RenditionKind::Captions,
        group: CAPTIONS.to_owned(),
        name,
        language: Some(short(&text.language)).filter(|language| !language.is_empty()),
        is_default: text.is_default,
        channels: 0,
    }
}

fn captions_part(names: &Names<'_>, nth: usize, number: usize) -> Result<HlsPart> {
    let step = names.step;
    let sub_stream = number.to_string();
    let values = Values {
        input_name: &step.source.name,
        input_format: &step.source.format,
        definition: step.definition,
        format: "vtt",
        number: "0",
        segment_number: "0",
        sub_stream_number: &sub_stream,
        task_id: names.task_id,
        ..Values::default()
    };
    let pattern = Pattern::parse(&step.naming.segment, names::SEGMENT_VARIABLES)?;
    Ok(HlsPart::Captions {
        file: captions_file(nth),
        key: pattern.key(&names.directory, &values)?,
        playlist_key: names.sub_stream(number, "m3u8")?,
        begins_90khz: if step.params.segments.is_mp4 { 0 } else { TS_BEGINS_S * 90_000 },
    })
}

fn packaging_of(names: &Names<'_>, layout: &Layout, cuts: &Cuts, nth: usize) -> Result<Packaging> {
    let step = names.step;
    let part = &layout.parts[nth];
    let segments = step.params.segments;
    let (extension, content_type) = match (part.extension, segments.is_range, part.video.is_some()) {
        ("ts", _, _) => ("ts", "video/mp2t"),
        ("mp4", true, true) => ("mp4", "video/mp4"),
        ("mp4", true, false) => ("mp4", "audio/mp4"),
        ("mp4", false, _) => ("m4s", "video/iso.segment"),
        ("ac3", _, _) => ("ac3", "audio/ac3"),
        ("ec3", _, _) => ("ec3", "audio/eac3"),
        (other, _, _) => (other, "audio/aac"),
    };
    // The packager cuts whole segments already unless their lengths differ.
    let is_whole = part.packer == Packer::Packager && packaging::piece_us(step, cuts) == cuts.segment_us;
    Ok(Packaging {
        playlist_key: names.sub_stream(nth, "m3u8")?,
        directory: names.directory.clone(),
        segment: step.naming.segment.clone(),
        number: NumberFormat::default(),
        extension: extension.to_owned(),
        content_type: content_type.to_owned(),
        is_single: segments.is_range,
        join_us: if is_whole { 0 } else { cuts.segment_us },
        first: step.params.hls().first,
        also_us: cuts.also_us.clone(),
        is_independent: true,
        input_name: step.source.name.clone(),
        input_format: step.source.format.clone(),
        definition: step.definition,
        task_id: names.task_id.to_owned(),
        sub_stream: nth.to_string(),
    })
}

/// How sound is coded, in the words of RFC 6381.
fn codec(audio: &Audio) -> Option<String> {
    let Audio::Encode(encode) = audio else { return None };
    let word = match encode.codec {
        AudioCodec::Aac => "mp4a.40.2",
        AudioCodec::Mp3 => "mp4a.40.34",
        AudioCodec::Ac3 => "ac-3",
        AudioCodec::Eac3 => "ec-3",
        AudioCodec::Flac => "fLaC",
        AudioCodec::Opus => "Opus",
        _ => return None,
    };
    Some(word.to_owned())
}
