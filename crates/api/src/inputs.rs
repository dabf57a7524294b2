//! Where a medium comes from: the checks of `MediaInputInfo`, and the form of it that a worker reads.
//!
//! The checked form has one storage member filled, its region resolved through the operator's aliases, its key
//! without a leading `/`; a URL that names one of the account's own buckets has become that bucket. Whether
//! the object is there is not asked here: a missing source is a fault of the task, not of the call.

use mps_wire::types::{CosInputInfo, MediaInputInfo, S3InputInfo};
use mps_wire::{ApiError, codes};

use crate::app::App;
use crate::storage;

/// The longest key of an object, in bytes; COS and S3 agree on it.
const KEY_BYTES: usize = 1024;
/// The longest URL we accept, in bytes.
const URL_BYTES: usize = 4096;

/// Checks `input`, the member named `path` of a request of `account`.
pub(crate) async fn check(
    app: &App,
    account: i64,
    path: &str,
    input: &MediaInputInfo,
) -> Result<MediaInputInfo, ApiError> {
    let kind = input.r#type.as_deref().unwrap_or_default();
    let empty = MediaInputInfo { r#type: Some(kind.to_owned()), ..MediaInputInfo::default() };
    match kind {
        "COS" => {
            let cos = required(input.cos_input_info.as_ref(), path, "CosInputInfo")?;
            let cos = check_cos(app, account, &format!("{path}.CosInputInfo"), cos).await?;
            Ok(MediaInputInfo { cos_input_info: Some(cos), ..empty })
        }
        "URL" => {
            let url = required(input.url_input_info.as_ref(), path, "UrlInputInfo")?;
            let at = format!("{path}.UrlInputInfo.Url");
            let text = url.url.as_deref().unwrap_or_default();
            check_url(&at, text)?;
            if let Some(cos) = app.buckets.behind_url(account, text).await? {
                check_key(&at, cos.object.as_deref().unwrap_or_default())?;
                let kind = Some("COS".to_owned());
                return Ok(MediaInputInfo { r#type: kind, cos_input_info: Some(cos), ..empty });
            }
            let allowed = app.guard.check_url(text);
            allowed.map_err(|e| codes::invalid_parameter_invalid_url(format!("`{at}`: {}", e.message())))?;
            Ok(MediaInputInfo { url_input_info: Some(url.clone()), ..empty })
        }
        "AWS-S3" => {
            let s3 = required(input.s3_input_info.as_ref(), path, "S3InputInfo")?;
            let s3 = check_s3(app, &format!("{path}.S3InputInfo"), s3)?;
            Ok(MediaInputInfo { s3_input_info: Some(s3), ..empty })
        }
        "VOD" => Err(codes::unsupported_operation(format!("`{path}.Type` VOD is not supported"))),
        "" => Err(codes::missing_parameter(format!("`{path}.Type` is required"))),
        other => Err(codes::invalid_parameter_value_input_info(format!(
            "`{path}.Type` is COS, URL or AWS-S3, not {other:?}"
        ))),
    }
}

async fn check_cos(
    app: &App,
    account: i64,
    path: &str,
    cos: &CosInputInfo,
) -> Result<CosInputInfo, ApiError> {
    let object = cos.object.as_deref().unwrap_or_default();
    let key = object.strip_prefix('/').unwrap_or(object);
    check_key(&format!("{path}.Object"), key)?;
    let (bucket, region) = storage::cos_bucket(
        app,
        account,
        path,
        cos.bucket.as_deref().unwrap_or_default(),
        cos.region.as_deref().unwrap_or_default(),
    )
    .await?;
    Ok(CosInputInfo { bucket: Some(bucket), region: Some(region), object: Some(key.to_owned()) })
}

fn check_s3(app: &App, path: &str, s3: &S3InputInfo) -> Result<S3InputInfo, ApiError> {
    let object = s3.s3_object.as_deref().unwrap_or_default();
    let key = object.strip_prefix('/').unwrap_or(object);
    check_key(&format!("{path}.S3Object"), key)?;
    storage::check_s3_place(path, s3.s3_bucket.as_deref(), s3.s3_region.as_deref())?;
    storage::check_s3_pair(app, path, s3.s3_secret_id.as_deref(), s3.s3_secret_key.as_deref())?;
    Ok(S3InputInfo { s3_object: Some(key.to_owned()), ..s3.clone() })
}

fn check_key(path: &str, key: &str) -> Result<(), ApiError> {
    if key.is_empty() || key.ends_with('/') {
        return Err(codes::invalid_parameter_value_input_info(format!("`{path}` names no file")));
    }
    if key.len() > KEY_BYTES {
        let told = format!("`{path}` is longer than {KEY_BYTES} bytes");
        return Err(codes::invalid_parameter_value_input_info(told));
    }
    Ok(())
}

fn check_url(path: &str, text: &str) -> Result<(), ApiError> {
    let bad = |why: &str| Err(codes::invalid_parameter_invalid_url(format!("`{path}`: {why}")));
    if text.is_empty() {
        return Err(codes::missing_parameter(format!("`{path}` is required")));
    }
    if text.len() > URL_BYTES {
        return bad(&format!("longer than {URL_BYTES} bytes"));
    }
    let Ok(url) = url::Url::parse(text) else { return bad("not a URL") };
    if !matches!(url.scheme(), "http" | "https") {
        return bad("only http and https are read");
    }
    Ok(())
}

fn required<'a, T>(member: Option<&'a T>, path: &str, name: &str) -> Result<&'a T, ApiError> {
    member.ok_or_else(|| {
        codes::missing_parameter(format!("`{path}.{name}` is required for this type of input"))
    })
}
