//! `ProcessMedia`: one medium, several things to be done with it, one task.
//!
//! Everything that can be known to be wrong is refused here and no task is made: names, ranges, templates,
//! buckets, codecs that this installation cannot write. Whether the source is there and is a medium is found
//! out by the task's first step, whose failure is the failure of the whole task.

use mps_core::Kind;
use mps_core::task::{NewStep, NewTask, TaskState};
use mps_media::features;
use mps_media::features::item::check_output_dir;
use mps_media::names::SourceName;
use mps_tasks::ListFilter;
use mps_wire::types::{MediaInputInfo, ProcessMediaRequest, ProcessMediaResponse, TaskOutputStorage};
use mps_wire::{ApiError, Refused, codes};
use serde_json::Value;

use super::session::{self, Session};
use super::{items, notify};
use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::{error, inputs, storage};

/// The kind of the task in its id and in events.
const TASK_KIND: &str = "WorkflowTask";
/// The kind of the step that finds out what the source is; the other steps wait for it.
pub(crate) const SOURCE_KIND: &str = "source";

const LATER: &str = "this feature is not built yet";
const ORCHESTRATION: &str = "orchestrations are not built yet";
const QUEUE: &str = "callbacks are sent to a URL only";
const VOD: &str = "there is no VOD service here";

/// Starts a task.
pub(super) struct ProcessMedia;

impl Action for ProcessMedia {
    const NAME: &'static str = "ProcessMedia";
    const REFUSED: &'static [Refused] = &REFUSED;
    type Request = ProcessMediaRequest;
    type Response = ProcessMediaResponse;

    async fn handle(app: &App, call: Call<ProcessMediaRequest>) -> Result<ProcessMediaResponse, ApiError> {
        let Call { caller, mut request, body } = call;
        let account = caller.account;
        let session = Session::check(request.session_id.take(), request.session_context.take())?;
        let priority = session::priority(request.tasks_priority)?;
        check_switches(&request)?;
        let notify = notify::check(app, request.task_notify_config.as_ref(), body.get("TaskNotifyConfig"))?;
        let sent = request.input_info.as_ref().ok_or_else(no_input)?;
        let input = inputs::check(app, account, "InputInfo", sent).await?;
        let place = place(app, account, &request, sent, &input).await?;
        let mut steps = vec![source_step(&input)?];
        steps.extend(items::steps(app, account, &body, &place).await?);
        if steps.len() == 1 {
            return Err(codes::missing_parameter(
                "the request names no task: set a list of `MediaProcessTask`, such as `TranscodeTaskSet`",
            ));
        }
        check_backlog(app, account).await?;
        let task = NewTask {
            account,
            kind: TASK_KIND.to_owned(),
            priority,
            session_id: session.id,
            session_context: session.context,
            request: body,
            notify,
            steps,
        };
        let accepted = app.engine.accept(task).await.map_err(refused_by_engine)?;
        Ok(ProcessMediaResponse { task_id: accepted.public_id })
    }
}

/// Where the outputs of a call go unless an item says otherwise.
pub(super) struct Place {
    /// The input, checked.
    pub(super) input: MediaInputInfo,
    /// The source's name, for the names of outputs.
    pub(super) source: SourceName,
    /// `OutputDir`; the source's directory when `None`.
    pub(super) directory: Option<String>,
    /// The complete storage; `None` when neither the call nor its input names one.
    pub(super) storage: Option<TaskOutputStorage>,
}

async fn place(
    app: &App,
    account: i64,
    request: &ProcessMediaRequest,
    sent: &MediaInputInfo,
    input: &MediaInputInfo,
) -> Result<Place, ApiError> {
    let inherited = storage::of_input(input, sent);
    let storage = match &request.output_storage {
        None => inherited,
        own => Some(storage::check(app, account, "OutputStorage", own.as_ref(), inherited.as_ref()).await?),
    };
    let directory = request.output_dir.clone().filter(|dir| !dir.is_empty());
    if let Some(directory) = &directory {
        check_output_dir(directory)?;
    }
    Ok(Place { input: input.clone(), source: source_name(input), directory, storage })
}

fn source_name(input: &MediaInputInfo) -> SourceName {
    let cos = input.cos_input_info.as_ref().and_then(|cos| cos.object.as_deref());
    let s3 = input.s3_input_info.as_ref().and_then(|s3| s3.s3_object.as_deref());
    match (cos.or(s3), input.url_input_info.as_ref().and_then(|url| url.url.as_deref())) {
        (Some(key), _) => SourceName::from_key(key),
        (None, url) => SourceName::from_url(url.unwrap_or_default()),
    }
}

