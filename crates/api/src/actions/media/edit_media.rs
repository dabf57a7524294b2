//! `EditMedia`: several media become one, one task.
//!
//! Everything that can be known to be wrong without looking into the media is refused here and no task is made. Their
//! lengths are not known, so what only follows from them, such as elements that overlap, fails the task.

use mps_core::task::{NewStep, NewTask};
use mps_media::answer::task::EDIT;
use mps_media::edit;
use mps_wire::types::{EditMediaFileInfo, EditMediaRequest, EditMediaResponse};
use mps_wire::{ApiError, Refused, codes};

use super::accept::{self, params};
use super::notify;
use super::process_media::source_name;
use super::session::{self, Session};
use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::{inputs, storage};

const VOD: &str = "there is no VOD service here";
const QUEUE: &str = "callbacks are sent to a URL only";

/// Starts an edit.
pub(super) struct EditMedia;

impl Action for EditMedia {
    const NAME: &'static str = "EditMedia";
    const REFUSED: &'static [Refused] = &[
        refused("FileInfos.InputInfo.VODInputInfo", VOD),
        refused("OutputStorage.VODOutputStorage", VOD),
        refused("ResourceId", "resource groups are not built yet"),
        refused("TaskNotifyConfig.CmqModel", QUEUE),
        refused("TaskNotifyConfig.CmqRegion", QUEUE),
        refused("TaskNotifyConfig.TopicName", QUEUE),
        refused("TaskNotifyConfig.QueueName", QUEUE),
        refused("TaskNotifyConfig.AwsSQS", QUEUE),
    ];
    type Request = EditMediaRequest;
    type Response = EditMediaResponse;

    async fn handle(app: &App, call: Call<EditMediaRequest>) -> Result<EditMediaResponse, ApiError> {
        let Call { caller, mut request, body } = call;
        let account = caller.account;
        let session = Session::check(request.session_id.take(), request.session_context.take())?;
        let priority = session::priority(request.tasks_priority)?;
        let notify = notify::check(app, request.task_notify_config.as_ref(), body.get("TaskNotifyConfig"))?;
        let checked = sources(app, account, &request).await?;
        let build = app.tools.wait(app.limits.tools_timeout).await?;
        let edit = edit::from_wire(&request, checked, &build)?;
        let step = NewStep {
            kind: edit::KIND.to_owned(),
            capability: 0,
            params: params(&edit)?,
            after: Vec::new(),
            is_gate: true,
            cost: edit::COST,
        };
        let task = NewTask {
            account,
            kind: EDIT.to_owned(),
            priority,
            session_id: session.id,
            session_context: session.context,
            request: body,
            notify,
            steps: vec![step],
        };
        Ok(EditMediaResponse { task_id: accept::accept(app, task, None).await? })
    }
}

/// The media and the storage, as checked.
async fn sources(app: &App, account: i64, request: &EditMediaRequest) -> Result<edit::Call, ApiError> {
    let files = request.file_infos.as_deref().unwrap_or_default();
    if files.is_empty() {
        return Err(codes::missing_parameter("the parameter `FileInfos` is required"));
    }
    if files.len() > edit::FILES {
        let told = format!("`FileInfos` has at most {} files, not {}", edit::FILES, files.len());
        return Err(codes::invalid_parameter_value(told));
    }
    let mut media = Vec::new();
    for (nth, EditMediaFileInfo { input_info, .. }) in files.iter().enumerate() {
        let path = format!("FileInfos.{nth}.InputInfo");
        let input = input_info
            .as_ref()
            .ok_or_else(|| codes::missing_parameter(format!("the parameter `{path}` is required")))?;
        media.push(inputs::check(app, account, &path, input).await?);
    }
    let none = || codes::missing_parameter("the parameter `OutputStorage` is required");
    let sent = request.output_storage.as_ref().ok_or_else(none)?;
    let out = storage::check(app, account, "OutputStorage", Some(sent), None).await?;
    Ok(edit::Call {
        source: media.first().map(source_name).unwrap_or_default(),
        inputs: media.iter().map(params).collect::<Result<_, _>>()?,
        storage: params(&out)?,
    })
}

const fn refused(path: &'static str, why: &'static str) -> Refused {
    Refused { path, why }
}
