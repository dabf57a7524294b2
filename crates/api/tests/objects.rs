//! One suite over every object store that can be written: local buckets directly, the same through our own S3
//! endpoint and the S3 backend, and an independent S3 server (`MPS_TEST_S3_URL`; skipped with a line when absent).

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use md5::{Digest, Md5};
use mps_api::Regions;
use mps_api::bucket_door::{BucketDoorLimits, BucketDoorParts, service};
use mps_backends::objects::local::LocalBuckets;
use mps_backends::objects::s3::{KeyPair, Options, open};
use mps_backends::objects::{Finished, ObjectMeta, ObjectStore, PutOptions};
use mps_core::clock::{Clock, SystemClock};
use mps_core::{Kind, Result};
use mps_store::{Store, StoreOptions, accounts};
use tempfile::TempDir;

const ACCOUNT: i64 = 1_250_000_000;
const BUCKET: &str = "suite-1250000000";

/// A store under test, with what it needs to live and what it can.
struct Subject {
    name: &'static str,
    store: Arc<dyn ObjectStore>,
    /// Publishes what a local bucket finished.
    local: Option<LocalBuckets>,
    /// Whether keys such as `a//b` and `a/` keep their form on the way.
    has_odd_keys: bool,
    _dir: Option<TempDir>,
}

impl Subject {
    async fn show(&self, finished: Finished) -> Result<()> {
        match finished {
            Finished::Publish(object) => self.local.as_ref().expect("a local bucket").publish(object).await,
            Finished::Pending(commit) => commit.commit().await.map(drop),
        }
    }

    async fn put(&self, key: &str, bytes: &[u8], options: PutOptions) -> Result<()> {
        let mut staged = self.store.stage(key, options).await?;
        for chunk in bytes.chunks(700_000) {
            staged.write(Bytes::copy_from_slice(chunk)).await?;
        }
        let finished = staged.finish().await?;
        self.show(finished).await
    }

    async fn get(&self, key: &str) -> Result<Vec<u8>> {
        self.get_range(key, None).await
    }

    async fn get_range(&self, key: &str, range: Option<std::ops::Range<u64>>) -> Result<Vec<u8>> {
        let chunks: Vec<Bytes> = self.store.read(key, range).await?.try_collect().await?;
        Ok(chunks.concat())
    }

    async fn keys(&self, prefix: &str, after: &str, limit: usize) -> Vec<String> {
        let listed = self.store.list(prefix, after, limit).await.expect("listed");
        listed.into_iter().map(|meta: ObjectMeta| meta.key).collect()
    }
}

async fn local() -> (LocalBuckets, Store, Arc<dyn Clock>, TempDir) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open_sqlite(&dir.path().join("mps.db"), &StoreOptions::default()).await.expect("open");
    let key = accounts::Key {
        secret_id: "AKIDsuite".to_owned(),
        account: ACCOUNT,
        secret_key: "secret".to_owned(),
        state: accounts::ACTIVE,
        created_ms: 1,
        comment: String::new(),
    };
    let made = store.write(|tx| {
        Box::pin(async move {
            accounts::ensure(tx, ACCOUNT, "suite", 1).await?;
            accounts::add_key(tx, &key).await
        })
    });
    made.await.expect("an account");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let buckets = LocalBuckets::open(dir.path(), store.clone(), clock.clone(), 1).await.expect("opened");
    buckets.create_bucket(ACCOUNT, BUCKET, "ap-guangzhou").await.expect("made");
    (buckets, store, clock, dir)
}

fn by_s3(endpoint: String, bucket: &str) -> Arc<dyn ObjectStore> {
    let keys = KeyPair { id: "AKIDsuite".to_owned(), secret: "secret".to_owned() };
    let options = Options { endpoint_url: Some(endpoint), keys: Some(keys) };
    open(&options, bucket, "us-east-1", None).expect("opened")
}

async fn own_endpoint() -> Subject {
    let (buckets, store, clock, dir) = local().await;
    let door = service(BucketDoorParts {
        store,
        buckets,
        clock,
        regions: Regions::new("ap-guangzhou", BTreeMap::new()),
        domains: Vec::new(),
        limits: BucketDoorLimits::default(),
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, door).await });
    let store = by_s3(endpoint, BUCKET);
    Subject { name: "own endpoint", store, local: None, has_odd_keys: false, _dir: Some(dir) }
}

