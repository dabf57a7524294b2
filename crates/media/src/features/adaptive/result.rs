//! What a ladder became, and how the caller is told.

use mps_core::task::{Failure, Step};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::params::StepParams;
use crate::features::outcome::{outcome, read_back};

/// What a worker stores as the result of a step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StepResult {
    /// Key of the manifest, beginning with `/`.
    pub path: String,
    /// Bytes of all its objects together.
    pub size_bytes: u64,
    /// Length in microseconds.
    pub duration_us: i64,
    /// Number of objects.
    pub objects: u32,
}

/// The answer for one item: `item` as it came, its step if there is one, and why the whole task failed.
pub(super) fn to_wire(item: &Value, step: Option<&Step>, task_failure: Option<&Failure>) -> Value {
    let (params, result): (Option<StepParams>, Option<StepResult>) = read_back(step);
    let output = params.as_ref().zip(result).map(|(params, result)| {
        json!({
            "Definition": params.definition,
            "Package": params.params.format.word(),
            "Path": result.path,
            "Storage": params.storage,
        })
    });
    let input = params.map_or_else(|| item.clone(), |params| input(item, &params));
    outcome(step, task_failure).around(&input, output.as_ref(), step)
}

/// The item after defaults.
fn input(item: &Value, params: &StepParams) -> Value {
    let mut input = item.clone();
    input["OutputStorage"] = params.storage.clone();
    input["OutputObjectPath"] = json!(params.naming.manifest);
    input["SubStreamObjectName"] = json!(params.naming.sub_stream);
    input["SegmentObjectName"] = json!(params.naming.segment);
    input
}
