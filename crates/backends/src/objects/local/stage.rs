//! A version of an object on its way into a local bucket: a file in `staging`, then the blob in its final place,
//! durable and still invisible, because no row shows it.
//!
//! Beside the blob a note stays in `staging` until the row is stored: it names the blob, so that one whose row
//! never came is found without looking through all buckets.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use mps_core::{Result, crash};
use mps_store::objects::{Condition, Headers, Origin, PublishObject};
use serde::{Deserialize, Serialize};

use super::sink::{Scrap, Sink, failed, measure, off_thread};
use super::{LocalBuckets, paths};
use crate::objects::{Finished, Staged, content_type_of};

/// How an object of a local bucket is to be stored.
#[derive(Debug, Clone, Default)]
pub struct Put {
    /// Media type; empty lets the key's extension tell.
    pub content_type: String,
    /// What to keep besides the bytes.
    pub headers: Headers,
    /// What makes it.
    pub origin: Origin,
    /// What must hold for a present object when it is published.
    pub condition: Condition,
}

/// What the sweep must know of a blob that may have no row.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) blob_path: String,
}

/// A version on its way in. Dropped, it leaves nothing behind.
pub struct LocalStaged {
    buckets: LocalBuckets,
    bucket: String,
    key: String,
    put: Put,
    scrap: Scrap,
    content: Content,
}

enum Content {
    Nothing,
    Bytes(Sink),
    /// A finished file of the data folder, taken by a link.
    Linked {
        md5: [u8; 16],
        size_bytes: u64,
    },
}

impl LocalStaged {
    pub(super) fn new(buckets: LocalBuckets, bucket: &str, key: &str, put: Put) -> Result<Self> {
        let scrap = Scrap::new(buckets.staging().join(super::mark()?));
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        Ok(Self { buckets, bucket, key, put, scrap, content: Content::Nothing })
    }

    async fn sink(&mut self) -> Result<&mut Sink> {
        if !matches!(self.content, Content::Bytes(_)) {
            let path = self.scrap.path().to_owned();
            let was_linked = matches!(self.content, Content::Linked { .. });
            let taken = self.buckets.staging().join(super::mark()?);
            let (file, first) = off_thread(move || {
                let first = if was_linked {
                    fs::rename(&path, &taken).map_err(|error| failed("cannot stage an object", error))?;
                    Some(Scrap::new(taken))
                } else {
                    None
                };
                Ok((create(&path)?, first))
            })
            .await?;
            let mut sink = Sink::new(file, 0, None);
            if let Some(first) = first {
                sink.write_file(first.path()).await?;
            }
            self.content = Content::Bytes(sink);
        }
        match &mut self.content {
            Content::Bytes(sink) => Ok(sink),
            Content::Nothing | Content::Linked { .. } => unreachable!("set above"),
        }
    }

    /// Appends bytes.
    pub async fn append(&mut self, chunk: Bytes) -> Result<()> {
        self.sink().await?.write(chunk).await
    }

    /// Appends the bytes of a file, which is taken by a link when it is the first and lies in the data folder.
    pub async fn append_file(&mut self, path: &Path) -> Result<()> {
        if matches!(self.content, Content::Nothing) && path.starts_with(&self.buckets.0.data) {
            let (from, to) = (path.to_owned(), self.scrap.path().to_owned());
            let linked = off_thread(move || link(&from, &to)).await?;
            if let Some((md5, size_bytes)) = linked {
                self.content = Content::Linked { md5, size_bytes };
                return Ok(());
            }
        }
        self.sink().await?.write_file(path).await
    }

    /// Ends it: the bytes lie durable in their final place, and only the row is missing.
    pub async fn seal(mut self) -> Result<PublishObject> {
        if matches!(self.content, Content::Nothing) {
            self.sink().await?;
        }
        let (md5, size_bytes) = match self.content {
            Content::Nothing => unreachable!("a sink was made above"),
            Content::Linked { md5, size_bytes } => (md5, size_bytes),
            Content::Bytes(sink) => {
                let written = sink.finish().await?;
                (written.md5, written.size_bytes)
            }
        };
        let blob_path = self.buckets.settle(&self.bucket, &self.key, self.scrap).await?;
        let md5 = hex::encode(md5);
        Ok(self.buckets.describe(&self.bucket, &self.key, self.put, blob_path, size_bytes, md5.clone(), md5))
    }
}

#[async_trait]
impl Staged for LocalStaged {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.append(chunk).await
    }

    async fn write_file(&mut self, path: &Path) -> Result<()> {
        self.append_file(path).await
    }

    async fn finish(self: Box<Self>) -> Result<Finished> {
        Ok(Finished::Publish((*self).seal().await?))
    }

    async fn abort(self: Box<Self>) {
        drop(self);
    }
}

