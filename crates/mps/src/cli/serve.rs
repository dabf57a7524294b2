//! `mps serve` and `mps worker`.

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Args;
use mps_core::crash;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Local;
use crate::config::Config;
use crate::shutdown::Shutdown;
use crate::{logging, wire_up};

/// Run the server: API, buckets and workers in one process.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    local: Local,
    /// Where the API listens
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

/// Run workers alone, on the database of a server elsewhere.
#[derive(Debug, Args)]
pub(super) struct Worker {
    #[command(flatten)]
    local: Local,
}

impl Serve {
    pub(super) fn run(self) -> anyhow::Result<()> {
        until_stopped(self.local.load(self.listen)?, wire_up::serve)
    }
}

impl Worker {
    pub(super) fn run(self) -> anyhow::Result<()> {
        until_stopped(self.local.load(None)?, wire_up::worker)
    }
}

fn until_stopped<F>(config: Config, run: impl FnOnce(Config, Shutdown) -> F) -> anyhow::Result<()>
where
    F: Future<Output = mps_core::Result<()>>,
{
    if !config.faults.crash_point.is_empty() {
        crash::arm(&config.faults.crash_point, die);
    }
    // Traces are sent by a thread of their own, which must outlive the runtime and not be started inside it.
    let _logging = logging::start(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("mps")
        .build()
        .context("cannot start the runtime")?;
    let ended = runtime.block_on(async {
        let shutdown = Shutdown::on_signals().context("cannot listen to signals")?;
        let now = shutdown.now.clone();
        tokio::select! {
            ended = run(config, shutdown) => ended.map_err(|error| anyhow::anyhow!(error.chain())),
            () = now.cancelled() => Ok(()),
        }
    });
    // What still runs after a stop is cut off: the leases see to it that it runs again.
    runtime.shutdown_background();
    ended
}

/// Ends the process as the kernel does when memory is short: nothing is flushed, closed or told.
fn die() {
    let _ = kill(Pid::this(), Signal::SIGKILL);
    loop {
        std::thread::park();
    }
}
