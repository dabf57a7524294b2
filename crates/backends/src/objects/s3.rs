//! Buckets of Amazon S3, or of a compatible store that the operator configured.
//!
//! Credentials come with the request or from the configuration, never from the environment or a metadata
//! service. Without a configured endpoint the address is built from the checked region alone.

use std::sync::Arc;

use mps_core::{Error, Result};
use opendal::Operator;
use opendal::services::S3;

use super::ObjectStore;
use super::dal::Dal;
pub use super::dal::KeyPair;

/// What the operator configured.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The endpoint of a compatible store, addressed by path; `None` for Amazon's.
    pub endpoint_url: Option<String>,
    /// Used where a request brings no keys.
    pub keys: Option<KeyPair>,
}

/// The bucket `bucket` in `region`, opened by `keys` or the configured ones. Nothing is sent yet.
///
/// Errors: `InvalidInput` for names that cannot be (see [`check_place`]) and where there are no keys at all.
pub fn open(
    options: &Options,
    bucket: &str,
    region: &str,
    keys: Option<&KeyPair>,
) -> Result<Arc<dyn ObjectStore>> {
    check_place(bucket, region)?;
    let keys = keys.or(options.keys.as_ref());
    let keys =
        keys.ok_or_else(|| Error::invalid(format!("no key pair is given for the bucket {bucket:?}")))?;
    let service = S3::default()
        .bucket(bucket)
        .region(region)
        .access_key_id(&keys.id)
        .secret_access_key(&keys.secret)
        .disable_config_load()
        .disable_ec2_metadata();
    let service = if let Some(endpoint) = options.endpoint_url.as_deref() {
        service.endpoint(endpoint)
    } else {
        let china = if region.starts_with("cn-") { ".cn" } else { "" };
        let service = service.endpoint(&format!("https://s3.{region}.amazonaws.com{china}"));
        // A dot in the bucket's name would not be covered by the endpoint's certificate.
        if bucket.contains('.') { service } else { service.enable_virtual_host_style() }
    };
    let failed = |error| Error::invalid(format!("cannot open the bucket {bucket:?}")).because(text(&error));
    let operator = Operator::new(service).map_err(failed)?;
    Ok(Arc::new(Dal::new(operator, format!("{bucket:?} ({region})"), keys)?))
}

fn text(error: &opendal::Error) -> String {
    format!("{}: {}", error.kind(), error.message())
}

/// Whether a bucket of this name can exist in a region of this name; both distinguish case.
///
/// Errors: `InvalidInput` that names the wrong one.
pub fn check_place(bucket: &str, region: &str) -> Result<()> {
    check_region(region)?;
    check_bucket(bucket)
}

/// Names like `us-east-1`, `ap-southeast-1`, `us-gov-west-1`.
fn check_region(region: &str) -> Result<()> {
    let mut parts = region.split('-');
    let lower = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let first = parts.next().is_some_and(|part| part.len() == 2 && lower(part));
    let last = parts.next_back().is_some_and(|part| part.len() == 1 && part.as_bytes()[0].is_ascii_digit());
    let mut middle = parts.peekable();
    if first && last && middle.peek().is_some() && middle.all(lower) {
        return Ok(());
    }
    Err(Error::invalid(format!("{region:?} is no AWS region: they are written like ap-southeast-1")))
}

fn check_bucket(bucket: &str) -> Result<()> {
    let why = |rule: &str| Err(Error::invalid(format!("{bucket:?} is no name of an S3 bucket: {rule}")));
    let is_end = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = bucket.as_bytes();
    if !(3..=63).contains(&bytes.len()) {
        return why("it has 3 to 63 characters");
    }
    if !bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-')) {
        return why("it has lower-case letters, digits, dots and hyphens only");
    }
    if !is_end(bytes.first()) || !is_end(bytes.last()) {
        return why("it begins and ends with a letter or digit");
    }
    if bucket.contains("..") {
        return why("it has no two dots in a row");
    }
    if bucket.parse::<std::net::Ipv4Addr>().is_ok() {
        return why("it does not look like an address");
    }
    let reserved = ["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|start| bucket.starts_with(start))
        || ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].iter().any(|end| bucket.ends_with(end));
    if reserved { why("such names are reserved") } else { Ok(()) }
}

#[cfg(test)]
mod tests;
