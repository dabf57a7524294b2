//! The frame of every answer: `{"Response": {…, "RequestId": "…"}}`.
//!
//! It is sent with HTTP status 200 and a content type of exactly `application/json`, errors too: with
//! anything else the official clients do not see the error.

use serde::Serialize;
use serde_json::json;

use crate::{ApiError, codes};

/// The only content type under which the official clients look for an error.
pub const CONTENT_TYPE: &str = "application/json";

/// The answer of a call that worked; `response` must serialise to an object.
pub fn success<T: Serialize>(response: &T, request_id: &str) -> Vec<u8> {
    match serde_json::to_vec(response) {
        Ok(body) if body.starts_with(b"{") => success_raw(&body, request_id),
        _ => failure(&codes::internal_error("the answer could not be written; try again"), request_id),
    }
}

/// Like [`success`], from JSON that is written already: the text of one object.
pub fn success_raw(object: &[u8], request_id: &str) -> Vec<u8> {
    let object = object.trim_ascii();
    let inner = object.get(1..object.len().saturating_sub(1)).unwrap_or_default().trim_ascii();
    let mut out = Vec::with_capacity(inner.len() + 80);
    out.extend_from_slice(b"{\"Response\":{");
    out.extend_from_slice(inner);
    if !inner.is_empty() {
        out.push(b',');
    }
    out.extend_from_slice(b"\"RequestId\":");
    out.extend_from_slice(json!(request_id).to_string().as_bytes());
    out.extend_from_slice(b"}}");
    out
}

/// The answer of a call that was refused or failed.
pub fn failure(error: &ApiError, request_id: &str) -> Vec<u8> {
    json!({"Response": {
        "Error": {"Code": error.code, "Message": error.message},
        "RequestId": request_id,
    }})
    .to_string()
    .into_bytes()
}

/// The language a client asks messages in (`X-TC-Language`). Codes are the same in every language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// `en-US`, and whatever else is asked for.
    #[default]
    English,
    /// `zh-CN`, the default of the official SDKs.
    Chinese,
}

impl Language {
    /// The language that the header's value names.
    pub fn of(header: Option<&str>) -> Self {
        match header.map(str::trim) {
            Some("zh-CN") => Self::Chinese,
            _ => Self::English,
        }
    }

    /// `error` with its message in this language; messages exist in English, which every language gets.
    #[must_use]
    pub fn of_error(self, error: ApiError) -> ApiError {
        match self {
            Self::English | Self::Chinese => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::types::{DescribeTasksResponse, ManageTaskResponse};

    fn parse(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn puts_the_request_id_beside_the_members() {
        let response = DescribeTasksResponse { total_count: 3, ..Default::default() };
        assert_eq!(
            parse(&success(&response, "id-1")),
            json!({"Response": {"TaskSet": [], "ScrollToken": "", "TotalCount": 3, "RequestId": "id-1"}})
        );
        assert_eq!(
            parse(&success(&ManageTaskResponse {}, "id-2")),
            json!({"Response": {"RequestId": "id-2"}})
        );
        assert_eq!(parse(&success_raw(b" { } ", "i\"d")), json!({"Response": {"RequestId": "i\"d"}}));
    }

    #[test]
    fn reports_an_answer_that_is_no_object_as_our_fault() {
        assert_eq!(parse(&success(&[1], "id"))["Response"]["Error"]["Code"], "InternalError");
    }

    #[test]
    fn frames_an_error_with_code_message_and_request_id() {
        let error = Language::of(Some("zh-CN")).of_error(codes::invalid_action("no such \"action\""));
        assert_eq!(
            parse(&failure(&error, "id")),
            json!({"Response": {"Error": {"Code": "InvalidAction", "Message": "no such \"action\""}, "RequestId": "id"}})
        );
    }
}
