//! Put, get, head and delete of objects.

use std::collections::BTreeMap;

use futures::StreamExt;
use mps_backends::objects::local::{FileStream, Put};
use mps_core::clock::Millis;
use mps_store::objects::{Condition, Headers, Object, Origin};
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag,
    ETagCondition, Error as DeleteError, GetObjectAttributesInput, GetObjectAttributesOutput,
    GetObjectAttributesParts, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    PutObjectInput, PutObjectOutput, Range, StorageClass, StreamingBlob, Timestamp,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

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
                    ("expires", input.expires.map(http_date).transpose()?),
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

    pub(super) async fn get(&self, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = req.input;
        refuse_version(input.version_id.as_deref())?;
        let object = self.buckets.find(&input.bucket, &input.key).await.map_err(answer)?;
        let wants = Wants {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        wants.check(&object)?;
        let stretch = Stretch::of(&object, input.range, input.part_number)?;
        let opened = self.buckets.open_object(&object, Some(stretch.bytes.clone())).await;
        let body = StreamingBlob::new(Sized(opened.map_err(answer)?));
        let with_checksums = input.checksum_mode.is_some() && stretch.content_range.is_none();
        let checksum = checksum_of(if with_checksums { &object.headers.checksums } else { &EMPTY });
        let standard = |name: &str| object.headers.standard.get(name).cloned();
        Ok(S3Response::new(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            body: Some(body),
            cache_control: standard("cache-control"),
            checksum_crc32: checksum.checksum_crc32,
            checksum_crc32c: checksum.checksum_crc32c,
            checksum_crc64nvme: checksum.checksum_crc64nvme,
            checksum_sha1: checksum.checksum_sha1,
            checksum_sha256: checksum.checksum_sha256,
            content_disposition: standard("content-disposition"),
            content_encoding: standard("content-encoding"),
            content_language: standard("content-language"),
            content_length: Some((stretch.bytes.end - stretch.bytes.start) as i64),
            content_range: stretch.content_range,
            content_type: Some(object.content_type.clone()),
            e_tag: Some(ETag::Strong(object.etag.clone())),
            expires: standard("expires").and_then(|text| parse_http_date(&text)),
            last_modified: Some(timestamp(object.created_ms)),
            metadata: Some(object.headers.user.clone().into_iter().collect()),
            parts_count: stretch.parts_count,
            tag_count: (!object.headers.tags.is_empty()).then_some(object.headers.tags.len() as i32),
            ..GetObjectOutput::default()
        }))
    }

    pub(super) async fn head(
        &self,
        req: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = req.input;
        refuse_version(input.version_id.as_deref())?;
        let object = self.buckets.find(&input.bucket, &input.key).await.map_err(answer)?;
        let wants = Wants {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        wants.check(&object)?;
        let stretch = Stretch::of(&object, input.range, input.part_number)?;
        let with_checksums = input.checksum_mode.is_some() && stretch.content_range.is_none();
        let checksum = checksum_of(if with_checksums { &object.headers.checksums } else { &EMPTY });
        let standard = |name: &str| object.headers.standard.get(name).cloned();
        Ok(S3Response::new(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: standard("cache-control"),
            checksum_crc32: checksum.checksum_crc32,
            checksum_crc32c: checksum.checksum_crc32c,
            checksum_crc64nvme: checksum.checksum_crc64nvme,
            checksum_sha1: checksum.checksum_sha1,
            checksum_sha256: checksum.checksum_sha256,
            content_disposition: standard("content-disposition"),
            content_encoding: standard("content-encoding"),
            content_language: standard("content-language"),
            content_length: Some((stretch.bytes.end - stretch.bytes.start) as i64),
            content_range: stretch.content_range,
            content_type: Some(object.content_type.clone()),
            e_tag: Some(ETag::Strong(object.etag.clone())),
            expires: standard("expires").and_then(|text| parse_http_date(&text)),
            last_modified: Some(timestamp(object.created_ms)),
            metadata: Some(object.headers.user.clone().into_iter().collect()),
            parts_count: stretch.parts_count,
            ..HeadObjectOutput::default()
        }))
    }

    pub(super) async fn attributes(
        &self,
        req: S3Request<GetObjectAttributesInput>,
    ) -> S3Result<S3Response<GetObjectAttributesOutput>> {
        let input = req.input;
        refuse_version(input.version_id.as_deref())?;
        let object = self.buckets.find(&input.bucket, &input.key).await.map_err(answer)?;
        // One header may carry several names.
        let named = input.object_attributes.iter().flat_map(|names| names.as_str().split(','));
        let named: Vec<&str> = named.map(str::trim).collect();
        let wants = |name: &str| named.contains(&name);
        let parts = &object.headers.parts;
        Ok(S3Response::new(GetObjectAttributesOutput {
            checksum: (wants("Checksum") && !object.headers.checksums.is_empty())
                .then(|| checksum_of(&object.headers.checksums)),
            e_tag: wants("ETag").then(|| ETag::Strong(object.etag.clone())),
            last_modified: Some(timestamp(object.created_ms)),
            object_parts: (wants("ObjectParts") && !parts.is_empty()).then(|| GetObjectAttributesParts {
                total_parts_count: Some(parts.len() as i32),
                ..GetObjectAttributesParts::default()
            }),
            object_size: wants("ObjectSize").then_some(object.size_bytes as i64),
            storage_class: wants("StorageClass").then(|| StorageClass::from_static(StorageClass::STANDARD)),
            ..GetObjectAttributesOutput::default()
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

static EMPTY: BTreeMap<String, String> = BTreeMap::new();

/// A file's bytes with their number known.
struct Sized(FileStream);

impl futures::Stream for Sized {
    type Item = Result<bytes::Bytes, s3s::StdError>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx).map_err(|error| Box::new(error) as s3s::StdError)
    }
}

impl s3s::stream::ByteStream for Sized {
    fn remaining_length(&self) -> s3s::stream::RemainingLength {
        s3s::stream::RemainingLength::new_exact(self.0.left() as usize)
    }
}

/// The bytes of an object that a request wants.
struct Stretch {
    bytes: std::ops::Range<u64>,
    content_range: Option<String>,
    parts_count: Option<i32>,
}

impl Stretch {
    fn of(object: &Object, range: Option<Range>, part: Option<i32>) -> S3Result<Self> {
        let size = object.size_bytes;
        let is_whole = range.is_none() && part.is_none();
        let (bytes, parts_count) = match (range, part) {
            (None, None) => (0..size, None),
            (Some(_), Some(_)) => {
                return Err(s3_error!(InvalidRequest, "a range and a part number exclude each other"));
            }
            // An empty object has no last bytes; the whole of it is the answer.
            (Some(Range::Suffix { length }), None) if size == 0 && length > 0 => {
                return Ok(Self { bytes: 0..0, content_range: None, parts_count: None });
            }
            (Some(range), None) => {
                let cut = range.check(size);
                (
                    cut.map_err(|_| {
                        s3_error!(InvalidRange, "the range begins behind the end of the object")
                    })?,
                    None,
                )
            }
            (None, Some(number)) => part_of(object, number)?,
        };
        let is_partial = !is_whole && bytes.end > bytes.start;
        let content_range = is_partial.then(|| format!("bytes {}-{}/{size}", bytes.start, bytes.end - 1));
        Ok(Self { bytes, content_range, parts_count })
    }
}

fn part_of(object: &Object, number: i32) -> S3Result<(std::ops::Range<u64>, Option<i32>)> {
    let no_part = || s3_error!(InvalidPart, "the object has no part {number}");
    let sizes = &object.headers.parts;
    if sizes.is_empty() {
        return if number == 1 { Ok((0..object.size_bytes, None)) } else { Err(no_part()) };
    }
    let at = usize::try_from(number).ok().filter(|at| (1..=sizes.len()).contains(at)).ok_or_else(no_part)?;
    let start: u64 = sizes[..at - 1].iter().sum();
    Ok((start..start + sizes[at - 1], Some(sizes.len() as i32)))
}

/// Conditions of a read.
pub(super) struct Wants {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) if_modified_since: Option<Timestamp>,
    pub(super) if_unmodified_since: Option<Timestamp>,
}

impl Wants {
    /// Whether the object is wanted: else the error 304 or 412.
    pub(super) fn check(&self, object: &Object) -> S3Result<()> {
        let is_same = |condition: &ETagCondition| match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(tag) => tag.value() == object.etag,
        };
        // The headers carry whole seconds.
        let changed = timestamp(object.created_ms / 1000 * 1000);
        let unwanted = match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) => !is_same(condition),
            (None, Some(since)) => changed > *since,
            (None, None) => false,
        };
        if unwanted {
            return Err(s3_error!(PreconditionFailed, "the object is not as the condition says"));
        }
        let is_known = match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) => is_same(condition),
            (None, Some(since)) => changed <= *since,
            (None, None) => false,
        };
        if is_known { Err(not_modified(object)) } else { Ok(()) }
    }
}

fn not_modified(object: &Object) -> S3Error {
    let mut error = S3Error::new(S3ErrorCode::NotModified);
    if let Ok(tag) = format!("\"{}\"", object.etag).parse() {
        error.set_headers(http::HeaderMap::from_iter([(http::header::ETAG, tag)]));
    }
    error
}

/// What a write may ask for and this endpoint does not have.
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

pub(super) fn http_date(at: Timestamp) -> S3Result<String> {
    let mut text = Vec::new();
    at.format(s3s::dto::TimestampFormat::HttpDate, &mut text).map_err(S3Error::internal_error)?;
    String::from_utf8(text).map_err(S3Error::internal_error)
}

fn parse_http_date(text: &str) -> Option<Timestamp> {
    Timestamp::parse(s3s::dto::TimestampFormat::HttpDate, text).ok()
}
