//! The features that this build can do, and how each is bound to its planner.

mod transcode;

use std::sync::Arc;

use mps_media::plan::Build;
use mps_tasks::Executor;
use tokio::sync::watch;

use crate::feature::FeatureExecutor;
use crate::kit::Kit;
use crate::source::SourceExecutor;

/// What the tools can do; filled a moment after the start.
pub type BuildCell = watch::Receiver<Option<Arc<Build>>>;

/// An executor for each kind of step.
pub fn executors(kit: &Arc<Kit>, build: &BuildCell) -> Vec<Arc<dyn Executor>> {
    vec![
        Arc::new(SourceExecutor::new(Arc::clone(kit))),
        Arc::new(FeatureExecutor::new(Arc::clone(kit), transcode::Transcode::new(build.clone()))),
    ]
}
