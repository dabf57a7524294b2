//! `ModifyWordSample`: changes the usages of a word, or its tags.

use mps_media::templates::word_samples as rules;
use mps_store::{Lane, templates as rows};
use mps_wire::ApiError;
use mps_wire::types::{ModifyWordSampleRequest, ModifyWordSampleResponse};

use super::held;
use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::error;

/// Changes a word.
pub(super) struct ModifyWordSample;

impl Action for ModifyWordSample {
    const NAME: &'static str = "ModifyWordSample";
    type Request = ModifyWordSampleRequest;
    type Response = ModifyWordSampleResponse;

    async fn handle(
        app: &App,
        call: Call<ModifyWordSampleRequest>,
    ) -> Result<ModifyWordSampleResponse, ApiError> {
        rules::check_modify(&call.body)?;
        let keyword = call.request.keyword.unwrap_or_default();
        let (account, now, request) = (call.caller.account, app.clock.now_ms(), call.body);
        let write = app.store.write_in(Lane::Accept, move |tx| {
            Box::pin(async move {
                let id = held(tx, account).await?.remove(&keyword).unwrap_or_default();
                let Some(row) = rows::get(tx, account, rules::STORED_AS, id).await? else {
                    return Ok(Err(rules::absent(&keyword)));
                };
                let body = match rules::modify(&row.body, &request) {
                    Ok(body) => body,
                    Err(refused) => return Ok(Err(refused)),
                };
                rows::update(tx, account, rules::STORED_AS, row.id, &keyword, &body, now).await?;
                Ok(Ok(()))
            })
        });
        write.await.map_err(error::answer)??;
        Ok(ModifyWordSampleResponse::default())
    }
}
