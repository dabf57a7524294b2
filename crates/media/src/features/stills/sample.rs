//! Pictures at even distances: `SampleSnapshotTaskSet`.
//!
//! The first picture is the first frame. With `Percent` 10 there are ten: at 0, 10, … 90 % of the length. With `Time`
//! there is one for each moment before the end of the pictures.

use mps_core::media_info::MediaInfo;
use mps_core::task::{Failure, Fault, Step};
use mps_core::{Error, Result};
use mps_wire::{ApiError, Refused};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::frames::{self, Series, Shot};
use super::{Around, EXTRA, MOST_PICTURES, Still, VOD, length_us, pictures, still};
use crate::features::marks;
use crate::features::outcome::{outcome, read_back};
use crate::features::{Feature, Item, Made, Used, Words, params_value, stored, to_store};
use crate::graph::seek::pictures_end_us;
use crate::plan::{Build, Plan};
use crate::templates::{self, Family};

const LIST: &str = "SampleSnapshotTaskSet";
const KIND: &str = "sample_snapshot";
const NAME: &str = "{inputName}_sampleSnapshot_{definition}_{number}.{format}";

/// Members that are refused by name.
pub const REFUSED: &[Refused] = &[
    Refused { path: "MediaProcessTask.SampleSnapshotTaskSet.OutputStorage.VODOutputStorage", why: VOD },
    Refused { path: "MediaProcessTask.SampleSnapshotTaskSet.ExtInfo", why: EXTRA },
];

/// The feature.
#[derive(Debug, Clone, Copy)]
pub struct SampleSnapshot;

/// Even distances, as a template wants them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sampling {
    /// Parts of the length.
    Percent(u32),
    /// Seconds.
    Seconds(u32),
}

impl Sampling {
    /// Of a template's body, which was checked when it was stored.
    pub(super) fn read(body: &Value) -> Self {
        let interval =
            body["SampleInterval"].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(1).max(1);
        if body["SampleType"] == "Percent" {
            Self::Percent(interval.min(100))
        } else {
            Self::Seconds(interval)
        }
    }

    /// The moments in a source.
    ///
    /// # Errors
    /// `InvalidInput` when the length is unknown or there would be too many pictures.
    pub(super) fn series(self, info: &MediaInfo) -> Result<Series> {
        let whole_us = length_us(info)?;
        let shown_us = pictures_end_us(info);
        let series = match self {
            Self::Percent(part) => Series {
                every_us: (whole_us * i64::from(part) / 100).max(1),
                count: i64::from(100_u32.div_ceil(part)),
            },
            Self::Seconds(seconds) => {
                let every_us = i64::from(seconds) * 1_000_000;
                Series { every_us, count: (shown_us + every_us - 1) / every_us }
            }
        };
        if series.count > MOST_PICTURES {
            let told = format!(
                "the item would make {} pictures; {MOST_PICTURES} is the most: use a larger SampleInterval",
                series.count
            );
            return Err(Fault::TimeOffset.of(Error::invalid(told)));
        }
        Ok(series)
    }

    fn words(self) -> (&'static str, u32) {
        match self {
            Self::Percent(part) => ("Percent", part),
            Self::Seconds(seconds) => ("Time", seconds),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StepParams {
    #[serde(flatten)]
    around: Around,
    still: Still,
    sampling: Sampling,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct StepResult {
    paths: Vec<String>,
}

impl Feature for SampleSnapshot {
    fn words(&self) -> Words {
        Words {
            kind: KIND,
            list: LIST,
            result: "SampleSnapshot",
            member: "SampleSnapshotTask",
            activity: "action-samplesnapshot",
            cost: 4,
        }
    }

    fn family(&self) -> &'static dyn Family {
        &templates::sample_snapshot::SampleSnapshot
    }

    fn from_wire(&self, item: &Item<'_>, build: &Build) -> Result<Value, ApiError> {
        let body = item.body(LIST)?;
        let still = Still::read(body);
        still::check_encoder(still.format.encoder(), &item.path(LIST), build)?;
        let around = Around::of(item, LIST, NAME, true, build)?;
        params_value(&StepParams { around, still, sampling: Sampling::read(body) })
    }

    fn plan(&self, params: &Value, info: &MediaInfo, task_id: &str, build: &Build) -> Result<Plan> {
        let step: StepParams = stored(params, KIND)?;
        let source = pictures(info)?;
        let series = step.sampling.series(info)?;
        let format = step.still.format;
        let shot = Shot { still: step.still, format, source, info, build, marks: &step.around.marks };
        let taken = frames::series(shot, series)?;
        let outputs = frames::outputs(&step.around, format, series.count as usize, task_id)?;
        Ok(taken.plan(outputs, Value::Null))
    }

    fn result(&self, _params: &Value, made: &Made<'_>) -> Result<Value> {
        to_store(&StepResult { paths: made.objects.iter().map(|object| object.key.to_owned()).collect() })
    }

    fn usage(&self, _params: &Value, made: &Made<'_>) -> Vec<Used> {
        vec![Used { item: "snapshot".to_owned(), amount: made.objects.len() as i64, unit: "picture" }]
    }

    fn to_wire(&self, item: &Value, step: Option<&Step>, task_failure: Option<&Failure>) -> Value {
        let (params, result): (Option<StepParams>, Option<StepResult>) = read_back(step);
        let output = params.as_ref().zip(result).map(|(params, result)| {
            let (kind, interval) = params.sampling.words();
            json!({
                "Storage": params.around.storage,
                "Definition": params.around.definition,
                "SampleType": kind,
                "Interval": interval,
                "ImagePathSet": result.paths,
                "WaterMarkDefinition": marks::definitions(&params.around.marks),
            })
        });
        let input = params.map_or_else(|| item.clone(), |params| params.around.input(item, true));
        outcome(step, task_failure).around(&input, output.as_ref(), step)
    }
}
