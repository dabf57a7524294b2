//! Adaptive streams: one source in several sizes and rates under one manifest, HLS or MPEG-DASH:
//! `AdaptiveDynamicStreamingTaskSet`.
//!
//! Everything is made of one decode. Pictures of all streams begin and end with the same frames, and have key frames at
//! the same times; what is left out and where it is cut is told in [`ladder`], what the sizes are made of in [`graph`],
//! which files there are in [`layout`].

mod encryption;
mod from_wire;
mod graph;
mod ladder;
mod layout;
pub mod mix;
mod names;
mod outputs;
mod packaging;
mod params;
mod plan;
mod result;
pub mod streams;

#[cfg(test)]
mod tests;

use mps_core::task::{Failure, Step};
use mps_core::{MediaInfo, Result};
use mps_wire::{ApiError, Refused};
use serde_json::Value;

pub use params::StepParams;
pub use result::StepResult;

use super::{Feature, Item, Made, Onward, Used, Words, params_value, stored, to_store};
use crate::drm::Drm;
use crate::plan::{Build, Plan};
use crate::templates::{self, Family};

const LIST: &str = "AdaptiveDynamicStreamingTaskSet";
const KIND: &str = "adaptive_dynamic_streaming";

/// Members that are refused by name.
pub const REFUSED: &[Refused] = &[
    Refused {
        path: "MediaProcessTask.AdaptiveDynamicStreamingTaskSet.OutputStorage.VODOutputStorage",
        why: "there is no VOD service here",
    },
    Refused {
        path: "MediaProcessTask.AdaptiveDynamicStreamingTaskSet.BlindWatermark",
        why: "digital watermarks are not built yet",
    },
    Refused {
        path: "MediaProcessTask.AdaptiveDynamicStreamingTaskSet.StdExtInfo",
        why: "extra parameters of a vendor's own kind have no meaning here",
    },
];

/// The feature.
#[derive(Debug, Clone, Copy)]
pub struct AdaptiveDynamicStreaming;

impl Feature for AdaptiveDynamicStreaming {
    fn words(&self) -> Words {
        Words {
            kind: KIND,
            list: LIST,
            result: "AdaptiveDynamicStreaming",
            member: "AdaptiveDynamicStreamingTask",
            activity: "action-adaptive-substream",
            cost: 30,
        }
    }

    fn family(&self) -> &'static dyn Family {
        &templates::adaptive_dynamic_streaming::AdaptiveDynamicStreaming
    }

    fn inputs(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("AddOnSubtitles", "Subtitle"),
            ("AddOnAudios", "InputInfo"),
            ("SubtitleTemplate", "Path"),
            ("SubtitleTemplate", "SubtitleFileInput"),
            ("SubtitleTemplate", "FontFileInput"),
        ]
    }

    fn calls(&self) -> &'static [&'static str] {
        &["DrmInfo.SpekeDrm.KeyServerUrl"]
    }

    fn from_wire(&self, item: &Item<'_>, build: &Build) -> std::result::Result<Value, ApiError> {
        params_value(&from_wire::from_wire(item, build)?)
    }

    fn plan(&self, params: &Value, info: &MediaInfo, task_id: &str, build: &Build) -> Result<Plan> {
        plan::plan(&stored(params, KIND)?, info, task_id, build)
    }

    fn drm(&self, params: &Value) -> Result<Option<Drm>> {
        Ok(stored::<StepParams>(params, KIND)?.drm)
    }

    fn result(&self, _params: &Value, made: &Made<'_>) -> Result<Value> {
        to_store(&StepResult {
            path: made.main()?.key.to_owned(),
            size_bytes: made.size_bytes(),
            duration_us: made.playlist_us,
            objects: made.objects.len() as u32,
        })
    }

    fn hands_on(&self, _params: &Value) -> Onward {
        Onward::Playlist
    }

    fn usage(&self, _params: &Value, made: &Made<'_>) -> Vec<Used> {
        let items = made.facts["usage"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let amount = made.playlist_us.div_euclid(1000);
        items.map(|item| Used { item: item.to_owned(), amount, unit: "ms" }).collect()
    }

    fn to_wire(&self, item: &Value, step: Option<&Step>, task_failure: Option<&Failure>) -> Value {
        result::to_wire(item, step, task_failure)
    }
}
