//! The configuration in the words of the crate that runs media programs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mps_ffmpeg::capabilities::State;
use mps_ffmpeg::sandbox::Confinement;
use mps_ffmpeg::{Capabilities, LauncherSpec, Limits, ToolPaths, fonts};
use mps_media::plan::Build;

use crate::config::Config;
use crate::config::environment::search_path;
use crate::config::sections::tools::Sandbox;

/// Where media programs are looked for: the configured ones, the data folder's, those of a checkout beside this
/// binary, `PATH`.
pub fn paths(config: &Config) -> ToolPaths {
    let checkout = std::env::current_exe()
        .ok()
        .and_then(|exe| exe.ancestors().nth(3).map(|root| root.join(".cache/tools")));
    ToolPaths {
        ffmpeg: config.tools.ffmpeg.clone(),
        ffprobe: config.tools.ffprobe.clone(),
        packager: config.tools.packager.clone(),
        folders: std::iter::once(config.data.join("tools")).chain(checkout).collect(),
        search_path: search_path(),
        confinement: match config.tools.sandbox {
            Sandbox::Auto => Confinement::BestEffort,
            Sandbox::Require => Confinement::Required,
            Sandbox::Off => Confinement::Off,
        },
        ..ToolPaths::new(LauncherSpec::own())
    }
}

/// What a build of ffmpeg can do, as far as plans depend on it.
pub fn build(known: &Capabilities) -> Build {
    let usable = |states: &BTreeMap<String, State>| {
        states
            .iter()
            .filter(|(_, state)| !matches!(state, State::Broken(_)))
            .map(|(name, _)| name.clone())
            .collect()
    };
    Build {
        encoders: usable(&known.encoders),
        filters: usable(&known.filters),
        fonts: fonts::families(fonts::FOLDERS.iter().map(Path::new)),
    }
}

/// Where the results of trying ffmpeg out are kept.
pub fn cache_dir(config: &Config) -> PathBuf {
    config.data.join("cache")
}

/// What one media program of a step may take.
pub fn step_limits(config: &Config) -> Limits {
    let limits = &config.limits;
    Limits {
        wall: Duration::from_secs(limits.step_s),
        stall: Duration::from_secs(limits.stall_s),
        stall_busy: Duration::from_secs(limits.stall_busy_s),
        memory_bytes: limits.memory_bytes,
        file_bytes: limits.output_bytes,
        max_pixels: limits.source_pixels,
        max_streams: limits.source_streams,
        nice: i32::from(config.workers.nice),
        ..Limits::default()
    }
}

/// What a look into a source may take.
pub fn probe_limits(config: &Config) -> Limits {
    let time = Duration::from_secs(config.limits.probe_s);
    Limits {
        wall: time,
        stall: time,
        stall_busy: time,
        cpu: time,
        max_pixels: config.limits.source_pixels,
        max_streams: config.limits.source_streams,
        ..Limits::probe()
    }
}
