//! `CreateWordSamples`: words for recognition and review. A word that is there already gets the usages and tags of the
//! request.

use mps_media::templates::word_samples as rules;
use mps_store::{Lane, templates as rows};
use mps_wire::types::{CreateWordSamplesRequest, CreateWordSamplesResponse};
use mps_wire::{ApiError, codes};

use super::held;
use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::error;

/// Makes words.
pub(super) struct CreateWordSamples;

impl Action for CreateWordSamples {
    const NAME: &'static str = "CreateWordSamples";
    type Request = CreateWordSamplesRequest;
    type Response = CreateWordSamplesResponse;

    async fn handle(
        app: &App,
        call: Call<CreateWordSamplesRequest>,
    ) -> Result<CreateWordSamplesResponse, ApiError> {
        let samples = rules::create(&call.body)?;
        let (account, now) = (call.caller.account, app.clock.now_ms());
        let write = app.store.write_in(Lane::Accept, move |tx| {
            Box::pin(async move {
                let held = held(tx, account).await?;
                let new = samples.iter().filter(|sample| !held.contains_key(&sample.keyword)).count();
                if held.len() + new > rules::MAX_SAMPLES {
                    let told = format!("an account has at most {} words; delete some", rules::MAX_SAMPLES);
                    return Ok(Err(codes::resource_insufficient(told)));
                }
                let (family, first) = (rules::STORED_AS, rules::FIRST);
                for rules::Sample { keyword, body } in &samples {
                    match held.get(keyword) {
                        Some(id) => {
                            rows::update(tx, account, family, *id, keyword, body, now).await?;
                        }
                        None => {
                            rows::create(tx, account, family, first, keyword, body, now).await?;
                        }
                    }
                }
                Ok(Ok(()))
            })
        });
        write.await.map_err(error::answer)??;
        Ok(CreateWordSamplesResponse::default())
    }
}
