//! Local buckets on a real data folder and on each database there is.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use mps_core::Kind;
use mps_core::clock::SystemClock;
use mps_store::object_events::{self, ObjectEvent};
use mps_store::objects::{Condition, Headers, Origin};
use mps_testkit::databases;
use tempfile::TempDir;

use super::*;

const BUCKET: &str = "films-1250000000";

struct Home {
    buckets: LocalBuckets,
    dir: TempDir,
}

impl Home {
    async fn put(&self, key: &str, bytes: &[u8], put: Put) -> Result<()> {
        let mut staged = self.buckets.stage(BUCKET, key, put)?;
        for chunk in bytes.chunks(700_000) {
            staged.append(Bytes::copy_from_slice(chunk)).await?;
        }
        self.buckets.publish(staged.seal().await?).await
    }

    async fn get(&self, key: &str) -> Result<Vec<u8>> {
        let object = self.buckets.find(BUCKET, key).await?;
        let chunks: Vec<Bytes> = self.buckets.open_object(&object, None).await?.try_collect().await?;
        Ok(chunks.concat())
    }

    async fn events(&self) -> Vec<ObjectEvent> {
        let read = self.buckets.0.store.read(|tx| Box::pin(object_events::after(tx, 0, 1000)));
        read.await.unwrap()
    }

    async fn sweep_all(&self) -> sweep::Swept {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let zero = Duration::ZERO;
        self.buckets.sweep(Grace { dead_blob: zero, staged: zero, upload: zero }).await.unwrap()
    }

    fn files(&self, folder: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.dir.path().join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let is_folder = entry.file_type().unwrap().is_dir();
                if is_folder { folders.push(entry.path()) } else { found.push(entry.path()) }
            }
        }
        found
    }

    async fn upload(&self, key: &str, parts: &[(i64, &[u8])]) -> (mps_store::uploads::Upload, Vec<Chosen>) {
        let upload = self.buckets.begin_upload(BUCKET, key, "", Headers::default()).await.unwrap();
        let mut chosen = Vec::new();
        for (number, bytes) in parts {
            chosen.push(self.part(&upload.id, *number, bytes).await.unwrap());
        }
        (upload, chosen)
    }

    async fn part(&self, upload: &str, number: i64, bytes: &[u8]) -> Result<Chosen> {
        let mut part = self.buckets.stage_part(upload, number, Some(bytes.len() as u64)).await?;
        part.append(Bytes::copy_from_slice(bytes)).await?;
        let part = part.finish(|_| Ok(())).await?;
        Ok(Chosen { number, etag: part.etag })
    }

    async fn complete(&self, upload: &mps_store::uploads::Upload, chosen: &[Chosen]) -> Result<String> {
        self.buckets.complete_upload(upload, chosen, 0, Condition::None).await
    }
}

async fn homes() -> Vec<Home> {
    let mut all = Vec::new();
    for database in databases().await {
        let store = database.open().await;
        let dir = database.dir.unwrap_or_else(|| tempfile::tempdir().unwrap());
        store.write(|tx| Box::pin(accounts::ensure(tx, 1_250_000_000, "a", 1))).await.unwrap();
        store.write(|tx| Box::pin(accounts::ensure(tx, 7_000_000_000, "b", 1))).await.unwrap();
        let buckets = LocalBuckets::open(dir.path(), store, Arc::new(SystemClock), 1).await.unwrap();
        buckets.create_bucket(1_250_000_000, BUCKET, "ap-guangzhou").await.unwrap();
        all.push(Home { buckets, dir });
    }
    all
}

fn code(error: &Error) -> &str {
    error.context().iter().find(|(name, _)| *name == "code").map_or("", |(_, code)| code)
}

