//! Removes what no row shows: blobs of replaced and removed objects after a grace, uploads nobody finishes, and
//! what a crash left in `staging`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mps_core::Result;
use mps_core::clock::Millis;
use mps_store::{blobs, objects, uploads};

use super::LocalBuckets;
use super::sink::off_thread;
use super::stage::Note;

const BATCH: i64 = 200;

/// How long things may lie before the sweep takes them.
#[derive(Debug, Clone, Copy)]
pub struct Grace {
    /// Blobs of replaced and removed objects: as long as a job may still open a file it was told of.
    pub dead_blob: Duration,
    /// Staged bytes that nobody writes to any more, and blobs whose row never came.
    pub staged: Duration,
    /// Uploads in parts that nobody completes.
    pub upload: Duration,
}

impl Default for Grace {
    fn default() -> Self {
        let day = Duration::from_hours(24);
        Self { dead_blob: day, staged: day, upload: 7 * day }
    }
}

/// What a sweep removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Blobs of replaced and removed objects.
    pub dead_blobs: usize,
    /// Files of `staging`, and blobs whose row never came.
    pub staged: usize,
    /// Uploads given up.
    pub uploads: usize,
}

impl LocalBuckets {
    /// Sweeps once. To be called at the start and then every few minutes; several processes may do so.
    pub async fn sweep(&self, grace: Grace) -> Result<Swept> {
        let dead_blobs = self.sweep_dead(self.before(grace.dead_blob)).await?;
        let uploads = self.sweep_uploads(self.before(grace.upload)).await?;
        let staged = self.sweep_staging(grace.staged).await?;
        Ok(Swept { dead_blobs, staged, uploads })
    }

    fn before(&self, grace: Duration) -> Millis {
        self.now_ms() - grace.as_millis() as Millis
    }

    async fn sweep_dead(&self, before_ms: Millis) -> Result<usize> {
        let mut removed = 0;
        loop {
            let dead = self
                .0
                .store
                .read(|tx| Box::pin(async move { blobs::dead(tx, before_ms, BATCH).await }))
                .await?;
            if dead.is_empty() {
                return Ok(removed);
            }
            removed += dead.len();
            let (data, paths) = (self.0.data.clone(), dead.clone());
            off_thread(move || paths.iter().try_for_each(|path| remove_blob(&data, &data.join(path))))
                .await?;
            self.0
                .store
                .write(move |tx| {
                    Box::pin(async move {
                        for path in dead {
                            blobs::forget(tx, &path).await?;
                        }
                        Ok(())
                    })
                })
                .await?;
        }
    }

    async fn sweep_uploads(&self, before_ms: Millis) -> Result<usize> {
        let stale = self
            .0
            .store
            .read(|tx| Box::pin(async move { uploads::stale(tx, before_ms, BATCH).await }))
            .await?;
        for id in &stale {
            // Completed or given up meanwhile is just as well.
            drop(self.abort_upload(id).await);
        }
        self.0
            .store
            .write(move |tx| Box::pin(async move { uploads::forget_ended(tx, before_ms).await }))
            .await?;
        Ok(stale.len())
    }

    /// Looks through `staging`, where only what is under way lies: few files, however many objects there are.
    async fn sweep_staging(&self, grace: Duration) -> Result<usize> {
        let (staging, before) = (self.staging(), self.before(grace));
        let (files, folders) = off_thread(move || Ok(old_entries(&staging, before))).await?;
        let mut removed = 0;
        for path in files {
            if path.extension().is_some_and(|extension| extension == "note") {
                removed += usize::from(self.sweep_note(&path).await?);
            } else {
                removed += usize::from(tokio::fs::remove_file(&path).await.is_ok());
            }
        }
        for folder in folders {
            let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let ended = self.0.store.read(|tx| Box::pin(async move { uploads::find(tx, &id).await })).await?;
            if ended.is_none_or(|upload| upload.state != uploads::OPEN) {
                removed += usize::from(tokio::fs::remove_dir_all(&folder).await.is_ok());
            }
        }
        Ok(removed)
    }

    /// Ends a note: its blob has got its row, or it never will.
    async fn sweep_note(&self, path: &Path) -> Result<bool> {
        let note =
            tokio::fs::read(path).await.ok().and_then(|text| serde_json::from_slice::<Note>(&text).ok());
        let mut is_orphan = false;
        if let Some(Note { bucket, key, blob_path }) = note {
            let wanted = blob_path.clone();
            let is_known = self
                .0
                .store
                .read(|tx| {
                    Box::pin(async move {
                        let shown = objects::find(tx, &bucket, &key).await?;
                        Ok(shown.is_some_and(|object| object.blob_path == wanted)
                            || blobs::is_dead(tx, &wanted).await?)
                    })
                })
                .await?;
            if !is_known {
                is_orphan = true;
                let (data, blob) = (self.0.data.clone(), self.0.data.join(&blob_path));
                off_thread(move || remove_blob(&data, &blob)).await?;
            }
        }
        drop(tokio::fs::remove_file(path).await);
        Ok(is_orphan)
    }
}

/// Removes a blob and the folders of its key that are empty then.
fn remove_blob(data: &Path, blob: &Path) -> Result<()> {
    match fs::remove_file(blob) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(super::sink::failed("cannot remove the bytes of an object", error));
        }
        _ => {}
    }
    let buckets = data.join("buckets");
    for folder in
        blob.ancestors().skip(1).take_while(|folder| **folder != buckets && folder.starts_with(&buckets))
    {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}

/// Files of `staging` and folders of uploads that have not been touched since `before_ms`.
fn old_entries(staging: &Path, before_ms: Millis) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let is_old = |entry: &fs::DirEntry| {
        let touched = entry.metadata().and_then(|found| found.modified()).ok();
        let age = touched.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        age.is_some_and(|age| (age.as_millis() as Millis) < before_ms)
    };
    let old = |folder: &Path| -> Vec<fs::DirEntry> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter(is_old).collect()
    };
    let is_file = |entry: &&fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_file());
    let files = old(staging).iter().filter(is_file).map(fs::DirEntry::path).collect();
    let folders = old(&staging.join("uploads")).iter().map(fs::DirEntry::path).collect();
    (files, folders)
}
