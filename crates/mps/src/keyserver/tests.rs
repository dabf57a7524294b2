//! The service's own client against the key server, over real HTTP, and what strangers send.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mps_backends::guard::{Guard, Policy, Timeouts};
use mps_backends::keys::{Client, Patience};
use mps_core::{Kind, Secret};
use mps_media::drm::tracks::{self, Track, wanted};
use mps_media::drm::{Drm, KeySet, Package, System, cpix, from_wire};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use std::net::SocketAddr;

use super::*;

const TICKET: &str = "g00d-ticket-of-this-test";

fn server(ticket: Option<&str>) -> KeyServer {
    KeyServer { seed: Seed::new("a seed of these tests").unwrap(), ticket: ticket.map(Secret::new) }
}

async fn start(server: KeyServer) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router(server)).await });
    address
}

fn ladder() -> Vec<Track> {
    let track = |label: &str, stream, kind, height| Track { label: label.to_owned(), stream, kind, height };
    vec![
        track("video-1", Some(0), tracks::Kind::Video, 360),
        track("video-2", Some(1), tracks::Kind::Video, 180),
        track("audio", None, tracks::Kind::Audio, 0),
    ]
}

/// All the way that a step goes: request, question, HTTP, answer.
async fn keys(address: SocketAddr, kind: &str, query: &str, preset: &str) -> mps_core::Result<KeySet> {
    let info = json!({"Type": kind, "SpekeDrm": {
        "ResourceId": "film-1", "KeyServerUrl": format!("http://{address}/speke?{query}"),
        "Vector": "0123456789abcdef0123456789abcdef", "EncryptionPreset": preset,
    }});
    let package = Package { format: "HLS", segment_type: "mp4-segment", codecs: &["h264", "aac"] };
    let Ok(Drm::Speke(speke)) = from_wire("item", &info, package) else { panic!("refused") };
    let wanted = wanted(&speke, &ladder());
    let guard = Guard::new(Policy::parse([address.to_string()]).unwrap(), Timeouts::default()).unwrap();
    let client = Client::new(guard, Patience::default());
    let answer = client.ask(&speke.key_server_url, &cpix::write(&speke, &wanted), cpix::ANSWER_BYTES).await?;
    cpix::read(&answer, &speke, &wanted)
}

#[tokio::test]
async fn the_service_gets_keys_and_everything_that_players_are_told() {
    let address = start(server(None)).await;
    let all = keys(address, "widevine+playready+fairplay", "", "preset1").await.unwrap();
    assert_eq!(all.0.len(), 3);
    let seed = Seed::new("a seed of these tests").unwrap();
    for key in &all.0 {
        assert_eq!(key.key, seed.key(key.kid));
        assert_eq!(key.iv.hex(), "0123456789abcdef0123456789abcdef");
        let told: Vec<System> = key.systems.iter().map(|told| told.system).collect();
        assert_eq!(told, [System::Widevine, System::PlayReady, System::FairPlay, System::ClearKey]);
        let uri = key.systems[2].key_uri.as_deref().unwrap();
        assert_eq!(uri, format!("skd://film-1/{}", key.kid));
    }
    let one = keys(address, "widevine", "", "preset0").await.unwrap();
    let again = keys(address, "widevine", "", "preset0").await.unwrap();
    assert_eq!((one.0.len(), &one), (1, &again));
    assert_eq!(keys(address, "fairplay", "", "preset0").await.unwrap().0[0].systems.len(), 2);
}

#[tokio::test]
async fn a_wrong_ticket_is_refused_and_the_right_one_taken() {
    let address = start(server(Some(TICKET))).await;
    for query in ["", "ticket=", "ticket=g00d", "tocket=g00d-ticket-of-this-test"] {
        let error = keys(address, "widevine", query, "preset0").await.unwrap_err();
        assert_eq!(error.kind(), Kind::Denied);
        assert!(error.message().contains("it may have expired"), "{error}");
    }
    keys(address, "widevine", &format!("a=b&ticket={TICKET}"), "preset0").await.unwrap();
}

async fn call(request: Request<Body>) -> (StatusCode, axum::http::HeaderMap, Vec<u8>) {
    let answer = router(server(None)).oneshot(request).await.unwrap();
    let (parts, body) = answer.into_parts();
    (parts.status, parts.headers, axum::body::to_bytes(body, 1 << 20).await.unwrap().to_vec())
}

fn post_to(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).body(body.into()).unwrap()
}

#[tokio::test]
async fn browsers_get_licences_and_keys_from_any_page() {
    let kid = Kid::from([7; 16]);
    let id = URL_SAFE_NO_PAD.encode(kid.bytes());
    let (status, headers, body) = call(post_to("/clearkey", json!({"kids": [id]}).to_string())).await;
    assert_eq!(
        (status, &headers["access-control-allow-origin"]),
        (StatusCode::OK, &HeaderValue::from_static("*"))
    );
    let licence: Value = serde_json::from_slice(&body).unwrap();
    let key = Seed::new("a seed of these tests").unwrap().key(kid);
    assert_eq!(
        licence,
        json!({"keys": [{"kty": "oct", "kid": id, "k": URL_SAFE_NO_PAD.encode(key.reveal())}], "type": "temporary"})
    );
    let (status, _, body) = call(Request::get(format!("/key/{kid}")).body(Body::empty()).unwrap()).await;
    assert_eq!((status, body.as_slice()), (StatusCode::OK, key.reveal().as_slice()));
    let asking = Request::options("/clearkey").body(Body::empty()).unwrap();
    assert_eq!(call(asking).await.0, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_is_no_question_is_refused_with_a_reason() {
    let id = |count: usize| vec![URL_SAFE_NO_PAD.encode([7; 16]); count];
    for odd in [json!({"kids": []}), json!({"kids": ["x"]}), json!([]), json!({"kids": id(300)})] {
        assert_eq!(call(post_to("/clearkey", odd.to_string())).await.0, StatusCode::BAD_REQUEST, "{odd}");
    }
    let persistent = json!({"kids": id(1), "type": "persistent-license"});
    assert_eq!(call(post_to("/clearkey", persistent.to_string())).await.0, StatusCode::BAD_REQUEST);
    let root = |attributes: &str, inside: &str| {
        format!("<c:CPIX xmlns:c=\"urn:dashif:org:cpix\" {attributes}>{inside}</c:CPIX>")
    };
    let key = |attributes: &str| format!("<c:ContentKeyList><c:ContentKey {attributes}/></c:ContentKeyList>");
    let kid = Kid::from([7; 16]);
    for odd in [
        String::new(),
        "<x/>".to_owned(),
        "<!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>".to_owned(),
        "<a>".repeat(100_000),
        root("contentId=\"a\"", ""),
        root("contentId=\"a b\"", &key(&format!("kid=\"{kid}\""))),
        root("contentId=\"a\"", &key("kid=\"1\"")),
        root("contentId=\"a\"", &key(&format!("kid=\"{kid}\" explicitIV=\"AA\""))),
        root("contentId=\"a\"", &key(&format!("kid=\"{kid}\" commonEncryptionScheme=\"cens\""))),
    ] {
        let (status, _, body) = call(post_to("/speke", odd.clone())).await;
        assert!(
            status == StatusCode::BAD_REQUEST && !body.is_empty(),
            "{status} {}",
            &odd[..odd.len().min(99)]
        );
    }
    assert_eq!(call(post_to("/speke", vec![b' '; 2 << 20])).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let get = |path: &str| Request::get(path.to_owned()).body(Body::empty()).unwrap();
    assert_eq!(call(get("/key/x")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(call(get("/healthz")).await.0, StatusCode::OK);
}
