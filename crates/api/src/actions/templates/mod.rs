//! The four actions of every template family. They are the same work for all, so a family is one line here, and a
//! family that does one of them in its own way lists its actions itself, see [`super::watermark_templates`].
//!
//! Bodies travel as JSON that was checked against the schema: they are stored as they were sent. What this
//! installation cannot do yet is refused when a task uses the template, so that templates can be moved here before
//! everything they ask for is built.

use std::marker::PhantomData;

use mps_media::templates::adaptive_dynamic_streaming::AdaptiveDynamicStreaming;
use mps_media::templates::ai_analysis::AiAnalysis;
use mps_media::templates::ai_recognition::AiRecognition;
use mps_media::templates::animated_graphics::AnimatedGraphics;
use mps_media::templates::blind_watermark::BlindWatermark;
use mps_media::templates::content_review::ContentReview;
use mps_media::templates::image_sprite::ImageSprite;
use mps_media::templates::live_record::LiveRecord;
use mps_media::templates::process_image::ProcessImage;
use mps_media::templates::quality_control::QualityControl;
use mps_media::templates::sample_snapshot::SampleSnapshot;
use mps_media::templates::smart_erase::SmartErase;
use mps_media::templates::smart_subtitle::SmartSubtitle;
use mps_media::templates::snapshot_by_time_offset::SnapshotByTimeOffset;
use mps_media::templates::subtitle_embed::SubtitleEmbed;
use mps_media::templates::transcode::Transcode;
use mps_wire::{ApiError, codes};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::app::App;
use crate::dispatch::{Action, Call, Entry};
use crate::templates::{self, AnyFamily};

/// A family and the names of its actions.
pub(super) trait Served: 'static {
    const FAMILY: AnyFamily;
    const CREATE: &'static str;
    const MODIFY: &'static str;
    const DELETE: &'static str;
    const DESCRIBE: &'static str;
}

/// Names the actions of a family by the middle of their names.
macro_rules! serve {
    ($family:ident: $stem:literal) => {
        impl $crate::actions::templates::Served for $family {
            const FAMILY: $crate::templates::AnyFamily = &$family;
            const CREATE: &'static str = concat!("Create", $stem, "Template");
            const MODIFY: &'static str = concat!("Modify", $stem, "Template");
            const DELETE: &'static str = concat!("Delete", $stem, "Template");
            const DESCRIBE: &'static str = concat!("Describe", $stem, "Templates");
        }
    };
}
pub(super) use serve;

macro_rules! families {
    ($($family:ident: $stem:literal,)*) => {
        $(serve!($family: $stem);)*

        pub(super) const ACTIONS: &[Entry] = &[$(
            Entry::of::<Create<$family>>(),
            Entry::of::<Modify<$family>>(),
            Entry::of::<Delete<$family>>(),
            Entry::of::<Describe<$family>>(),
        )*];
    };
}

families! {
    Transcode: "Transcode",
    SnapshotByTimeOffset: "SnapshotByTimeOffset",
    SampleSnapshot: "SampleSnapshot",
    ImageSprite: "ImageSprite",
    AnimatedGraphics: "AnimatedGraphics",
    AdaptiveDynamicStreaming: "AdaptiveDynamicStreaming",
    AiAnalysis: "AIAnalysis",
    AiRecognition: "AIRecognition",
    ContentReview: "ContentReview",
    QualityControl: "QualityControl",
    LiveRecord: "LiveRecord",
    SmartSubtitle: "SmartSubtitle",
    SmartErase: "SmartErase",
    SubtitleEmbed: "SubtitleEmbed",
    BlindWatermark: "BlindWatermark",
    ProcessImage: "ProcessImage",
}

/// Makes a template of the account's own.
pub(super) struct Create<F>(PhantomData<F>);

impl<F: Served> Action for Create<F> {
    const NAME: &'static str = F::CREATE;
    type Request = IgnoredAny;
    type Response = Value;

    async fn handle(app: &App, call: Call<IgnoredAny>) -> Result<Value, ApiError> {
        let definition = templates::create(app, call.caller.account, F::FAMILY, &call.body).await?;
        Ok(json!({"Definition": definition}))
    }
}

/// Changes what the request names and nothing else. The result is checked as a new template would be; tasks
/// accepted before keep the parameters they were accepted with.
pub(super) struct Modify<F>(PhantomData<F>);

impl<F: Served> Action for Modify<F> {
    const NAME: &'static str = F::MODIFY;
    type Request = IgnoredAny;
    type Response = Value;

    async fn handle(app: &App, call: Call<IgnoredAny>) -> Result<Value, ApiError> {
        templates::modify(app, call.caller.account, F::FAMILY, call.body).await?;
        Ok(json!({}))
    }
}

/// Removes a template of the account's own.
pub(super) struct Delete<F>(PhantomData<F>);

impl<F: Served> Action for Delete<F> {
    const NAME: &'static str = F::DELETE;
    type Request = IgnoredAny;
    type Response = Value;

    async fn handle(app: &App, call: Call<IgnoredAny>) -> Result<Value, ApiError> {
        // Of one family the specification does not say that the number is required.
        let definition = call.body["Definition"]
            .as_i64()
            .ok_or_else(|| codes::missing_parameter("the parameter `Definition` is required"))?;
        templates::delete(app, call.caller.account, F::FAMILY, definition).await?;
        Ok(json!({}))
    }
}

/// Lists the system's templates and the account's own, filtered and paged.
pub(super) struct Describe<F>(PhantomData<F>);

impl<F: Served> Action for Describe<F> {
    const NAME: &'static str = F::DESCRIBE;
    type Request = IgnoredAny;
    type Response = Value;

    async fn handle(app: &App, call: Call<IgnoredAny>) -> Result<Value, ApiError> {
        templates::page(app, call.caller.account, F::FAMILY, &call.body).await
    }
}
