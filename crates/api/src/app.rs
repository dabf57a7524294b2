//! What the API works with: plain values and the parts of the house, handed in once at the start.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use mps_backends::guard::Guard;
use mps_backends::objects::local::LocalBuckets;
use mps_core::clock::Clock;
use mps_store::Store;
use mps_tasks::Engine;
use tokio::sync::Semaphore;

use crate::assets::Assets;
use crate::buckets::{BucketNames, Buckets};
use crate::keys::Keys;
use crate::limits::{Limits, Rates};
use crate::prober::Prober;
use crate::regions::Regions;
use crate::templates::Templates;
use crate::tools::ToolsCell;

/// Everything an [`App`] is made of.
pub struct Parts {
    /// The durable state.
    pub store: Store,
    /// The local buckets, one of which holds the files that templates bring.
    pub local: LocalBuckets,
    /// Where tasks are given to.
    pub engine: Engine,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Regions and their aliases.
    pub regions: Regions,
    /// Names under which buckets are reached.
    pub bucket_names: BucketNames,
    /// Sizes, times and rates.
    pub limits: Limits,
    /// What the media tools can do; may be filled after the start.
    pub tools: ToolsCell,
    /// Looks into media on demand.
    pub prober: Arc<dyn Prober>,
    /// Which addresses inputs and callbacks may reach.
    pub guard: Guard,
    /// What the binary wants to know and to tell.
    pub hooks: Hooks,
}

/// Writes the text of `/metrics`.
pub type MetricsText = Arc<dyn Fn() -> BoxFuture<'static, String> + Send + Sync>;
/// Says why calls cannot be taken now, if so.
pub type NotReady = Arc<dyn Fn() -> Option<String> + Send + Sync>;
/// Hears of each answered call.
pub type OnAnswered = Arc<dyn Fn(&Answered) + Send + Sync>;

/// What the binary wants to know and to tell; each may be left out.
#[derive(Clone, Default)]
pub struct Hooks {
    /// The text of `/metrics`.
    pub metrics: Option<MetricsText>,
    /// Why the server is not ready to take calls, beyond what the API knows itself.
    pub not_ready: Option<NotReady>,
    /// Called after each call with what became of it.
    pub answered: Option<OnAnswered>,
}

/// What became of a call.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The action, or `unknown`; never a name that only a caller made up.
    pub action: &'static str,
    /// The error's code; empty on success.
    pub code: Cow<'static, str>,
    /// The caller, once the signature was checked.
    pub account: Option<i64>,
    /// From the first byte to the answer.
    pub elapsed: Duration,
}

/// The API's state, shared by all calls.
pub struct App {
    pub(crate) store: Store,
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) regions: Arc<Regions>,
    pub(crate) buckets: Buckets,
    pub(crate) assets: Assets,
    pub(crate) keys: Keys,
    pub(crate) templates: Templates,
    pub(crate) limits: Limits,
    pub(crate) rates: Rates,
    pub(crate) gate: Semaphore,
    pub(crate) tools: ToolsCell,
    pub(crate) prober: Arc<dyn Prober>,
    pub(crate) guard: Guard,
    pub(crate) hooks: Hooks,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts { store, local, engine, clock, regions, bucket_names, limits, tools, prober, guard, hooks } =
            parts;
        let regions = Arc::new(regions);
        let assets = Assets::new(local, Arc::clone(&regions), &bucket_names.endpoints);
        let buckets = Buckets::new(store.clone(), Arc::clone(&clock), Arc::clone(&regions), bucket_names);
        Arc::new(Self {
            buckets,
            assets,
            keys: Keys::new(store.clone(), Arc::clone(&clock)),
            templates: Templates::new(store.clone(), Arc::clone(&clock)),
            rates: Rates::new(limits.requests_per_second),
            gate: Semaphore::new(limits.requests_at_once),
            store,
            engine,
            clock,
            regions,
            limits,
            tools,
            prober,
            guard,
            hooks,
        })
    }

    /// Why calls cannot be answered now; `None` when they can.
    pub async fn not_ready(&self) -> Option<String> {
        let asked = tokio::time::timeout(Duration::from_secs(5), self.store.ping()).await;
        if !matches!(asked, Ok(Ok(()))) {
            return Some("the database does not answer".to_owned());
        }
        if self.tools.known().is_none() {
            return Some("the media tools are being examined".to_owned());
        }
        self.hooks.not_ready.as_ref().and_then(|why| why())
    }
}
