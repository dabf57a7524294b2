//! The client side of the command line: finds a server, signs calls, moves files in and out of its buckets.
//!
//! It speaks to whatever host its user names: the guard against private addresses protects servers from users' URLs,
//! not users from themselves.

pub mod discover;
pub mod outcome;
pub mod s3;

use std::time::Duration;

use mps_core::clock::{Clock, SystemClock};
use mps_wire::auth::tc3;
use serde_json::Value;
use url::Url;

/// The version of the API.
pub const VERSION: &str = "2019-06-12";

const CONTENT_TYPE: &str = "application/json; charset=utf-8";

/// A SecretId with its SecretKey.
#[derive(Clone)]
pub struct KeyPair {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: String,
}

/// A server and the key that opens it.
pub struct Server {
    /// The address of its API.
    pub api: Url,
    /// The address of its S3-compatible endpoint.
    pub buckets: Url,
    /// The key pair.
    pub key: KeyPair,
    /// The region named in calls.
    pub region: String,
    http: reqwest::Client,
}

/// Why a call brought no answer.
#[derive(Debug)]
pub enum CallError {
    /// The API refused it.
    Refused {
        /// The API's code.
        code: String,
        /// The API's sentence.
        message: String,
        /// The request id, for the operator's log.
        request_id: String,
    },
    /// Nobody answered.
    Unreachable {
        /// Where.
        endpoint: String,
        /// Why.
        source: reqwest::Error,
    },
    /// Somebody answered who does not speak the API.
    Foreign {
        /// Where.
        endpoint: String,
        /// The HTTP status and the beginning of the body.
        said: String,
    },
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused { code, message, request_id } => {
                write!(f, "{code}: {message} (request {request_id})")
            }
            Self::Unreachable { endpoint, .. } => write!(f, "no server answers at {endpoint}"),
            Self::Foreign { endpoint, said } => write!(f, "{endpoint} does not speak the API: {said}"),
        }
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreachable { source, .. } => Some(source),
            Self::Refused { .. } | Self::Foreign { .. } => None,
        }
    }
}

impl Server {
    /// A client of the server at `api`.
    pub fn new(api: Url, buckets: Url, key: KeyPair, region: String) -> anyhow::Result<Self> {
        Ok(Self { api, buckets, key, region, http: http_client()? })
    }

    /// Signs and sends one call; gives the `Response` object.
    pub async fn call(&self, action: &str, params: &Value) -> Result<Value, CallError> {
        let endpoint = self.api.to_string();
        let body = params.to_string();
        let host = authority(&self.api);
        let timestamp = SystemClock.now_ms() / 1_000;
        let request = tc3::Request {
            method: "POST",
            host: &host,
            content_type: CONTENT_TYPE,
            query: "",
            body: body.as_bytes(),
            timestamp_s: timestamp,
        };
        let authorization =
            tc3::sign(&request, &self.key.id, &self.key.secret).map_err(|error| CallError::Refused {
                code: error.code.into_owned(),
                message: error.message,
                request_id: "not sent".to_owned(),
            })?;
        let answer = self
            .http
            .post(self.api.clone())
            .header("Host", host)
            .header("Content-Type", CONTENT_TYPE)
            .header("X-TC-Action", action)
            .header("X-TC-Version", VERSION)
            .header("X-TC-Timestamp", timestamp.to_string())
            .header("X-TC-Region", &self.region)
            .header("X-TC-Language", "en-US")
            .header("X-TC-RequestClient", concat!("mps_", env!("CARGO_PKG_VERSION")))
            .header("Authorization", authorization)
            .timeout(Duration::from_mins(2))
            .body(body)
            .send()
            .await
            .map_err(|source| CallError::Unreachable { endpoint: endpoint.clone(), source })?;
        let status = answer.status();
        let text = answer
            .text()
            .await
            .map_err(|source| CallError::Unreachable { endpoint: endpoint.clone(), source })?;
        read_answer(&text).unwrap_or_else(|| {
            let start: String = text.chars().take(200).collect();
            Err(CallError::Foreign { endpoint, said: format!("{status} {start:?}") })
        })
    }
}

/// The `Response` object of an envelope, or the error inside it; none for anything else.
fn read_answer(text: &str) -> Option<Result<Value, CallError>> {
    let mut envelope: Value = serde_json::from_str(text).ok()?;
    let response = envelope.get_mut("Response")?.take();
    let word = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    Some(match response.get("Error") {
        None => Ok(response),
        Some(error) => Err(CallError::Refused {
            code: word(error, "Code"),
            message: word(error, "Message"),
            request_id: word(&response, "RequestId"),
        }),
    })
}

/// Host and, if it is not the scheme's own, port: what stands in the `Host` header.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn http_client() -> anyhow::Result<reqwest::Client> {
    // More than one crate of the tree may ask for a provider; the first one stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder().connect_timeout(Duration::from_secs(10)).no_proxy().build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_the_response_without_its_envelope() {
        let answer = read_answer(r#"{"Response":{"TaskId":"t","RequestId":"r"}}"#).unwrap().unwrap();
        assert_eq!(answer["TaskId"], "t");
    }

    #[test]
    fn a_refusal_keeps_the_apis_code_first() {
        let text =
            r#"{"Response":{"Error":{"Code":"InvalidAction","Message":"no such action"},"RequestId":"r"}}"#;
        let error = read_answer(text).unwrap().unwrap_err();
        assert_eq!(error.to_string(), "InvalidAction: no such action (request r)");
    }

    #[test]
    fn what_is_no_envelope_is_no_answer() {
        assert!(read_answer("<html>").is_none());
        assert!(read_answer("{}").is_none());
    }
}
