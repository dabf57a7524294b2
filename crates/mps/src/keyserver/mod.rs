//! A small key server: it speaks SPEKE to the service and ClearKey to browsers.
//!
//! It stands where a vendor's key server and licence server stand, so that encrypted streams can be made and played on
//! one machine. It protects nothing: whoever reaches it gets every key. Keys follow from its seed and their ids, so it
//! keeps no list of them and gives the same ones after a restart.

mod licence;
mod seed;
mod speke;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use mps_core::Secret;
use mps_media::drm::Kid;
use subtle::ConstantTimeEq as _;

pub use seed::Seed;

/// The longest question.
const QUESTION_BYTES: usize = 1 << 20;

/// What the server knows.
#[derive(Debug)]
pub struct KeyServer {
    /// What keys are made of.
    pub seed: Seed,
    /// What `ticket` in the query of a question for keys must be; without one any question is answered.
    pub ticket: Option<Secret>,
}

/// Its endpoints:
///
/// * `POST /speke`: a CPIX document, answered with keys;
/// * `POST /clearkey`: a browser's request for a licence;
/// * `GET /key/{kid}`: the 16 bytes of a key, for AES-128 of whole segments;
/// * `GET /healthz`.
pub fn router(server: KeyServer) -> Router {
    Router::new()
        .route("/speke", post(ask))
        .route("/clearkey", post(clearkey))
        .route("/key/{kid}", get(raw))
        .route("/healthz", get(async || "ok\n"))
        .layer(DefaultBodyLimit::max(QUESTION_BYTES))
        .layer(from_fn(from_anywhere))
        .with_state(Arc::new(server))
}

async fn ask(State(server): State<Arc<KeyServer>>, RawQuery(query): RawQuery, body: Bytes) -> Response {
    if !server.admits(query.as_deref().unwrap_or_default()) {
        return (StatusCode::FORBIDDEN, "the ticket is missing, wrong or over\n").into_response();
    }
    match speke::answer(&body, &server.seed) {
        Ok(document) => {
            let headers = [
                (CONTENT_TYPE, HeaderValue::from_static("application/xml")),
                (CACHE_CONTROL, HeaderValue::from_static("no-store")),
                (mps_backends::keys::VERSION, HeaderValue::from_static("2.0")),
            ];
            (headers, document).into_response()
        }
        Err(why) => (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response(),
    }
}

async fn clearkey(State(server): State<Arc<KeyServer>>, body: Bytes) -> Response {
    match licence::answer(&body, &server.seed) {
        Ok(licence) => {
            let headers = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
            (headers, axum::Json(licence)).into_response()
        }
        Err(why) => (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response(),
    }
}

async fn raw(State(server): State<Arc<KeyServer>>, Path(kid): Path<String>) -> Response {
    let Ok(kid) = Kid::parse(&kid) else {
        return (StatusCode::NOT_FOUND, "an id of a key has 32 hexadecimal digits\n").into_response();
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, server.seed.key(kid).reveal().to_vec()).into_response()
}

impl KeyServer {
    fn admits(&self, query: &str) -> bool {
        let Some(ticket) = &self.ticket else { return true };
        let given = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "ticket");
        given.is_some_and(|(_, value)| value.as_bytes().ct_eq(ticket.reveal().as_bytes()).into())
    }
}

/// Lets pages of any origin ask, as players do that lie elsewhere.
async fn from_anywhere(request: Request, next: Next) -> Response {
    let mut answer = match *request.method() {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => next.run(request).await,
    };
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, POST, OPTIONS"),
        ("access-control-allow-headers", "*"),
    ] {
        answer.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    answer
}
