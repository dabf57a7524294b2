//! [`TestApp`]: the API without a socket.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use mps_api::{App, BucketNames, Hooks, Limits, Parts, Prober, Regions, ToolsCell, router};
use mps_backends::guard::{Guard, Policy, Timeouts};
use mps_backends::objects::local::LocalBuckets;
use mps_core::clock::{Clock, FakeClock};
use mps_core::media_info::VideoStream;
use mps_core::task::TaskView;
use mps_core::{Error, MediaInfo, Result};
use mps_media::answer;
use mps_media::plan::Build;
use mps_store::{Store, StoreOptions, accounts, buckets};
use mps_tasks::{Engine, EngineOptions, LocalBell, Shape};
use mps_wire::auth::tc3;
use mps_wire::types::MediaInputInfo;
use serde_json::Value;
use tower::ServiceExt;

/// The account of [`TestApp`]'s key.
pub(crate) const ACCOUNT: i64 = 1_250_000_000;
/// A bucket of that account in ap-guangzhou.
pub(crate) const BUCKET: &str = "test-1250000000";
/// A bucket of another account, in ap-guangzhou.
pub(crate) const FOREIGN_BUCKET: &str = "other-1250000001";
/// Where the clock stands at first: 2026-03-01T08:00:00Z.
pub(crate) const NOW_MS: i64 = 1_772_352_000_000;

/// The `Host` that [`TestApp::signed`] sends.
pub(crate) const HOST: &str = "mps.example.com";

/// A key pair.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// The API on a database of its own, with one account, one key and one bucket.
pub(crate) struct TestApp {
    pub(crate) router: Router,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) store: Store,
    pub(crate) engine: Engine,
    pub(crate) local: LocalBuckets,
    pub(crate) key: Pair,
    _dir: tempfile::TempDir,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
    /// What stands under `Response`; null when the answer has another form.
    pub(crate) response: Value,
}

impl Reply {
    /// The error's code; `ok` when there is none.
    pub(crate) fn code(&self) -> &str {
        self.response["Error"]["Code"].as_str().unwrap_or("ok")
    }

    /// The error's message; empty when there is none.
    pub(crate) fn message(&self) -> &str {
        self.response["Error"]["Message"].as_str().unwrap_or_default()
    }

