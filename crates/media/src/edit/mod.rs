//! Editing: several media become one, by joining stretches of them or by composing them on a canvas.
//!
//! An edit is a step of its own kind with inputs of its own. [`from_wire`] checks a request when it comes, [`plan`]
//! turns it into commands once every input was looked into, [`result`] keeps what came out.

mod compose;
mod from_wire;
mod join;
pub(crate) mod material;
mod output;
pub(crate) mod row;

use mps_core::media_info::MediaInfo;
use mps_core::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use compose::Compose;
pub use from_wire::{Call, FILES, from_wire};
pub use join::Join;
pub use output::Naming;

use crate::features::{Made, Used};
use crate::graph::Clip;
use crate::plan::{Build, Plan};

/// Name of the steps that do this.
pub const KIND: &str = "edit";
/// The weight of a step in the fair share.
pub const COST: u32 = 10;

/// All that a worker needs for one edit; stored with the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Params {
    /// The media, each the API's `MediaInputInfo` as checked.
    pub inputs: Vec<Value>,
    /// Where to: the API's `TaskOutputStorage` as checked.
    pub storage: Value,
    /// Under which name.
    pub naming: Naming,
    /// What.
    pub work: Work,
}

/// What is made of the media.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// A stretch of the only medium, its frames taken over as they are coded.
    Fast {
        /// The wrapping.
        container: crate::features::transcode::words::Container,
        /// The stretch.
        clip: Clip,
    },
    /// Stretches of all of them, one after the other.
    Join(Join),
    /// A picture and a mix of sound out of elements on tracks.
    Compose(Box<Compose>),
}

/// What a worker stores as the result of an edit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StepResult {
    /// Key of the file that was asked for, beginning with `/`.
    pub path: String,
    /// Bytes of all its objects together.
    pub size_bytes: u64,
    /// What the probe told of the output; of a playlist, the file behind it.
    pub info: MediaInfo,
    /// Length of a playlist in microseconds; 0 where the probe's length counts.
    pub playlist_duration_us: i64,
}

/// Params as stored.
///
/// # Errors
/// `Internal` when they are not those of an edit.
pub fn stored(params: &Value) -> Result<Params> {
    Params::deserialize(params).map_err(|e| Error::internal("the stored edit cannot be read").because(e))
}

/// What is to be done with media that hold `infos`; `task_id` is the public one.
///
/// # Errors
/// `InvalidInput` when the media do not suit, `Unsupported` when ffmpeg lacks a filter for them.
pub fn plan(params: &Params, infos: &[MediaInfo], task_id: &str, build: &Build) -> Result<Plan> {
    match &params.work {
        Work::Fast { container, clip } => join::fast(
            params,
            *container,
            *clip,
            infos.first().unwrap_or(&MediaInfo::default()),
            task_id,
            build,
        ),
        Work::Join(join) => join::plan(params, join, infos, task_id, build),
        Work::Compose(compose) => compose::plan(params, compose, infos, task_id, build),
    }
}

/// What is kept of what came out.
///
/// # Errors
/// `Internal` when the plan had no main output.
pub fn result(made: &Made<'_>) -> Result<Value> {
    let result = StepResult {
        path: made.main()?.key.to_owned(),
        size_bytes: made.size_bytes(),
        info: made.info.clone(),
        playlist_duration_us: made.playlist_us,
    };
    serde_json::to_value(result).map_err(|e| Error::internal("cannot store what came out").because(e))
}

/// What was used.
pub fn usage(params: &Params, made: &Made<'_>) -> Vec<Used> {
    let us = if made.playlist_us > 0 { made.playlist_us } else { made.info.duration_us };
    let item = match (&params.work, made.info.main_video()) {
        (Work::Fast { .. }, _) => "edit.remux".to_owned(),
        (_, Some(video)) => format!("edit.{}.{}p", video.codec, video.width.min(video.height)),
        (_, None) => "edit.audio".to_owned(),
    };
    vec![Used { item, amount: us.div_euclid(1000), unit: "ms" }]
}
