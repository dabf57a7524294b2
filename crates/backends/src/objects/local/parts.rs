//! Where the parts of an upload lie until it is complete, so that completing copies nothing.
//!
//! Clients cut an object into parts of one size, with a shorter one at the end. The first part to come sets the
//! size of a slot, and a part that fits is written straight to its slot in the file `whole`: when all have come,
//! the file is the object. Where that does not hold (parts of mixed sizes, a part sent twice), the part lies in a
//! file of its own, and completing copies it in the kernel.
//!
//! A slot is written once, by whoever made its claim file and holds the lock on it. Completing first shuts the
//! slots and then tries each lock, so that nobody writes to a file that has become an object.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use mps_core::{Error, Result, crash};
use mps_store::uploads::{self, Part};

use super::sink::{Scrap, Sink, failed, off_thread};
use super::{LocalBuckets, mark};

const WHOLE: &str = "whole";
const SHUT: &str = "shut";

/// A part on its way in. Dropped, it is as if it had never come.
pub struct StagedPart {
    buckets: LocalBuckets,
    upload: String,
    number: i64,
    sink: Sink,
    place: Place,
    room: u64,
}

enum Place {
    /// A slot of `whole`; the sink holds the claim's lock.
    Slot,
    Own(Scrap),
}

impl LocalBuckets {
    pub(super) fn upload_folder(&self, upload: &str) -> PathBuf {
        self.0.data.join(format!("staging/uploads/{upload}"))
    }

    /// Begins a part of an upload; `size_bytes` is what the client announced.
    pub async fn stage_part(&self, upload: &str, number: i64, size_bytes: Option<u64>) -> Result<StagedPart> {
        let folder = self.upload_folder(upload);
        let (file, at, claim, place) = off_thread(move || {
            let slot = size_bytes.filter(|size| *size > 0).map(|size| take_slot(&folder, number, size));
            if let Some((file, at, claim)) = slot.transpose()?.flatten() {
                return Ok((file, at, Some(claim), Place::Slot));
            }
            let scrap = Scrap::new(folder.join(format!("{number}-{}", mark()?)));
            let file = File::create(scrap.path()).map_err(|error| gone_or_failed(&folder, error))?;
            Ok((file, 0, None, Place::Own(scrap)))
        })
        .await?;
        let room = size_bytes.unwrap_or(u64::MAX);
        let sink = Sink::new(file, at, claim);
        Ok(StagedPart { buckets: self.clone(), upload: upload.to_owned(), number, sink, place, room })
    }
}

impl StagedPart {
    /// Appends bytes; of kind `InvalidInput` when they are more than announced.
    pub async fn append(&mut self, chunk: Bytes) -> Result<()> {
        let more =
            || Error::invalid("the part has more bytes than were announced").with("code", "IncompleteBody");
        self.room = self.room.checked_sub(chunk.len() as u64).ok_or_else(more)?;
        self.sink.write(chunk).await
    }

    /// Ends the part, which is durable then. `check` sees it first and may refuse it. Of kind `NotFound` with
    /// `code=NoSuchUpload` when the upload has ended meanwhile.
    pub async fn finish(self, check: impl FnOnce(&Part) -> Result<()>) -> Result<Part> {
        let written = self.sink.finish().await?;
        let blob_path = match &self.place {
            Place::Slot => format!("staging/uploads/{}/{WHOLE}", self.upload),
            Place::Own(scrap) => {
                let name = scrap.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
                format!("staging/uploads/{}/{name}", self.upload)
            }
        };
        let md5 = hex::encode(written.md5);
        let part = Part {
            number: self.number,
            blob_path,
            size_bytes: written.size_bytes as i64,
            etag: md5.clone(),
            md5,
            created_ms: self.buckets.now_ms(),
        };
        check(&part)?;
        let (upload, row) = (self.upload.clone(), part.clone());
        let was_open = self
            .buckets
            .0
            .store
            .write(move |tx| Box::pin(async move { uploads::put_part(tx, &upload, &row).await }))
            .await?;
        if !was_open {
            return Err(no_such_upload(&self.upload));
        }
        crash::point("after-part");
        if let Place::Own(scrap) = self.place {
            scrap.keep();
        }
        drop(written.guard);
        Ok(part)
    }
}

/// The place for a part in `whole` with its file, its first byte and the locked claim; `None` if it has none.
fn take_slot(folder: &Path, number: i64, size_bytes: u64) -> Result<Option<(File, u64, File)>> {
    let slot = slot_bytes(folder, Some(size_bytes))?;
    if size_bytes > slot {
        return Ok(None);
    }
    let claim = OpenOptions::new().write(true).create_new(true).open(folder.join(format!("{number}.slot")));
    let claim = match claim {
        Ok(claim) => claim,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        Err(error) => return Err(gone_or_failed(folder, error)),
    };
    if claim.try_lock().is_err() || folder.join(SHUT).exists() {
        return Ok(None);
    }
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(folder.join(WHOLE));
    let file = file.map_err(|error| gone_or_failed(folder, error))?;
    Ok(Some((file, (number as u64 - 1) * slot, claim)))
}

