//! `DescribeWatermarkTemplates`: the account's watermarks; there are no presets.

use mps_media::templates::watermark::Watermark;
use mps_wire::ApiError;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::Served;
use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::templates;

/// Lists watermark templates.
pub(super) struct DescribeWatermarkTemplates;

impl Action for DescribeWatermarkTemplates {
    const NAME: &'static str = Watermark::DESCRIBE;
    type Request = IgnoredAny;
    type Response = Value;

    async fn handle(app: &App, call: Call<IgnoredAny>) -> Result<Value, ApiError> {
        let mut page = templates::page(app, call.caller.account, Watermark::FAMILY, &call.body).await?;
        for item in page[Watermark::FAMILY.list_member()].as_array_mut().into_iter().flatten() {
            let url = item["ImageTemplate"]["ImageUrl"].as_str().map(|key| app.assets.url(key));
            if let Some(url) = url {
                item["ImageTemplate"]["ImageUrl"] = Value::from(url);
            }
        }
        Ok(page)
    }
}
