//! Reads a stretch of a file as a stream, one piece ahead of who listens.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures::Stream;
use mps_core::{Error, Result};
use tokio::task::JoinHandle;

const PIECE: u64 = 512 * 1024;

/// Bytes of an open file; holds at most two pieces of 512 KiB.
#[derive(Debug)]
pub struct FileStream {
    file: Arc<File>,
    /// The stretch that has not been asked for yet.
    rest: Range<u64>,
    /// Bytes that have not been handed out.
    left: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl FileStream {
    /// Opens `path` to read `range`, which must lie within the file.
    pub async fn open(path: &Path, range: Range<u64>) -> Result<Self> {
        let file = tokio::fs::File::open(path).await.map_err(|error| unreadable(path, error))?;
        Ok(Self {
            file: Arc::new(file.into_std().await),
            left: range.end - range.start,
            rest: range,
            reading: None,
        })
    }

    /// Bytes that are still to come.
    pub fn left(&self) -> u64 {
        self.left
    }

    fn read_on(&mut self) {
        let piece = (self.rest.end - self.rest.start).min(PIECE);
        if piece == 0 {
            return;
        }
        let (file, at) = (self.file.clone(), self.rest.start);
        self.rest.start += piece;
        self.reading = Some(tokio::task::spawn_blocking(move || {
            let mut bytes = BytesMut::zeroed(piece as usize);
            file.read_exact_at(&mut bytes, at)?;
            Ok(bytes.freeze())
        }));
    }
}

impl Stream for FileStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.reading.is_none() {
            self.read_on();
        }
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let piece = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        let piece = piece.map_err(io::Error::other).and_then(|read| read);
        match piece {
            Ok(bytes) => {
                self.left -= bytes.len() as u64;
                self.read_on();
                Poll::Ready(Some(Ok(bytes)))
            }
            Err(error) => {
                self.rest.start = self.rest.end;
                Poll::Ready(Some(Err(Error::internal("cannot read a stored object").because(error))))
            }
        }
    }
}

pub(super) fn unreadable(path: &Path, error: io::Error) -> Error {
    Error::internal("cannot open a stored object").with("path", path.display()).because(error)
}
