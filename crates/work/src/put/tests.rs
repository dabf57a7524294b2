use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mps_backends::objects::{self, ByteStream, Commit, ObjectMeta};
use tokio::time::Instant;

use super::*;

/// A key and its bytes.
type Sent = (String, Vec<u8>);

/// A store of others that takes its time for each object, and tells what it was sent in which order.
#[derive(Clone, Default)]
struct Slow {
    late_bytes: u64,
    fails_at: Option<&'static str>,
    seen: Arc<Mutex<Vec<Sent>>>,
}

const PAUSE: Duration = Duration::from_millis(100);

struct Sending(Slow, String, Vec<u8>);

#[async_trait]
impl ObjectStore for Slow {
    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        Err(objects::no_such_object(key))
    }

    async fn read(&self, key: &str, _range: Option<Range<u64>>) -> Result<ByteStream> {
        Err(objects::no_such_object(key))
    }

    fn local_path(&self, _meta: &ObjectMeta) -> Option<PathBuf> {
        None
    }

    async fn stage(&self, key: &str, _options: PutOptions) -> Result<Box<dyn objects::Staged>> {
        Ok(Box::new(Sending(self.clone(), key.to_owned(), Vec::new())))
    }

    fn sends_late_bytes(&self) -> u64 {
        self.late_bytes
    }

    async fn list(&self, _prefix: &str, _after: &str, _limit: usize) -> Result<Vec<ObjectMeta>> {
        Ok(Vec::new())
    }

    async fn delete(&self, _key: &str) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl objects::Staged for Sending {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.2.extend_from_slice(&chunk);
        Ok(())
    }

    async fn write_file(&mut self, path: &Path) -> Result<()> {
        self.2.extend(std::fs::read(path).unwrap());
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Finished> {
        Ok(Finished::Pending(self))
    }

    async fn abort(self: Box<Self>) {}
}

#[async_trait]
impl Commit for Sending {
    async fn commit(self: Box<Self>) -> Result<ObjectMeta> {
        tokio::time::sleep(PAUSE).await;
        let Self(store, key, bytes) = *self;
        if store.fails_at.is_some_and(|end| key.ends_with(end)) {
            return Err(Error::unavailable("the store is out of order"));
        }
        store.seen.lock().unwrap().push((key, bytes));
        Ok(ObjectMeta::default())
    }
}

/// Forty segments of a file, a text for a playlist and one that names it.
async fn staged(store: &Slow, folder: &Path) -> Staged {
    let file: Vec<u8> = (0..40_u8).flat_map(|nth| [nth; 10]).collect();
    std::fs::write(folder.join("output.ts"), file).unwrap();
    let mut staged = Staged::default();
    for (key, role) in [("/x/master.m3u8", Role::Playlist), ("/x/one.m3u8", Role::SubPlaylist)] {
        let text = Content::Text("text".to_owned());
        staged.puts.push(one(store, key, "text/plain", role, text).await.unwrap());
    }
    let piece = |nth: u64| hls::Piece {
        file: "output.ts".to_owned(),
        range: Some(hls::ByteRange { offset: nth * 10, length: 10 }),
        key: format!("/x/one_{nth}.ts"),
        content_type: "video/mp2t".to_owned(),
        role: Role::Segment,
    };
    let pieces: Vec<hls::Piece> = (0..40).map(piece).collect();
    staged.pieces(store, folder, &pieces, &Seal::Clear).await.unwrap();
    staged
}

#[tokio::test(start_paused = true)]
async fn many_segments_are_sent_at_once_and_what_names_them_behind_them() {
    let folder = tempfile::tempdir().unwrap();
    for late_bytes in [0, 1000] {
        let store = Slow { late_bytes, ..Slow::default() };
        let staged = staged(&store, folder.path()).await;
        assert!(store.seen.lock().unwrap().is_empty(), "nothing is seen before its time");
        let begun = Instant::now();
        staged.commit(&store).await.unwrap();
        // One after the other they would take 4.2 s.
        assert!(begun.elapsed() < PAUSE * 8, "{:?}", begun.elapsed());
        let seen = store.seen.lock().unwrap();
        assert_eq!(seen.len(), 42);
        assert_eq!((seen[40].0.as_str(), seen[41].0.as_str()), ("x/one.m3u8", "x/master.m3u8"));
        for (key, bytes) in &seen[..40] {
            let nth: u8 = key.trim_start_matches("x/one_").trim_end_matches(".ts").parse().unwrap();
            assert_eq!(*bytes, [nth; 10], "{key}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_segment_that_fails_leaves_no_playlist() {
    let folder = tempfile::tempdir().unwrap();
    let store = Slow { late_bytes: 1000, fails_at: Some("_7.ts"), ..Slow::default() };
    let staged = staged(&store, folder.path()).await;
    assert!(staged.commit(&store).await.is_err());
    assert!(store.seen.lock().unwrap().iter().all(|(key, _)| key.starts_with("x/one_")));
}

#[tokio::test]
async fn small_objects_wait_on_the_disk_and_not_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let store = Slow { late_bytes: 10, ..Slow::default() };
    let staged = staged(&store, folder.path()).await;
    assert!(staged.puts.iter().all(|put| matches!(put.ready, Ready::Here(..))));
    let objects = staged.objects();
    assert_eq!((objects[0].size_bytes, objects[0].md5.len(), objects[2].size_bytes), (4, 32, 10));
    let large = Slow { late_bytes: 3, ..Slow::default() };
    let text = one(&large, "/t", "text/plain", Role::Main, Content::Text("text".to_owned())).await.unwrap();
    assert!(matches!(text.ready, Ready::Staged(_)));
}
