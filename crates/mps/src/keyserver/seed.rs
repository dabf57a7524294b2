//! What all keys follow from.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use hmac::{Hmac, Mac as _};
use mps_core::Secret;
use mps_media::drm::{Key, Kid};
use sha2::Sha256;

/// The shortest seed, in characters.
const SHORTEST: usize = 16;

/// A text that nobody else knows.
#[derive(Debug)]
pub struct Seed(Secret);

impl Seed {
    /// Takes a text of at least 16 characters.
    ///
    /// # Errors
    /// When it is shorter.
    pub fn new(text: &str) -> anyhow::Result<Self> {
        anyhow::ensure!(text.len() >= SHORTEST, "a seed has at least {SHORTEST} characters");
        Ok(Self(Secret::new(text)))
    }

    /// Reads the seed in a file; a file that is not there is made, for its owner alone, with a seed by chance.
    ///
    /// # Errors
    /// When the file cannot be read or made, or its seed is too short.
    pub fn of_file(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::new(text.trim()).with_context(|| format!("the seed in {shown} is no good")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let mut bytes = [0; 32];
                getrandom::fill(&mut bytes).context("cannot make a seed")?;
                let text = hex::encode(bytes);
                let mut options = std::fs::OpenOptions::new();
                let file = options.write(true).create_new(true).mode(0o600).open(path);
                let mut file = file.with_context(|| format!("cannot make {shown}"))?;
                writeln!(file, "{text}").with_context(|| format!("cannot write {shown}"))?;
                Self::new(&text)
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {shown}")),
        }
    }

    /// The key of this id.
    pub fn key(&self, kid: Kid) -> Key {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.reveal().as_bytes()).expect("HMAC takes any length");
        mac.update(b"mps content key\0");
        mac.update(kid.bytes());
        let digest = zeroize::Zeroizing::new(<[u8; 32]>::from(mac.finalize().into_bytes()));
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Key::new(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_an_id_make_one_key() {
        let (one, other) =
            (Seed::new("a seed of this test").unwrap(), Seed::new("b seed of this test").unwrap());
        let (first, second) = (Kid::from([1; 16]), Kid::from([2; 16]));
        assert_eq!(one.key(first), Seed::new("a seed of this test").unwrap().key(first));
        assert!(one.key(first) != one.key(second) && one.key(first) != other.key(first));
        assert!(Seed::new("short").is_err() && !format!("{one:?}").contains("test"));
    }

    #[test]
    fn a_file_keeps_the_seed_for_the_next_start() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seed");
        let kid = Kid::from([1; 16]);
        let first = Seed::of_file(&path).unwrap().key(kid);
        assert_eq!(first, Seed::of_file(&path).unwrap().key(kid));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, "short\n").unwrap();
        assert!(Seed::of_file(&path).is_err());
    }
}
