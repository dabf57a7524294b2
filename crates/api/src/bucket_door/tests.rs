//! The door in process: what each operation leaves behind, and how it refuses. The clients' own view is checked
//! by `tests/clients/s3_door.py` against a running server.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use mps_backends::objects::local::LocalBuckets;
use mps_core::clock::{Clock, SystemClock};
use mps_store::object_events::{self, ObjectEvent};
use mps_store::{Store, StoreOptions, accounts};
use tempfile::TempDir;
use tower::ServiceExt;

use super::cos::{hmac_sha1_hex, sign_key};
use super::*;

const ACCOUNT: i64 = 1_250_000_000;
const BUCKET: &str = "films-1250000000";
const ID: &str = "AKIDtest";
const SECRET: &str = "secret";

struct Bench {
    store: Store,
    door: Router,
    _dir: TempDir,
}

async fn bench(limits: BucketDoorLimits) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(&dir.path().join("mps.db"), &StoreOptions::default()).await.unwrap();
    let key = accounts::Key {
        secret_id: ID.to_owned(),
        account: ACCOUNT,
        secret_key: SECRET.to_owned(),
        state: accounts::ACTIVE,
        created_ms: 1,
        comment: String::new(),
    };
    let made = store.write(|tx| {
        Box::pin(async move {
            accounts::ensure(tx, ACCOUNT, "a", 1).await?;
            accounts::add_key(tx, &key).await
        })
    });
    made.await.unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let buckets = LocalBuckets::open(dir.path(), store.clone(), clock.clone(), 1).await.unwrap();
    buckets.create_bucket(ACCOUNT, BUCKET, "ap-guangzhou").await.unwrap();
    let door = service(BucketDoorParts {
        store: store.clone(),
        buckets,
        clock,
        regions: Regions::new("ap-guangzhou", BTreeMap::new()),
        domains: vec!["cos.{region}.myqcloud.com".to_owned()],
        limits,
    });
    Bench { store, door, _dir: dir }
}

fn span() -> String {
    let now_s = SystemClock.now_ms() / 1000;
    format!("{};{}", now_s - 60, now_s + 600)
}

/// A request signed as COS clients do.
fn signed(method: &str, target: &str, secret: &str) -> http::request::Builder {
    let span = span();
    let path = target.split('?').next().unwrap();
    let text = format!("{}\n{path}\n\n\n", method.to_lowercase());
    let to_sign = format!("sha1\n{span}\n{}\n", hex::encode(<sha1::Sha1 as sha1::Digest>::digest(text)));
    let signature = hmac_sha1_hex(sign_key(secret, &span).as_bytes(), to_sign.as_bytes());
    let sign = format!(
        "q-sign-algorithm=sha1&q-ak={ID}&q-sign-time={span}&q-key-time={span}&q-header-list=&q-url-param-list=&q-signature={signature}"
    );
    let host = format!("{BUCKET}.cos.ap-guangzhou.myqcloud.com");
    Request::builder().method(method).uri(target).header("host", host).header("authorization", sign)
}

impl Bench {
    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.door.clone().oneshot(request).await.unwrap()
    }

    async fn call(&self, method: &str, target: &str, body: impl Into<Body>) -> (StatusCode, String) {
        let request = signed(method, target, SECRET).body(body.into()).unwrap();
        text(self.send(request).await).await
    }

    async fn events(&self) -> Vec<ObjectEvent> {
        self.store.read(|tx| Box::pin(object_events::after(tx, 0, 100))).await.unwrap()
    }

    async fn begin(&self, key: &str) -> String {
        let (status, xml) = self.call("POST", &format!("/{key}?uploads"), "").await;
        assert_eq!(status, 200, "{xml}");
        member(&xml, "UploadId")
    }

    async fn part(&self, key: &str, upload: &str, number: u32, body: Vec<u8>) -> String {
        let target = format!("/{key}?partNumber={number}&uploadId={upload}");
        let answer = self.send(signed("PUT", &target, SECRET).body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.status(), 200);
        answer.headers()["etag"].to_str().unwrap().to_owned()
    }

    async fn complete(&self, key: &str, upload: &str, tags: &[String]) -> (StatusCode, String) {
        let parts = tags
            .iter()
            .enumerate()
            .map(|(at, tag)| format!("<Part><PartNumber>{}</PartNumber><ETag>{tag}</ETag></Part>", at + 1));
        let xml = format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts.collect::<String>());
        let target = format!("/{key}?uploadId={upload}");
        let request = signed("POST", &target, SECRET).header("content-length", xml.len());
        text(self.send(request.body(Body::from(xml)).unwrap()).await).await
    }
}

