//! A receiver of callbacks whose answers are written beforehand.
//!
//! Each path is a receiver of its own: what it was sent is kept in order of arrival, and it answers what its script
//! says, then 200.

use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use bytes::Bytes;
use serde_json::Value;

/// How a receiver answers one call.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// With this status.
    Status(u16),
    /// Not at all.
    Hang,
}

/// One call that arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// When.
    pub at: Instant,
    /// `GET`, `POST`…
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// `Content-Type`.
    pub content_type: String,
    /// `X-MPS-Event-Id`.
    pub event_id: String,
    /// `X-MPS-Attempt`.
    pub attempt: String,
    /// The body as text.
    pub text: String,
}

impl Received {
    /// The body as JSON.
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|e| panic!("a callback is no JSON ({e}): {}", self.text))
    }

    /// The task that it is about.
    pub fn task_id(&self) -> String {
        self.body()["WorkflowTaskEvent"]["TaskId"].as_str().unwrap_or_default().to_owned()
    }
}

#[derive(Default)]
struct Kept {
    received: Vec<Received>,
    scripts: HashMap<String, VecDeque<Answer>>,
    always: HashMap<String, Answer>,
}

/// A receiver that ends with the test.
pub struct Receiver {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
}

impl Receiver {
    /// Listens on a free port.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let kept = Arc::new(Mutex::new(Kept::default()));
        let router = Router::new().fallback(take).with_state(Arc::clone(&kept));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, kept }
    }

    /// `host:port`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// What the next calls to `path` are answered.
    pub fn script(&self, path: &str, answers: &[Answer]) {
        self.locked(|kept| kept.scripts.insert(format!("/{path}"), answers.iter().copied().collect()));
    }

    /// What all calls to `path` are answered that no script is left for.
    pub fn always(&self, path: &str, answer: Answer) {
        self.locked(|kept| kept.always.insert(format!("/{path}"), answer));
    }

    /// What arrived at `path` so far.
    pub fn at(&self, path: &str) -> Vec<Received> {
        let path = format!("/{path}");
        self.locked(|kept| {
            kept.received
                .iter()
                .filter(|call| call.target.split('?').next() == Some(path.as_str()))
                .cloned()
                .collect()
        })
    }

    /// Everything that arrived.
    pub fn all(&self) -> Vec<Received> {
        self.locked(|kept| kept.received.clone())
    }

    /// Waits until `count` calls have arrived at `path`.
    pub async fn wait(&self, path: &str, count: usize, at_most: Duration) -> Vec<Received> {
        let limit = Instant::now() + at_most;
        loop {
            let calls = self.at(path);
            if calls.len() >= count {
                return calls;
            }
            assert!(
                Instant::now() < limit,
                "{} of {count} callbacks at /{path} after {at_most:?}",
                calls.len()
            );
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    fn locked<T>(&self, doing: impl FnOnce(&mut Kept) -> T) -> T {
        doing(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn take(
    State(kept): State<Arc<Mutex<Kept>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let header =
        |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned).unwrap_or_default();
    let call = Received {
        at: Instant::now(),
        method: method.to_string(),
        target: uri.to_string(),
        content_type: header("content-type"),
        event_id: header("x-mps-event-id"),
        attempt: header("x-mps-attempt"),
        text: String::from_utf8_lossy(&body).into_owned(),
    };
    let answer = {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.received.push(call);
        let scripted = kept.scripts.get_mut(uri.path()).and_then(VecDeque::pop_front);
        scripted.or_else(|| kept.always.get(uri.path()).copied()).unwrap_or(Answer::Status(200))
    };
    match answer {
        Answer::Status(code) => StatusCode::from_u16(code).unwrap_or(StatusCode::OK),
        Answer::Hang => std::future::pending().await,
    }
}
