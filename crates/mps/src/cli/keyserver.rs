//! `mps keyserver`: keys and licences for streams encrypted on this machine.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use mps_core::Secret;

use crate::keyserver::{KeyServer, Seed, router};
use crate::shutdown::Shutdown;

/// Run a small key server for encrypted streams: for tests and for trying out.
///
/// It answers SPEKE at /speke, licences of ClearKey at /clearkey and single keys at /key/KID, to everybody who
/// reaches it: it is no licence server for content that must be protected.
#[derive(Debug, Args)]
pub(super) struct Keyserver {
    /// Where it listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7790")]
    listen: SocketAddr,
    /// The file with the text that all keys follow from; made if it is not there
    #[arg(long, value_name = "FILE")]
    seed_file: PathBuf,
    /// A file with a ticket, which questions for keys must then have in their URL: /speke?ticket=…
    #[arg(long, value_name = "FILE")]
    ticket_file: Option<PathBuf>,
}

impl Keyserver {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let seed = Seed::of_file(&self.seed_file)?;
        let ticket = self.ticket_file.as_deref().map(ticket).transpose()?;
        let shutdown = Shutdown::on_signals().context("cannot listen to signals")?;
        let listener = tokio::net::TcpListener::bind(self.listen)
            .await
            .with_context(|| format!("cannot listen on {}", self.listen))?;
        println!("http://{}", listener.local_addr()?);
        let stopped = async move { shutdown.drain.cancelled().await };
        axum::serve(listener, router(KeyServer { seed, ticket }))
            .with_graceful_shutdown(stopped)
            .await
            .context("the key server ended")
    }
}

fn ticket(path: &std::path::Path) -> anyhow::Result<Secret> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = text.trim();
    anyhow::ensure!(!text.is_empty(), "{} holds no ticket", path.display());
    Ok(Secret::new(text))
}
