//! Copies of objects, whole or as a part of an upload.

use mps_backends::objects::local::Put;
use mps_store::objects::{Headers, Object, Origin};
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopyPartResult, CopySource, ETag, MetadataDirective,
    TaggingDirective, UploadPartCopyInput, UploadPartCopyOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Backend;
use super::access::{Caller, caller_of, owned};
use super::body::Pieces;
use super::errors::{answer, not_built};
use super::objects::{
    Extras, http_date, own_encoding, refuse_extras, refuse_version, standard_headers, timestamp,
    user_metadata,
};
use super::reading::Wants;
use super::tags;

impl Backend {
    pub(super) async fn copy_one(
        &self,
        req: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let caller = caller_of(&req.extensions)?;
        let input = req.input;
        refuse_extras(&Extras {
            acl: input.acl.as_ref().map(s3s::dto::ObjectCannedACL::as_str),
            grants: input.grant_full_control.is_some()
                || input.grant_read.is_some()
                || input.grant_read_acp.is_some()
                || input.grant_write_acp.is_some(),
            encryption: input.sse_customer_key.is_some()
                || input.copy_source_sse_customer_key.is_some()
                || input.ssekms_key_id.is_some()
                || input.server_side_encryption.is_some(),
            lock: input.object_lock_mode.is_some() || input.object_lock_legal_hold_status.is_some(),
            storage_class: input.storage_class.as_ref().map(s3s::dto::StorageClass::as_str),
            redirect: input.website_redirect_location.is_some(),
        })?;
        let wants = Wants {
            if_match: input.copy_source_if_match,
            if_none_match: input.copy_source_if_none_match,
            if_modified_since: input.copy_source_if_modified_since,
            if_unmodified_since: input.copy_source_if_unmodified_since,
        };
        let (from_bucket, from) = self.source(caller, &input.copy_source, &wants).await?;
        let replaces = input.metadata_directive.as_ref().map(MetadataDirective::as_str) == Some("REPLACE");
        let replaces_tags = input.tagging_directive.as_ref().map(TaggingDirective::as_str) == Some("REPLACE");
        if from_bucket == input.bucket && from.key == input.key && !replaces && !replaces_tags {
            return Err(s3_error!(InvalidRequest, "copying an object onto itself changes nothing"));
        }
        let mut headers = from.headers.clone();
        let mut content_type = from.content_type.clone();
        if replaces {
            headers.user = user_metadata(input.metadata);
            headers.standard = standard_headers([
                ("cache-control", input.cache_control),
                ("content-disposition", input.content_disposition),
                ("content-encoding", input.content_encoding.and_then(own_encoding)),
                ("content-language", input.content_language),
                ("expires", input.expires.as_ref().map(http_date).transpose()?),
            ]);
            content_type = input.content_type.unwrap_or_default();
        }
        if replaces_tags {
            headers.tags = input.tagging.as_deref().map(tags::of_header).transpose()?.unwrap_or_default();
        }
        // The entity tag of an upload in parts goes with the bytes, and so do the sizes of its parts.
        let headers = Headers { parts: from.headers.parts.clone(), ..headers };
        let put = Put { content_type, headers, origin: Origin::Copy, ..Put::default() };
        let copied = self.buckets.copy(&from, &input.bucket, &input.key, put).await.map_err(answer)?;
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                e_tag: Some(ETag::Strong(copied.etag)),
                last_modified: Some(timestamp(copied.created_ms)),
                ..CopyObjectResult::default()
            }),
            ..CopyObjectOutput::default()
        }))
    }

    pub(super) async fn copy_part(
        &self,
        req: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let caller = caller_of(&req.extensions)?;
        let input = req.input;
        if input.sse_customer_key.is_some() || input.copy_source_sse_customer_key.is_some() {
            return Err(not_built("encryption by the server"));
        }
        let upload =
            self.buckets.open_upload(&input.bucket, &input.key, &input.upload_id).await.map_err(answer)?;
        let number = super::multipart::part_number(input.part_number)?;
        let wants = Wants {
            if_match: input.copy_source_if_match,
            if_none_match: input.copy_source_if_none_match,
            if_modified_since: input.copy_source_if_modified_since,
            if_unmodified_since: input.copy_source_if_unmodified_since,
        };
        let (_, from) = self.source(caller, &input.copy_source, &wants).await?;
        let range = match input.copy_source_range.as_deref() {
            None => 0..from.size_bytes,
            Some(text) => source_range(text, from.size_bytes)?,
        };
        let size_bytes = range.end - range.start;
        let bytes = self.buckets.open_object(&from, Some(range)).await.map_err(answer)?;
        let mut part = self.buckets.stage_part(&upload.id, number, Some(size_bytes)).await.map_err(answer)?;
        let mut pieces = Pieces::new(bytes, self.limits.idle, self.limits.object_bytes);
        while let Some(piece) = pieces.next().await? {
            part.append(piece).await.map_err(answer)?;
        }
        let part = part.finish(|_| Ok(())).await.map_err(answer)?;
        Ok(S3Response::new(UploadPartCopyOutput {
            copy_part_result: Some(CopyPartResult {
                e_tag: Some(ETag::Strong(part.etag)),
                last_modified: Some(timestamp(part.created_ms)),
                ..CopyPartResult::default()
            }),
            ..UploadPartCopyOutput::default()
        }))
    }

    async fn source(&self, caller: Caller, source: &CopySource, wants: &Wants) -> S3Result<(String, Object)> {
        let CopySource::Bucket { bucket, key, version_id } = source else {
            return Err(not_built("a copy source that is no bucket and key"));
        };
        refuse_version(version_id.as_deref())?;
        owned(&self.buckets, caller, bucket).await?;
        let object = self.buckets.find(bucket, key).await.map_err(answer)?;
        // A copy has no "not modified": whatever does not hold is a failed condition.
        wants
            .check(&object)
            .map_err(|_| s3_error!(PreconditionFailed, "the source is not as the condition says"))?;
        Ok((bucket.to_string(), object))
    }
}

/// `bytes=FIRST-LAST`, both needed and within the source.
fn source_range(text: &str, size_bytes: u64) -> S3Result<std::ops::Range<u64>> {
    let ends = text.strip_prefix("bytes=").and_then(|ends| ends.split_once('-'));
    let ends = ends.and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?)));
    match ends {
        Some((first, last)) if first <= last && last < size_bytes => Ok(first..last + 1),
        Some(_) => Err(s3_error!(InvalidRange, "the range is not within the source")),
        None => Err(s3_error!(InvalidArgument, "the range of a source has the form bytes=FIRST-LAST")),
    }
}
