//! A server on the loopback address through which a child process reads objects by range.
//!
//! ffmpeg must not follow a user's URL itself (it would resolve names on its own), and it can hold no
//! credentials. So it is given an address here that nobody can guess, good for one object and as long as its
//! [`Handle`] lives. HTTP/1.1, GET and HEAD, single ranges; what is not read is not fetched.
//!
//! A source that fails midway can only be shown to the child as a broken connection, which some demuxers take
//! for the end. The cause is kept: ask [`Handle::take_error`] before believing a result.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{ACCEPT_RANGES, ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderValue, RANGE};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use mps_core::{Error, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::objects::{ObjectMeta, ObjectStore};
use crate::token::random_hex;

/// Answers under way for one object; a child needs one or two.
const ANSWERS_PER_OBJECT: usize = 16;
/// Connections altogether.
const CONNECTIONS: usize = 1024;
/// How long a connection may stay without a request.
const HEADER_WITHIN: Duration = Duration::from_secs(30);

type Body = BoxBody<Bytes, Error>;

/// The server; dropping it ends every connection.
pub struct Relay {
    shared: Arc<Shared>,
    port: u16,
}

struct Shared {
    grants: Mutex<HashMap<String, Arc<Grant>>>,
    stopped: CancellationToken,
}

/// One object that may be read.
struct Grant {
    store: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
    name: String,
    answers: Arc<Semaphore>,
    sent_bytes: AtomicU64,
    error: Mutex<Option<Error>>,
    revoked: CancellationToken,
}

/// Keeps an object readable; dropping it takes the address back and ends answers under way.
pub struct Handle {
    grant: Arc<Grant>,
    shared: Weak<Shared>,
    token: String,
    port: u16,
}

impl Relay {
    /// Listens on a free port of 127.0.0.1.
    pub async fn start() -> Result<Self> {
        let failed = |e| Error::internal("cannot listen on the loopback address").because(e);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let shared = Arc::new(Shared { grants: Mutex::default(), stopped: CancellationToken::new() });
        tokio::spawn(accept(listener, shared.clone()));
        Ok(Self { shared, port })
    }

    /// The port it listens on, the only one that a child has to reach.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes an object readable. `name` is what the address ends in (for its extension); odd characters are
    /// replaced.
    ///
    /// Errors: those of [`ObjectStore::head`]; a missing object is told here, not to the child.
    pub async fn open(&self, store: Arc<dyn ObjectStore>, key: &str, name: &str) -> Result<Handle> {
        let meta = store.head(key).await?;
        let fit = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
        // The end of the name carries the extension.
        let short: Vec<char> = name.chars().rev().take(80).collect();
        let name = short.into_iter().rev().map(fit).collect();
        let token = random_hex::<16>()?;
        let grant = Arc::new(Grant {
            store,
            meta,
            name,
            answers: Arc::new(Semaphore::new(ANSWERS_PER_OBJECT)),
            sent_bytes: AtomicU64::new(0),
            error: Mutex::default(),
            revoked: self.shared.stopped.child_token(),
        });
        self.shared.lock().insert(token.clone(), grant.clone());
        Ok(Handle { grant, shared: Arc::downgrade(&self.shared), token, port: self.port })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stopped.cancel();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Grant>>> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object behind `/r/<token>/<name>`.
    fn find(&self, path: &str) -> Option<Arc<Grant>> {
        let (token, name) = path.strip_prefix("/r/")?.split_once('/')?;
        self.lock().get(token).filter(|grant| grant.name == name).cloned()
    }
}

impl Handle {
    /// The address for the child. It is as good as a key: not for logs.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/r/{}/{}", self.port, self.token, self.grant.name)
    }

    /// What the object is.
    pub fn meta(&self) -> &ObjectMeta {
        &self.grant.meta
    }

    /// Bytes that went to the child so far.
    pub fn sent_bytes(&self) -> u64 {
        self.grant.sent_bytes.load(Ordering::Relaxed)
    }

    /// The first failure of the source that the child met, if there was one.
    pub fn take_error(&self) -> Option<Error> {
        self.grant.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.lock().remove(&self.token);
        }
        self.grant.revoked.cancel();
    }
}

