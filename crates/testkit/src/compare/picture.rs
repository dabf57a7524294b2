//! Pictures: likeness of two films, and what a patch of a frame looks like.

use std::path::Path;

use super::{name, run, try_run};

/// Likeness of two films, 0 to 1, frame by frame at the size of the first; both must have the same times.
pub fn ssim(path: &Path, reference: &Path) -> f64 {
    likeness(path, reference, "ssim", "All:")
}

/// Peak signal to noise of two films in decibels, as [`ssim`]; 100 for films that are the same.
pub fn psnr(path: &Path, reference: &Path) -> f64 {
    likeness(path, reference, "psnr", "average:").min(100.0)
}

fn likeness(path: &Path, reference: &Path, filter: &str, word: &str) -> f64 {
    let graph = format!("[1:v][0:v]scale=rw:rh[r];[0:v][r]{filter}");
    let words =
        ["-hide_banner", "-i", name(path), "-i", name(reference), "-lavfi", &graph, "-f", "null", "-"];
    let done = try_run("ffmpeg", &words);
    let said = String::from_utf8_lossy(&done.stderr);
    let line =
        said.lines().rev().find(|line| line.contains(word)).unwrap_or_else(|| panic!("{filter}: {said}"));
    let value = line.split(word).nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
    if value == "inf" { f64::INFINITY } else { value.parse().unwrap_or_else(|_| panic!("{filter}: {line}")) }
}

/// A rectangle of one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patch {
    /// Mean of red, green and blue, 0 to 255.
    pub mean: [f64; 3],
    /// Standard deviation of the brightness: near 0 for a plain patch.
    pub spread: f64,
}

impl Patch {
    /// Whether it is plain and about this colour.
    pub fn is_plain(&self, colour: [f64; 3]) -> bool {
        self.spread < 6.0 && self.mean.iter().zip(colour).all(|(seen, wanted)| (seen - wanted).abs() < 14.0)
    }
}

/// Looks at `width`×`height` pixels from (`x`, `y`) of the frame at `at_s` seconds.
pub fn patch(path: &Path, at_s: f64, (x, y, width, height): (i64, i64, i64, i64)) -> Patch {
    let (at, crop) = (at_s.to_string(), format!("crop={width}:{height}:{x}:{y}:exact=1,format=rgb24"));
    let mut words = vec!["-v", "error"];
    // A JPEG cannot even be entered at its beginning.
    if at_s > 0.0 {
        words.extend(["-ss", &at]);
    }
    words.extend(["-i", name(path), "-frames:v", "1", "-vf", &crop, "-f", "rawvideo", "-"]);
    let bytes = run("ffmpeg", &words);
    assert!(!bytes.is_empty(), "{} has no frame at {at_s} s", path.display());
    let count = (bytes.len() / 3) as f64;
    let mut mean = [0.0; 3];
    let (mut sum, mut squares) = (0.0, 0.0);
    for pixel in bytes.chunks_exact(3) {
        let mut light = 0.0;
        for (mean, value) in mean.iter_mut().zip(pixel) {
            *mean += f64::from(*value) / count;
            light += f64::from(*value) / 3.0;
        }
        sum += light;
        squares += light * light;
    }
    let spread = (squares / count - (sum / count).powi(2)).max(0.0).sqrt();
    Patch { mean, spread }
}

/// The whole frame at `at_s` seconds: width, height, and red, green and blue of each pixel.
pub fn frame(path: &Path, at_s: f64) -> (usize, usize, Vec<u8>) {
    let (at, (width, height)) = (at_s.to_string(), super::probe(path).size());
    let words = [
        "-v",
        "error",
        "-ss",
        &at,
        "-i",
        name(path),
        "-frames:v",
        "1",
        "-pix_fmt",
        "rgb24",
        "-f",
        "rawvideo",
        "-",
    ];
    let bytes = run("ffmpeg", &words);
    let (width, height) = (width as usize, height as usize);
    assert_eq!(bytes.len(), width * height * 3, "{} at {at_s} s", path.display());
    (width, height, bytes)
}

/// Brightness of the middle of each frame, in the steps of limited range: 16 is black, 235 white.
pub fn lights(path: &Path) -> Vec<f64> {
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
        "crop=32:32,scale=1:1:flags=area,format=gray",
        "-f",
        "rawvideo",
        "-",
    ];
    run("ffmpeg", &words).into_iter().map(|light| f64::from(light) * 219.0 / 255.0 + 16.0).collect()
}

/// Whether most frames show the combs of two fields.
pub fn is_interlaced(path: &Path) -> bool {
    let words = ["-hide_banner", "-i", name(path), "-vf", "idet", "-f", "null", "-"];
    let done = try_run("ffmpeg", &words);
    let said = String::from_utf8_lossy(&done.stderr);
    let line = said.lines().rev().find(|line| line.contains("Multi frame detection")).unwrap_or_default();
    let count = |word: &str| -> f64 {
        line.split(word)
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
            .unwrap_or_default()
    };
    count("TFF:") + count("BFF:") > count("Progressive:")
}
