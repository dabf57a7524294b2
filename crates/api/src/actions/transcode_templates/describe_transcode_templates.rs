//! `DescribeTranscodeTemplates`: the system's templates and the account's own, filtered and paged.

use mps_wire::ApiError;
use mps_wire::types::DescribeTranscodeTemplatesRequest;
use serde_json::Value;

use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::templates;

/// Lists templates.
pub(super) struct DescribeTranscodeTemplates;

impl Action for DescribeTranscodeTemplates {
    const NAME: &'static str = "DescribeTranscodeTemplates";
    type Request = DescribeTranscodeTemplatesRequest;
    /// `DescribeTranscodeTemplatesResponse` as JSON: a list is the same work for all families.
    type Response = Value;

    async fn handle(app: &App, call: Call<DescribeTranscodeTemplatesRequest>) -> Result<Value, ApiError> {
        templates::page(app, call.caller.account, super::FAMILY, &call.body).await
    }
}
