//! Where the bytes of a key lie: a path that a person can find and that no key can lead elsewhere.
//!
//! `films/a b/main.mp4` becomes `buckets/<bucket>/films/a b/main~<version>.mp4`: the folders of the key, its name,
//! and a mark of the version before the extension, which stays last because tools judge files by it. What a file
//! system cannot hold is written differently: a control character, `%`, `~` and a leading dot as `%XX`, an empty
//! part as `%`, a part of more than 150 bytes cut with a hash, and a path of more than 2,000 bytes as a hash alone.
//! Two keys never share a path, since the version's mark is unique and `~` stands nowhere else.

use std::fmt::Write as _;

use md5::{Digest, Md5};

const PART_BYTES: usize = 150;
const PATH_BYTES: usize = 2_000;
const EXTENSION_BYTES: usize = 12;

/// The folder of a bucket below the data folder.
pub(super) fn bucket_folder(bucket: &str) -> String {
    format!("buckets/{}", part(bucket))
}

/// The path below the data folder for a version of `key`, marked by `mark`.
pub(super) fn blob(bucket: &str, key: &str, mark: &str) -> String {
    let (folders, name) = key.rsplit_once('/').map_or((None, key), |(folders, name)| (Some(folders), name));
    let mut path = bucket_folder(bucket);
    for folder in folders.into_iter().flat_map(|folders| folders.split('/')) {
        path.push('/');
        path.push_str(&part(folder));
    }
    if path.len() > PATH_BYTES {
        path = format!("{}/%long/{}", bucket_folder(bucket), hash(key));
    }
    let (stem, extension) = split_extension(name);
    let _ = write!(path, "/{}~{mark}{extension}", part(stem));
    path
}

/// The name and its extension with the dot, if it has one that is short and plain.
fn split_extension(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(at) if at > 0 => {
            let extension = &name[at + 1..];
            let is_plain = !extension.is_empty() && extension.bytes().all(|b| b.is_ascii_alphanumeric());
            if is_plain && extension.len() <= EXTENSION_BYTES { name.split_at(at) } else { (name, "") }
        }
        _ => (name, ""),
    }
}

/// One part of a path.
fn part(text: &str) -> String {
    if text.is_empty() {
        return "%".to_owned();
    }
    let mut safe = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if c.is_control() || matches!(c, '%' | '~' | '/' | '\\') || (at == 0 && c == '.') {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(safe, "%{byte:02X}");
            }
        } else {
            safe.push(c);
        }
    }
    if safe.len() <= PART_BYTES {
        return safe;
    }
    let cut = (0..=PART_BYTES).rev().find(|at| safe.is_char_boundary(*at)).unwrap_or(0);
    safe.truncate(cut);
    let _ = write!(safe, "%%{}", hash(text));
    safe
}

fn hash(text: &str) -> String {
    hex::encode(Md5::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(key: &str) -> String {
        blob("b-1", key, "00")
    }

    #[test]
    fn a_plain_key_can_be_recognised() {
        assert_eq!(path("films/a b/main.mp4"), "buckets/b-1/films/a b/main~00.mp4");
        assert_eq!(path("影片/片.MOV"), "buckets/b-1/影片/片~00.MOV");
        assert_eq!(path("README"), "buckets/b-1/README~00");
    }

    #[test]
    fn no_key_leaves_its_bucket() {
        assert_eq!(path("../../etc/passwd"), "buckets/b-1/%2E./%2E./etc/passwd~00");
        assert_eq!(path("/"), "buckets/b-1/%/%~00");
        assert_eq!(path("a/./.."), "buckets/b-1/a/%2E/%2E.~00");
        assert_eq!(path("a\0b"), "buckets/b-1/a%00b~00");
    }

    #[test]
    fn different_keys_have_different_folders() {
        let keys = ["a/b", "a//b", "a/b/", "a/%/b", "a/%25/b", "a~00/b", "a/./b", "a/%2E/b"];
        let paths: std::collections::BTreeSet<_> = keys.iter().map(|key| path(key)).collect();
        assert_eq!(paths.len(), keys.len());
    }

    #[test]
    fn a_file_can_never_stand_where_a_folder_must() {
        assert_ne!(path("a"), path("a~00/b").rsplit_once('/').unwrap().0);
    }

    #[test]
    fn parts_and_paths_stay_within_what_file_systems_hold() {
        let odd =
            ["x".repeat(1024), "é".repeat(512), "a/".repeat(512), "\u{1}".repeat(1024), "/".repeat(1024)];
        for key in odd.iter().chain(&[format!("{}/{}", "片".repeat(300), "y".repeat(100))]) {
            let path = path(key);
            assert!(path.len() < 2_500, "{} bytes", path.len());
            assert!(path.split('/').all(|part| !part.is_empty() && part.len() <= 255), "{path}");
        }
    }
}
