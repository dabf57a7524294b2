//! `DescribeMediaMetaData`: what a medium consists of, told at once.

use mps_core::Kind;
use mps_wire::types::{DescribeMediaMetaDataRequest, DescribeMediaMetaDataResponse};
use mps_wire::{ApiError, Refused, codes};

use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::{error, inputs};

/// How much longer `Mode` `slow` may take.
const SLOW: u32 = 4;

/// Looks into a medium.
pub(super) struct DescribeMediaMetaData;

impl Action for DescribeMediaMetaData {
    const NAME: &'static str = "DescribeMediaMetaData";
    const REFUSED: &'static [Refused] =
        &[Refused { path: "InputInfo.VODInputInfo", why: "there is no VOD service here" }];
    type Request = DescribeMediaMetaDataRequest;
    type Response = DescribeMediaMetaDataResponse;

    async fn handle(
        app: &App,
        call: Call<DescribeMediaMetaDataRequest>,
    ) -> Result<DescribeMediaMetaDataResponse, ApiError> {
        let at_most = match call.request.mode.as_deref().unwrap_or_default() {
            "" => app.limits.probe_timeout,
            "slow" => app.limits.probe_timeout * SLOW,
            other => {
                return Err(codes::invalid_parameter_value(format!(
                    "`Mode` is slow or empty, not {other:?}"
                )));
            }
        };
        let sent = call.request.input_info.unwrap_or_default();
        let input = inputs::check(app, call.caller.account, "InputInfo", &sent).await?;
        let probed = app.prober.probe(call.caller.account, &input, at_most).await;
        let info = probed.map_err(|e| match e.kind() {
            Kind::NotFound | Kind::Unavailable | Kind::Timeout | Kind::Denied => {
                codes::resource_not_found_download_error(e.message().to_owned())
            }
            Kind::InvalidInput | Kind::Limit => {
                codes::invalid_parameter_value_src_file(e.message().to_owned())
            }
            _ => error::answer(e),
        })?;
        Ok(DescribeMediaMetaDataResponse { meta_data: Some(mps_media::answer::describe(&info)) })
    }
}
