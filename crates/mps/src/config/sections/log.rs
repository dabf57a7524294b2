//! `[log]`: what is said, and how.

use crate::config::section::{Kind, Shown, section};

section! {
    /// The log, on standard error.
    pub struct Log {
        /// `text` for people, `json` for machines, `auto`: text on a terminal, JSON otherwise.
        format: Format = Format::Auto,
        /// What is said: `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,mps_tasks=debug`.
        level: String = "info".to_owned(),
    }
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Shown for Format {
    const KIND: Kind = Kind::Word;
}
