//! The actions of the API, one file each, in families; a family lists its own. What is the same work for many
//! families is one file for all.

use crate::dispatch::Entry;

mod media;
mod tasks;
mod templates;
mod watermark_templates;

/// The families' lists.
pub(crate) static FAMILIES: &[&[Entry]] =
    &[media::ACTIONS, tasks::ACTIONS, templates::ACTIONS, watermark_templates::ACTIONS];
