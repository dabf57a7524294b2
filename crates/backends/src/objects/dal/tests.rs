//! Uploads that are visible late or never, reads of one version, errors without secrets.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt as _;
use mps_core::Result;
use mps_core::error::{Kind, Retry};
use serde_json::json;

use super::{KeyPair, code_of, plain};
use crate::objects::s3::{Options, open};
use crate::objects::{Commit, Finished, ObjectMeta, ObjectStore, PutOptions, Staged};
use crate::testing::bucket::{Bucket, fault};
use crate::testing::{Reply, noise};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn keys() -> KeyPair {
    KeyPair { id: "AKIDEXAMPLE".to_owned(), secret: SECRET.to_owned() }
}

async fn bucket() -> (Bucket, Arc<dyn ObjectStore>) {
    let bucket = Bucket::start("/films/").await;
    let options = Options { endpoint_url: Some(bucket.server.url("")), keys: None };
    let store = open(&options, "films", "us-east-1", Some(&keys())).unwrap();
    (bucket, store)
}

fn pending(finished: Finished) -> Box<dyn Commit> {
    match finished {
        Finished::Pending(commit) => commit,
        Finished::Publish(_) => panic!("a foreign object needs a commit"),
    }
}

async fn read(store: &dyn ObjectStore, key: &str, range: Option<std::ops::Range<u64>>) -> Result<Vec<u8>> {
    let chunks: Vec<Bytes> = store.read(key, range).await?.try_collect().await?;
    Ok(chunks.concat())
}

