//! Copies that go well, break off, grow too large, or are called off.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use mps_core::error::{Blame, Kind, Retry};
use mps_core::{Error, Result};
use tokio_util::sync::CancellationToken;

use super::{Fetch, Fetched};
use crate::objects::http::HttpSource;
use crate::objects::{ByteStream, ObjectMeta, ObjectStore, PutOptions, Staged};
use crate::testing::{Reply, Server, guard_for, noise};

fn fetch(max_bytes: u64) -> Fetch<'static> {
    Fetch { max_bytes, keep_free_bytes: 0, cancel: CancellationToken::new(), on_progress: &|_, _| {} }
}

/// A store whose reads end after so many bytes, and whose object changes after so many looks.
struct Flaky {
    bytes: Vec<u8>,
    breaks_after: usize,
    changes_after: usize,
    looks: AtomicUsize,
    reads: Mutex<Vec<u64>>,
}

impl Flaky {
    fn new(breaks_after: usize, changes_after: usize) -> Self {
        let (looks, reads) = (AtomicUsize::new(0), Mutex::default());
        Self { bytes: noise(1_000), breaks_after, changes_after, looks, reads }
    }
}

#[async_trait]
impl ObjectStore for Flaky {
    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        let etag = if self.looks.fetch_add(1, Ordering::SeqCst) < self.changes_after { "v1" } else { "v2" };
        let (key, size_bytes) = (key.to_owned(), self.bytes.len() as u64);
        Ok(ObjectMeta { key, size_bytes, etag: etag.to_owned(), ..ObjectMeta::default() })
    }

    async fn read(&self, _key: &str, range: Option<Range<u64>>) -> Result<ByteStream> {
        let range = range.unwrap_or(0..self.bytes.len() as u64);
        self.reads.lock().unwrap().push(range.start);
        let end = (range.start as usize + self.breaks_after).min(range.end as usize);
        let piece = Ok(Bytes::copy_from_slice(&self.bytes[range.start as usize..end]));
        let broken = (end < range.end as usize).then(|| Err(Error::unavailable("broke off")));
        Ok(futures::stream::iter([piece].into_iter().chain(broken)).boxed())
    }

    fn local_path(&self, _meta: &ObjectMeta) -> Option<PathBuf> {
        None
    }

    async fn stage(&self, _key: &str, _options: PutOptions) -> Result<Box<dyn Staged>> {
        Err(Error::new(Kind::Unsupported, "read only"))
    }

    async fn list(&self, _prefix: &str, _start_after: &str, _limit: usize) -> Result<Vec<ObjectMeta>> {
        Ok(Vec::new())
    }

    async fn delete(&self, _key: &str) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_broken_source_is_continued_while_it_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in");
    let store = Flaky::new(300, 99);
    let done = fetch(1_000).run(&store, "k", &path).await.unwrap();
    assert_eq!(done, Fetched { size_bytes: 1_000, etag: "v1".to_owned() });
    assert_eq!(std::fs::read(&path).unwrap(), noise(1_000));
    assert_eq!(*store.reads.lock().unwrap(), [0, 300, 600, 900]);
    for (store, kind) in [(Flaky::new(300, 2), Kind::Conflict), (Flaky::new(0, 99), Kind::Unavailable)] {
        let path = folder.path().join("no");
        let error = fetch(1_000).run(&store, "k", &path).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, Retry::Later));
        assert!(!path.exists());
    }
}

#[tokio::test]
async fn progress_grows_to_the_whole() {
    let server = Server::start(|seen, _| Reply::file(seen, &noise(500_000), "\"v\"")).await;
    let source =
        HttpSource::new(guard_for(&[&server], Duration::from_secs(5)), &server.url("/a.mp4"), 1 << 30)
            .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let told = Mutex::new(Vec::new());
    let on_progress = |at, whole| told.lock().unwrap().push((at, whole));
    let fetch = Fetch { on_progress: &on_progress, ..fetch(1 << 30) };
    fetch.run(&source, "a.mp4", &folder.path().join("in")).await.unwrap();
    let told = told.into_inner().unwrap();
    assert!(told.windows(2).all(|two| two[0].0 < two[1].0));
    assert_eq!(told.last(), Some(&(500_000, Some(500_000))));
}

#[tokio::test]
async fn a_size_that_is_only_known_afterwards_is_bounded_too() {
    let server = Server::start(|seen, _| match seen.method.as_str() {
        "HEAD" => Reply::new(200),
        _ => Reply { body: noise(10_000), ..Reply::new(200) },
    })
    .await;
    let source =
        HttpSource::new(guard_for(&[&server], Duration::from_secs(5)), &server.url("/a.mp4"), 1 << 30)
            .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in");
    assert_eq!(fetch(10_000).run(&source, "a.mp4", &path).await.unwrap().size_bytes, 10_000);
    assert_eq!(std::fs::read(&path).unwrap(), noise(10_000));
    let path = folder.path().join("no");
    let error = fetch(9_999).run(&source, "a.mp4", &path).await.unwrap_err();
    assert_eq!((error.kind(), error.retry(), path.exists()), (Kind::Limit, Retry::Never, false));
}

#[tokio::test]
async fn a_full_disk_is_our_fault_and_may_pass() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in");
    let fetch = Fetch { keep_free_bytes: u64::MAX / 2, ..fetch(1_000) };
    let error = fetch.run(&Flaky::new(1_000, 9), "k", &path).await.unwrap_err();
    assert_eq!((error.kind(), error.blame(), error.retry()), (Kind::Limit, Blame::Us, Retry::Later));
    assert!(!path.exists());
}

#[tokio::test]
async fn a_cancelled_copy_leaves_nothing() {
    let server = Server::start(|seen, _| {
        let mut reply = Reply::file(seen, &noise(1_000), "\"v\"");
        reply.body.truncate(500);
        reply.hangs = seen.method == "GET";
        reply
    })
    .await;
    let source =
        HttpSource::new(guard_for(&[&server], Duration::from_mins(1)), &server.url("/a"), 1 << 30).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in");
    let fetch = fetch(1 << 30);
    let cancel = fetch.cancel.clone();
    let later = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(fetch.run(&source, "a", &path), later);
    assert_eq!(outcome.unwrap_err().kind(), Kind::Cancelled);
    assert!(!path.exists());
}
