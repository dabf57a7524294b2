//! `CreateAsrHotwords`: a library of hotwords, as a text or as a file.

use mps_media::templates::asr_hotwords as rules;
use mps_store::{Lane, templates as rows};
use mps_wire::types::{CreateAsrHotwordsRequest, CreateAsrHotwordsResponse};
use mps_wire::{ApiError, codes};

use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::error;

/// Makes a library.
pub(super) struct CreateAsrHotwords;

impl Action for CreateAsrHotwords {
    const NAME: &'static str = "CreateAsrHotwords";
    type Request = CreateAsrHotwordsRequest;
    type Response = CreateAsrHotwordsResponse;

    async fn handle(
        app: &App,
        call: Call<CreateAsrHotwordsRequest>,
    ) -> Result<CreateAsrHotwordsResponse, ApiError> {
        let (name, body) = rules::create(&call.body)?;
        let (account, now) = (call.caller.account, app.clock.now_ms());
        let write = app.store.write_in(Lane::Accept, move |tx| {
            Box::pin(async move {
                if rows::count(tx, account, rules::STORED_AS).await? >= rules::MAX_LIBRARIES {
                    let most = rules::MAX_LIBRARIES;
                    let told = format!("an account has at most {most} hotword libraries; delete some");
                    return Ok(Err(codes::limit_exceeded_too_much_hot_words(told)));
                }
                rows::create(tx, account, rules::STORED_AS, rules::FIRST, &name, &body, now).await.map(Ok)
            })
        });
        let number = write.await.map_err(error::answer)??;
        Ok(CreateAsrHotwordsResponse { hotwords_id: rules::id(number) })
    }
}
