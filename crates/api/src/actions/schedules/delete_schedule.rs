//! `DeleteSchedule`: removes an orchestration, enabled or not. Tasks on their way are not touched.

use mps_media::schedule::STORED_AS;
use mps_store::{Lane, templates as rows};
use mps_wire::ApiError;
use mps_wire::types::{DeleteScheduleRequest, DeleteScheduleResponse};

use super::{absent, own};
use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::error;

/// Removes an orchestration.
pub(super) struct DeleteSchedule;

impl Action for DeleteSchedule {
    const NAME: &'static str = "DeleteSchedule";
    type Request = DeleteScheduleRequest;
    type Response = DeleteScheduleResponse;

    async fn handle(
        app: &App,
        call: Call<DeleteScheduleRequest>,
    ) -> Result<DeleteScheduleResponse, ApiError> {
        let (id, account) = (own(call.request.schedule_id)?, call.caller.account);
        let write = app.store.write_in(Lane::Accept, move |tx| {
            Box::pin(async move { rows::delete(tx, account, STORED_AS, id).await })
        });
        let was_there = write.await.map_err(error::answer)?;
        if was_there { Ok(DeleteScheduleResponse::default()) } else { Err(absent(id)) }
    }
}
