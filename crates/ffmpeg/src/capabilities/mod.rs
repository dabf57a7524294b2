//! What this build of ffmpeg can really do.
//!
//! Listed is not working: some filters crash, some encoders miss their library or device. Whatever our plans rely on is
//! tried once on a tiny medium, in the same sandbox as a job; the result is kept in a file and holds for as long as the
//! program stays the same.

mod service;
mod trials;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use mps_core::{Error, Kind, Result};
use serde::{Deserialize, Serialize};

use crate::{Tool, Tools};

pub use service::CapabilityService;

/// Raised whenever the trials change, so that older results are not believed.
const REVISION: u32 = 1;

const FILE: &str = "capabilities.json";

/// How far something listed can be relied on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A trial succeeded.
    Works,
    /// The build lists it; no plan relies on it, so it was not tried.
    Listed,
    /// A trial failed, or the build is known to crash with it; the reason.
    Broken(String),
}

/// The abilities of one build of ffmpeg.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    identity: Identity,
    /// The version as the program prints it, such as `n9.0.2-17-g2a571b6068`.
    pub version: String,
    /// Encoders by name.
    pub encoders: BTreeMap<String, State>,
    /// Decoders by name.
    pub decoders: BTreeSet<String>,
    /// Muxers by name.
    pub muxers: BTreeSet<String>,
    /// Filters by name.
    pub filters: BTreeMap<String, State>,
    /// Hardware accelerations by name, tried on this machine and in the sandbox.
    pub hwaccels: BTreeMap<String, State>,
}

/// What makes a program the same one as last time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    path: PathBuf,
    size_bytes: u64,
    modified_ms: u64,
    revision: u32,
}

impl Identity {
    fn of(path: &Path) -> Result<Self> {
        let facts = std::fs::metadata(path)
            .map_err(|e| Error::internal("cannot look at ffmpeg").with("path", path.display()).because(e))?;
        let modified = facts.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let modified_ms = modified.map_or(0, |since| since.as_millis() as u64);
        Ok(Self { path: path.to_owned(), size_bytes: facts.len(), modified_ms, revision: REVISION })
    }
}

impl Capabilities {
    /// The results kept in a folder, if they are of this very program.
    pub fn cached(tools: &Tools, folder: &Path) -> Option<Self> {
        let kept = std::fs::read(folder.join(FILE)).ok()?;
        let kept: Self = serde_json::from_slice(&kept).ok()?;
        let identity = Identity::of(tools.path(Tool::Ffmpeg).ok()?).ok()?;
        (kept.identity == identity).then_some(kept)
    }

    /// Lists and tries everything, at most two children at a time: about a second of processor time.
    pub async fn try_all(tools: &Tools) -> Result<Self> {
        let identity = Identity::of(tools.path(Tool::Ffmpeg)?)?;
        let lists = trials::lists(tools).await?;
        let version = lists.version.clone();
        let outcome = trials::run_all(tools, &lists).await?;
        let state = |name: &String, tried: &BTreeMap<String, State>| {
            let state = denied(name, &version).or_else(|| tried.get(name).cloned()).unwrap_or(State::Listed);
            (name.clone(), state)
        };
        Ok(Self {
            identity,
            encoders: lists.encoders.iter().map(|name| state(name, &outcome.encoders)).collect(),
            decoders: lists.decoders,
            muxers: lists.muxers,
            filters: lists.filters.iter().map(|name| state(name, &outcome.filters)).collect(),
            hwaccels: lists.hwaccels.iter().map(|name| state(name, &outcome.hwaccels)).collect(),
            version,
        })
    }

    /// Keeps the results in a folder, whole or not at all.
    pub fn keep(&self, folder: &Path) -> Result<()> {
        let failed = |e: std::io::Error| Error::internal("cannot keep what ffmpeg can do").because(e);
        let json = serde_json::to_vec(self)
            .map_err(|e| Error::internal("cannot write what ffmpeg can do as JSON").because(e))?;
        std::fs::create_dir_all(folder).map_err(failed)?;
        let unfinished = folder.join(format!(".{FILE}.{}", std::process::id()));
        std::fs::write(&unfinished, json).map_err(failed)?;
        std::fs::rename(&unfinished, folder.join(FILE)).map_err(failed)
    }

    /// Whether an encoder may be planned with.
    pub fn has_encoder(&self, name: &str) -> bool {
        usable(self.encoders.get(name))
    }

    /// Whether a filter may be planned with.
    pub fn has_filter(&self, name: &str) -> bool {
        usable(self.filters.get(name))
    }

    /// Whether a muxer may be planned with.
    pub fn has_muxer(&self, name: &str) -> bool {
        self.muxers.contains(name)
    }

