//! The checks of a whole orchestration, made or changed.

use mps_media::features::item::check_output_dir;
use mps_media::names::check_directory;
use mps_media::schedule::Formats;
use mps_wire::types::{
    CosFileUploadTrigger, CosInputInfo, CosOutputStorage, MediaInputInfo, TaskNotifyConfig,
    TaskOutputStorage, WorkflowTrigger,
};
use mps_wire::{ApiError, codes};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::actions::media::process_media::{Place, source_name};
use crate::actions::media::{items, notify};
use crate::app::App;
use crate::storage;

/// Checks `body` as a task of it would be checked.
pub(super) async fn check(app: &App, account: i64, body: &Value) -> Result<(), ApiError> {
    let trigger: WorkflowTrigger = member(body, "Trigger")?
        .ok_or_else(|| codes::missing_parameter("the parameter `Trigger` is required"))?;
    let cos = trigger_bucket(app, account, &trigger).await?;
    let inherited = TaskOutputStorage {
        r#type: Some("COS".to_owned()),
        cos_output_storage: Some(CosOutputStorage { bucket: cos.bucket.clone(), region: cos.region.clone() }),
        ..TaskOutputStorage::default()
    };
    let own: Option<TaskOutputStorage> = member(body, "OutputStorage")?;
    let storage = storage::check(app, account, "OutputStorage", own.as_ref(), Some(&inherited)).await?;
    let directory = body["OutputDir"].as_str().filter(|dir| !dir.is_empty());
    if let Some(directory) = directory {
        check_output_dir(directory)?;
    }
    let config: Option<TaskNotifyConfig> = member(body, "TaskNotifyConfig")?;
    notify::check(app, config.as_ref(), body.get("TaskNotifyConfig"))?;
    let input = MediaInputInfo {
        r#type: Some("COS".to_owned()),
        cos_input_info: Some(CosInputInfo {
            bucket: cos.bucket,
            region: cos.region,
            object: Some(format!("{}upload.mp4", cos.dir.unwrap_or_default().trim_start_matches('/'))),
        }),
        ..MediaInputInfo::default()
    };
    let place = Place {
        source: source_name(&input),
        input,
        directory: directory.map(str::to_owned),
        storage: Some(storage),
    };
    items::of_graph(app, account, &body["Activities"], &place).await.map(drop)
}

async fn trigger_bucket(
    app: &App,
    account: i64,
    trigger: &WorkflowTrigger,
) -> Result<CosFileUploadTrigger, ApiError> {
    const HERE: &str = "Trigger.CosFileUploadTrigger";
    match trigger.r#type.as_deref().unwrap_or_default() {
        "CosFileUpload" => {}
        "AwsS3FileUpload" => {
            return Err(codes::unsupported_operation(
                "`Trigger.Type` AwsS3FileUpload is not supported by this server; use CosFileUpload",
            ));
        }
        "" => return Err(codes::missing_parameter("`Trigger.Type` is required")),
        other => {
            let told = format!("`Trigger.Type` is CosFileUpload or AwsS3FileUpload, not {other:?}");
            return Err(codes::invalid_parameter_value(told));
        }
    }
    let cos = trigger.cos_file_upload_trigger.clone();
    let mut cos =
        cos.ok_or_else(|| codes::missing_parameter(format!("`{HERE}` is required for this type")))?;
    let (bucket, region) = storage::cos_bucket(
        app,
        account,
        HERE,
        cos.bucket.as_deref().unwrap_or_default(),
        cos.region.as_deref().unwrap_or_default(),
    )
    .await?;
    if !app.buckets.is_local(&bucket).await? {
        return Err(codes::unsupported_operation(format!(
            "`{HERE}.Bucket`: uploads to {bucket:?} are not watched yet, as it does not lie on this server"
        )));
    }
    if let Some(dir) = cos.dir.as_deref().filter(|dir| !dir.is_empty()) {
        check_directory(dir)
            .map_err(|error| codes::invalid_parameter_value(format!("`{HERE}.Dir`: {}", error.message())))?;
    }
    Formats::read(&format!("{HERE}.Formats"), cos.formats.as_deref().unwrap_or_default())?;
    (cos.bucket, cos.region) = (Some(bucket), Some(region));
    Ok(cos)
}

fn member<T: DeserializeOwned>(body: &Value, name: &str) -> Result<Option<T>, ApiError> {
    match &body[name] {
        Value::Null => Ok(None),
        value => {
            T::deserialize(value).map(Some).map_err(|e| codes::invalid_parameter(format!("`{name}`: {e}")))
        }
    }
}

/// Members of a request that make up an orchestration.
pub(super) const MEMBERS: [&str; 5] =
    ["Trigger", "Activities", "OutputStorage", "OutputDir", "TaskNotifyConfig"];
