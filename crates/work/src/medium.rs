//! A medium opened for the tools: a file where one is at hand, else the relay or a fetched copy.
//!
//! Tools never see a user's address. A local object is read where it lies. What lies elsewhere is read by range
//! through the loopback relay when it is looked into or used once, and fetched whole when several steps of a task
//! need it or its server cannot give ranges.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mps_backends::fetch::Fetch;
use mps_backends::relay::Handle;
use mps_core::{Error, Result};
use mps_ffmpeg::SourceRef;
use tokio_util::sync::CancellationToken;

use crate::folder::Folder;
use crate::storage::Place;

/// How the medium will be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// By a few tools, in stretches.
    Stretches,
    /// From end to end, more than once.
    Whole,
}

/// An open medium; dropping it gives back what it holds.
pub(crate) struct Medium {
    /// What the tools open.
    pub(crate) source: SourceRef,
    /// Bytes of the object.
    pub(crate) size_bytes: u64,
    relay: Option<Handle>,
    copy: Option<Arc<Copy>>,
}

/// A fetched copy; the file goes when nobody holds it any more.
#[derive(Debug)]
pub(crate) struct Copy {
    path: PathBuf,
    size_bytes: u64,
    _folder: Folder,
}

impl Medium {
    /// The medium of a local object.
    pub(crate) fn of_file(path: PathBuf, size_bytes: u64) -> Self {
        Self { source: SourceRef::File(path), size_bytes, relay: None, copy: None }
    }

    /// The medium of an object behind the relay.
    pub(crate) fn of_relay(handle: Handle) -> Self {
        let (source, size_bytes) = (SourceRef::Relay(handle.url()), handle.meta().size_bytes);
        Self { source, size_bytes, relay: Some(handle), copy: None }
    }

    /// The medium of a copy.
    pub(crate) fn of_copy(copy: Arc<Copy>) -> Self {
        let (source, size_bytes) = (SourceRef::File(copy.path.clone()), copy.size_bytes);
        Self { source, size_bytes, relay: None, copy: Some(copy) }
    }

    /// The file where a local object lies, which never changes.
    pub(crate) fn lasting_file(&self) -> Option<&Path> {
        match &self.source {
            SourceRef::File(path) if self.copy.is_none() => Some(path),
            _ => None,
        }
    }

    /// The error of the store behind the relay, if a tool was cut short by one. To be asked after each run: a tool
    /// may take a broken read for the end of the file.
    pub(crate) fn broken(&self) -> Option<Error> {
        self.relay.as_ref().and_then(Handle::take_error)
    }
}

/// What must stay free on the disk.
const KEEP_FREE_BYTES: u64 = 256 * 1024 * 1024;

/// Fetches an object into `folder`.
pub(crate) async fn copy(
    place: &Place,
    folder: Folder,
    max_bytes: u64,
    cancel: &CancellationToken,
) -> Result<Copy> {
    let path = folder.path().join("source");
    let size_bytes = fetch(place, &path, max_bytes, cancel).await?;
    Ok(Copy { path, size_bytes, _folder: folder })
}

/// Fetches an object to `path` and tells its bytes.
pub(crate) async fn fetch(
    place: &Place,
    path: &Path,
    max_bytes: u64,
    cancel: &CancellationToken,
) -> Result<u64> {
    let fetch = Fetch {
        max_bytes,
        keep_free_bytes: KEEP_FREE_BYTES,
        cancel: cancel.clone(),
        on_progress: &|_, _| {},
    };
    Ok(fetch.run(&*place.store, &place.key, path).await?.size_bytes)
}
