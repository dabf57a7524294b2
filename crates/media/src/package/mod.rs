//! Several streams under one manifest: from the plain files that the tools wrote to the objects that are published.
//!
//! Tools write under plain names into the job's folder: each stream as one file, for HLS with a playlist of stretches.
//! Here streams get their objects' names, playlists are cut and written anew, and the manifest is made (HLS) or
//! rewritten (DASH). Pure text; time is in microseconds.

mod languages;
mod master;
mod mpd;
mod rate;

use std::collections::BTreeMap;

use mps_core::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::hls::{self, Packaging, Piece, relative_uri};
use crate::plan::Role;

pub use languages::short;
pub use master::{Rendition, RenditionKind, Variant};

/// Media type of a DASH manifest.
pub const MPD_TYPE: &str = "application/dash+xml";
/// Media type of WebVTT.
pub const VTT_TYPE: &str = "text/vtt";

/// What a set of streams becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Package {
    /// Playlists under a master playlist.
    Hls(HlsPackage),
    /// Files under an MPD.
    Dash(DashPackage),
}

/// Playlists under a master playlist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HlsPackage {
    /// Key of the master playlist.
    pub key: String,
    /// The streams, by number.
    pub parts: Vec<HlsPart>,
    /// What a player chooses from.
    pub variants: Vec<Variant>,
    /// What goes with them: sound and subtitles of their own.
    pub renditions: Vec<Rendition>,
    /// Master playlists that the tools wrote, which tell how streams are coded.
    pub masters: Vec<String>,
}

/// A stream of an HLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HlsPart {
    /// Pictures, sound or both.
    Media {
        /// Name of its playlist in the job's folder.
        file: String,
        /// How to name and cut.
        packaging: Box<Packaging>,
    },
    /// Subtitles: one WebVTT for the whole length.
    Captions {
        /// Name of the text in the job's folder.
        file: String,
        /// Key of the text.
        key: String,
        /// Key of its playlist.
        playlist_key: String,
        /// Where the beginning lies on the clock of the transport streams beside it, in ticks of 90 kHz.
        begins_90khz: u64,
    },
}

/// Files under an MPD.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashPackage {
    /// Key of the manifest.
    pub key: String,
    /// Its name in the job's folder.
    pub file: String,
    /// The files that it names.
    pub parts: Vec<DashPart>,
}

/// A file of a DASH.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashPart {
    /// Its name in the job's folder.
    pub file: String,
    /// Key of the object.
    pub key: String,
    /// Media type of the object.
    pub content_type: String,
    /// What a player calls it in a menu.
    pub label: Option<String>,
}

/// A text that is ready to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Key of the object.
    pub key: String,
    /// The text.
    pub text: String,
    /// Media type of the object.
    pub content_type: &'static str,
    /// What it is for.
    pub role: Role,
}

/// Everything ready to be published.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Finished {
    /// Texts, the manifest first.
    pub texts: Vec<Text>,
    /// Files and stretches of files.
    pub pieces: Vec<Piece>,
    /// Length of the longest stream in microseconds.
    pub duration_us: i64,
}

impl Package {
    /// Key of the manifest.
    pub fn key(&self) -> &str {
        match self {
            Self::Hls(package) => &package.key,
            Self::Dash(package) => &package.key,
        }
    }

    /// Media type of the manifest.
    pub const fn content_type(&self) -> &'static str {
        match self {
            Self::Hls(_) => hls::PLAYLIST_TYPE,
            Self::Dash(_) => MPD_TYPE,
        }
    }

    /// Keys of the streams and what each is cut into, for people.
    ///
    /// # Errors
    /// `InvalidInput` when a name would be unsafe.
    pub fn told(&self) -> Result<Vec<String>> {
        let hls = |part: &HlsPart| match part {
            HlsPart::Captions { playlist_key, key, .. } => Ok(format!("{playlist_key}  with {key}")),
            HlsPart::Media { packaging, .. } if packaging.is_single => {
                Ok(format!("{}  with byte ranges of {}", packaging.playlist_key, packaging.key(0)?))
            }
            HlsPart::Media { packaging, .. } => Ok(format!(
                "{}  with segments {}, {} …",
                packaging.playlist_key,
                packaging.key(0)?,
                packaging.key(1)?
            )),
        };
        match self {
            Self::Hls(package) => package.parts.iter().map(hls).collect(),
            Self::Dash(package) => Ok(package.parts.iter().map(|part| part.key.clone()).collect()),
        }
    }

    /// Names in the job's folder of the texts that [`Package::finish`] reads.
    pub fn reads(&self) -> Vec<&str> {
        match self {
            Self::Dash(package) => vec![&package.file],
            Self::Hls(package) => package
                .parts
                .iter()
                .map(|part| match part {
                    HlsPart::Media { file, .. } | HlsPart::Captions { file, .. } => file.as_str(),
                })
                .chain(package.masters.iter().map(String::as_str))
                .collect(),
        }
    }

    /// Turns what the tools wrote into what is published; `texts` has what [`Package::reads`] names.
    ///
    /// # Errors
    /// `InvalidInput` when something cannot be read or two objects would get the same key; `Internal` when a tool
    /// left something out.
    pub fn finish(&self, texts: &BTreeMap<String, String>) -> Result<Finished> {
        let finished = match self {
            Self::Hls(package) => package.finish(texts)?,
            Self::Dash(package) => package.finish(text_of(texts, &package.file)?)?,
        };
        let pieces = finished.pieces.iter().map(|piece| piece.key.as_str());
        let mut keys: Vec<&str> = finished.texts.iter().map(|text| text.key.as_str()).chain(pieces).collect();
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::invalid(format!("two outputs would get the name {}", pair[0]))),
            None => Ok(finished),
        }
    }
}