#[tokio::test]
async fn an_object_is_a_row_and_a_file_that_a_person_finds() {
    for home in homes().await {
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n as u8).collect();
        home.put("films/a b/main.mp4", &bytes, Put { origin: Origin::Put, ..Put::default() }).await.unwrap();
        assert_eq!(home.get("films/a b/main.mp4").await.unwrap(), bytes);

        let object = home.buckets.find(BUCKET, "films/a b/main.mp4").await.unwrap();
        assert_eq!((object.size_bytes, object.content_type.as_str()), (3_000_000, "video/mp4"));
        assert_eq!(object.etag, hex::encode(<md5::Md5 as md5::Digest>::digest(&bytes)));
        let name = object.blob_path.strip_prefix("buckets/films-1250000000/films/a b/main~").unwrap();
        assert_eq!(Path::new(name).extension().unwrap(), "mp4");
        assert!(home.dir.path().join(&object.blob_path).is_file());
        assert!(home.files("staging").is_empty(), "{:?}", home.files("staging"));

        let events = home.events().await;
        assert_eq!(events.len(), 1);
        assert_eq!((events[0].name.as_str(), events[0].account), ("ObjectCreated:Put", 1_250_000_000));
        assert!(!events[0].is_folder());
    }
}

#[tokio::test]
async fn nothing_is_visible_before_it_is_published() {
    for home in homes().await {
        let mut staged = home.buckets.stage(BUCKET, "a.mp4", Put::default()).unwrap();
        staged.append(Bytes::from_static(b"half")).await.unwrap();
        assert_eq!(home.get("a.mp4").await.unwrap_err().kind(), Kind::NotFound);
        drop(staged);
        assert!(home.files("staging").is_empty() && home.files("buckets").is_empty());

        let sealed = home.buckets.stage(BUCKET, "a.mp4", Put::default()).unwrap().seal().await.unwrap();
        assert_eq!(home.get("a.mp4").await.unwrap_err().kind(), Kind::NotFound);
        assert!(home.events().await.is_empty());
        home.buckets.publish(sealed).await.unwrap();
        assert_eq!(home.get("a.mp4").await.unwrap(), b"");
    }
}

#[tokio::test]
async fn a_reader_of_a_replaced_object_reads_it_to_its_end() {
    for home in homes().await {
        home.put("a", &vec![1; 2_000_000], Put::default()).await.unwrap();
        let old = home.buckets.find(BUCKET, "a").await.unwrap();
        let reader = home.buckets.open_object(&old, None).await.unwrap();
        home.put("a", b"new", Put::default()).await.unwrap();
        assert!(home.buckets.path_of(&old).exists(), "kept for its grace");
        let kept = home.buckets.sweep(Grace::default()).await.unwrap();
        assert_eq!(kept, sweep::Swept::default());

        let swept = home.sweep_all().await;
        assert_eq!(swept.dead_blobs, 1);
        assert!(!home.buckets.path_of(&old).exists());
        let chunks: Vec<Bytes> = reader.try_collect().await.unwrap();
        assert_eq!(chunks.concat(), vec![1; 2_000_000]);
        assert_eq!(home.get("a").await.unwrap(), b"new");
        assert_eq!(home.events().await.len(), 2);
    }
}

#[tokio::test]
async fn any_key_has_its_own_bytes() {
    let keys = [
        "dir/",
        "dir",
        "dir/x",
        "a//b",
        "a/b",
        "/a",
        "a/./b",
        "a/../b",
        "..",
        ".",
        "/",
        "//",
        "片/ü ñ.mp4",
        "a~b",
        "100%",
        "a\\b",
        "tab\there",
        " ",
        "a/%2F",
        "new\nline",
        ".hidden",
        "x.tar.gz",
        "a?b=c&d#e",
        "'\"`$(x)",
    ];
    let long = [
        "x".repeat(1024),
        format!("{}/{}", "y".repeat(900), "z".repeat(100)),
        "é/".repeat(341),
        "/".repeat(1024),
    ];
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).chain(long).collect();
    for home in homes().await {
        for key in &keys {
            home.put(key, key.as_bytes(), Put::default()).await.unwrap();
        }
        for key in &keys {
            assert_eq!(home.get(key).await.unwrap(), key.as_bytes(), "{key:?}");
        }
        let listed =
            home.buckets.list(BUCKET, &ListQuery { limit: 1000, ..ListQuery::default() }).await.unwrap();
        let mut sorted = keys.clone();
        sorted.sort();
        assert_eq!(listed.objects.into_iter().map(|o| o.key).collect::<Vec<_>>(), sorted);
        for path in home.files("buckets") {
            assert!(path.starts_with(home.dir.path().join("buckets").join(BUCKET)));
        }
        for refused in ["", "a\0b", &"x".repeat(1025)] {
            assert_eq!(home.put(refused, b"", Put::default()).await.unwrap_err().kind(), Kind::InvalidInput);
        }
    }
}

