//! The door: every request to the API's address gets an answer in the API's form.
//!
//! An answer has status 200 and the exact content type `application/json`, errors too: the vendor's clients
//! look for an error only then. Health, readiness and metrics are plain HTTP beside it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware;
use axum::response::Response;
use axum::routing::get;
use futures::FutureExt;
use http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use mps_wire::{ApiError, codes, envelope};
use tracing::Instrument;
use tracing::field::Empty;

use crate::app::{Answered, App};
use crate::auth;
use crate::dispatch::{self, Found};
use crate::expectation;
use crate::incoming::{Form, Incoming};

/// The API, `/healthz`, `/readyz` and `/metrics`.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(async || plain(StatusCode::OK, "ok\n".to_owned())))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .fallback(entrance)
        .method_not_allowed_fallback(entrance)
        .layer(middleware::from_fn(expectation::keep))
        .with_state(app)
}

async fn ready(State(app): State<Arc<App>>) -> Response {
    match app.not_ready().await {
        None => plain(StatusCode::OK, "ready\n".to_owned()),
        Some(why) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    match &app.hooks.metrics {
        Some(text) => {
            let mut response = plain(StatusCode::OK, text().await);
            let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        None => plain(StatusCode::NOT_FOUND, "metrics are served elsewhere\n".to_owned()),
    }
}

fn plain(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// What is known of a call while it is being answered; the log and the metrics read it.
#[derive(Default)]
struct Trace {
    action: Option<&'static str>,
    account: Option<i64>,
}

async fn entrance(State(app): State<Arc<App>>, request: Request) -> Response {
    let begun = Instant::now();
    let request_id = uuid::Uuid::new_v4().to_string();
    let mut trace = Trace::default();
    let span = tracing::info_span!("call", request_id, action = Empty, account = Empty, code = Empty);
    let answering = answer(&app, request, &mut trace).instrument(span.clone());
    let answered = AssertUnwindSafe(answering).catch_unwind().await;
    let outcome = answered.unwrap_or_else(|_| {
        tracing::error!(request_id, action = trace.action, "a call panicked");
        Err(codes::internal_error("the server failed; its log has the reason"))
    });

    let code = outcome.as_ref().err().map(|e| e.code.clone()).unwrap_or_default();
    let elapsed = begun.elapsed();
    span.record("action", trace.action).record("account", trace.account).record("code", &*code);
    tracing::debug!(request_id, action = trace.action, account = trace.account, %code, ?elapsed, "answered");
    if let Some(told) = &app.hooks.answered {
        told(&Answered { action: trace.action.unwrap_or("unknown"), code, account: trace.account, elapsed });
    }
    let body = match outcome {
        Ok(fields) => envelope::success_raw(&fields, &request_id),
        Err(error) => envelope::failure(&error, &request_id),
    };
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(envelope::CONTENT_TYPE));
    response
}

/// The order of the checks: the protocol, the name and version of the action, the region, the signature, the
/// rate, and then the request itself.
async fn answer(app: &Arc<App>, request: Request, trace: &mut Trace) -> Result<Vec<u8>, ApiError> {
    let _place = app.gate.try_acquire().map_err(|_| {
        codes::request_limit_exceeded("the server answers as many requests as it can; try again in a moment")
    })?;
    let incoming = receive(app, request).await?;
    let meant = incoming.meant()?;
    let found = dispatch::find(&meant.action)?;
    let name = match found {
        Found::Built(entry) => entry.name,
        Found::Unbuilt(name) => name,
    };
    trace.action = Some(name);
    meant.check_version()?;
    if let Some(region) = meant.region.as_deref().filter(|region| app.regions.resolve(region).is_none()) {
        let shown: String = region.chars().filter(|c| !c.is_control()).take(80).collect();
        return Err(codes::unsupported_region(format!("there is no region `{shown}` here")));
    }
    let caller = auth::verify(app, &incoming).await?;
    trace.account = Some(caller.account);
    app.rates.check(caller.account, name)?;
    match found {
        Found::Built(entry) => {
            let params = incoming.params(name, meant)?;
            entry.answer(Arc::clone(app), caller, params).await
        }
        Found::Unbuilt(name) => Err(dispatch::unbuilt(name)),
    }
}

/// Reads the whole request within the limits of size and time.
async fn receive(app: &App, request: Request) -> Result<Incoming, ApiError> {
    let (mut parts, body) = request.into_parts();
    if parts.uri.path() != "/" {
        return Err(codes::unsupported_protocol("the API is at the path `/`, by POST or GET"));
    }
    let form = Form::of(&parts.method, &parts.headers)?;
    let query_bytes = parts.uri.query().map_or(0, str::len);
    if query_bytes > app.limits.query_bytes {
        return Err(too_large("query", app.limits.query_bytes));
    }
    // HTTP/2 carries the host outside of the headers, and signatures cover it.
    if !parts.headers.contains_key(header::HOST)
        && let Some(authority) = parts.uri.authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        parts.headers.insert(header::HOST, host);
    }
    let at_most = match form {
        Form::Json => app.limits.request_bytes,
        Form::Fields => app.limits.form_bytes,
        Form::Query => app.limits.query_bytes,
    };
    let body = read(body, at_most, app.limits.body_timeout).await?;
    Ok(Incoming::new(form, parts, body))
}

async fn read(body: Body, at_most: usize, within: Duration) -> Result<Bytes, ApiError> {
    let collected = tokio::time::timeout(within, Limited::new(body, at_most).collect()).await;
    match collected {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(e)) if e.is::<LengthLimitError>() => Err(too_large("body", at_most)),
        Ok(Err(_)) => Err(codes::invalid_request("the body of the request broke off")),
        Err(_) => Err(codes::invalid_request("the body of the request did not arrive in time")),
    }
}

fn too_large(what: &str, at_most: usize) -> ApiError {
    codes::request_size_limit_exceeded(format!("the {what} of the request is longer than {at_most} bytes"))
}
