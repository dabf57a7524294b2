//! `[aws]`: S3-compatible stores and SQS outside of this server.

use crate::config::section::{Secret, section};

section! {
    /// S3-compatible stores outside of this server, for inputs and outputs of type `AWS-S3`.
    pub struct Aws {
        /// The S3 endpoint, as in AWS's own `AWS_ENDPOINT_URL_S3`. Absent: Amazon's, by region.
        s3_endpoint_url: Option<String> = None,
        /// The SQS endpoint, as in AWS's own `AWS_ENDPOINT_URL_SQS`. Absent: Amazon's, by region.
        sqs_endpoint_url: Option<String> = None,
        /// The key used when a request brings none.
        access_key_id: Option<String> = None,
        /// Its secret.
        secret_access_key: Option<Secret> = None,
    }
}