#[tokio::test]
async fn a_listing_is_folded_and_paged_without_loss() {
    for home in homes().await {
        let mut keys: Vec<String> = (0..40).map(|n| format!("a/{n:02}")).collect();
        keys.extend(["a", "b/x/1", "b/x/2", "b/y", "c", "\u{10ffff}/z", "\u{10ffff}"].map(str::to_owned));
        for key in &keys {
            home.put(key, b"", Put::default()).await.unwrap();
        }
        keys.sort();
        for limit in [1, 2, 3, 7, 100] {
            let mut seen = Vec::new();
            let mut start = String::new();
            loop {
                let query = ListQuery { start_after: &start, limit, ..ListQuery::default() };
                let page = home.buckets.list(BUCKET, &query).await.unwrap();
                seen.extend(page.objects.into_iter().map(|object| object.key));
                let Some(next) = page.next else { break };
                start = next;
            }
            assert_eq!(seen, keys, "pages of {limit}");

            let (mut objects, mut prefixes, mut start) = (Vec::new(), Vec::new(), String::new());
            loop {
                let query = ListQuery { delimiter: "/", start_after: &start, limit, ..ListQuery::default() };
                let page = home.buckets.list(BUCKET, &query).await.unwrap();
                assert!(page.objects.len() + page.prefixes.len() <= limit);
                objects.extend(page.objects.into_iter().map(|object| object.key));
                prefixes.extend(page.prefixes);
                let Some(next) = page.next else { break };
                start = next;
            }
            assert_eq!(objects, ["a", "c", "\u{10ffff}"], "pages of {limit}");
            assert_eq!(prefixes, ["a/", "b/", "\u{10ffff}/"], "pages of {limit}");
        }
        let query = ListQuery { prefix: "b/", delimiter: "/", limit: 10, ..ListQuery::default() };
        let page = home.buckets.list(BUCKET, &query).await.unwrap();
        assert_eq!(page.prefixes, ["b/x/"]);
        assert_eq!(page.objects[0].key, "b/y");
    }
}

#[tokio::test]
async fn a_condition_is_checked_when_the_object_is_published() {
    for home in homes().await {
        let only_new = || Put { condition: Condition::Absent, ..Put::default() };
        home.put("a", b"1", only_new()).await.unwrap();
        let refused = home.put("a", b"2", only_new()).await.unwrap_err();
        assert_eq!((refused.kind(), code(&refused)), (Kind::Conflict, "PreconditionFailed"));
        assert_eq!(home.files("buckets").len(), 1, "the refused bytes are gone");

        let etag = home.buckets.find(BUCKET, "a").await.unwrap().etag;
        let only = |etag: &str| Put { condition: Condition::Matches(etag.to_owned()), ..Put::default() };
        home.put("a", b"3", only(&etag)).await.unwrap();
        home.put("a", b"4", only(&etag)).await.unwrap_err();
        home.put("b", b"4", only(&etag)).await.unwrap_err();
        assert_eq!(home.get("a").await.unwrap(), b"3");

        let mut object = home.buckets.stage("gone", "a", Put::default()).unwrap().seal().await.unwrap();
        object.bucket = "gone".to_owned();
        assert_eq!(code(&home.buckets.publish(object).await.unwrap_err()), "NoSuchBucket");
        assert_eq!(home.events().await.len(), 2);
    }
}

