//! Where key frames lie. Groups are closed; scene changes add key frames only when asked.
//!
//! Distances in frames go to the encoder as they are. Distances in time are forced by each frame's own time, so
//! that they hold for uneven frame rates too, and the encoder's own limit is set beyond them.

use mps_core::media_info::Ratio;

use super::params::{Gop, Hls, VideoEncode};
use super::video::{Own, Scene};
use super::words::{Container, VideoCodec};
use crate::hls::FirstSegments;

/// Distance in seconds where the template leaves it open.
const USUAL_S: f64 = 2.0;
/// The same between the cuts of a playlist, at most: it is made to divide the segment.
const MOST_IN_SEGMENT_S: f64 = 2.5;

/// A distance in frames that no group comes to.
const NEVER_FRAMES: u64 = 10_000_000;

/// Adds the words for the encoder.
pub fn words(video: &VideoEncode, scene: Scene<'_>, out: &mut Vec<String>, own: &mut Own) {
    let hls = (scene.params.container == Container::Hls).then_some(scene.params.hls);
    let plan = match scene.grid {
        Some(grid) => shared(grid, rate_bound(scene)),
        None => plan(video, hls, rate_bound(scene)),
    };
    let mut add = |flag: &str, value: String| out.extend([flag.to_owned(), value]);
    let is_plain = !video.scene_cut;
    let most_frames = match video.codec {
        VideoCodec::Mpeg2 if plan.is_fixed => plan.most_frames * 2,
        // Scene changes are left alone only where no distance but one is allowed, here one that is never reached.
        VideoCodec::Vp8 if is_plain && plan.forced.is_some() && !plan.is_fixed => NEVER_FRAMES,
        _ => plan.most_frames,
    };
    add("-g", most_frames.to_string());
    match video.codec {
        VideoCodec::H264 => {
            add("-sc_threshold", if video.scene_cut { "40" } else { "0" }.to_owned());
            if plan.is_fixed && !video.scene_cut {
                add("-keyint_min", plan.most_frames.to_string());
            }
            add("-flags", "+cgop".to_owned());
            add("-forced-idr", "1".to_owned());
        }
        VideoCodec::H265 => {
            own.push("-x265-params", "open-gop=0");
            own.push("-x265-params", format!("scenecut={}", if video.scene_cut { 40 } else { 0 }));
            if plan.is_fixed && !video.scene_cut {
                add("-keyint_min", plan.most_frames.to_string());
            }
            add("-forced-idr", "1".to_owned());
        }
        VideoCodec::Av1 => own.push("-svtav1-params", format!("scd={}", u8::from(video.scene_cut))),
        VideoCodec::Vp8 | VideoCodec::Vp9 => {
            if is_plain && (plan.is_fixed || most_frames == NEVER_FRAMES) {
                add("-keyint_min", most_frames.to_string());
            }
        }
        VideoCodec::Mpeg2 => {
            add("-sc_threshold", if video.scene_cut { "40" } else { "1000000000" }.to_owned());
            add("-flags", "+cgop".to_owned());
            if plan.is_fixed {
                // A closed group with B-frames ends one frame early unless its end is forced.
                add("-force_key_frames", format!("expr:not(mod(n,{}))", plan.most_frames));
            }
        }
        VideoCodec::H266 => {
            // This encoder hears no forced key frames; time becomes frames of the output's fixed rate.
            let frames = if plan.is_fixed { plan.most_frames } else { plan.step_frames };
            own.push("-vvenc-params", "decodingrefreshtype=idr_no_radl");
            own.push("-vvenc-params", format!("intraperiod={frames}"));
        }
        VideoCodec::Dnxhd | VideoCodec::MvHevc => {}
    }
    if let Some(expression) = plan.forced
        && !matches!(video.codec, VideoCodec::Dnxhd | VideoCodec::H266)
    {
        add("-force_key_frames", format!("expr:{expression}"));
    }
}

/// What is told to ffmpeg.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    /// No group is longer.
    most_frames: u64,
    /// `most_frames` is the template's own wish.
    is_fixed: bool,
    /// The usual distance in frames, rounded, where it is a time.
    step_frames: u64,
    /// When a frame must be a key frame.
    forced: Option<String>,
}

/// A rate that no stretch of the output goes beyond, in frames a second.
fn rate_bound(scene: Scene<'_>) -> f64 {
    let source = scene.source.base_fps.value().max(scene.source.average_fps.value());
    let rate = scene.fps.map_or(source, Ratio::value);
    if rate > 0.0 { rate.min(1000.0) } else { 60.0 }
}

fn plan(video: &VideoEncode, hls: Option<Hls>, rate: f64) -> Plan {
    let beyond = |seconds: f64| ((seconds * rate * 1.5).ceil() as u64 + 1).max(2);
    let (frames, seconds) = match video.gop {
        Gop::Frames(frames) => (Some(u64::from(frames)), None),
        Gop::Seconds(seconds) => (None, Some(f64::from(seconds))),
        Gop::Auto => (None, None),
    };
    let forced = match hls {
        Some(hls) if frames.is_none() => Some(at_segments(hls, seconds)),
        Some(hls) if hls.first.is_some() => Some(at_segments(hls, Some(f64::INFINITY))),
        _ => seconds.or(frames.is_none().then_some(USUAL_S)).map(|step| every(step, video.keeps_timestamps)),
    };
    let longest = seconds.unwrap_or(USUAL_S).max(hls.map_or(0.0, |h| f64::from(h.segment_seconds())));
    let step =
        seconds.unwrap_or_else(|| hls.map_or(USUAL_S, |hls| inner(f64::from(hls.segment_seconds()), None)));
    Plan {
        most_frames: frames.unwrap_or_else(|| beyond(longest)),
        is_fixed: frames.is_some(),
        step_frames: ((step * rate).round() as u64).max(1),
        forced,
    }
}

