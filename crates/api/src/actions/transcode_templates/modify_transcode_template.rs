//! `ModifyTranscodeTemplate`: changes what the request names and nothing else.
//!
//! The result is checked as a new template would be. Tasks accepted before keep the parameters they were accepted
//! with.

use mps_wire::ApiError;
use mps_wire::types::{ModifyTranscodeTemplateRequest, ModifyTranscodeTemplateResponse};

use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::templates;

/// Changes a template.
pub(super) struct ModifyTranscodeTemplate;

impl Action for ModifyTranscodeTemplate {
    const NAME: &'static str = "ModifyTranscodeTemplate";
    type Request = ModifyTranscodeTemplateRequest;
    type Response = ModifyTranscodeTemplateResponse;

    async fn handle(
        app: &App,
        call: Call<ModifyTranscodeTemplateRequest>,
    ) -> Result<ModifyTranscodeTemplateResponse, ApiError> {
        templates::modify(app, call.caller.account, super::FAMILY, call.body).await?;
        Ok(ModifyTranscodeTemplateResponse::default())
    }
}
