//! What the tests of real tools share.
#![allow(dead_code, reason = "each test file uses its part")]

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use mps_ffmpeg::{LauncherSpec, Limits, Run, Tool, ToolPaths, Tools};
use mps_testkit::media_files;

/// The tools of this checkout behind the launcher that cargo built, or nothing where they are absent.
pub(crate) fn tools() -> Option<Tools> {
    let mut paths = ToolPaths::new(launcher());
    paths.ffmpeg = Some(media_files::tool("ffmpeg")?);
    paths.ffprobe = Some(media_files::tool("ffprobe")?);
    paths.packager = media_files::tool("packager");
    Some(Tools::discover(&paths).unwrap())
}

/// Tools whose ffmpeg is another program.
pub(crate) fn tools_with(program: &str) -> Tools {
    Tools::discover(&paths_of(program)).unwrap()
}

pub(crate) fn paths_of(program: &str) -> ToolPaths {
    let program = Some(std::path::PathBuf::from(program));
    ToolPaths {
        ffmpeg: program.clone(),
        ffprobe: program.clone(),
        packager: program,
        ..ToolPaths::new(launcher())
    }
}

pub(crate) fn launcher() -> LauncherSpec {
    LauncherSpec::program(env!("CARGO_BIN_EXE_mps-exec"))
}

pub(crate) fn args(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

/// A run of ffmpeg with short limits.
pub(crate) fn ffmpeg(line: &str, dir: &Path) -> Run {
    let limits = Limits {
        wall: Duration::from_mins(1),
        stall: Duration::from_secs(20),
        kill_grace: Duration::from_millis(500),
        memory_bytes: 4 << 30,
        ..Limits::default()
    };
    Run { limits, ..Run::new(Tool::Ffmpeg, args(line), dir) }
}

/// An encode that would last for minutes.
pub(crate) const ENDLESS: &str =
    "-f lavfi -i testsrc2=s=640x360:r=25:d=3600 -c:v libx264 -preset veryslow out.mp4";

/// Waits for a condition, at most ten seconds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what} did not come about");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether a process group has a member that still runs.
pub(crate) fn group_lives(group: i32) -> bool {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let stats = entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    stats
        .filter_map(|stat| {
            let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
            let (letter, _parent, leader) = (fields.next()?, fields.next()?, fields.next()?);
            Some(letter != "Z" && leader == group.to_string())
        })
        .any(|lives| lives)
}
