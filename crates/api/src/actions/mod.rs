//! The actions of the API, one file each, in families; a family lists its own.

use crate::dispatch::Entry;

mod media;
mod tasks;
mod transcode_templates;

/// The families' lists.
pub(crate) static FAMILIES: &[&[Entry]] = &[media::ACTIONS, tasks::ACTIONS, transcode_templates::ACTIONS];
