//! A folder for one attempt of one step: made when it starts, gone when it ends, whatever happened.
//!
//! Each worker process keeps its folders below one of its own, locked for as long as it lives; what a killed
//! process left is removed by the next one that starts.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use mps_core::{Error, Kind, Result};

/// Where one worker process keeps the folders of its steps.
#[derive(Debug)]
pub struct Workshop {
    root: PathBuf,
    copies: AtomicU64,
    _lock: File,
}

impl Workshop {
    /// Opens a workshop below `work` (usually `<data>/work`) and removes those of processes that are gone.
    ///
    /// # Errors
    /// When the folder cannot be made or locked.
    pub fn open(work: &Path, worker: &str) -> Result<Self> {
        fs::create_dir_all(work).map_err(|e| cannot("create", work, e))?;
        // One at a time: a folder whose lock is not taken yet looks like an abandoned one.
        let path = work.join(OPENING);
        let opening = File::create(&path).map_err(|e| cannot("create", &path, e))?;
        opening.lock().map_err(|e| cannot("lock", &path, e))?;
        sweep(work)?;
        let root = work.join(worker);
        fs::create_dir_all(&root).map_err(|e| cannot("create", &root, e))?;
        let path = root.join(LOCK);
        let lock = File::create(&path).map_err(|e| cannot("create", &path, e))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root, copies: AtomicU64::new(0), _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(Error::new(Kind::Conflict, format!("another worker named {worker} is running")))
            }
            Err(TryLockError::Error(e)) => Err(cannot("lock", &path, e)),
        }
    }

    /// A new, empty folder named after the step and its attempt.
    ///
    /// # Errors
    /// When the folder cannot be made, for one because the disk is full.
    pub fn folder(&self, step: i64, attempt: i32) -> Result<Folder> {
        self.make(&format!("{step}-{attempt}"))
    }

    /// A new, empty folder for a copy of a source; no two have the same name.
    ///
    /// # Errors
    /// As for [`Workshop::folder`].
    pub fn copy(&self) -> Result<Folder> {
        let nth = self.copies.fetch_add(1, Ordering::Relaxed);
        self.make(&format!("copy-{nth}"))
    }

    fn make(&self, name: &str) -> Result<Folder> {
        let path = self.root.join(name);
        if path.exists() {
            fs::remove_dir_all(&path).map_err(|e| cannot("clear", &path, e))?;
        }
        fs::create_dir(&path).map_err(|e| cannot("create", &path, e))?;
        Ok(Folder { path })
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// A step's folder; dropping it removes it with all it holds.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(folder = %self.path.display(), %error, "cannot remove a step's folder");
        }
    }
}

const LOCK: &str = ".lock";
const OPENING: &str = ".opening";

fn sweep(work: &Path) -> Result<()> {
    for entry in fs::read_dir(work).map_err(|e| cannot("list", work, e))?.flatten() {
        let root = entry.path();
        let abandoned = match File::open(root.join(LOCK)) {
            Ok(lock) => lock.try_lock().is_ok(),
            Err(_) => root.is_dir() && !root.join(LOCK).exists(),
        };
        if abandoned {
            let _ = fs::remove_dir_all(&root);
        }
    }
    Ok(())
}

fn cannot(what: &str, path: &Path, error: std::io::Error) -> Error {
    Error::new(Kind::Unavailable, format!("cannot {what} {}", path.display()))
        .with_blame(mps_core::Blame::Us)
        .because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_gone_with_all_it_holds_when_its_step_ends() {
        let data = tempfile::tempdir().unwrap();
        let shop = Workshop::open(data.path(), "w1").unwrap();
        let folder = shop.folder(7, 1).unwrap();
        fs::write(folder.path().join("half.mp4"), b"half").unwrap();
        let path = folder.path().to_owned();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn many_that_open_at_once_leave_each_other_alone() {
        let data = tempfile::tempdir().unwrap();
        let open = |number: usize| {
            let work = data.path().to_owned();
            std::thread::spawn(move || Workshop::open(&work, &format!("w{number}")).unwrap())
        };
        let opening: Vec<_> = (0..16).map(open).collect();
        let open: Vec<_> = opening.into_iter().map(|thread| thread.join().unwrap()).collect();
        for shop in &open {
            shop.folder(1, 1).unwrap();
        }
    }

    #[test]
    fn what_a_killed_worker_left_is_removed_but_a_living_one_keeps_its_own() {
        let data = tempfile::tempdir().unwrap();
        let living = Workshop::open(data.path(), "living").unwrap();
        let kept = living.folder(1, 1).unwrap();
        let dead = data.path().join("dead").join("2-1");
        fs::create_dir_all(&dead).unwrap();
        let _next = Workshop::open(data.path(), "next").unwrap();
        assert!(kept.path().exists());
        assert!(!dead.exists());
        assert!(Workshop::open(data.path(), "living").is_err());
    }
}
