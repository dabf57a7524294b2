//! From `DrmInfo` of an item to what a step needs.

use mps_core::Secret;
use mps_wire::ApiError;
use mps_wire::codes::{missing_parameter, value_of};
use serde_json::Value;

use super::{Drm, Iv, Key, Preset, Scheme, SimpleAes, Speke, System};

/// What will be encrypted, as its template says.
#[derive(Debug, Clone, Copy)]
pub struct Package<'a> {
    /// `HLS` or `MPEG-DASH`.
    pub format: &'a str,
    /// `SegmentType`, or the one that stands for none.
    pub segment_type: &'a str,
    /// Codecs of the tracks in the API's words, `copy` not among them.
    pub codecs: &'a [&'a str],
}

/// The values of `Type`.
const TYPES: &[(&str, &[System])] = &[
    ("simpleaes", &[]),
    ("widevine", &[System::Widevine]),
    ("fairplay", &[System::FairPlay]),
    ("playready", &[System::PlayReady]),
    ("widevine+fairplay", &[System::Widevine, System::FairPlay]),
    ("playready+fairplay", &[System::PlayReady, System::FairPlay]),
    ("widevine+playready", &[System::Widevine, System::PlayReady]),
    ("widevine+playready+fairplay", &[System::Widevine, System::PlayReady, System::FairPlay]),
];

/// Codecs whose samples the packager encrypts in MP4.
const CODECS: &[&str] = &["h264", "h265", "av1", "aac", "ac3", "eac3"];

/// The longest address.
const URL_BYTES: usize = 4096;

impl Package<'_> {
    fn is_dash(&self) -> bool {
        self.format == "MPEG-DASH"
    }

    fn is_single_file(&self) -> bool {
        self.is_dash() || self.segment_type.ends_with("byterange")
    }

    fn is_mp4(&self) -> bool {
        self.is_dash()
            || (self.segment_type.starts_with("mp4") && !self.segment_type.contains("packed-audio"))
    }
}

/// Checks `info`, the member `DrmInfo` of the item at `here`, against the package it shall encrypt.
///
/// Whether the key server's address may be called is for the guard of addresses to say.
///
/// # Errors
/// `MissingParameter`, and `InvalidParameterValue` naming the member.
pub fn from_wire(here: &str, info: &Value, package: Package<'_>) -> Result<Drm, ApiError> {
    let at = |member: &str| format!("{here}.DrmInfo.{member}");
    let kind = text(info, "Type").ok_or_else(|| missing(&at("Type")))?;
    let Some((_, systems)) = TYPES.iter().find(|(name, _)| *name == kind) else {
        let known: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
        return Err(value_of(
            "Type",
            format!("`{}` is one of {}, not {kind:?}", at("Type"), known.join(", ")),
        ));
    };
    let (own, other) =
        if systems.is_empty() { ("SimpleAesDrm", "SpekeDrm") } else { ("SpekeDrm", "SimpleAesDrm") };
    if !info[other].is_null() {
        return Err(value_of(
            other,
            format!("`{}` does not go with Type {kind}, which has {own}", at(other)),
        ));
    }
    if info[own].is_null() {
        return Err(missing(&at(own)));
    }
    let unfit = |told: String| value_of("Type", format!("`{}` {kind} {told}", at("Type")));
    if systems.is_empty() {
        check_simple(package).map_err(unfit)?;
        return simple(&at(own), &info[own]).map(Drm::SimpleAes);
    }
    check_systems(package, systems).map_err(unfit)?;
    speke(&at(own), &info[own], systems, !package.is_dash()).map(Drm::Speke)
}

fn check_simple(package: Package<'_>) -> Result<(), String> {
    if package.is_dash() {
        return Err("is for HLS, not for MPEG-DASH".to_owned());
    }
    if package.is_single_file() {
        return Err(format!("needs a file for each segment, unlike SegmentType {}", package.segment_type));
    }
    Ok(())
}

fn check_systems(package: Package<'_>, systems: &[System]) -> Result<(), String> {
    if package.is_dash() && systems.contains(&System::FairPlay) {
        return Err("is for HLS, not for MPEG-DASH".to_owned());
    }
    if !package.is_mp4() {
        return Err(format!("needs segments of mp4, unlike SegmentType {}", package.segment_type));
    }
    match package.codecs.iter().find(|codec| !CODECS.contains(codec)) {
        Some(codec) => Err(format!("cannot encrypt {codec}; it can {}", CODECS.join(", "))),
        None => Ok(()),
    }
}

