//! Local buckets: rows in the database, and immutable files in the data folder.
//!
//! The row is the truth. Bytes are staged in `staging/`, made durable, moved to `buckets/<bucket>/…~<version>` and
//! then shown by one transaction, which also raises the object's event; so a version is visible whole or not at
//! all, and readers of an earlier one are not disturbed: its file stays until the sweep, a grace later.
//! There is no folder to be escaped from and no key that is another key's folder.

mod list;
mod parts;
mod paths;
mod read;
mod sink;
mod stage;
mod sweep;
#[cfg(test)]
mod tests;
mod uploads;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use mps_core::clock::{Clock, Millis};
use mps_core::id::Ids;
use mps_core::{Error, Kind, Result, crash};
use mps_store::buckets::{self, Bucket, Created};
use mps_store::objects::{self, Condition, Headers, Object, PublishObject};
use mps_store::{Store, accounts};

pub use list::{ListQuery, Page};
pub use parts::StagedPart;
pub use read::FileStream;
pub use stage::{LocalStaged, Put};
pub use sweep::Grace;
pub use uploads::{Chosen, UploadPage};

use super::{ByteStream, ObjectMeta, ObjectStore, PutOptions, Staged, cut_range, no_such_object};

/// Bytes that a key may have.
pub const KEY_BYTES: usize = 1024;

/// The bucket of the service itself: files that templates bring. No account can make one of this name.
pub const SERVICE_BUCKET: &str = "mps-service";
/// The account that the service's bucket is filed under; nobody has a key of it.
pub const SERVICE_ACCOUNT: i64 = 0;

/// All local buckets of a data folder. Cheap to clone.
#[derive(Clone)]
pub struct LocalBuckets(Arc<Inner>);

struct Inner {
    data: PathBuf,
    store: Store,
    clock: Arc<dyn Clock>,
    ids: Ids,
}

impl std::fmt::Debug for LocalBuckets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalBuckets").field("data", &self.0.data).finish_non_exhaustive()
    }
}

impl LocalBuckets {
    /// The buckets of a data folder, whose subfolders are made. `node` is the process's number, 0 to 511, as in
    /// the task engine, from whose ids these differ.
    pub async fn open(data: &Path, store: Store, clock: Arc<dyn Clock>, node: u16) -> Result<Self> {
        for folder in ["staging/uploads", "buckets"] {
            let path = data.join(folder);
            tokio::fs::create_dir_all(&path).await.map_err(|error| {
                Error::internal("cannot make a folder of the data folder")
                    .with("path", path.display())
                    .because(error)
            })?;
        }
        let data = tokio::fs::canonicalize(data)
            .await
            .map_err(|error| Error::internal("cannot find the data folder").because(error))?;
        let ids = Ids::new(node % 512 + 512);
        Ok(Self(Arc::new(Inner { data, store, clock, ids })))
    }

    /// One bucket as an object store.
    pub fn bucket(&self, name: &str) -> LocalBucket {
        LocalBucket { buckets: self.clone(), name: name.to_owned() }
    }

    /// The clock that stamps objects.
    pub fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    fn now_ms(&self) -> Millis {
        self.0.clock.now_ms()
    }

    fn staging(&self) -> PathBuf {
        self.0.data.join("staging")
    }

