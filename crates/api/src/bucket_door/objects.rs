//! Put and delete of objects, and what a write may not ask for.

use std::collections::BTreeMap;

use futures::StreamExt;
use mps_backends::objects::local::Put;
use mps_core::clock::Millis;
use mps_store::objects::{Condition, Headers, Origin};
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag,
    ETagCondition, Error as DeleteError, PutObjectInput, PutObjectOutput, Timestamp,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::Backend;
use super::body::{Pieces, Promise, checksum_of};
use super::errors::{answer, not_built};
use super::tags;

const DELETE_KEYS: usize = 1000;
const DELETES_AT_ONCE: usize = 64;

impl Backend {
    pub(super) async fn put(&self, req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let S3Request { input, headers: sent, trailing_headers, .. } = req;
        refuse_extras(&Extras::of_put(&input))?;
        if input.write_offset_bytes.is_some() {
            return Err(not_built("appending to an object"));
        }
        let mut promise = Promise::new(
            &sent,
            input.content_md5.as_deref(),
            input.checksum_algorithm.as_ref(),
            trailing_headers,
        )?;
        let put = Put {
            content_type: input.content_type.unwrap_or_default(),
            headers: Headers {
                user: user_metadata(input.metadata),
                standard: standard_headers([
                    ("cache-control", input.cache_control),
                    ("content-disposition", input.content_disposition),
                    ("content-encoding", input.content_encoding.and_then(own_encoding)),
                    ("content-language", input.content_language),
                    ("expires", input.expires.as_ref().map(http_date).transpose()?),
                ]),
                tags: input.tagging.as_deref().map(tags::of_header).transpose()?.unwrap_or_default(),
                ..Headers::default()
            },
            origin: Origin::Put,
            condition: condition(input.if_match, input.if_none_match)?,
        };
        let mut staged = self.buckets.stage(&input.bucket, &input.key, put).map_err(answer)?;
        let mut pieces = Pieces::of(input.body, self.limits.idle, self.limits.object_bytes);
        while let Some(piece) = pieces.next().await? {
            promise.take(&piece);
            staged.append(piece).await.map_err(answer)?;
        }
        let mut object = staged.seal().await.map_err(answer)?;
        let checksums = match promise.keep(&object.md5) {
            Ok(checksums) => checksums,
            Err(error) => {
                self.buckets.discard(&object).await;
                return Err(error);
            }
        };
        if !checksums.is_empty() {
            let mut headers = Headers::from_value(&object.meta);
            headers.checksums.clone_from(&checksums);
            object.meta = headers.to_value();
        }
        let etag = object.etag.clone();
        self.buckets.publish(object).await.map_err(answer)?;
        let checksum = checksum_of(&checksums);
        Ok(S3Response::new(PutObjectOutput {
            e_tag: Some(ETag::Strong(etag)),
            checksum_crc32: checksum.checksum_crc32,
            checksum_crc32c: checksum.checksum_crc32c,
            checksum_crc64nvme: checksum.checksum_crc64nvme,
            checksum_sha1: checksum.checksum_sha1,
            checksum_sha256: checksum.checksum_sha256,
            ..PutObjectOutput::default()
        }))
    }

    pub(super) async fn remove(
        &self,
        req: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = req.input;
        refuse_version(input.version_id.as_deref())?;
        if input.if_match.is_some()
            || input.if_match_size.is_some()
            || input.if_match_last_modified_time.is_some()
        {
            return Err(not_built("deleting on a condition"));
        }
        self.buckets.delete(&input.bucket, &input.key).await.map_err(answer)?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    pub(super) async fn remove_many(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let (bucket, wanted) = (req.input.bucket, req.input.delete);
        if wanted.objects.len() > DELETE_KEYS {
            return Err(s3_error!(MalformedXML, "at most {DELETE_KEYS} keys can be deleted at once"));
        }
        let bucket = bucket.as_str();
        let removals = wanted.objects.into_iter().map(|object| async move {
            let outcome = match refuse_version(object.version_id.as_deref()) {
                Ok(()) => self.buckets.delete(bucket, &object.key).await.map_err(answer),
                Err(error) => Err(error),
            };
            (object.key, outcome)
        });
        let outcomes: Vec<_> = futures::stream::iter(removals).buffered(DELETES_AT_ONCE).collect().await;
        let is_quiet = wanted.quiet.unwrap_or(false);
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for (key, outcome) in outcomes {
            match outcome {
                Ok(_) if is_quiet => {}
                Ok(_) => deleted.push(DeletedObject { key: Some(key), ..DeletedObject::default() }),
                Err(error) => errors.push(DeleteError {
                    code: Some(error.code().as_str().to_owned()),
                    key: Some(key),
                    message: error.message().map(str::to_owned),
                    version_id: None,
                }),
            }
        }
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: Some(deleted),
            errors: (!errors.is_empty()).then_some(errors),
            ..DeleteObjectsOutput::default()
        }))
    }
}

