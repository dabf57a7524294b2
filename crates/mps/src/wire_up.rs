//! Builds the server and the worker from their parts, and takes them apart in order.
//!
//! Listening comes first and is quick; what the media tools can do is found out afterwards. On the way out the doors
//! close, workers bring to an end or hand back what runs, callbacks in flight are settled, and the database is closed.

mod doors;
mod parts;
mod readiness;
mod stores;

use std::sync::Arc;

use mps_core::{Error, Kind, Result};
use mps_store::Backend;
use mps_tasks::{Outbox, Worker};
use tokio::task::JoinSet;

use crate::client::discover::Endpoint;
use crate::config::Config;
use crate::shutdown::Shutdown;
use doors::Doors;
use parts::Parts;

/// API, buckets and workers in one process, until `shutdown`.
pub async fn serve(config: Config, shutdown: Shutdown) -> Result<()> {
    let _only = claim(&config)?;
    let parts = Parts::open(&config).await?;
    let doors = Doors::open(&config, &parts).await?;
    let endpoint = doors.endpoint();
    let run_dir = config.run_dir();
    endpoint
        .write(&run_dir)
        .map_err(|e| Error::internal("cannot say where the server listens").because(e))?;
    tracing::info!(api = %endpoint.api, buckets = %endpoint.buckets, data = %config.data.display(), "listening");

    if config.workers.enabled && parts.store.backend() == Backend::Sqlite {
        // The folder is ours alone, so what still runs by its rows was cut off with the server's last life.
        let taken_back = parts.engine.take_back_all().await?;
        if taken_back > 0 {
            tracing::info!(steps = taken_back, "taken up again after a stop in the middle");
        }
    }
    parts.examine_tools();
    let mut running = JoinSet::new();
    running.spawn(doors.triggers().run(shutdown.drain.clone()));
    running.spawn(doors.serve(shutdown.drain.clone()));
    if config.workers.enabled {
        spawn_worker(&mut running, &config, &parts, &shutdown);
    }
    spawn_rest(&mut running, &config, &parts, &shutdown);
    finish(running, &parts, &shutdown).await;
    Endpoint::remove(&endpoint, &run_dir);
    Ok(())
}

/// Workers alone, on the same database as a server elsewhere, until `shutdown`.
pub async fn worker(config: Config, shutdown: Shutdown) -> Result<()> {
    let parts = Parts::open(&config).await?;
    parts.examine_tools();
    let mut running = JoinSet::new();
    spawn_worker(&mut running, &config, &parts, &shutdown);
    spawn_rest(&mut running, &config, &parts, &shutdown);
    tracing::info!(slots = config.workers.slots(), "working");
    finish(running, &parts, &shutdown).await;
    Ok(())
}

fn spawn_worker(running: &mut JoinSet<()>, config: &Config, parts: &Parts, shutdown: &Shutdown) {
    let executors = mps_work::executors(&parts.kit, &parts.build);
    let worker = Worker::new(parts.engine.clone(), executors, parts::worker_options(config));
    let (tools, told) = (parts.build.clone(), told(shutdown));
    running.spawn(async move {
        if readiness::of_tools(tools, &told).await {
            worker.run(told).await;
        }
    });
}

fn spawn_rest(running: &mut JoinSet<()>, config: &Config, parts: &Parts, shutdown: &Shutdown) {
    let outbox = Outbox::new(parts.engine.clone(), parts.sender(config), parts::outbox_options(config));
    running.spawn(outbox.run(told(shutdown)));
    running.spawn(parts::keep_house(Arc::clone(&parts.kit), parts.local.clone(), shutdown.drain.clone()));
}

fn told(shutdown: &Shutdown) -> mps_tasks::Shutdown {
    mps_tasks::Shutdown { drain: shutdown.drain.clone(), now: shutdown.now.clone() }
}

/// How long media programs have to die at the very end.
const LAST_GRACE: std::time::Duration = std::time::Duration::from_secs(5);

/// Waits until all parts have ended, or for the second signal.
async fn finish(mut running: JoinSet<()>, parts: &Parts, shutdown: &Shutdown) {
    while let Some(ended) = running.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a part of the server ended badly; stopping");
            shutdown.drain.cancel();
        }
    }
    parts.kit.tools.children().kill_all(LAST_GRACE).await;
    parts.store.close().await;
    tracing::info!("stopped");
}

/// Holds the data folder for this server; a second one on the same folder would take the same ports and files.
fn claim(config: &Config) -> Result<std::fs::File> {
    let dir = config.run_dir();
    let failed =
        |e| Error::internal(format!("cannot lock the data folder {}", config.data.display())).because(e);
    crate::local::make_folder(config)?;
    std::fs::create_dir_all(&dir).map_err(failed)?;
    let lock = std::fs::File::create(dir.join("server.lock")).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(Error::new(
            Kind::Conflict,
            format!("another server is running on the data folder {}", config.data.display()),
        )),
        Err(std::fs::TryLockError::Error(e)) => Err(failed(e)),
    }
}
