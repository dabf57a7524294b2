//! Whom a task tells of its end: the checks of `TaskNotifyConfig`.
//!
//! Only HTTP callbacks are sent. The queues of the cloud are refused by name; an empty type without a queue's
//! name or a URL, which in the cloud would mean the account's default queue, tells nobody here.

use mps_core::task::{Notify, NotifyMode};
use mps_wire::types::TaskNotifyConfig;
use mps_wire::{ApiError, codes};
use serde_json::Value;

use crate::app::App;

const URL_BYTES: usize = 2_048;

/// Checks `config`; `body` is the same as it was sent.
pub(in crate::actions) fn check(
    app: &App,
    config: Option<&TaskNotifyConfig>,
    body: Option<&Value>,
) -> Result<Option<Notify>, ApiError> {
    let (Some(config), Some(body)) = (config, body) else { return Ok(None) };
    let mode = mode(config.notify_mode.as_deref().unwrap_or_default())?;
    match config.notify_type.as_deref().unwrap_or_default() {
        "" if config.notify_url.as_deref().unwrap_or_default().is_empty() => Ok(None),
        // In the cloud this means its own queue, and the URL is forgotten without a word.
        "" => Err(codes::missing_parameter(
            "`TaskNotifyConfig.NotifyType` is required with a `NotifyUrl`: set it to URL",
        )),
        "URL" => {
            check_url(app, config.notify_url.as_deref().unwrap_or_default())?;
            Ok(Some(Notify { target: body.clone(), mode }))
        }
        known @ ("CMQ" | "TDMQ-CMQ" | "SCF" | "AWS-SQS") => Err(codes::unsupported_operation(format!(
            "`TaskNotifyConfig.NotifyType` {known} is not supported by this server; use URL"
        ))),
        other => Err(codes::invalid_parameter_value(format!(
            "`TaskNotifyConfig.NotifyType` is URL, TDMQ-CMQ, CMQ, SCF or AWS-SQS, not {other:?}"
        ))),
    }
}

fn mode(text: &str) -> Result<NotifyMode, ApiError> {
    match text {
        "" | "Finish" => Ok(NotifyMode::Finish),
        "Change" => Ok(NotifyMode::Change),
        other => Err(codes::invalid_parameter_value(format!(
            "`TaskNotifyConfig.NotifyMode` is Finish or Change, not {other:?}"
        ))),
    }
}

fn check_url(app: &App, text: &str) -> Result<(), ApiError> {
    let bad =
        |why: &str| codes::invalid_parameter_invalid_url(format!("`TaskNotifyConfig.NotifyUrl`: {why}"));
    if text.is_empty() {
        let told = "`TaskNotifyConfig.NotifyUrl` is required when `NotifyType` is URL";
        return Err(codes::missing_parameter(told));
    }
    if text.len() > URL_BYTES {
        return Err(bad(&format!("longer than {URL_BYTES} bytes")));
    }
    app.guard.check_url(text).map(drop).map_err(|e| bad(e.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_finish_unless_said() {
        assert_eq!(mode("").unwrap(), NotifyMode::Finish);
        assert_eq!(mode("Change").unwrap(), NotifyMode::Change);
        assert_eq!(mode("change").unwrap_err().code, "InvalidParameterValue");
    }
}
