//! Words of the command line that code pictures: encoder, rate control, key frames, profile, colour.

use mps_core::media_info::{MediaInfo, Ratio, VideoStream};

use super::keyframes::{self, Grid};
use super::params::{Params, Profile, Rate, VideoEncode};
use super::words::VideoCodec;
use crate::graph::picture::{self, Geometry};

/// What the encoder of a codec needs to know beyond the template.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The whole request.
    pub params: &'a Params,
    /// The source's pictures.
    pub source: &'a VideoStream,
    /// The whole source.
    pub info: &'a MediaInfo,
    /// Frames a second of the output; `None` when the source's timing is kept.
    pub fps: Option<Ratio>,
    /// Sizes.
    pub geometry: Geometry,
    /// Length of the output in microseconds; 0 when unknown.
    pub length_us: i64,
    /// The key frames, where others share them; else they follow from the template.
    pub grid: Option<&'a Grid>,
}

/// Outputs shorter than this end before one pass alone has found its rate.
const SHORT_US: i64 = 30_000_000;

impl Scene<'_> {
    fn is_short(&self) -> bool {
        self.length_us < SHORT_US
    }
}

/// The words for the encoder.
pub fn words(video: &VideoEncode, scene: Scene<'_>) -> Vec<String> {
    let target = target_bps(video, scene);
    let mut out: Vec<String> = vec!["-c:v".to_owned(), video.codec.encoder().unwrap_or_default().to_owned()];
    let mut own = Own::default();
    match video.codec {
        VideoCodec::H264 => x264(video, target, scene, &mut out, &mut own),
        VideoCodec::H265 => x265(video, target, scene, &mut out, &mut own),
        VideoCodec::Av1 => svt_av1(video, target, &mut out, &mut own),
        VideoCodec::Vp8 | VideoCodec::Vp9 => vpx(video, target, scene, &mut out),
        VideoCodec::H266 => vvenc(video, target, &mut out),
        VideoCodec::Mpeg2 => mpeg2(video, target, &mut out),
        VideoCodec::Dnxhd => dnxhd(video, &mut out),
        VideoCodec::MvHevc => {}
    }
    keyframes::words(video, scene, &mut out, &mut own);
    if let Some((flag, list)) = own.flag() {
        out.extend([flag.to_owned(), list]);
    }
    colors(video, scene.source, &mut out);
    out
}

/// An encoder's own list of settings, `a=1:b=2`.
#[derive(Debug, Default)]
pub struct Own {
    flag: &'static str,
    list: Vec<String>,
}

impl Own {
    /// Adds a setting for the encoder's flag, such as `-x265-params`.
    pub fn push(&mut self, flag: &'static str, setting: impl Into<String>) {
        self.flag = flag;
        self.list.push(setting.into());
    }

    fn flag(&self) -> Option<(&'static str, String)> {
        (!self.list.is_empty()).then(|| (self.flag, self.list.join(":")))
    }
}

fn add(out: &mut Vec<String>, words: &[&str]) {
    out.extend(words.iter().map(|word| (*word).to_owned()));
}

fn rate(out: &mut Vec<String>, flag: &str, bps: u64) {
    out.extend([flag.to_owned(), bps.to_string()]);
}

/// The least rate that a rule of ours leaves.
const LEAST_BPS: u64 = 128_000;

/// Bits a second to aim at; 0 leaves it to the quality alone.
pub fn target_bps(video: &VideoEncode, scene: Scene<'_>) -> u64 {
    let source = source_bps(scene.info, scene.source);
    if let Some(percent) = video.compress_percent
        && source > 0
    {
        let wanted = source * u64::from(100 - percent.min(100)) / 100;
        let wanted = if video.bitrate_bps > 0 { wanted.min(video.bitrate_bps) } else { wanted };
        return wanted.max(LEAST_BPS);
    }
    if video.bitrate_bps > 0 {
        return video.bitrate_bps;
    }
    if source == 0 {
        return 0;
    }
    // "As the source" holds for the source's size; fewer pixels need fewer bits.
    let pixels = |(w, h): (u32, u32)| f64::from(w) * f64::from(h);
    let share =
        pixels(scene.geometry.frame) / pixels((scene.source.width.max(1), scene.source.height.max(1)));
    let scaled = source as f64 * share.min(1.0).powf(0.75);
    (scaled as u64).clamp(LEAST_BPS, 100_000_000)
}

/// The bit rate of the source's pictures: as told, else what the rest of the file leaves.
pub fn source_bps(info: &MediaInfo, source: &VideoStream) -> u64 {
    if source.bit_rate_bps > 0 {
        return source.bit_rate_bps;
    }
    let whole = match info.bit_rate_bps {
        0 if info.duration_us > 0 => (info.size_bytes as f64 * 8.0 / (info.duration_us as f64 / 1e6)) as u64,
        known => known,
    };
    let others: u64 = info.audio.iter().map(|a| a.bit_rate_bps).sum();
    whole.saturating_sub(others)
}

