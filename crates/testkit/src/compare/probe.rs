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

    /// Mean frames per second of the video.
    pub fn frame_rate(&self) -> f64 {
        let text = self.video()["avg_frame_rate"].as_str().unwrap_or_default();
        let (frames, seconds) = text.split_once('/').unwrap_or((text, "1"));
        frames.parse::<f64>().unwrap_or(0.0) / seconds.parse::<f64>().unwrap_or(1.0)
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
    let words = [
        "-v",
        "error",
        "-xerror",
        "-allowed_extensions",
        "ALL",
        "-i",
        name(path),
        "-fps_mode",
        "passthrough",
        "-enc_time_base",
        "demux",
        "-f",
        "null",
        "-",
    ];
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

/// Puts the streams that `maps` names (`0:v:1`) of a file or manifest into one file, as they are coded.
pub fn gather(path: &Path, maps: &[&str], to: &Path) {
    let mut words = vec!["-v", "error", "-y"];
    if path.extension().is_some_and(|extension| extension == "m3u8" || extension == "mpd") {
        words.extend(["-allowed_extensions", "ALL"]);
    }
    words.extend(["-i", name(path)]);
    words.extend(maps.iter().flat_map(|map| ["-map", *map]));
    words.extend(["-c", "copy", name(to)]);
    run("ffmpeg", &words);
}

/// When the first packet of the file comes; ffmpeg counts from there.
pub(super) fn start_s(path: &Path) -> f64 {
    number(&probe(path).format()["start_time"])
}

/// Start and length of each packet of a stream (`v:0`) in seconds, in order of time. Bare streams, which have no
/// times, are counted from 0 at their frame rate.
pub fn packet_times(path: &Path, stream: &str) -> Vec<(f64, f64)> {
    let rows = table(path, stream, "packet=pts_time,duration_time", &[]);
    let number = |row: &[String], nth: usize| row.get(nth).and_then(|text| text.parse::<f64>().ok());
    let is_bare = rows.iter().all(|row| number(row, 0).is_none());
    if is_bare {
        let length_s = 1.0 / probe(path).frame_rate();
        return (0..rows.len()).map(|nth| (nth as f64 * length_s, length_s)).collect();
    }
    let mut times: Vec<(f64, f64)> =
        rows.iter().filter_map(|row| Some((number(row, 0)?, number(row, 1).unwrap_or(0.0)))).collect();
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    // MPEG-TS has no lengths: a frame lasts until the next one, the last as long as the one before.
    for nth in 0..times.len() {
        if times[nth].1 == 0.0 {
            let (at, to) = if nth + 1 < times.len() { (nth, nth + 1) } else { (nth.max(1) - 1, nth) };
            times[nth].1 = times[to].0 - times[at].0;
        }
    }
    times
}

/// When each picture of the first video stream is shown, in seconds, and whether it is a key frame, in the order of the
/// file; nothing is decoded.
pub fn picture_packets(path: &Path) -> Vec<(f64, bool)> {
    let rows = table(path, "v:0", "packet=pts_time,flags", &[]);
    let packet = |row: &Vec<String>| Some((row.first()?.parse().ok()?, row.get(1)?.starts_with('K')));
    rows.iter().filter_map(packet).collect()
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

/// How many frames of the video carry closed captions.
pub fn captioned_frames(path: &Path) -> usize {
    let words = ["-v", "error", "-select_streams", "v:0", "-show_frames", name(path)];
    String::from_utf8_lossy(&run("ffprobe", &words)).matches("ATSC A53 Part 4 Closed Captions").count()
}

/// The text of the `nth` track of subtitles as SRT.
pub fn subtitles(path: &Path, nth: usize) -> String {
    let map = format!("0:s:{nth}");
    let srt = run("ffmpeg", &["-v", "error", "-i", name(path), "-map", &map, "-f", "srt", "-"]);
    String::from_utf8(srt).expect("subtitles are text")
}
