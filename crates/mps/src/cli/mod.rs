//! The command line: one file per command.
//!
//! Results go to standard output, everything else to standard error. Status 0 is success, 1 a failure (the API's own
//! code stands first on standard error when the API refused), 2 a command line that cannot be read.

mod accounts;
mod buckets;
mod call;
mod config;
mod doctor;
mod dry_run;
pub mod exec;
mod keys;
mod keyserver;
mod probe;
mod process;
mod serve;
mod tasks;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Flags};

/// Freedom MPS: a media processing service for your own machines.
#[derive(Debug, Parser)]
#[command(name = "mps", version, max_term_width = 110, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server: API, buckets and workers in one process.
    Serve(serve::Serve),
    /// Run workers alone, on the database of a server elsewhere.
    Worker(serve::Worker),
    /// Sign and send one API call and print its answer.
    Call(call::Call),
    /// Process one file: upload it if need be, start the task, wait for it, say where the results are.
    Process(process::Process),
    /// List, show or abort tasks.
    Tasks(tasks::Tasks),
    /// Say what a file or a URL holds.
    Probe(probe::Probe),
    /// Say what this machine and this configuration can do, and what is wrong with them.
    Doctor(doctor::Doctor),
    /// Make, list and revoke keys.
    Keys(keys::Keys),
    /// Make and list buckets.
    Buckets(buckets::Buckets),
    /// List, activate and deactivate accounts.
    Accounts(accounts::Accounts),
    /// Run a small key server for encrypted streams: for tests and for trying out.
    Keyserver(keyserver::Keyserver),
    /// Print or check the configuration.
    Config(config::ConfigCommand),
}

/// Which server of this machine is meant.
#[derive(Debug, Clone, Default, Args)]
pub struct Local {
    /// Configuration file [env: MPS_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data folder of the server
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Local {
    /// Whether the command line names it.
    pub fn is_given(&self) -> bool {
        self.config.is_some() || self.data.is_some()
    }

    /// The configuration of that server.
    pub fn load(&self, listen: Option<SocketAddr>) -> mps_core::Result<Config> {
        Config::load(&Flags { file: self.config.clone(), data: self.data.clone(), listen })
    }
}

/// Reads the command line and carries it out.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", sentence(&error));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(command) => command.run(),
        Command::Worker(command) => command.run(),
        Command::Call(command) => block_on(command.run()),
        Command::Process(command) => block_on(command.run()),
        Command::Tasks(command) => block_on(command.run()),
        Command::Probe(command) => block_on(command.run()),
        Command::Doctor(command) => block_on(command.run()),
        Command::Keys(command) => block_on(command.run()),
        Command::Buckets(command) => block_on(command.run()),
        Command::Accounts(command) => block_on(command.run()),
        Command::Keyserver(command) => block_on(command.run()),
        Command::Config(command) => command.run(),
    }
}

/// Runs a command that waits for others but does no work of its own.
fn block_on(future: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(future)
}

/// Prints a value as people read JSON.
fn print_json(value: &serde_json::Value) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// A time in UTC: `2026-01-31T12:00:00Z`.
fn day_and_time(at_ms: mps_core::clock::Millis) -> String {
    let form = time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    time::OffsetDateTime::from_unix_timestamp(at_ms.div_euclid(1_000))
        .ok()
        .and_then(|at| at.format(form).ok())
        .unwrap_or_default()
}

/// An error and its causes in one line, without saying anything twice.
fn sentence(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if !parts.iter().any(|said| said.contains(&text)) {
            parts.push(text);
        }
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_cause_already_said_is_not_repeated() {
        let error = anyhow::anyhow!("disk full").context("cannot write: disk full").context("no backup");
        assert_eq!(sentence(&error), "no backup: cannot write: disk full");
    }
}