/// Quality used when neither a rate nor a quality is given.
const USUAL_CRF: u8 = 23;

fn x264(video: &VideoEncode, target: u64, scene: Scene<'_>, out: &mut Vec<String>, own: &mut Own) {
    add(out, &["-preset", "fast"]);
    if let Some(profile) = video.profile {
        let name = match (profile, video.bit_depth) {
            (Profile::Baseline, _) => "baseline",
            (Profile::Main, _) => "main",
            (Profile::High, 10) => "high10",
            (Profile::High, _) => "high",
        };
        add(out, &["-profile:v", name]);
    }
    if let Some(level) = &video.level {
        add(out, &["-level:v", level]);
    }
    if let Some(count) = video.b_frames.filter(|_| video.profile != Some(Profile::Baseline)) {
        add(out, &["-bf", &count.to_string()]);
    }
    if usual_rate(video, target, scene, out) {
        own.push("-x264-params", "nal-hrd=cbr");
    }
}

/// Rate control in the words that x264 and x265 share; tells whether it is constant.
fn usual_rate(video: &VideoEncode, target: u64, scene: Scene<'_>, out: &mut Vec<String>) -> bool {
    // A hard start is spent at the peak rate, which a short film has no time to save again.
    let is_tight = scene.is_short();
    let crf = video.crf.unwrap_or(USUAL_CRF).to_string();
    let peak = if is_tight { target / 20 * 21 } else { target / 4 * 5 };
    match video.rate {
        Rate::Crf => add(out, &["-crf", &crf]),
        _ if target == 0 => add(out, &["-crf", &crf]),
        Rate::Abr => {
            rate(out, "-b:v", target);
            rate(out, "-maxrate", peak);
            rate(out, "-bufsize", if is_tight { target } else { peak });
        }
        Rate::Cbr => {
            for flag in ["-b:v", "-minrate", "-maxrate", "-bufsize"] {
                rate(out, flag, target);
            }
            return true;
        }
        Rate::Vbr if video.crf.is_some() => {
            add(out, &["-crf", &crf]);
            rate(out, "-maxrate", target);
            rate(out, "-bufsize", target * 2);
        }
        Rate::Vbr => {
            rate(out, "-b:v", target);
            rate(out, "-maxrate", peak);
            rate(out, "-bufsize", if is_tight { target } else { target * 2 });
        }
    }
    false
}

fn x265(video: &VideoEncode, target: u64, scene: Scene<'_>, out: &mut Vec<String>, own: &mut Own) {
    const FLAG: &str = "-x265-params";
    add(out, &["-preset", "fast"]);
    own.push(FLAG, "log-level=error");
    if let Some(level) = &video.level {
        own.push(FLAG, format!("level-idc={level}"));
    }
    if let Some(count) = video.b_frames {
        own.push(FLAG, format!("bframes={count}"));
    }
    if usual_rate(video, target, scene, out) {
        own.push(FLAG, "strict-cbr=1");
    }
    if video.bit_depth == 10 && picture::is_wide(scene.source) {
        own.push(FLAG, "hdr-opt=1");
        own.push(FLAG, "repeat-headers=1");
        let color = &scene.source.color;
        if !color.mastering_display.is_empty() {
            own.push(FLAG, format!("master-display={}", color.mastering_display));
        }
        if !color.content_light.is_empty() {
            own.push(FLAG, format!("max-cll={}", color.content_light));
        }
    }
}

/// The scale 0–51 stretched to an encoder that counts to `most`.
fn stretched(video: &VideoEncode, usual: u8, most: u32) -> String {
    video.crf.map_or(u32::from(usual), |crf| u32::from(crf) * most / 51).to_string()
}

fn svt_av1(video: &VideoEncode, target: u64, out: &mut Vec<String>, own: &mut Own) {
    const FLAG: &str = "-svtav1-params";
    add(out, &["-preset", "8"]);
    let crf = stretched(video, 32, 63);
    match video.rate {
        Rate::Crf => add(out, &["-crf", &crf]),
        _ if target == 0 => add(out, &["-crf", &crf]),
        Rate::Vbr if video.crf.is_some() => {
            add(out, &["-crf", &crf]);
            own.push(FLAG, format!("mbr={}", target / 1000));
        }
        Rate::Cbr => {
            for flag in ["-b:v", "-maxrate", "-bufsize"] {
                rate(out, flag, target);
            }
            own.push(FLAG, "rc=2");
            own.push(FLAG, "pred-struct=1");
        }
        Rate::Vbr | Rate::Abr => {
            rate(out, "-b:v", target);
            own.push(FLAG, "rc=1");
            own.push(FLAG, "undershoot-pct=5");
            own.push(FLAG, "overshoot-pct=10");
        }
    }
}