impl Grant {
    fn record(&self, error: &Error) {
        tracing::debug!(error = %error.chain(), "a relayed source failed");
        let copy = Error::new(error.kind(), error.message())
            .with_blame(error.blame())
            .with_retry(error.retry())
            .because(error.chain());
        self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(copy);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = connections.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            () = shared.stopped.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => drop(tokio::spawn(serve(stream, shared.clone(), permit))),
            Err(error) => {
                // Out of file descriptors, most likely: give others time to close some.
                tracing::warn!(%error, "the relay cannot accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>, _permit: OwnedSemaphorePermit) {
    let _ = stream.set_nodelay(true);
    let stopped = shared.stopped.clone();
    let service = hyper::service::service_fn(move |request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(answer(&shared, &request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_WITHIN)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        () = stopped.cancelled() => {}
        // A child that goes away in the middle is the normal case.
        _ = connection => {}
    }
}

async fn answer(shared: &Shared, request: &Request<Incoming>) -> Response<Body> {
    let Some(grant) = shared.find(request.uri().path()) else { return bare(StatusCode::NOT_FOUND) };
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut refused = bare(StatusCode::METHOD_NOT_ALLOWED);
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    let size = grant.meta.size_bytes;
    let asked = request.headers().get(RANGE).and_then(|value| value.to_str().ok());
    let (status, range) = match Asked::of(asked, size) {
        Asked::Whole => (StatusCode::OK, 0..size),
        Asked::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Beyond => {
            let mut beyond = bare(StatusCode::RANGE_NOT_SATISFIABLE);
            set(&mut beyond, CONTENT_RANGE, &format!("bytes */{size}"));
            return beyond;
        }
    };
    let Ok(permit) = grant.answers.clone().try_acquire_owned() else {
        return bare(StatusCode::SERVICE_UNAVAILABLE);
    };
    let body = if request.method() == Method::HEAD || range.is_empty() {
        empty()
    } else {
        let wanted = (status == StatusCode::PARTIAL_CONTENT).then(|| range.clone());
        match grant.store.read(&grant.meta.key, wanted).await {
            Ok(stream) => relayed(&grant, stream.boxed(), range.end - range.start, permit),
            Err(error) => {
                grant.record(&error);
                return bare(StatusCode::BAD_GATEWAY);
            }
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    set(&mut response, CONTENT_LENGTH, &(range.end - range.start).to_string());
    set(&mut response, ACCEPT_RANGES, "bytes");
    if status == StatusCode::PARTIAL_CONTENT {
        set(&mut response, CONTENT_RANGE, &format!("bytes {}-{}/{size}", range.start, range.end - 1));
    }
    if !grant.meta.content_type.is_empty() {
        set(&mut response, CONTENT_TYPE, &grant.meta.content_type);
    }
    response
}

/// The bytes on their way: counted, checked for completeness, ended when the handle is gone.
fn relayed(
    grant: &Arc<Grant>,
    stream: BoxStream<'static, Result<Bytes>>,
    length: u64,
    permit: OwnedSemaphorePermit,
) -> Body {
    let grant = grant.clone();
    let revoked = grant.revoked.clone().cancelled_owned();
    let stream = futures::stream::unfold((Some(stream), 0, permit), move |(stream, sent, permit)| {
        let grant = grant.clone();
        async move {
            let mut stream = stream?;
            match stream.next().await {
                Some(Ok(chunk)) => {
                    let chunk = chunk.slice(..chunk.len().min((length - sent) as usize));
                    let sent = sent + chunk.len() as u64;
                    grant.sent_bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                    let rest = if sent == length { None } else { Some(stream) };
                    Some((Ok(chunk), (rest, sent, permit)))
                }
                Some(Err(error)) => {
                    grant.record(&error);
                    Some((Err(error), (None, sent, permit)))
                }
                None => {
                    let error = Error::unavailable(format!("the source ended {} bytes early", length - sent));
                    grant.record(&error);
                    Some((Err(error), (None, sent, permit)))
                }
            }
        }
    });
    // BoxBody wants Sync, which a stream of a store need not be.
    let stream = SyncStream(Mutex::new(stream.take_until(revoked).boxed()));
    BodyExt::boxed(StreamBody::new(stream.map_ok(Frame::data)))
}

/// A stream that is only ever reached by `&mut`, and so may be shared.
struct SyncStream(Mutex<BoxStream<'static, Result<Bytes>>>);

impl futures::Stream for SyncStream {
    type Item = Result<Bytes>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.get_mut().0.get_mut().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(context)
    }
}

/// What a `Range` header asks of an object; anything but one range of bytes counts as none, as HTTP allows.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<u64>),
    Beyond,
}

impl Asked {
    fn of(header: Option<&str>, size: u64) -> Self {
        let Some(text) = header.and_then(|text| text.trim().strip_prefix("bytes=")) else {
            return Self::Whole;
        };
        let Some((first, last)) = text.split_once('-') else { return Self::Whole };
        let number = |text: &str| text.trim().parse::<u64>().ok();
        match (first.trim().is_empty(), number(first), last.trim().is_empty(), number(last)) {
            (true, _, false, Some(0)) => Self::Beyond,
            (true, _, false, Some(_)) if size == 0 => Self::Beyond,
            (true, _, false, Some(count)) => Self::Part(size.saturating_sub(count)..size),
            (false, Some(first), true, _) if first < size => Self::Part(first..size),
            (false, Some(first), false, Some(last)) if first <= last && first < size => {
                Self::Part(first..size.min(last.saturating_add(1)))
            }
            (false, Some(first), true, _) if first >= size => Self::Beyond,
            (false, Some(first), false, Some(last)) if first <= last => Self::Beyond,
            _ => Self::Whole,
        }
    }
}

fn set(response: &mut Response<Body>, name: hyper::header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn bare(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    response
}

fn empty() -> Body {
    BodyExt::boxed(Empty::new().map_err(|never| match never {}))
}

#[cfg(test)]
mod tests;
