//! The `pssh` boxes inside a file: each track keeps those of its own key.
//!
//! The packager writes the boxes of all keys into every file. A player asks its licence server by what it finds first,
//! so in a file with another key it would ask for the wrong one. Boxes of other keys become `free` ones of the same
//! length: nothing moves, and offsets in playlists and manifests stay right.

use mps_core::{Error, Result};

use super::{ContentKey, KeySet};

/// Blanks the boxes of other keys. `head` is the beginning of a file, at least to the end of its `moov` box.
///
/// Tells how many boxes are left.
///
/// # Errors
/// `Internal` when the header is not whole or not that of a packaged file.
pub fn keep_own(head: &mut [u8], own: &ContentKey, keys: &KeySet) -> Result<usize> {
    let foreign: Vec<&[u8]> = keys
        .0
        .iter()
        .filter(|key| key.kid != own.kid)
        .flat_map(boxes_of)
        .filter(|foreign| !boxes_of(own).any(|own| own == *foreign))
        .collect();
    let moov = find(head)?;
    let (mut at, mut left) = (moov.start, 0);
    while at < moov.end {
        let (length, name) = header(head, at, moov.end)?;
        if &name == b"pssh" {
            if foreign.contains(&&head[at..at + length]) {
                head[at + 4..at + 8].copy_from_slice(b"free");
                head[at + 8..at + length].fill(0);
            } else {
                left += 1;
            }
        }
        at += length;
    }
    Ok(left)
}

/// The boxes of a key one by one, also where a server gave several together.
fn boxes_of(key: &ContentKey) -> impl Iterator<Item = &[u8]> {
    key.systems.iter().filter_map(|told| told.pssh.as_deref()).flat_map(|mut rest| {
        std::iter::from_fn(move || {
            let (length, _) = header(rest, 0, rest.len()).ok()?;
            let (first, after) = rest.split_at(length);
            rest = after;
            Some(first)
        })
    })
}

/// Where the content of `moov` lies.
fn find(head: &[u8]) -> Result<std::ops::Range<usize>> {
    let mut at = 0;
    loop {
        let (length, name) = header(head, at, head.len())?;
        if &name == b"moov" {
            return Ok(at + 8..at + length);
        }
        at += length;
    }
}

fn header(bytes: &[u8], at: usize, end: usize) -> Result<(usize, [u8; 4])> {
    let wrong = || Error::internal("a packaged file has no whole header");
    let head = bytes.get(at..(at + 8).min(end)).and_then(|head| <[u8; 8]>::try_from(head).ok());
    let [a, b, c, d, name @ ..] = head.ok_or_else(wrong)?;
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if length < 8 || length > end - at { Err(wrong()) } else { Ok((length, name)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drm::keys::{Iv, Key, Kid, SystemData};
    use crate::drm::{System, pssh};

    fn key(byte: u8) -> ContentKey {
        let kid = Kid::from([byte; 16]);
        let told = |system, boxes: Vec<u8>| SystemData { system, pssh: Some(boxes), key_uri: None };
        let mut widevine = pssh::widevine(kid, "f", crate::drm::Scheme::Cenc).bytes();
        widevine.extend(pssh::widevine(kid, "g", crate::drm::Scheme::Cenc).bytes());
        let systems =
            vec![told(System::Widevine, widevine), told(System::ClearKey, pssh::common(&[kid]).bytes())];
        ContentKey { kid, key: Key::new([0; 16]), iv: Iv::from([0; 16]), systems }
    }

    fn boxed(name: &str, body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 8).to_be_bytes()[..], name.as_bytes(), body].concat()
    }

    #[test]
    fn boxes_of_other_keys_are_blanked_where_they_stand() {
        let keys = KeySet(vec![key(1), key(2)]);
        let all: Vec<u8> = keys.0.iter().flat_map(boxes_of).flatten().copied().collect();
        let moov = [boxed("mvhd", &[7; 100]), all, boxed("trak", &[8; 50])].concat();
        let before = [boxed("ftyp", b"mp41"), boxed("moov", &moov), boxed("sidx", &[9; 20])].concat();
        let mut after = before.clone();
        assert_eq!(keep_own(&mut after, &keys.0[1], &keys).unwrap(), 3);
        assert_eq!(after.len(), before.len());
        let has = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(boxes_of(&keys.0[1]).all(|own| has(&after, own)));
        assert!(boxes_of(&keys.0[0]).all(|foreign| has(&before, foreign) && !has(&after, foreign)));
        assert_eq!(after.windows(4).filter(|window| window == b"free").count(), 3);
        assert!(has(&after, &boxed("trak", &[8; 50])) && has(&after, &boxed("mvhd", &[7; 100])));
    }

    #[test]
    fn a_header_that_is_cut_is_an_error() {
        let keys = KeySet(vec![key(1)]);
        let whole = [boxed("ftyp", b"mp41"), boxed("moov", &boxed("mvhd", &[0; 8]))].concat();
        for length in 0..whole.len() {
            assert!(keep_own(&mut whole[..length].to_vec(), &keys.0[0], &keys).is_err(), "{length}");
        }
        assert_eq!(keep_own(&mut whole.clone(), &keys.0[0], &keys).unwrap(), 0);
    }
}
