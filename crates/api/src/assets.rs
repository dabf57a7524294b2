//! Files that templates bring, such as pictures of watermarks: kept in the service's own bucket, under names that
//! nobody can guess, and read by anybody who knows the name. The bucket door serves them like other objects.

use std::sync::Arc;

use bytes::Bytes;
use mps_backends::objects::local::{LocalBuckets, Put, SERVICE_ACCOUNT, SERVICE_BUCKET};
use mps_core::{Error, Result};
use mps_store::buckets::Created;
use mps_wire::{ApiError, codes};
use tokio::sync::OnceCell;
use url::Url;

use crate::regions::Regions;

/// The files, and the address they are reached at.
pub(crate) struct Assets {
    buckets: LocalBuckets,
    regions: Arc<Regions>,
    base: String,
    is_made: OnceCell<()>,
}

impl Assets {
    /// `endpoints` are the addresses of the bucket door; links are made of the last, which is the public one.
    pub(crate) fn new(buckets: LocalBuckets, regions: Arc<Regions>, endpoints: &[Url]) -> Self {
        let base = endpoints.last().map(|url| url.as_str().trim_end_matches('/').to_owned());
        Self { buckets, regions, base: base.unwrap_or_default(), is_made: OnceCell::new() }
    }

    /// Stores a file of `account` and gives its key.
    ///
    /// # Errors
    /// `InternalError.UploadWatermarkError`; the log has the reason.
    pub(crate) async fn keep(
        &self,
        account: i64,
        folder: &str,
        extension: &str,
        bytes: Vec<u8>,
    ) -> Result<String, ApiError> {
        let key = format!("{folder}/{account}/{}.{extension}", uuid::Uuid::new_v4().simple());
        match self.put(&key, bytes).await {
            Ok(()) => Ok(key),
            Err(error) => {
                tracing::error!(error = %error.chain(), "a file of a template cannot be stored");
                let told = "the server could not store the picture; its log has the reason";
                Err(codes::internal_error_upload_watermark_error(told))
            }
        }
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<()> {
        self.is_made.get_or_try_init(|| self.make()).await?;
        let mut staged = self.buckets.stage(SERVICE_BUCKET, key, Put::default())?;
        staged.append(Bytes::from(bytes)).await?;
        let object = staged.seal().await?;
        self.buckets.publish(object).await
    }

    async fn make(&self) -> Result<()> {
        let made = self.buckets.create_bucket(SERVICE_ACCOUNT, SERVICE_BUCKET, self.regions.own()).await?;
        // A bucket that was made before the server moved to another region is as good.
        if made == Created::Taken
            && self.buckets.find_bucket(SERVICE_BUCKET).await?.account != SERVICE_ACCOUNT
        {
            return Err(Error::internal("an account has a bucket with the name of the service's own")
                .with("bucket", SERVICE_BUCKET));
        }
        Ok(())
    }

    /// Removes a file that nothing refers to.
    pub(crate) async fn forget(&self, key: &str) {
        if let Err(error) = self.buckets.delete(SERVICE_BUCKET, key).await {
            tracing::warn!(error = %error.chain(), key, "a file that nobody needs stays");
        }
    }

    /// Where a file is read.
    pub(crate) fn url(&self, key: &str) -> String {
        format!("{}/{SERVICE_BUCKET}/{key}", self.base)
    }
}