    /// The response of a call that must have succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!(self.response["Error"].is_null(), "{}: {}", self.code(), self.message());
        assert!(self.response.is_object(), "{self:?}");
        self.response
    }

    /// Asserts the code and that the message names `what`.
    #[track_caller]
    pub(crate) fn refused(self, code: &str, what: &str) {
        assert_eq!(self.code(), code, "{}", self.message());
        assert!(self.message().contains(what), "{:?} does not name {what:?}", self.message());
    }
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// An app some of whose parts were changed.
    pub(crate) async fn with(change: impl FnOnce(&mut Parts)) -> Self {
        Self::on(StoreOptions::default(), change).await
    }

    /// The same on a database opened in another way.
    pub(crate) async fn on(options: StoreOptions, change: impl FnOnce(&mut Parts)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("mps.db").display());
        let store = Store::open(&url, options).await.unwrap();
        let clock = Arc::new(FakeClock::at(NOW_MS));
        let engine = Engine::new(
            store.clone(),
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::new(LocalBell::default()),
            Arc::new(Answers),
            EngineOptions::default(),
        );
        let tools = ToolsCell::default();
        tools.fill(Build::with(["libx264", "aac", "libmp3lame", "libfdk_aac", "mjpeg", "png"], []));
        let alias = ("ap-guangzhou-2".to_owned(), "ap-guangzhou".to_owned());
        let system: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
        let local = LocalBuckets::open(&dir.path().join("data"), store.clone(), system, 1).await.unwrap();
        let mut parts = Parts {
            store: store.clone(),
            local: local.clone(),
            engine: engine.clone(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            regions: Regions::new("ap-guangzhou", BTreeMap::from([alias])),
            bucket_names: BucketNames {
                domains: vec!["cos.{region}.myqcloud.com".to_owned()],
                endpoints: vec!["http://127.0.0.1:8081".parse().unwrap()],
                ..BucketNames::default()
            },
            limits: Limits::default(),
            tools,
            prober: Arc::new(Shelf),
            guard: Guard::new(Policy::default(), Timeouts::default()).unwrap(),
            hooks: Hooks::default(),
        };
        change(&mut parts);
        let app = Self {
            router: router(App::new(parts)),
            local,
            clock,
            store,
            engine,
            key: Pair { id: String::new(), secret: String::new() },
            _dir: dir,
        };
        let key = app.add_account(ACCOUNT, BUCKET).await;
        app.add_account(ACCOUNT + 1, FOREIGN_BUCKET).await;
        Self { key, ..app }
    }

    /// Makes an account with a key and a bucket.
    pub(crate) async fn add_account(&self, account: i64, bucket: &'static str) -> Pair {
        self.add_bucket(account, bucket, "ap-guangzhou").await;
        self.add_key(account).await
    }

    /// Makes a bucket of an account, and the account if it is new.
    pub(crate) async fn add_bucket(&self, account: i64, name: &str, region: &str) {
        let (name, region) = (name.to_owned(), region.to_owned());
        let row = buckets::Bucket { name, account, region, created_ms: NOW_MS };
        let made = self.store.write(move |tx| {
            Box::pin(async move {
                accounts::ensure(tx, account, "test", NOW_MS).await?;
                buckets::create(tx, &row).await.map(drop)
            })
        });
        made.await.unwrap();
    }

    /// Makes one more key of an account, as another process would.
    pub(crate) async fn add_key(&self, account: i64) -> Pair {
        let pair = Pair {
            id: format!("AKID{}", uuid::Uuid::new_v4().simple()),
            secret: uuid::Uuid::new_v4().simple().to_string(),
        };
        let row = accounts::Key {
            secret_id: pair.id.clone(),
            account,
            secret_key: pair.secret.clone(),
            state: accounts::ACTIVE,
            created_ms: NOW_MS,
            comment: String::new(),
        };
        self.store.write(move |tx| Box::pin(async move { accounts::add_key(tx, &row).await })).await.unwrap();
        pair
    }

    /// Calls an action as the account's own client does.
    pub(crate) async fn call(&self, action: &str, body: Value) -> Reply {
        self.call_as(&self.key, action, body).await
    }

    /// Calls an action with a key.
    pub(crate) async fn call_as(&self, key: &Pair, action: &str, body: Value) -> Reply {
        self.send(self.signed(key, action, body.to_string())).await
    }

    /// A request signed as the vendor's SDK signs it.
    pub(crate) fn signed(&self, key: &Pair, action: &str, body: String) -> Request<Body> {
        let timestamp = self.clock.now_ms() / 1_000;
        let signed = tc3::Request {
            method: "POST",
            host: HOST,
            content_type: "application/json",
            query: "",
            body: body.as_bytes(),
            timestamp_s: timestamp,
        };
        let authorization = tc3::sign(&signed, &key.id, &key.secret).unwrap();
        Request::post("/")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::HOST, HOST)
            .header(header::AUTHORIZATION, authorization)
            .header("X-TC-Action", action)
            .header("X-TC-Version", "2019-06-12")
            .header("X-TC-Timestamp", timestamp)
            .header("X-TC-Region", "ap-guangzhou")
            .body(Body::from(body))
            .unwrap()
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let content_type = response.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let mut envelope: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        Reply { status, content_type, response: envelope["Response"].take() }
    }

    /// Status and text of a plain GET.
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, String) {
        let request = Request::builder().method(Method::GET).uri(path).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    /// How many tasks the account has in all states.
    pub(crate) async fn count_tasks(&self) -> i64 {
        let filter = mps_tasks::ListFilter { limit: 1, ..mps_tasks::ListFilter::default() };
        self.engine.list(ACCOUNT, &filter).await.unwrap().total
    }
}

/// Words answers and callbacks as the server does.
pub(crate) struct Answers;

impl Shape for Answers {
    fn event(&self, view: &TaskView) -> Option<Value> {
        answer::event::body(view, NOW_MS)
    }

    fn answer(&self, view: &TaskView) -> Option<Value> {
        Some(answer::detail(view))
    }
}

/// Knows one film, `film.mp4`; what is called `broken` is no medium.
struct Shelf;

#[async_trait]
impl Prober for Shelf {
    async fn probe(&self, _: i64, source: &MediaInputInfo, _: Duration) -> Result<MediaInfo> {
        let key = source.cos_input_info.as_ref().and_then(|cos| cos.object.as_deref()).unwrap_or_default();
        if key.contains("broken") {
            return Err(Error::invalid("cannot read the file: no streams"));
        }
        if key != "film.mp4" {
            return Err(Error::not_found("there is no such object"));
        }
        let video =
            VideoStream { codec: "h264".to_owned(), width: 640, height: 360, ..VideoStream::default() };
        Ok(MediaInfo {
            format: "mov,mp4,m4a,3gp,3g2,mj2".to_owned(),
            size_bytes: 123_456,
            duration_us: 2_500_000,
            video: vec![video],
            stream_count: 1,
            ..MediaInfo::default()
        })
    }

    fn expect(&self, _: i64, _: &MediaInputInfo) {}
}