impl LocalBuckets {
    /// Moves a whole and durable staged file to the place of a blob, leaving a note; gives the blob's path.
    pub(super) async fn settle(&self, bucket: &str, key: &str, staged: Scrap) -> Result<String> {
        let mark = super::mark()?;
        let blob_path = paths::blob(bucket, key, &mark);
        let note = Note { bucket: bucket.to_owned(), key: key.to_owned(), blob_path: blob_path.clone() };
        let (data, note_path) = (self.0.data.clone(), self.note_path(&blob_path));
        off_thread(move || {
            let text = serde_json::to_vec(&note).unwrap_or_default();
            fs::write(note_path, text).map_err(|error| failed("cannot note an object", error))?;
            crash::point("after-note");
            into_place(&data, staged.path(), &data.join(&note.blob_path), |from, to| fs::rename(from, to))?;
            staged.keep();
            crash::point("after-blob");
            Ok(())
        })
        .await?;
        Ok(blob_path)
    }

    /// Gives a blob a second name, for a copy of its object; gives the new path.
    pub(super) async fn settle_link(&self, bucket: &str, key: &str, from: PathBuf) -> Result<String> {
        let blob_path = paths::blob(bucket, key, &super::mark()?);
        let note = Note { bucket: bucket.to_owned(), key: key.to_owned(), blob_path: blob_path.clone() };
        let (data, note_path) = (self.0.data.clone(), self.note_path(&blob_path));
        off_thread(move || {
            let text = serde_json::to_vec(&note).unwrap_or_default();
            fs::write(note_path, text).map_err(|error| failed("cannot note an object", error))?;
            into_place(&data, &from, &data.join(&note.blob_path), link_or_copy)
        })
        .await?;
        Ok(blob_path)
    }

    /// The note of a blob: its version's mark.
    pub(super) fn note_path(&self, blob_path: &str) -> PathBuf {
        let mark =
            blob_path.rsplit_once('~').map_or(blob_path, |(_, tail)| tail.split('.').next().unwrap_or(tail));
        self.staging().join(format!("{mark}.note"))
    }

    #[expect(clippy::too_many_arguments, reason = "the members of one value")]
    pub(super) fn describe(
        &self,
        bucket: &str,
        key: &str,
        put: Put,
        blob_path: String,
        size_bytes: u64,
        etag: String,
        md5: String,
    ) -> PublishObject {
        let Put { content_type, headers, origin, condition } = put;
        let content_type =
            if content_type.is_empty() { content_type_of(key).to_owned() } else { content_type };
        PublishObject {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            blob_path,
            size_bytes,
            etag,
            md5,
            content_type,
            meta: headers.to_value(),
            created_ms: self.0.clock.now_ms(),
            origin,
            condition,
        }
    }
}

fn create(path: &Path) -> Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(|error| failed("cannot stage an object", error))
}

/// Takes a finished file by a link and measures it; `None` where links are not possible.
fn link(from: &Path, to: &Path) -> Result<Option<([u8; 16], u64)>> {
    let is_plain = fs::symlink_metadata(from).is_ok_and(|found| found.is_file());
    if !is_plain || fs::hard_link(from, to).is_err() {
        return Ok(None);
    }
    let mut file = File::open(to).map_err(|error| failed("cannot open an output", error))?;
    let measured = measure(&mut file)?;
    file.sync_all().map_err(|error| failed("cannot make an object durable", error))?;
    Ok(Some(measured))
}

fn link_or_copy(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error),
        Err(_) => {
            fs::copy(from, to)?;
            File::open(to)?.sync_all()
        }
        Ok(()) => Ok(()),
    }
}

/// Brings a file to `to` and makes its name durable. Folders may be swept away meanwhile, so it is tried again.
pub(super) fn into_place(
    data: &Path,
    from: &Path,
    to: &Path,
    bring: impl Fn(&Path, &Path) -> io::Result<()>,
) -> Result<()> {
    let folder = to.parent().unwrap_or(data);
    let mut tries = 0;
    let made = loop {
        match make_folders(data, folder).and_then(|made| bring(from, to).map(|()| made)) {
            Ok(made) => break made,
            Err(error) if error.kind() == io::ErrorKind::NotFound && tries < 5 && from.exists() => tries += 1,
            Err(error) => return Err(failed("cannot put an object in its place", error)),
        }
    };
    for folder in std::iter::once(folder).chain(made.iter().filter_map(|made| made.parent())) {
        // A folder that was swept away meanwhile cannot hold this file.
        if let Ok(opened) = File::open(folder) {
            opened.sync_all().map_err(|error| failed("cannot make an object durable", error))?;
        }
    }
    Ok(())
}

/// Makes the folder with those above it; gives the ones that were missing.
fn make_folders(data: &Path, folder: &Path) -> io::Result<Vec<PathBuf>> {
    let missing: Vec<PathBuf> = folder
        .ancestors()
        .take_while(|above| above.starts_with(data) && !above.exists())
        .map(Path::to_owned)
        .collect();
    if !missing.is_empty() {
        fs::create_dir_all(folder)?;
    }
    Ok(missing)
}