fn simple(at: &str, value: &Value) -> Result<SimpleAes, ApiError> {
    let uri = required(at, value, "Uri")?;
    // It becomes a quoted word of a playlist.
    if uri.len() > URL_BYTES || uri.chars().any(|c| c == '"' || c.is_control() || c.is_whitespace()) {
        let told = format!("`{at}.Uri` is at most {URL_BYTES} bytes without spaces and quotation marks");
        return Err(value_of("Uri", told));
    }
    let key = required(at, value, "Key")?;
    // The value is a key, so it is not repeated.
    Key::parse(key).map_err(|_| value_of("Key", format!("`{at}.Key` must be 32 hexadecimal digits")))?;
    let iv = text(value, "Vector").map(|text| vector(at, text)).transpose()?;
    Ok(SimpleAes { uri: uri.to_owned(), key: Secret::new(key), iv })
}

fn speke(at: &str, value: &Value, systems: &[System], is_hls: bool) -> Result<Speke, ApiError> {
    let resource_id = required(at, value, "ResourceId")?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if resource_id.len() > 128 || !resource_id.chars().all(is_plain) {
        let told = format!("`{at}.ResourceId` has 1 to 128 letters, digits, underscores and hyphens");
        return Err(value_of("ResourceId", told));
    }
    let key_server_url = required(at, value, "KeyServerUrl")?;
    check_url(at, key_server_url)?;
    Ok(Speke {
        systems: systems.to_vec(),
        resource_id: resource_id.to_owned(),
        key_server_url: Secret::new(key_server_url),
        iv: vector(at, required(at, value, "Vector")?)?,
        scheme: scheme(at, value, systems)?,
        preset: preset(at, value)?,
        is_hls,
    })
}

/// The value may hold a ticket, so it is not repeated.
fn check_url(at: &str, url: &str) -> Result<(), ApiError> {
    let refused = |told: &str| Err(value_of("KeyServerUrl", format!("`{at}.KeyServerUrl` {told}")));
    let Some((scheme, rest)) = url.split_once("://") else {
        return refused("must be a URL that begins with http:// or https://");
    };
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return refused("must begin with http:// or https://");
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.rsplit('@').next().unwrap_or_default().trim_start_matches(':').is_empty() {
        return refused("names no host");
    }
    if url.len() > URL_BYTES || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return refused(&format!("has at most {URL_BYTES} bytes and no spaces"));
    }
    Ok(())
}

fn scheme(at: &str, value: &Value, systems: &[System]) -> Result<Scheme, ApiError> {
    let has_fairplay = systems.contains(&System::FairPlay);
    match text(value, "EncryptionMethod") {
        Some("cenc") if has_fairplay => {
            let told = format!("`{at}.EncryptionMethod` cenc does not go with fairplay, which needs cbcs");
            Err(value_of("EncryptionMethod", told))
        }
        Some("cenc") => Ok(Scheme::Cenc),
        Some("cbcs") => Ok(Scheme::Cbcs),
        None => Ok(if has_fairplay { Scheme::Cbcs } else { Scheme::Cenc }),
        Some(other) => {
            let told = format!("`{at}.EncryptionMethod` is cenc or cbcs, not {other:?}");
            Err(value_of("EncryptionMethod", told))
        }
    }
}

fn preset(at: &str, value: &Value) -> Result<Preset, ApiError> {
    match text(value, "EncryptionPreset") {
        None | Some("preset0") => Ok(Preset::OneKey),
        Some("preset1") => Ok(Preset::KeyPerStream),
        Some(other) => {
            let told = format!("`{at}.EncryptionPreset` is preset0 or preset1, not {other:?}");
            Err(value_of("EncryptionPreset", told))
        }
    }
}

fn vector(at: &str, text: &str) -> Result<Iv, ApiError> {
    Iv::parse(text).map_err(|_| value_of("Vector", format!("`{at}.Vector` must be 32 hexadecimal digits")))
}

/// A member that says something; an empty one is none.
fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value[member].as_str().filter(|text| !text.is_empty())
}

fn required<'a>(at: &str, value: &'a Value, member: &str) -> Result<&'a str, ApiError> {
    match value[member].as_str() {
        Some("") => Err(value_of(member, format!("`{at}.{member}` is empty"))),
        Some(text) => Ok(text),
        None => Err(missing(&format!("{at}.{member}"))),
    }
}

fn missing(path: &str) -> ApiError {
    missing_parameter(format!("`{path}` is required"))
}
