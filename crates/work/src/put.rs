//! Putting the files of a step into their stores: staged first, visible together.
//!
//! A store of others is told of small objects only when they become visible, so these wait in the step's folder and not
//! in memory. Several are sent at once; what names others comes behind them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use crate::seal::Seal;
use bytes::Bytes;
use futures::{TryStreamExt as _, stream};
use md5::{Digest, Md5};
use mps_backends::objects::{Finished, ObjectStore, PutOptions};
use mps_core::task::Fault;
use mps_core::{Blame, Error, Kind, Result, crash};
use mps_media::features::Object;
use mps_media::hls;
use mps_media::plan::{Output, Role};
use mps_store::objects::PublishObject;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

#[cfg(test)]
mod tests;

/// An object that was staged, complete and still invisible.
pub(crate) struct Put {
    /// Its key, beginning with `/`.
    pub(crate) key: String,
    /// Its bytes.
    pub(crate) size_bytes: u64,
    /// MD5 of its bytes in lower-case hex.
    pub(crate) md5: String,
    /// What it is for.
    pub(crate) role: Role,
    ready: Ready,
}

/// How far an object is.
enum Ready {
    /// It is in the store, and invisible.
    Staged(Finished),
    /// Its bytes lie here until it is to become visible.
    Here(Content, PutOptions),
}

impl Put {
    fn told(&self) -> Object<'_> {
        Object { key: &self.key, size_bytes: self.size_bytes, md5: &self.md5, role: self.role }
    }
}

/// What a step staged. Dropping it makes nothing visible.
#[derive(Default)]
pub(crate) struct Staged {
    puts: Vec<Put>,
    playlist_us: i64,
}

impl Staged {
    /// Length of the playlist in microseconds; 0 when there is none.
    pub(crate) fn playlist_us(&self) -> i64 {
        self.playlist_us
    }

