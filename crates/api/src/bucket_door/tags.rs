//! Tags of objects: kept with the object, given back, and nothing else.

use std::collections::BTreeMap;

use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput, Tag,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Backend;
use super::errors::answer;
use super::objects::refuse_version;

const MOST_TAGS: usize = 10;
const KEY_CHARS: usize = 128;
const VALUE_CHARS: usize = 256;

/// Tags given in a header, in the form of a query.
pub(super) fn of_header(text: &str) -> S3Result<BTreeMap<String, String>> {
    let pairs = url::form_urlencoded::parse(text.as_bytes());
    checked(pairs.map(|(key, value)| (key.into_owned(), value.into_owned())))
}

fn checked(pairs: impl Iterator<Item = (String, String)>) -> S3Result<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    for (key, value) in pairs {
        let fits = (1..=KEY_CHARS).contains(&key.chars().count()) && value.chars().count() <= VALUE_CHARS;
        if !fits || tags.insert(key, value).is_some() {
            return Err(s3_error!(InvalidTag, "a tag is too long, empty or given twice"));
        }
    }
    if tags.len() > MOST_TAGS {
        return Err(s3_error!(InvalidTag, "an object has at most {MOST_TAGS} tags"));
    }
    Ok(tags)
}

impl Backend {
    pub(super) async fn tags(
        &self,
        req: S3Request<GetObjectTaggingInput>,
    ) -> S3Result<S3Response<GetObjectTaggingOutput>> {
        refuse_version(req.input.version_id.as_deref())?;
        let object = self.buckets.find(&req.input.bucket, &req.input.key).await.map_err(answer)?;
        let tag = |(key, value)| Tag { key: Some(key), value: Some(value) };
        let tag_set = object.headers.tags.into_iter().map(tag).collect();
        Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id: None }))
    }

    pub(super) async fn set_tags(
        &self,
        req: S3Request<PutObjectTaggingInput>,
    ) -> S3Result<S3Response<PutObjectTaggingOutput>> {
        refuse_version(req.input.version_id.as_deref())?;
        let pair = |tag: Tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default());
        let tags = checked(req.input.tagging.tag_set.into_iter().map(pair))?;
        self.store_tags(&req.input.bucket, &req.input.key, tags).await?;
        Ok(S3Response::new(PutObjectTaggingOutput::default()))
    }

    pub(super) async fn clear_tags(
        &self,
        req: S3Request<DeleteObjectTaggingInput>,
    ) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
        refuse_version(req.input.version_id.as_deref())?;
        self.store_tags(&req.input.bucket, &req.input.key, BTreeMap::new()).await?;
        Ok(S3Response::new(DeleteObjectTaggingOutput::default()))
    }

    async fn store_tags(&self, bucket: &str, key: &str, tags: BTreeMap<String, String>) -> S3Result<()> {
        let object = self.buckets.find(bucket, key).await.map_err(answer)?;
        let mut headers = object.headers.clone();
        headers.tags = tags;
        if self.buckets.set_headers(bucket, &object, headers).await.map_err(answer)? {
            return Ok(());
        }
        Err(s3_error!(OperationAborted, "the object was replaced at the same time"))
    }
}
