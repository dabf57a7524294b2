//! Templates of watermarks. Their pictures lie in a bucket of the service, see [`crate::assets`], and are shown by an
//! address that anybody who knows it can read, as the vendor's are.

mod create_watermark_template;
mod describe_watermark_templates;
mod modify_watermark_template;

use mps_media::templates::watermark::{self, Watermark};
use mps_wire::ApiError;
use serde_json::Value;

use super::templates::{Delete, Served, serve};
use crate::app::App;
use crate::dispatch::Entry;

serve!(Watermark: "Watermark");

pub(super) const ACTIONS: &[Entry] = &[
    Entry::of::<create_watermark_template::CreateWatermarkTemplate>(),
    Entry::of::<modify_watermark_template::ModifyWatermarkTemplate>(),
    Entry::of::<Delete<Watermark>>(),
    Entry::of::<describe_watermark_templates::DescribeWatermarkTemplates>(),
];

/// Stores the picture that a request brings, and puts its key in its place.
async fn keep_picture(app: &App, account: i64, request: &mut Value) -> Result<Option<String>, ApiError> {
    let Some(picture) = watermark::take_picture(request)? else { return Ok(None) };
    let key = app.assets.keep(account, "watermarks", picture.kind.extension(), picture.bytes).await?;
    watermark::put_picture(request, &key);
    Ok(Some(key))
}

/// What the answer to `outcome` says of the picture; one that no template came to need is removed.
async fn settle_picture<T>(
    app: &App,
    key: Option<String>,
    outcome: Result<T, ApiError>,
) -> Result<(T, String), ApiError> {
    match (outcome, key) {
        (Ok(done), key) => Ok((done, key.map(|key| app.assets.url(&key)).unwrap_or_default())),
        (Err(error), key) => {
            // After a failure of ours the template may be stored all the same.
            if let Some(key) = key.filter(|_| !error.code.starts_with("InternalError")) {
                app.assets.forget(&key).await;
            }
            Err(error)
        }
    }
}
