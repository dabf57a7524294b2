//! What ffprobe says of a file.

use std::path::Path;

use serde_json::Value;

use super::{name, run, try_run};

/// What a file holds.
#[derive(Debug, Clone)]
pub struct Probe(Value);

/// Looks into a file.
pub fn probe(path: &Path) -> Probe {
    let words = ["-v", "error", "-print_format", "json", "-show_format", "-show_streams", name(path)];
    Probe(serde_json::from_slice(&run("ffprobe", &words)).expect("ffprobe prints JSON"))
}

impl Probe {
    /// `format` as ffprobe has it.
    pub fn format(&self) -> &Value {
        &self.0["format"]
    }

    /// All streams of a type.
    pub fn streams(&self, kind: &str) -> Vec<&Value> {
        let all = self.0["streams"].as_array().map(Vec::as_slice).unwrap_or_default();
        all.iter().filter(|stream| stream["codec_type"] == kind).collect()
    }

    /// The first video stream.
    pub fn video(&self) -> &Value {
        self.streams("video").first().copied().unwrap_or_else(|| panic!("no video in {:#}", self.0))
    }

    /// The first audio stream.
    pub fn audio(&self) -> &Value {
        self.streams("audio").first().copied().unwrap_or_else(|| panic!("no audio in {:#}", self.0))
    }

    /// Whether there is any stream of this type.
    pub fn has(&self, kind: &str) -> bool {
        !self.streams(kind).is_empty()
    }

    /// Width and height of the stored picture.
    pub fn size(&self) -> (i64, i64) {
        let side = |name: &str| self.video()[name].as_i64().unwrap_or_default();
        (side("width"), side("height"))
    }

    /// `codec_name` of the video.
    pub fn video_codec(&self) -> &str {
        self.video()["codec_name"].as_str().unwrap_or_default()
    }

    /// `codec_name` of the audio.
    pub fn audio_codec(&self) -> &str {
        self.audio()["codec_name"].as_str().unwrap_or_default()
    }

    /// Length of the whole in seconds.
    pub fn duration_s(&self) -> f64 {
        number(&self.format()["duration"])
    }

    /// Bits per second of the whole.
    pub fn bitrate(&self) -> f64 {
        number(&self.format()["bit_rate"])
    }

    /// Bytes of the file.
    pub fn size_bytes(&self) -> u64 {
        number(&self.format()["size"]) as u64
    }
}

/// A number that ffprobe prints as text; 0 when there is none.
fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

/// Decodes all of a file, stopping at the first fault; what the tool complained about.
pub fn decode(path: &Path) -> Result<(), String> {
    let words = ["-v", "error", "-xerror", "-allowed_extensions", "ALL", "-i", name(path), "-f", "null", "-"];
    let words: Vec<&str> = if path.extension().is_some_and(|e| e == "m3u8") {
        words.to_vec()
    } else {
        words.iter().copied().filter(|word| !["-allowed_extensions", "ALL"].contains(word)).collect()
    };
    let done = try_run("ffmpeg", &words);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    if done.status.success() && said.trim().is_empty() {
        Ok(())
    } else {
        Err(format!("{}: {said}", path.display()))
    }
}

/// Start and length of each packet of a stream (`v:0`) in seconds, in order of time.
pub fn packet_times(path: &Path, stream: &str) -> Vec<(f64, f64)> {
    let mut times: Vec<(f64, f64)> = table(path, stream, "packet=pts_time,duration_time", &[])
        .iter()
        .filter_map(|row| {
            Some((row.first()?.parse().ok()?, row.get(1).and_then(|d| d.parse().ok()).unwrap_or(0.0)))
        })
        .collect();
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    times
}

/// Times of the frames of a stream in seconds, as a player shows them.
pub fn frame_times(path: &Path, stream: &str) -> Vec<f64> {
    first_column(&table(path, stream, "frame=best_effort_timestamp_time", &[]))
}

/// Times of the key frames of the video in seconds.
pub fn key_frame_times(path: &Path) -> Vec<f64> {
    first_column(&table(path, "v:0", "frame=best_effort_timestamp_time", &["-skip_frame", "nokey"]))
}

fn first_column(rows: &[Vec<String>]) -> Vec<f64> {
    rows.iter().filter_map(|row| row.first()?.parse().ok()).collect()
}

fn table(path: &Path, stream: &str, entries: &str, more: &[&str]) -> Vec<Vec<String>> {
    let mut words = vec!["-v", "error"];
    words.extend(more);
    words.extend(["-select_streams", stream, "-show_entries", entries, "-of", "csv=p=0", name(path)]);
    let text = run("ffprobe", &words);
    String::from_utf8_lossy(&text).lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}
