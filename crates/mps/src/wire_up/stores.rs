//! The stores that requests may name, opened with what the configuration says.

use std::sync::Arc;

use mps_backends::guard::Guard;
use mps_backends::objects::http::HttpSource;
use mps_backends::objects::local::{LocalBuckets, SERVICE_BUCKET};
use mps_backends::objects::s3::KeyPair;
use mps_backends::objects::{ObjectStore, cos, s3};
use mps_core::{Error, Kind, Result};
use mps_work::S3Bucket;

use crate::config::Config;
use crate::config::section::Secret;

/// All stores of this server.
pub(super) struct Stores {
    local: LocalBuckets,
    s3: s3::Options,
    cos: Option<cos::Options>,
    guard: Guard,
    source_bytes: u64,
}

impl Stores {
    pub(super) fn new(config: &Config, local: LocalBuckets, guard: Guard) -> Self {
        let reveal = |secret: &Option<Secret>| secret.as_ref().map(|s| s.reveal().to_owned());
        let pair = |id: &Option<String>, secret: &Option<Secret>| {
            id.clone().zip(reveal(secret)).map(|(id, secret)| KeyPair { id, secret })
        };
        let s3 = s3::Options {
            endpoint_url: config.aws.s3_endpoint_url.clone(),
            keys: pair(&config.aws.access_key_id, &config.aws.secret_access_key),
        };
        let cos = config.cos.endpoint_url.clone().zip(pair(&config.cos.secret_id, &config.cos.secret_key));
        let cos = cos.map(|(endpoint_url, keys)| cos::Options { endpoint_url, keys });
        Self { local, s3, cos, guard, source_bytes: config.limits.source_bytes }
    }
}

#[async_trait::async_trait]
impl mps_work::Buckets for Stores {
    async fn cos(&self, account: i64, bucket: &str, region: &str) -> Result<Arc<dyn ObjectStore>> {
        let missing = || Error::not_found(format!("there is no bucket {bucket:?} in {region}"));
        match (self.local.find_bucket(bucket).await, &self.cos) {
            (Ok(found), _) if found.account == account => Ok(Arc::new(self.local.bucket(bucket))),
            (Ok(_), _) => Err(missing()),
            (Err(error), Some(options)) if error.kind() == Kind::NotFound => {
                cos::open(options, bucket, region)
            }
            (Err(error), None) if error.kind() == Kind::NotFound => Err(missing()),
            (Err(error), _) => Err(error),
        }
    }

    fn assets(&self) -> Arc<dyn ObjectStore> {
        Arc::new(self.local.bucket(SERVICE_BUCKET))
    }

    fn s3(&self, bucket: S3Bucket<'_>) -> Result<Arc<dyn ObjectStore>> {
        let own = KeyPair { id: bucket.secret_id.to_owned(), secret: bucket.secret_key.to_owned() };
        let own = (!own.id.is_empty()).then_some(own);
        s3::open(&self.s3, bucket.bucket, bucket.region, own.as_ref())
    }

    fn url(&self, url: &str) -> Result<HttpSource> {
        HttpSource::new(self.guard.clone(), url, self.source_bytes)
    }
}