async fn independent() -> Option<Subject> {
    #[expect(clippy::disallowed_methods, reason = "the test script says where the server is")]
    let Ok(endpoint) = std::env::var("MPS_TEST_S3_URL") else {
        eprintln!("skipped: MPS_TEST_S3_URL names no S3 server");
        return None;
    };
    let bucket = format!("suite-{}", uuid::Uuid::new_v4().simple());
    let address = endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let mut line = tokio::net::TcpStream::connect(&address).await.expect("the S3 server answers");
    let request = format!(
        "PUT /{bucket} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    tokio::io::AsyncWriteExt::write_all(&mut line, request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut line, &mut answer).await.expect("answered");
    assert!(answer.contains(" 200 "), "{answer}");
    let store = by_s3(endpoint, &bucket);
    Some(Subject { name: "independent server", store, local: None, has_odd_keys: false, _dir: None })
}

async fn subjects() -> Vec<Subject> {
    let (buckets, _, _, dir) = local().await;
    let store: Arc<dyn ObjectStore> = Arc::new(buckets.bucket(BUCKET));
    let mut all = vec![
        Subject { name: "local", store, local: Some(buckets), has_odd_keys: true, _dir: Some(dir) },
        own_endpoint().await,
    ];
    all.extend(independent().await);
    all
}

fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let step = |state: &mut u64| {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state as u8
    };
    (0..bytes).map(|_| step(&mut state)).collect()
}

#[tokio::test]
async fn an_object_is_invisible_until_it_is_published_and_whole_then() {
    let bytes = noise(20_000_000);
    for subject in subjects().await {
        let name = subject.name;
        for (key, size) in [("a/large.mp4", bytes.len()), ("a/small", 11), ("a/empty", 0)] {
            let options = PutOptions { content_type: "video/mp4".to_owned(), ..PutOptions::default() };
            let mut staged = subject.store.stage(key, options).await.expect(name);
            for chunk in bytes[..size].chunks(700_000) {
                staged.write(Bytes::copy_from_slice(chunk)).await.expect(name);
            }
            let finished = staged.finish().await.expect(name);
            assert_eq!(subject.store.head(key).await.unwrap_err().kind(), Kind::NotFound, "{name}: {key}");
            assert!(subject.keys("a/", "", 10).await.iter().all(|seen| seen != key), "{name}: {key}");
            subject.show(finished).await.expect(name);
            let meta = subject.store.head(key).await.expect(name);
            assert_eq!(
                (meta.size_bytes, meta.content_type.as_str()),
                (size as u64, "video/mp4"),
                "{name}: {key}"
            );
            assert!(meta.modified_ms > 1_700_000_000_000 && !meta.etag.contains('"'), "{name}: {meta:?}");
            let known = hex::encode(Md5::digest(&bytes[..size]));
            assert!(meta.md5.is_empty() || meta.md5 == known, "{name}: {}", meta.md5);
            assert!(subject.get(key).await.expect(name) == bytes[..size], "{name}: {key}");
        }
    }
}

