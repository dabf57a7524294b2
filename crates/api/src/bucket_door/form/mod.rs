//! Uploads by HTML forms (`POST` of `multipart/form-data` to a bucket): fields first, then the file, which is
//! written as it comes. The form is signed by its policy, in the ways of AWS (V4, V2) and of COS.

mod policy;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::body::Body;
use futures::StreamExt;
use hmac::{Hmac, Mac};
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};
use mps_backends::objects::local::{LocalStaged, Put};
use mps_store::objects::{Headers, Origin, PublishObject};
use multer::{Field, Multipart};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use s3s::{S3Result, s3_error};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::Door;
use super::access::{Caller, Dialect, owned};
use super::body::Pieces;
use super::cos::{hmac_sha1_hex, sign_key, window_holds};
use super::errors::{answer, not_built};
use super::objects::{Extras, refuse_extras};
use super::tags;
use policy::Policy;

const FIELD_BYTES: usize = 64 * 1024;
const FIELDS_BYTES: usize = 512 * 1024;
const STANDARD: [&str; 5] =
    ["cache-control", "content-disposition", "content-encoding", "content-language", "expires"];

/// The boundary of a form, if the request is one.
pub(super) fn boundary(method: &http::Method, headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
    if method != http::Method::POST {
        return None;
    }
    multer::parse_boundary(kind).ok()
}

/// Takes the upload and answers it.
pub(super) async fn take(
    door: &Door,
    parts: &Parts,
    body: Body,
    boundary: String,
) -> S3Result<Response<Body>> {
    let bucket = bucket_of(door, parts)?;
    let mut form = Multipart::new(body.into_data_stream(), boundary);
    let (fields, file) = read_fields(door, &mut form).await?;
    let mut fields = fields;
    fields.insert("bucket".to_owned(), bucket.clone());
    let policy_field =
        fields.get("policy").ok_or_else(|| s3_error!(AccessDenied, "the form has no policy"))?;
    let policy = Policy::read(policy_field)?;
    let caller = signer(door, &fields).await?;
    policy.check(&fields, door.clock.now_ms() / 1000, caller.dialect == Dialect::S3)?;
    owned(&door.buckets, caller, &bucket).await?;

    let key = key_of(&fields, file.file_name())?;
    let put = described(&fields, file.content_type().map(ToString::to_string))?;
    let (least, most) = policy.length();
    let most = most.min(door.limits.object_bytes);
    let mut staged = door.buckets.stage(&bucket, &key, put).map_err(answer)?;
    write(door, file, &mut staged, most).await?;
    let object = staged.seal().await.map_err(answer)?;
    if object.size_bytes < least {
        door.buckets.discard(&object).await;
        return Err(s3_error!(EntityTooSmall, "the file has fewer than {least} bytes"));
    }
    door.buckets.publish(object.clone()).await.map_err(answer)?;
    respond(parts, &fields, &object)
}

fn bucket_of(door: &Door, parts: &Parts) -> S3Result<String> {
    let host = parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let path = parts.uri.path().trim_matches('/');
    match door.hosts.told(host) {
        Some(told) if path.is_empty() => Ok(told.bucket.to_owned()),
        None if !path.is_empty() && !path.contains('/') => {
            Ok(percent_decode_str(path).decode_utf8().map_err(|_| s3_error!(InvalidURI))?.into_owned())
        }
        _ => Err(s3_error!(MethodNotAllowed, "a form is posted to a bucket")),
    }
}

