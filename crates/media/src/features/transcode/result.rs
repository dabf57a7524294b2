//! What a transcode made, and how the caller is told.

use mps_core::media_info::MediaInfo;
use mps_core::task::{Failure, Step, StepState};
use mps_wire::types::{
    MediaProcessTaskTranscodeResult, MediaTranscodeItem, NumberFormat, TaskOutputStorage, TranscodeTaskInput,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::params::StepParams;
use super::words::Container;
use crate::answer::metadata;
use crate::features::outcome::{PLAYLIST_FORMAT, outcome};

/// What a worker stores as the result of a step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StepResult {
    /// Key of the file that was asked for, beginning with `/`.
    pub path: String,
    /// Bytes of all its objects together.
    pub size_bytes: u64,
    /// MD5 of the file that was asked for, in hex: of the playlist where there is one.
    pub md5: String,
    /// What the probe told of the output; of a playlist, the file behind it.
    pub info: MediaInfo,
    /// Length of a playlist in microseconds; 0 where the probe's length counts.
    pub playlist_duration_us: i64,
    /// Number of objects.
    pub objects: u32,
}

impl StepResult {
    fn item(&self, step: &StepParams) -> MediaTranscodeItem {
        let meta = metadata::describe(&self.info);
        let is_playlist = step.params.container == Container::Hls;
        let duration = if self.playlist_duration_us > 0 {
            self.playlist_duration_us as f64 / 1e6
        } else {
            meta.duration
        };
        MediaTranscodeItem {
            output_storage: storage(&step.storage),
            path: self.path.clone(),
            definition: step.definition,
            bitrate: meta.bitrate,
            height: meta.height,
            width: meta.width,
            size: i64::try_from(self.size_bytes).unwrap_or(i64::MAX),
            duration,
            container: if is_playlist { PLAYLIST_FORMAT.to_owned() } else { meta.container },
            md5: self.md5.clone(),
            audio_stream_set: meta.audio_stream_set,
            video_stream_set: meta.video_stream_set,
            ..MediaTranscodeItem::default()
        }
    }
}

fn storage(value: &Value) -> Option<TaskOutputStorage> {
    if value.is_null() { None } else { serde_json::from_value(value.clone()).ok() }
}

/// The answer for one item: `item` as it came, its step if there is one, and why the whole task failed.
pub fn to_wire(
    item: &Value,
    step: Option<&Step>,
    task_failure: Option<&Failure>,
) -> MediaProcessTaskTranscodeResult {
    let params: Option<StepParams> = step.and_then(|s| serde_json::from_value(s.params.clone()).ok());
    let told = outcome(step, task_failure);
    let result = step.filter(|step| step.state == StepState::Succeeded);
    let result: Option<StepResult> = result
        .map(|s| s.result.as_ref().and_then(|r| serde_json::from_value(r.clone()).ok()).unwrap_or_default());
    MediaProcessTaskTranscodeResult {
        status: told.status.to_owned(),
        err_code: told.err_code,
        err_code_ext: told.err_code_ext,
        message: told.message,
        progress: i64::from(told.progress),
        input: Some(input(item, params.as_ref())),
        output: params.as_ref().zip(result).map(|(params, result)| result.item(params)),
    }
}

/// The item after defaults.
fn input(item: &Value, params: Option<&StepParams>) -> TranscodeTaskInput {
    let mut input: TranscodeTaskInput = serde_json::from_value(item.clone()).unwrap_or_default();
    if let Some(params) = params {
        if input.output_storage.is_none() {
            input.output_storage = storage(&params.storage);
        }
        let number = &params.naming.number;
        input.object_number_format = Some(NumberFormat {
            initial_value: Some(number.initial),
            increment: Some(number.increment),
            min_length: Some(number.min_length),
            place_holder: Some(number.placeholder.clone()),
        });
        input.output_object_path = Some(params.naming.object.clone());
        input.segment_object_name = Some(params.naming.segment.clone());
    }
    input
}
