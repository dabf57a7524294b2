//! Where outputs go: the checks of `TaskOutputStorage`, its inheritance, and the names of buckets and regions.
//!
//! An output that names no storage inherits the one above it: an item that of the call, the call that of its
//! input. A URL can be inherited from by nobody, so there the call must name a storage. The checked form is
//! complete: bucket, region and, for AWS, the key pair.

use mps_wire::types::{CosOutputStorage, MediaInputInfo, S3OutputStorage, TaskOutputStorage};
use mps_wire::{ApiError, codes};

use crate::app::App;

/// The storage that outputs inherit from a checked input; `None` for a URL.
pub(crate) fn of_input(input: &MediaInputInfo, sent: &MediaInputInfo) -> Option<TaskOutputStorage> {
    // A URL that turned out to name a bucket of ours was still sent as a URL, which has no storage to inherit.
    let kind = sent.r#type.clone()?;
    let none = TaskOutputStorage { r#type: Some(kind.clone()), ..TaskOutputStorage::default() };
    match kind.as_str() {
        "COS" => input.cos_input_info.clone().map(|cos| TaskOutputStorage {
            cos_output_storage: Some(CosOutputStorage { bucket: cos.bucket, region: cos.region }),
            ..none
        }),
        "AWS-S3" => input.s3_input_info.clone().map(|s3| TaskOutputStorage {
            s3_output_storage: Some(S3OutputStorage {
                s3_bucket: s3.s3_bucket,
                s3_region: s3.s3_region,
                s3_secret_id: s3.s3_secret_id,
                s3_secret_key: s3.s3_secret_key,
            }),
            ..none
        }),
        _ => None,
    }
}

/// Checks `given`, the member named `path` of a request of `account`, and completes it from `above`.
pub(crate) async fn check(
    app: &App,
    account: i64,
    path: &str,
    given: Option<&TaskOutputStorage>,
    above: Option<&TaskOutputStorage>,
) -> Result<TaskOutputStorage, ApiError> {
    let Some(given) = given else {
        return above.cloned().ok_or_else(none_to_inherit);
    };
    let kind = given.r#type.as_deref().unwrap_or_default();
    let empty = TaskOutputStorage { r#type: Some(kind.to_owned()), ..TaskOutputStorage::default() };
    match kind {
        "COS" => {
            let own = given.cos_output_storage.as_ref();
            let above = above.and_then(|s| s.cos_output_storage.as_ref());
            let path = format!("{path}.CosOutputStorage");
            let cos = check_cos(app, account, &path, own, above).await?;
            Ok(TaskOutputStorage { cos_output_storage: Some(cos), ..empty })
        }
        "AWS-S3" => {
            let path = format!("{path}.S3OutputStorage");
            let own = given.s3_output_storage.as_ref().ok_or_else(|| missing(&path))?;
            let above = above.and_then(|s| s.s3_output_storage.as_ref());
            Ok(TaskOutputStorage { s3_output_storage: Some(check_s3(app, &path, own, above)?), ..empty })
        }
        "VOD" => Err(codes::unsupported_operation(format!("`{path}.Type` VOD is not supported"))),
        "" => Err(missing(&format!("{path}.Type"))),
        other => {
            let told = format!("`{path}.Type` is COS or AWS-S3, not {other:?}");
            Err(codes::invalid_parameter_value(told))
        }
    }
}

async fn check_cos(
    app: &App,
    account: i64,
    path: &str,
    own: Option<&CosOutputStorage>,
    above: Option<&CosOutputStorage>,
) -> Result<CosOutputStorage, ApiError> {
    let of = |pick: fn(&CosOutputStorage) -> &Option<String>| {
        let filled = |s: &&String| !s.is_empty();
        let own = own.and_then(|s| pick(s).as_ref()).filter(filled);
        own.or_else(|| above.and_then(|s| pick(s).as_ref())).cloned()
    };
    let bucket = of(|s| &s.bucket).ok_or_else(|| missing(&format!("{path}.Bucket")))?;
    let region = of(|s| &s.region).ok_or_else(|| missing(&format!("{path}.Region")))?;
    let (bucket, region) = cos_bucket(app, account, path, &bucket, &region).await?;
    Ok(CosOutputStorage { bucket: Some(bucket), region: Some(region) })
}

fn check_s3(
    app: &App,
    path: &str,
    own: &S3OutputStorage,
    above: Option<&S3OutputStorage>,
) -> Result<S3OutputStorage, ApiError> {
    check_s3_place(path, own.s3_bucket.as_deref(), own.s3_region.as_deref())?;
    let mut checked = own.clone();
    let is_empty = |s: &Option<String>| s.as_deref().unwrap_or_default().is_empty();
    if let (true, true, Some(above)) = (is_empty(&own.s3_secret_id), is_empty(&own.s3_secret_key), above) {
        checked.s3_secret_id.clone_from(&above.s3_secret_id);
        checked.s3_secret_key.clone_from(&above.s3_secret_key);
    }
    check_s3_pair(app, path, checked.s3_secret_id.as_deref(), checked.s3_secret_key.as_deref())?;
    Ok(checked)
}

/// Checks that `account` has the bucket in the region; returns both as the store has them.
pub(crate) async fn cos_bucket(
    app: &App,
    account: i64,
    path: &str,
    bucket: &str,
    region: &str,
) -> Result<(String, String), ApiError> {
    if bucket.is_empty() {
        return Err(missing(&format!("{path}.Bucket")));
    }
    if region.is_empty() {
        return Err(missing(&format!("{path}.Region")));
    }
    if !has_appid(bucket) {
        return Err(codes::resource_not_found_cos_bucket_name_invalid(format!(
            "`{path}.Bucket` has the form name-appid, unlike {bucket:?}"
        )));
    }
    if let Some(home) = app.buckets.home(account, bucket, region).await? {
        return Ok((bucket.to_owned(), home));
    }
    if app.regions.resolve(region).is_none() {
        let told = format!("`{path}.Region`: no region is called {region:?}");
        return Err(codes::invalid_parameter_value(told));
    }
    Err(codes::resource_not_found_cos_bucket_not_exist(format!(
        "`{path}.Bucket`: there is no bucket {bucket:?} in {region}"
    )))
}

/// Whether a bucket's name ends in `-` and the number of an account.
fn has_appid(bucket: &str) -> bool {
    let name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    bucket.len() <= 63
        && bucket.rsplit_once('-').is_some_and(|(own, appid)| {
            !own.is_empty()
                && own.starts_with(|c: char| c.is_ascii_alphanumeric())
                && own.chars().all(name)
                && !appid.is_empty()
                && appid.chars().all(|c| c.is_ascii_digit())
        })
}

/// Checks the names of an AWS bucket and region, which both distinguish case.
pub(crate) fn check_s3_place(path: &str, bucket: Option<&str>, region: Option<&str>) -> Result<(), ApiError> {
    let bucket = bucket.filter(|b| !b.is_empty()).ok_or_else(|| missing(&format!("{path}.S3Bucket")))?;
    let region = region.filter(|r| !r.is_empty()).ok_or_else(|| missing(&format!("{path}.S3Region")))?;
    if !is_s3_bucket(bucket) {
        return Err(codes::invalid_parameter_value(format!(
            "`{path}.S3Bucket`: {bucket:?} is not a bucket name: 3 to 63 lower-case letters, digits, dots and hyphens"
        )));
    }
    if !is_s3_region(region) {
        return Err(codes::invalid_parameter_value(format!(
            "`{path}.S3Region`: AWS has no region {region:?}"
        )));
    }
    Ok(())
}

/// Checks that both halves of an AWS key pair are there, or none where the operator has one of its own.
pub(crate) fn check_s3_pair(
    app: &App,
    path: &str,
    id: Option<&str>,
    secret: Option<&str>,
) -> Result<(), ApiError> {
    let is_absent = |half: Option<&str>| half.is_none_or(str::is_empty);
    if is_absent(id) && is_absent(secret) && app.buckets.has_s3_keys() {
        return Ok(());
    }
    for (half, name) in [(id, "S3SecretId"), (secret, "S3SecretKey")] {
        if half.is_none_or(str::is_empty) {
            return Err(missing(&format!("{path}.{name}")));
        }
    }
    Ok(())
}

fn is_s3_bucket(name: &str) -> bool {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name.starts_with(edge)
        && name.ends_with(edge)
        && name.chars().all(|c| edge(c) || c == '-' || c == '.')
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
}

/// AWS names regions `<area>-<direction>-<number>`; asking for the form lets tomorrow's regions in.
fn is_s3_region(text: &str) -> bool {
    const AREAS: &[&str] =
        &["af", "ap", "ca", "cn", "eu", "eusc", "il", "me", "mx", "sa", "us", "us-gov", "us-iso"];
    const DIRECTIONS: &[&str] =
        &["central", "east", "north", "northeast", "northwest", "south", "southeast", "southwest", "west"];
    let mut parts = text.rsplitn(3, '-');
    let (number, direction, area) = (parts.next(), parts.next(), parts.next());
    number.is_some_and(|n| matches!(n.len(), 1 | 2) && n.chars().all(|c| c.is_ascii_digit()))
        && direction.is_some_and(|d| DIRECTIONS.contains(&d))
        && area.is_some_and(|a| AREAS.contains(&a))
}

/// Outputs without a storage, and an input that gives none.
pub(crate) fn none_to_inherit() -> ApiError {
    codes::missing_parameter("`OutputStorage` is required when the input is a URL")
}

fn missing(path: &str) -> ApiError {
    codes::missing_parameter(format!("`{path}` is required"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cos_bucket_carries_the_account() {
        for good in ["test-1250000000", "a-b-c-1250000000", "TopRankVideo-1250000088"] {
            assert!(has_appid(good), "{good}");
        }
        for bad in ["test", "-1250000000", "test-125xxx88", "test-", "te_st-1250000000", "te/st-1"] {
            assert!(!has_appid(bad), "{bad}");
        }
    }

    #[test]
    fn an_s3_bucket_follows_the_rules_of_s3() {
        for good in ["abc", "my.bucket-1", "000"] {
            assert!(is_s3_bucket(good), "{good}");
        }
        for bad in ["ab", "Bucket", "a..b", "-abc", "abc-", "192.168.1.1", "a_b_c", &"a".repeat(64)] {
            assert!(!is_s3_bucket(bad), "{bad}");
        }
    }

    #[test]
    fn s3_regions_are_known_by_their_form() {
        for good in ["us-east-1", "eu-west-3", "ap-southeast-1", "us-gov-west-1", "me-central-1"] {
            assert!(is_s3_region(good), "{good}");
        }
        for bad in ["US-EAST-1", "mars-north-1", "singapore", "us-east", "us-east-a", "ap-guangzhou"] {
            assert!(!is_s3_region(bad), "{bad}");
        }
    }
}
