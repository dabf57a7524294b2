//! A package on its way through a step that encrypts it: keys before the tools run, signals and segments after.
//!
//! Keys live in a [`Seal`] alone, and it lives as long as its step.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use mps_backends::keys::Client;
use mps_core::{Error, Kind, Result, Secret};
use mps_media::drm::tracks::{Track, key_of_each};
use mps_media::drm::{ContentKey, Drm, Iv, Key, KeySet, SimpleAes, Speke, hls, mpd, packager};
use mps_media::hls::Piece;
use mps_media::package::Text;
use mps_media::plan::{Encrypted, Role};
use tokio_util::sync::CancellationToken;

use crate::encrypt;

/// How the package of a plan is encrypted.
#[derive(Default)]
pub(crate) enum Seal {
    /// Not at all.
    #[default]
    Clear,
    /// Whole segments.
    Segments { aes: SimpleAes, key: Key, parts: Vec<Encrypted> },
    /// Samples, by the packager.
    Samples(Box<Samples>),
}

pub(crate) struct Samples {
    speke: Speke,
    parts: Vec<Encrypted>,
    tracks: Vec<Track>,
    keys: Arc<KeySet>,
    /// The place in `keys` of each part's.
    key_of_each: Vec<usize>,
}

impl Seal {
    /// Gets the keys that `drm` needs for these parts.
    pub(crate) async fn open(
        client: &Client,
        drm: Option<Drm>,
        parts: &[Encrypted],
        cancel: &CancellationToken,
    ) -> Result<Self> {
        let parts = parts.to_vec();
        match drm {
            None => Ok(Self::Clear),
            Some(Drm::SimpleAes(aes)) => {
                let key = Key::parse(aes.key.reveal())?;
                Ok(Self::Segments { aes, key, parts })
            }
            Some(Drm::Speke(speke)) => {
                let tracks: Vec<Track> = parts.iter().map(|part| part.track.clone()).collect();
                let keys = tokio::select! {
                    biased;
                    () = cancel.cancelled() => return Err(Error::new(Kind::Cancelled, "the step was told to stop")),
                    keys = encrypt::keys(client, &speke, &tracks) => Arc::new(keys?),
                };
                let key_of_each = key_of_each(&speke, &tracks);
                Ok(Self::Samples(Box::new(Samples { speke, parts, tracks, keys, key_of_each })))
            }
        }
    }

    /// What a command that reads keys is told.
    pub(crate) fn flags(&self) -> Result<Secret> {
        match self {
            Self::Samples(samples) => packager::flags(&samples.speke, &samples.tracks, &samples.keys),
            _ => Err(Error::internal("a plan reads keys that its step does not have")),
        }
    }

    /// Brings what the packaged files in `folder` tell players in line with the key server's answer.
    pub(crate) async fn sign_files(&self, folder: &Path) -> Result<()> {
        let Self::Samples(samples) = self else { return Ok(()) };
        for (nth, part) in samples.parts.iter().enumerate() {
            let (path, own, keys) =
                (folder.join(&part.file), samples.key(nth)?.clone(), samples.keys.clone());
            blocking(move || encrypt::keep_own_signals(&path, &own, &keys)).await?;
        }
        Ok(())
    }

    /// The same for playlists and manifests.
    pub(crate) fn sign_texts(&self, texts: &mut [Text]) -> Result<()> {
        for Text { text, part, role, .. } in texts {
            match (self, *part) {
                (Self::Segments { aes, parts, .. }, Some(part)) if part < parts.len() => {
                    *text = hls::sign_simple(text, aes);
                }
                (Self::Samples(samples), Some(part)) if part < samples.parts.len() => {
                    *text = hls::sign(text, samples.key(part)?, samples.speke.scheme);
                }
                (Self::Samples(samples), None) if *role == Role::Playlist && !samples.speke.is_hls => {
                    *text = mpd::sign(text, &samples.keys)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What is put for the `nth` of `pieces`: it, or an encrypted copy in `folder` that is of no use afterwards.
    pub(crate) async fn sealed<'a>(
        &self,
        folder: &Path,
        pieces: &'a [Piece],
        nth: usize,
    ) -> Result<Cow<'a, Piece>> {
        let piece = &pieces[nth];
        let Self::Segments { aes, key, parts } = self else { return Ok(Cow::Borrowed(piece)) };
        if piece.role == Role::Init || !parts.iter().any(|part| part.file == piece.file) {
            return Ok(Cow::Borrowed(piece));
        }
        let is_before = |other: &&Piece| other.file == piece.file && other.role != Role::Init;
        let sequence = pieces[..nth].iter().filter(is_before).count() as u64;
        let (key, iv) = (key.clone(), aes.iv.unwrap_or_else(|| Iv::of_segment(sequence)));
        // A store may keep the file itself, so each has its own.
        let file = format!("sealed-{nth}");
        let (from, to) = (folder.join(&piece.file), folder.join(&file));
        let range = piece.range.map(|range| (range.offset, range.offset + range.length));
        blocking(move || encrypt::segment(&from, range, &to, &key, &iv)).await?;
        Ok(Cow::Owned(Piece { file, range: None, ..piece.clone() }))
    }
}

impl Samples {
    fn key(&self, part: usize) -> Result<&ContentKey> {
        let key = self.key_of_each.get(part).and_then(|place| self.keys.0.get(*place));
        key.ok_or_else(|| Error::internal("a part has no key"))
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| Error::internal("the encryption of a package broke off").because(e))?
}