async fn text(answer: Response<Body>) -> (StatusCode, String) {
    let status = answer.status();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

fn member(xml: &str, name: &str) -> String {
    let inside = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}")).1;
    inside.split_once('<').unwrap().0.to_owned()
}

fn form(fields: &[(&str, &str)], file: &str) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        write!(body, "--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").unwrap();
    }
    body.push_str("--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp4\"\r\n\r\n");
    body.push_str(file);
    body.push_str("\r\n--edge--\r\n");
    body
}

fn post(body: String) -> Request<Body> {
    Request::builder()
        .method("POST")
        .uri(format!("/{BUCKET}"))
        .header("host", "localhost:8081")
        .header("content-type", "multipart/form-data; boundary=edge")
        .body(Body::from(body))
        .unwrap()
}

#[tokio::test]
async fn each_way_of_making_an_object_raises_one_event() {
    let bench = bench(BucketDoorLimits::default()).await;
    assert_eq!(bench.call("PUT", "/put.mp4", "one").await.0, 200);

    let copy = signed("PUT", "/copy.mp4", SECRET)
        .header("x-cos-copy-source", format!("{BUCKET}.cos.ap-guangzhou.myqcloud.com/put.mp4"));
    assert_eq!(bench.send(copy.body(Body::empty()).unwrap()).await.status(), 200);

    let policy = BASE64_STANDARD.encode(r#"{"expiration":"2999-01-01T00:00:00Z","conditions":[]}"#);
    let span = span();
    let digest = hex::encode(<sha1::Sha1 as sha1::Digest>::digest(BASE64_STANDARD.decode(&policy).unwrap()));
    let signature = hmac_sha1_hex(sign_key(SECRET, &span).as_bytes(), digest.as_bytes());
    let fields = |signature: &str| {
        form(
            &[
                ("key", "up/${filename}"),
                ("policy", &policy),
                ("q-sign-algorithm", "sha1"),
                ("q-ak", ID),
                ("q-key-time", &span),
                ("q-signature", signature),
            ],
            "posted",
        )
    };
    assert_eq!(bench.send(post(fields(&signature))).await.status(), 204);
    assert_eq!(bench.send(post(fields("0000"))).await.status(), 403);

    let upload = bench.begin("parts.mp4").await;
    let tags = [
        bench.part("parts.mp4", &upload, 1, vec![1; 1024 * 1024]).await,
        bench.part("parts.mp4", &upload, 2, vec![2; 10]).await,
    ];
    let (status, xml) = bench.complete("parts.mp4", &upload, &tags).await;
    assert_eq!(status, 200, "{xml}");
    assert_eq!(bench.complete("parts.mp4", &upload, &tags).await, (status, xml), "asked again");

    let given_up = bench.begin("never.mp4").await;
    bench.part("never.mp4", &given_up, 1, vec![1; 10]).await;
    assert_eq!(bench.call("DELETE", &format!("/never.mp4?uploadId={given_up}"), "").await.0, 204);
    assert_eq!(bench.call("PUT", "/folder/", "").await.0, 200);

    let events = bench.events().await;
    let told: Vec<_> = events.iter().map(|e| (e.key.as_str(), e.name.as_str(), e.is_folder())).collect();
    assert_eq!(
        told,
        [
            ("put.mp4", "ObjectCreated:Put", false),
            ("copy.mp4", "ObjectCreated:Copy", false),
            ("up/a.mp4", "ObjectCreated:Post", false),
            ("parts.mp4", "ObjectCreated:CompleteMultipartUpload", false),
            ("folder/", "ObjectCreated:Put", true),
        ]
    );
    assert!(events.iter().all(|event| event.account == ACCOUNT && event.bucket == BUCKET));
}

#[tokio::test]
async fn a_refusal_is_readable_for_cos_clients() {
    let bench = bench(BucketDoorLimits::default()).await;
    let wrong = signed("GET", "/a%26b", "other").body(Body::empty()).unwrap();
    let (status, xml) = text(bench.send(wrong).await).await;
    assert_eq!((status, member(&xml, "Code").as_str()), (StatusCode::FORBIDDEN, "SignatureDoesNotMatch"));
    assert_eq!(member(&xml, "Resource"), "/a%26b");
    assert!(!member(&xml, "RequestId").is_empty() && !member(&xml, "Message").is_empty());

    let (status, xml) = bench.call("GET", "/none", "").await;
    assert_eq!((status, member(&xml, "Code").as_str()), (StatusCode::NOT_FOUND, "NoSuchKey"));

    let unsigned = Request::get(format!("/{BUCKET}/a")).body(Body::empty()).unwrap();
    let (status, xml) = text(bench.send(unsigned).await).await;
    assert_eq!((status, member(&xml, "Code").as_str()), (StatusCode::FORBIDDEN, "AccessDenied"));
    assert!(bench.events().await.is_empty());
}

#[tokio::test]
async fn a_body_that_stops_or_grows_too_long_leaves_nothing() {
    let limits =
        BucketDoorLimits { object_bytes: 10, idle: Duration::from_millis(50), ..BucketDoorLimits::default() };
    let bench = bench(limits).await;
    let (status, xml) = bench.call("PUT", "/long", "x".repeat(11)).await;
    assert_eq!((status, member(&xml, "Code").as_str()), (StatusCode::BAD_REQUEST, "EntityTooLarge"));

    let stuck = futures::StreamExt::chain(
        futures::stream::iter([Ok::<_, std::io::Error>("half")]),
        futures::stream::pending(),
    );
    let (status, xml) = bench.call("PUT", "/stuck", Body::from_stream(stuck)).await;
    assert_eq!((status, member(&xml, "Code").as_str()), (StatusCode::BAD_REQUEST, "RequestTimeout"));
    assert!(bench.events().await.is_empty());
    assert_eq!(bench.call("GET", "/stuck", "").await.0, 404);
}

#[tokio::test]
async fn a_long_completion_is_answered_with_patience() {
    let limits = BucketDoorLimits { patience: Duration::ZERO, ..BucketDoorLimits::default() };
    let bench = bench(limits).await;
    let upload = bench.begin("slow").await;
    let tags = [bench.part("slow", &upload, 1, vec![7; 100]).await];
    let (status, xml) = bench.complete("slow", &upload, &tags).await;
    assert_eq!(status, 200);
    assert_eq!(member(&xml, "Key"), "slow");
    assert!(member(&xml, "ETag").contains("-1"), "{xml}");
    let (status, xml) = bench.complete("slow", "unknown", &tags).await;
    assert_eq!((status, member(&xml, "Code").as_str()), (StatusCode::NOT_FOUND, "NoSuchUpload"));
}

#[tokio::test]
async fn header_names_go_out_as_the_vendors_write_them() {
    let bench = bench(BucketDoorLimits::default()).await;
    assert_eq!(bench.call("PUT", "/a.txt", "text").await.0, 200);
    let request = signed("GET", "/a.txt", SECRET).header("connection", "close");
    let answer = over_a_line(bench, request).await;
    for name in [
        "ETag: \"",
        "Content-Length: 4\r\n",
        "Content-Type: text/plain\r\n",
        "Last-Modified: ",
        "x-cos-request-id: ",
    ] {
        assert!(answer.contains(name), "{name} in {answer}");
    }
    assert!(answer.ends_with("\r\n\r\ntext"));
}

/// The connection ends with its answer, or the client's next request would be taken for the body it never sent.
#[tokio::test]
async fn an_announced_body_that_is_refused_ends_the_connection() {
    let bench = bench(BucketDoorLimits::default()).await;
    let request = signed("PUT", "/a.txt", SECRET)
        .header("content-length", "4")
        .header("content-md5", "bm90IG1kNQ==")
        .header("expect", "100-continue");
    let answer = over_a_line(bench, request).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(member(&answer, "Code"), "InvalidDigest");
    assert!(answer.to_ascii_lowercase().contains("\r\nconnection: close\r\n"), "{answer}");
}

/// All that the door sends over one connection until it ends it.
async fn over_a_line(bench: Bench, request: http::request::Builder) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, bench.door).await });
    let request = request.body(()).unwrap();
    let mut raw = format!("{} {} HTTP/1.1\r\n", request.method(), request.uri().path());
    for (name, value) in request.headers() {
        write!(raw, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
    }
    let mut line = tokio::net::TcpStream::connect(address).await.unwrap();
    line.write_all(format!("{raw}\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    line.read_to_string(&mut answer).await.unwrap();
    serving.abort();
    answer
}
