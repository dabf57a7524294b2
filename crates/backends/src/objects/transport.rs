//! How OpenDAL's services reach their stores: a client of ours, with our TLS and timeouts.
//!
//! The endpoint is the operator's own (or the vendor's, by region), so the address policy for users' URLs does
//! not apply. Redirects are not followed: they would mean another region, and the signature would not fit.

use std::sync::OnceLock;
use std::time::Duration;

use futures::stream::{StreamExt as _, TryStreamExt as _};
use mps_core::Result;
use opendal::{Buffer, ErrorKind, HttpBody, HttpTransport, HttpTransporter};
use reqwest::header::{CONTENT_LENGTH, HeaderValue};
use reqwest::{Body, Client};

use crate::guard::{Timeouts, client_builder};

/// Completing a large upload may take a store minutes before it answers.
const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(10), idle: Duration::from_mins(3) };

/// The transport for configured stores; all share one pool of connections.
pub(super) fn transport() -> Result<HttpTransporter> {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    let client = if let Some(client) = CLIENT.get() {
        client.clone()
    } else {
        let failed =
            |error: reqwest::Error| mps_core::Error::internal("cannot set up an HTTP client").because(error);
        let built = client_builder(TIMEOUTS)?.build().map_err(failed)?;
        CLIENT.get_or_init(|| built).clone()
    };
    Ok(HttpTransporter::new(Transport(client)))
}

pub(super) struct Transport(pub(super) Client);

impl HttpTransport for Transport {
    async fn fetch(&self, request: http::Request<Buffer>) -> opendal::Result<http::Response<HttpBody>> {
        let (mut parts, buffer) = request.into_parts();
        let length = buffer.len();
        let body = if length == 0 {
            Body::from("")
        } else {
            // A part stays in the pieces it was written in; its length is known, so it is not sent in chunks.
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
            Body::wrap_stream(buffer)
        };
        let method = parts.method.clone();
        let request =
            reqwest::Request::try_from(http::Request::from_parts(parts, body)).map_err(translated)?;
        let answer = self.0.execute(request).await.map_err(translated)?;
        let mut head = http::Response::new(());
        *head.status_mut() = answer.status();
        *head.headers_mut() = answer.headers().clone();
        let size = if method == http::Method::HEAD { None } else { answer.content_length() };
        let chunks = answer.bytes_stream().map_ok(Buffer::from).map_err(translated);
        // An empty buffer would mean the end to the reader.
        let chunks = chunks.filter(|chunk| {
            let wanted = !chunk.as_ref().is_ok_and(Buffer::is_empty);
            std::future::ready(wanted)
        });
        Ok(head.map(|()| HttpBody::new(chunks, size)))
    }
}

fn translated(error: reqwest::Error) -> opendal::Error {
    let error = error.without_url();
    let may_pass = !error.is_builder();
    let translated = opendal::Error::new(ErrorKind::Unexpected, "the store does not answer as it should");
    let translated = if may_pass { translated.set_temporary() } else { translated };
    translated.set_source(error)
}