/// The fields before the file, names in lower case, and the file.
async fn read_fields(
    door: &Door,
    form: &mut Multipart<'static>,
) -> S3Result<(BTreeMap<String, String>, Field<'static>)> {
    let malformed = |_| s3_error!(MalformedPOSTRequest, "the form cannot be read");
    let (mut fields, mut room) = (BTreeMap::new(), FIELDS_BYTES);
    loop {
        let next = tokio::time::timeout(door.limits.idle, form.next_field());
        let next = next.await.map_err(|_| s3_error!(RequestTimeout, "the form stopped coming"))?;
        let Some(mut field) = next.map_err(malformed)? else {
            return Err(s3_error!(InvalidArgument, "POST requires exactly one file upload per request."));
        };
        let name = field.name().unwrap_or_default().to_ascii_lowercase();
        if name == "file" {
            return Ok((fields, field));
        }
        let mut value = Vec::new();
        loop {
            let piece = tokio::time::timeout(door.limits.idle, field.chunk()).await;
            let piece = piece.map_err(|_| s3_error!(RequestTimeout, "the form stopped coming"))?;
            let Some(piece) = piece.map_err(malformed)? else { break };
            if value.len() + piece.len() > FIELD_BYTES.min(room) {
                return Err(s3_error!(
                    MaxPostPreDataLengthExceededError,
                    "the fields before the file are too long"
                ));
            }
            value.extend_from_slice(&piece);
        }
        room -= value.len();
        let value =
            String::from_utf8(value).map_err(|_| s3_error!(InvalidArgument, "a field is not UTF-8"))?;
        fields.insert(name, value);
    }
}

async fn write(door: &Door, file: Field<'static>, staged: &mut LocalStaged, most: u64) -> S3Result<()> {
    let mut pieces = Pieces::new(file.boxed(), door.limits.idle, most);
    while let Some(piece) = pieces.next().await? {
        staged.append(piece).await.map_err(answer)?;
    }
    Ok(())
}

