//! Capabilities in the background: a server listens first and tries its encoders afterwards.

use std::path::PathBuf;
use std::sync::Arc;

use mps_core::{Error, Result};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Capabilities;
use crate::Tools;

/// Holds the capabilities once they are known. Dropping it stops the trials.
#[derive(Debug)]
pub struct CapabilityService {
    known: watch::Receiver<Option<Known>>,
    task: JoinHandle<()>,
}

type Known = Result<Arc<Capabilities>, String>;

impl CapabilityService {
    /// Begins to find out what ffmpeg can do; returns at once. Results are kept in `folder`, and taken from there
    /// while the program is the same.
    pub fn start(tools: Tools, folder: PathBuf) -> Self {
        let (tell, known) = watch::channel(None);
        let task = tokio::spawn(async move {
            let known = find_out(&tools, folder).await;
            if let Err(why) = &known {
                tracing::error!(error = %why.chain(), "cannot find out what ffmpeg can do");
            }
            tell.send_replace(Some(known.map(Arc::new).map_err(|why| why.chain())));
        });
        Self { known, task }
    }

    /// What is known by now, without waiting.
    pub fn now(&self) -> Option<Arc<Capabilities>> {
        self.known.borrow().as_ref().and_then(|known| known.as_ref().ok().cloned())
    }

    /// Waits until the trials are over.
    pub async fn wait(&self) -> Result<Arc<Capabilities>> {
        let failed = || Error::unavailable("cannot find out what ffmpeg can do");
        let mut known = self.known.clone();
        let known = known.wait_for(Option::is_some).await.map_err(|_| failed())?;
        match known.as_ref() {
            Some(Ok(known)) => Ok(Arc::clone(known)),
            Some(Err(why)) => Err(failed().with("why", why)),
            None => Err(failed()),
        }
    }
}

impl Drop for CapabilityService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn find_out(tools: &Tools, folder: PathBuf) -> Result<Capabilities> {
    let (at, of) = (folder.clone(), tools.clone());
    let cached = tokio::task::spawn_blocking(move || Capabilities::cached(&of, &at)).await;
    if let Ok(Some(cached)) = cached {
        return Ok(cached);
    }
    let found = Capabilities::try_all(tools).await?;
    let kept = found.clone();
    let keeping = tokio::task::spawn_blocking(move || kept.keep(&folder)).await;
    if let Ok(Err(why)) = keeping {
        // Next time it is tried again; that costs a second and breaks nothing.
        tracing::warn!(error = %why.chain(), "what ffmpeg can do is not kept");
    }
    Ok(found)
}
