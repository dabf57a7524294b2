//! `CreateSchedule`: keeps a graph of activities; its trigger sleeps until it is enabled.

use mps_media::schedule::{FIRST, MOST, STORED_AS, check_name};
use mps_store::{Lane, templates as rows};
use mps_wire::types::{CreateScheduleRequest, CreateScheduleResponse};
use mps_wire::{ApiError, Refused, codes};
use serde_json::json;

use super::check::{MEMBERS, check};
use super::{DISABLED, STATUS};
use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::error;

/// Makes an orchestration.
pub(super) struct CreateSchedule;

impl Action for CreateSchedule {
    const NAME: &'static str = "CreateSchedule";
    type Request = CreateScheduleRequest;
    type Response = CreateScheduleResponse;

    fn refused() -> &'static [Refused] {
        &super::REFUSED
    }

    async fn handle(
        app: &App,
        call: Call<CreateScheduleRequest>,
    ) -> Result<CreateScheduleResponse, ApiError> {
        let name = call.request.schedule_name.unwrap_or_default();
        check_name(&name)?;
        let mut body = json!({STATUS: DISABLED});
        for member in MEMBERS {
            if let Some(value) = call.body.get(member) {
                body[member] = value.clone();
            }
        }
        let (account, now) = (call.caller.account, app.clock.now_ms());
        check(app, account, &body).await?;
        let write = app.store.write_in(Lane::Accept, move |tx| {
            Box::pin(async move {
                let names = rows::names(tx, account, STORED_AS).await?;
                if names.len() >= MOST {
                    let told = format!("an account has at most {MOST} orchestrations; delete some");
                    return Ok(Err(codes::limit_exceeded_too_much_template(told)));
                }
                if names.iter().any(|(taken, _)| *taken == name) {
                    return Ok(Err(taken(&name)));
                }
                rows::create(tx, account, STORED_AS, FIRST, &name, &body, now).await.map(Ok)
            })
        });
        Ok(CreateScheduleResponse { schedule_id: write.await.map_err(error::answer)?? })
    }
}

/// The refusal of a name that another orchestration has.
pub(super) fn taken(name: &str) -> ApiError {
    codes::invalid_parameter_value_name(format!("`ScheduleName`: there is an orchestration {name:?} already"))
}