fn text_of<'a>(texts: &'a BTreeMap<String, String>, file: &str) -> Result<&'a str> {
    let text = texts.get(file).map(String::as_str);
    text.ok_or_else(|| Error::internal(format!("the run left no {file}")))
}

impl HlsPackage {
    fn finish(&self, texts: &BTreeMap<String, String>) -> Result<Finished> {
        let mut finished = Finished::default();
        let mut playlists = Vec::new();
        let mut spans: Vec<Vec<(i64, u64)>> = Vec::new();
        for part in &self.parts {
            let HlsPart::Media { file, packaging } = part else {
                spans.push(Vec::new());
                continue;
            };
            let done = packaging.finish(text_of(texts, file)?)?;
            finished.duration_us = finished.duration_us.max(done.duration_us);
            finished.pieces.extend(done.pieces);
            playlists.push(sub(packaging.playlist_key.clone(), done.playlist));
            spans.push(done.spans);
        }
        for part in &self.parts {
            let HlsPart::Captions { file, key, playlist_key, begins_90khz } = part else { continue };
            let text = timed(text_of(texts, file)?, *begins_90khz)?;
            let uri = relative_uri(playlist_key, key);
            playlists.push(sub(playlist_key.clone(), whole(&uri, finished.duration_us)));
            let content_type = VTT_TYPE;
            finished.texts.push(Text { key: key.clone(), text, content_type, role: Role::Segment });
        }
        let codecs: Vec<_> = self
            .masters
            .iter()
            .map(|file| text_of(texts, file).map(master::codecs))
            .collect::<Result<Vec<_>>>()?
            .concat();
        let text = master::write(self, &spans, &codecs)?;
        let master =
            Text { key: self.key.clone(), text, content_type: hls::PLAYLIST_TYPE, role: Role::Playlist };
        finished.texts.insert(0, master);
        finished.texts.extend(playlists);
        Ok(finished)
    }

    /// Key of the playlist of a part.
    fn playlist_key(&self, part: usize) -> Result<&str> {
        match self.parts.get(part) {
            Some(HlsPart::Media { packaging, .. }) => Ok(&packaging.playlist_key),
            Some(HlsPart::Captions { playlist_key, .. }) => Ok(playlist_key),
            None => Err(Error::internal("a variant names a stream that is not there")),
        }
    }
}

fn sub(key: String, text: String) -> Text {
    Text { key, text, content_type: hls::PLAYLIST_TYPE, role: Role::SubPlaylist }
}

/// A playlist of one segment.
fn whole(uri: &str, duration_us: i64) -> String {
    let segment = hls::Segment { duration_us, uri: uri.to_owned(), range: None, is_discontinuity: false };
    hls::Playlist { init: None, segments: vec![segment], is_ended: true }.write(false)
}

/// A WebVTT with its place on the clock of the transport streams.
fn timed(text: &str, begins_90khz: u64) -> Result<String> {
    let text = text.trim_start_matches('\u{feff}');
    let Some(rest) = text.strip_prefix("WEBVTT") else {
        return Err(Error::invalid("the subtitles did not become WebVTT"));
    };
    Ok(format!("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{begins_90khz},LOCAL:00:00:00.000{rest}"))
}

impl DashPackage {
    fn finish(&self, text: &str) -> Result<Finished> {
        let named: Vec<_> = self
            .parts
            .iter()
            .map(|part| mpd::Named {
                file: &part.file,
                uri: relative_uri(&self.key, &part.key),
                label: part.label.as_deref(),
            })
            .collect();
        let (text, duration_us) = mpd::renamed(text, &named)?;
        let piece = |part: &DashPart| Piece {
            file: part.file.clone(),
            range: None,
            key: part.key.clone(),
            content_type: part.content_type.clone(),
            role: Role::Segment,
        };
        let manifest = Text { key: self.key.clone(), text, content_type: MPD_TYPE, role: Role::Playlist };
        Ok(Finished { texts: vec![manifest], pieces: self.parts.iter().map(piece).collect(), duration_us })
    }
}

#[cfg(test)]
mod tests;
