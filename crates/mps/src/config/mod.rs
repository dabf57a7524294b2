//! The configuration: defaults, a TOML file, the environment, flags, each outranking the one before.
//!
//! This module is the only reader of the environment. Unknown keys are errors with a suggestion, wherever they stand.

pub mod check;
pub mod document;
pub mod environment;
pub mod print;
pub mod section;
pub mod sections;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use mps_core::{Error, Result};

use section::section;
use sections::{
    Aws, Buckets, Cos, Database, Faults, Limits, Log, Metrics, Network, Telemetry, Tools, Workers,
};

section! {
    /// The whole configuration.
    pub struct Config {
        /// Where the API listens; `/healthz`, `/readyz` and `/metrics` are there too.
        listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
        /// The folder that holds everything this server keeps: database, objects, tools, running jobs. Nothing is
        /// written outside of it, and a copy of it taken while the server is stopped is a whole backup. A relative
        /// path counts from the folder in which the server is started.
        data: PathBuf = PathBuf::from("data"),
        /// The region that this server stands for, as requests and buckets name it.
        region: String = "ap-guangzhou".to_owned(),
        /// Other names of regions: `{ "ap-guangzhou-2" = "ap-guangzhou" }`. The name on the left is accepted
        /// wherever a region is given, and means the one on the right.
        region_aliases: BTreeMap<String, String> = BTreeMap::new(),
    }
    tables {
        /// `[buckets]`
        buckets: Buckets,
        /// `[network]`
        network: Network,
        /// `[workers]`
        workers: Workers,
        /// `[database]`
        database: Database,
        /// `[aws]`
        aws: Aws,
        /// `[cos]`
        cos: Cos,
        /// `[tools]`
        tools: Tools,
        /// `[limits]`
        limits: Limits,
        /// `[log]`
        log: Log,
        /// `[telemetry]`
        telemetry: Telemetry,
        /// `[metrics]`
        metrics: Metrics,
        /// `[faults]`
        faults: Faults,
    }
}

/// What the command line says about the configuration.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// The file; without it the one that `MPS_CONFIG` names, else none.
    pub file: Option<PathBuf>,
    /// `data`.
    pub data: Option<PathBuf>,
    /// `listen`.
    pub listen: Option<SocketAddr>,
}

impl Config {
    /// Reads the configuration of this process.
    pub fn load(flags: &Flags) -> Result<Self> {
        let variables = environment::variables();
        let named = variables.iter().find(|(name, _)| name == environment::FILE).map(|(_, path)| path.into());
        let file = flags.file.clone().or(named);
        let text = file.as_deref().map(read).transpose()?;
        let source = file.as_deref().zip(text.as_deref());
        let mut config = Self::from_parts(source, &variables)?;
        if let Some(data) = &flags.data {
            config.data.clone_from(data);
        }
        if let Some(listen) = flags.listen {
            config.listen = listen;
        }
        check::check(&config)?;
        Ok(config)
    }

    /// The configuration from a file's name and text and from `MPS_…` variables; ranges are not looked at yet.
    pub fn from_parts(file: Option<(&Path, &str)>, variables: &[(String, String)]) -> Result<Self> {
        let mut table = match file {
            Some((path, text)) => document::parse(path, text)?,
            None => toml::Table::new(),
        };
        environment::overlay(&mut table, variables)?;
        serde_path_to_error::deserialize(toml::Value::Table(table)).map_err(|error| {
            let path = error.path().to_string();
            let variable = environment::name_of(&path);
            let place = if variables.iter().any(|(name, _)| *name == variable) { variable } else { path };
            Error::invalid(format!("{place}: {}", error.inner().message()))
        })
    }

    /// Where the database is: the configured URL, or the SQLite file of the data folder.
    pub fn database_url(&self) -> String {
        match &self.database.url {
            Some(url) => url.reveal().to_owned(),
            None => format!("sqlite://{}", self.data.join("mps.db").display()),
        }
    }

    /// The folder for what only lives as long as the server: its addresses.
    pub fn run_dir(&self) -> PathBuf {
        self.data.join("run")
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| {
        Error::invalid(format!("cannot read configuration {}", path.display())).because(error)
    })
}

/// The known name most like an unknown one, if any is like it.
fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(unknown, name), name))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str, variables: &[(&str, &str)]) -> Result<Config> {
        let variables: Vec<_> = variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Config::from_parts(Some((Path::new("mps.toml"), text)), &variables)
    }

    #[test]
    fn nothing_given_means_the_defaults_of_the_contract() {
        let config = Config::from_parts(None, &[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.buckets.listen.to_string(), "127.0.0.1:8081");
        assert_eq!(config.region, "ap-guangzhou");
        assert!(config.network.allow_private.is_empty());
        assert_eq!(config.database_url(), "sqlite://data/mps.db");
    }

    #[test]
    fn a_variable_outranks_the_file() {
        let text = "[buckets]\nlisten = \"127.0.0.1:9001\"\n";
        assert_eq!(config(text, &[]).unwrap().buckets.listen.port(), 9001);
        let outranked = config(text, &[("MPS_BUCKETS__LISTEN", "127.0.0.1:9002")]).unwrap();
        assert_eq!(outranked.buckets.listen.port(), 9002);
    }

    #[test]
    fn a_wrong_value_names_where_it_came_from() {
        let in_file = config("[workers]\nslots = \"many\"\n", &[]).unwrap_err().to_string();
        assert!(in_file.starts_with("mps.toml:2:9: workers.slots: "), "{in_file}");
        let in_variable = config("", &[("MPS_BUCKETS__LISTEN", "nowhere")]).unwrap_err().to_string();
        assert!(in_variable.starts_with("MPS_BUCKETS__LISTEN: "), "{in_variable}");
    }
}
