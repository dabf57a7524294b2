//! Keys and their ids. What prints a key prints stars, and what held one is cleared.

use std::fmt;

use mps_core::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::System;

/// The id of a key: no secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kid([u8; 16]);

impl Kid {
    /// The id that we give to the key `label` of the content `resource_id`: always the same one.
    pub fn derived(resource_id: &str, label: &str) -> Self {
        let digest = Sha256::digest(format!("mps key id\0{resource_id}\0{label}"));
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        // Version 8 and variant 1: a UUID of one's own making.
        id[6] = id[6] & 0x0f | 0x80;
        id[8] = id[8] & 0x3f | 0x80;
        Self(id)
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// 32 hex digits.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }

    /// Reads 32 hex digits with or without hyphens.
    ///
    /// # Errors
    /// `InvalidInput` for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        sixteen(&text.replace('-', "")).map(Self)
    }
}

impl From<[u8; 16]> for Kid {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

/// 8-4-4-4-12.
impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = self.hex();
        let (parts, mut at) = ([8, 4, 4, 4, 12], 0);
        for (nth, length) in parts.into_iter().enumerate() {
            let hyphen = if nth == 0 { "" } else { "-" };
            write!(f, "{hyphen}{}", &hex[at..at + length])?;
            at += length;
        }
        Ok(())
    }
}

impl fmt::Debug for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kid({self})")
    }
}

/// An initialisation vector: no secret either.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Iv([u8; 16]);

impl Iv {
    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// 32 hex digits.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }

    /// Reads 32 hex digits.
    ///
    /// # Errors
    /// `InvalidInput` for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        sixteen(text).map(Self)
    }

    /// The vector of the segment of this number, where a playlist names none.
    pub fn of_segment(number: u64) -> Self {
        Self(u128::from(number).to_be_bytes())
    }

    /// Where counting begins for one of several tracks that share a key.
    ///
    /// Two tracks must not count over the same numbers: their encrypted bytes would tell each other's.
    pub fn counter_of(&self, label: &str) -> [u8; 8] {
        let mut hasher = Sha256::new();
        hasher.update(self.0);
        hasher.update(label);
        let digest = hasher.finalize();
        let mut counter = [0; 8];
        counter.copy_from_slice(&digest[..8]);
        counter
    }
}

impl From<[u8; 16]> for Iv {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Iv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iv({})", self.hex())
    }
}

impl Serialize for Iv {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.hex())
    }
}

impl<'de> Deserialize<'de> for Iv {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A key of 128 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Zeroizing<[u8; 16]>);

impl Key {
    /// Takes 16 bytes.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads 32 hex digits.
    ///
    /// # Errors
    /// `InvalidInput` for anything else, without repeating it.
    pub fn parse(text: &str) -> Result<Self> {
        sixteen(text).map(Self::new)
    }

    /// The bytes themselves. The name is there to be searched for.
    pub fn reveal(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(******)")
    }
}

/// A key with everything that goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentKey {
    /// Its id, ours or the server's.
    pub kid: Kid,
    /// The key.
    pub key: Key,
    /// The vector that its tracks begin with.
    pub iv: Iv,
    /// What players of each system are told; each system once.
    pub systems: Vec<SystemData>,
}

/// What players of one system are told about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemData {
    /// Which.
    pub system: System,
    /// One or more whole `pssh` boxes of that system; FairPlay has none.
    pub pssh: Option<Vec<u8>>,
    /// Where its line in a playlist leads, such as `skd://…`, where the server said so.
    pub key_uri: Option<String>,
}

/// The keys of a package, in the order in which they were wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet(pub Vec<ContentKey>);

impl KeySet {
    /// The key of this id.
    pub fn find(&self, kid: Kid) -> Option<&ContentKey> {
        self.0.iter().find(|key| key.kid == kid)
    }
}

fn sixteen(text: &str) -> Result<[u8; 16]> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| Error::invalid("not 32 hexadecimal digits"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_printed() {
        let key = Key::parse("00112233445566778899aabbccddeeff").unwrap();
        let content = ContentKey { kid: Kid::from([1; 16]), key, iv: Iv::from([2; 16]), systems: Vec::new() };
        let told = format!("{:?}", KeySet(vec![content]));
        assert!(told.contains("Key(******)") && !told.contains("0011"), "{told}");
        assert!(!Key::parse("zz112233445566778899aabbccddeeff").unwrap_err().chain().contains("zz"));
    }

    #[test]
    fn the_same_content_has_the_same_ids_and_each_label_its_own() {
        let kid = Kid::derived("film-1", "ALL");
        assert_eq!(kid, Kid::derived("film-1", "ALL"));
        assert_ne!(kid, Kid::derived("film-1", "SD"));
        assert_ne!(kid, Kid::derived("film-2", "ALL"));
        assert_ne!(Kid::derived("a", "bc"), Kid::derived("ab", "c"));
        assert_eq!((kid.bytes()[6] >> 4, kid.bytes()[8] >> 6), (8, 2));
        assert_eq!(Kid::parse(&kid.to_string()).unwrap(), kid);
    }

    #[test]
    fn tracks_of_one_key_count_from_places_of_their_own() {
        let iv = Iv::from([7; 16]);
        assert_ne!(iv.counter_of("video-1"), iv.counter_of("video-2"));
        assert_eq!(Iv::of_segment(258).hex(), "00000000000000000000000000000102");
    }
}
