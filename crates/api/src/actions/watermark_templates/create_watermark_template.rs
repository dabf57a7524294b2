//! `CreateWatermarkTemplate`: a watermark of the account's own; of a picture the answer tells the address.

use mps_media::templates::watermark::{self, Watermark};
use mps_wire::ApiError;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{Served, keep_picture, settle_picture};
use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::templates;

/// Makes a watermark template.
pub(super) struct CreateWatermarkTemplate;

impl Action for CreateWatermarkTemplate {
    const NAME: &'static str = Watermark::CREATE;
    type Request = IgnoredAny;
    type Response = Value;

    async fn handle(app: &App, call: Call<IgnoredAny>) -> Result<Value, ApiError> {
        let (account, mut request) = (call.caller.account, call.body);
        watermark::drop_other_types(&mut request);
        let key = keep_picture(app, account, &mut request).await?;
        let made = templates::create(app, account, Watermark::FAMILY, &request).await;
        let (definition, url) = settle_picture(app, key, made).await?;
        Ok(json!({"Definition": definition, "ImageUrl": url}))
    }
}
