//! Templates for transcoding. Presets are read by everybody and changed by nobody.

mod create_transcode_template;
mod delete_transcode_template;
mod describe_transcode_templates;
mod modify_transcode_template;

use mps_media::templates::transcode::Transcode;

use crate::dispatch::Entry;
use crate::templates::AnyFamily;

/// The family that these actions are about.
pub(crate) const FAMILY: AnyFamily = &Transcode;

pub(super) const ACTIONS: &[Entry] = &[
    Entry::of::<create_transcode_template::CreateTranscodeTemplate>(),
    Entry::of::<modify_transcode_template::ModifyTranscodeTemplate>(),
    Entry::of::<delete_transcode_template::DeleteTranscodeTemplate>(),
    Entry::of::<describe_transcode_templates::DescribeTranscodeTemplates>(),
];
