//! What an activity of an orchestration reads: the output of the one before it.

use mps_core::task::StepState;
use mps_core::{Error, Result};
use mps_media::names::SourceName;
use mps_tasks::Job;
use mps_wire::types::TaskOutputStorage;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::kit::Kit;
use crate::source;
use crate::storage::{self, Place};

/// The member of a step's params that names the step whose output it reads.
const MEMBER: &str = "from";

/// The output of an earlier step.
pub(crate) struct Upstream {
    key: String,
    storage: TaskOutputStorage,
}

/// The step whose output a step with these params reads; none reads the task's source.
pub(crate) fn ordinal(params: &Value) -> usize {
    params[MEMBER].as_u64().and_then(|ordinal| usize::try_from(ordinal).ok()).unwrap_or(0)
}

impl Upstream {
    /// What the step of this job reads; `None` when that is the task's source.
    pub(crate) fn of(job: &Job) -> Result<Option<Self>> {
        let ordinal = ordinal(&job.step.params);
        if ordinal == 0 {
            return Ok(None);
        }
        let lost = || Error::internal("the activity before this one left no output").with("step", ordinal);
        let step =
            job.steps.get(ordinal).filter(|step| step.state == StepState::Succeeded).ok_or_else(lost)?;
        let path = step.result.as_ref().and_then(|result| result["path"].as_str()).ok_or_else(lost)?;
        let storage = TaskOutputStorage::deserialize(&step.params["storage"])
            .map_err(|e| Error::internal("the stored output storage cannot be read").because(e))?;
        Ok(Some(Self { key: path.trim_start_matches('/').to_owned(), storage }))
    }

    /// Where it lies.
    pub(crate) async fn place(&self, kit: &Kit, account: i64) -> Result<Place> {
        let store = storage::output(&*kit.buckets, account, &self.storage).await?;
        Ok(Place::of(store, self.key.clone()))
    }

    /// The params of the step that reads it: its outputs are named after what it reads, and lie where those of the
    /// source would.
    pub(crate) fn named(&self, params: &Value) -> Value {
        let name = SourceName::from_key(&self.key);
        let mut named = params.clone();
        named["source"]["name"] = json!(name.name);
        named["source"]["format"] = json!(name.format);
        named
    }
}

/// How many steps of the task read the same.
pub(crate) fn readers(job: &Job) -> usize {
    let own = ordinal(&job.step.params);
    let reads = |step: &&mps_core::task::Step| {
        step.kind != source::KIND && step.state != StepState::Cancelled && ordinal(&step.params) == own
    };
    job.steps.iter().filter(reads).count()
}