#[tokio::test]
async fn of_many_writers_of_one_new_key_one_wins() {
    for home in homes().await {
        let home = &home;
        let tries = (0..20_u8).map(|n| async move {
            home.put("a", &[n], Put { condition: Condition::Absent, ..Put::default() }).await.is_ok()
        });
        let won = futures::future::join_all(tries).await.into_iter().filter(|won| *won).count();
        assert_eq!((won, home.events().await.len(), home.files("buckets").len()), (1, 1, 1));

        let writers = (0..20_u8).map(|n| async move { home.put("a", &[n], Put::default()).await });
        assert!(futures::future::join_all(writers).await.into_iter().all(|put| put.is_ok()));
        home.sweep_all().await;
        assert_eq!((home.events().await.len(), home.files("buckets").len()), (21, 1));
    }
}

#[tokio::test]
async fn a_copy_shares_its_bytes_and_outlives_its_source() {
    for home in homes().await {
        home.put("a.txt", b"text", Put::default()).await.unwrap();
        let from = home.buckets.find(BUCKET, "a.txt").await.unwrap();
        let put = Put { origin: Origin::Copy, ..Put::default() };
        home.buckets.copy(&from, BUCKET, "b/c.txt", put).await.unwrap();
        let copy = home.buckets.find(BUCKET, "b/c.txt").await.unwrap();
        let inode = |object: &Object| std::fs::metadata(home.buckets.path_of(object)).unwrap().ino();
        assert_eq!(inode(&copy), inode(&from));
        assert!(home.buckets.delete(BUCKET, "a.txt").await.unwrap());
        assert!(!home.buckets.delete(BUCKET, "a.txt").await.unwrap());
        home.sweep_all().await;
        assert_eq!(home.get("b/c.txt").await.unwrap(), b"text");
        assert_eq!(home.events().await[1].name, "ObjectCreated:Copy");
        assert_eq!(home.files("buckets").len(), 1);
    }
}

#[tokio::test]
async fn a_finished_output_is_linked_and_any_other_file_is_copied() {
    for home in homes().await {
        let (inside, outside) = (home.dir.path().join("out.mp4"), tempfile::NamedTempFile::new().unwrap());
        std::fs::write(&inside, b"output").unwrap();
        std::fs::write(outside.path(), b"other").unwrap();
        let store = home.buckets.bucket(BUCKET);
        for (key, path) in [("in.mp4", inside.as_path()), ("out.mp4", outside.path())] {
            let mut staged = store.stage(key, PutOptions::default()).await.unwrap();
            staged.write_file(path).await.unwrap();
            let crate::objects::Finished::Publish(object) = staged.finish().await.unwrap() else {
                panic!("local")
            };
            assert_eq!(object.origin, Origin::TaskOutput);
            home.buckets.publish(object).await.unwrap();
        }
        let meta = store.head("in.mp4").await.unwrap();
        let path = store.local_path(&meta).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().ino(), std::fs::metadata(&inside).unwrap().ino());
        assert_eq!(meta.md5, hex::encode(<md5::Md5 as md5::Digest>::digest(b"output")));
        assert_eq!(home.get("out.mp4").await.unwrap(), b"other");
        assert_eq!(home.events().await[0].name, "ObjectCreated:TaskOutput");

        let mut both = store.stage("both", PutOptions::default()).await.unwrap();
        both.write_file(&inside).await.unwrap();
        both.write(Bytes::from_static(b"+")).await.unwrap();
        both.write_file(outside.path()).await.unwrap();
        let crate::objects::Finished::Publish(object) = both.finish().await.unwrap() else { panic!("local") };
        home.buckets.publish(object).await.unwrap();
        assert_eq!(home.get("both").await.unwrap(), b"output+other");
        assert_eq!(std::fs::read(&inside).unwrap(), b"output", "the taken file is not changed");
    }
}

