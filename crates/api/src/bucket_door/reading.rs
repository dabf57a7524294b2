//! Get and head of objects: conditions, ranges, parts.

use std::collections::BTreeMap;

use futures::StreamExt;
use mps_backends::objects::local::FileStream;
use mps_store::objects::Object;
use s3s::dto::{
    ETag, ETagCondition, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts,
    GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, Range, StorageClass, StreamingBlob,
    Timestamp,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use super::Backend;
use super::body::checksum_of;
use super::errors::answer;
use super::objects::{refuse_version, timestamp};

impl Backend {
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
#[expect(clippy::struct_field_names, reason = "the names of the headers")]
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

fn parse_http_date(text: &str) -> Option<Timestamp> {
    Timestamp::parse(s3s::dto::TimestampFormat::HttpDate, text).ok()
}