#[tokio::test]
async fn what_is_given_up_never_appears() {
    for subject in subjects().await {
        let name = subject.name;
        for bytes in [noise(10), noise(18_000_000)] {
            for is_dropped in [false, true] {
                let mut staged = subject.store.stage("never", PutOptions::default()).await.expect(name);
                staged.write(Bytes::copy_from_slice(&bytes)).await.expect(name);
                if is_dropped { drop(staged) } else { staged.abort().await }
            }
        }
        assert_eq!(subject.store.head("never").await.unwrap_err().kind(), Kind::NotFound, "{name}");
        assert_eq!(subject.get("never").await.unwrap_err().kind(), Kind::NotFound, "{name}");
        assert!(subject.keys("", "", 10).await.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_file_goes_in_as_its_bytes() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let bytes = noise(9_000_000);
    std::fs::write(file.path(), &bytes).expect("written");
    for subject in subjects().await {
        let name = subject.name;
        let mut staged = subject.store.stage("from/file", PutOptions::default()).await.expect(name);
        staged.write_file(file.path()).await.expect(name);
        staged.write(Bytes::from_static(b"+")).await.expect(name);
        let finished = staged.finish().await.expect(name);
        subject.show(finished).await.expect(name);
        let got = subject.get("from/file").await.expect(name);
        assert!(got.len() == bytes.len() + 1 && got[..bytes.len()] == bytes[..], "{name}");
    }
}

#[tokio::test]
async fn a_range_is_read_and_cut_at_the_end() {
    let bytes = noise(3_000_000);
    for subject in subjects().await {
        let name = subject.name;
        subject.put("range", &bytes, PutOptions::default()).await.expect(name);
        for range in [0..1, 1_000_000..2_000_003, 2_999_999..3_000_000] {
            let wanted = &bytes[range.start as usize..range.end as usize];
            assert!(subject.get_range("range", Some(range)).await.expect(name) == wanted, "{name}");
        }
        let cut = subject.get_range("range", Some(2_999_990..9_000_000)).await.expect(name);
        assert_eq!(cut, bytes[2_999_990..], "{name}");
        let behind = subject.get_range("range", Some(4_000_000..5_000_000)).await;
        assert!(behind.is_err(), "{name}");
    }
}

#[tokio::test]
async fn a_version_replaces_the_one_before_and_is_removed_once() {
    for subject in subjects().await {
        let name = subject.name;
        subject.put("k", b"one", PutOptions::default()).await.expect(name);
        subject.put("k", b"second", PutOptions::default()).await.expect(name);
        assert_eq!(subject.get("k").await.expect(name), b"second", "{name}");
        subject.store.delete("k").await.expect(name);
        subject.store.delete("k").await.expect(name);
        assert_eq!(subject.store.head("k").await.unwrap_err().kind(), Kind::NotFound, "{name}");
    }
}

#[tokio::test]
async fn only_the_first_is_stored_where_that_is_asked() {
    for subject in subjects().await {
        let name = subject.name;
        let only = || PutOptions { only_if_absent: true, ..PutOptions::default() };
        subject.put("first", b"one", only()).await.expect(name);
        let refused = subject.put("first", b"two", only()).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Conflict, "{name}: {refused:?}");
        assert_eq!(subject.get("first").await.expect(name), b"one", "{name}");
    }
}

#[tokio::test]
async fn any_key_comes_back_and_is_listed_in_byte_order() {
    let mut keys: Vec<String> =
        ["a b", "a+b", "ü/片.mp4", "100%", "a~b", "x=1&y", "q?a#b", "A", "a.b/c", "😀", "'\"<>"]
            .map(str::to_owned)
            .to_vec();
    keys.push(format!("long/{}", "x".repeat(900)));
    for subject in subjects().await {
        let name = subject.name;
        let mut keys = keys.clone();
        if subject.has_odd_keys {
            keys.extend(["a//b", "dir/", "dir", "..", ".", "/", " "].map(str::to_owned));
        }
        for key in &keys {
            subject
                .put(key, key.as_bytes(), PutOptions::default())
                .await
                .unwrap_or_else(|e| panic!("{name}: {key}: {e:?}"));
        }
        for key in &keys {
            assert_eq!(subject.get(key).await.expect(name), key.as_bytes(), "{name}: {key}");
        }
        keys.sort();
        assert_eq!(subject.keys("", "", 100).await, keys, "{name}");
    }
}

#[tokio::test]
async fn a_listing_goes_on_after_any_key() {
    let keys: Vec<String> = (0..23).map(|n| format!("page/{n:02}")).collect();
    for subject in subjects().await {
        let name = subject.name;
        subject.put("other", b"", PutOptions::default()).await.expect(name);
        for key in &keys {
            subject.put(key, b"", PutOptions::default()).await.expect(name);
        }
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = subject.keys("page/", &after, 5).await;
            assert!(page.len() <= 5, "{name}");
            let Some(last) = page.last() else { break };
            after.clone_from(last);
            seen.extend(page);
        }
        assert_eq!(seen, keys, "{name}");
        assert!(subject.keys("none/", "", 5).await.is_empty(), "{name}");
    }
}
