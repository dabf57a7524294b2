//! `mps config`: print the defaults, print the reference, check a file.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::config::{Config, Flags, print};

/// Print or check the configuration.
#[derive(Debug, Args)]
pub(super) struct ConfigCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print a commented file with every key and its default.
    PrintDefault,
    /// Print the page of the reference.
    Reference,
    /// Check a file together with the environment, as `mps serve` would.
    Check {
        /// The file; without it the one that MPS_CONFIG names, else the environment alone
        file: Option<PathBuf>,
    },
}

impl ConfigCommand {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self.what {
            What::PrintDefault => print!("{}", print::default_file()),
            What::Reference => print!("{}", print::reference()),
            What::Check { file } => {
                let config = Config::load(&Flags { file: file.clone(), ..Flags::default() })?;
                let name = file.map_or("configuration".to_owned(), |file| file.display().to_string());
                println!("{name}: good; API on {}, data in {}", config.listen, config.data.display());
            }
        }
        Ok(())
    }
}
