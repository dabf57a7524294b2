//! `ModifyAsrHotwords`: changes what the request names; the type of a library stays.

use mps_media::templates::asr_hotwords as rules;
use mps_store::{Lane, templates as rows};
use mps_wire::ApiError;
use mps_wire::types::{ModifyAsrHotwordsRequest, ModifyAsrHotwordsResponse};

use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::error;

/// Changes a library.
pub(super) struct ModifyAsrHotwords;

impl Action for ModifyAsrHotwords {
    const NAME: &'static str = "ModifyAsrHotwords";
    type Request = ModifyAsrHotwordsRequest;
    type Response = ModifyAsrHotwordsResponse;

    async fn handle(
        app: &App,
        call: Call<ModifyAsrHotwordsRequest>,
    ) -> Result<ModifyAsrHotwordsResponse, ApiError> {
        let id = call.request.hotwords_id.unwrap_or_default();
        let number = rules::number(&id).ok_or_else(|| rules::absent(&id))?;
        let (account, now, request) = (call.caller.account, app.clock.now_ms(), call.body);
        let write = app.store.write_in(Lane::Accept, move |tx| {
            Box::pin(async move {
                let Some(row) = rows::get(tx, account, rules::STORED_AS, number).await? else {
                    return Ok(Err(rules::absent(&id)));
                };
                let (name, body) = match rules::modify(&row.name, &row.body, &request) {
                    Ok(changed) => changed,
                    Err(refused) => return Ok(Err(refused)),
                };
                rows::update(tx, account, rules::STORED_AS, number, &name, &body, now).await?;
                Ok(Ok(()))
            })
        });
        write.await.map_err(error::answer)??;
        Ok(ModifyAsrHotwordsResponse::default())
    }
}