/// Who signed the form.
async fn signer(door: &Door, fields: &BTreeMap<String, String>) -> S3Result<Caller> {
    let of = |name: &str| fields.get(name).map(String::as_str);
    let need = |name: &str| of(name).ok_or_else(|| s3_error!(InvalidArgument, "the form lacks {name}"));
    let policy = need("policy")?;
    let unsigned = || s3_error!(AccessDenied, "the form is not signed");
    let (id, dialect) = if of("q-signature").is_some() {
        (need("q-ak")?, Dialect::Cos)
    } else if of("x-amz-signature").is_some() {
        (need("x-amz-credential")?.split('/').next().unwrap_or_default(), Dialect::S3)
    } else {
        (of("awsaccesskeyid").ok_or_else(unsigned)?, Dialect::S3)
    };
    let Some(key) = door.keys.find(id).await.map_err(answer)? else {
        return Err(s3_error!(InvalidAccessKeyId, "there is no such key, or it was revoked"));
    };
    let (right, sent) = if let Some(sent) = of("q-signature") {
        let key_time = need("q-key-time")?;
        if !window_holds(key_time, door.clock.now_ms() / 1000) {
            return Err(s3_error!(AccessDenied, "the signature's time is over or has not begun"));
        }
        let digest = hex::encode(<Sha1 as sha1::Digest>::digest(policy::text(policy)?));
        (hmac_sha1_hex(sign_key(&key.secret, key_time).as_bytes(), digest.as_bytes()), sent)
    } else if let Some(sent) = of("x-amz-signature") {
        (v4(&key.secret, need("x-amz-credential")?, policy)?, sent)
    } else {
        let mut mac =
            Hmac::<Sha1>::new_from_slice(key.secret.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(policy.as_bytes());
        let signature =
            base64::Engine::encode(&base64::prelude::BASE64_STANDARD, mac.finalize().into_bytes());
        (signature, need("signature")?)
    };
    if bool::from(right.as_bytes().ct_eq(sent.as_bytes())) {
        return Ok(Caller { account: key.account, dialect });
    }
    Err(s3_error!(SignatureDoesNotMatch, "the signature does not fit the policy and the key"))
}

/// The V4 signature of a policy; `credential` is `ID/DATE/REGION/s3/aws4_request`.
fn v4(secret: &str, credential: &str, policy: &str) -> S3Result<String> {
    let hmac = |key: &[u8], text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let scope: Vec<&str> = credential.split('/').skip(1).collect();
    let [date, region, "s3", "aws4_request"] = scope[..] else {
        return Err(s3_error!(InvalidArgument, "the credential of the form has another form"));
    };
    let first = hmac(format!("AWS4{secret}").as_bytes(), date);
    let key = [region, "s3", "aws4_request"].iter().fold(first, |key, text| hmac(&key, text));
    Ok(hex::encode(hmac(&key, policy)))
}

fn key_of(fields: &BTreeMap<String, String>, file_name: Option<&str>) -> S3Result<String> {
    let key = fields.get("key").ok_or_else(|| s3_error!(InvalidArgument, "the form lacks key"))?;
    let name = file_name.unwrap_or_default();
    // Some browsers send a path.
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    Ok(key.replace("${filename}", name))
}

fn described(fields: &BTreeMap<String, String>, content_type: Option<String>) -> S3Result<Put> {
    let of = |name: &str| {
        let either = fields.get(&format!("x-amz-{name}")).or_else(|| fields.get(&format!("x-cos-{name}")));
        either.map(String::as_str)
    };
    refuse_extras(&Extras {
        acl: fields.get("acl").map(String::as_str).or_else(|| of("acl")),
        grants: false,
        encryption: of("server-side-encryption").is_some(),
        lock: of("object-lock-mode").is_some(),
        storage_class: of("storage-class"),
        redirect: of("website-redirect-location").is_some(),
    })?;
    if fields.keys().any(|name| name.starts_with("x-amz-checksum-")) {
        return Err(not_built("a checksum in a form"));
    }
    let own = |name: &str| {
        name.strip_prefix("x-amz-meta-").or_else(|| name.strip_prefix("x-cos-meta-")).map(str::to_owned)
    };
    let user = fields.iter().filter_map(|(name, value)| Some((own(name)?, value.clone()))).collect();
    let standard =
        STANDARD.iter().filter_map(|name| Some(((*name).to_owned(), fields.get(*name)?.clone()))).collect();
    let tags =
        of("tagging").filter(|text| !text.trim_start().starts_with('<')).map(tags::of_header).transpose()?;
    Ok(Put {
        content_type: fields.get("content-type").cloned().or(content_type).unwrap_or_default(),
        headers: Headers { user, standard, tags: tags.unwrap_or_default(), ..Headers::default() },
        origin: Origin::Post,
        ..Put::default()
    })
}

const IN_LOCATION: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

fn respond(
    parts: &Parts,
    fields: &BTreeMap<String, String>,
    object: &PublishObject,
) -> S3Result<Response<Body>> {
    let host = parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let key = utf8_percent_encode(&object.key, IN_LOCATION).to_string();
    let is_in_host = parts.uri.path() == "/";
    let location = if is_in_host {
        format!("http://{host}/{key}")
    } else {
        format!("http://{host}/{}/{key}", object.bucket)
    };
    let tag = format!("\"{}\"", object.etag);
    let answer = Response::builder().header(http::header::ETAG, &tag);
    let failed = |_| s3_error!(InvalidArgument, "the answer that the form wishes cannot be given");
    let redirect = fields.get("success_action_redirect").or_else(|| fields.get("redirect"));
    if let Some(target) = redirect.and_then(|text| url::Url::parse(text).ok()) {
        let mut target = target;
        target
            .query_pairs_mut()
            .append_pair("bucket", &object.bucket)
            .append_pair("key", &object.key)
            .append_pair("etag", &tag);
        let answer = answer.status(StatusCode::SEE_OTHER).header(http::header::LOCATION, target.as_str());
        return answer.body(Body::empty()).map_err(failed);
    }
    let answer = answer.header(http::header::LOCATION, &location);
    match fields.get("success_action_status").map(String::as_str) {
        Some("201") => {
            let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?><PostResponse>");
            for (name, value) in
                [("Location", &location), ("Bucket", &object.bucket), ("Key", &object.key), ("ETag", &tag)]
            {
                let _ = write!(xml, "<{name}>{}</{name}>", super::front::escaped(value));
            }
            xml.push_str("</PostResponse>");
            let answer =
                answer.status(StatusCode::CREATED).header(http::header::CONTENT_TYPE, "application/xml");
            answer.body(Body::from(xml)).map_err(failed)
        }
        Some("200") => answer.status(StatusCode::OK).body(Body::empty()).map_err(failed),
        _ => answer.status(StatusCode::NO_CONTENT).body(Body::empty()).map_err(failed),
    }
}
