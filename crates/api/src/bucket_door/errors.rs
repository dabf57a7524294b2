//! From the house's errors to those of S3: one table.

use mps_core::{Error, Kind};
use s3s::{S3Error, S3ErrorCode, s3_error};

/// The S3 error for one of the house.
#[expect(clippy::needless_pass_by_value, reason = "errors end here")]
pub(super) fn answer(error: Error) -> S3Error {
    let code = error.context().iter().find(|(name, _)| *name == "code").map_or("", |(_, code)| code.as_str());
    let code = match code {
        "NoSuchKey" => S3ErrorCode::NoSuchKey,
        "NoSuchBucket" => S3ErrorCode::NoSuchBucket,
        "NoSuchUpload" => S3ErrorCode::NoSuchUpload,
        "PreconditionFailed" => S3ErrorCode::PreconditionFailed,
        "InvalidRange" => S3ErrorCode::InvalidRange,
        "BucketNotEmpty" => S3ErrorCode::BucketNotEmpty,
        "InvalidBucketName" => S3ErrorCode::InvalidBucketName,
        "KeyTooLong" => S3ErrorCode::KeyTooLongError,
        "InvalidKey" => S3ErrorCode::InvalidArgument,
        "InvalidPart" => S3ErrorCode::InvalidPart,
        "InvalidPartOrder" => S3ErrorCode::InvalidPartOrder,
        "EntityTooSmall" => S3ErrorCode::EntityTooSmall,
        "EntityTooLarge" => S3ErrorCode::EntityTooLarge,
        "MalformedXML" => S3ErrorCode::MalformedXML,
        "IncompleteBody" => S3ErrorCode::IncompleteBody,
        "StoreBusy" => S3ErrorCode::SlowDown,
        _ => match error.kind() {
            Kind::NotFound => S3ErrorCode::NoSuchKey,
            Kind::InvalidInput => S3ErrorCode::InvalidArgument,
            Kind::Conflict => S3ErrorCode::OperationAborted,
            Kind::Denied => S3ErrorCode::AccessDenied,
            Kind::Unsupported => S3ErrorCode::NotImplemented,
            Kind::Unavailable | Kind::Timeout | Kind::Limit => S3ErrorCode::ServiceUnavailable,
            Kind::Cancelled | Kind::LostLease | Kind::Internal => S3ErrorCode::InternalError,
        },
    };
    if matches!(code, S3ErrorCode::InternalError | S3ErrorCode::ServiceUnavailable) {
        tracing::error!(error = error.chain(), "a request to a bucket failed");
        return S3Error::with_message(code, "the request failed on the server; it may be tried again");
    }
    S3Error::with_message(code, error.message().to_owned())
}

/// A feature of S3 that this endpoint does not have.
pub(super) fn not_built(what: &str) -> S3Error {
    s3_error!(NotImplemented, "{what} is not supported here")
}
