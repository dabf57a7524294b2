//! What a feature plans: command lines as values, and which of their files become which objects.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::drm::tracks::Track;
use crate::hls;
use crate::package::Package;
use crate::subtitles::{self, Look, Subtitles};

/// Which program a command starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tool {
    /// ffmpeg.
    Ffmpeg,
    /// The packager.
    Packager,
}

/// A word of a command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arg {
    /// As it stands.
    Text(String),
    /// The path or address of the source.
    Source,
    /// The path or address of one of several sources, counted from 0.
    Input(usize),
    /// A file of this name in the job's folder.
    File(String),
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A file of subtitles in the job's folder that becomes another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Convert {
    /// The file.
    pub from: String,
    /// The file to write.
    pub to: String,
    /// What it becomes.
    pub into: Into,
    /// What is added to its times, in microseconds.
    pub shift_us: i64,
    /// Which of its times count, in microseconds from and to before they are moved; `None` is all.
    #[serde(default)]
    pub window_us: Option<(i64, i64)>,
    /// What it is in the request, for messages.
    pub name: String,
}

/// What subtitles become.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Into {
    /// WebVTT where ffmpeg does not know its kind, else what it is.
    Plainer,
    /// WebVTT.
    Vtt,
    /// A script of ASS.
    Ass {
        /// How they look.
        look: Box<Look>,
        /// The file of the font, when the caller brings one.
        font: Option<String>,
    },
}

impl Convert {
    /// The file of the caller's font.
    pub fn font(&self) -> Option<&str> {
        match &self.into {
            Into::Ass { font, .. } => font.as_deref(),
            Into::Vtt | Into::Plainer => None,
        }
    }

    /// What the bytes of the file become, in the font of these bytes.
    ///
    /// # Errors
    /// `InvalidInput` when the subtitles or the font cannot be read.
    pub fn bytes(&self, subtitles: &[u8], font: Option<&[u8]>) -> mps_core::Result<Vec<u8>> {
        if self.into == Into::Plainer {
            return subtitles::plainer(subtitles);
        }
        self.text(subtitles, font).map(String::into_bytes)
    }

    fn text(&self, subtitles: &[u8], font: Option<&[u8]>) -> mps_core::Result<String> {
        let mut subtitles = Subtitles::read(subtitles)?;
        if let Some((from_us, to_us)) = self.window_us {
            subtitles.keep(from_us, to_us);
        }
        match &self.into {
            Into::Vtt | Into::Plainer => subtitles.to_vtt(self.shift_us),
            Into::Ass { look, .. } => {
                let mut look = (**look).clone();
                if let Some(font) = font {
                    look.family = Some(crate::fonts::family_of(font)?);
                }
                subtitles.to_ass(&look, self.shift_us)
            }
        }
    }
}

/// One run of one program.
///
/// What every run has in common (no stdin, log level, progress, allowed protocols and formats, limits) is added
/// by who runs it, in front of `args`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Which program.
    pub tool: Tool,
    /// The words after the program's name.
    pub args: Vec<Arg>,
    /// Length of what it writes in microseconds, for progress; 0 when unknown.
    pub expected_us: i64,
    /// Texts to be converted before it runs.
    #[serde(default)]
    pub convert: Vec<Convert>,
    /// What it makes ready for the others, such as `WatermarkSet.0`, when that is not of the source: its failure is told
    /// of this, and it may take a minute at most.
    #[serde(default)]
    pub prepares: Option<String>,
    /// Whether it reads what [`packager::flags`](crate::drm::packager::flags) says on standard input.
    #[serde(default)]
    pub reads_keys: bool,
}

impl Command {
    /// A run of ffmpeg that writes `expected_us` of media.
    pub const fn ffmpeg(args: Vec<Arg>, expected_us: i64) -> Self {
        Self { tool: Tool::Ffmpeg, args, expected_us, convert: Vec::new(), prepares: None, reads_keys: false }
    }
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// What was asked for, alone.
    Main,
    /// A playlist, the file that a player opens.
    Playlist,
    /// A playlist that another one names.
    SubPlaylist,
    /// A segment of a playlist.
    Segment,
    /// The header that all segments share.
    Init,
    /// A text that tells what lies where in the others.
    Index,
}

