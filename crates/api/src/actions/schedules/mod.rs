//! Orchestrations: kept graphs of activities, started by hand or by an upload.

mod check;
mod create_schedule;
mod delete_schedule;
mod describe_schedules;
mod disable_schedule;
mod enable_schedule;
mod modify_schedule;

use std::sync::LazyLock;

use mps_media::features;
use mps_media::presets::schedules::all as presets;
use mps_media::schedule::STORED_AS;
use mps_store::{Lane, templates as rows};
use mps_wire::{ApiError, Refused, codes};
use serde_json::{Value, json};

use crate::app::App;
use crate::dispatch::Entry;
use crate::error;

pub(super) const ACTIONS: &[Entry] = &[
    Entry::of::<create_schedule::CreateSchedule>(),
    Entry::of::<modify_schedule::ModifySchedule>(),
    Entry::of::<delete_schedule::DeleteSchedule>(),
    Entry::of::<describe_schedules::DescribeSchedules>(),
    Entry::of::<enable_schedule::EnableSchedule>(),
    Entry::of::<disable_schedule::DisableSchedule>(),
];

/// Whether an orchestration follows its trigger.
const STATUS: &str = "Status";
const ENABLED: &str = "Enabled";
const DISABLED: &str = "Disabled";

/// What orchestrations refuse beside their activities.
const OWN_REFUSED: [Refused; 8] = {
    const QUEUE: &str = "callbacks are sent to a URL only";
    [
        Refused { path: "Trigger.AwsS3FileUploadTrigger", why: "uploads to AWS are not watched yet" },
        Refused { path: "OutputStorage.VODOutputStorage", why: "there is no VOD service here" },
        Refused { path: "ResourceId", why: "resource groups are not built yet" },
        Refused { path: "TaskNotifyConfig.CmqModel", why: QUEUE },
        Refused { path: "TaskNotifyConfig.CmqRegion", why: QUEUE },
        Refused { path: "TaskNotifyConfig.TopicName", why: QUEUE },
        Refused { path: "TaskNotifyConfig.QueueName", why: QUEUE },
        Refused { path: "TaskNotifyConfig.AwsSQS", why: QUEUE },
    ]
};

static REFUSED: LazyLock<Vec<Refused>> =
    LazyLock::new(|| OWN_REFUSED.into_iter().chain(refused_activities()).collect());

/// What activities refuse: what their features do, and those that are not built.
pub(super) fn refused_activities() -> Vec<Refused> {
    static ACTIVITIES: LazyLock<Vec<Refused>> = LazyLock::new(|| {
        const LATER: &str = "this feature is not built yet";
        let mut refused = Vec::new();
        for feature in features::ALL {
            let words = feature.words();
            let (from, to) = (
                format!("MediaProcessTask.{}.", words.list),
                format!("Activities.ActivityPara.{}.", words.member),
            );
            for one in features::REFUSED.iter().copied().flatten() {
                if let Some(rest) = one.path.strip_prefix(&from) {
                    // Made once for the life of the program.
                    refused.push(Refused { path: String::leak(format!("{to}{rest}")), why: one.why });
                }
            }
        }
        let unbuilt = [
            "Activities.ActivityPara.AiContentReviewTask",
            "Activities.ActivityPara.AiAnalysisTask",
            "Activities.ActivityPara.AiRecognitionTask",
            "Activities.ActivityPara.QualityControlTask",
            "Activities.ActivityPara.ExecRulesTask",
            "Activities.ActivityPara.SmartSubtitlesTask",
            "Activities.ActivityPara.SmartEraseTask",
            "Activities.ActivityPara.AIDubbingTask",
        ];
        refused.extend(unbuilt.map(|path| Refused { path, why: LATER }));
        refused
    });
    ACTIVITIES.clone()
}

fn absent(id: i64) -> ApiError {
    codes::resource_not_found(format!("`ScheduleId`: there is no orchestration {id}"))
}

/// The body of an orchestration, the system's or the account's own.
pub(super) async fn body(app: &App, account: i64, id: i64) -> Result<Value, ApiError> {
    if let Some(preset) = presets().into_iter().find(|preset| preset.definition == id) {
        return Ok(preset.body);
    }
    let read = app.store.read(|tx| Box::pin(async move { rows::get(tx, account, STORED_AS, id).await }));
    read.await.map_err(error::answer)?.map(|row| row.body).ok_or_else(|| absent(id))
}

/// The number in a request for one of the account's own; the system's cannot be changed.
fn own(id: Option<i64>) -> Result<i64, ApiError> {
    let id = id.ok_or_else(|| codes::missing_parameter("the parameter `ScheduleId` is required"))?;
    if presets().iter().any(|preset| preset.definition == id) {
        let told =
            format!("`ScheduleId`: {id} is the system's own, which has no trigger and cannot be changed");
        return Err(codes::invalid_parameter_value(told));
    }
    Ok(id)
}

/// Sets whether an orchestration follows its trigger; `check` may refuse its body.
async fn set_status(app: &App, account: i64, id: Option<i64>, status: &'static str) -> Result<(), ApiError> {
    let (id, now) = (own(id)?, app.clock.now_ms());
    let write = app.store.write_in(Lane::Accept, move |tx| {
        Box::pin(async move {
            let Some(mut row) = rows::get(tx, account, STORED_AS, id).await? else {
                return Ok(Err(absent(id)));
            };
            row.body[STATUS] = json!(status);
            rows::update(tx, account, STORED_AS, id, &row.name, &row.body, now).await?;
            Ok(Ok(()))
        })
    });
    write.await.map_err(error::answer)?
}
