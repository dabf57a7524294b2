//! COS buckets that live outside of this server, opened by the operator's keys.
//!
//! A region is text that only the operator's endpoint gives a meaning; it must merely be fit for a host name.

use std::sync::Arc;

use mps_core::{Error, Result};
use opendal::Operator;
use opendal::services::Cos;

use super::ObjectStore;
use super::dal::{Dal, KeyPair};

/// What the operator configured.
#[derive(Debug, Clone)]
pub struct Options {
    /// The endpoint without the bucket, with `{region}` where the region belongs.
    pub endpoint_url: String,
    /// What opens the buckets.
    pub keys: KeyPair,
}

/// The bucket `bucket` (`name-appid`) in `region`. Nothing is sent yet.
///
/// Errors: `InvalidInput` for names that cannot be.
pub fn open(options: &Options, bucket: &str, region: &str) -> Result<Arc<dyn ObjectStore>> {
    let operator = operator(options, bucket, region)?;
    Ok(Arc::new(Dal::new(operator, format!("{bucket:?} ({region})"), &options.keys)?))
}

fn operator(options: &Options, bucket: &str, region: &str) -> Result<Operator> {
    check_place(bucket, region)?;
    let service = Cos::default()
        .bucket(bucket)
        .endpoint(&options.endpoint_url.replace("{region}", region))
        .secret_id(&options.keys.id)
        .secret_key(&options.keys.secret)
        .disable_config_load();
    Operator::new(service).map_err(|error| {
        let told = format!("{}: {}", error.kind(), error.message());
        Error::invalid(format!("cannot open the bucket {bucket:?} in {region:?}")).because(told)
    })
}

/// Whether a bucket and a region can have these names.
///
/// Errors: `InvalidInput` that names the wrong one.
pub fn check_place(bucket: &str, region: &str) -> Result<()> {
    let is_word = |text: &str| {
        let fit = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !text.is_empty() && text.bytes().all(fit) && !text.starts_with('-') && !text.ends_with('-')
    };
    if !is_word(region) || region.len() > 40 {
        return Err(Error::invalid(format!(
            "{region:?} is no region of COS: they are written like ap-guangzhou"
        )));
    }
    let appid = bucket.rsplit_once('-').map(|(_, appid)| appid).unwrap_or_default();
    let has_appid = !appid.is_empty() && appid.bytes().all(|b| b.is_ascii_digit());
    if !is_word(bucket) || !has_appid || bucket.len() > 60 {
        return Err(Error::invalid(format!(
            "{bucket:?} is no COS bucket: they are written like name-1250000000"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