    /// Refuses, by name and with the reason, what a plan needs and this build cannot do.
    pub fn require(&self, need: Need<'_>) -> Result<()> {
        let (what, name, state) = match need {
            Need::Encoder(name) => ("encoder", name, self.encoders.get(name)),
            Need::Filter(name) => ("filter", name, self.filters.get(name)),
            Need::Muxer(name) => ("muxer", name, self.muxers.contains(name).then_some(&State::Listed)),
        };
        let version = &self.version;
        let why = match state {
            Some(State::Works | State::Listed) => return Ok(()),
            Some(State::Broken(why)) => {
                format!("the {what} {name} of ffmpeg {version} does not work here: {why}")
            }
            None => format!("ffmpeg {version} has no {what} {name}"),
        };
        Err(Error::new(Kind::Unsupported, why).with(what, name))
    }
}

/// Something that a plan needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need<'a> {
    /// An encoder such as `libx265`.
    Encoder(&'a str),
    /// A filter such as `zscale`.
    Filter(&'a str),
    /// A muxer such as `hls`.
    Muxer(&'a str),
}

const fn usable(state: Option<&State>) -> bool {
    matches!(state, Some(State::Works | State::Listed))
}

/// What is known to fail in ways that a short trial may miss.
const DENIED: &[(&str, &str, &str)] =
    &[("anlmdn", "9.0.", "it corrupts memory at the end of a stream in ffmpeg 9.0")];

fn denied(name: &str, version: &str) -> Option<State> {
    let version = version.trim_start_matches('n');
    let found = DENIED.iter().find(|(denied, versions, _)| *denied == name && version.starts_with(versions));
    found.map(|(_, _, why)| State::Broken((*why).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capabilities() -> Capabilities {
        let identity =
            Identity { path: "/x/ffmpeg".into(), size_bytes: 1, modified_ms: 2, revision: REVISION };
        let states =
            |list: &[(&str, State)]| list.iter().map(|(n, s)| ((*n).to_owned(), s.clone())).collect();
        Capabilities {
            identity,
            version: "9.0.2".to_owned(),
            encoders: states(&[
                ("libx264", State::Works),
                ("h264_nvenc", State::Broken("Cannot load libcuda.so.1".to_owned())),
                ("snow", State::Listed),
            ]),
            decoders: BTreeSet::new(),
            muxers: BTreeSet::from(["mp4".to_owned()]),
            filters: states(&[("scale", State::Works)]),
            hwaccels: BTreeMap::new(),
        }
    }

    #[test]
    fn what_is_missing_is_refused_by_name() {
        let all = capabilities();
        assert!(all.require(Need::Encoder("libx264")).is_ok() && all.require(Need::Muxer("mp4")).is_ok());
        let error = all.require(Need::Encoder("libfdk_aac")).unwrap_err();
        assert_eq!(error.kind(), Kind::Unsupported);
        assert_eq!(error.message(), "ffmpeg 9.0.2 has no encoder libfdk_aac");
        let error = all.require(Need::Encoder("h264_nvenc")).unwrap_err();
        assert!(error.message().contains("libcuda"), "{error}");
        assert!(all.require(Need::Filter("zscale")).is_err() && all.require(Need::Muxer("hls")).is_err());
        assert!(all.has_encoder("snow") && !all.has_encoder("h264_nvenc"));
    }

    #[test]
    fn a_filter_known_to_crash_is_denied_for_its_versions_only() {
        assert!(matches!(denied("anlmdn", "n9.0.2-17-g2a571b6068"), Some(State::Broken(_))));
        assert_eq!(denied("anlmdn", "8.1.2"), None);
        assert_eq!(denied("afftdn", "9.0.2"), None);
    }

    #[test]
    fn results_of_another_program_are_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["ffmpeg", "ffprobe"] {
            let path = folder.path().join(name);
            std::fs::write(&path, name).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        let mut paths = crate::ToolPaths::new(crate::LauncherSpec::own());
        paths.folders.push(folder.path().to_owned());
        let tools = Tools::discover(&paths).unwrap();
        let identity = Identity::of(tools.path(Tool::Ffmpeg).unwrap()).unwrap();
        let all = Capabilities { identity, ..capabilities() };

        assert_eq!(Capabilities::cached(&tools, folder.path()), None);
        all.keep(folder.path()).unwrap();
        assert_eq!(Capabilities::cached(&tools, folder.path()), Some(all));
        std::fs::write(folder.path().join("ffmpeg"), "another build").unwrap();
        assert_eq!(Capabilities::cached(&tools, folder.path()), None);
    }
}