    /// What was staged, in the order of the plan.
    pub(crate) fn objects(&self) -> Vec<Object<'_>> {
        self.puts.iter().map(Put::told).collect()
    }

    async fn pieces(
        &mut self,
        store: &dyn ObjectStore,
        folder: &Path,
        pieces: &[hls::Piece],
        seal: &Seal,
    ) -> Result<()> {
        for nth in 0..pieces.len() {
            let piece = seal.sealed(folder, pieces, nth).await?;
            let path = folder.join(&piece.file);
            let bytes = match piece.range {
                None => Content::File(path),
                Some(range) => Content::Stretch(path, range),
            };
            self.puts.push(one(store, &piece.key, &piece.content_type, piece.role, bytes).await?);
            // A copy that still waits is needed until the folder goes.
            let waits = self.puts.last().is_some_and(|put| matches!(put.ready, Ready::Here(..)));
            if let (Cow::Owned(copy), false) = (&piece, waits) {
                let failed = |e| Error::internal("cannot remove a copy of a segment").because(e);
                tokio::fs::remove_file(folder.join(&copy.file)).await.map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Makes what lies in a store of others visible, and gives the rows that are to be published with the step.
    ///
    /// Playlists and indexes come last and those that name others at the very end, so that nobody sees one whose files
    /// are missing.
    pub(crate) async fn commit(self, store: &dyn ObjectStore) -> Result<Vec<PublishObject>> {
        let mut rows = Vec::new();
        let mut rounds: [Vec<Put>; 3] = Default::default();
        for put in self.puts {
            let round = match put.role {
                Role::Main | Role::Segment | Role::Init => 0,
                Role::SubPlaylist => 1,
                Role::Playlist | Role::Index => 2,
            };
            match put.ready {
                Ready::Staged(Finished::Publish(row)) => rows.push((round, row)),
                _ => rounds[round].push(put),
            }
        }
        rows.sort_by_key(|(round, _)| *round);
        for round in rounds {
            let sent = stream::iter(round.into_iter().map(Ok));
            sent.try_for_each_concurrent(AT_ONCE, |put| put.commit(store)).await?;
        }
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }
}

/// Objects that are sent at the same time.
const AT_ONCE: usize = 8;

impl Put {
    async fn commit(self, store: &dyn ObjectStore) -> Result<()> {
        let finished = match self.ready {
            Ready::Staged(finished) => finished,
            Ready::Here(content, options) => content.stage(store, &self.key, options).await?,
        };
        let Finished::Pending(commit) = finished else {
            return Err(Error::internal("a store that sends late has rows of ours"));
        };
        crash::point("before-commit");
        commit.commit().await?;
        crash::point("after-commit");
        Ok(())
    }
}

/// Stages what the outputs of a plan became in `folder`.
pub(crate) async fn stage(
    store: &dyn ObjectStore,
    folder: &Path,
    outputs: &[Output],
    seal: &Seal,
) -> Result<Staged> {
    let mut staged = Staged::default();
    for output in outputs {
        match output {
            Output::File { file, key, content_type, role } => {
                let bytes = Content::File(folder.join(file));
                staged.puts.push(one(store, key, content_type, *role, bytes).await?);
            }
            Output::Text { text, key, content_type, role } => {
                let text = Content::Text(text.clone());
                staged.puts.push(one(store, key, content_type, *role, text).await?);
            }
            Output::Hls { file, packaging } => {
                let finished = packaging.finish(&text_of(folder, file).await?)?;
                let playlist = hls::Playlist::parse(&finished.playlist)?;
                staged.playlist_us += playlist.segments.iter().map(|s| s.duration_us).sum::<i64>();
                staged.pieces(store, folder, &finished.pieces, &Seal::Clear).await?;
                let text = Content::Text(finished.playlist);
                let key = &packaging.playlist_key;
                staged.puts.push(one(store, key, hls::PLAYLIST_TYPE, Role::Playlist, text).await?);
            }
            Output::Package { package } => {
                let mut texts = BTreeMap::new();
                for file in package.reads() {
                    texts.insert(file.to_owned(), text_of(folder, file).await?);
                }
                let mut finished = package.finish(&texts)?;
                seal.sign_texts(&mut finished.texts)?;
                staged.playlist_us += finished.duration_us;
                staged.pieces(store, folder, &finished.pieces, seal).await?;
                for text in finished.texts {
                    let content = Content::Text(text.text);
                    staged.puts.push(one(store, &text.key, text.content_type, text.role, content).await?);
                }
            }
        }
    }
    Ok(staged)
}

/// The most bytes of a text that a run leaves.
const MOST_TEXT_BYTES: u64 = 64 << 20;

/// A text that the run left.
async fn text_of(folder: &Path, file: &str) -> Result<String> {
    let path = folder.join(file);
    let found = tokio::fs::metadata(&path).await.map_err(|e| unreadable(&path).because(e))?;
    if found.len() > MOST_TEXT_BYTES {
        return Err(Error::new(Kind::Limit, format!("{file} is longer than {MOST_TEXT_BYTES} bytes")));
    }
    tokio::fs::read_to_string(&path).await.map_err(|e| unreadable(&path).because(e))
}

enum Content {
    File(std::path::PathBuf),
    Stretch(std::path::PathBuf, hls::ByteRange),
    Text(String),
}

async fn one(
    store: &dyn ObjectStore,
    key: &str,
    content_type: &str,
    role: Role,
    content: Content,
) -> Result<Put> {
    if let Content::File(path) = &content
        && !tokio::fs::try_exists(path).await.unwrap_or(true)
    {
        let told =
            "the source gave nothing for one of the outputs: it is broken there, or shorter than it says";
        return Err(Fault::Source.of(Error::invalid(told)));
    }
    let options = PutOptions { content_type: content_type.to_owned(), ..PutOptions::default() };
    if content.size_bytes().await? <= store.sends_late_bytes() {
        let (size_bytes, md5) = content.measure().await?;
        crash::point("after-put");
        return Ok(Put { key: key.to_owned(), size_bytes, md5, role, ready: Ready::Here(content, options) });
    }
    let finished = content.stage(store, key, options).await?;
    let (size_bytes, md5) = match &finished {
        Finished::Publish(row) => (row.size_bytes, row.md5.clone()),
        Finished::Pending(_) => content.measure().await?,
    };
    crash::point("after-put");
    Ok(Put { key: key.to_owned(), size_bytes, md5, role, ready: Ready::Staged(finished) })
}

impl Content {
    /// Puts it into the store, where it is not visible yet.
    async fn stage(&self, store: &dyn ObjectStore, key: &str, options: PutOptions) -> Result<Finished> {
        let mut sink = store.stage(key.trim_start_matches('/'), options).await?;
        let written = match self {
            Self::File(path) => sink.write_file(path).await,
            Self::Stretch(path, range) => write_stretch(&mut *sink, path, *range).await,
            Self::Text(text) => sink.write(Bytes::copy_from_slice(text.as_bytes())).await,
        };
        if let Err(error) = written {
            sink.abort().await;
            return Err(error);
        }
        sink.finish().await
    }

    async fn size_bytes(&self) -> Result<u64> {
        match self {
            Self::Stretch(_, range) => Ok(range.length),
            Self::Text(text) => Ok(text.len() as u64),
            Self::File(path) => {
                let found = tokio::fs::metadata(path).await.map_err(|e| unreadable(path).because(e))?;
                Ok(found.len())
            }
        }
    }

    /// Bytes, and the MD5 of what stands for itself; segments have none that anybody asks for.
    async fn measure(&self) -> Result<(u64, String)> {
        match self {
            Self::Stretch(_, range) => Ok((range.length, String::new())),
            Self::Text(text) => Ok((text.len() as u64, hex::encode(Md5::digest(text)))),
            Self::File(path) => {
                let path = path.clone();
                let measured = tokio::task::spawn_blocking(move || {
                    let mut file = std::fs::File::open(&path)?;
                    let mut md5 = Md5::new();
                    let size_bytes = std::io::copy(&mut file, &mut md5)?;
                    Ok::<_, std::io::Error>((size_bytes, hex::encode(md5.finalize())))
                });
                let failed = |e| Error::internal("cannot read what the run has left").because(e);
                measured.await.map_err(|e| Error::internal("the reader panicked").because(e))?.map_err(failed)
            }
        }
    }
}

const CHUNK: usize = 256 * 1024;

async fn write_stretch(
    sink: &mut dyn mps_backends::objects::Staged,
    path: &Path,
    range: hls::ByteRange,
) -> Result<()> {
    let mut file = tokio::fs::File::open(path).await.map_err(|e| unreadable(path).because(e))?;
    file.seek(std::io::SeekFrom::Start(range.offset)).await.map_err(|e| unreadable(path).because(e))?;
    let mut rest = file.take(range.length);
    loop {
        let mut chunk = bytes::BytesMut::with_capacity(CHUNK);
        let read = rest.read_buf(&mut chunk).await.map_err(|e| unreadable(path).because(e))?;
        if read == 0 {
            return Ok(());
        }
        sink.write(chunk.freeze()).await?;
    }
}

fn unreadable(path: &Path) -> Error {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Error::new(Kind::Internal, format!("the run left no readable {name}")).with_blame(Blame::Us)
}
