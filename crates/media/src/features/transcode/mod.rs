//! Transcoding: from a template, the call's own changes and a probe to one command line and named outputs.
//!
//! [`from_wire`] checks an item of the request when it comes; [`plan`](plan::plan) turns it into a command once the
//! source is known; [`to_wire`](result::to_wire) tells the caller what came out. What happens to time is told in
//! [`Clip`](crate::graph::Clip), [`picture`](crate::graph::picture), [`audio`] and [`keyframes`].

pub mod audio;
pub mod check;
mod from_wire;
mod head_tail;
pub mod keyframes;
pub mod params;
mod plan;
pub mod result;
pub mod support;
pub mod video;
pub mod words;

#[cfg(test)]
mod plan_tests;
#[cfg(test)]
pub(crate) mod testing;

use mps_core::task::{Failure, Step};
use mps_core::{Error, MediaInfo, Result};
use mps_wire::ApiError;
use serde::Deserialize;
use serde_json::Value;

pub(crate) use from_wire::forget_reset_values;
pub use from_wire::{OBJECT_VARIABLES, from_wire, params};
pub use params::{Params, StepParams};
pub use plan::{check_level, main_key, output_fps, plan};
pub(crate) use plan::{muxer_words, single_file};
pub use result::{StepResult, to_wire};
pub use support::REFUSED;

use super::added::Added;
use super::{Feature, Item, Made, Onward, Used, Words, params_value, stored, to_store};
use crate::plan::{Build, Plan};
use crate::templates::{self, Family};

/// Name of the steps that do this.
pub const KIND: &str = "transcode";

/// The feature.
#[derive(Debug, Clone, Copy)]
pub struct Transcode;

impl Feature for Transcode {
    fn words(&self) -> Words {
        Words {
            kind: KIND,
            list: "TranscodeTaskSet",
            result: "Transcode",
            member: "TranscodeTask",
            activity: "action-trans",
            cost: 10,
        }
    }

    fn family(&self) -> &'static dyn Family {
        &templates::transcode::Transcode
    }

    fn inputs(&self) -> &'static [(&'static str, &'static str)] {
        const RAW: &str = "RawParameter.SubtitleTemplate";
        const OVER: &str = "OverrideParameter.SubtitleTemplate";
        &[
            (RAW, "Path"),
            (RAW, "SubtitleFileInput"),
            (RAW, "FontFileInput"),
            (OVER, "Path"),
            (OVER, "SubtitleFileInput"),
            (OVER, "FontFileInput"),
            ("OverrideParameter.AddOnSubtitles", "Subtitle"),
            ("OverrideParameter.AddonAudioStream", ""),
            ("HeadTailParameter.HeadSet", ""),
            ("HeadTailParameter.TailSet", ""),
        ]
    }

    fn from_wire(&self, item: &Item<'_>, build: &Build) -> std::result::Result<Value, ApiError> {
        params_value(&from_wire(item, build)?)
    }

    fn plan(&self, params: &Value, info: &MediaInfo, task_id: &str, build: &Build) -> Result<Plan> {
        let step: StepParams = stored(params, KIND)?;
        if !(step.heads.is_empty() && step.tails.is_empty()) {
            return Err(Error::internal("a film was planned without those around it"));
        }
        plan(&step, info, task_id, build)
    }

    fn films(&self, params: &Value) -> Result<Vec<Added>> {
        let step: StepParams = stored(params, KIND)?;
        Ok(step.heads.into_iter().chain(step.tails).collect())
    }

    fn plan_joined(
        &self,
        params: &Value,
        info: &MediaInfo,
        films: &[MediaInfo],
        task_id: &str,
        build: &Build,
    ) -> Result<Plan> {
        head_tail::plan(&stored(params, KIND)?, info, films, task_id, build)
    }

    fn result(&self, _params: &Value, made: &Made<'_>) -> Result<Value> {
        let main = made.main()?;
        to_store(&StepResult {
            path: main.key.to_owned(),
            size_bytes: made.size_bytes(),
            md5: main.md5.to_owned(),
            info: made.info.clone(),
            playlist_duration_us: made.playlist_us,
            objects: made.objects.len() as u32,
        })
    }

    fn hands_on(&self, params: &Value) -> Onward {
        match StepParams::deserialize(params).map(|step| step.params.container) {
            Ok(words::Container::Hls) => Onward::Playlist,
            _ => Onward::Output,
        }
    }

    fn usage(&self, _params: &Value, made: &Made<'_>) -> Vec<Used> {
        let us = if made.playlist_us > 0 { made.playlist_us } else { made.info.duration_us };
        let item = match made.info.main_video() {
            Some(video) => format!("transcode.{}.{}p", video.codec, video.width.min(video.height)),
            None => "transcode.audio".to_owned(),
        };
        vec![Used { item, amount: us.div_euclid(1000), unit: "ms" }]
    }

    fn to_wire(&self, item: &Value, step: Option<&Step>, task_failure: Option<&Failure>) -> Value {
        serde_json::to_value(to_wire(item, step, task_failure)).unwrap_or(Value::Null)
    }
}
