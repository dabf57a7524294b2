//! What a step does around the encryption of a package: it asks for the keys when it runs, holds them while it runs,
//! and stores them nowhere.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use mps_backends::keys::Client;
use mps_core::error::Kind;
use mps_core::{Error, Result};
use mps_media::drm::tracks::{Track, wanted};
use mps_media::drm::{ContentKey, Iv, Key, KeySet, Speke, aes128, cpix, moov};

/// The most bytes in front of a packaged file's first media: header and index of streams, with all boxes of keys.
const HEAD_BYTES: u64 = 16 << 20;
/// How much of a segment is in memory.
const PIECE_BYTES: usize = 256 << 10;
/// The fewest keys that a vendor is known to limit a content to.
const FEWEST_KEYS: usize = 5;

/// Asks the key server for the keys of `tracks`.
///
/// Errors: those of the client and of the reading of its answer, with the number of keys where that may be the reason.
pub async fn keys(client: &Client, speke: &Speke, tracks: &[Track]) -> Result<KeySet> {
    let wanted = wanted(speke, tracks);
    let count = wanted.len();
    if count > FEWEST_KEYS {
        tracing::warn!(
            resource_id = speke.resource_id,
            keys = count,
            "some vendors give fewer keys to a content"
        );
    }
    let question = cpix::write(speke, &wanted);
    match client.ask(&speke.key_server_url, &question, cpix::ANSWER_BYTES).await {
        Ok(answer) => cpix::read(&answer, speke, &wanted),
        Err(error) if error.kind() == Kind::InvalidInput && count > FEWEST_KEYS => {
            let told = format!("{error}; {count} keys were asked for, and some vendors give at most 5 or 9");
            Err(Error::invalid(told).because(error))
        }
        Err(error) => Err(error),
    }
}

/// Leaves in a packaged file what players are told about its own key, in place; see [`moov::keep_own`].
///
/// # Errors
/// `Internal` when the file is not one of the packager's, or cannot be written.
pub fn keep_own_signals(file: &Path, own: &ContentKey, keys: &KeySet) -> Result<()> {
    let failed = |e| Error::internal("cannot change the header of a packaged file").because(e);
    let file = std::fs::OpenOptions::new().read(true).write(true).open(file).map_err(failed)?;
    let length = header_bytes(&file).map_err(failed)?;
    let mut head = vec![0; length as usize];
    file.read_exact_at(&mut head, 0).map_err(failed)?;
    moov::keep_own(&mut head, own, keys)?;
    file.write_all_at(&head, 0).map_err(failed)
}

/// Encrypts a segment of Simple AES into a file of its own and tells its bytes. The segment is the whole of `from`, or
/// `range` of it, first byte and the one after the last.
///
/// # Errors
/// `Internal` when a file cannot be read or written, or is shorter than the range.
pub fn segment(from: &Path, range: Option<(u64, u64)>, to: &Path, key: &Key, iv: &Iv) -> Result<u64> {
    let failed = |e| Error::internal("cannot encrypt a segment").because(e);
    let mut from = std::fs::File::open(from).map_err(failed)?;
    let (first, end) = match range {
        Some(range) => range,
        None => (0, from.metadata().map_err(failed)?.len()),
    };
    from.seek(SeekFrom::Start(first)).map_err(failed)?;
    let mut to = std::fs::File::create(to).map_err(failed)?;
    let (mut segment, mut piece, mut out) = (aes128::Segment::new(key, iv), vec![0; PIECE_BYTES], Vec::new());
    let (mut left, mut written) = (end.saturating_sub(first), 0);
    while left > 0 {
        let wanted = left.min(PIECE_BYTES as u64) as usize;
        from.read_exact(&mut piece[..wanted]).map_err(failed)?;
        segment.push(&piece[..wanted], &mut out);
        to.write_all(&out).map_err(failed)?;
        left -= wanted as u64;
        written += out.len() as u64;
        out.clear();
    }
    segment.finish(&mut out);
    to.write_all(&out).map_err(failed)?;
    Ok(written + out.len() as u64)
}

/// Bytes to the end of the `moov` box, or as many as there may be.
fn header_bytes(file: &std::fs::File) -> std::io::Result<u64> {
    let whole = file.metadata()?.len();
    let mut at = 0;
    while at + 8 <= whole.min(HEAD_BYTES) {
        let mut head = [0; 8];
        file.read_exact_at(&mut head, at)?;
        let [a, b, c, d, name @ ..] = head;
        at += u64::from(u32::from_be_bytes([a, b, c, d])).max(8);
        if &name == b"moov" {
            break;
        }
    }
    Ok(at.min(whole).min(HEAD_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mps_media::drm::{Kid, System, SystemData, pssh};

    fn key(byte: u8) -> ContentKey {
        let kid = Kid::from([byte; 16]);
        let told =
            SystemData { system: System::ClearKey, pssh: Some(pssh::common(&[kid]).bytes()), key_uri: None };
        ContentKey { kid, key: Key::new([0; 16]), iv: Iv::from([0; 16]), systems: vec![told] }
    }

    fn boxed(name: &str, body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 8).to_be_bytes()[..], name.as_bytes(), body].concat()
    }

    #[test]
    fn only_the_header_of_a_file_is_changed() {
        let keys = KeySet(vec![key(1), key(2)]);
        let boxes: Vec<u8> = keys.0.iter().filter_map(|key| key.systems[0].pssh.clone()).flatten().collect();
        // What looks like a box of another key but is media stays as it is.
        let media = boxed("mdat", &boxes);
        let before = [boxed("ftyp", b"mp41"), boxed("moov", &boxes), media.clone()].concat();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mp4");
        std::fs::write(&path, &before).unwrap();
        keep_own_signals(&path, &keys.0[0], &keys).unwrap();
        let after = std::fs::read(&path).unwrap();
        assert_eq!(after.len(), before.len());
        assert!(after.ends_with(&media));
        let header = &after[..after.len() - media.len()];
        let has = |part: &[u8]| header.windows(part.len()).any(|window| window == part);
        assert!(has(keys.0[0].systems[0].pssh.as_ref().unwrap()));
        assert!(!has(keys.0[1].systems[0].pssh.as_ref().unwrap()) && has(b"free"));
    }

    #[test]
    fn a_file_that_is_none_of_the_packagers_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mp4");
        for bytes in [Vec::new(), b"text".to_vec(), vec![0xff; 100], boxed("ftyp", b"mp41")] {
            std::fs::write(&path, bytes).unwrap();
            keep_own_signals(&path, &key(1), &KeySet(vec![key(1)])).unwrap_err();
        }
        keep_own_signals(&folder.path().join("none"), &key(1), &KeySet(Vec::new())).unwrap_err();
    }

    #[test]
    fn a_stretch_of_a_file_is_encrypted_as_a_whole_segment() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("all.ts"), folder.path().join("1.ts"));
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
        std::fs::write(&from, &bytes).unwrap();
        let (key, iv) = (Key::new([3; 16]), Iv::of_segment(7));
        for range in [None, Some((0, 0)), Some((5, 21)), Some((100, 900_001)), Some((999_999, 1_000_000))] {
            let size = segment(&from, range, &to, &key, &iv).unwrap();
            let (first, end) = range.unwrap_or((0, 1_000_000));
            let wanted = aes128::encrypt(&key, &iv, &bytes[first as usize..end as usize]);
            assert_eq!(size, wanted.len() as u64);
            assert!(std::fs::read(&to).unwrap() == wanted, "{range:?}");
        }
        segment(&from, Some((0, 1_000_001)), &to, &key, &iv).unwrap_err();
    }
}
