//! What lasting files hold, once looked into, for whoever asks next.
//!
//! Objects of this machine lie in files that never change, so a look into one stays true as long as the file is there.
//! Who asks while a look is on its way waits for that one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use mps_core::{MediaInfo, Result};
use tokio::sync::OnceCell;

/// How many are remembered: a few KiB each.
const REMEMBERED: usize = 256;

/// Looks into lasting files, the last few of them.
#[derive(Debug, Default)]
pub(crate) struct Looks(Mutex<HashMap<PathBuf, Remembered>>);

#[derive(Debug)]
struct Remembered {
    cell: Arc<OnceCell<MediaInfo>>,
    used: Instant,
}

impl Looks {
    /// What `file` holds; `look` finds it out where nobody did. Its failure is told and not remembered.
    pub(crate) async fn look(
        &self,
        file: &Path,
        look: impl Future<Output = Result<MediaInfo>>,
    ) -> Result<MediaInfo> {
        let cell = self.cell(file);
        cell.get_or_try_init(|| look).await.cloned()
    }

    fn cell(&self, file: &Path) -> Arc<OnceCell<MediaInfo>> {
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = looks.get_mut(file) {
            known.used = Instant::now();
            return Arc::clone(&known.cell);
        }
        if looks.len() >= REMEMBERED
            && let Some(oldest) = looks.iter().min_by_key(|(_, look)| look.used).map(|(file, _)| file.clone())
        {
            looks.remove(&oldest);
        }
        let cell = Arc::default();
        looks.insert(file.to_owned(), Remembered { cell: Arc::clone(&cell), used: Instant::now() });
        cell
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use mps_core::Error;
    use tokio::sync::Barrier;

    use super::*;

    fn info(size_bytes: u64) -> MediaInfo {
        MediaInfo { size_bytes, ..MediaInfo::default() }
    }

    #[tokio::test]
    async fn a_file_is_looked_into_once() {
        let looks = Looks::default();
        let first = looks.look(Path::new("/a"), async { Ok(info(1)) }).await.unwrap();
        let again = looks.look(Path::new("/a"), async { panic!("looked into twice") }).await.unwrap();
        let other = looks.look(Path::new("/b"), async { Ok(info(2)) }).await.unwrap();
        assert_eq!((first.size_bytes, again.size_bytes, other.size_bytes), (1, 1, 2));
    }

    #[tokio::test]
    async fn who_asks_meanwhile_waits_for_the_same_look() {
        let (looks, begun, count) =
            (Arc::new(Looks::default()), Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
        let early = tokio::spawn({
            let (looks, begun, count) = (Arc::clone(&looks), Arc::clone(&begun), Arc::clone(&count));
            async move {
                let look = async {
                    begun.wait().await;
                    tokio::task::yield_now().await;
                    count.fetch_add(1, Ordering::SeqCst);
                    Ok(info(7))
                };
                looks.look(Path::new("/a"), look).await
            }
        });
        begun.wait().await;
        let late = looks.look(Path::new("/a"), async {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(info(8))
        });
        assert_eq!(late.await.unwrap().size_bytes, 7);
        assert_eq!(early.await.unwrap().unwrap().size_bytes, 7);
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_failure_is_told_and_tried_again() {
        let looks = Looks::default();
        let failed = looks.look(Path::new("/a"), async { Err(Error::invalid("broken")) }).await;
        assert_eq!(failed.unwrap_err().message(), "broken");
        assert_eq!(looks.look(Path::new("/a"), async { Ok(info(3)) }).await.unwrap().size_bytes, 3);
    }

    #[tokio::test]
    async fn a_look_that_was_given_up_is_begun_anew() {
        let looks = Looks::default();
        tokio::select! {
            biased;
            _ = looks.look(Path::new("/a"), std::future::pending()) => panic!("a pending look ended"),
            () = std::future::ready(()) => {}
        }
        assert_eq!(looks.look(Path::new("/a"), async { Ok(info(3)) }).await.unwrap().size_bytes, 3);
    }

    #[tokio::test]
    async fn the_one_not_asked_for_longest_is_forgotten() {
        let looks = Looks::default();
        for nth in 0..=REMEMBERED {
            looks.look(&PathBuf::from(format!("/{nth}")), async { Ok(info(1)) }).await.unwrap();
        }
        assert_eq!(looks.look(Path::new("/1"), async { Ok(info(2)) }).await.unwrap().size_bytes, 1);
        assert_eq!(looks.look(Path::new("/0"), async { Ok(info(2)) }).await.unwrap().size_bytes, 2);
    }
}
