//! Uploads in parts.

use mps_backends::objects::local::Chosen;
use mps_store::objects::Headers;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedPart, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    ETag, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput,
    MultipartUpload, Part, StorageClass, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Backend;
use super::access::caller_of;
use super::body::{Pieces, Promise, checksum_of};
use super::errors::{answer, not_built};
use super::listing::{Writing, owner, page_size};
use super::objects::{
    Extras, condition, http_date, own_encoding, refuse_extras, standard_headers, timestamp, user_metadata,
};
use super::tags;

const MOST_PARTS: i64 = 10_000;

/// A part's number, checked.
pub(super) fn part_number(number: i32) -> S3Result<i64> {
    let number = i64::from(number);
    if (1..=MOST_PARTS).contains(&number) {
        return Ok(number);
    }
    Err(s3_error!(InvalidArgument, "a part's number is 1 to {MOST_PARTS}"))
}

impl Backend {
    pub(super) async fn begin(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = req.input;
        refuse_extras(&Extras {
            acl: input.acl.as_ref().map(s3s::dto::ObjectCannedACL::as_str),
            grants: input.grant_full_control.is_some()
                || input.grant_read.is_some()
                || input.grant_read_acp.is_some()
                || input.grant_write_acp.is_some(),
            encryption: input.sse_customer_key.is_some()
                || input.ssekms_key_id.is_some()
                || input.server_side_encryption.is_some(),
            lock: input.object_lock_mode.is_some() || input.object_lock_legal_hold_status.is_some(),
            storage_class: input.storage_class.as_ref().map(StorageClass::as_str),
            redirect: input.website_redirect_location.is_some(),
        })?;
        let headers = Headers {
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
        };
        let content_type = input.content_type.unwrap_or_default();
        let begun = self.buckets.begin_upload(&input.bucket, &input.key, &content_type, headers).await;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(begun.map_err(answer)?.id),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    pub(super) async fn take_part(
        &self,
        req: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let S3Request { input, headers: sent, trailing_headers, .. } = req;
        if input.sse_customer_key.is_some() {
            return Err(not_built("encryption by the server"));
        }
        let number = part_number(input.part_number)?;
        let upload =
            self.buckets.open_upload(&input.bucket, &input.key, &input.upload_id).await.map_err(answer)?;
        let mut promise = Promise::new(
            &sent,
            input.content_md5.as_deref(),
            input.checksum_algorithm.as_ref(),
            trailing_headers,
        )?;
        let announced =
            input.content_length.and_then(|length| u64::try_from(length).ok()).filter(|length| *length > 0);
        let mut part = self.buckets.stage_part(&upload.id, number, announced).await.map_err(answer)?;
        let mut pieces = Pieces::of(input.body, self.limits.idle, self.limits.object_bytes);
        let mut came = 0;
        while let Some(piece) = pieces.next().await? {
            promise.take(&piece);
            came += piece.len() as u64;
            part.append(piece).await.map_err(answer)?;
        }
        if announced.is_some_and(|announced| announced != came) {
            return Err(s3_error!(IncompleteBody, "the body ended before its announced length"));
        }
        let mut kept = Err(s3_error!(InternalError));
        let finished = part.finish(|part| {
            kept = promise.keep(&part.md5);
            if kept.is_ok() { Ok(()) } else { Err(mps_core::Error::invalid("the part is not as promised")) }
        });
        let finished = finished.await;
        let checksum = checksum_of(&kept?);
        let part = finished.map_err(answer)?;
        Ok(S3Response::new(UploadPartOutput {
            e_tag: Some(ETag::Strong(part.etag)),
            checksum_crc32: checksum.checksum_crc32,
            checksum_crc32c: checksum.checksum_crc32c,
            checksum_crc64nvme: checksum.checksum_crc64nvme,
            checksum_sha1: checksum.checksum_sha1,
            checksum_sha256: checksum.checksum_sha256,
            ..UploadPartOutput::default()
        }))
    }

    pub(super) async fn complete(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let caller = caller_of(&req.extensions)?;
        let input = req.input;
        if input.checksum_crc32.is_some()
            || input.checksum_crc32c.is_some()
            || input.checksum_crc64nvme.is_some()
            || input.checksum_sha1.is_some()
            || input.checksum_sha256.is_some()
        {
            return Err(not_built("a checksum of the whole of an upload in parts"));
        }
        let condition = condition(input.if_match, input.if_none_match)?;
        let chosen: Vec<Chosen> = input
            .multipart_upload
            .and_then(|sent| sent.parts)
            .unwrap_or_default()
            .into_iter()
            .map(chosen)
            .collect::<S3Result<_>>()?;
        let upload =
            self.buckets.find_upload(&input.bucket, &input.key, &input.upload_id).await.map_err(answer)?;
        let buckets = self.buckets.clone();
        let (bucket, key) = (input.bucket, input.key);
        // On its own task: a client that goes away does not leave the work half done.
        let mut work = tokio::spawn(async move {
            let least = caller.dialect.least_part_bytes();
            let etag = buckets.complete_upload(&upload, &chosen, least, condition).await.map_err(answer)?;
            Ok(CompleteMultipartUploadOutput {
                location: Some(format!("/{bucket}/{key}")),
                bucket: Some(bucket),
                key: Some(key),
                e_tag: Some(ETag::Strong(etag)),
                ..CompleteMultipartUploadOutput::default()
            })
        });
        let lost = |_| s3_error!(InternalError, "the completion ended badly");
        match tokio::time::timeout(self.limits.patience, &mut work).await {
            Ok(done) => done.map_err(lost)?.map(S3Response::new),
            // The answer begins now and ends when the work does; spaces in between keep the client waiting.
            Err(_) => Ok(S3Response::new(CompleteMultipartUploadOutput {
                future: Some(Box::pin(async move { work.await.map_err(lost)? })),
                ..CompleteMultipartUploadOutput::default()
            })),
        }
    }

    pub(super) async fn abort(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = req.input;
        let upload =
            self.buckets.open_upload(&input.bucket, &input.key, &input.upload_id).await.map_err(answer)?;
        self.buckets.abort_upload(&upload.id).await.map_err(answer)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    pub(super) async fn parts(
        &self,
        req: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        let owner = owner(caller_of(&req.extensions)?.account);
        let input = req.input;
        let upload =
            self.buckets.open_upload(&input.bucket, &input.key, &input.upload_id).await.map_err(answer)?;
        let limit = page_size(input.max_parts)?;
        let after = i64::from(input.part_number_marker.unwrap_or(0));
        let mut parts = self.buckets.parts(&upload.id, after, limit as i64 + 1).await.map_err(answer)?;
        let is_truncated = parts.len() > limit;
        parts.truncate(limit);
        let last = parts.last().map_or(0, |part| part.number) as i32;
        let part = |part: mps_store::uploads::Part| Part {
            e_tag: Some(ETag::Strong(part.etag)),
            last_modified: Some(timestamp(part.created_ms)),
            part_number: Some(part.number as i32),
            size: Some(part.size_bytes),
            ..Part::default()
        };
        Ok(S3Response::new(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(upload.id),
            owner: Some(owner.clone()),
            initiator: Some(s3s::dto::Initiator { display_name: owner.display_name, id: owner.id }),
            storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
            part_number_marker: Some(after as i32),
            next_part_number_marker: is_truncated.then_some(last),
            max_parts: Some(limit as i32),
            is_truncated: Some(is_truncated),
            parts: Some(parts.into_iter().map(part).collect()),
            ..ListPartsOutput::default()
        }))
    }

    pub(super) async fn open_uploads(
        &self,
        req: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let owner = owner(caller_of(&req.extensions)?.account);
        let input = req.input;
        if input.delimiter.as_deref().is_some_and(|delimiter| !delimiter.is_empty()) {
            return Err(not_built("folding a list of uploads at a delimiter"));
        }
        let writing = Writing::new(input.encoding_type.as_ref())?;
        let limit = page_size(input.max_uploads)?;
        let prefix = input.prefix.as_deref().unwrap_or_default();
        let key_marker = input.key_marker.as_deref().unwrap_or_default();
        // Without an id the marker stands behind all uploads of its key.
        let id_marker = match input.upload_id_marker.as_deref() {
            Some(id) if !id.is_empty() => id,
            _ => "~",
        };
        let page = self
            .buckets
            .uploads(&input.bucket, prefix, (key_marker, id_marker), limit)
            .await
            .map_err(answer)?;
        let last = page.uploads.last().filter(|_| page.is_truncated);
        let upload = |upload: &mps_store::uploads::Upload| MultipartUpload {
            initiated: Some(timestamp(upload.created_ms)),
            initiator: Some(s3s::dto::Initiator {
                display_name: owner.display_name.clone(),
                id: owner.id.clone(),
            }),
            key: Some(writing.of(&upload.key)),
            owner: Some(owner.clone()),
            storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
            upload_id: Some(upload.id.clone()),
            ..MultipartUpload::default()
        };
        Ok(S3Response::new(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            encoding_type: writing.kind(),
            is_truncated: Some(page.is_truncated),
            key_marker: Some(writing.of(key_marker)),
            max_uploads: Some(limit as i32),
            next_key_marker: last.map(|upload| writing.of(&upload.key)),
            next_upload_id_marker: last.map(|upload| upload.id.clone()),
            prefix: Some(writing.of(prefix)),
            upload_id_marker: input.upload_id_marker,
            uploads: Some(page.uploads.iter().map(upload).collect()),
            ..ListMultipartUploadsOutput::default()
        }))
    }
}

fn chosen(part: CompletedPart) -> S3Result<Chosen> {
    let (Some(number), Some(etag)) = (part.part_number, part.e_tag) else {
        return Err(s3_error!(MalformedXML, "each part has its number and its entity tag"));
    };
    Ok(Chosen { number: i64::from(number), etag: etag.into_value() })
}
