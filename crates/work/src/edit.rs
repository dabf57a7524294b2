//! The steps of edits: several media are opened and looked into, planned as one and carried out like any other plan.
//!
//! An edit has no source step: a medium that is missing, broken or none fails the edit, and with it the task, naming its
//! place in the request.

use std::sync::Arc;

use async_trait::async_trait;
use mps_core::{Error, Result};
use mps_media::edit;
use mps_tasks::{Executor, Job, Outcome};
use mps_wire::types::MediaInputInfo;
use serde::Deserialize;

use crate::feature::{BuildCell, known};
use crate::kit::Kit;
use crate::make::Making;
use crate::medium::{Medium, Use};
use crate::{source, storage};

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
        let cancel = job.lease.cancelled();
        let (mut media, mut infos) = (Vec::new(), Vec::new());
        for (nth, input) in params.inputs.iter().enumerate() {
            let open = async {
                let medium = self.open(job, input).await?;
                let info = self.kit.look(&medium, &cancel).await?;
                Ok((medium, info))
            };
            let here = |error: Error| source::told(error.about(&format!("FileInfos.{nth}")));
            let (medium, info) = open.await.map_err(here)?;
            media.push(medium);
            infos.push(info);
        }
        let plan = edit::plan(&params, &infos, &job.task.public_id, &build)?;
        let making =
            Making { kit: &self.kit, job, plan: &plan, media: &media, drm: None, dir: folder.path() };
        making.finish(|made| Ok((edit::result(made)?, edit::usage(&params, made)))).await
    }

    async fn open(&self, job: &Job, input: &serde_json::Value) -> Result<Medium> {
        let unreadable = |e| Error::internal("the stored input cannot be read").because(e);
        let input = MediaInputInfo::deserialize(input).map_err(unreadable)?;
        let place = storage::input(&*self.kit.buckets, job.task.account, &input).await?;
        self.kit.open(&place, None, Use::Stretches, &job.lease.cancelled()).await
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
