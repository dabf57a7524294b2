//! `DescribeSchedules`: the account's orchestrations, the newest first, and behind them the system's own.

use mps_media::answer::times::iso;
use mps_media::presets::schedules::all as presets;
use mps_media::schedule::{STORED_AS, graph};
use mps_store::templates as rows;
use mps_wire::types::{DescribeSchedulesRequest, DescribeSchedulesResponse, SchedulesInfo};
use mps_wire::{ApiError, codes, redact};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{DISABLED, ENABLED, STATUS};
use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::error;

const LIMIT: u64 = 10;
const LIMIT_AT_MOST: u64 = 100;
const IDS: usize = 100;

/// Shows orchestrations.
pub(super) struct DescribeSchedules;

impl Action for DescribeSchedules {
    const NAME: &'static str = "DescribeSchedules";
    type Request = DescribeSchedulesRequest;
    type Response = Value;

    async fn handle(app: &App, call: Call<DescribeSchedulesRequest>) -> Result<Value, ApiError> {
        let (account, filter) = (call.caller.account, Filter::read(call.request)?);
        let read = app.store.read(|tx| Box::pin(async move { rows::list(tx, account, STORED_AS).await }));
        let own = read.await.map_err(error::answer)?;
        let own = own.into_iter().rev().map(|row| {
            let times = [row.created_ms, row.updated_ms].map(|ms| iso(Some(ms)));
            info(row.id, &row.name, "Custom", times, &row.body)
        });
        let system = presets().into_iter().map(|preset| {
            let times = [preset.create_time, preset.update_time];
            info(preset.definition, &preset.name, "Preset", times, &preset.body)
        });
        let all: Vec<_> = own.chain(system).filter(|info| filter.passes(info)).collect();
        let answer = DescribeSchedulesResponse {
            total_count: all.len() as u64,
            schedule_info_set: all.into_iter().skip(filter.offset).take(filter.limit).collect(),
        };
        let mut answer = serde_json::to_value(&answer).map_err(|e| {
            error::answer(mps_core::Error::internal("cannot write a list of orchestrations").because(e))
        })?;
        redact(&mut answer);
        Ok(answer)
    }
}

struct Filter {
    ids: Option<Vec<i64>>,
    trigger: String,
    status: String,
    offset: usize,
    limit: usize,
}

impl Filter {
    fn read(request: DescribeSchedulesRequest) -> Result<Self, ApiError> {
        let ids = request.schedule_ids.filter(|ids| !ids.is_empty());
        if ids.as_ref().is_some_and(|ids| ids.len() > IDS) {
            return Err(codes::invalid_parameter_value(format!("`ScheduleIds` has at most {IDS} numbers")));
        }
        let limit = request.limit.unwrap_or(LIMIT);
        if !(1..=LIMIT_AT_MOST).contains(&limit) {
            let told = format!("`Limit` is 1 to {LIMIT_AT_MOST}, not {limit}");
            return Err(codes::invalid_parameter_value_limit(told));
        }
        Ok(Self {
            ids,
            trigger: word("TriggerType", request.trigger_type, &["CosFileUpload", "AwsS3FileUpload"])?,
            status: word("Status", request.status, &[ENABLED, DISABLED])?,
            offset: usize::try_from(request.offset.unwrap_or(0)).unwrap_or(usize::MAX),
            limit: limit as usize,
        })
    }

    fn passes(&self, info: &SchedulesInfo) -> bool {
        let trigger = info.trigger.as_ref().and_then(|trigger| trigger.r#type.as_deref()).unwrap_or_default();
        self.ids.as_ref().is_none_or(|ids| ids.contains(&info.schedule_id))
            && (self.trigger.is_empty() || self.trigger == trigger)
            && (self.status.is_empty() || self.status == info.status)
    }
}

fn word(name: &str, text: Option<String>, known: &[&str]) -> Result<String, ApiError> {
    let text = text.unwrap_or_default();
    if text.is_empty() || known.contains(&text.as_str()) {
        return Ok(text);
    }
    Err(codes::invalid_parameter_value(format!("`{name}` is {}, not {text:?}", known.join(" or "))))
}

fn info(id: i64, name: &str, kind: &str, times: [String; 2], body: &Value) -> SchedulesInfo {
    let [create_time, update_time] = times;
    let activities = graph::with_fronts(&body["Activities"]);
    SchedulesInfo {
        schedule_id: id,
        schedule_name: name.to_owned(),
        r#type: kind.to_owned(),
        status: body[STATUS].as_str().unwrap_or_default().to_owned(),
        trigger: member(body, "Trigger"),
        activities: activities.as_array().cloned().unwrap_or_default(),
        output_storage: member(body, "OutputStorage"),
        output_dir: body["OutputDir"].as_str().unwrap_or_default().to_owned(),
        task_notify_config: member(body, "TaskNotifyConfig"),
        create_time,
        update_time,
        ..SchedulesInfo::default()
    }
}

fn member<T: DeserializeOwned>(body: &Value, name: &str) -> Option<T> {
    T::deserialize(&body[name]).ok()
}
