//! Buckets: made, found, listed, removed; and the answers about them that have only one value here.

use mps_store::buckets::Created;
use s3s::dto::{
    Bucket, BucketLocationConstraint, CreateBucketInput, CreateBucketOutput, DeleteBucketInput,
    DeleteBucketOutput, GetBucketAclInput, GetBucketAclOutput, GetBucketLocationInput,
    GetBucketLocationOutput, GetBucketVersioningInput, GetBucketVersioningOutput, GetObjectAclInput,
    GetObjectAclOutput, Grant, Grantee, HeadBucketInput, HeadBucketOutput, ListBucketsInput,
    ListBucketsOutput, Permission, Type,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Backend;
use super::access::caller_of;
use super::errors::{answer, not_built};
use super::listing::owner;
use super::objects::timestamp;

impl Backend {
    pub(super) async fn make_bucket(
        &self,
        req: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        let account = caller_of(&req.extensions)?.account;
        let input = req.input;
        let is_own = |acl: &str| matches!(acl, "private" | "default");
        let grants = [&input.grant_full_control, &input.grant_read, &input.grant_read_acp];
        if input.acl.as_ref().is_some_and(|acl| !is_own(acl.as_str()))
            || grants.iter().any(|grant| grant.is_some())
            || input.grant_write.is_some()
            || input.grant_write_acp.is_some()
        {
            return Err(not_built("access for others than the owner"));
        }
        if input.object_lock_enabled_for_bucket == Some(true) {
            return Err(not_built("locking objects"));
        }
        let asked =
            input.create_bucket_configuration.as_ref().and_then(|asked| asked.location_constraint.as_ref());
        let region = match (asked, &req.region) {
            (Some(asked), _) => {
                let text = asked.as_str();
                let known = self.regions.resolve(text).map(str::to_owned);
                known.ok_or_else(|| s3_error!(InvalidLocationConstraint, "no region is called {text:?}"))?
            }
            // The region of a signature is often a client's default that means nothing here.
            (None, Some(told)) => {
                self.regions.resolve(told.as_str()).unwrap_or(self.regions.own()).to_owned()
            }
            (None, None) => self.regions.own().to_owned(),
        };
        match self.buckets.create_bucket(account, &input.bucket, &region).await.map_err(answer)? {
            Created::Made => {}
            Created::HadIt => return Err(s3_error!(BucketAlreadyOwnedByYou, "the bucket is there already")),
            Created::Taken => return Err(s3_error!(BucketAlreadyExists, "the name is taken")),
        }
        Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{}", input.bucket)) }))
    }

    pub(super) async fn remove_bucket(
        &self,
        req: S3Request<DeleteBucketInput>,
    ) -> S3Result<S3Response<DeleteBucketOutput>> {
        self.buckets.delete_bucket(&req.input.bucket).await.map_err(answer)?;
        Ok(S3Response::with_status(DeleteBucketOutput {}, http::StatusCode::NO_CONTENT))
    }

    pub(super) async fn show_bucket(
        &self,
        req: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        let bucket = self.buckets.find_bucket(&req.input.bucket).await.map_err(answer)?;
        Ok(S3Response::new(HeadBucketOutput {
            bucket_region: Some(bucket.region),
            ..HeadBucketOutput::default()
        }))
    }

    pub(super) async fn my_buckets(
        &self,
        req: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        let account = caller_of(&req.extensions)?.account;
        let prefix = req.input.prefix.unwrap_or_default();
        let wanted = |name: &str, region: &str| {
            name.starts_with(&prefix)
                && req.input.bucket_region.as_deref().is_none_or(|asked| asked == region)
        };
        let mut buckets = self.buckets.buckets_of(account).await.map_err(answer)?;
        buckets.retain(|bucket| wanted(&bucket.name, &bucket.region));
        let after = req.input.continuation_token.as_deref().unwrap_or_default();
        buckets.retain(|bucket| bucket.name.as_str() > after);
        let most = req.input.max_buckets.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        let next = (buckets.len() > most && most > 0).then(|| buckets[most - 1].name.clone());
        let shown = buckets.into_iter().take(most).map(|bucket| Bucket {
            bucket_region: Some(bucket.region),
            creation_date: Some(timestamp(bucket.created_ms)),
            name: Some(bucket.name),
        });
        Ok(S3Response::new(ListBucketsOutput {
            buckets: Some(shown.collect()),
            continuation_token: next,
            owner: Some(owner(account)),
            prefix: (!prefix.is_empty()).then_some(prefix),
        }))
    }

    pub(super) async fn location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        let bucket = self.buckets.find_bucket(&req.input.bucket).await.map_err(answer)?;
        let location_constraint = Some(BucketLocationConstraint::from(bucket.region));
        Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
    }

    pub(super) fn versioning(
        _req: &S3Request<GetBucketVersioningInput>,
    ) -> S3Response<GetBucketVersioningOutput> {
        S3Response::new(GetBucketVersioningOutput::default())
    }

    pub(super) fn bucket_acl(req: &S3Request<GetBucketAclInput>) -> S3Result<S3Response<GetBucketAclOutput>> {
        let account = caller_of(&req.extensions)?.account;
        Ok(S3Response::new(GetBucketAclOutput {
            grants: Some(vec![full(account)]),
            owner: Some(owner(account)),
        }))
    }

    pub(super) async fn object_acl(
        &self,
        req: S3Request<GetObjectAclInput>,
    ) -> S3Result<S3Response<GetObjectAclOutput>> {
        let account = caller_of(&req.extensions)?.account;
        self.buckets.find(&req.input.bucket, &req.input.key).await.map_err(answer)?;
        Ok(S3Response::new(GetObjectAclOutput {
            grants: Some(vec![full(account)]),
            owner: Some(owner(account)),
            request_charged: None,
        }))
    }
}

/// The one grant that everything here has.
fn full(account: i64) -> Grant {
    let grantee = Grantee {
        display_name: Some(account.to_string()),
        email_address: None,
        id: Some(account.to_string()),
        type_: Type::from_static(Type::CANONICAL_USER),
        uri: None,
    };
    Grant { grantee: Some(grantee), permission: Some(Permission::from_static(Permission::FULL_CONTROL)) }
}