/// Key frames that several encodings share.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// When a frame must be a key frame, as ffmpeg computes it.
    pub expression: String,
    /// The usual distance in seconds.
    pub distance_s: f64,
    /// No distance is longer, in seconds.
    pub longest_s: f64,
}

fn shared(grid: &Grid, rate: f64) -> Plan {
    Plan {
        most_frames: ((grid.longest_s * rate * 1.5).ceil() as u64 + 1).max(2),
        is_fixed: false,
        step_frames: ((grid.distance_s * rate).round() as u64).max(1),
        forced: Some(grid.expression.clone()),
    }
}

/// Key frames each so many seconds.
pub fn every(seconds: f64, keeps_timestamps: bool) -> String {
    if keeps_timestamps {
        // Kept timestamps may begin anywhere, so the count of key frames says nothing about the time.
        return format!("if(isnan(prev_forced_t),1,gte(t,prev_forced_t+{}))", number(seconds));
    }
    format!("gte(t,n_forced*{})", number(seconds))
}

/// Key frames at every cut of the playlist and, in between, evenly at most `step` seconds apart
/// (the usual distance where it is open).
fn at_segments(hls: Hls, step: Option<f64>) -> String {
    let usual = f64::from(hls.segment_seconds());
    if let (Some(step), None) = (step, hls.first)
        && step.is_finite()
    {
        // The template's own distance rules; segments end at the next key frame.
        return every(step, false);
    }
    let later = inner(usual, step);
    match hls.first {
        None => every(later, false),
        Some(first) => at_first(usual, first, step),
    }
}

/// Key frames at every cut of a playlist that begins with short segments, and in between evenly at most `step`
/// seconds apart.
pub fn at_first(usual_s: f64, first: FirstSegments, step: Option<f64>) -> String {
    let short_s = first.us as f64 / 1e6;
    let early = inner(short_s, step);
    let count = (short_s / early).round() * f64::from(first.count);
    let end = short_s * f64::from(first.count);
    format!(
        "gte(t,if(lt(n_forced,{count}),n_forced*{},{}+(n_forced-{count})*{}))",
        number(early),
        number(end),
        number(inner(usual_s, step))
    )
}

/// A distance that divides `length`, at most `step` where that is given; an infinite one is the whole length.
pub fn inner(length: f64, step: Option<f64>) -> f64 {
    match step {
        Some(most) if most.is_finite() => length / (length / most).ceil().max(1.0),
        Some(_) => length,
        None if (length / USUAL_S).fract() == 0.0 => USUAL_S,
        None => length / (length / MOST_IN_SEGMENT_S).ceil().max(1.0),
    }
}

/// Without needless zeros, and never in exponent form.
fn number(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::transcode::testing::encode;

    fn of(gop: Gop, hls: Option<Hls>) -> Plan {
        plan(&VideoEncode { gop, ..encode() }, hls, 25.0)
    }

    #[test]
    fn frames_go_to_the_encoder_and_seconds_to_the_clock() {
        let counted = of(Gop::Frames(50), None);
        assert_eq!((counted.most_frames, counted.is_fixed, counted.forced), (50, true, None));
        let timed = of(Gop::Seconds(2), None);
        assert_eq!(timed.forced.as_deref(), Some("gte(t,n_forced*2)"));
        assert!(timed.most_frames > 50);
        assert_eq!(of(Gop::Auto, None).forced.as_deref(), Some("gte(t,n_forced*2)"));
    }

    #[test]
    fn open_distances_divide_the_segments() {
        let forced = |seconds| of(Gop::Auto, Some(Hls { seconds, ..Hls::default() })).forced.unwrap();
        assert_eq!(forced(0), "gte(t,n_forced*2)");
        assert_eq!(forced(5), "gte(t,n_forced*2.5)");
        assert_eq!(forced(6), "gte(t,n_forced*2)");
        assert_eq!(forced(1), "gte(t,n_forced*1)");
        assert_eq!(forced(7), "gte(t,n_forced*2.333333)");
    }

    #[test]
    fn short_first_segments_have_key_frames_at_their_ends() {
        let first = Some(FirstSegments { us: 1_000_000, count: 3 });
        let hls = Hls { seconds: 5, first, ..Hls::default() };
        assert_eq!(
            of(Gop::Auto, Some(hls)).forced.unwrap(),
            "gte(t,if(lt(n_forced,3),n_forced*1,3+(n_forced-3)*2.5))"
        );
        assert_eq!(
            of(Gop::Frames(50), Some(hls)).forced.unwrap(),
            "gte(t,if(lt(n_forced,3),n_forced*1,3+(n_forced-3)*5))"
        );
    }
}
