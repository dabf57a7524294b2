//! A web server for sources: a folder, and addresses that go wrong on purpose.
//!
//! `/NAME` is a file, by ranges too; `/held/NAME` the same once [`Web::release`] was called; `/slow/NAME` the same at
//! 64 KiB a second; `/status/CODE` that status; `/redirect-to/HOST/PATH` a redirect; `/hang` never answers.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path as Captured, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use tokio::sync::watch;

/// A web server that ends with the test.
pub struct Web {
    address: SocketAddr,
    folder: PathBuf,
    open: watch::Sender<bool>,
    asked: Arc<AtomicUsize>,
    /// Its own folder, for as long as it runs.
    kept: Option<tempfile::TempDir>,
}

#[derive(Clone)]
struct Shared {
    folder: PathBuf,
    open: watch::Receiver<bool>,
    asked: Arc<AtomicUsize>,
}

impl Web {
    /// Serves an empty folder of its own.
    pub async fn start() -> Self {
        let kept = tempfile::tempdir().expect("a folder for the web server");
        let mut web = Self::of(kept.path()).await;
        web.kept = Some(kept);
        web
    }

    /// Serves a folder.
    pub async fn of(folder: &Path) -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (open, seen) = watch::channel(false);
        let asked = Arc::new(AtomicUsize::new(0));
        let shared = Shared { folder: folder.to_owned(), open: seen, asked: Arc::clone(&asked) };
        let router = Router::new()
            .route("/held/{name}", get(held))
            .route("/slow/{name}", get(slow))
            .route("/status/{code}", get(status))
            .route("/redirect-to/{*target}", get(redirect))
            .route("/hang", get(hang))
            .route("/{name}", get(file))
            .with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, folder: folder.to_owned(), open, asked, kept: None }
    }

    /// `host:port`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The address of a file, or of any other path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// Puts a file into the folder, by link or copy, and gives its address.
    pub fn offer(&self, name: &str, from: &Path) -> String {
        let to = self.folder.join(name);
        let _ = std::fs::remove_file(&to);
        std::fs::copy(from, &to).expect("a copy of the source");
        self.url(name)
    }

    /// Puts these bytes into the folder and gives their address.
    pub fn offer_bytes(&self, name: &str, bytes: &[u8]) -> String {
        std::fs::write(self.folder.join(name), bytes).expect("a file of the web server");
        self.url(name)
    }

    /// Lets `/held/…` answer from now on.
    pub fn release(&self) {
        self.open.send_replace(true);
    }

    /// Requests for held files so far.
    pub fn held_requests(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn file(
    State(shared): State<Shared>,
    Captured(name): Captured<String>,
    headers: HeaderMap,
) -> Response {
    answer(&shared.folder.join(name), &headers)
}

async fn held(
    State(mut shared): State<Shared>,
    Captured(name): Captured<String>,
    headers: HeaderMap,
) -> Response {
    shared.asked.fetch_add(1, Ordering::SeqCst);
    let _ = shared.open.wait_for(|open| *open).await;
    answer(&shared.folder.join(name), &headers)
}

async fn slow(State(shared): State<Shared>, Captured(name): Captured<String>) -> Response {
    let Ok(bytes) = std::fs::read(shared.folder.join(name)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let length = bytes.len();
    let pieces: Vec<Bytes> = bytes.chunks(16 * 1024).map(Bytes::copy_from_slice).collect();
    let stream = futures::stream::unfold(pieces.into_iter(), |mut rest| async move {
        let piece = rest.next()?;
        tokio::time::sleep(Duration::from_millis(250)).await;
        Some((Ok::<_, std::io::Error>(piece), rest))
    });
    ([(header::CONTENT_LENGTH, length.to_string())], Body::from_stream(stream)).into_response()
}

async fn status(Captured(code): Captured<u16>) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::IM_A_TEAPOT)
}

async fn redirect(Captured(target): Captured<String>) -> Redirect {
    Redirect::temporary(&format!("http://{target}"))
}

async fn hang() -> StatusCode {
    std::future::pending().await
}

fn answer(path: &Path, headers: &HeaderMap) -> Response {
    let Ok(bytes) = std::fs::read(path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let bytes = Bytes::from(bytes);
    let common = [(header::ACCEPT_RANGES, "bytes"), (header::ETAG, "\"same\"")];
    let asked = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let Some((first, last)) = asked.and_then(|asked| range(asked, bytes.len())) else {
        return (common, bytes).into_response();
    };
    let told = format!("bytes {first}-{last}/{}", bytes.len());
    (StatusCode::PARTIAL_CONTENT, common, [(header::CONTENT_RANGE, told)], bytes.slice(first..=last))
        .into_response()
}

/// `bytes=a-b` or `bytes=a-` of something this long, both ends included.
fn range(asked: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = asked.strip_prefix("bytes=")?.split_once('-')?;
    let first: usize = first.parse().ok()?;
    let last = if last.is_empty() { length.checked_sub(1)? } else { last.parse().ok()? };
    (first < length).then(|| (first, last.min(length - 1)))
}
