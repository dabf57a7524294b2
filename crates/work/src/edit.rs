//! The steps of edits: several media are opened and looked into, planned as one and carried out like any other plan.
//!
//! An edit has no source step: a medium that is missing, broken or none fails the edit, and with it the task, naming its
//! place in the request.

use std::sync::Arc;

use async_trait::async_trait;
use mps_core::{Error, Result};
use mps_media::edit;
use mps_tasks::{Executor, Job, Outcome};

use crate::feature::{BuildCell, known};
use crate::kit::Kit;
use crate::make::Making;
use crate::source;

/// Does edits.
pub struct EditExecutor {
    kit: Arc<Kit>,
    build: BuildCell,
}

impl EditExecutor {
    /// An executor with this kit, for the tools that `build` tells of.
    pub fn new(kit: Arc<Kit>, build: BuildCell) -> Self {
        Self { kit, build }
    }

    async fn make(&self, job: &Job) -> Result<Outcome> {
        let build = known(&self.build)?;
        let params = edit::stored(&job.step.params)?;
        let folder = self.kit.workshop.folder(job.step.id, job.step.attempt)?;
        let (mut media, mut infos) = (Vec::new(), Vec::new());
        for (nth, input) in params.inputs.iter().enumerate() {
            let here = |error: Error| source::told(error.about(&format!("FileInfos.{nth}")));
            let (medium, info) = self.kit.open_input(job, input).await.map_err(here)?;
            media.push(medium);
            infos.push(info);
        }
        let plan = edit::plan(&params, &infos, &job.task.public_id, &build)?;
        let making =
            Making { kit: &self.kit, job, plan: &plan, media: &media, drm: None, dir: folder.path() };
        making.finish(|made| Ok((edit::result(made)?, edit::usage(&params, made)))).await
    }
}

#[async_trait]
impl Executor for EditExecutor {
    fn kind(&self) -> &'static str {
        edit::KIND
    }

    async fn run(&self, job: Job) -> Result<Outcome> {
        self.make(&job).await
    }
}
