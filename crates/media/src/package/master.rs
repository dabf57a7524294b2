//! Master playlists of HLS: what a player chooses from.

use std::fmt::Write as _;

use mps_core::{Error, Result};
use serde::{Deserialize, Serialize};

use super::HlsPackage;
use super::rate::{self, Rate};
use crate::hls::relative_uri;

/// One choice: pictures, or sound alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Its stream: an index of the package's parts.
    pub part: usize,
    /// The playlist by whose name a tool's master playlist tells how its pictures are coded.
    pub told_as: String,
    /// Width and height of the pictures; `None` is sound alone.
    pub size: Option<(u32, u32)>,
    /// Frames in a thousand seconds; 0 when unknown.
    pub millifps: u64,
    /// How its sound is coded, in the words of RFC 6381; `None` has no sound or it is not known.
    pub sound_codec: Option<String>,
    /// Group of the sound that is played with it.
    pub sound: Option<String>,
    /// Group of the subtitles that go with it.
    pub captions: Option<String>,
}

/// A stream that goes with variants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition {
    /// Its stream: an index of the package's parts.
    pub part: usize,
    /// What it is.
    pub kind: RenditionKind,
    /// The group that variants name.
    pub group: String,
    /// What a player calls it in a menu.
    pub name: String,
    /// Its language.
    pub language: Option<String>,
    /// Whether it is played unless another is chosen.
    pub is_default: bool,
    /// Channels of sound; 0 when unknown.
    pub channels: u32,
}

/// Kinds of renditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RenditionKind {
    /// Sound.
    Sound,
    /// Subtitles.
    Captions,
}

/// What a tool's master playlist says: the playlist and the codecs of each entry.
pub(super) fn codecs(text: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut of_next: Option<Vec<String>> = None;
    for line in text.lines().map(str::trim) {
        if let Some(attributes) = line.strip_prefix("#EXT-X-STREAM-INF:") {
            let list = attributes.split("CODECS=\"").nth(1).and_then(|rest| rest.split('"').next());
            of_next = Some(list.map(|list| list.split(',').map(str::to_owned).collect()).unwrap_or_default());
        } else if !line.is_empty()
            && !line.starts_with('#')
            && let Some(list) = of_next.take()
        {
            found.push((line.to_owned(), list));
        }
    }
    found
}

/// Beginnings of the words for sound.
const SOUND: &[&str] = &["mp4a", "ac-3", "ec-3", "fLaC", "flac", "Opus", "opus", "mp3"];

fn is_sound(codec: &str) -> bool {
    SOUND.iter().any(|word| codec.starts_with(word))
}

/// The master playlist. `spans` has the segments of each part, `codecs` what the tools told.
pub(super) fn write(
    package: &HlsPackage,
    spans: &[Vec<(i64, u64)>],
    codecs: &[(String, Vec<String>)],
) -> Result<String> {
    let mut out = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n".to_owned();
    for rendition in &package.renditions {
        out.push_str(&media(package, rendition)?);
    }
    let rate_of = |part: usize| spans.get(part).map(|spans| rate::of(spans)).unwrap_or_default();
    for variant in &package.variants {
        let mut rate = rate_of(variant.part);
        if let Some(group) = &variant.sound {
            let members = package.renditions.iter().filter(|r| r.group == *group && r.part != variant.part);
            let most = members.map(|r| rate_of(r.part)).fold(Rate::default(), |a, b| Rate {
                peak: a.peak.max(b.peak),
                average: a.average.max(b.average),
            });
            rate = rate.with(most);
        }
        out.push_str(&stream_inf(package, variant, rate, codecs)?);
    }
    Ok(out)
}

fn media(package: &HlsPackage, rendition: &Rendition) -> Result<String> {
    let kind = match rendition.kind {
        RenditionKind::Sound => "AUDIO",
        RenditionKind::Captions => "SUBTITLES",
    };
    let mut line = format!(
        "#EXT-X-MEDIA:TYPE={kind},GROUP-ID=\"{}\",NAME=\"{}\"",
        rendition.group,
        quotable(&rendition.name)
    );
    if let Some(language) = &rendition.language {
        let _ = write!(line, ",LANGUAGE=\"{}\"", quotable(language));
    }
    let is_default = if rendition.is_default { "YES" } else { "NO" };
    let _ = write!(line, ",DEFAULT={is_default},AUTOSELECT=YES");
    if rendition.kind == RenditionKind::Captions {
        line.push_str(",FORCED=NO");
    }
    if rendition.channels > 0 {
        let _ = write!(line, ",CHANNELS=\"{}\"", rendition.channels);
    }
    let uri = relative_uri(&package.key, package.playlist_key(rendition.part)?);
    let _ = writeln!(line, ",URI=\"{uri}\"");
    Ok(line)
}

fn stream_inf(
    package: &HlsPackage,
    variant: &Variant,
    rate: Rate,
    codecs: &[(String, Vec<String>)],
) -> Result<String> {
    if rate.peak == 0 {
        return Err(Error::internal("a stream of the output is empty"));
    }
    let mut line = format!("#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={}", rate.peak, rate.average);
    let told =
        codecs.iter().find(|(playlist, _)| *playlist == variant.told_as).map(|(_, list)| list.as_slice());
    let picture = told.unwrap_or_default().iter().find(|codec| !is_sound(codec) && *codec != "unknown");
    // An incomplete list keeps players from playing; without one they find out.
    let is_complete = variant.size.is_none() || picture.is_some();
    let words: Vec<&str> = picture
        .filter(|_| variant.size.is_some())
        .into_iter()
        .chain(&variant.sound_codec)
        .map(String::as_str)
        .collect();
    if is_complete && !words.is_empty() {
        let _ = write!(line, ",CODECS=\"{}\"", words.join(","));
    }
    if let Some((width, height)) = variant.size {
        let _ = write!(line, ",RESOLUTION={width}x{height}");
        if variant.millifps > 0 {
            let _ = write!(line, ",FRAME-RATE={}.{:03}", variant.millifps / 1000, variant.millifps % 1000);
        }
    }
    if let Some(group) = &variant.sound {
        let _ = write!(line, ",AUDIO=\"{group}\"");
    }
    if let Some(group) = &variant.captions {
        let _ = write!(line, ",SUBTITLES=\"{group}\"");
    }
    if variant.size.is_some() {
        line.push_str(",CLOSED-CAPTIONS=NONE");
    }
    let uri = relative_uri(&package.key, package.playlist_key(variant.part)?);
    Ok(format!("{line}\n{uri}\n"))
}

/// Text for between quotes, which it cannot hold itself.
fn quotable(text: &str) -> String {
    text.chars().map(|c| if c == '"' { '\'' } else { c }).filter(|c| !c.is_control()).collect()
}
