//! `ModifyWatermarkTemplate`: changes what the request names; the type of a watermark stays.
//!
//! A replaced picture stays stored: tasks that were accepted with it may still need it.

use mps_media::templates::watermark::Watermark;
use mps_wire::ApiError;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{Served, keep_picture, settle_picture};
use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::templates;

/// Changes a watermark template.
pub(super) struct ModifyWatermarkTemplate;

impl Action for ModifyWatermarkTemplate {
    const NAME: &'static str = Watermark::MODIFY;
    type Request = IgnoredAny;
    type Response = Value;

    async fn handle(app: &App, call: Call<IgnoredAny>) -> Result<Value, ApiError> {
        let (account, mut request) = (call.caller.account, call.body);
        let key = keep_picture(app, account, &mut request).await?;
        let changed = templates::modify(app, account, Watermark::FAMILY, request).await;
        let ((), url) = settle_picture(app, key, changed).await?;
        Ok(json!({"ImageUrl": url}))
    }
}
