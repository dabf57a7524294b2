//! `DeleteWordSamples`: removes words; if one of them is not there, none is removed.

use mps_media::templates::word_samples as rules;
use mps_store::{Lane, templates as rows};
use mps_wire::ApiError;
use mps_wire::types::{DeleteWordSamplesRequest, DeleteWordSamplesResponse};

use super::held;
use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::error;

/// Removes words.
pub(super) struct DeleteWordSamples;

impl Action for DeleteWordSamples {
    const NAME: &'static str = "DeleteWordSamples";
    type Request = DeleteWordSamplesRequest;
    type Response = DeleteWordSamplesResponse;

    async fn handle(
        app: &App,
        call: Call<DeleteWordSamplesRequest>,
    ) -> Result<DeleteWordSamplesResponse, ApiError> {
        rules::check_delete(&call.body)?;
        let keywords = call.request.keywords.unwrap_or_default();
        let account = call.caller.account;
        let write = app.store.write_in(Lane::Accept, move |tx| {
            Box::pin(async move {
                let held = held(tx, account).await?;
                if let Some(absent) = keywords.iter().find(|keyword| !held.contains_key(*keyword)) {
                    return Ok(Err(rules::absent(absent)));
                }
                for id in keywords.iter().filter_map(|keyword| held.get(keyword)) {
                    rows::delete(tx, account, rules::STORED_AS, *id).await?;
                }
                Ok(Ok(()))
            })
        });
        write.await.map_err(error::answer)??;
        Ok(DeleteWordSamplesResponse::default())
    }
}
