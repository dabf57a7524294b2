//! Uploads in parts: begun, completed once, given up.

use std::fs::{self, File};

use md5::{Digest, Md5};
use mps_core::{Error, Result, crash};
use mps_store::objects::{Condition, Headers, Origin, PublishObject};
use mps_store::uploads::{self, Part, Upload};

use super::list::after_all;
use super::parts::{join, no_such_upload};
use super::sink::{Scrap, failed, off_thread};
use super::{LocalBuckets, Put, check_key, mark};

/// Part sizes that are kept with an object; one of more parts keeps none.
const KEPT_SIZES: usize = 1_000;

/// A part that the client wants in the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its number.
    pub number: i64,
    /// Its entity tag without quotes.
    pub etag: String,
}

/// A page of open uploads.
#[derive(Debug, Default)]
pub struct UploadPage {
    /// Uploads by key and id.
    pub uploads: Vec<Upload>,
    /// Whether more follow the last one.
    pub is_truncated: bool,
}

impl LocalBuckets {
    /// Begins an upload; of kind `NotFound` with `code=NoSuchBucket` when there is no such bucket.
    pub async fn begin_upload(
        &self,
        bucket: &str,
        key: &str,
        content_type: &str,
        headers: Headers,
    ) -> Result<Upload> {
        check_key(key)?;
        let upload = Upload {
            id: format!("{}{}", mark()?, mark()?),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            state: uploads::OPEN,
            content_type: content_type.to_owned(),
            headers,
            etag: String::new(),
            created_ms: self.now_ms(),
        };
        let folder = self.upload_folder(&upload.id);
        off_thread(move || fs::create_dir(&folder).map_err(|error| failed("cannot begin an upload", error)))
            .await?;
        let row = upload.clone();
        let stored =
            self.0.store.write(move |tx| Box::pin(async move { uploads::begin(tx, &row).await })).await;
        if let Err(error) = stored {
            self.clear_upload(&upload.id).await;
            return Err(error);
        }
        Ok(upload)
    }

    /// The upload of an id for this key, ended ones included; of kind `NotFound` with `code=NoSuchUpload` when
    /// there is none.
    pub async fn find_upload(&self, bucket: &str, key: &str, id: &str) -> Result<Upload> {
        let row = id.to_owned();
        let found = self.0.store.read(|tx| Box::pin(async move { uploads::find(tx, &row).await })).await?;
        found.filter(|upload| upload.bucket == bucket && upload.key == key).ok_or_else(|| no_such_upload(id))
    }

    /// [`LocalBuckets::find_upload`] of one that still takes parts.
    pub async fn open_upload(&self, bucket: &str, key: &str, id: &str) -> Result<Upload> {
        let upload = self.find_upload(bucket, key, id).await?;
        if upload.state == uploads::OPEN { Ok(upload) } else { Err(no_such_upload(id)) }
    }

    /// Parts of an upload by number: up to `limit` with numbers above `after`.
    pub async fn parts(&self, upload: &str, after: i64, limit: i64) -> Result<Vec<Part>> {
        let upload = upload.to_owned();
        self.0.store.read(|tx| Box::pin(async move { uploads::parts(tx, &upload, after, limit).await })).await
    }

    /// A page of a bucket's open uploads with keys that begin with `prefix`, after the pair of key and id.
    pub async fn uploads(
        &self,
        bucket: &str,
        prefix: &str,
        after: (&str, &str),
        limit: usize,
    ) -> Result<UploadPage> {
        let (bucket, prefix, end) = (bucket.to_owned(), prefix.to_owned(), after_all(prefix));
        let after = (after.0.to_owned(), after.1.to_owned());
        let ask = limit as i64 + 1;
        let mut uploads = self
            .0
            .store
            .read(|tx| {
                Box::pin(async move {
                    let after = (after.0.as_str(), after.1.as_str());
                    uploads::list(tx, &bucket, after, &prefix, end.as_deref(), ask).await
                })
            })
            .await?;
        let is_truncated = uploads.len() > limit;
        uploads.truncate(limit);
        Ok(UploadPage { uploads, is_truncated })
    }

