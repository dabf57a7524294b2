//! Encryption of streams: what a call may ask for, the document that fetches the keys, what the packager is told, and
//! what playlists and manifests say about it.
//!
//! Two kinds of it exist. *Simple AES* encrypts whole segments of HLS with a key that the call brings along
//! ([`aes128`]). *SPEKE* asks a key server of the caller's vendor for keys ([`cpix`]), has the packager encrypt the
//! samples with them ([`packager`]) and writes the vendor's signals into playlists ([`hls`]), manifests ([`mpd`]) and
//! files ([`moov`]). Licences are the vendor's; nothing here makes one.
//!
//! Keys are in [`keys::KeySet`] alone, and in the text that [`packager::flags`] gives for standard input. Neither is
//! ever part of a plan, a result or a message.

pub mod aes128;
pub mod cpix;
mod from_wire;
pub mod hls;
pub mod keys;
pub mod moov;
pub mod mpd;
pub mod packager;
pub mod pssh;
pub mod tracks;

#[cfg(test)]
mod from_wire_tests;

use std::fmt;

use mps_core::Secret;
use serde::{Deserialize, Serialize};

pub use from_wire::{Package, from_wire};
pub use keys::{ContentKey, Iv, Key, KeySet, Kid, SystemData};

/// How a package is to be encrypted; part of a step's params.
///
/// It is stored with them, in clear like the key pairs of storages, because a step must be able to run again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Drm {
    /// Whole segments by AES-128, with the call's own key.
    SimpleAes(SimpleAes),
    /// Samples by Common Encryption, with keys of a key server.
    Speke(Speke),
}

/// AES-128 of whole segments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimpleAes {
    /// Where players fetch the key; written into playlists as it is.
    pub uri: String,
    /// The key: 32 hex digits.
    pub key: Secret,
    /// The initialisation vector; without one it is a segment's number.
    pub iv: Option<Iv>,
}

impl Drm {
    /// Whether samples are encrypted, which needs the packager and tracks apart.
    pub const fn is_of_samples(&self) -> bool {
        matches!(self, Self::Speke(_))
    }
}

/// Common Encryption with keys of a server that speaks SPEKE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speke {
    /// The systems that shall be able to play it, each once.
    pub systems: Vec<System>,
    /// The content's id, by which vendor and player know it: 1 to 128 of `[A-Za-z0-9_-]`.
    pub resource_id: String,
    /// The key server's address, used as it is; its query holds a ticket.
    pub key_server_url: Secret,
    /// The initialisation vector.
    pub iv: Iv,
    /// How samples are encrypted.
    pub scheme: Scheme,
    /// Which tracks share a key.
    pub preset: Preset,
    /// Whether playlists of HLS are made, for which the server has signals too.
    pub is_hls: bool,
}

/// A system of licences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// Google's.
    Widevine,
    /// Microsoft's.
    PlayReady,
    /// Apple's; for HLS alone.
    FairPlay,
    /// The browsers' own, without protection of the key: for tests. Never asked for, but told if a server offers it.
    ClearKey,
}

impl System {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Widevine, Self::PlayReady, Self::FairPlay, Self::ClearKey];

    /// Its id, as in `pssh` boxes and, with hyphens, in manifests. ClearKey goes by that of the common box.
    pub const fn id(self) -> [u8; 16] {
        let id: u128 = match self {
            Self::Widevine => 0xedef_8ba9_79d6_4ace_a3c8_27dc_d51d_21ed,
            Self::PlayReady => 0x9a04_f079_9840_4286_ab92_e65b_e088_5f95,
            Self::FairPlay => 0x94ce_86fb_07ff_4f43_adb8_93d2_fa96_8ca2,
            Self::ClearKey => 0x1077_efec_c0b2_4d02_ace3_3c1e_52e2_fb4b,
        };
        id.to_be_bytes()
    }

    /// The system of this id.
    pub fn of_id(id: [u8; 16]) -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.id() == id)
    }

    /// The id as a URN and in documents: 8-4-4-4-12.
    pub fn uuid(self) -> String {
        Kid::from(self.id()).to_string()
    }

    /// `KEYFORMAT` of its lines in playlists.
    pub const fn key_format(self) -> &'static str {
        match self {
            Self::Widevine => "urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",
            Self::PlayReady => "com.microsoft.playready",
            Self::FairPlay => "com.apple.streamingkeydelivery",
            Self::ClearKey => "org.w3.clearkey",
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Widevine => "Widevine",
            Self::PlayReady => "PlayReady",
            Self::FairPlay => "FairPlay",
            Self::ClearKey => "ClearKey",
        })
    }
}

/// How samples are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// AES in counter mode, all of each sample.
    Cenc,
    /// AES in block chaining mode, one block of ten in pictures.
    Cbcs,
}

impl Scheme {
    /// Its four letters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cenc => "cenc",
            Self::Cbcs => "cbcs",
        }
    }

    /// `METHOD` of lines in playlists.
    pub const fn method(self) -> &'static str {
        match self {
            Self::Cenc => "SAMPLE-AES-CTR",
            Self::Cbcs => "SAMPLE-AES",
        }
    }
}

/// Which tracks share a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// All.
    OneKey,
    /// Those of one sub stream.
    KeyPerStream,
}
