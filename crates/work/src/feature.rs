//! The steps of media features: plan, run, look at what came out, stage, publish.
//!
//! One executor serves every feature; what differs is behind [`Feature`]. A step works in a folder of its own and
//! shows nothing before it has succeeded as a whole.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mps_core::task::{StepState, Task};
use mps_core::{Error, Kind, MediaInfo, Result, crash};
use mps_ffmpeg::{Report, Run, Tool};
use mps_media::features::{self, Feature, Made};
use mps_media::plan::{self, Arg, Build, Command, Plan};
use mps_store::usage::Usage;
use mps_tasks::{Executor, Job, Lease, Outcome};
use mps_wire::types::TaskOutputStorage;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;

use crate::kit::{self, Kit};
use crate::medium::{Medium, Use};
use crate::put::{self, Staged};
use crate::source::{self, SourceExecutor};
use crate::storage;

/// The most time for a command that makes an extra file ready.
const PREPARING: Duration = Duration::from_mins(1);

/// Does the steps of one feature.
pub struct FeatureExecutor {
    kit: Arc<Kit>,
    feature: &'static dyn Feature,
    build: BuildCell,
}

/// What the tools can do; filled a moment after the start.
pub type BuildCell = watch::Receiver<Option<Arc<Build>>>;

/// An executor for each kind of step.
pub fn executors(kit: &Arc<Kit>, build: &BuildCell) -> Vec<Arc<dyn Executor>> {
    let of = |feature: &'static dyn Feature| -> Arc<dyn Executor> {
        Arc::new(FeatureExecutor { kit: Arc::clone(kit), feature, build: build.clone() })
    };
    let source: Arc<dyn Executor> = Arc::new(SourceExecutor::new(Arc::clone(kit)));
    std::iter::once(source).chain(features::ALL.iter().copied().map(of)).collect()
}

impl FeatureExecutor {
    fn plan(&self, job: &Job) -> Result<Plan> {
        let build = self.build.borrow().clone();
        let build = build.ok_or_else(|| Error::unavailable("the media tools are still being examined"))?;
        let info = source_info(&job.task)?;
        self.feature.plan(&job.step.params, &info, &job.task.public_id, &build)
    }

    async fn make(&self, job: &Job) -> Result<Outcome> {
        let cancel = job.lease.cancelled();
        let plan = self.plan(job)?;
        let folder = self.kit.workshop.folder(job.step.id, job.step.attempt)?;
        let place = self.kit.place(job).await?;
        let medium = self.kit.open(&place, Some(job.task.id), how(job), &cancel).await?;
        for fetch in &plan.fetch {
            self.kit.fetch(job.task.account, fetch, folder.path(), &cancel).await?;
        }
        self.run_all(&plan, &medium, folder.path(), &job.lease).await?;
        crash::point("after-run");

        let store = storage::output(&*self.kit.buckets, job.task.account, &output_storage(job)?).await?;
        let look = async {
            match &plan.probe {
                Some(file) => self.kit.look_at_output(&folder.path().join(file), &cancel).await,
                None => Ok(MediaInfo::default()),
            }
        };
        let (info, staged) = tokio::try_join!(look, put::stage(&*store, folder.path(), &plan.outputs))?;
        crash::point("after-stage");
        self.publish(job, staged, &info, &plan.facts).await
    }

    async fn run_all(&self, plan: &Plan, medium: &Medium, dir: &Path, lease: &Lease) -> Result<()> {
        let whole_us: i64 = plan.commands.iter().map(|c| c.expected_us.max(1)).sum();
        let mut done_us = 0;
        for command in &plan.commands {
            for convert in &command.convert {
                kit::convert(convert, dir).await.map_err(|error| unusable(&convert.name, error))?;
            }
            let progress = {
                let lease = lease.clone();
                move |at_us: i64| lease.progress(percent(done_us + at_us, whole_us))
            };
            let report = self.run(command, medium, dir, lease, progress).await?;
            tracing::debug!(
                cpu_ms = report.cpu_ms,
                wall_ms = report.wall_ms,
                rss_bytes = report.max_rss_bytes,
                "run ended"
            );
            done_us += command.expected_us.max(1);
        }
        Ok(())
    }

