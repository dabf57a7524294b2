//! Transcoding, bound to its planner.

use mps_core::task::Task;
use mps_core::{Error, MediaInfo, Result};
use mps_media::features::transcode::{self, KIND, StepParams, StepResult};
use mps_media::plan::Build;
use mps_store::usage::Usage;
use serde_json::Value;
use std::sync::Arc;

use super::BuildCell;
use crate::feature::{Feature, Made, Wish};

/// The transcode feature.
pub(super) struct Transcode {
    build: BuildCell,
}

impl Transcode {
    pub(super) fn new(build: BuildCell) -> Self {
        Self { build }
    }

    fn build(&self) -> Result<Arc<Build>> {
        let known = self.build.borrow().clone();
        known.ok_or_else(|| Error::unavailable("the media tools are still being examined"))
    }
}

fn read(params: &Value) -> Result<StepParams> {
    serde_json::from_value(params.clone())
        .map_err(|e| Error::internal("the stored transcode cannot be read").because(e))
}

impl Feature for Transcode {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn plan(&self, task: &Task, params: &Value, info: &MediaInfo) -> Result<Wish> {
        let step = read(params)?;
        let plan = transcode::plan(&step, info, &task.public_id, &*self.build()?)?;
        let unreadable = |e| Error::internal("the stored output storage cannot be read").because(e);
        let storage = serde_json::from_value(step.storage).map_err(unreadable)?;
        Ok(Wish { plan, storage })
    }

    fn result(&self, _params: &Value, made: &Made<'_>) -> Result<Value> {
        let result = StepResult {
            path: made.key.to_owned(),
            size_bytes: made.size_bytes,
            md5: made.md5.to_owned(),
            info: made.info.clone(),
            playlist_duration_us: made.playlist_us,
            objects: made.objects,
        };
        serde_json::to_value(result).map_err(|e| Error::internal("cannot store what came out").because(e))
    }

    fn usage(&self, _params: &Value, made: &Made<'_>) -> Vec<Usage> {
        let us = if made.playlist_us > 0 { made.playlist_us } else { made.info.duration_us };
        let item = match made.info.main_video() {
            Some(video) => format!("transcode.{}.{}p", video.codec, video.width.min(video.height)),
            None => "transcode.audio".to_owned(),
        };
        vec![Usage { item, amount: us.div_euclid(1000), unit: "ms".to_owned() }]
    }
}
