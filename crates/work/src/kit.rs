//! What all executors of a worker share.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mps_backends::keys::Client;
use mps_backends::relay::Relay;
use mps_core::{Error, Kind, MediaInfo, Result, Retry};
use mps_ffmpeg::{Limits, ProbeOptions, SourceRef, Tools};
use mps_media::plan;
use mps_tasks::Job;
use mps_wire::types::MediaInputInfo;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::folder::Workshop;
use crate::looks::Looks;
use crate::medium::{self, Copy, Medium, Use, copy};
use crate::source;
use crate::storage::{self, Buckets, Place};

/// How much a worker lets one medium take.
#[derive(Debug, Clone, Copy)]
pub struct WorkLimits {
    /// Limits of each run.
    pub run: Limits,
    /// Limits of each look.
    pub probe: Limits,
    /// The largest source, in bytes.
    pub source_bytes: u64,
}

/// What all executors share.
pub struct Kit {
    /// The media tools.
    pub tools: Tools,
    /// Where steps work.
    pub workshop: Workshop,
    /// Where objects are.
    pub buckets: Arc<dyn Buckets>,
    /// The loopback relay.
    pub relay: Relay,
    /// Asks key servers.
    pub keys: Client,
    /// How much a medium may take.
    pub limits: WorkLimits,
    copies: Mutex<HashMap<Copied, Kept>>,
    looks: Looks,
}

/// What was fetched: the task, and the step whose output it is, 0 for its source.
pub(crate) type Copied = (i64, usize);

struct Kept {
    cell: Arc<OnceCell<Arc<Copy>>>,
    used: Instant,
}

impl Kept {
    /// Whether it was asked for lately, or is being fetched or read.
    fn is_kept(&self, now: Instant) -> bool {
        let in_use = Arc::strong_count(&self.cell) > 1
            || self.cell.get().is_some_and(|copy| Arc::strong_count(copy) > 1);
        in_use || now.duration_since(self.used) < KEEP
    }
}

/// How long a fetched copy is kept for other steps of its task.
const KEEP: Duration = Duration::from_mins(2);

impl Kit {
    /// A kit of these parts.
    pub fn new(
        tools: Tools,
        workshop: Workshop,
        buckets: Arc<dyn Buckets>,
        relay: Relay,
        keys: Client,
        limits: WorkLimits,
    ) -> Self {
        Self {
            tools,
            workshop,
            buckets,
            relay,
            keys,
            limits,
            copies: Mutex::default(),
            looks: Looks::default(),
        }
    }

    /// Where the input of a task lies, as the source step's params say.
    pub(crate) async fn place(&self, job: &Job) -> Result<Place> {
        let of_source = job.steps.iter().find(|step| step.kind == source::KIND);
        let params = of_source.ok_or_else(|| Error::internal("the task has no source step"))?.params.clone();
        let unreadable = |e| Error::internal("the stored input cannot be read").because(e);
        let input: MediaInputInfo = serde_json::from_value(params).map_err(unreadable)?;
        storage::input(&*self.buckets, job.task.account, &input).await
    }

    /// Opens a place to be read; a copy is shared by those who call it the same, and with `None` by nobody.
    pub(crate) async fn open(
        &self,
        place: &Place,
        copied: Option<Copied>,
        how: Use,
        cancel: &CancellationToken,
    ) -> Result<Medium> {
        if place.has_stretches().await? {
            let meta = place.store.head(&place.key).await?;
            self.check_size(meta.size_bytes)?;
            if let Some(path) = place.store.local_path(&meta) {
                return Ok(Medium::of_file(path, meta.size_bytes));
            }
            if how == Use::Stretches {
                let name = place.key.rsplit('/').next().unwrap_or("source");
                let handle = self.relay.open(Arc::clone(&place.store), &place.key, name).await?;
                return Ok(Medium::of_relay(handle));
            }
        }
        let fetch = || async {
            let folder = self.workshop.copy()?;
            copy(place, folder, self.limits.source_bytes, cancel).await.map(Arc::new)
        };
        let Some(copied) = copied else { return Ok(Medium::of_copy(fetch().await?)) };
        let cell = self.copy_cell(copied);
        let fetched = cell.get_or_try_init(fetch).await?;
        Ok(Medium::of_copy(Arc::clone(fetched)))
    }

    /// Opens a medium that a call names beside its source, the API's `MediaInputInfo` as checked, and looks into it.
    pub(crate) async fn open_input(&self, job: &Job, input: &Value) -> Result<(Medium, MediaInfo)> {
        let unreadable = |e| Error::internal("the stored input cannot be read").because(e);
        let input = MediaInputInfo::deserialize(input).map_err(unreadable)?;
        let place = storage::input(&*self.buckets, job.task.account, &input).await?;
        let cancel = job.lease.cancelled();
        let medium = self.open(&place, None, Use::Stretches, &cancel).await?;
        let info = self.look(&medium, &cancel).await?;
        Ok((medium, info))
    }

