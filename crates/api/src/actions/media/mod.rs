//! Starting work on media, and looking into them.

mod accept;
mod describe_media_meta_data;
mod edit_media;
pub(super) mod items;
pub(super) mod notify;
mod orchestration;
pub(crate) mod process_media;
mod session;

use crate::dispatch::Entry;

pub(super) const ACTIONS: &[Entry] = &[
    Entry::of::<process_media::ProcessMedia>(),
    Entry::of::<edit_media::EditMedia>(),
    Entry::of::<describe_media_meta_data::DescribeMediaMetaData>(),
];
