//! `CreateTranscodeTemplate`: a transcode template of the account's own.
//!
//! The body is checked whole and kept as it was sent. What this installation cannot do yet is refused when a task
//! uses the template, so that templates can be moved here before everything they ask for is built.

use mps_wire::ApiError;
use mps_wire::types::{CreateTranscodeTemplateRequest, CreateTranscodeTemplateResponse};

use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::templates;

/// Makes a template.
pub(super) struct CreateTranscodeTemplate;

impl Action for CreateTranscodeTemplate {
    const NAME: &'static str = "CreateTranscodeTemplate";
    type Request = CreateTranscodeTemplateRequest;
    type Response = CreateTranscodeTemplateResponse;

    async fn handle(
        app: &App,
        call: Call<CreateTranscodeTemplateRequest>,
    ) -> Result<CreateTranscodeTemplateResponse, ApiError> {
        let definition = templates::create(app, call.caller.account, super::FAMILY, &call.body).await?;
        Ok(CreateTranscodeTemplateResponse { definition })
    }
}
