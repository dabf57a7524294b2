//! COS clients at the same door: their signature, and their words for what S3 says otherwise.

mod signature;
mod words;

use http::Uri;
use http::request::Parts;
use s3s::{S3Result, s3_error};

use super::Door;
use super::access::{Caller, Dialect};
use super::errors::answer;
use signature::Signature;

pub(super) use signature::{hmac_sha1_hex, sign_key, window_holds};
pub(super) use words::answer_in_cos;

/// Checks the signature of a COS client, if the request has one, and turns the request into one of S3 by a caller
/// who is known. `None` for requests of other clients, which are left as they are.
pub(super) async fn admit(door: &Door, parts: &mut Parts) -> S3Result<Option<Caller>> {
    let Some(signature) = Signature::of(parts)? else { return Ok(None) };
    signature.check_time(door.clock.now_ms() / 1000)?;
    let Some(key) = door.keys.find(&signature.secret_id).await.map_err(answer)? else {
        return Err(s3_error!(InvalidAccessKeyId, "there is no such key, or it was revoked"));
    };
    let host = parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_path_style = door.hosts.told(host).is_none();
    if !signature.is_right(parts, &key.secret, is_path_style) {
        return Err(s3_error!(SignatureDoesNotMatch, "the signature does not fit the request and the key"));
    }
    parts.headers.remove(http::header::AUTHORIZATION);
    drop_signature(parts)?;
    words::into_s3(&mut parts.headers)?;
    let caller = Caller { account: key.account, dialect: Dialect::Cos };
    parts.extensions.insert(caller);
    Ok(Some(caller))
}

/// Takes the signature's parameters out of the query.
fn drop_signature(parts: &mut Parts) -> S3Result<()> {
    let Some(query) = parts.uri.query() else { return Ok(()) };
    let is_kept = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        !name.is_empty() && !name.starts_with("q-") && name != "sign" && name != "x-cos-security-token"
    };
    let kept: Vec<&str> = query.split('&').filter(is_kept).collect();
    let path = parts.uri.path();
    let text = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    let mut uri = std::mem::take(&mut parts.uri).into_parts();
    uri.path_and_query = Some(text.parse().map_err(|_| s3_error!(InvalidURI))?);
    parts.uri = Uri::from_parts(uri).map_err(|_| s3_error!(InvalidURI))?;
    Ok(())
}
