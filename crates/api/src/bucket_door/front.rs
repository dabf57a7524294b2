//! The first hands that a request passes: it gets an id, COS requests become S3 requests, forms go their own way,
//! and each answer, also of an error, is completed with what clients of both kinds read.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware;
use axum::response::Response;
use http::{HeaderValue, StatusCode};
use http_body_util::BodyExt;
use s3s::{S3Error, S3Result};

use super::access::Dialect;
use super::{Door, cos, form};
use crate::expectation;

/// Answers of errors are short; what is longer is no such answer.
const ERROR_BYTES: usize = 64 * 1024;

pub(super) fn router(door: Arc<Door>) -> Router {
    Router::new().fallback(serve).layer(middleware::from_fn(expectation::keep)).with_state(door)
}

async fn serve(State(door): State<Arc<Door>>, request: Request) -> Response {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let resource = request.uri().path().to_owned();
    let is_cos = request.headers().keys().any(|name| name.as_str().starts_with("x-cos-"));
    let (outcome, dialect) = pass(&door, request).await;
    let answer = match outcome {
        Ok(answer) => answer,
        Err(error) => refusal(error),
    };
    let mut answer = complete_error(answer, &id, &resource).await;
    if is_cos || dialect == Dialect::Cos {
        cos::answer_in_cos(answer.headers_mut());
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        answer.headers_mut().insert("x-amz-request-id", id.clone());
        answer.headers_mut().insert("x-cos-request-id", id);
    }
    door.spelling.apply(&mut answer).await;
    answer
}

async fn pass(door: &Door, request: Request) -> (S3Result<Response>, Dialect) {
    let (mut parts, body) = request.into_parts();
    let dialect = match cos::admit(door, &mut parts).await {
        Ok(Some(caller)) => caller.dialect,
        Ok(None) => Dialect::S3,
        Err(error) => return (Err(error), Dialect::Cos),
    };
    if let Some(boundary) = form::boundary(&parts.method, &parts.headers) {
        return (form::take(door, &parts, body, boundary).await, dialect);
    }
    let request = s3s::HttpRequest::from_parts(parts, s3s::Body::http_body_unsync(body));
    let answer = door.s3.call(request).await;
    let answer = answer.map(|answer| answer.map(Body::new)).map_err(|error| {
        let cause: s3s::StdError = error.into();
        S3Error::with_source(s3s::S3ErrorCode::InternalError, cause)
    });
    (answer, dialect)
}

fn refusal(error: S3Error) -> Response {
    if let Ok(answer) = error.to_http_response() {
        return answer.map(Body::new);
    }
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    answer
}

/// Adds the members of an error that COS clients insist on.
async fn complete_error(answer: Response, id: &str, resource: &str) -> Response {
    let status = answer.status();
    if !status.is_client_error() && !status.is_server_error() {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let bytes = match http_body_util::Limited::new(body, ERROR_BYTES).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(_) => return Response::from_parts(parts, Body::empty()),
    };
    let text = String::from_utf8_lossy(&bytes);
    let Some(head) = text.strip_suffix("</Error>") else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    let resource = escaped(resource);
    let message = if head.contains("<Message>") { "" } else { "<Message>the request was refused</Message>" };
    let whole = format!(
        "{head}{message}<Resource>{resource}</Resource><RequestId>{id}</RequestId><TraceId>{id}</TraceId></Error>"
    );
    parts.headers.remove(http::header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(whole))
}

/// Text for XML.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c if c.is_control() => safe.push('?'),
            c => safe.push(c),
        }
    }
    safe
}
