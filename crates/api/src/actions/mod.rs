//! The actions of the API, one file each, in families; a family lists its own. What is the same work for many
//! families is one file for all.

use crate::dispatch::Entry;

mod hotwords;
pub(crate) mod media;
pub(crate) mod schedules;
mod tasks;
mod templates;
mod watermark_templates;
mod word_samples;

/// The families' lists.
pub(crate) static FAMILIES: &[&[Entry]] = &[
    hotwords::ACTIONS,
    media::ACTIONS,
    schedules::ACTIONS,
    tasks::ACTIONS,
    templates::ACTIONS,
    watermark_templates::ACTIONS,
    word_samples::ACTIONS,
];