    /// Brings an extra file of a plan into the folder of its step.
    pub(crate) async fn fetch(
        &self,
        account: i64,
        wanted: &plan::Fetch,
        folder: &Path,
        cancel: &CancellationToken,
    ) -> Result<()> {
        let path = folder.join(&wanted.file);
        if let Some(parent) = path.parent() {
            let failed = |e| Error::internal("cannot make a folder for an extra file").because(e);
            tokio::fs::create_dir_all(parent).await.map_err(failed)?;
        }
        let place = match &wanted.from {
            plan::Extra::Text(text) => {
                let failed = |e| Error::internal("cannot write an extra file of a step").because(e);
                return tokio::fs::write(&path, text).await.map_err(failed);
            }
            plan::Extra::Asset(key) => Place::of(self.buckets.assets(), key.clone()),
            plan::Extra::Input(input) => {
                let unreadable = |e| Error::internal("the stored input cannot be read").because(e);
                let input = MediaInputInfo::deserialize(input).map_err(unreadable)?;
                storage::input(&*self.buckets, account, &input).await?
            }
        };
        let fetched = medium::fetch(&place, &path, wanted.most_bytes, cancel).await;
        fetched.map(drop).map_err(|error| error.about(&wanted.name))
    }

    fn check_size(&self, size_bytes: u64) -> Result<()> {
        let limit = self.limits.source_bytes;
        match size_bytes {
            0 => Err(Error::invalid("the source is empty")),
            size if size > limit => {
                Err(Error::invalid(format!("the source has {size} bytes, more than the {limit} allowed")))
            }
            _ => Ok(()),
        }
    }

    fn copy_cell(&self, what: Copied) -> Arc<OnceCell<Arc<Copy>>> {
        let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        copies.retain(|other, copy| *other == what || copy.is_kept(now));
        let copy = copies.entry(what).or_insert_with(|| Kept { cell: Arc::default(), used: now });
        copy.used = now;
        Arc::clone(&copy.cell)
    }

    /// Gives up the copies that no step has asked for lately.
    pub fn forget_copies(&self) {
        let now = Instant::now();
        let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        copies.retain(|_, copy| copy.is_kept(now));
    }

    /// Looks into an open medium, unless somebody did and it cannot have changed.
    pub(crate) async fn look(&self, medium: &Medium, cancel: &CancellationToken) -> Result<MediaInfo> {
        match medium.lasting_file() {
            Some(file) => self.looks.look(file, self.look_now(medium, cancel)).await,
            None => self.look_now(medium, cancel).await,
        }
    }

    async fn look_now(&self, medium: &Medium, cancel: &CancellationToken) -> Result<MediaInfo> {
        let options =
            ProbeOptions { limits: self.limits.probe, cancel: cancel.clone(), ..ProbeOptions::default() };
        let looked = mps_ffmpeg::probe(&self.tools, &medium.source, &options).await;
        if let Some(broken) = medium.broken() {
            return Err(broken);
        }
        let mut info = looked?;
        info.size_bytes = medium.size_bytes;
        Ok(info)
    }

    /// Looks into a source that lies on this machine, so that it is known when a step asks.
    pub(crate) async fn look_ahead(&self, account: i64, input: &MediaInputInfo) -> Result<()> {
        let place = storage::input(&*self.buckets, account, input).await?;
        if !place.store.is_local() {
            return Ok(());
        }
        let cancel = CancellationToken::new();
        let medium = self.open(&place, None, Use::Stretches, &cancel).await?;
        self.look(&medium, &cancel).await.map(drop)
    }

    /// Looks into a file that a run has written.
    pub(crate) async fn look_at_output(&self, path: &Path, cancel: &CancellationToken) -> Result<MediaInfo> {
        let options =
            ProbeOptions { limits: self.limits.probe, cancel: cancel.clone(), ..ProbeOptions::default() };
        let source = SourceRef::File(path.to_owned());
        mps_ffmpeg::probe(&self.tools, &source, &options).await.map_err(|error| match error.kind() {
            Kind::InvalidInput | Kind::NotFound => Error::internal("the run left a file that cannot be read")
                .with_retry(Retry::Never)
                .because(error),
            _ => error,
        })
    }
}

/// Makes one text in a step's folder of another.
pub(crate) async fn convert(convert: &plan::Convert, folder: &Path) -> Result<()> {
    let failed = |what: &'static str| move |e| Error::internal(what).because(e);
    let text = tokio::fs::read(folder.join(&convert.from)).await.map_err(failed("cannot read a text"))?;
    let font = match convert.font() {
        Some(file) => Some(tokio::fs::read(folder.join(file)).await.map_err(failed("cannot read a font"))?),
        None => None,
    };
    let (wanted, to) = (convert.clone(), folder.join(&convert.to));
    let made = tokio::task::spawn_blocking(move || wanted.bytes(&text, font.as_deref())).await;
    let made = made.map_err(|e| Error::internal("the conversion of a text broke off").because(e))??;
    tokio::fs::write(to, made).await.map_err(failed("cannot write a text"))
}
