//! Templates for transcoding, which `ProcessMedia` reads; their actions are a line of [`super::templates`].

use mps_media::templates::transcode::Transcode;

use crate::templates::AnyFamily;

/// The family that transcodes take their templates from.
pub(crate) const FAMILY: AnyFamily = &Transcode;