#[tokio::test]
async fn what_a_crash_left_is_swept() {
    for home in homes().await {
        let orphan = home.buckets.stage(BUCKET, "f/a", Put::default()).unwrap().seal().await.unwrap();
        let kept = home.buckets.stage(BUCKET, "f/b", Put::default()).unwrap().seal().await.unwrap();
        let note = home.buckets.note_path(&kept.blob_path);
        let text = std::fs::read(&note).unwrap();
        home.buckets.publish(kept).await.unwrap();
        // As if the process had died between the row and the removal of the note.
        std::fs::write(&note, text).unwrap();
        std::fs::write(home.dir.path().join("staging/half"), b"half").unwrap();
        assert_eq!(home.sweep_all().await.staged, 2);
        assert!(home.files("staging").is_empty());
        assert!(!home.dir.path().join(&orphan.blob_path).exists());
        assert_eq!(home.get("f/b").await.unwrap(), b"");
    }
}

#[tokio::test]
async fn parts_of_one_size_become_the_object_without_a_copy() {
    for home in homes().await {
        let (one, two, three) = (vec![1; 300_000], vec![2; 300_000], vec![3; 5]);
        let (upload, chosen) = home.upload("a.mp4", &[(2, &two), (3, &three), (1, &one)]).await;
        let whole = home.buckets.upload_folder(&upload.id).join("whole");
        let inode = std::fs::metadata(&whole).unwrap().ino();
        let chosen: Vec<_> = [2, 0, 1].iter().map(|at| chosen[*at].clone()).collect();
        assert!(home.events().await.is_empty());
        let etag = home.complete(&upload, &chosen).await.unwrap();
        assert!(etag.ends_with("-3"));
        assert_eq!(home.get("a.mp4").await.unwrap(), [one, two, three].concat());
        let object = home.buckets.find(BUCKET, "a.mp4").await.unwrap();
        assert_eq!(std::fs::metadata(home.buckets.path_of(&object)).unwrap().ino(), inode);
        assert_eq!(
            (object.etag.as_str(), object.headers.parts.as_slice()),
            (etag.as_str(), &[300_000, 300_000, 5][..])
        );

        let upload = home.buckets.find_upload(BUCKET, "a.mp4", &upload.id).await.unwrap();
        assert_eq!(home.complete(&upload, &chosen).await.unwrap(), etag, "asked again");
        let late = home.part(&upload.id, 4, b"late").await.unwrap_err();
        assert_eq!(code(&late), "NoSuchUpload");
        let events = home.events().await;
        assert_eq!((events.len(), events[0].name.as_str()), (1, "ObjectCreated:CompleteMultipartUpload"));
        assert!(home.files("staging").is_empty());
    }
}

#[tokio::test]
async fn parts_of_mixed_sizes_and_sent_again_become_the_object_too() {
    for home in homes().await {
        // The short end comes first; gaps between the numbers; more than a slot holds.
        let (upload, chosen) = home.upload("gaps", &[(9, b"end"), (2, b"one-"), (5, b"two-")]).await;
        let ordered = [chosen[1].clone(), chosen[2].clone(), chosen[0].clone()];
        home.complete(&upload, &ordered).await.unwrap();
        assert_eq!(home.get("gaps").await.unwrap(), b"one-two-end");

        let (upload, mut chosen) = home.upload("again", &[(1, b"aaaa"), (2, b"bbbb"), (3, b"c")]).await;
        chosen[1] = home.part(&upload.id, 2, b"BBBB").await.unwrap();
        home.complete(&upload, &chosen).await.unwrap();
        assert_eq!(home.get("again").await.unwrap(), b"aaaaBBBBc");

        // Fewer parts than came.
        let (upload, chosen) = home.upload("fewer", &[(1, b"aaaa"), (2, b"bbbb"), (3, b"cccc")]).await;
        home.complete(&upload, &chosen[..2]).await.unwrap();
        assert_eq!(home.get("fewer").await.unwrap(), b"aaaabbbb");

        // A part that was given up and sent again, while the first try still holds its slot.
        let (upload, mut chosen) = home.upload("stalled", &[(1, b"aaaa")]).await;
        let mut stalled = home.buckets.stage_part(&upload.id, 2, Some(4)).await.unwrap();
        stalled.append(Bytes::from_static(b"xx")).await.unwrap();
        chosen.push(home.part(&upload.id, 2, b"bbbb").await.unwrap());
        home.complete(&upload, &chosen).await.unwrap();
        stalled.append(Bytes::from_static(b"xx")).await.unwrap();
        assert_eq!(code(&stalled.finish(|_| Ok(())).await.unwrap_err()), "NoSuchUpload");
        assert_eq!(home.get("stalled").await.unwrap(), b"aaaabbbb");
    }
}