fn source_step(input: &MediaInputInfo) -> Result<NewStep, ApiError> {
    Ok(NewStep {
        kind: SOURCE_KIND.to_owned(),
        capability: 0,
        params: params(input)?,
        after: Vec::new(),
        is_gate: true,
        cost: 1,
    })
}

/// A step's parameters as JSON.
pub(super) fn params(value: &impl serde::Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(value).map_err(|e| {
        error::answer(mps_core::Error::internal("cannot write the parameters of a step").because(e))
    })
}

fn check_switches(request: &ProcessMediaRequest) -> Result<(), ApiError> {
    match request.task_type.as_deref().unwrap_or_default() {
        "" | "Online" => {}
        "Offline" => {
            let told = "the parameter `TaskType` Offline is not supported by this server: tasks run as soon as they can";
            return Err(codes::unsupported_operation(told));
        }
        other => {
            let told = format!("`TaskType` is Online or Offline, not {other:?}");
            return Err(codes::invalid_parameter_value(told));
        }
    }
    match request.skip_mate_data.unwrap_or(0) {
        0 | 1 => Ok(()),
        other => Err(codes::invalid_parameter_value(format!("`SkipMateData` is 0 or 1, not {other}"))),
    }
}

/// Counts what the account has waiting and running, where the operator limits it.
async fn check_backlog(app: &App, account: i64) -> Result<(), ApiError> {
    let at_most = app.limits.tasks_per_account;
    if at_most == 0 {
        return Ok(());
    }
    let mut open = 0;
    for state in [TaskState::Waiting, TaskState::Processing] {
        let filter = ListFilter { state: Some(state), limit: 1, ..ListFilter::default() };
        open += app.engine.list(account, &filter).await.map_err(error::answer)?.total.unsigned_abs();
    }
    if open < at_most {
        return Ok(());
    }
    Err(codes::limit_exceeded_create_task(format!(
        "account {account} has {open} tasks waiting or running already"
    )))
}

fn no_input() -> ApiError {
    codes::missing_parameter("the parameter `InputInfo` is required")
}

fn refused_by_engine(e: mps_core::Error) -> ApiError {
    if e.kind() == Kind::Conflict {
        let told = "a task with this `SessionId` was accepted within the last three days";
        return codes::invalid_parameter_value_session_id(told);
    }
    error::answer(e)
}

const fn refused(path: &'static str, why: &'static str) -> Refused {
    Refused { path, why }
}

const OWN_REFUSED: [Refused; 17] = [
    refused("InputInfo.VODInputInfo", VOD),
    refused("OutputStorage.VODOutputStorage", VOD),
    refused("ScheduleId", ORCHESTRATION),
    refused("Activities", ORCHESTRATION),
    refused("ResourceId", "resource groups are not built yet"),
    refused("AiContentReviewTask", LATER),
    refused("AiAnalysisTask", LATER),
    refused("AiRecognitionTask", LATER),
    refused("AiQualityControlTask", LATER),
    refused("SmartSubtitlesTask", LATER),
    refused("SmartEraseTask", LATER),
    refused("AIDubbingTask", LATER),
    refused("TaskNotifyConfig.CmqModel", QUEUE),
    refused("TaskNotifyConfig.CmqRegion", QUEUE),
    refused("TaskNotifyConfig.TopicName", QUEUE),
    refused("TaskNotifyConfig.QueueName", QUEUE),
    refused("TaskNotifyConfig.AwsSQS", QUEUE),
];

const COUNT: usize = {
    let (mut all, mut part) = (OWN_REFUSED.len(), 0);
    while part < features::REFUSED.len() {
        (all, part) = (all + features::REFUSED[part].len(), part + 1);
    }
    all
};

/// What this action and the features it starts refuse.
static REFUSED: [Refused; COUNT] = {
    let mut all = [refused("", ""); COUNT];
    let mut at = 0;
    while at < OWN_REFUSED.len() {
        all[at] = OWN_REFUSED[at];
        at += 1;
    }
    let (mut part, mut nth) = (0, 0);
    while at < COUNT {
        if nth == features::REFUSED[part].len() {
            (part, nth) = (part + 1, 0);
            continue;
        }
        all[at] = features::REFUSED[part][nth];
        (nth, at) = (nth + 1, at + 1);
    }
    all
};
