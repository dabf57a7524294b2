//! The parts of a process, each made once from the configuration.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use mps_api::bucket_door::{BucketDoorLimits, BucketDoorParts};
use mps_api::{BucketNames, Hooks, Regions, ToolsCell};
use mps_backends::guard::{Guard, Policy, Timeouts};
use mps_backends::keys::{Client, Patience};
use mps_backends::notify;
use mps_backends::objects::local::{Grace, LocalBuckets};
use mps_backends::relay::Relay;
use mps_core::clock::{Clock, SystemClock};
use mps_core::task::Rules;
use mps_core::{Error, MediaInfo, Result};
use mps_ffmpeg::{CapabilityService, ToolPaths, Tools};
use mps_media::plan::Build;
use mps_store::Store;
use mps_tasks::{Engine, EngineOptions, LocalBell, OutboxOptions, Sender, WorkerOptions};
use mps_wire::types::MediaInputInfo;
use mps_work::{BuildCell, Kit, Prober, UrlSender, Words, WorkLimits, Workshop};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::stores::Stores;
use crate::config::Config;
use crate::metrics::{Metrics, Now};
use crate::{local, tools};

/// Text of the metrics, made anew at each call.
pub(super) type MetricsText = Arc<dyn Fn() -> BoxFuture<'static, String> + Send + Sync>;

/// What a process is made of.
pub(super) struct Parts {
    pub(super) store: Store,
    pub(super) engine: Engine,
    pub(super) kit: Arc<Kit>,
    pub(super) build: BuildCell,
    pub(super) local: LocalBuckets,
    pub(super) metrics_text: MetricsText,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    guard: Guard,
    tools_cell: ToolsCell,
    known: watch::Sender<Option<Arc<Build>>>,
    cache: std::path::PathBuf,
}

impl Parts {
    pub(super) async fn open(config: &Config) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let node = node()?;
        let store = local::open(config).await?;
        let tools = Tools::discover(&ToolPaths { spares: SPARES, ..tools::paths(config) })?;
        let guard = guard(config)?;
        let local = LocalBuckets::open(&config.data, store.clone(), Arc::clone(&clock), node).await?;
        let words = Arc::new(Words::new(Arc::clone(&clock)));
        let bell = Arc::new(LocalBell::default());
        let engine = Engine::new(store.clone(), Arc::clone(&clock), bell, words, engine_options(config));
        let work = std::path::absolute(config.data.join("work")).map_err(|e| nowhere(config).because(e))?;
        let workshop = Workshop::open(&work, &format!("{}-{node}", std::process::id()))?;
        let stores = Stores::new(config, local.clone(), guard.clone());
        let limits = WorkLimits {
            run: tools::step_limits(config),
            probe: tools::probe_limits(config),
            source_bytes: config.limits.source_bytes,
        };
        let relay = Relay::start().await?;
        let within = Duration::from_secs(config.network.key_server_timeout_s.into());
        let keys = Client::new(guard.clone(), Patience { within, ..Patience::default() });
        let kit = Arc::new(Kit::new(tools, workshop, Arc::new(stores), relay, keys, limits));
        let metrics = Arc::new(Metrics::default());
        let metrics_text = {
            let (metrics, engine, kit) = (Arc::clone(&metrics), engine.clone(), Arc::clone(&kit));
            Arc::new(move || {
                let (metrics, engine, kit) = (Arc::clone(&metrics), engine.clone(), Arc::clone(&kit));
                async move { metrics.text(now(&engine, &kit.tools).await) }.boxed()
            })
        };
        let (known, build) = watch::channel(None);
        Ok(Self {
            store,
            engine,
            kit,
            build,
            local,
            metrics_text,
            metrics,
            clock,
            guard,
            tools_cell: ToolsCell::default(),
            known,
            cache: config.data.join("cache"),
        })
    }

    /// Begins to find out what the media tools can do; the API and the workers wait for it.
    pub(super) fn examine_tools(&self) {
        let service = CapabilityService::start(self.kit.tools.clone(), self.cache.clone());
        let (cell, known) = (self.tools_cell.clone(), self.known.clone());
        let found_tools = self.kit.tools.clone();
        tokio::spawn(async move {
            match service.wait().await {
                Ok(found) => {
                    let build = tools::build(&found_tools, &found);
                    cell.fill(build.clone());
                    known.send_replace(Some(Arc::new(build)));
                    tracing::info!(version = %found.version, "media tools examined");
                }
                Err(error) => tracing::error!(error = error.chain(), "the media tools cannot be used"),
            }
        });
    }

    /// What the API is made of; `buckets` is where the bucket door listens.
    pub(super) fn api(&self, config: &Config, buckets: SocketAddr) -> Result<mps_api::Parts> {
        let answered = {
            let metrics = Arc::clone(&self.metrics);
            Arc::new(move |call: &mps_api::Answered| metrics.answered(call.action, &call.code, call.elapsed))
        };
        let metrics = config.metrics.listen.is_none().then(|| Arc::clone(&self.metrics_text));
        Ok(mps_api::Parts {
            store: self.store.clone(),
            local: self.local.clone(),
            engine: self.engine.clone(),
            clock: Arc::clone(&self.clock),
            regions: Regions::new(&config.region, config.region_aliases.clone()),
            bucket_names: bucket_names(config, buckets)?,
            limits: api_limits(config),
            tools: self.tools_cell.clone(),
            prober: Arc::new(ApiProber {
                prober: Prober::new(Arc::clone(&self.kit)),
                works_here: config.workers.enabled,
            }),
            guard: self.guard.clone(),
            hooks: Hooks { metrics, answered: Some(answered), ..Hooks::default() },
        })
    }

    /// What the bucket door is made of.
    pub(super) fn door(&self, config: &Config) -> BucketDoorParts {
        BucketDoorParts {
            store: self.store.clone(),
            buckets: self.local.clone(),
            clock: Arc::clone(&self.clock),
            regions: Regions::new(&config.region, config.region_aliases.clone()),
            domains: config.buckets.domains.clone(),
            limits: BucketDoorLimits {
                object_bytes: config.limits.object_bytes,
                ..BucketDoorLimits::default()
            },
        }
    }

    /// What callbacks leave by.
    pub(super) fn sender(&self, config: &Config) -> Arc<dyn Sender> {
        let within = Duration::from_secs(config.network.callback_timeout_s.into());
        Arc::new(UrlSender::new(
            notify::url::Sender::new(self.guard.clone(), within),
            Arc::clone(&self.clock),
        ))
    }
}

