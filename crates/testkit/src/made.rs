//! Sample films made by ffmpeg from plain words, kept in `target/e2e/media` for the next test.

use std::path::PathBuf;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::{media_files, server};

/// Makes the file that ffmpeg makes of these words (output name left out), or takes the one made before.
#[expect(clippy::disallowed_methods, reason = "the maker of sample films is a process")]
pub fn film(extension: &str, words: &[&str]) -> PathBuf {
    let folder = server::scratch().join("media");
    std::fs::create_dir_all(&folder).expect("a folder for sample films");
    let digest = hex::encode(&Sha256::digest(words.join("\u{1f}"))[..10]);
    let path = folder.join(format!("{digest}.{extension}"));
    if path.is_file() {
        return path;
    }
    let part = folder.join(format!("{digest}.{}.{extension}", std::process::id()));
    let ffmpeg = media_files::tool("ffmpeg").expect("tests of media need ffmpeg");
    let done = std::process::Command::new(ffmpeg)
        .args(["-v", "error", "-y"])
        .args(words)
        .arg(&part)
        .output()
        .expect("ffmpeg starts");
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    std::fs::rename(&part, &path).expect("a sample film");
    path
}

/// A moving test picture with a 440 Hz tone in MP4, H.264 and AAC.
pub fn clip(width: u32, height: u32, fps: &str, length: Duration) -> PathBuf {
    let seconds = length.as_secs_f64();
    let picture = format!("testsrc2=s={width}x{height}:r={fps}:d={seconds}");
    let tone = format!("sine=f=440:r=48000:d={seconds}");
    let words = [
        "-f",
        "lavfi",
        "-i",
        &picture,
        "-f",
        "lavfi",
        "-i",
        &tone,
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-crf",
        "18",
        "-g",
        "60",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
        "-b:a",
        "96k",
        "-ac",
        "2",
    ];
    film("mp4", &words)
}

/// Ten seconds of black at 25 fps with a white frame and a 1 kHz beep of 80 ms at each full second but the first.
pub fn flashes_and_beeps() -> PathBuf {
    let graph = "color=c=black:s=320x180:r=25:d=10,drawbox=c=white:t=fill:enable='gt(t,0.5)*lt(mod(t+0.02,1),0.04)'[v];\
        aevalsrc=exprs='if(gt(t,0.5)*lt(mod(t,1),0.08),0.6*sin(2*PI*1000*t),0)':s=48000:d=10[a]";
    let words = [
        "-filter_complex",
        graph,
        "-map",
        "[v]",
        "-map",
        "[a]",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-crf",
        "16",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
        "-b:a",
        "128k",
    ];
    film("mp4", &words)
}
