//! `EnableSchedule`: from now on uploads that fit the trigger start the orchestration. Doing it twice is
//! no error.

use mps_wire::ApiError;
use mps_wire::types::{EnableScheduleRequest, EnableScheduleResponse};

use super::{ENABLED, set_status};
use crate::app::App;
use crate::dispatch::{Action, Call};

/// Lets an orchestration follow its trigger.
pub(super) struct EnableSchedule;

impl Action for EnableSchedule {
    const NAME: &'static str = "EnableSchedule";
    type Request = EnableScheduleRequest;
    type Response = EnableScheduleResponse;

    async fn handle(
        app: &App,
        call: Call<EnableScheduleRequest>,
    ) -> Result<EnableScheduleResponse, ApiError> {
        set_status(app, call.caller.account, call.request.schedule_id, ENABLED).await?;
        Ok(EnableScheduleResponse::default())
    }
}
