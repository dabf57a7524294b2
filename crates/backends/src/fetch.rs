//! Copies an object into a file, for work that must read it from disk.
//!
//! The file is whole or not there: on any failure it is removed. A source that breaks off is continued where
//! it stopped, provided that it is still the same version.

use std::ops::ControlFlow;
use std::path::Path;

use bytes::Bytes;
use futures::StreamExt as _;
use mps_core::error::{Blame, Kind, Retry};
use mps_core::{Error, Result};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;

use crate::objects::{ObjectMeta, ObjectStore};

/// How often a broken-off source is continued.
const CONTINUATIONS: u32 = 3;
/// Bytes after which the free space is looked at again.
const LOOK_AGAIN_BYTES: u64 = 64 * 1024 * 1024;

/// The conditions of a copy.
pub struct Fetch<'a> {
    /// More than this is refused.
    pub max_bytes: u64,
    /// What must stay free on the disk.
    pub keep_free_bytes: u64,
    /// Ends the copy early.
    pub cancel: CancellationToken,
    /// Told the bytes written and, where it is known, their whole number; after each piece.
    pub on_progress: &'a (dyn Fn(u64, Option<u64>) + Send + Sync),
}

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Bytes of the file.
    pub size_bytes: u64,
    /// Entity tag of the version copied; empty when there is none.
    pub etag: String,
}

impl Fetch<'_> {
    /// Copies the object `key` to `path`, which must not exist.
    ///
    /// Errors: those of the store; `Limit` when it is too large, or (blame: us, to be retried) the disk too
    /// full; `Cancelled`; `Conflict` when the source changed meanwhile.
    pub async fn run(&self, store: &dyn ObjectStore, key: &str, path: &Path) -> Result<Fetched> {
        let meta = look(store, key).await?;
        self.check_size(key, meta.as_ref().map_or(0, |meta| meta.size_bytes))?;
        self.check_space(path, meta.as_ref().map_or(0, |meta| meta.size_bytes))?;
        let file = File::create_new(path).await.map_err(disk)?;
        let copied = self.copy(store, key, path, meta.as_ref(), file).await;
        if copied.is_err() {
            let _ = tokio::fs::remove_file(path).await;
        }
        let etag = meta.map(|meta| meta.etag).unwrap_or_default();
        copied.map(|size_bytes| Fetched { size_bytes, etag })
    }

    async fn copy(
        &self,
        store: &dyn ObjectStore,
        key: &str,
        path: &Path,
        meta: Option<&ObjectMeta>,
        file: File,
    ) -> Result<u64> {
        let mut sink =
            Sink { fetch: self, key, path, file, at: 0, looked_at: 0, whole: meta.map(|m| m.size_bytes) };
        let mut continuations = 0;
        loop {
            match self.pass(store, &mut sink).await {
                Ok(ControlFlow::Break(())) => break,
                Ok(ControlFlow::Continue(())) if continuations < CONTINUATIONS => {}
                Ok(ControlFlow::Continue(())) => {
                    return Err(Error::unavailable(format!("{key:?} ends early every time")));
                }
                // What cannot be measured cannot be continued either.
                Err(error)
                    if error.retry() == Retry::Never
                        || error.kind() == Kind::Conflict
                        || error.blame() == Blame::Us
                        || meta.is_none()
                        || continuations == CONTINUATIONS =>
                {
                    return Err(error);
                }
                Err(error) => tracing::debug!(error = %error.chain(), at = sink.at, "continuing a copy"),
            }
            continuations += 1;
            let now = look(store, key).await?;
            let same = |now: &ObjectMeta| {
                meta.is_some_and(|m| (&m.etag, m.size_bytes) == (&now.etag, now.size_bytes))
            };
            if !now.as_ref().is_some_and(same) {
                return Err(changed(key));
            }
        }
        sink.file.flush().await.map_err(disk)?;
        Ok(sink.at)
    }

    /// Reads from where the sink is to the end; `Continue` when the end came too early.
    async fn pass(&self, store: &dyn ObjectStore, sink: &mut Sink<'_>) -> Result<ControlFlow<()>> {
        let rest = sink.whole.filter(|_| sink.at > 0).map(|whole| sink.at..whole);
        let mut stream = self.unless_cancelled(store.read(sink.key, rest)).await??;
        while let Some(chunk) = self.unless_cancelled(stream.next()).await? {
            sink.take(chunk?).await?;
        }
        let is_whole = sink.whole.is_none_or(|whole| whole == sink.at);
        Ok(if is_whole { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            () = self.cancel.cancelled() => Err(Error::new(Kind::Cancelled, "fetching the source was cancelled")),
            done = work => Ok(done),
        }
    }

    fn check_size(&self, key: &str, size_bytes: u64) -> Result<()> {
        if size_bytes <= self.max_bytes {
            return Ok(());
        }
        Err(Error::new(
            Kind::Limit,
            format!("{key:?} is larger than the {} bytes allowed here", self.max_bytes),
        ))
    }

    fn check_space(&self, path: &Path, needed_bytes: u64) -> Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let disk = nix::sys::statvfs::statvfs(folder)
            .map_err(|e| Error::internal("cannot ask for the free space").because(e))?;
        let free = disk.blocks_available().saturating_mul(disk.fragment_size());
        if free >= needed_bytes.saturating_add(self.keep_free_bytes) {
            return Ok(());
        }
        let told = format!("the disk has {free} bytes left, too few for a source of {needed_bytes}");
        Err(Error::new(Kind::Limit, told).with_blame(Blame::Us).with_retry(Retry::Later))
    }
}

/// The file as it grows.
struct Sink<'a> {
    fetch: &'a Fetch<'a>,
    key: &'a str,
    path: &'a Path,
    file: File,
    at: u64,
    looked_at: u64,
    whole: Option<u64>,
}

impl Sink<'_> {
    async fn take(&mut self, chunk: Bytes) -> Result<()> {
        self.at += chunk.len() as u64;
        self.fetch.check_size(self.key, self.at)?;
        if self.whole.is_some_and(|whole| self.at > whole) {
            return Err(changed(self.key));
        }
        if self.at - self.looked_at >= LOOK_AGAIN_BYTES {
            self.looked_at = self.at;
            self.fetch.check_space(self.path, chunk.len() as u64)?;
        }
        self.file.write_all(&chunk).await.map_err(disk)?;
        (self.fetch.on_progress)(self.at, self.whole);
        Ok(())
    }
}

/// What the object is, or nothing where that is only known after reading it.
async fn look(store: &dyn ObjectStore, key: &str) -> Result<Option<ObjectMeta>> {
    match store.head(key).await {
        Ok(meta) => Ok(Some(meta)),
        Err(error) if error.kind() == Kind::Unsupported => Ok(None),
        Err(error) => Err(error),
    }
}

fn changed(key: &str) -> Error {
    let told = format!("{key:?} changed while it was fetched");
    Error::new(Kind::Conflict, told).with_blame(Blame::Outside).with_retry(Retry::Later)
}

fn disk(error: std::io::Error) -> Error {
    Error::internal("cannot write the fetched source").because(error)
}

#[cfg(test)]
mod tests;
