//! The steps of media features: what the feature plans for the task's source is carried out.
//!
//! One executor serves every feature; what differs is behind [`Feature`].

use std::borrow::Cow;
use std::iter;
use std::sync::Arc;

use async_trait::async_trait;
use mps_core::task::Task;
use mps_core::{Error, MediaInfo, Result};
use mps_media::features::{self, Feature};
use mps_media::plan::{Build, Plan};
use mps_tasks::{Executor, Job, Outcome};
use serde_json::Value;
use tokio::sync::watch;

use crate::edit::EditExecutor;
use crate::kit::Kit;
use crate::make::{Making, unusable};
use crate::medium::{Medium, Use};
use crate::source::SourceExecutor;
use crate::storage::Place;
use crate::upstream::{self, Upstream};

/// Does the steps of one feature.
pub struct FeatureExecutor {
    kit: Arc<Kit>,
    feature: &'static dyn Feature,
    build: BuildCell,
}

/// What the tools can do; filled a moment after the start.
pub type BuildCell = watch::Receiver<Option<Arc<Build>>>;

/// What the tools can do, once it is known.
pub(crate) fn known(build: &BuildCell) -> Result<Arc<Build>> {
    let known = build.borrow().clone();
    known.ok_or_else(|| Error::unavailable("the media tools are still being examined"))
}

/// An executor for each kind of step.
pub fn executors(kit: &Arc<Kit>, build: &BuildCell) -> Vec<Arc<dyn Executor>> {
    let of = |feature: &'static dyn Feature| -> Arc<dyn Executor> {
        Arc::new(FeatureExecutor { kit: Arc::clone(kit), feature, build: build.clone() })
    };
    let source: Arc<dyn Executor> = Arc::new(SourceExecutor::new(Arc::clone(kit)));
    let edit: Arc<dyn Executor> = Arc::new(EditExecutor::new(Arc::clone(kit), build.clone()));
    [source, edit].into_iter().chain(features::ALL.iter().copied().map(of)).collect()
}

impl FeatureExecutor {
    fn plan(&self, job: &Job, params: &Value, info: &MediaInfo, films: &[MediaInfo]) -> Result<Plan> {
        let (feature, id, build) = (self.feature, &job.task.public_id, known(&self.build)?);
        match films {
            [] => feature.plan(params, info, id, &build),
            films => feature.plan_joined(params, info, films, id, &build),
        }
    }

    /// Opens the films that are joined to the source, and looks into them.
    async fn films(&self, job: &Job) -> Result<(Vec<Medium>, Vec<MediaInfo>)> {
        let (mut media, mut infos) = (Vec::new(), Vec::new());
        for film in self.feature.films(&job.step.params)? {
            let looked = self.kit.open_input(job, &film.input).await;
            let (medium, info) = looked.map_err(|error| unusable(&film.path, error))?;
            media.push(medium);
            infos.push(info);
        }
        Ok((media, infos))
    }

    async fn make(&self, job: &Job) -> Result<Outcome> {
        let (others, infos) = self.films(job).await?;
        let params = Cow::Borrowed(&job.step.params);
        let (medium, params, plan) = if let Some(upstream) = Upstream::of(job)? {
            let params: Cow<'_, Value> = Cow::Owned(upstream.named(&params));
            let place = upstream.place(&self.kit, job.task.account).await?;
            let medium = self.open(job, &place).await?;
            let info = self.kit.look(&medium, &job.lease.cancelled()).await?;
            let plan = self.plan(job, &params, &info, &infos)?;
            (medium, params, plan)
        } else {
            let plan = self.plan(job, &params, &source_info(&job.task)?, &infos)?;
            (self.open(job, &self.kit.place(job).await?).await?, params, plan)
        };
        let folder = self.kit.workshop.folder(job.step.id, job.step.attempt)?;
        let media: Vec<Medium> = iter::once(medium).chain(others).collect();
        let (feature, params) = (self.feature, &*params);
        let drm = feature.drm(params)?;
        let making = Making { kit: &self.kit, job, plan: &plan, media: &media, drm, dir: folder.path() };
        making.finish(|made| Ok((feature.result(params, made)?, feature.usage(params, made)))).await
    }

    /// Opens what the step reads. What no other step reads need not be fetched.
    async fn open(&self, job: &Job, place: &Place) -> Result<Medium> {
        let how = if upstream::readers(job) > 1 { Use::Whole } else { Use::Stretches };
        let copy = Some((job.task.id, upstream::ordinal(&job.step.params)));
        self.kit.open(place, copy, how, &job.lease.cancelled()).await
    }
}

#[async_trait]
impl Executor for FeatureExecutor {
    fn kind(&self) -> &'static str {
        self.feature.words().kind
    }

    async fn run(&self, job: Job) -> Result<Outcome> {
        self.make(&job).await
    }
}

/// What the source step found out.
fn source_info(task: &Task) -> Result<MediaInfo> {
    let metadata = task.metadata.clone().ok_or_else(|| Error::internal("the source was not looked into"))?;
    serde_json::from_value(metadata)
        .map_err(|e| Error::internal("what the source holds cannot be read").because(e))
}
