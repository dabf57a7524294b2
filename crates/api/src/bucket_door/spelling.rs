//! Header names spelled as S3 and COS spell them: `ETag`, `Content-Length`.
//!
//! Names have no case by the standard, but the official COS SDK for Python hands out headers in a plain dictionary,
//! so programs (and parts of the SDK itself) look for `ETag` and find no `etag`. The HTTP library writes names in
//! lower case unless a message carries the spelling of one that was read; no such record can be made by hand, so
//! one is read here, once, from a request sent to ourselves in memory.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use http::{Extensions, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::sync::OnceCell;

const NAMES: [&str; 17] = [
    "Accept-Ranges",
    "Access-Control-Allow-Origin",
    "Cache-Control",
    "Connection",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Range",
    "Content-Type",
    "Date",
    "ETag",
    "Expires",
    "Last-Modified",
    "Location",
    "Server",
    "Vary",
];

/// The spelling of names, read at the first answer.
#[derive(Default)]
pub(super) struct Spelling(OnceCell<Extensions>);

impl Spelling {
    /// Makes an answer carry the spelling.
    pub(super) async fn apply<B>(&self, answer: &mut Response<B>) {
        let spelling = self.0.get_or_init(read).await;
        answer.extensions_mut().extend(spelling.clone());
    }
}

/// The record of a request that has all the names.
async fn read() -> Extensions {
    let record = Arc::new(Mutex::new(Extensions::new()));
    let (mut client, server) = tokio::io::duplex(8 * 1024);
    let seen = record.clone();
    let service = service_fn(move |mut request: http::Request<Incoming>| {
        *seen.lock().unwrap_or_else(PoisonError::into_inner) = std::mem::take(request.extensions_mut());
        async { Ok::<_, Infallible>(Response::new(http_body_util::Empty::<bytes::Bytes>::new())) }
    });
    let serving =
        http1::Builder::new().preserve_header_case(true).serve_connection(TokioIo::new(server), service);
    let mut text = String::from("GET / HTTP/1.1\r\nHost: localhost\r\n");
    for name in NAMES {
        let value = match name {
            "Content-Length" => "0",
            "Connection" => "close",
            _ => "x",
        };
        for part in [name, ": ", value, "\r\n"] {
            text.push_str(part);
        }
    }
    text.push_str("\r\n");
    let asking = async {
        drop(client.write_all(text.as_bytes()).await);
        drop(client.shutdown().await);
        let mut answer = Vec::new();
        drop(tokio::io::AsyncReadExt::read_to_end(&mut client, &mut answer).await);
    };
    drop(tokio::join!(serving, asking));
    let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *record)
}