/// The size of the upload's slots; set to `first` if it has none yet, 0 if it has none at all.
fn slot_bytes(folder: &Path, first: Option<u64>) -> Result<u64> {
    let path = folder.join("slot");
    if let Some(first) = first.filter(|_| !path.exists()) {
        // Written aside and linked, so that nobody reads half a number.
        let aside = Scrap::new(folder.join(format!("slot-{}", mark()?)));
        fs::write(aside.path(), first.to_string()).map_err(|error| gone_or_failed(folder, error))?;
        match fs::hard_link(aside.path(), &path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(gone_or_failed(folder, error));
            }
            _ => {}
        }
    }
    match fs::read_to_string(&path) {
        Ok(text) => text.parse().map_err(|_| Error::internal("the size of an upload's slots cannot be read")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(failed("cannot read the size of an upload's slots", error)),
    }
}

/// Joins the parts of an upload, in order, to one durable file `to`.
pub(super) fn join(data: &Path, folder: &Path, parts: &[Part], to: &Path) -> Result<()> {
    fs::write(folder.join(SHUT), "").map_err(|error| gone_or_failed(folder, error))?;
    let slot = slot_bytes(folder, None)?;
    let whole = folder.join(WHOLE);
    let is_in_slot = |part: &Part| part.blob_path.ends_with("/whole");
    let total: u64 = parts.iter().map(|part| part.size_bytes as u64).sum();
    if is_aligned(parts, slot)
        && parts.iter().any(is_in_slot)
        && try_all_slots(folder, parts, slot)?.is_some()
    {
        let file =
            OpenOptions::new().write(true).open(&whole).map_err(|error| gone_or_failed(folder, error))?;
        for part in parts.iter().filter(|part| !is_in_slot(part)) {
            copy_stretch(
                &data.join(&part.blob_path),
                0,
                part.size_bytes as u64,
                &file,
                (part.number as u64 - 1) * slot,
            )?;
        }
        let is_long_enough = file.metadata().is_ok_and(|found| found.len() >= total);
        if !is_long_enough {
            return Err(Error::internal("the bytes of an upload are gone").with("folder", folder.display()));
        }
        file.set_len(total).map_err(|error| failed("cannot join the parts of an upload", error))?;
        file.sync_all().map_err(|error| failed("cannot make an object durable", error))?;
        return fs::hard_link(&whole, to)
            .map_err(|error| failed("cannot join the parts of an upload", error));
    }
    let file = File::create(to).map_err(|error| failed("cannot join the parts of an upload", error))?;
    let mut at = 0;
    for part in parts {
        let from = if is_in_slot(part) { (part.number as u64 - 1) * slot } else { 0 };
        copy_stretch(&data.join(&part.blob_path), from, part.size_bytes as u64, &file, at)?;
        at += part.size_bytes as u64;
    }
    file.sync_all().map_err(|error| failed("cannot make an object durable", error))
}

/// Whether the parts are 1, 2, 3, …, each as long as a slot but the last, which may be shorter.
fn is_aligned(parts: &[Part], slot: u64) -> bool {
    let last = parts.len();
    parts.iter().enumerate().all(|(at, part)| {
        let size = part.size_bytes as u64;
        part.number == at as i64 + 1 && (size == slot || (at + 1 == last && size <= slot))
    })
}

/// Takes the lock of every claimed slot; `None` if somebody still writes to one.
fn try_all_slots(folder: &Path, parts: &[Part], slot: u64) -> Result<Option<Vec<File>>> {
    debug_assert!(is_aligned(parts, slot));
    let mut locks = Vec::new();
    let entries = fs::read_dir(folder).map_err(|error| gone_or_failed(folder, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| gone_or_failed(folder, error))?;
        if !entry.file_name().to_string_lossy().ends_with(".slot") {
            continue;
        }
        let claim = File::open(entry.path()).map_err(|error| gone_or_failed(folder, error))?;
        match claim.try_lock() {
            Ok(()) => locks.push(claim),
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed("cannot lock a part of an upload", error)),
        }
    }
    Ok(Some(locks))
}

fn copy_stretch(path: &Path, from: u64, size_bytes: u64, to: &File, at: u64) -> Result<()> {
    let copy = || -> io::Result<u64> {
        let mut source = File::open(path)?;
        io::Seek::seek(&mut source, io::SeekFrom::Start(from))?;
        let mut target = to;
        io::Seek::seek(&mut target, io::SeekFrom::Start(at))?;
        // Between files the standard library lets the kernel copy.
        io::copy(&mut io::Read::take(source, size_bytes), &mut target)
    };
    let copied = copy().map_err(|error| failed("cannot join the parts of an upload", error))?;
    if copied == size_bytes { Ok(()) } else { Err(Error::internal("the bytes of a part are gone")) }
}

/// The folder of an upload goes when it ends, which a late part then notices.
fn gone_or_failed(folder: &Path, error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::NotFound {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        return no_such_upload(&name);
    }
    failed("cannot store a part of an upload", error)
}

pub(super) fn no_such_upload(id: &str) -> Error {
    Error::not_found(format!("there is no open upload {id:?}")).with("code", "NoSuchUpload")
}