    /// Makes a bucket. Of kind `InvalidInput` with `code=InvalidBucketName` for a name that cannot be one, or that
    /// ends in the number of another account.
    pub async fn create_bucket(&self, account: i64, name: &str, region: &str) -> Result<Created> {
        check_bucket_name(name)?;
        if name == SERVICE_BUCKET && account != SERVICE_ACCOUNT {
            return Err(bad_name(name, "it is the service's own"));
        }
        let bucket =
            Bucket { name: name.to_owned(), account, region: region.to_owned(), created_ms: self.now_ms() };
        let suffix = name.rsplit_once('-').and_then(|(_, suffix)| suffix.parse::<i64>().ok());
        self.0
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if let Some(other) = suffix.filter(|suffix| *suffix != bucket.account)
                        && accounts::get(tx, other).await?.is_some()
                    {
                        return Err(bad_name(&bucket.name, "it ends in the number of another account"));
                    }
                    buckets::create(tx, &bucket).await
                })
            })
            .await
    }

    /// Removes an empty bucket; of kind `Conflict` with `code=BucketNotEmpty` for one that is not.
    pub async fn delete_bucket(&self, name: &str) -> Result<()> {
        let row = name.to_owned();
        let was_there =
            self.0.store.write(move |tx| Box::pin(async move { buckets::delete(tx, &row).await })).await?;
        if !was_there {
            return Err(no_such_bucket(name));
        }
        // Blobs that wait for the sweep keep the folder; it goes with the last of them.
        drop(tokio::fs::remove_dir(self.0.data.join(paths::bucket_folder(name))).await);
        Ok(())
    }

    /// The bucket of a name; of kind `NotFound` with `code=NoSuchBucket` when there is none.
    pub async fn find_bucket(&self, name: &str) -> Result<Bucket> {
        let row = name.to_owned();
        let found = self.0.store.read(|tx| Box::pin(async move { buckets::find(tx, &row).await })).await?;
        found.ok_or_else(|| no_such_bucket(name))
    }

    /// An account's buckets by name.
    pub async fn buckets_of(&self, account: i64) -> Result<Vec<Bucket>> {
        self.0.store.read(|tx| Box::pin(async move { buckets::of_account(tx, account).await })).await
    }

    /// The visible object of a key; of kind `NotFound` with `code=NoSuchKey` when there is none.
    pub async fn find(&self, bucket: &str, key: &str) -> Result<Object> {
        let row = (bucket.to_owned(), key.to_owned());
        let found =
            self.0.store.read(|tx| Box::pin(async move { objects::find(tx, &row.0, &row.1).await })).await?;
        found.ok_or_else(|| no_such_object(key))
    }

    /// The file that holds the object's bytes; it stays for a grace after the object is replaced or removed.
    pub fn path_of(&self, object: &Object) -> PathBuf {
        self.0.data.join(&object.blob_path)
    }

    /// Opens the bytes of an object, or those of `range`.
    pub async fn open_object(&self, object: &Object, range: Option<Range<u64>>) -> Result<FileStream> {
        let range = cut_range(range, object.size_bytes)?;
        FileStream::open(&self.path_of(object), range).await
    }

    /// Begins a new version of an object.
    pub fn stage(&self, bucket: &str, key: &str, put: Put) -> Result<LocalStaged> {
        check_key(key)?;
        LocalStaged::new(self.clone(), bucket, key, put)
    }

    /// Makes a sealed object visible; of kind `Conflict` with `code=PreconditionFailed` when its condition does
    /// not hold.
    pub async fn publish(&self, object: PublishObject) -> Result<()> {
        let version = self.0.ids.next(self.now_ms());
        let blob_path = object.blob_path.clone();
        let stored = self
            .0
            .store
            .write(move |tx| Box::pin(async move { objects::publish(tx, &object, version).await }))
            .await;
        self.after_publishing(&blob_path, stored).await
    }

    /// Removes the bytes of a sealed object that is not to be published.
    pub async fn discard(&self, object: &PublishObject) {
        drop(tokio::fs::remove_file(self.0.data.join(&object.blob_path)).await);
        drop(tokio::fs::remove_file(self.note_path(&object.blob_path)).await);
    }

    /// Takes the blob's note away, and the blob itself when it was refused.
    async fn after_publishing<T>(&self, blob_path: &str, stored: Result<T>) -> Result<T> {
        crash::point("after-publish");
        if let Err(error) = &stored {
            // After other errors the row may have been stored all the same; the sweep will look.
            if !matches!(error.kind(), Kind::Conflict | Kind::NotFound) {
                return stored;
            }
            drop(tokio::fs::remove_file(self.0.data.join(blob_path)).await);
        }
        drop(tokio::fs::remove_file(self.note_path(blob_path)).await);
        stored
    }

    /// Makes `key` of `bucket` a copy of an object, without copying bytes where the file system has links.
    pub async fn copy(&self, from: &Object, bucket: &str, key: &str, put: Put) -> Result<PublishObject> {
        check_key(key)?;
        let blob_path = self.settle_link(bucket, key, self.path_of(from)).await?;
        let (etag, md5) = (from.etag.clone(), from.md5.clone());
        let object = self.describe(bucket, key, put, blob_path, from.size_bytes, etag, md5);
        self.publish(object.clone()).await?;
        Ok(object)
    }

    /// Removes an object; whether there was one.
    pub async fn delete(&self, bucket: &str, key: &str) -> Result<bool> {
        let (bucket, key, now_ms) = (bucket.to_owned(), key.to_owned(), self.now_ms());
        self.0
            .store
            .write(move |tx| Box::pin(async move { objects::delete(tx, &bucket, &key, now_ms).await }))
            .await
    }

    /// Replaces what is kept besides the bytes of a version; whether it is still the visible one.
    pub async fn set_headers(&self, bucket: &str, object: &Object, headers: Headers) -> Result<bool> {
        let (bucket, key, version) = (bucket.to_owned(), object.key.clone(), object.version);
        self.0
            .store
            .write(move |tx| {
                Box::pin(async move { objects::set_headers(tx, &bucket, &key, version, &headers).await })
            })
            .await
    }
}