    async fn run(
        &self,
        command: &Command,
        medium: &Medium,
        dir: &Path,
        lease: &Lease,
        progress: impl Fn(i64) + Send + 'static,
    ) -> Result<Report> {
        let tool = match command.tool {
            plan::Tool::Ffmpeg => Tool::Ffmpeg,
            plan::Tool::Packager => Tool::Packager,
        };
        let expected_us = command.expected_us;
        let (readable, loopback_port) = medium.source.needs();
        let mut limits = self.kit.limits.run;
        if command.prepares.is_some() {
            (limits.wall, limits.cpu) = (limits.wall.min(PREPARING), limits.cpu.min(PREPARING));
        }
        let ran = mps_ffmpeg::run(
            &self.kit.tools,
            Run {
                readable,
                loopback_port,
                limits,
                cancel: lease.cancelled(),
                on_progress: Some(Box::new(move |told| progress(told.out_time_us.min(expected_us)))),
                ..Run::new(tool, words(command, medium), dir)
            },
        )
        .await;
        // A tool takes a read that broke off for the end of its input, so what it made would be cut short.
        match (medium.broken(), &command.prepares) {
            (Some(broken), _) => Err(broken),
            (None, Some(name)) => ran.map_err(|error| unusable(name, error)),
            (None, None) => ran,
        }
    }

    async fn publish(&self, job: &Job, staged: Staged, info: &MediaInfo, facts: &Value) -> Result<Outcome> {
        let (result, usage) = {
            let objects = staged.objects();
            let made = Made { facts, objects: &objects, info, playlist_us: staged.playlist_us() };
            (self.feature.result(&job.step.params, &made)?, self.feature.usage(&job.step.params, &made))
        };
        let usage = usage.into_iter().map(|used| Usage {
            item: used.item,
            amount: used.amount,
            unit: used.unit.to_owned(),
        });
        let usage = usage.collect();
        job.lease.check().await?;
        let (publish, commits) = staged.into_parts();
        for commit in commits {
            crash::point("before-commit");
            commit.commit().await?;
            crash::point("after-commit");
        }
        Ok(Outcome { result, metadata: None, publish, usage })
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

/// What is wrong with an extra file is the caller's, and is not told of the source.
fn unusable(name: &str, error: Error) -> Error {
    match error.kind() {
        Kind::InvalidInput | Kind::Limit | Kind::Timeout | Kind::Unsupported => {
            Error::invalid(format!("{name} cannot be used: {}", error.message())).because(error)
        }
        _ => error.about(name),
    }
}

/// Where the outputs of a step go.
fn output_storage(job: &Job) -> Result<TaskOutputStorage> {
    TaskOutputStorage::deserialize(&job.step.params["storage"])
        .map_err(|e| Error::internal("the stored output storage cannot be read").because(e))
}

/// What the source step found out.
fn source_info(task: &Task) -> Result<MediaInfo> {
    let metadata = task.metadata.clone().ok_or_else(|| Error::internal("the source was not looked into"))?;
    serde_json::from_value(metadata)
        .map_err(|e| Error::internal("what the source holds cannot be read").because(e))
}

/// A source that only this step reads need not be fetched.
fn how(job: &Job) -> Use {
    let readers =
        job.steps.iter().filter(|s| s.kind != source::KIND && s.state != StepState::Cancelled).count();
    if readers > 1 { Use::Whole } else { Use::Stretches }
}

/// The plan's words as the tool gets them.
fn words(command: &Command, medium: &Medium) -> Vec<OsString> {
    let word = |arg: &Arg| match arg {
        Arg::Text(text) => OsString::from(text),
        Arg::Source => medium.source.operand(),
        Arg::File(name) => OsString::from(name),
    };
    command.args.iter().map(word).collect()
}

/// 0 to 98: the rest is for looking at, staging and publishing what came out.
fn percent(at_us: i64, whole_us: i64) -> u8 {
    (at_us.clamp(0, whole_us) as f64 * 98.0 / whole_us.max(1) as f64) as u8
}
