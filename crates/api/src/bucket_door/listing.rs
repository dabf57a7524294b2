//! Listings of objects. Keys are percent-encoded here when the client asks for it; the protocol's reader does not.

use mps_backends::objects::local::{ListQuery, Page};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    CommonPrefix, ETag, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object, ObjectStorageClass, Owner,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Backend;
use super::access::caller_of;
use super::errors::answer;
use super::objects::timestamp;

const MOST_KEYS: i32 = 1000;
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b'*');

/// How names are written in an answer.
pub(super) struct Writing {
    is_encoded: bool,
}

impl Writing {
    pub(super) fn new(encoding: Option<&EncodingType>) -> S3Result<Self> {
        match encoding.map(EncodingType::as_str) {
            None | Some("") => Ok(Self { is_encoded: false }),
            Some("url") => Ok(Self { is_encoded: true }),
            Some(_) => Err(s3_error!(InvalidArgument, "the encoding type of a listing is url")),
        }
    }

    pub(super) fn of(&self, text: &str) -> String {
        if self.is_encoded { utf8_percent_encode(text, PLAIN).to_string() } else { text.to_owned() }
    }

    pub(super) fn kind(&self) -> Option<EncodingType> {
        self.is_encoded.then(|| EncodingType::from_static(EncodingType::URL))
    }
}

pub(super) fn page_size(wanted: Option<i32>) -> S3Result<usize> {
    match wanted {
        None => Ok(MOST_KEYS as usize),
        Some(0..) => Ok(wanted.unwrap_or_default().min(MOST_KEYS) as usize),
        Some(_) => Err(s3_error!(InvalidArgument, "the size of a page is not negative")),
    }
}

fn contents(page: &Page, writing: &Writing, owner: Option<&Owner>) -> (Vec<Object>, Vec<CommonPrefix>) {
    let objects = page.objects.iter().map(|object| Object {
        e_tag: Some(ETag::Strong(object.etag.clone())),
        key: Some(writing.of(&object.key)),
        last_modified: Some(timestamp(object.created_ms)),
        owner: owner.cloned(),
        size: Some(object.size_bytes as i64),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Object::default()
    });
    let prefixes = page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(writing.of(prefix)) });
    (objects.collect(), prefixes.collect())
}

pub(super) fn owner(account: i64) -> Owner {
    Owner { display_name: Some(account.to_string()), id: Some(account.to_string()) }
}

impl Backend {
    pub(super) async fn list(
        &self,
        req: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        let owner = owner(caller_of(&req.extensions)?.account);
        let input = req.input;
        let writing = Writing::new(input.encoding_type.as_ref())?;
        let limit = page_size(input.max_keys)?;
        let query = ListQuery {
            prefix: input.prefix.as_deref().unwrap_or_default(),
            delimiter: input.delimiter.as_deref().unwrap_or_default(),
            start_after: input.marker.as_deref().unwrap_or_default(),
            limit,
        };
        let page = self.buckets.list(&input.bucket, &query).await.map_err(answer)?;
        let (objects, prefixes) = contents(&page, &writing, Some(&owner));
        Ok(S3Response::new(ListObjectsOutput {
            name: Some(input.bucket.clone()),
            prefix: Some(writing.of(query.prefix)),
            marker: Some(writing.of(query.start_after)),
            max_keys: Some(limit as i32),
            is_truncated: Some(page.next.is_some()),
            next_marker: page.next.as_deref().map(|next| writing.of(next)),
            contents: Some(objects),
            common_prefixes: (!prefixes.is_empty()).then_some(prefixes),
            delimiter: input
                .delimiter
                .as_deref()
                .filter(|text| !text.is_empty())
                .map(|text| writing.of(text)),
            encoding_type: writing.kind(),
            request_charged: None,
        }))
    }

    pub(super) async fn list_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let owner = owner(caller_of(&req.extensions)?.account);
        let input = req.input;
        let writing = Writing::new(input.encoding_type.as_ref())?;
        let limit = page_size(input.max_keys)?;
        let token = input.continuation_token.as_deref().map(read_token).transpose()?;
        let query = ListQuery {
            prefix: input.prefix.as_deref().unwrap_or_default(),
            delimiter: input.delimiter.as_deref().unwrap_or_default(),
            start_after: token.as_deref().or(input.start_after.as_deref()).unwrap_or_default(),
            limit,
        };
        let page = self.buckets.list(&input.bucket, &query).await.map_err(answer)?;
        let shown = input.fetch_owner.unwrap_or(false).then_some(&owner);
        let (objects, prefixes) = contents(&page, &writing, shown);
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket.clone()),
            prefix: Some(writing.of(query.prefix)),
            max_keys: Some(limit as i32),
            key_count: Some((objects.len() + prefixes.len()) as i32),
            continuation_token: input.continuation_token,
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next.as_deref().map(hex::encode),
            contents: Some(objects),
            common_prefixes: (!prefixes.is_empty()).then_some(prefixes),
            delimiter: input
                .delimiter
                .as_deref()
                .filter(|text| !text.is_empty())
                .map(|text| writing.of(text)),
            encoding_type: writing.kind(),
            start_after: input.start_after.map(|text| writing.of(&text)),
            request_charged: None,
        }))
    }
}

/// A continuation token: the last name of the page before, in hex.
fn read_token(token: &str) -> S3Result<String> {
    let bytes = hex::decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    bytes.ok_or_else(|| s3_error!(InvalidArgument, "the continuation token is not one of ours"))
}
