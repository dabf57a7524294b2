//! The system's own templates, as data.

pub mod adaptive_dynamic_streaming;
pub mod ai_analysis;
pub mod ai_recognition;
pub mod content_review;
pub mod live_record;
pub mod quality_control;
pub mod schedules;
pub mod smart_erase;
pub mod smart_subtitle;
pub mod snapshots;
pub mod subtitle_embed;
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
    /// Its comment; mostly empty.
    pub comment: String,
    /// When it was made, as printed.
    pub create_time: String,
    /// When it was changed, as printed.
    pub update_time: String,
    /// What it asks for, in the API's words.
    pub body: Value,
}

impl Preset {
    /// A preset that was made and changed at one time, without a second name.
    pub(crate) fn new(definition: i64, name: &str, time: &str, body: Value) -> Self {
        Self {
            definition,
            name: name.to_owned(),
            alias: String::new(),
            comment: String::new(),
            create_time: time.to_owned(),
            update_time: time.to_owned(),
            body,
        }
    }

    /// The same with a second name, which the API prints in English.
    pub(crate) fn alias(self, alias: &str) -> Self {
        Self { alias: alias.to_owned(), ..self }
    }

    /// The same, changed at another time.
    pub(crate) fn updated(self, time: &str) -> Self {
        Self { update_time: time.to_owned(), ..self }
    }
}
