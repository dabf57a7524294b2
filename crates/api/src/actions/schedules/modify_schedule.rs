//! `ModifySchedule`: replaces the members that the request names, the activities as a whole. Tasks on their way are
//! not touched.

use mps_media::schedule::{STORED_AS, check_name};
use mps_store::{Lane, templates as rows};
use mps_wire::types::{ModifyScheduleRequest, ModifyScheduleResponse};
use mps_wire::{ApiError, Refused};
use serde_json::Value;

use super::check::{MEMBERS, check};
use super::create_schedule::taken;
use super::{STATUS, absent, own};
use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::error;

/// Changes an orchestration.
pub(super) struct ModifySchedule;

impl Action for ModifySchedule {
    const NAME: &'static str = "ModifySchedule";
    type Request = ModifyScheduleRequest;
    type Response = ModifyScheduleResponse;

    fn refused() -> &'static [Refused] {
        &super::REFUSED
    }

    async fn handle(
        app: &App,
        call: Call<ModifyScheduleRequest>,
    ) -> Result<ModifyScheduleResponse, ApiError> {
        let (id, account, now) = (own(call.request.schedule_id)?, call.caller.account, app.clock.now_ms());
        if let Some(name) = &call.request.schedule_name {
            check_name(name)?;
        }
        let read = app.store.read(|tx| Box::pin(async move { rows::get(tx, account, STORED_AS, id).await }));
        let before = read.await.map_err(error::answer)?.ok_or_else(|| absent(id))?;
        let mut body = before.body;
        for member in MEMBERS {
            if let Some(value) = call.body.get(member) {
                body[member] = value.clone();
            }
        }
        check(app, account, &body).await?;
        let name = call.request.schedule_name;
        let write = app.store.write_in(Lane::Accept, move |tx| {
            Box::pin(async move { store(tx, account, id, name, body, now).await })
        });
        write.await.map_err(error::answer)??;
        Ok(ModifyScheduleResponse::default())
    }
}

async fn store(
    tx: &mut mps_store::Tx<'_>,
    account: i64,
    id: i64,
    name: Option<String>,
    mut body: Value,
    now_ms: i64,
) -> mps_core::Result<Result<(), ApiError>> {
    let Some(row) = rows::get(tx, account, STORED_AS, id).await? else { return Ok(Err(absent(id))) };
    // It may have been enabled or disabled meanwhile.
    body[STATUS] = row.body[STATUS].clone();
    let name = name.unwrap_or(row.name);
    let others = rows::names(tx, account, STORED_AS).await?;
    if others.iter().any(|(other, number)| *other == name && *number != id) {
        return Ok(Err(taken(&name)));
    }
    rows::update(tx, account, STORED_AS, id, &name, &body, now_ms).await?;
    Ok(Ok(()))
}