fn vpx(video: &VideoEncode, target: u64, scene: Scene<'_>, out: &mut Vec<String>) {
    let speed = if video.codec == VideoCodec::Vp9 { "4" } else { "3" };
    add(out, &["-deadline", "good", "-cpu-used", speed, "-auto-alt-ref", "1", "-lag-in-frames", "16"]);
    if video.codec == VideoCodec::Vp9 {
        add(out, &["-row-mt", "1", "-tile-columns", "1"]);
    }
    let crf = stretched(video, 31, 63);
    match video.rate {
        // Without a rate libvpx falls back to 200 kb/s unless told that quality rules.
        _ if target == 0 || video.rate == Rate::Crf => {
            let free = if video.codec == VideoCodec::Vp9 { "0" } else { "100000000" };
            add(out, &["-crf", &crf.parse::<u32>().unwrap_or(31).max(4).to_string(), "-b:v", free]);
        }
        Rate::Vbr if video.crf.is_some() => {
            add(out, &["-crf", &crf]);
            rate(out, "-b:v", target);
        }
        Rate::Cbr => {
            for flag in ["-b:v", "-minrate", "-maxrate", "-bufsize"] {
                rate(out, flag, target);
            }
        }
        // Free to choose, VP9 misses the rate of a short film by up to a half.
        _ if video.codec == VideoCodec::Vp9 && scene.is_short() => {
            for flag in ["-b:v", "-minrate", "-maxrate"] {
                rate(out, flag, target);
            }
            rate(out, "-bufsize", target * 2);
        }
        _ => rate(out, "-b:v", target),
    }
}

fn vvenc(video: &VideoEncode, target: u64, out: &mut Vec<String>) {
    add(out, &["-preset", "faster"]);
    if video.rate == Rate::Crf || target == 0 {
        add(out, &["-qp", &stretched(video, 32, 63)]);
    } else {
        // The encoder knows no peaks: constant and average are one.
        rate(out, "-b:v", target);
    }
}

fn mpeg2(video: &VideoEncode, target: u64, out: &mut Vec<String>) {
    add(out, &["-bf", "2"]);
    if video.rate == Rate::Crf || target == 0 {
        let scale = video.crf.map_or(4, |crf| (u32::from(crf) * 31 / 51).max(1));
        add(out, &["-q:v", &scale.to_string()]);
        return;
    }
    rate(out, "-b:v", target);
    match video.rate {
        Rate::Abr => {}
        Rate::Cbr => {
            rate(out, "-minrate", target);
            rate(out, "-maxrate", target);
            rate(out, "-bufsize", target);
        }
        _ => {
            rate(out, "-maxrate", target * 2);
            rate(out, "-bufsize", target * 2);
        }
    }
}

/// The resolution-independent profiles take any size and rate; their bit rate follows from the size.
fn dnxhd(video: &VideoEncode, out: &mut Vec<String>) {
    let profile = if video.bit_depth == 10 { "dnxhr_hqx" } else { "dnxhr_sq" };
    add(out, &["-profile:v", profile]);
}

/// Tags that the frames themselves do not bring along.
fn colors(video: &VideoEncode, source: &VideoStream, out: &mut Vec<String>) {
    if video.bit_depth == 10 && picture::is_wide(source) {
        let transfer = if source.color.transfer == "arib-std-b67" { "arib-std-b67" } else { "smpte2084" };
        add(
            out,
            &[
                "-color_primaries",
                "bt2020",
                "-color_trc",
                transfer,
                "-colorspace",
                "bt2020nc",
                "-color_range",
                "tv",
            ],
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::transcode::testing::{encode, film, info, params};

    fn target(video: &VideoEncode, info: &MediaInfo) -> u64 {
        let params = params();
        let source = &info.video[0];
        let geometry = picture::geometry(video.picture(), source);
        target_bps(
            video,
            Scene { params: &params, source, info, fps: None, geometry, length_us: 0, grid: None },
        )
    }

    #[test]
    fn an_open_rate_follows_the_source_and_the_size() {
        let mut medium = info(film(1920, 1080));
        medium.video[0].bit_rate_bps = 8_000_000;
        let open = VideoEncode { bitrate_bps: 0, ..encode() };
        assert_eq!(target(&open, &medium), 8_000_000);
        let small = target(&VideoEncode { height: 540, ..open.clone() }, &medium);
        assert!((2_000_000..4_000_000).contains(&small), "{small}");
        assert_eq!(target(&VideoEncode { bitrate_bps: 500_000, ..open.clone() }, &medium), 500_000);
        let less = VideoEncode { compress_percent: Some(30), ..open.clone() };
        assert_eq!(target(&less, &medium), 5_600_000);
        medium.video[0].bit_rate_bps = 0;
        medium.bit_rate_bps = 0;
        medium.size_bytes = 0;
        assert_eq!(target(&open, &medium), 0);
    }

    #[test]
    fn the_rate_of_a_stream_without_one_is_what_the_others_leave() {
        let mut medium = info(film(640, 360));
        medium.video[0].bit_rate_bps = 0;
        medium.bit_rate_bps = 1_000_000;
        medium.audio[0].bit_rate_bps = 128_000;
        assert_eq!(source_bps(&medium, &medium.video[0]), 872_000);
    }
}