/// One local bucket as an [`ObjectStore`]; whose it is, its user has checked.
#[derive(Debug, Clone)]
pub struct LocalBucket {
    buckets: LocalBuckets,
    name: String,
}

#[async_trait]
impl ObjectStore for LocalBucket {
    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        Ok(meta(self.buckets.find(&self.name, key).await?))
    }

    async fn read(&self, key: &str, range: Option<Range<u64>>) -> Result<ByteStream> {
        let object = self.buckets.find(&self.name, key).await?;
        Ok(Box::pin(self.buckets.open_object(&object, range).await?))
    }

    fn is_local(&self) -> bool {
        true
    }

    fn local_path(&self, meta: &ObjectMeta) -> Option<PathBuf> {
        (!meta.blob_path.is_empty()).then(|| self.buckets.0.data.join(&meta.blob_path))
    }

    async fn stage(&self, key: &str, options: PutOptions) -> Result<Box<dyn Staged>> {
        let condition = if options.only_if_absent { Condition::Absent } else { Condition::None };
        let headers = Headers::from_value(&options.meta);
        let put = Put { content_type: options.content_type, headers, condition, ..Put::default() };
        Ok(Box::new(self.buckets.stage(&self.name, key, put)?))
    }

    async fn list(&self, prefix: &str, start_after: &str, limit: usize) -> Result<Vec<ObjectMeta>> {
        let query = ListQuery { prefix, start_after, limit, ..ListQuery::default() };
        let page = self.buckets.list(&self.name, &query).await?;
        Ok(page.objects.into_iter().map(meta).collect())
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.buckets.delete(&self.name, key).await.map(drop)
    }
}

fn meta(object: Object) -> ObjectMeta {
    ObjectMeta {
        key: object.key,
        size_bytes: object.size_bytes,
        etag: object.etag,
        md5: object.md5,
        content_type: object.content_type,
        modified_ms: object.created_ms,
        meta: object.headers.to_value(),
        blob_path: object.blob_path,
    }
}

/// A mark that no other version has: 16 hexadecimal digits.
fn mark() -> Result<String> {
    crate::token::random_hex::<8>()
}

/// Whether a bucket can have this name: 3 to 63 lower-case letters, digits, dots and hyphens, beginning and ending
/// with a letter or a digit, and not in the form of an IPv4 address.
pub fn check_bucket_name(name: &str) -> Result<()> {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = name.as_bytes();
    if !(3..=63).contains(&bytes.len()) {
        return Err(bad_name(name, "it must have 3 to 63 characters"));
    }
    if !bytes.iter().all(|b| is_plain(*b) || matches!(b, b'-' | b'.')) {
        return Err(bad_name(name, "only lower-case letters, digits, dots and hyphens are allowed"));
    }
    if !is_plain(bytes[0]) || !is_plain(bytes[bytes.len() - 1]) || name.contains("..") {
        return Err(bad_name(name, "it must begin and end with a letter or a digit"));
    }
    if name.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err(bad_name(name, "it has the form of an address"));
    }
    Ok(())
}

fn bad_name(name: &str, why: &str) -> Error {
    Error::invalid(format!("{name:?} cannot be the name of a bucket: {why}"))
        .with("code", "InvalidBucketName")
}

fn check_key(key: &str) -> Result<()> {
    if key.is_empty() || key.contains('\0') {
        return Err(
            Error::invalid("the key of an object is not empty and has no NUL").with("code", "InvalidKey")
        );
    }
    if key.len() > KEY_BYTES {
        return Err(Error::invalid("the key of an object has at most 1,024 bytes").with("code", "KeyTooLong"));
    }
    Ok(())
}

fn no_such_bucket(name: &str) -> Error {
    Error::not_found(format!("there is no bucket {name:?}")).with("code", "NoSuchBucket")
}
