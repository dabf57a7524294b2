//! The environment: every key as `MPS_` + its path in upper case joined by `__`, and a few names of our own.

use std::ffi::OsString;

use mps_core::{Error, Result};

use super::section::{Kind, Section};
use super::{Config, nearest};

/// Names the configuration file.
pub const FILE: &str = "MPS_CONFIG";
const PREFIX: &str = "MPS_";
/// Short names that people know from other programs, and the keys they stand for.
const SHORT: [(&str, &str); 3] =
    [("MPS_FFMPEG", "tools.ffmpeg"), ("MPS_FFPROBE", "tools.ffprobe"), ("MPS_PACKAGER", "tools.packager")];

/// How a client command finds and opens a server, as far as the environment says.
#[derive(Clone, Default)]
pub struct ClientVariables {
    /// `MPS_ENDPOINT`.
    pub endpoint: Option<String>,
    /// `MPS_SECRET_ID`.
    pub secret_id: Option<String>,
    /// `MPS_SECRET_KEY`.
    pub secret_key: Option<String>,
}

impl ClientVariables {
    /// Reads them.
    pub fn read() -> Self {
        let variables = variables();
        let get = |wanted: &str| {
            variables.iter().find(|(name, value)| name == wanted && !value.is_empty()).map(|(_, v)| v.clone())
        };
        Self {
            endpoint: get("MPS_ENDPOINT"),
            secret_id: get("MPS_SECRET_ID"),
            secret_key: get("MPS_SECRET_KEY"),
        }
    }
}

/// The `MPS_…` variables of this process; those that are not Unicode are left out.
pub fn variables() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect()
}

/// Whether the terminal, if there is one, wants no colour and no moving bars.
#[expect(clippy::disallowed_methods, reason = "this is the module that reads the environment")]
pub fn plain_terminal() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|value| value == "dumb")
}

/// The folders in which programs are looked for, `PATH`.
#[expect(clippy::disallowed_methods, reason = "this is the module that reads the environment")]
pub fn search_path() -> Option<OsString> {
    std::env::var_os("PATH")
}

/// The variable of a key: `buckets.listen` → `MPS_BUCKETS__LISTEN`.
pub fn name_of(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "__").to_uppercase())
}

/// Puts the variables over a table. A name with `__` that is no key is an error with a suggestion; other `MPS_…`
/// names belong to other programs or to the client commands and are left alone.
pub fn overlay(table: &mut toml::Table, variables: &[(String, String)]) -> Result<()> {
    let known = known();
    let short = variables.iter().filter_map(|variable| {
        SHORT.iter().find(|(name, _)| *name == variable.0).map(|(_, path)| (*path, variable))
    });
    for (path, (name, value)) in short {
        set(table, path, read(name, value, Kind::Path)?);
    }
    for (name, value) in variables {
        if let Some((_, path, kind)) = known.iter().find(|(known, _, _)| known == name) {
            set(table, path, read(name, value, *kind)?);
        } else if name.contains("__") {
            let like = nearest(name, known.iter().map(|(name, _, _)| name.as_str()))
                .map_or(String::new(), |like| format!("; did you mean {like}?"));
            return Err(Error::invalid(format!("unknown variable {name}{like}")));
        }
    }
    Ok(())
}

/// Every key as (variable, path, kind).
fn known() -> Vec<(String, String, Kind)> {
    let roots = Config::keys().into_iter().map(|key| (key.name.to_owned(), key.kind));
    let inner = Config::tables().into_iter().flat_map(|table| {
        table.keys.into_iter().map(move |key| (format!("{}.{}", table.name, key.name), key.kind))
    });
    roots.chain(inner).map(|(path, kind)| (name_of(&path), path, kind)).collect()
}

fn set(table: &mut toml::Table, path: &str, value: toml::Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((section, key)) => {
            let inner = table
                .entry(section.to_owned())
                .or_insert_with(|| toml::Value::Table(toml::Table::new()))
                .as_table_mut();
            if let Some(inner) = inner {
                inner.insert(key.to_owned(), value);
            }
        }
    }
}

/// A variable's text as a value: lists as `a,b` or TOML, tables as `a=b,c=d` or TOML.
fn read(name: &str, text: &str, kind: Kind) -> Result<toml::Value> {
    let text = text.trim();
    let wrong = |wanted: &str| Error::invalid(format!("{name}: \"{text}\" is not {wanted}"));
    Ok(match kind {
        Kind::Text | Kind::Secret | Kind::Word | Kind::Address | Kind::Path => text.into(),
        Kind::Integer => text.parse::<i64>().map_err(|_| wrong("a whole number"))?.into(),
        Kind::Bool => text.parse::<bool>().map_err(|_| wrong("true or false"))?.into(),
        Kind::List | Kind::Table if text.starts_with(['[', '{']) => {
            text.parse().map_err(|_| wrong("a TOML list or table"))?
        }
        Kind::List => parts(text).map(toml::Value::from).collect::<Vec<_>>().into(),
        Kind::Table => parts(text)
            .map(|pair| {
                let (key, value) = pair.split_once('=').ok_or_else(|| wrong("a list of name=value"))?;
                Ok((key.trim().to_owned(), value.trim().into()))
            })
            .collect::<Result<toml::Table>>()?
            .into(),
    })
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<Config> {
        let variables: Vec<_> = variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Config::from_parts(None, &variables)
    }

    #[test]
    fn every_kind_of_value_can_be_given() {
        let config = config(&[
            ("MPS_LISTEN", "127.0.0.1:1"),
            ("MPS_DATA", "/srv/mps"),
            ("MPS_REGION_ALIASES", "ap-guangzhou-2=ap-guangzhou, x=y"),
            ("MPS_NETWORK__ALLOW_PRIVATE", "10.0.0.0/8, minio:9000"),
            ("MPS_WORKERS__SLOTS", "3"),
            ("MPS_LOG__FORMAT", "json"),
            ("MPS_DATABASE__URL", "postgres://db/mps"),
            ("MPS_FFMPEG", "/opt/ffmpeg"),
        ])
        .unwrap();
        assert_eq!(config.listen.port(), 1);
        assert_eq!(config.region_aliases["ap-guangzhou-2"], "ap-guangzhou");
        assert_eq!(config.network.allow_private, ["10.0.0.0/8", "minio:9000"]);
        assert_eq!(config.workers.slots, 3);
        assert_eq!(config.log.format, crate::config::sections::log::Format::Json);
        assert_eq!(config.database_url(), "postgres://db/mps");
        assert_eq!(config.tools.ffmpeg.unwrap().to_str(), Some("/opt/ffmpeg"));
    }

    #[test]
    fn a_misspelt_variable_stops_the_start_with_a_suggestion() {
        let error = config(&[("MPS_BUCKETS__LISTN", "x")]).unwrap_err().to_string();
        assert_eq!(error, "unknown variable MPS_BUCKETS__LISTN; did you mean MPS_BUCKETS__LISTEN?");
    }

    #[test]
    fn variables_of_the_client_and_of_others_are_left_alone() {
        config(&[("MPS_SECRET_KEY", "x"), ("MPS_ENDPOINT", "y"), ("MPS_ELSE", "z")]).unwrap();
    }

    #[test]
    fn the_long_name_of_a_tool_outranks_the_short_one() {
        let config = config(&[("MPS_TOOLS__FFMPEG", "/long"), ("MPS_FFMPEG", "/short")]).unwrap();
        assert_eq!(config.tools.ffmpeg.unwrap().to_str(), Some("/long"));
    }
}