#[tokio::test]
async fn a_small_object_appears_when_it_is_committed() {
    let (bucket, store) = bucket().await;
    let meta = json!({ "note": "x", "Cache-Control": "no-store" });
    let options = PutOptions { meta, ..PutOptions::default() };
    let mut staged = store.stage("/out/a b+ü.mp4", options).await.unwrap();
    staged.write(Bytes::from_static(b"hello ")).await.unwrap();
    staged.write(Bytes::from_static(b"world")).await.unwrap();
    let commit = pending(staged.finish().await.unwrap());
    assert!(bucket.keys().is_empty());
    let told = commit.commit().await.unwrap();
    assert_eq!(bucket.keys(), ["out/a b+ü.mp4"]);
    assert_eq!((told.size_bytes, told.md5.as_str()), (11, "5eb63bbbe01eeed093cb22bb8f5acdc3"));
    let found = store.head("out/a b+ü.mp4").await.unwrap();
    assert_eq!(found.content_type, "video/mp4");
    assert_eq!((found.size_bytes, &found.etag, &found.md5), (11, &told.md5, &told.md5));
    assert_eq!(found.meta, json!({ "note": "x" }));
    assert_eq!(read(&*store, "out/a b+ü.mp4", None).await.unwrap(), b"hello world");
    assert_eq!(read(&*store, "out/a b+ü.mp4", Some(6..99)).await.unwrap(), b"world");
    assert_eq!(read(&*store, "out/a b+ü.mp4", Some(3..3)).await.unwrap(), b"");
    let put = bucket.server.seen().into_iter().find(|seen| seen.method == "PUT").unwrap();
    let signed = put.header("authorization");
    assert!(signed.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{signed}");
    assert!(signed.contains("/us-east-1/s3/aws4_request"), "{signed}");
    assert_eq!(put.header("cache-control"), "no-store");
    store.delete("out/a b+ü.mp4").await.unwrap();
    store.delete("out/a b+ü.mp4").await.unwrap();
    assert_eq!(store.head("out/a b+ü.mp4").await.unwrap_err().kind(), Kind::NotFound);
}

async fn stage_large(store: &dyn ObjectStore, bytes: &[u8]) -> Box<dyn Staged> {
    let mut staged = store.stage("large.bin", PutOptions::default()).await.unwrap();
    for chunk in bytes.chunks(1_000_000) {
        staged.write(Bytes::copy_from_slice(chunk)).await.unwrap();
    }
    staged
}

#[tokio::test]
async fn a_large_object_goes_up_in_parts_and_appears_when_it_is_committed() {
    let (bucket, store) = bucket().await;
    let bytes = noise(20_000_000);
    let commit = pending(stage_large(&*store, &bytes).await.finish().await.unwrap());
    assert_eq!((bucket.keys().len(), bucket.open_uploads()), (0, 1));
    let told = commit.commit().await.unwrap();
    assert_eq!((told.size_bytes, told.etag.as_str()), (20_000_000, "parts-3"));
    assert_eq!(bucket.open_uploads(), 0);
    assert!(read(&*store, "large.bin", None).await.unwrap() == bytes);
}

#[tokio::test]
async fn what_is_given_up_or_dropped_leaves_no_parts() {
    let (bucket, store) = bucket().await;
    let bytes = noise(20_000_000);
    stage_large(&*store, &bytes).await.abort().await;
    assert_eq!((bucket.keys().len(), bucket.open_uploads()), (0, 0));
    drop(stage_large(&*store, &bytes).await);
    drop(pending(stage_large(&*store, &bytes).await.finish().await.unwrap()));
    for _ in 0..100 {
        if bucket.open_uploads() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((bucket.keys().len(), bucket.open_uploads()), (0, 0));
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_known_by_its_mark() {
    let (bucket, store) = bucket().await;
    bucket.state.lock().unwrap().loses_next_complete = true;
    let bytes = noise(20_000_000);
    let commit = pending(stage_large(&*store, &bytes).await.finish().await.unwrap());
    assert_eq!(commit.commit().await.unwrap().size_bytes, 20_000_000);
    // The same answer for an upload that did not happen is a failure.
    let commit = pending(stage_large(&*store, &bytes).await.finish().await.unwrap());
    bucket.state.lock().unwrap().uploads.clear();
    assert!(commit.commit().await.is_err());
}

#[tokio::test]
async fn a_file_goes_up_as_it_is() {
    let (_bucket, store) = bucket().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.mp4");
    std::fs::write(&path, noise(3_000_001)).unwrap();
    let mut staged = store.stage("f.mp4", PutOptions::default()).await.unwrap();
    staged.write_file(&path).await.unwrap();
    let told = pending(staged.finish().await.unwrap()).commit().await.unwrap();
    assert_eq!(told.size_bytes, 3_000_001);
    assert!(read(&*store, "f.mp4", None).await.unwrap() == noise(3_000_001));
}

#[tokio::test]
async fn reads_after_a_look_are_of_that_version_or_fail() {
    let (bucket, store) = bucket().await;
    bucket.put("in.mp4", b"version one");
    store.head("in.mp4").await.unwrap();
    assert_eq!(read(&*store, "in.mp4", Some(0..7)).await.unwrap(), b"version");
    bucket.put("in.mp4", b"version two");
    let error = read(&*store, "in.mp4", Some(8..11)).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Conflict, Retry::Later), "{error:?}");
    assert_eq!(read(&*store, "in.mp4", Some(8..11)).await.unwrap(), b"two");
}

#[tokio::test]
async fn a_wrong_secret_is_told_without_the_secret() {
    let (bucket, store) = bucket().await;
    for code in ["SignatureDoesNotMatch", "InvalidAccessKeyId", "AccessDenied"] {
        let told = format!("{code}: you sent {SECRET}");
        bucket.state.lock().unwrap().always = Some(fault(403, code, &told));
        let error = store.list("", "", 10).await.err().unwrap();
        assert_eq!((error.kind(), error.retry()), (Kind::Denied, Retry::Never));
        let all = format!("{error:?} {error} {} {:?}", error.chain(), error.context());
        assert!(all.contains(code) && all.contains("films") && !all.contains(SECRET), "{all}");
        assert_eq!(store.head("x").await.unwrap_err().kind(), Kind::Denied);
        let mut staged = store.stage("x", PutOptions::default()).await.unwrap();
        staged.write(Bytes::from_static(b"x")).await.unwrap();
        let error = pending(staged.finish().await.unwrap()).commit().await.err().unwrap();
        assert_eq!(error.kind(), Kind::Denied, "{error:?}");
        assert!(!format!("{error:?}").contains(SECRET));
    }
    let shown = format!("{:?} {:?}", keys(), Options { endpoint_url: None, keys: Some(keys()) });
    assert!(!shown.contains(SECRET) && !shown.contains("AKID"), "{shown}");
}

#[tokio::test]
async fn faults_of_the_store_are_told_apart() {
    let (bucket, store) = bucket().await;
    for (reply, kind, retry) in [
        (fault(404, "NoSuchBucket", "x"), Kind::NotFound, Retry::Never),
        (fault(301, "PermanentRedirect", "x"), Kind::InvalidInput, Retry::Never),
        (fault(400, "AuthorizationHeaderMalformed", "x"), Kind::InvalidInput, Retry::Never),
        (fault(503, "SlowDown", "x"), Kind::Unavailable, Retry::Later),
        (Reply::new(500).body("oops"), Kind::Unavailable, Retry::Later),
    ] {
        bucket.state.lock().unwrap().always = Some(reply);
        let error = store.list("", "", 10).await.err().unwrap();
        assert_eq!((error.kind(), error.retry()), (kind, retry), "{error:?}");
    }
}

#[tokio::test]
async fn only_where_nothing_is_yet_is_asked_of_the_store() {
    let (bucket, store) = bucket().await;
    let options = PutOptions { only_if_absent: true, ..PutOptions::default() };
    let mut staged = store.stage("x", options).await.unwrap();
    staged.write(Bytes::from_static(b"x")).await.unwrap();
    pending(staged.finish().await.unwrap()).commit().await.unwrap();
    let put = bucket.server.seen().into_iter().find(|seen| seen.method == "PUT").unwrap();
    assert_eq!(put.header("if-none-match"), "*");
}

#[test]
fn keys_that_would_become_others_are_refused() {
    assert_eq!(plain("/video/1.mp4").unwrap(), plain("video/1.mp4").unwrap());
    for key in ["", "/", "a/", "a//b", "//a", " a", "a "] {
        assert!(plain(key).is_err(), "{key:?}");
    }
}

#[test]
fn a_code_is_found_in_what_opendal_prints() {
    assert_eq!(code_of(r#"S3Error { code: "NoSuchKey", message: "x" }"#), "NoSuchKey");
    assert_eq!(code_of(r#"S3Error { code: "<script>", message: "x" }"#), "");
    assert_eq!(code_of("no xml at all"), "");
}

/// Against an independent server, where the tests are told of one.
#[tokio::test]
async fn an_independent_store_agrees() {
    #[expect(clippy::disallowed_methods, reason = "the test script says where the server is")]
    let Ok(endpoint) = std::env::var("MPS_TEST_S3_URL") else {
        eprintln!("skipped: MPS_TEST_S3_URL names no S3 server");
        return;
    };
    let client = crate::guard::client_builder(crate::guard::Timeouts::default()).unwrap().build().unwrap();
    let bucket = format!("mps-{}", crate::token::random_hex::<6>().unwrap());
    let made = client.put(format!("{endpoint}/{bucket}")).send().await.unwrap();
    assert!(made.status().is_success(), "{}", made.status());
    let options = Options { endpoint_url: Some(endpoint), keys: Some(keys()) };
    let store = open(&options, &bucket, "us-east-1", None).unwrap();
    let bytes = noise(20_000_000);
    let sizes = [("input/large.bin", 20_000_000), ("input/small+ü .txt", 11), ("input/empty", 0)];
    for (key, size) in sizes {
        let mut staged = store.stage(key, PutOptions::default()).await.unwrap();
        for chunk in bytes[..size].chunks(700_000) {
            staged.write(Bytes::copy_from_slice(chunk)).await.unwrap();
        }
        let commit = pending(staged.finish().await.unwrap());
        assert_eq!(store.head(key).await.unwrap_err().kind(), Kind::NotFound, "{key}");
        commit.commit().await.unwrap();
        let meta = store.head(key).await.unwrap();
        assert_eq!(meta.size_bytes, size as u64, "{key}");
        assert!(read(&*store, key, None).await.unwrap() == bytes[..size], "{key}");
    }
    assert!(
        read(&*store, "input/large.bin", Some(9_000_000..9_000_100)).await.unwrap()
            == bytes[9_000_000..9_000_100]
    );
    let listed = store.list("input/", "", 10).await.unwrap();
    let names = |listed: &[ObjectMeta]| listed.iter().map(|meta| meta.key.clone()).collect::<Vec<_>>();
    assert_eq!(names(&listed), ["input/empty", "input/large.bin", "input/small+ü .txt"]);
    assert_eq!(names(&store.list("input/", "input/empty", 1).await.unwrap()), ["input/large.bin"]);
    store.delete("input/large.bin").await.unwrap();
    assert_eq!(store.head("input/large.bin").await.unwrap_err().kind(), Kind::NotFound);
    let nowhere = open(&options, "mps-no-such-bucket", "us-east-1", None).unwrap();
    assert_eq!(nowhere.list("", "", 1).await.err().unwrap().kind(), Kind::NotFound);
}
