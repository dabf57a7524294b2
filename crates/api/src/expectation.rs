//! A client that announces its body (`Expect: 100-continue`) and is answered before anybody asked for the body.
//!
//! It sends none then, and its next request would follow on the same connection, where the body was announced: the
//! connection has to end, or the first bytes of that request are taken for the body.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderValue, header};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// Ends the connection of a client whose announced body nobody wanted.
pub(crate) async fn keep(request: Request, next: Next) -> Response {
    let announced = request.headers().get(header::EXPECT);
    if !announced.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        return next.run(request).await;
    }
    let wanted = Arc::new(AtomicBool::new(false));
    let request = request.map(|inner| Body::new(Announced { inner, wanted: Arc::clone(&wanted) }));
    let mut answer = next.run(request).await;
    if !wanted.load(Ordering::Relaxed) {
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

struct Announced {
    inner: Body,
    wanted: Arc<AtomicBool>,
}

impl HttpBody for Announced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.wanted.store(true, Ordering::Relaxed);
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
