//! `DisableSchedule`: uploads start the orchestration no more. Doing it twice is
//! no error.

use mps_wire::ApiError;
use mps_wire::types::{DisableScheduleRequest, DisableScheduleResponse};

use super::{DISABLED, set_status};
use crate::app::App;
use crate::dispatch::{Action, Call};

/// Lets an orchestration rest.
pub(super) struct DisableSchedule;

impl Action for DisableSchedule {
    const NAME: &'static str = "DisableSchedule";
    type Request = DisableScheduleRequest;
    type Response = DisableScheduleResponse;

    async fn handle(
        app: &App,
        call: Call<DisableScheduleRequest>,
    ) -> Result<DisableScheduleResponse, ApiError> {
        set_status(app, call.caller.account, call.request.schedule_id, DISABLED).await?;
        Ok(DisableScheduleResponse::default())
    }
}
