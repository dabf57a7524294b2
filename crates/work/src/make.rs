//! Carrying out a plan: run, look at what came out, stage, publish.
//!
//! Every kind of step that has a plan goes this way, whatever it was planned from. A step works in a folder of its own
//! and shows nothing before it has succeeded as a whole.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mps_backends::objects::ObjectStore;
use mps_core::{Error, Kind, MediaInfo, Result, crash};
use mps_ffmpeg::{Report, Run, Tool};
use mps_media::drm::Drm;
use mps_media::features::{Made, Used};
use mps_media::plan::{self, Arg, Command, Plan};
use mps_store::usage::Usage;
use mps_tasks::{Job, Outcome};
use mps_wire::types::TaskOutputStorage;
use serde::Deserialize;
use serde_json::Value;

use crate::kit::{self, Kit};
use crate::medium::Medium;
use crate::put::{self, Staged};
use crate::seal::Seal;
use crate::storage;

/// The most time for a command that makes an extra file ready.
const PREPARING: Duration = Duration::from_mins(1);

/// A plan on its way, in the folder of its step.
pub(crate) struct Making<'a> {
    pub(crate) kit: &'a Kit,
    pub(crate) job: &'a Job,
    pub(crate) plan: &'a Plan,
    /// The open sources, in the order that the plan counts them in.
    pub(crate) media: &'a [Medium],
    /// How its package is encrypted.
    pub(crate) drm: Option<Drm>,
    /// The step's folder.
    pub(crate) dir: &'a Path,
}

/// What is kept of what came out, and what was used for it.
pub(crate) type Told = (Value, Vec<Used>);

impl Making<'_> {
    /// Carries the plan out; `told` words what came of it.
    pub(crate) async fn finish(&self, told: impl FnOnce(&Made<'_>) -> Result<Told>) -> Result<Outcome> {
        let Self { kit, job, plan, dir, .. } = *self;
        let cancel = job.lease.cancelled();
        // Before the work: a ticket runs out, and a refusal should not have cost hours.
        let seal = Seal::open(&kit.keys, self.drm.clone(), &plan.encrypted, &cancel).await?;
        for fetch in &plan.fetch {
            kit.fetch(job.task.account, fetch, dir, &cancel).await?;
        }
        self.run_all(&seal).await?;
        seal.sign_files(dir).await?;
        crash::point("after-run");

        let store = storage::output(&*kit.buckets, job.task.account, &output_storage(job)?).await?;
        let look = async {
            match &plan.probe {
                Some(file) => kit.look_at_output(&dir.join(file), &cancel).await,
                None => Ok(MediaInfo::default()),
            }
        };
        let (info, staged) = tokio::try_join!(look, put::stage(&*store, dir, &plan.outputs, &seal))?;
        crash::point("after-stage");
        self.publish(staged, &*store, &info, told).await
    }

    async fn run_all(&self, seal: &Seal) -> Result<()> {
        let commands = &self.plan.commands;
        let whole_us: i64 = commands.iter().map(|c| c.expected_us.max(1)).sum();
        let mut done_us = 0;
        for command in commands {
            for convert in &command.convert {
                kit::convert(convert, self.dir).await.map_err(|error| unusable(&convert.name, error))?;
            }
            let progress = {
                let lease = self.job.lease.clone();
                move |at_us: i64| lease.progress(percent(done_us + at_us, whole_us))
            };
            let report = self.run(command, seal, progress).await?;
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
        seal: &Seal,
        progress: impl Fn(i64) + Send + 'static,
    ) -> Result<Report> {
        let tool = match command.tool {
            plan::Tool::Ffmpeg => Tool::Ffmpeg,
            plan::Tool::Packager => Tool::Packager,
        };
        let expected_us = command.expected_us;
        let (readable, loopback_port) = self.needs();
        let mut limits = self.kit.limits.run;
        if command.prepares.is_some() {
            (limits.wall, limits.cpu) = (limits.wall.min(PREPARING), limits.cpu.min(PREPARING));
        }
        let ran = mps_ffmpeg::run(
            &self.kit.tools,
            Run {
                readable,
                loopback_port,
                stdin: command.reads_keys.then(|| seal.flags()).transpose()?,
                limits,
                cancel: self.job.lease.cancelled(),
                on_progress: Some(Box::new(move |told| progress(told.out_time_us.min(expected_us)))),
                ..Run::new(tool, words(command, self.media)?, self.dir)
            },
        )
        .await;
        // A tool takes a read that broke off for the end of its input, so what it made would be cut short.
        match (self.media.iter().find_map(Medium::broken), &command.prepares) {
            (Some(broken), _) => Err(broken),
            (None, Some(name)) => ran.map_err(|error| unusable(name, error)),
            (None, None) => ran,
        }
    }

    /// What the sandbox must let through. The relay has one port for all that it opens.
    fn needs(&self) -> (Vec<PathBuf>, Option<u16>) {
        let (mut readable, mut loopback_port) = (Vec::new(), None);
        for (files, port) in self.media.iter().map(|medium| medium.source.needs()) {
            readable.extend(files);
            loopback_port = loopback_port.or(port);
        }
        (readable, loopback_port)
    }

    async fn publish(
        &self,
        staged: Staged,
        store: &dyn ObjectStore,
        info: &MediaInfo,
        told: impl FnOnce(&Made<'_>) -> Result<Told>,
    ) -> Result<Outcome> {
        let (result, usage) = {
            let objects = staged.objects();
            let facts = &self.plan.facts;
            told(&Made { facts, objects: &objects, info, playlist_us: staged.playlist_us() })?
        };
        let usage = usage.into_iter().map(|used| Usage {
            item: used.item,
            amount: used.amount,
            unit: used.unit.to_owned(),
        });
        let usage = usage.collect();
        self.job.lease.check().await?;
        let publish = staged.commit(store).await?;
        Ok(Outcome { result, metadata: None, publish, usage })
    }
}

/// What is wrong with an extra file is the caller's, and is not told of the source.
pub(crate) fn unusable(name: &str, error: Error) -> Error {
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

/// The plan's words as the tool gets them.
fn words(command: &Command, media: &[Medium]) -> Result<Vec<OsString>> {
    let operand = |nth: usize| {
        let medium =
            media.get(nth).ok_or_else(|| Error::internal("a plan reads a source that it was not given"))?;
        Ok(medium.source.operand())
    };
    let word = |arg: &Arg| match arg {
        Arg::Text(text) => Ok(OsString::from(text)),
        Arg::Source => operand(0),
        Arg::Input(nth) => operand(*nth),
        Arg::File(name) => Ok(OsString::from(name)),
    };
    command.args.iter().map(word).collect()
}

/// 0 to 98: the rest is for looking at, staging and publishing what came out.
fn percent(at_us: i64, whole_us: i64) -> u8 {
    (at_us.clamp(0, whole_us) as f64 * 98.0 / whole_us.max(1) as f64) as u8
}
