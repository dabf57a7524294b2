//! Who asks, and whether the bucket is theirs: decided in one place for every operation.

use std::sync::Arc;

use mps_backends::objects::local::{LocalBuckets, SERVICE_ACCOUNT, SERVICE_BUCKET};
use mps_store::buckets::Bucket;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

use super::errors::answer;
use super::hosts::Hosts;
use crate::keys::Keys;
use crate::regions::Regions;

/// Who sent a request, once its signature was found right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) account: i64,
    pub(super) dialect: Dialect,
}

/// In whose words the client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    S3,
    Cos,
}

impl Dialect {
    /// Bytes that every part of an upload but the last must have.
    pub(super) fn least_part_bytes(self) -> i64 {
        match self {
            Self::S3 => 5 * 1024 * 1024,
            Self::Cos => 1024 * 1024,
        }
    }
}

/// Secrets for checking AWS signatures.
pub(super) struct Secrets(Keys);

impl Secrets {
    pub(super) fn new(keys: Keys) -> Self {
        Self(keys)
    }
}

#[async_trait::async_trait]
impl S3Auth for Secrets {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        match self.0.find(access_key).await.map_err(answer)? {
            Some(key) => Ok(SecretKey::from(key.secret.as_str())),
            None => Err(s3_error!(InvalidAccessKeyId, "there is no such key, or it was revoked")),
        }
    }
}

/// Lets an account at its own buckets and at nothing else.
pub(super) struct Owners {
    keys: Keys,
    buckets: LocalBuckets,
    hosts: Hosts,
    regions: Arc<Regions>,
}

impl Owners {
    pub(super) fn new(keys: Keys, buckets: LocalBuckets, hosts: Hosts, regions: Arc<Regions>) -> Self {
        Self { keys, buckets, hosts, regions }
    }

    async fn caller(&self, cx: &mut S3AccessContext<'_>) -> S3Result<Caller> {
        if let Some(caller) = cx.extensions_mut().get::<Caller>() {
            return Ok(*caller);
        }
        let Some(credentials) = cx.credentials() else {
            return Err(s3_error!(AccessDenied, "the request is not signed"));
        };
        let id = credentials.access_key.clone();
        let Some(key) = self.keys.find(&id).await.map_err(answer)? else {
            return Err(s3_error!(InvalidAccessKeyId, "there is no such key, or it was revoked"));
        };
        let caller = Caller { account: key.account, dialect: Dialect::S3 };
        cx.extensions_mut().insert(caller);
        Ok(caller)
    }

    /// A host that tells a region must tell the bucket's.
    fn check_region(&self, cx: &S3AccessContext<'_>, bucket: &Bucket) -> S3Result<()> {
        let host = cx.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
        let Some(region) = host.and_then(|host| self.hosts.told(host)).and_then(|told| told.region) else {
            return Ok(());
        };
        if self.regions.resolve(region) == Some(bucket.region.as_str()) {
            return Ok(());
        }
        Err(s3_error!(NoSuchBucket, "the bucket {:?} is not in the region {region:?}", bucket.name))
    }
}

#[async_trait::async_trait]
impl S3Access for Owners {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        if reads_service_bucket(cx) {
            let nobody = Caller { account: SERVICE_ACCOUNT, dialect: Dialect::S3 };
            cx.extensions_mut().get_or_insert(nobody);
            return Ok(());
        }
        let caller = self.caller(cx).await?;
        let Some(name) = cx.s3_path().get_bucket_name().map(str::to_owned) else { return Ok(()) };
        if cx.s3_op().name() == "CreateBucket" {
            return Ok(());
        }
        let bucket = owned(&self.buckets, caller, &name).await?;
        self.check_region(cx, &bucket)?;
        let expected = cx.headers().get("x-amz-expected-bucket-owner");
        if expected.is_some_and(|expected| expected.as_bytes() != bucket.account.to_string().as_bytes()) {
            return Err(s3_error!(AccessDenied, "the bucket has another owner than expected"));
        }
        Ok(())
    }
}

/// Whether an object of the service's own bucket is asked for: whoever knows its name may read it, and nobody may
/// do more.
fn reads_service_bucket(cx: &S3AccessContext<'_>) -> bool {
    cx.s3_path().get_bucket_name() == Some(SERVICE_BUCKET)
        && matches!(cx.s3_op().name(), "GetObject" | "HeadObject")
}

/// The bucket, if it is the caller's.
pub(super) async fn owned(buckets: &LocalBuckets, caller: Caller, name: &str) -> S3Result<Bucket> {
    let bucket = buckets.find_bucket(name).await.map_err(answer)?;
    if bucket.account != caller.account {
        return Err(s3_error!(AccessDenied, "the bucket {name:?} belongs to another account"));
    }
    Ok(bucket)
}

/// Who sent a request that passed [`Owners`].
pub(super) fn caller_of(extensions: &http::Extensions) -> S3Result<Caller> {
    extensions.get().copied().ok_or_else(|| s3_error!(AccessDenied, "the request is not signed"))
}