#[tokio::test]
async fn an_upload_completes_once_whoever_asks() {
    for home in homes().await {
        let (upload, chosen) = home.upload("a", &[(1, b"aaaa"), (2, b"bb")]).await;
        let tries = (0..8).map(|_| home.complete(&upload, &chosen));
        let tags: Vec<_> = futures::future::join_all(tries).await.into_iter().map(Result::unwrap).collect();
        assert!(tags.iter().all(|tag| *tag == tags[0]));
        assert_eq!(home.events().await.len(), 1);

        let (upload, chosen) = home.upload("b", &[(1, b"aaaa"), (2, b"bb")]).await;
        let refused = |wrong: Vec<Chosen>, least| {
            let (buckets, upload) = (home.buckets.clone(), upload.clone());
            async move {
                let error =
                    buckets.complete_upload(&upload, &wrong, least, Condition::None).await.unwrap_err();
                code(&error).to_owned()
            }
        };
        assert_eq!(refused(vec![], 0).await, "MalformedXML");
        assert_eq!(refused(vec![chosen[1].clone(), chosen[0].clone()], 0).await, "InvalidPartOrder");
        assert_eq!(refused(vec![Chosen { number: 7, etag: "x".to_owned() }], 0).await, "InvalidPart");
        assert_eq!(refused(chosen.clone(), 5).await, "EntityTooSmall");
        home.buckets.abort_upload(&upload.id).await.unwrap();
        assert_eq!(code(&home.buckets.abort_upload(&upload.id).await.unwrap_err()), "NoSuchUpload");
        assert_eq!(refused(chosen.clone(), 0).await, "NoSuchUpload");
        assert_eq!(home.events().await.len(), 1, "an upload given up raises nothing");
        assert_eq!(home.get("b").await.unwrap_err().kind(), Kind::NotFound);
    }
}

#[tokio::test]
async fn a_bucket_goes_only_when_it_is_empty() {
    for home in homes().await {
        home.put("a", b"1", Put::default()).await.unwrap();
        assert_eq!(code(&home.buckets.delete_bucket(BUCKET).await.unwrap_err()), "BucketNotEmpty");
        home.buckets.delete(BUCKET, "a").await.unwrap();
        let (upload, _) = home.upload("b", &[]).await;
        assert_eq!(code(&home.buckets.delete_bucket(BUCKET).await.unwrap_err()), "BucketNotEmpty");
        home.buckets.abort_upload(&upload.id).await.unwrap();
        home.buckets.delete_bucket(BUCKET).await.unwrap();
        assert_eq!(code(&home.buckets.delete_bucket(BUCKET).await.unwrap_err()), "NoSuchBucket");
    }
}

#[tokio::test]
async fn a_buckets_name_is_plain_and_nobody_elses() {
    for home in homes().await {
        let create = |account, name: &'static str| home.buckets.create_bucket(account, name, "ap-guangzhou");
        assert_eq!(create(1_250_000_000, BUCKET).await.unwrap(), Created::HadIt);
        assert_eq!(create(7_000_000_000, "films.example").await.unwrap(), Created::Made);
        assert_eq!(create(1_250_000_000, "films.example").await.unwrap(), Created::Taken);
        for name in ["ab", "Upper", "a_b", "-ab", "ab-", "a..b", "10.0.0.1", "x-7000000000", "a/b", "../x"] {
            assert_eq!(code(&create(1_250_000_000, name).await.unwrap_err()), "InvalidBucketName", "{name}");
        }
        assert_eq!(create(7_000_000_000, "x-7000000000").await.unwrap(), Created::Made);
    }
}
