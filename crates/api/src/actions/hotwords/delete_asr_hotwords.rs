//! `DeleteAsrHotwords`: removes a library that no template of subtitles names.

use mps_media::templates::asr_hotwords as rules;
use mps_store::{Lane, templates as rows};
use mps_wire::types::{DeleteAsrHotwordsRequest, DeleteAsrHotwordsResponse};
use mps_wire::{ApiError, codes};

use super::{in_use, uses};
use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::error;

/// Removes a library.
pub(super) struct DeleteAsrHotwords;

impl Action for DeleteAsrHotwords {
    const NAME: &'static str = "DeleteAsrHotwords";
    type Request = DeleteAsrHotwordsRequest;
    type Response = DeleteAsrHotwordsResponse;

    async fn handle(
        app: &App,
        call: Call<DeleteAsrHotwordsRequest>,
    ) -> Result<DeleteAsrHotwordsResponse, ApiError> {
        let id = call.request.hotwords_id.unwrap_or_default();
        let number = rules::number(&id).ok_or_else(|| rules::absent(&id))?;
        let account = call.caller.account;
        let write = app.store.write_in(Lane::Accept, move |tx| {
            Box::pin(async move {
                let uses = uses(&in_use(tx, account).await?, number);
                if uses > 0 {
                    let told = format!("the hotword library {id} is in use by {uses} subtitle templates");
                    return Ok(Err(codes::resource_in_use(told)));
                }
                let was_there = rows::delete(tx, account, rules::STORED_AS, number).await?;
                Ok(if was_there { Ok(()) } else { Err(rules::absent(&id)) })
            })
        });
        write.await.map_err(error::answer)??;
        Ok(DeleteAsrHotwordsResponse::default())
    }
}
