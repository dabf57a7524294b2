//! What is heard: the sound of all elements, each as loud as it was asked for, added up.

use super::params::{Element, Item, Track};
use super::timeline::Laid;
use super::{Scene, sound_form};
use crate::edit::material::{Inputs, Stretch};
use crate::features::transcode::audio::Sound;
use crate::graph::seek::seconds;

/// Adds the chains from the inputs to the pad `[sound]`; `None` when nothing is to be heard.
pub(super) fn mix(scene: &Scene<'_>, inputs: &mut Inputs, graph: &mut Vec<String>) -> Option<Sound> {
    let sound = sound_form(scene.compose);
    let mut pads: Vec<String> = Vec::new();
    for (track, laid) in scene.compose.tracks.iter().zip(&scene.tracks) {
        let (Track::Video(items) | Track::Audio(items)) = track else { continue };
        for (nth, one) in laid.iter().enumerate() {
            let Some(Item::Media(element)) = items.get(one.item) else { continue };
            let fades = Fades { into: fade(one), out: laid.get(nth + 1).map_or(0, fade) };
            if let Some(chain) = voice(scene, element, one, fades, sound, inputs) {
                graph.push(format!("{chain}[s{}]", pads.len()));
                pads.push(format!("[s{}]", pads.len()));
            }
        }
    }
    if !scene.compose.has_audio || pads.is_empty() {
        return None;
    }
    let end = seconds(scene.length_us);
    let whole = format!("apad=whole_dur={end},atrim=end={end}[sound]");
    graph.push(match pads.as_slice() {
        [only] => format!("{only}{whole}"),
        all => format!("{}amix=inputs={}:duration=longest:normalize=0,{whole}", all.concat(), all.len()),
    });
    Some(sound)
}

/// How long the sound of an element fades, in microseconds.
#[derive(Clone, Copy)]
struct Fades {
    into: i64,
    out: i64,
}

/// How long the transition that leads to an element fades its sound.
fn fade(laid: &Laid) -> i64 {
    laid.joint.as_ref().filter(|joint| joint.fades_sound).map_or(0, |joint| joint.length_us)
}

fn voice(
    scene: &Scene<'_>,
    element: &Element,
    laid: &Laid,
    fades: Fades,
    sound: Sound,
    inputs: &mut Inputs,
) -> Option<String> {
    let info = &scene.infos[element.file];
    let is_silent = element.volume <= 0.0 || element.look.is_image || !scene.compose.has_audio;
    let source = info.main_audio().filter(|_| !is_silent)?;
    let (from, to) = scene.frames(laid);
    let (start_us, length_us) = (scene.grid.us(from), scene.grid.us(to) - scene.grid.us(from));
    if length_us <= 0 {
        return None;
    }
    let stretch = Stretch { file: element.file, start_us: laid.from_us, length_us: laid.has_us };
    let input = inputs.open(stretch, info);
    let mut steps = vec![inputs.sound(input, source, sound, (laid.has_us.min(length_us), length_us))];
    if (element.volume - 1.0).abs() > f64::EPSILON {
        steps.push(format!("volume={}", element.volume));
    }
    // Straight lines: together they are as loud as each alone where both carry the same.
    if fades.into > 0 {
        steps.push(format!("afade=t=in:st=0:d={}:curve=tri", seconds(fades.into)));
    }
    if fades.out > 0 {
        let (begins, lasts) = (seconds(length_us - fades.out), seconds(fades.out));
        steps.push(format!("afade=t=out:st={begins}:d={lasts}:curve=tri"));
    }
    if start_us > 0 {
        let samples = i128::from(start_us) * i128::from(sound.sample_rate_hz) / 1_000_000;
        steps.push(format!("adelay=delays={samples}S:all=1"));
    }
    Some(steps.join(","))
}
