//! `ProcessMedia`: one medium, several things to be done with it, one task.
//!
//! Everything that can be known to be wrong is refused here and no task is made: names, ranges, templates,
//! buckets, codecs that this installation cannot write. Whether the source is there and is a medium is found
//! out by the task's first step, whose failure is the failure of the whole task.

use std::sync::LazyLock;

use mps_core::task::{NewStep, NewTask};
use mps_media::answer::schedule::SCHEDULE;
use mps_media::answer::task::WORKFLOW;
use mps_media::features;
use mps_media::features::item::check_output_dir;
use mps_media::names::SourceName;
use mps_wire::types::{MediaInputInfo, ProcessMediaRequest, ProcessMediaResponse, TaskOutputStorage};
use mps_wire::{ApiError, Refused, codes};
use serde_json::Value;

use super::accept::{self, params};
use super::session::{self, Session};
use super::{items, notify, orchestration};
use crate::actions::schedules;
use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::{inputs, storage};

/// The kind of the step that finds out what the source is; the other steps wait for it.
pub(crate) const SOURCE_KIND: &str = "source";

const LATER: &str = "this feature is not built yet";
const QUEUE: &str = "callbacks are sent to a URL only";
const VOD: &str = "there is no VOD service here";

/// Starts a task.
pub(super) struct ProcessMedia;

impl Action for ProcessMedia {
    const NAME: &'static str = "ProcessMedia";
    type Request = ProcessMediaRequest;
    type Response = ProcessMediaResponse;

    fn refused() -> &'static [Refused] {
        &REFUSED
    }

    async fn handle(app: &App, call: Call<ProcessMediaRequest>) -> Result<ProcessMediaResponse, ApiError> {
        let Call { caller, request, body } = call;
        Ok(ProcessMediaResponse { task_id: submit(app, caller.account, request, body, None).await? })
    }
}

/// Makes a task of a request whose shape was checked, `once` if it has such a reason; its public id.
pub(crate) async fn submit(
    app: &App,
    account: i64,
    mut request: ProcessMediaRequest,
    mut body: Value,
    once: Option<String>,
) -> Result<String, ApiError> {
    let session = Session::check(request.session_id.take(), request.session_context.take())?;
    let priority = session::priority(request.tasks_priority)?;
    check_switches(&request)?;
    let orchestration = orchestration::asked(app, account, &body).await?;
    let notify = match (&orchestration, &request.task_notify_config) {
        (Some(orchestration), None) => {
            let (config, sent) = orchestration.notify();
            notify::check(app, config.as_ref(), sent)?
        }
        (_, own) => notify::check(app, own.as_ref(), body.get("TaskNotifyConfig"))?,
    };
    if let Some(orchestration) = &orchestration {
        orchestration.complete(&mut request);
    }
    let sent = request.input_info.as_ref().ok_or_else(no_input)?;
    let input = inputs::check(app, account, "InputInfo", sent).await?;
    let place = place(app, account, &request, sent, &input).await?;
    let mut steps = vec![source_step(&input)?];
    let kind = if let Some(orchestration) = &orchestration {
        steps.extend(items::of_graph(app, account, &orchestration.activities, &place).await?);
        body["Activities"] = orchestration.shown();
        SCHEDULE
    } else {
        steps.extend(items::steps(app, account, &body, &place).await?);
        WORKFLOW
    };
    if steps.len() == 1 {
        return Err(codes::missing_parameter(
            "the request names no task: set a list of `MediaProcessTask`, such as `TranscodeTaskSet`",
        ));
    }
    app.prober.expect(account, &input);
    let task = NewTask {
        account,
        kind: kind.to_owned(),
        priority,
        session_id: session.id,
        session_context: session.context,
        request: body,
        notify,
        steps,
    };
    accept::accept(app, task, once).await
}

/// Where the outputs of a call go unless an item says otherwise.
pub(in crate::actions) struct Place {
    /// The input, checked.
    pub(in crate::actions) input: MediaInputInfo,
    /// The source's name, for the names of outputs.
    pub(in crate::actions) source: SourceName,
    /// `OutputDir`; the source's directory when `None`.
    pub(in crate::actions) directory: Option<String>,
    /// The complete storage; `None` when neither the call nor its input names one.
    pub(in crate::actions) storage: Option<TaskOutputStorage>,
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

pub(in crate::actions) fn source_name(input: &MediaInputInfo) -> SourceName {
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

fn no_input() -> ApiError {
    codes::missing_parameter("the parameter `InputInfo` is required")
}

const fn refused(path: &'static str, why: &'static str) -> Refused {
    Refused { path, why }
}

const OWN_REFUSED: [Refused; 15] = [
    refused("InputInfo.VODInputInfo", VOD),
    refused("OutputStorage.VODOutputStorage", VOD),
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

/// What this action, the features it starts and the activities of a graph refuse.
static REFUSED: LazyLock<Vec<Refused>> = LazyLock::new(|| {
    let features = features::REFUSED.iter().copied().flatten().copied();
    OWN_REFUSED.into_iter().chain(features).chain(schedules::refused_activities()).collect()
});
