//! The system's own templates, as data.

pub mod transcode;

use serde_json::Value;

/// A template that every account has and nobody can change.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Its number.
    pub definition: i64,
    /// Its name.
    pub name: String,
    /// Second name; empty where there is none.
    pub alias: String,
    /// When it was made, as printed.
    pub create_time: String,
    /// When it was changed, as printed.
    pub update_time: String,
    /// What it asks for, in the API's words.
    pub body: Value,
}