/// Gives the API a prober; the API must not know the crate that has it.
struct ApiProber {
    prober: Prober,
    /// Whether a worker of this process may get what was looked into.
    works_here: bool,
}

#[async_trait]
impl mps_api::Prober for ApiProber {
    async fn probe(&self, account: i64, source: &MediaInputInfo, at_most: Duration) -> Result<MediaInfo> {
        self.prober.probe(account, source, at_most).await
    }

    fn expect(&self, account: i64, source: &MediaInputInfo) {
        if self.works_here {
            self.prober.look_ahead(account, source);
        }
    }
}

/// Now and then removes what nobody needs any more.
pub(super) async fn keep_house(kit: Arc<Kit>, local: LocalBuckets, stopped: CancellationToken) {
    loop {
        if let Err(error) = local.sweep(Grace::default()).await {
            tracing::warn!(error = error.chain(), "cannot sweep the local buckets");
        }
        kit.forget_copies();
        tokio::select! {
            () = tokio::time::sleep(SWEEP_EVERY) => {}
            () = stopped.cancelled() => return,
        }
    }
}

/// A task starts two programs soon after another: one looks into its source, one encodes.
const SPARES: usize = 2;
const SWEEP_EVERY: Duration = Duration::from_mins(1);

pub(super) fn worker_options(config: &Config) -> WorkerOptions {
    let workers = &config.workers;
    WorkerOptions {
        slots: workers.slots(),
        lease_ms: u64::from(workers.lease_s) * 1000,
        heartbeat_ms: u64::from(workers.heartbeat_s) * 1000,
        poll_ms: workers.poll_ms.into(),
        grace_ms: u64::from(workers.grace_s) * 1000,
        ..WorkerOptions::default()
    }
}

pub(super) fn outbox_options(config: &Config) -> OutboxOptions {
    // The sender's own limit tells more than the outbox's, so it comes first.
    let attempt_ms = u64::from(config.network.callback_timeout_s) * 1000 + 5_000;
    OutboxOptions { attempt_ms, ..OutboxOptions::default() }
}

fn engine_options(config: &Config) -> EngineOptions {
    let max_attempts = config.workers.max_attempts.into();
    EngineOptions { rules: Rules { max_attempts, ..Rules::default() } }
}

fn api_limits(config: &Config) -> mps_api::Limits {
    let limits = &config.limits;
    mps_api::Limits {
        requests_per_second: limits.requests_per_second,
        requests_at_once: limits.requests_at_once as usize,
        tasks_per_account: limits.tasks_per_account,
        request_bytes: usize::try_from(limits.request_bytes).unwrap_or(usize::MAX),
        query_bytes: usize::try_from(limits.query_bytes).unwrap_or(usize::MAX),
        probe_timeout: Duration::from_secs(limits.probe_s),
        ..mps_api::Limits::default()
    }
}

fn guard(config: &Config) -> Result<Guard> {
    let timeouts = Timeouts {
        connect: Duration::from_secs(config.network.connect_timeout_s.into()),
        idle: Duration::from_secs(config.network.read_timeout_s.into()),
    };
    Guard::new(Policy::parse(&config.network.allow_private)?, timeouts)
}

fn bucket_names(config: &Config, buckets: SocketAddr) -> Result<BucketNames> {
    let unreadable = |e| Error::invalid("buckets.public_url cannot be read").because(e);
    let own = Url::parse(&format!("http://{buckets}")).map_err(unreadable)?;
    let public = config.buckets.public_url.as_deref().map(Url::parse).transpose().map_err(unreadable)?;
    Ok(BucketNames {
        domains: config.buckets.domains.clone(),
        endpoints: std::iter::once(own).chain(public).collect(),
        has_outside: config.cos.endpoint_url.is_some(),
        has_s3_keys: config.aws.access_key_id.is_some() && config.aws.secret_access_key.is_some(),
    })
}

/// A number that two processes on one database hardly share; their ids differ by it.
fn node() -> Result<u16> {
    let mut bytes = [0_u8; 2];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::internal(format!("the system gives no random numbers: {e}")))?;
    Ok(u16::from_le_bytes(bytes) % 512)
}

/// The state of the house for a scrape; what cannot be counted shows as nothing.
async fn now(engine: &Engine, tools: &Tools) -> Now {
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let counts = engine.counts().await.unwrap_or_else(|error| {
        tracing::warn!(error = error.chain(), "cannot count the queue");
        mps_tasks::Counts::default()
    });
    Now {
        ready: counts.ready,
        delayed: counts.delayed,
        running: counts.running,
        callbacks: counts.callbacks,
        waiting_writes: number(engine.store().waiting_writes()),
        children: number(tools.children().count()),
    }
}

fn nowhere(config: &Config) -> Error {
    Error::internal(format!("cannot find the data folder {}", config.data.display()))
}
