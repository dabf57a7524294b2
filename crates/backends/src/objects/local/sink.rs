//! Writes bytes to a file off the async threads and takes their MD5 on the way.
//!
//! Chunks are gathered to a MiB and written while the next MiB comes in, so that a writer holds at most two.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use md5::{Digest, Md5};
use mps_core::{Blame, Error, Kind, Result};
use tokio::task::JoinHandle;

const BATCH: usize = 1024 * 1024;

/// Bytes on their way into a stretch of a file.
pub(super) struct Sink {
    /// `None` while the bytes of a batch are being written, and after a failure.
    state: Option<State>,
    writing: Option<JoinHandle<Result<State>>>,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
}

struct State {
    file: File,
    at: u64,
    md5: Md5,
    size_bytes: u64,
    /// Held as long as bytes may still be written, also by a job whose sink was dropped.
    guard: Option<File>,
}

/// What was written.
pub(super) struct Written {
    /// MD5 of the bytes.
    pub(super) md5: [u8; 16],
    /// How many they are.
    pub(super) size_bytes: u64,
    /// The guard that the sink was given.
    pub(super) guard: Option<File>,
}

impl Sink {
    /// A sink that begins at the byte `at` of `file`; `guard` is a lock to hold while it writes.
    pub(super) fn new(file: File, at: u64, guard: Option<File>) -> Self {
        let state = State { file, at, md5: Md5::new(), size_bytes: 0, guard };
        Self { state: Some(state), writing: None, waiting: Vec::new(), waiting_bytes: 0 }
    }

    /// Takes bytes; waits while the disk is behind.
    pub(super) async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.waiting_bytes += chunk.len();
        self.waiting.push(chunk);
        if self.waiting_bytes >= BATCH { self.flush().await } else { Ok(()) }
    }

    /// Takes the bytes of a file.
    pub(super) async fn write_file(&mut self, path: &Path) -> Result<()> {
        self.flush().await?;
        let mut state = self.settle().await?;
        let path = path.to_owned();
        let copied = tokio::task::spawn_blocking(move || {
            let mut source = File::open(&path).map_err(|error| failed("cannot open an output", error))?;
            let mut buffer = vec![0; BATCH];
            loop {
                let read = io::Read::read(&mut source, &mut buffer)
                    .map_err(|error| failed("cannot read an output", error))?;
                if read == 0 {
                    return Ok(state);
                }
                state.put(&buffer[..read])?;
            }
        });
        self.state = Some(joined(copied.await)?);
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        let mut state = self.settle().await?;
        let chunks = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        self.writing = Some(tokio::task::spawn_blocking(move || {
            for chunk in chunks {
                state.put(&chunk)?;
            }
            Ok(state)
        }));
        Ok(())
    }

    async fn settle(&mut self) -> Result<State> {
        if let Some(writing) = self.writing.take() {
            return joined(writing.await);
        }
        self.state.take().ok_or_else(|| Error::internal("an earlier write to this file failed"))
    }

    /// Writes what waits and makes all of it durable.
    pub(super) async fn finish(mut self) -> Result<Written> {
        self.flush().await?;
        let state = self.settle().await?;
        let synced = tokio::task::spawn_blocking(move || {
            state.file.sync_all().map_err(|error| failed("cannot make an object durable", error))?;
            let State { md5, size_bytes, guard, .. } = state;
            Ok(Written { md5: md5.finalize().into(), size_bytes, guard })
        });
        joined(synced.await)
    }
}

impl State {
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.md5.update(bytes);
        self.file.write_all_at(bytes, self.at).map_err(|error| failed("cannot store an object", error))?;
        self.at += bytes.len() as u64;
        self.size_bytes += bytes.len() as u64;
        Ok(())
    }
}

/// MD5 and size of a file.
pub(super) fn measure(file: &mut File) -> Result<([u8; 16], u64)> {
    let (mut md5, mut size_bytes, mut buffer) = (Md5::new(), 0, vec![0; BATCH]);
    loop {
        let read =
            io::Read::read(file, &mut buffer).map_err(|error| failed("cannot read an output", error))?;
        if read == 0 {
            return Ok((md5.finalize().into(), size_bytes));
        }
        md5.update(&buffer[..read]);
        size_bytes += read as u64;
    }
}

/// What a blocking job gave; a panic in it is a fault of ours.
pub(super) fn joined<T>(outcome: Result<Result<T>, tokio::task::JoinError>) -> Result<T> {
    outcome.map_err(|error| Error::internal("a file job ended badly").because(error))?
}

/// Runs file work off the async threads.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    joined(tokio::task::spawn_blocking(work).await)
}

/// The house's error for one of the file system.
pub(super) fn failed(what: &'static str, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Error::new(Kind::Limit, "the disk of the data folder is full")
                .with_blame(Blame::Us)
                .with("code", "StorageFull")
                .because(error)
        }
        _ => Error::internal(what).because(error),
    }
}

/// A file that is removed when this is dropped, unless kept.
#[derive(Debug)]
pub(super) struct Scrap(Option<PathBuf>);

impl Scrap {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(Some(path))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }

    pub(super) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Scrap {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // What cannot be removed now is found by the sweep.
            drop(std::fs::remove_file(path));
        }
    }
}
