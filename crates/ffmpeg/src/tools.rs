//! Where the tools are.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use mps_core::{Blame, Error, Kind, Result};

use crate::child::Launchers;
use crate::sandbox::Confinement;
use crate::{Children, LauncherSpec};

/// A program that this crate runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tool {
    /// Decodes, filters and encodes.
    Ffmpeg,
    /// Tells what a file holds.
    Ffprobe,
    /// Packages and encrypts for streaming.
    Packager,
}

impl Tool {
    /// The name of its executable.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ffmpeg => "ffmpeg",
            Self::Ffprobe => "ffprobe",
            Self::Packager => "packager",
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where to look, most wanted first. Reading configuration and environment is the caller's part.
#[derive(Debug, Clone)]
pub struct ToolPaths {
    /// A path that the operator chose; nothing else is tried then.
    pub ffmpeg: Option<PathBuf>,
    /// The same for ffprobe.
    pub ffprobe: Option<PathBuf>,
    /// The same for the packager.
    pub packager: Option<PathBuf>,
    /// Folders with pinned tools: the one in the data folder, then `.cache/tools` of a checkout.
    pub folders: Vec<PathBuf>,
    /// The value of `PATH`.
    pub search_path: Option<OsString>,
    /// What starts a tool in its sandbox.
    pub launcher: LauncherSpec,
    /// How many launchers are started ahead of the next runs. Each costs a waiting process and saves some milliseconds.
    pub spares: usize,
    /// How strict that sandbox is.
    pub confinement: Confinement,
    /// Folders that every tool may read, such as the operator's fonts.
    pub readable: Vec<PathBuf>,
}

impl ToolPaths {
    /// Nothing but the launcher.
    pub fn new(launcher: LauncherSpec) -> Self {
        Self {
            ffmpeg: None,
            ffprobe: None,
            packager: None,
            folders: Vec::new(),
            search_path: None,
            launcher,
            spares: 0,
            confinement: Confinement::default(),
            readable: Vec::new(),
        }
    }
}

/// The tools found, how they are started, and the children that run now. Cheap to clone; clones share the children.
#[derive(Debug, Clone)]
pub struct Tools {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
    packager: Option<PathBuf>,
    pub(crate) launchers: Launchers,
    pub(crate) confinement: Confinement,
    pub(crate) readable: Vec<PathBuf>,
}

impl Tools {
    /// Finds ffmpeg and ffprobe, and the packager if there is one.
    ///
    /// Fails with [`Kind::Unavailable`] when a needed tool is missing, and with [`Kind::InvalidInput`] when a path
    /// that was given explicitly is no executable file.
    pub fn discover(paths: &ToolPaths) -> Result<Self> {
        let needed = |tool, chosen: &Option<PathBuf>| {
            find(tool, chosen.as_deref(), paths)?.ok_or_else(|| missing(tool))
        };
        Ok(Self {
            ffmpeg: needed(Tool::Ffmpeg, &paths.ffmpeg)?,
            ffprobe: needed(Tool::Ffprobe, &paths.ffprobe)?,
            packager: find(Tool::Packager, paths.packager.as_deref(), paths)?,
            launchers: Launchers::new(paths.launcher.clone(), paths.spares),
            confinement: paths.confinement,
            readable: paths.readable.clone(),
        })
    }

    /// The absolute path of a tool; the packager may be missing.
    pub fn path(&self, tool: Tool) -> Result<&Path> {
        match tool {
            Tool::Ffmpeg => Ok(&self.ffmpeg),
            Tool::Ffprobe => Ok(&self.ffprobe),
            Tool::Packager => self.packager.as_deref().ok_or_else(|| missing(tool)),
        }
    }

    /// The children that run now, for shutdown and metrics.
    pub fn children(&self) -> &Children {
        &self.launchers.children
    }

    /// What starts a tool.
    pub fn launcher(&self) -> &LauncherSpec {
        &self.launchers.spec
    }
}

fn find(tool: Tool, chosen: Option<&Path>, paths: &ToolPaths) -> Result<Option<PathBuf>> {
    if let Some(chosen) = chosen {
        return match executable(chosen) {
            Some(path) => Ok(Some(path)),
            None => Err(Error::invalid(format!(
                "the configured {tool} at {} is not an executable file",
                chosen.display()
            ))
            .with_blame(Blame::Us)),
        };
    }
    let search =
        paths.search_path.iter().flat_map(std::env::split_paths).filter(|folder| folder.is_absolute());
    let folders = paths.folders.iter().cloned().chain(search);
    Ok(folders.map(|folder| folder.join(tool.name())).find_map(|path| executable(&path)))
}

fn executable(path: &Path) -> Option<PathBuf> {
    let found = std::fs::canonicalize(path).ok()?;
    let facts = std::fs::metadata(&found).ok()?;
    (facts.is_file() && facts.permissions().mode() & 0o111 != 0).then_some(found)
}

fn missing(tool: Tool) -> Error {
    let setting = tool.name();
    let variable = setting.to_uppercase();
    Error::new(
        Kind::Unavailable,
        format!(
            "{tool} was not found; run scripts/media-tools.sh to fetch the pinned one, install it with the system's \
             packages, or name it in [tools] {setting} or MPS_{variable}"
        ),
    )
    .with_blame(Blame::Us)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            std::fs::write(&path, "").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    fn paths(folders: &[&tempfile::TempDir]) -> ToolPaths {
        ToolPaths {
            folders: folders.iter().map(|f| f.path().to_owned()).collect(),
            ..ToolPaths::new(LauncherSpec::own())
        }
    }

    #[test]
    fn an_explicit_path_wins_over_folders_and_folders_over_path() {
        let (first, second, third) = (
            folder_with(&["ffmpeg"]),
            folder_with(&["ffprobe", "ffmpeg"]),
            folder_with(&["packager", "ffprobe"]),
        );
        let tools = Tools::discover(&ToolPaths {
            ffmpeg: Some(third.path().join("ffprobe")),
            search_path: Some(third.path().as_os_str().to_owned()),
            ..paths(&[&first, &second])
        })
        .unwrap();
        let under = |folder: &tempfile::TempDir, name| folder.path().canonicalize().unwrap().join(name);
        assert_eq!(tools.path(Tool::Ffmpeg).unwrap(), under(&third, "ffprobe"));
        assert_eq!(tools.path(Tool::Ffprobe).unwrap(), under(&second, "ffprobe"));
        assert_eq!(tools.path(Tool::Packager).unwrap(), under(&third, "packager"));
    }

    #[test]
    fn a_missing_tool_says_what_to_run() {
        let empty = folder_with(&[]);
        let error = Tools::discover(&paths(&[&empty])).unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(error.message().contains("scripts/media-tools.sh"), "{error}");
        assert!(error.message().contains("MPS_FFMPEG"), "{error}");
    }

    #[test]
    fn a_wrong_explicit_path_is_not_replaced_silently() {
        let folder = folder_with(&["ffmpeg", "ffprobe"]);
        let wrong = ToolPaths { ffmpeg: Some(PathBuf::from("/nowhere/ffmpeg")), ..paths(&[&folder]) };
        let error = Tools::discover(&wrong).unwrap_err();
        assert!(error.message().contains("/nowhere/ffmpeg"), "{error}");
    }

    #[test]
    fn the_packager_is_missed_only_when_it_is_needed() {
        let folder = folder_with(&["ffmpeg", "ffprobe"]);
        let tools = Tools::discover(&paths(&[&folder])).unwrap();
        assert_eq!(tools.path(Tool::Packager).unwrap_err().kind(), Kind::Unavailable);
    }
}