/// What becomes of the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// One file, one object.
    File {
        /// Name in the job's folder.
        file: String,
        /// Key of the object, beginning with `/`.
        key: String,
        /// Media type of the object.
        content_type: String,
        /// What it is for.
        role: Role,
    },
    /// A text that is known before the run, such as an index of what the run makes.
    Text {
        /// The text.
        text: String,
        /// Key of the object, beginning with `/`.
        key: String,
        /// Media type of the object.
        content_type: String,
        /// What it is for.
        role: Role,
    },
    /// A playlist whose segments are known only after the run: [`hls::Packaging::finish`] makes the objects
    /// from its text.
    Hls {
        /// Name of the playlist in the job's folder.
        file: String,
        /// How to name and cut.
        packaging: Box<hls::Packaging>,
    },
    /// Several streams under one manifest: [`Package::finish`] makes the objects from the texts that the run wrote.
    Package {
        /// What they become.
        package: Box<Package>,
    },
}

/// A file that a run needs beside its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extra {
    /// A file that a template brought, by its key in the service's own bucket.
    Asset(String),
    /// A file of the caller's: the API's `MediaInputInfo`, checked.
    Input(Value),
    /// A text that came with the call.
    Text(String),
}

/// An extra file, and what it is called in the job's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    /// Where it is.
    pub from: Extra,
    /// Its name in the job's folder.
    pub file: String,
    /// What it is in the request, for messages.
    pub name: String,
    /// The most bytes it may have.
    pub most_bytes: u64,
}

/// A packaged stream that is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encrypted {
    /// Its name in the job's folder.
    pub file: String,
    /// The track that it has.
    pub track: Track,
}

/// What a feature wants done.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// Extra files, to be there before the first command.
    #[serde(default)]
    pub fetch: Vec<Fetch>,
    /// To be run in this order.
    pub commands: Vec<Command>,
    /// The first parts of its package, in their order, when the feature's [`drm`](crate::features::Feature::drm) says
    /// how they are encrypted. What they are encrypted with is no part of a plan.
    #[serde(default)]
    pub encrypted: Vec<Encrypted>,
    /// To be published together.
    pub outputs: Vec<Output>,
    /// Name in the job's folder of the file that tells what came out, where the result needs to know.
    pub probe: Option<String>,
    /// What the plan found out and the result tells: the feature's own.
    #[serde(default)]
    pub facts: Value,
}

impl Plan {
    /// Key of what the user asked for: the file, or the playlist.
    pub fn main_key(&self) -> &str {
        self.outputs.first().map_or("", |output| match output {
            Output::File { key, .. } | Output::Text { key, .. } => key,
            Output::Hls { packaging, .. } => &packaging.playlist_key,
            Output::Package { package } => package.key(),
        })
    }
}

/// What the installed tools can do, as far as plans depend on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Build {
    /// Names of encoders that work, such as `libx264`.
    pub encoders: BTreeSet<String>,
    /// Names of filters that work, such as `zscale`.
    pub filters: BTreeSet<String>,
    /// Families of the fonts that are installed, such as `Noto Sans`.
    pub fonts: BTreeSet<String>,
    /// Whether there is a packager.
    pub has_packager: bool,
}

impl Build {
    /// Whether this encoder works.
    pub fn encodes(&self, name: &str) -> bool {
        self.encoders.contains(name)
    }

    /// Whether this filter works.
    pub fn filters(&self, name: &str) -> bool {
        self.filters.contains(name)
    }

    /// Whether this family of fonts is installed.
    pub fn has_font(&self, family: &str) -> bool {
        self.fonts.contains(family)
    }

    /// A build with these encoders and filters.
    pub fn with<'a>(
        encoders: impl IntoIterator<Item = &'a str>,
        filters: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self {
            encoders: encoders.into_iter().map(str::to_owned).collect(),
            filters: filters.into_iter().map(str::to_owned).collect(),
            fonts: BTreeSet::new(),
            has_packager: false,
        }
    }
}
