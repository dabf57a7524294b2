//! The first step of each task: opening its source and looking into it.
//!
//! Its failure is the task's: a source that is missing, broken or no medium ends the task with an error of its own,
//! and nothing else is tried.

use std::sync::Arc;

use async_trait::async_trait;
use mps_core::{Blame, Error, Result};
use mps_tasks::{Executor, Job, Outcome};

use crate::kit::Kit;
use crate::medium::Use;

/// The kind of its steps.
pub(crate) const KIND: &str = "source";

/// The vendor's number for a source that cannot be used.
const SOURCE_FILE_ERROR: i64 = 70000;

/// Looks into sources.
pub struct SourceExecutor {
    kit: Arc<Kit>,
}

impl SourceExecutor {
    /// An executor with this kit.
    pub fn new(kit: Arc<Kit>) -> Self {
        Self { kit }
    }

    async fn look(&self, job: &Job) -> Result<Outcome> {
        let cancel = job.lease.cancelled();
        let place = self.kit.place(job).await?;
        let medium = self.kit.open(&place, Some((job.task.id, 0)), Use::Stretches, &cancel).await?;
        let info = self.kit.look(&medium, &cancel).await?;
        if info.video.is_empty() && info.audio.is_empty() {
            return Err(Error::invalid("the source has neither video nor audio"));
        }
        let metadata = serde_json::to_value(&info)
            .map_err(|e| Error::internal("cannot store what the source holds").because(e))?;
        Ok(Outcome { metadata: Some(metadata), ..Outcome::default() })
    }
}

#[async_trait]
impl Executor for SourceExecutor {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, job: Job) -> Result<Outcome> {
        self.look(&job).await.map_err(told)
    }
}

/// Why a source cannot be used, in the vendor's number and word unless it is our fault.
pub(crate) fn told(error: Error) -> Error {
    match error.blame() {
        Blame::Us => error,
        Blame::Caller | Blame::Outside => {
            error.with("err_code", SOURCE_FILE_ERROR).with("err_ext", "SourceFileError")
        }
    }
}