/// What a write may ask for and this endpoint does not have.
#[expect(clippy::struct_excessive_bools, reason = "each a wish of its own")]
pub(super) struct Extras<'a> {
    pub(super) acl: Option<&'a str>,
    pub(super) grants: bool,
    pub(super) encryption: bool,
    pub(super) lock: bool,
    pub(super) storage_class: Option<&'a str>,
    pub(super) redirect: bool,
}

impl<'a> Extras<'a> {
    fn of_put(input: &'a PutObjectInput) -> Self {
        Self {
            acl: input.acl.as_ref().map(s3s::dto::ObjectCannedACL::as_str),
            grants: input.grant_full_control.is_some()
                || input.grant_read.is_some()
                || input.grant_read_acp.is_some()
                || input.grant_write_acp.is_some(),
            encryption: input.sse_customer_key.is_some()
                || input.ssekms_key_id.is_some()
                || input.server_side_encryption.is_some(),
            lock: input.object_lock_mode.is_some() || input.object_lock_legal_hold_status.is_some(),
            storage_class: input.storage_class.as_ref().map(s3s::dto::StorageClass::as_str),
            redirect: input.website_redirect_location.is_some(),
        }
    }
}

/// Refuses what would otherwise be silently ignored.
pub(super) fn refuse_extras(extras: &Extras<'_>) -> S3Result<()> {
    let is_own = |acl: &str| matches!(acl, "private" | "bucket-owner-full-control" | "default");
    if extras.acl.is_some_and(|acl| !is_own(acl)) || extras.grants {
        return Err(not_built("access for others than the owner"));
    }
    if extras.encryption {
        return Err(not_built("encryption by the server"));
    }
    if extras.lock {
        return Err(not_built("locking objects"));
    }
    if extras.redirect {
        return Err(not_built("redirecting to a website"));
    }
    match extras.storage_class {
        None | Some("STANDARD") => Ok(()),
        Some(class) => {
            Err(s3_error!(InvalidStorageClass, "the storage class {class:?} is not supported here"))
        }
    }
}

pub(super) fn refuse_version(version: Option<&str>) -> S3Result<()> {
    match version {
        None | Some("" | "null") => Ok(()),
        Some(_) => Err(s3_error!(NoSuchVersion, "buckets here have no versions")),
    }
}

pub(super) fn condition(
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
) -> S3Result<Condition> {
    match (if_match, if_none_match) {
        (None, None) => Ok(Condition::None),
        (None, Some(ETagCondition::Any)) => Ok(Condition::Absent),
        (Some(ETagCondition::ETag(tag)), None) => Ok(Condition::Matches(tag.into_value())),
        _ => Err(not_built("this condition of a write")),
    }
}

pub(super) fn user_metadata(metadata: Option<s3s::dto::Metadata>) -> BTreeMap<String, String> {
    metadata.unwrap_or_default().into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
}

pub(super) fn standard_headers<const N: usize>(
    values: [(&str, Option<String>); N],
) -> BTreeMap<String, String> {
    values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// The encoding of the object itself, without the framing of the transfer.
pub(super) fn own_encoding(header: String) -> Option<String> {
    if !header.contains("aws-chunked") {
        return Some(header);
    }
    let own: Vec<&str> =
        header.split(',').map(str::trim).filter(|part| *part != "aws-chunked" && !part.is_empty()).collect();
    (!own.is_empty()).then(|| own.join(", "))
}

pub(super) fn timestamp(at_ms: Millis) -> Timestamp {
    let at = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_ms) * 1_000_000);
    Timestamp::from(at.unwrap_or(time::OffsetDateTime::UNIX_EPOCH))
}

pub(super) fn http_date(at: &Timestamp) -> S3Result<String> {
    let mut text = Vec::new();
    at.format(s3s::dto::TimestampFormat::HttpDate, &mut text).map_err(S3Error::internal_error)?;
    String::from_utf8(text).map_err(S3Error::internal_error)
}
