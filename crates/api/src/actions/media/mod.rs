//! Starting work on media, and looking into them.

mod describe_media_meta_data;
mod items;
mod notify;
mod process_media;
mod session;

use crate::dispatch::Entry;

pub(super) const ACTIONS: &[Entry] = &[
    Entry::of::<process_media::ProcessMedia>(),
    Entry::of::<describe_media_meta_data::DescribeMediaMetaData>(),
];
