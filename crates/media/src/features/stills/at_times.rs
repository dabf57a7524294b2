//! Pictures at given moments: `SnapshotByTimeOffsetTaskSet`.
//!
//! Moments are seconds (`3.5s`) or parts of the length (`10%`). One behind the end gives no picture; if all are, the
//! item fails.

use mps_core::media_info::MediaInfo;
use mps_core::task::{Failure, Fault, Step};
use mps_core::{Error, Result};
use mps_wire::codes::{invalid_parameter_value, missing_parameter};
use mps_wire::{ApiError, Refused};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::frames::{self, Shot};
use super::{Around, EXTRA, Still, VOD, length_us, pictures, still};
use crate::features::marks;
use crate::features::outcome::{outcome, read_back};
use crate::features::{Feature, Item, Made, Used, Words, params_value, stored, to_store};
use crate::plan::{Build, Plan};
use crate::templates::{self, Family};

const LIST: &str = "SnapshotByTimeOffsetTaskSet";
const KIND: &str = "snapshot_by_time_offset";
const NAME: &str = "{inputName}_snapshotByTimeOffset_{definition}_{number}.{format}";
/// Moments of one item; ours, as the API names no limit.
const MOST: usize = 1000;

/// Members that are refused by name.
pub const REFUSED: &[Refused] = &[
    Refused { path: "MediaProcessTask.SnapshotByTimeOffsetTaskSet.OutputStorage.VODOutputStorage", why: VOD },
    Refused { path: "MediaProcessTask.SnapshotByTimeOffsetTaskSet.ExtInfo", why: EXTRA },
];

/// The feature.
#[derive(Debug, Clone, Copy)]
pub struct SnapshotByTimeOffset;

/// A moment as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Moment {
    /// Microseconds from the beginning.
    At(i64),
    /// Part of the length, 0 to 100.
    Percent(f64),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StepParams {
    #[serde(flatten)]
    around: Around,
    still: Still,
    moments: Vec<Moment>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct StepResult {
    pictures: Vec<Taken>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Taken {
    at_us: i64,
    path: String,
}

impl Moment {
    fn parse(text: &str) -> Option<Self> {
        let number =
            |text: &str| text.trim().parse::<f64>().ok().filter(|number| (0.0..=1e8).contains(number));
        if let Some(text) = text.strip_suffix('%') {
            return number(text).filter(|part| *part <= 100.0).map(Self::Percent);
        }
        number(text.strip_suffix(['s', 'S'])?).map(|s| Self::At((s * 1e6).round() as i64))
    }

    /// Microseconds in a source of this length; `None` behind its end.
    fn resolve(self, length_us: i64) -> Option<i64> {
        let at_us = match self {
            Self::At(us) => us,
            Self::Percent(part) => (length_us as f64 * part / 100.0).round() as i64,
        };
        (at_us <= length_us).then_some(at_us)
    }
}

fn moments(item: &Item<'_>) -> Result<Vec<Moment>, ApiError> {
    let here = item.path(LIST);
    let mut all = Vec::new();
    for text in item.value["ExtTimeOffsetSet"].as_array().into_iter().flatten() {
        let text = text.as_str().unwrap_or_default();
        all.push(Moment::parse(text).ok_or_else(|| {
            invalid_parameter_value(format!(
                "{here}.ExtTimeOffsetSet: {text:?} is neither seconds such as \"3.5s\" nor a part such as \"10%\""
            ))
        })?);
    }
    for second in item.value["TimeOffsetSet"].as_array().into_iter().flatten() {
        let second = second.as_f64().filter(|second| (0.0..=1e8).contains(second)).ok_or_else(|| {
            invalid_parameter_value(format!("{here}.TimeOffsetSet: {second} is not a second of a video"))
        })?;
        all.push(Moment::At((second * 1e6).round() as i64));
    }
    match all.len() {
        0 => Err(missing_parameter(format!("{here}.ExtTimeOffsetSet names no moment"))),
        many if many > MOST => {
            Err(invalid_parameter_value(format!("{here} names {many} moments; {MOST} is the most")))
        }
        _ => Ok(all),
    }
}

/// The moments that the source has, in the order of the request.
fn resolved(step: &StepParams, info: &MediaInfo) -> Result<Vec<i64>> {
    let length_us = length_us(info)?;
    let found: Vec<i64> = step.moments.iter().filter_map(|moment| moment.resolve(length_us)).collect();
    if found.is_empty() {
        let told = format!("the source is {:.3} s long and ends before all moments", length_us as f64 / 1e6);
        return Err(Fault::TimeOffset.of(Error::invalid(told)));
    }
    Ok(found)
}

impl Feature for SnapshotByTimeOffset {
    fn words(&self) -> Words {
        Words {
            kind: KIND,
            list: LIST,
            result: "SnapshotByTimeOffset",
            member: "SnapshotByTimeOffsetTask",
            activity: "action-snapshotByTimeOffset",
            cost: 2,
        }
    }

    fn family(&self) -> &'static dyn Family {
        &templates::snapshot_by_time_offset::SnapshotByTimeOffset
    }

    fn from_wire(&self, item: &Item<'_>, build: &Build) -> Result<Value, ApiError> {
        let still = Still::read(item.body(LIST)?);
        still::check_encoder(still.format.encoder(), &item.path(LIST), build)?;
        let moments = moments(item)?;
        let around = Around::of(item, LIST, NAME, moments.len() > 1, build)?;
        params_value(&StepParams { around, still, moments })
    }

    fn plan(&self, params: &Value, info: &MediaInfo, task_id: &str, build: &Build) -> Result<Plan> {
        let step: StepParams = stored(params, KIND)?;
        let (source, moments) = (pictures(info)?, resolved(&step, info)?);
        let format = step.still.format;
        let shot = Shot { still: step.still, format, source, info, build, marks: &step.around.marks };
        let taken = frames::at(shot, &moments)?;
        let outputs = frames::outputs(&step.around, format, moments.len(), task_id)?;
        Ok(taken.plan(outputs, json!({"moments": moments})))
    }

    fn result(&self, _params: &Value, made: &Made<'_>) -> Result<Value> {
        let moments: Vec<i64> = stored(&made.facts["moments"], KIND)?;
        let taken = |(at_us, object): (&i64, &crate::features::Object<'_>)| Taken {
            at_us: *at_us,
            path: object.key.to_owned(),
        };
        to_store(&StepResult { pictures: moments.iter().zip(made.objects).map(taken).collect() })
    }

    fn usage(&self, _params: &Value, made: &Made<'_>) -> Vec<Used> {
        vec![Used { item: "snapshot".to_owned(), amount: made.objects.len() as i64, unit: "picture" }]
    }

    fn to_wire(&self, item: &Value, step: Option<&Step>, task_failure: Option<&Failure>) -> Value {
        let (params, result): (Option<StepParams>, Option<StepResult>) = read_back(step);
        let output = params.as_ref().zip(result).map(|(params, result)| {
            let told = |taken: &Taken| {
                json!({"TimeOffset": taken.at_us as f64 / 1e6, "Path": taken.path, "WaterMarkDefinition": marks::definitions(&params.around.marks)})
            };
            json!({
                "Storage": params.around.storage,
                "Definition": params.around.definition,
                "PicInfoSet": result.pictures.iter().map(told).collect::<Vec<_>>(),
            })
        });
        let input = params.map_or_else(|| item.clone(), |params| params.around.input(item, true));
        outcome(step, task_failure).around(&input, output.as_ref(), step)
    }
}
