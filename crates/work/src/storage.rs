//! From the storage members of a request to the stores they name.

use std::sync::Arc;

use async_trait::async_trait;
use mps_backends::objects::ObjectStore;
use mps_backends::objects::http::HttpSource;
use mps_core::{Error, Kind, Result};
use mps_wire::types::{MediaInputInfo, TaskOutputStorage};

/// An object: its store and its key there.
#[derive(Clone)]
pub struct Place {
    /// The store.
    pub store: Arc<dyn ObjectStore>,
    /// The key, without a leading `/`.
    pub key: String,
    web: Option<HttpSource>,
}

impl Place {
    /// An object of a store.
    pub(crate) fn of(store: Arc<dyn ObjectStore>, key: String) -> Self {
        Self { store, key, web: None }
    }

    /// Whether stretches of it can be read at little cost. Only servers of the web may be unable to.
    pub(crate) async fn has_stretches(&self) -> Result<bool> {
        let Some(web) = &self.web else { return Ok(true) };
        let known = web.known().await?;
        Ok(known.has_ranges && known.size_bytes.is_some())
    }
}

/// An AWS bucket as a request names it.
#[derive(Clone, Copy)]
pub struct S3Bucket<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// The region.
    pub region: &'a str,
    /// The key pair's public half; empty for the operator's own.
    pub secret_id: &'a str,
    /// The key pair's secret half.
    pub secret_key: &'a str,
}

/// Opens buckets; the binary hands in what it was configured with.
#[async_trait]
pub trait Buckets: Send + Sync + 'static {
    /// A bucket addressed the COS way: one of the account's own, or of a configured COS.
    async fn cos(&self, account: i64, bucket: &str, region: &str) -> Result<Arc<dyn ObjectStore>>;
    /// The service's own bucket, where templates keep their files.
    fn assets(&self) -> Arc<dyn ObjectStore>;
    /// A bucket of AWS or of a store that speaks its protocol.
    fn s3(&self, bucket: S3Bucket<'_>) -> Result<Arc<dyn ObjectStore>>;
    /// A file behind an address.
    fn url(&self, url: &str) -> Result<HttpSource>;
}

/// Where an input lies.
pub(crate) async fn input(buckets: &dyn Buckets, account: i64, input: &MediaInputInfo) -> Result<Place> {
    let key = |key: &Option<String>| text(key.as_ref()).trim_start_matches('/').to_owned();
    match input.r#type.as_deref() {
        Some("COS") => {
            let cos = input.cos_input_info.as_ref().ok_or_else(|| incomplete("CosInputInfo"))?;
            let store = buckets.cos(account, text(cos.bucket.as_ref()), text(cos.region.as_ref())).await?;
            Ok(Place::of(store, key(&cos.object)))
        }
        Some("AWS-S3") => {
            let s3 = input.s3_input_info.as_ref().ok_or_else(|| incomplete("S3InputInfo"))?;
            let store = buckets.s3(S3Bucket {
                bucket: text(s3.s3_bucket.as_ref()),
                region: text(s3.s3_region.as_ref()),
                secret_id: text(s3.s3_secret_id.as_ref()),
                secret_key: text(s3.s3_secret_key.as_ref()),
            })?;
            Ok(Place::of(store, key(&s3.s3_object)))
        }
        Some("URL") => {
            let url = input.url_input_info.as_ref().ok_or_else(|| incomplete("UrlInputInfo"))?;
            let web = buckets.url(text(url.url.as_ref()))?;
            Ok(Place { store: Arc::new(web.clone()), key: web.key().to_owned(), web: Some(web) })
        }
        other => Err(unknown("input", other)),
    }
}

/// Where outputs go.
pub(crate) async fn output(
    buckets: &dyn Buckets,
    account: i64,
    out: &TaskOutputStorage,
) -> Result<Arc<dyn ObjectStore>> {
    match out.r#type.as_deref() {
        Some("COS") => {
            let cos = out.cos_output_storage.as_ref().ok_or_else(|| incomplete("CosOutputStorage"))?;
            buckets.cos(account, text(cos.bucket.as_ref()), text(cos.region.as_ref())).await
        }
        Some("AWS-S3") => {
            let s3 = out.s3_output_storage.as_ref().ok_or_else(|| incomplete("S3OutputStorage"))?;
            buckets.s3(S3Bucket {
                bucket: text(s3.s3_bucket.as_ref()),
                region: text(s3.s3_region.as_ref()),
                secret_id: text(s3.s3_secret_id.as_ref()),
                secret_key: text(s3.s3_secret_key.as_ref()),
            })
        }
        other => Err(unknown("output storage", other)),
    }
}

fn text(member: Option<&String>) -> &str {
    member.map(String::as_str).unwrap_or_default()
}

fn incomplete(member: &str) -> Error {
    Error::invalid(format!("the stored request lacks {member}"))
}

fn unknown(what: &str, kind: Option<&str>) -> Error {
    let kind = kind.unwrap_or_default();
    Error::new(Kind::Unsupported, format!("the {what} type {kind:?} is not supported"))
}
