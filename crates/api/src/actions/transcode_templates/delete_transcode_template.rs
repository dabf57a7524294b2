//! `DeleteTranscodeTemplate`: removes a template of the account's own.

use mps_wire::ApiError;
use mps_wire::types::{DeleteTranscodeTemplateRequest, DeleteTranscodeTemplateResponse};

use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::templates;

/// Removes a template.
pub(super) struct DeleteTranscodeTemplate;

impl Action for DeleteTranscodeTemplate {
    const NAME: &'static str = "DeleteTranscodeTemplate";
    type Request = DeleteTranscodeTemplateRequest;
    type Response = DeleteTranscodeTemplateResponse;

    async fn handle(
        app: &App,
        call: Call<DeleteTranscodeTemplateRequest>,
    ) -> Result<DeleteTranscodeTemplateResponse, ApiError> {
        let id = call.request.definition.unwrap_or_default();
        templates::delete(app, call.caller.account, super::FAMILY, id).await?;
        Ok(DeleteTranscodeTemplateResponse::default())
    }
}