    /// Makes the object of an upload from the chosen parts. Asked again, it gives the same answer; of several at
    /// once one does the work and the others wait for it. `least_bytes` is what every part but the last must have.
    pub async fn complete_upload(
        &self,
        upload: &Upload,
        chosen: &[Chosen],
        least_bytes: i64,
        condition: Condition,
    ) -> Result<String> {
        if upload.state == uploads::COMPLETED {
            return Ok(upload.etag.clone());
        }
        let _alone = self.lock_upload(&upload.id).await?;
        let upload = self.find_upload(&upload.bucket, &upload.key, &upload.id).await?;
        match upload.state {
            uploads::COMPLETED => return Ok(upload.etag),
            uploads::OPEN => {}
            _ => return Err(no_such_upload(&upload.id)),
        }
        let there = self.parts(&upload.id, 0, 10_001).await?;
        let parts = choose(&there, chosen, least_bytes)?;
        let etag = tag_of(&parts);

        let scrap = Scrap::new(self.staging().join(mark()?));
        let (data, folder, to) =
            (self.0.data.clone(), self.upload_folder(&upload.id), scrap.path().to_owned());
        let joined = parts.clone();
        off_thread(move || join(&data, &folder, &joined, &to)).await?;
        let blob_path = self.settle(&upload.bucket, &upload.key, scrap).await?;
        let object = self.describe_joined(&upload, &parts, &etag, blob_path.clone(), condition);

        crash::point("before-complete");
        let version = self.0.ids.next(self.now_ms());
        let id = upload.id.clone();
        let stored = self
            .0
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if uploads::complete(tx, &id, &object, version).await? {
                        Ok(())
                    } else {
                        Err(no_such_upload(&id))
                    }
                })
            })
            .await;
        self.after_publishing(&blob_path, stored).await?;
        crash::point("after-complete");
        self.clear_upload(&upload.id).await;
        Ok(etag)
    }

    fn describe_joined(
        &self,
        upload: &Upload,
        parts: &[Part],
        etag: &str,
        blob_path: String,
        condition: Condition,
    ) -> PublishObject {
        let mut headers = upload.headers.clone();
        if parts.len() <= KEPT_SIZES {
            headers.parts = parts.iter().map(|part| part.size_bytes as u64).collect();
        }
        let content_type = upload.content_type.clone();
        let put = Put { content_type, headers, origin: Origin::CompleteMultipartUpload, condition };
        let size_bytes = parts.iter().map(|part| part.size_bytes as u64).sum();
        self.describe(&upload.bucket, &upload.key, put, blob_path, size_bytes, etag.to_owned(), String::new())
    }

    /// Gives an upload up; of kind `NotFound` with `code=NoSuchUpload` when it has ended already.
    pub async fn abort_upload(&self, id: &str) -> Result<()> {
        let (row, now_ms) = (id.to_owned(), self.now_ms());
        let was_open = self
            .0
            .store
            .write(move |tx| Box::pin(async move { uploads::abort(tx, &row, now_ms).await }))
            .await?;
        self.clear_upload(id).await;
        if was_open { Ok(()) } else { Err(no_such_upload(id)) }
    }

    pub(super) async fn clear_upload(&self, id: &str) {
        let folder = self.upload_folder(id);
        // A part that is just coming in can keep the folder; the sweep removes it later.
        drop(tokio::fs::remove_dir_all(folder).await);
    }

    /// Waits until nobody else completes the upload, in any process. A folder that is gone needs no lock: the
    /// upload has ended.
    async fn lock_upload(&self, id: &str) -> Result<Option<File>> {
        let folder = self.upload_folder(id);
        off_thread(move || {
            let file = match File::create(folder.join("lock")) {
                Ok(file) => file,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(failed("cannot lock an upload", error)),
            };
            file.lock().map_err(|error| failed("cannot lock an upload", error))?;
            Ok(Some(file))
        })
        .await
    }
}

fn choose(there: &[Part], chosen: &[Chosen], least_bytes: i64) -> Result<Vec<Part>> {
    if chosen.is_empty() {
        return Err(Error::invalid("no parts were named").with("code", "MalformedXML"));
    }
    if !chosen.is_sorted_by(|a, b| a.number < b.number) {
        return Err(Error::invalid("the parts are not in the order of their numbers")
            .with("code", "InvalidPartOrder"));
    }
    let mut parts = Vec::with_capacity(chosen.len());
    for (at, wanted) in chosen.iter().enumerate() {
        let found = there.binary_search_by_key(&wanted.number, |part| part.number).ok().map(|at| &there[at]);
        let Some(part) = found.filter(|part| part.etag == wanted.etag) else {
            let told = format!("there is no part {} with this entity tag", wanted.number);
            return Err(Error::invalid(told).with("code", "InvalidPart"));
        };
        if part.size_bytes < least_bytes && at + 1 < chosen.len() {
            let told = format!("part {} has fewer than {least_bytes} bytes", wanted.number);
            return Err(Error::invalid(told).with("code", "EntityTooSmall"));
        }
        parts.push(part.clone());
    }
    Ok(parts)
}

/// The entity tag of an object of parts: the MD5 of their MD5s, and how many they are.
fn tag_of(parts: &[Part]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(hex::decode(&part.md5).unwrap_or_default());
    }
    format!("{}-{}", hex::encode(md5.finalize()), parts.len())
}
