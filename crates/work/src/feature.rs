//! The steps of media features: plan, run, look at what came out, stage, publish.
//!
//! One executor serves every feature; what differs is behind [`Feature`]. A step works in a folder of its own and
//! shows nothing before it has succeeded as a whole.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use mps_core::task::{StepState, Task};
use mps_core::{Error, MediaInfo, Result, crash};
use mps_ffmpeg::{Report, Run, Tool};
use mps_media::plan::{self, Arg, Command, Plan};
use mps_store::usage::Usage;
use mps_tasks::{Executor, Job, Lease, Outcome};
use mps_wire::types::TaskOutputStorage;
use serde_json::Value;

use crate::kit::Kit;
use crate::medium::{Medium, Use};
use crate::put::{self, Staged};
use crate::{source, storage};

/// What a feature wants done for one step.
pub struct Wish {
    /// The commands and what becomes of their files.
    pub plan: Plan,
    /// Where the outputs go.
    pub storage: TaskOutputStorage,
}

/// What came of it.
pub struct Made<'a> {
    /// The key of the object that was asked for, beginning with `/`.
    pub key: &'a str,
    /// MD5 of that object in lower-case hex.
    pub md5: &'a str,
    /// Bytes of all its objects together.
    pub size_bytes: u64,
    /// What it holds.
    pub info: &'a MediaInfo,
    /// Length of its playlist in microseconds; 0 when there is none.
    pub playlist_us: i64,
    /// Number of objects.
    pub objects: u32,
}

/// A media feature as the executor sees it.
pub trait Feature: Send + Sync + 'static {
    /// The kind of its steps.
    fn kind(&self) -> &'static str;
    /// What is to be done for a step with these params, whose source holds `info`.
    fn plan(&self, task: &Task, params: &Value, info: &MediaInfo) -> Result<Wish>;
    /// What is kept of it.
    fn result(&self, params: &Value, made: &Made<'_>) -> Result<Value>;
    /// What was used.
    fn usage(&self, params: &Value, made: &Made<'_>) -> Vec<Usage>;
}

/// Does the steps of one feature.
pub struct FeatureExecutor {
    kit: Arc<Kit>,
    feature: Box<dyn Feature>,
}

impl FeatureExecutor {
    /// An executor of `feature` with this kit.
    pub fn new(kit: Arc<Kit>, feature: impl Feature) -> Self {
        Self { kit, feature: Box::new(feature) }
    }

    async fn make(&self, job: &Job) -> Result<Outcome> {
        let cancel = job.lease.cancelled();
        let info = source_info(&job.task)?;
        let wish = self.feature.plan(&job.task, &job.step.params, &info)?;
        let folder = self.kit.workshop.folder(job.step.id, job.step.attempt)?;
        let place = self.kit.place(job).await?;
        let medium = self.kit.open(&place, Some(job.task.id), how(job), &cancel).await?;
        self.run_all(&wish.plan, &medium, folder.path(), &job.lease).await?;
        crash::point("after-run");

        let probed = folder.path().join(&wish.plan.probe);
        let store = storage::output(&*self.kit.buckets, job.task.account, &wish.storage).await?;
        let (info, staged) = tokio::try_join!(
            self.kit.look_at_output(&probed, &cancel),
            put::stage(&*store, folder.path(), &wish.plan.outputs)
        )?;
        crash::point("after-stage");
        self.publish(job, staged, &info).await
    }

    async fn run_all(&self, plan: &Plan, medium: &Medium, dir: &Path, lease: &Lease) -> Result<()> {
        let whole_us: i64 = plan.commands.iter().map(|c| c.expected_us.max(1)).sum();
        let mut done_us = 0;
        for command in &plan.commands {
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
        let ran = mps_ffmpeg::run(
            &self.kit.tools,
            Run {
                readable,
                loopback_port,
                limits: self.kit.limits.run,
                cancel: lease.cancelled(),
                on_progress: Some(Box::new(move |told| progress(told.out_time_us.min(expected_us)))),
                ..Run::new(tool, words(command, medium), dir)
            },
        )
        .await;
        // A tool takes a read that broke off for the end of its input, so what it made would be cut short.
        match medium.broken() {
            Some(broken) => Err(broken),
            None => ran,
        }
    }

    async fn publish(&self, job: &Job, staged: Staged, info: &MediaInfo) -> Result<Outcome> {
        let main = staged.main().ok_or_else(|| Error::internal("the plan has no main output"))?;
        let made = Made {
            key: &main.key,
            md5: &main.md5,
            size_bytes: staged.size_bytes(),
            info,
            playlist_us: staged.playlist_us(),
            objects: staged.len(),
        };
        let result = self.feature.result(&job.step.params, &made)?;
        let usage = self.feature.usage(&job.step.params, &made);
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
        self.feature.kind()
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
