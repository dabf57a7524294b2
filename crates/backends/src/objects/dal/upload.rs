//! An upload to a foreign store, in parts, visible when it is committed.
//!
//! It holds at most [`PARTS_AT_ONCE`] parts of [`PART_BYTES`] in memory. An object that fits into one part is
//! sent as a whole when it is committed.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use md5::{Digest as _, Md5};
use mps_core::{Error, Result, crash};
use opendal::Writer;
use opendal::options::WriteOptions;
use tokio::io::AsyncReadExt as _;

use super::Dal;
use crate::objects::{Commit, Finished, ObjectMeta, PutOptions, Staged, content_type_of};

/// The size of a part of an upload; 10,000 of them bound an object to 83 GB.
pub(super) const PART_BYTES: usize = 8 * 1024 * 1024;
/// Parts of one upload that are sent at the same time.
const PARTS_AT_ONCE: usize = 4;
/// The name under which an upload leaves a mark in the object's metadata, to be known again.
pub(super) const MARK: &str = "mps-upload";
/// How long removing the parts of a given-up upload may take.
const ABORT_WITHIN: Duration = Duration::from_secs(30);

/// An upload whose parts nobody sees yet; also its own commit.
pub(super) struct Upload {
    store: Dal,
    key: String,
    mark: String,
    writer: Option<Writer>,
    md5: Md5,
    size_bytes: u64,
}

impl Upload {
    /// Begins an upload to a checked key; a large one is begun at the store with its first full part.
    pub(super) async fn begin(store: Dal, key: &str, options: PutOptions) -> Result<Self> {
        let mark = crate::token::random_hex::<8>()?;
        let content_type = match options.content_type {
            empty if empty.is_empty() => content_type_of(key).to_owned(),
            told => told,
        };
        let mut write = WriteOptions {
            chunk: Some(PART_BYTES),
            concurrent: PARTS_AT_ONCE,
            if_not_exists: options.only_if_absent,
            content_type: Some(content_type),
            ..WriteOptions::default()
        };
        let mut own = HashMap::from([(MARK.to_owned(), mark.clone())]);
        for (name, value) in options.meta.as_object().into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match name.to_ascii_lowercase().as_str() {
                "cache-control" => write.cache_control = Some(value),
                "content-disposition" => write.content_disposition = Some(value),
                "content-encoding" => write.content_encoding = Some(value),
                name => drop(own.insert(name.to_owned(), value)),
            }
        }
        write.user_metadata = Some(own);
        let writer = store.operator.writer_options(key, write).await;
        let writer = writer.map_err(|e| store.place.error("writing", key, &e))?;
        let key = key.to_owned();
        Ok(Self { store, key, mark, writer: Some(writer), md5: Md5::new(), size_bytes: 0 })
    }

    fn writer(&mut self) -> Result<&mut Writer> {
        self.writer.as_mut().ok_or_else(|| Error::internal("an upload was used after its end"))
    }

    /// Whether the object there is the one we sent, though the store's last answer did not reach us or its
    /// second answer denies it.
    async fn is_there(&self) -> bool {
        let found = self.store.operator.stat(&self.key).await.ok();
        found.is_some_and(|meta| {
            let mark = meta.user_metadata().and_then(|own| own.get(MARK));
            mark == Some(self.mark.as_str()) && meta.content_length() == self.size_bytes
        })
    }
}

#[async_trait]
impl Staged for Upload {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.md5.update(&chunk);
        self.size_bytes += chunk.len() as u64;
        let written = self.writer()?.write(chunk).await;
        written.map_err(|e| self.store.place.error("writing", &self.key, &e))?;
        crash::point("after-piece");
        Ok(())
    }

    async fn write_file(&mut self, path: &Path) -> Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let failed = |e| Error::internal(format!("cannot read {name} to upload it")).because(e);
        let mut file = tokio::fs::File::open(path).await.map_err(failed)?;
        loop {
            let mut chunk = BytesMut::with_capacity(1024 * 1024);
            while chunk.len() < chunk.capacity() && file.read_buf(&mut chunk).await.map_err(failed)? > 0 {}
            if chunk.is_empty() {
                return Ok(());
            }
            self.write(chunk.freeze()).await?;
        }
    }

    async fn finish(self: Box<Self>) -> Result<Finished> {
        Ok(Finished::Pending(self))
    }

    async fn abort(mut self: Box<Self>) {
        if let Some(writer) = self.writer.take() {
            give_up(writer).await;
        }
    }
}

#[async_trait]
impl Commit for Upload {
    async fn commit(mut self: Box<Self>) -> Result<ObjectMeta> {
        let mut writer =
            self.writer.take().ok_or_else(|| Error::internal("an upload was committed twice"))?;
        let etag = match writer.close().await {
            Ok(meta) => meta.etag().unwrap_or_default().trim_matches('"').to_owned(),
            Err(error) => {
                if !self.is_there().await {
                    give_up(writer).await;
                    return Err(self.store.place.error("writing", &self.key, &error));
                }
                String::new()
            }
        };
        self.store.unpin(&self.key);
        let md5 = hex::encode(std::mem::take(&mut self.md5).finalize());
        let (key, size_bytes) = (self.key.clone(), self.size_bytes);
        Ok(ObjectMeta { key, size_bytes, etag, md5, ..ObjectMeta::default() })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let (Some(writer), Ok(runtime)) = (self.writer.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(give_up(writer));
        }
    }
}

async fn give_up(mut writer: Writer) {
    match tokio::time::timeout(ABORT_WITHIN, writer.abort()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(kind = %error.kind(), "parts of an upload may be left behind"),
        Err(_) => tracing::warn!("parts of an upload may be left behind: the store does not answer"),
    }
}
