//! Sound: how loud, how high, and whether it comes with the picture.

use std::path::Path;

use super::{name, run};

const RATE: usize = 48_000;

/// Samples of the sound, mixed to one channel at 48 kHz, silence put in where the timestamps leave a gap.
fn samples(path: &Path) -> Vec<f64> {
    let words = [
        "-v",
        "error",
        "-i",
        name(path),
        "-map",
        "0:a:0",
        "-af",
        "aresample=48000:async=1:first_pts=0",
        "-ac",
        "1",
        "-f",
        "s16le",
        "-",
    ];
    run("ffmpeg", &words)
        .chunks_exact(2)
        .map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
        .collect()
}

/// Mean loudness in decibels below full scale; −100 for silence.
pub fn loudness_db(path: &Path) -> f64 {
    let samples = samples(path);
    let power = samples.iter().map(|s| s * s).sum::<f64>() / samples.len().max(1) as f64;
    if power > 1e-10 { 10.0 * power.log10() } else { -100.0 }
}

/// The height of a plain tone in hertz, by counting how often it crosses zero.
pub fn tone_hz(path: &Path) -> f64 {
    let samples = samples(path);
    let cut = samples.len() / 10;
    let middle = &samples[cut..samples.len() - cut];
    let crossings = middle.windows(2).filter(|pair| (pair[0] < 0.0) != (pair[1] < 0.0)).count();
    crossings as f64 / 2.0 / (middle.len() as f64 / RATE as f64)
}

/// How loud one tone is in a channel between two times, in decibels below a full sine; −120 for silence.
pub fn tone_db(path: &Path, channel: usize, hertz: f64, (from_s, to_s): (f64, f64)) -> f64 {
    let pan = format!("aresample={RATE}:async=1:first_pts=0,pan=mono|c0=c{channel}");
    let words = ["-v", "error", "-i", name(path), "-map", "0:a:0", "-af", &pan, "-f", "f32le", "-"];
    let all: Vec<f64> = run("ffmpeg", &words)
        .chunks_exact(4)
        .map(|four| f64::from(f32::from_le_bytes([four[0], four[1], four[2], four[3]])))
        .collect();
    let at = |seconds: f64| ((seconds * RATE as f64) as usize).min(all.len());
    let stretch = &all[at(from_s)..at(to_s)];
    let (mut real, mut imaginary) = (0.0, 0.0);
    for (nth, sample) in stretch.iter().enumerate() {
        let turn = 2.0 * std::f64::consts::PI * hertz * nth as f64 / RATE as f64;
        (real, imaginary) = (real + sample * turn.cos(), imaginary + sample * turn.sin());
    }
    let size = 2.0 * f64::hypot(real, imaginary) / stretch.len().max(1) as f64;
    if size > 1e-6 { 20.0 * size.log10() } else { -120.0 }
}

/// Writes one stream of sound, named as ffmpeg does (`0:a:1`), into a file of its own.
pub fn extract(path: &Path, stream: &str, to: &Path) {
    run("ffmpeg", &["-v", "error", "-y", "-i", name(path), "-map", stream, name(to)]);
}

/// Flashes and beeps of a test film.
#[derive(Debug, Clone, PartialEq)]
pub struct Sync {
    /// When the picture turned white, in seconds.
    pub flashes_s: Vec<f64>,
    /// When the sound set in, in seconds.
    pub beeps_s: Vec<f64>,
}

impl Sync {
    /// How long after its flash each beep comes, in milliseconds; as many as there are pairs.
    pub fn lags_ms(&self) -> Vec<f64> {
        self.flashes_s.iter().zip(&self.beeps_s).map(|(flash, beep)| (beep - flash) * 1_000.0).collect()
    }
}

/// Finds the flashes and beeps of [`crate::made::flashes_and_beeps`] in any encoding of it.
pub fn sync(path: &Path) -> Sync {
    let times = super::frame_times(path, "v:0");
    let start_s = super::probe::start_s(path);
    let words = [
        "-v",
        "error",
        "-i",
        name(path),
        "-map",
        "0:v:0",
        "-fps_mode",
        "passthrough",
        "-vf",
        "scale=1:1:flags=area,format=gray",
        "-f",
        "rawvideo",
        "-",
    ];
    let light = run("ffmpeg", &words);
    let mut flashes_s = Vec::new();
    let mut before = 0;
    for (value, at_s) in light.iter().zip(&times) {
        if *value > 128 && before <= 128 {
            flashes_s.push(*at_s - start_s);
        }
        before = *value;
    }
    Sync { flashes_s, beeps_s: onsets(&samples(path)) }
}

/// Where loud sound begins after at least 0.2 s of quiet.
fn onsets(samples: &[f64]) -> Vec<f64> {
    let mut found = Vec::new();
    let mut quiet = RATE;
    for (at, sample) in samples.iter().enumerate() {
        if sample.abs() > 0.1 {
            if quiet > RATE / 5 {
                found.push(at as f64 / RATE as f64);
            }
            quiet = 0;
        } else {
            quiet += 1;
        }
    }
    found
}
