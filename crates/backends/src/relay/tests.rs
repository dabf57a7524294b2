//! What a child sees of an object, and what it must not see.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use mps_core::error::Kind;
use reqwest::header::RANGE;

use super::{Asked, Relay};
use crate::guard::{Timeouts, client_builder};
use crate::objects::http::HttpSource;
use crate::testing::{Reply, Server, guard_for, noise};

fn source(server: &Server) -> Arc<HttpSource> {
    let guard = guard_for(&[server], Duration::from_secs(2));
    Arc::new(HttpSource::new(guard, &server.url("/in/clip.mp4"), 1 << 30).unwrap())
}

fn client() -> reqwest::Client {
    client_builder(Timeouts::default()).unwrap().build().unwrap()
}

#[tokio::test]
async fn an_object_is_read_whole_and_by_range() {
    let file = noise(300_000);
    let server = {
        let file = file.clone();
        Server::start(move |seen, _| Reply::file(seen, &file, "\"v\"").header("Content-Type", "video/mp4"))
            .await
    };
    let relay = Relay::start().await.unwrap();
    let handle = relay.open(source(&server), "in/clip.mp4", "dir/ünsafe name.mp4").await.unwrap();
    let url = handle.url();
    assert!(url.starts_with(&format!("http://127.0.0.1:{}/r/", relay.port())), "{url}");
    assert!(url.ends_with("/dir__nsafe_name.mp4"), "{url}");
    let client = client();
    let head = client.head(&url).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], "300000");
    assert_eq!(
        (&head.headers()["accept-ranges"], &head.headers()["content-type"]),
        (&"bytes".parse().unwrap(), &"video/mp4".parse().unwrap())
    );
    assert_eq!(client.get(&url).send().await.unwrap().bytes().await.unwrap(), file);
    for (range, told, bytes) in [
        ("bytes=0-", "bytes 0-299999/300000", &file[..]),
        ("bytes=100-199", "bytes 100-199/300000", &file[100..200]),
        ("bytes=299990-999999", "bytes 299990-299999/300000", &file[299_990..]),
        ("bytes=-10", "bytes 299990-299999/300000", &file[299_990..]),
    ] {
        let answer = client.get(&url).header(RANGE, range).send().await.unwrap();
        assert_eq!(answer.status(), 206, "{range}");
        assert_eq!(answer.headers()["content-range"], told);
        assert_eq!(answer.bytes().await.unwrap(), bytes, "{range}");
    }
    let beyond = client.get(&url).header(RANGE, "bytes=300000-").send().await.unwrap();
    assert_eq!(
        (beyond.status().as_u16(), &beyond.headers()["content-range"]),
        (416, &"bytes */300000".parse().unwrap())
    );
    assert_eq!(handle.sent_bytes(), 300_000 * 2 + 100 + 10 + 10);
    assert!(handle.take_error().is_none());
}

#[tokio::test]
async fn only_the_exact_address_opens_and_only_while_the_handle_lives() {
    let server = Server::start(|seen, _| Reply::file(seen, &noise(100), "\"v\"")).await;
    let relay = Relay::start().await.unwrap();
    let handle = relay.open(source(&server), "in/clip.mp4", "a.mp4").await.unwrap();
    let (client, url) = (client(), handle.url());
    let other = format!("http://127.0.0.1:{}", relay.port());
    let token = url.rsplit('/').nth(1).unwrap();
    assert_eq!(token.len(), 32);
    for wrong in [
        other.clone(),
        format!("{other}/r/"),
        format!("{other}/r/{token}"),
        format!("{other}/r/{token}/b.mp4"),
        format!("{other}/r/{}/a.mp4", "0".repeat(32)),
        format!("{other}/r/{token}/a.mp4/x"),
    ] {
        assert_eq!(client.get(&wrong).send().await.unwrap().status(), 404, "{wrong}");
    }
    assert_eq!(client.post(&url).send().await.unwrap().status(), 405);
    let second = relay.open(source(&server), "in/clip.mp4", "a.mp4").await.unwrap();
    assert_ne!(second.url(), url);
    drop(handle);
    assert_eq!(client.get(&url).send().await.unwrap().status(), 404);
    assert_eq!(client.get(second.url()).send().await.unwrap().status(), 200);
    drop(relay);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(client.get(second.url()).send().await.is_err());
}

#[tokio::test]
async fn a_missing_object_is_told_when_it_is_opened() {
    let server = Server::start(|_, _| Reply::new(404)).await;
    let relay = Relay::start().await.unwrap();
    let error = relay.open(source(&server), "in/clip.mp4", "a.mp4").await.err().unwrap();
    assert_eq!(error.kind(), Kind::NotFound);
}

#[tokio::test]
async fn a_source_that_fails_midway_breaks_the_connection_and_is_remembered() {
    let server = Server::start(|seen, _| {
        let mut reply = Reply::file(seen, &noise(100_000), "\"v\"");
        if seen.method == "GET" {
            reply.body.truncate(if seen.range(100_000).is_none_or(|(first, _)| first == 0) {
                60_000
            } else {
                0
            });
        }
        reply
    })
    .await;
    let relay = Relay::start().await.unwrap();
    let handle = relay.open(source(&server), "in/clip.mp4", "a.mp4").await.unwrap();
    let answer = client().get(handle.url()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.is_err());
    let error = handle.take_error().unwrap();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert_eq!(handle.sent_bytes(), 60_000);
    assert!(handle.take_error().is_none());
}

#[tokio::test]
async fn what_the_child_does_not_read_is_not_fetched() {
    let server = Server::start(|seen, _| {
        let reply = Reply::new(200).header("Content-Length", 1_u64 << 29).header("Accept-Ranges", "bytes");
        let is_get = seen.method == "GET";
        Reply { body: if is_get { vec![7; 1 << 20] } else { Vec::new() }, endless: is_get, ..reply }
    })
    .await;
    let relay = Relay::start().await.unwrap();
    let handle = relay.open(source(&server), "in/clip.mp4", "a.mp4").await.unwrap();
    let mut answer = client().get(handle.url()).send().await.unwrap();
    answer.chunk().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let waiting = handle.sent_bytes();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(handle.sent_bytes(), waiting, "the relay runs ahead of its reader");
    assert!(waiting < 64 << 20, "{waiting}");
    drop(handle);
    while let Ok(Some(_)) = answer.chunk().await {}
}

#[test]
fn ranges_are_read_as_http_says() {
    let part = |range: std::ops::Range<u64>| Asked::Part(range);
    for (text, size, asked) in [
        ("bytes=0-0", 10, part(0..1)),
        ("bytes=0-", 10, part(0..10)),
        ("bytes=9-", 10, part(9..10)),
        ("bytes=2-18446744073709551615", 10, part(2..10)),
        ("bytes=-3", 10, part(7..10)),
        ("bytes=-30", 10, part(0..10)),
        ("bytes=-0", 10, Asked::Beyond),
        ("bytes=10-", 10, Asked::Beyond),
        ("bytes=10-11", 10, Asked::Beyond),
        ("bytes=0-", 0, Asked::Beyond),
        ("bytes=-1", 0, Asked::Beyond),
        ("bytes=5-2", 10, Asked::Whole),
        ("bytes=0-1,3-4", 10, Asked::Whole),
        ("bytes=a-b", 10, Asked::Whole),
        ("bytes=-", 10, Asked::Whole),
        ("bytes=", 10, Asked::Whole),
        ("items=0-1", 10, Asked::Whole),
    ] {
        assert_eq!(Asked::of(Some(text), size), asked, "{text} of {size}");
    }
    assert_eq!(Asked::of(None, 10), Asked::Whole);
}

fn tool(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.cache/tools")).join(name);
    path.exists().then_some(path)
}

#[expect(clippy::disallowed_methods, reason = "the test asks the real tool")]
async fn output(tool: &std::path::Path, arguments: &[&str]) -> String {
    let mut command = tokio::process::Command::new(tool);
    let done = command.args(arguments).stdin(Stdio::null()).output().await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[tokio::test]
async fn ffprobe_reads_a_film_whose_index_is_at_the_end() {
    let (Some(ffmpeg), Some(ffprobe)) = (tool("ffmpeg"), tool("ffprobe")) else {
        eprintln!("skipped: no media tools in .cache/tools");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.mp4").to_string_lossy().into_owned();
    let picture = "testsrc2=size=320x240:rate=25:duration=4";
    let sound = "sine=frequency=440:duration=4";
    output(&ffmpeg, &["-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, &film]).await;
    let bytes = std::fs::read(&film).unwrap();
    let server = Server::start(move |seen, _| Reply::file(seen, &bytes, "\"v\"")).await;
    let relay = Relay::start().await.unwrap();
    let handle = relay.open(source(&server), "in/clip.mp4", "film.mp4").await.unwrap();
    let wanted = ["-v", "error", "-of", "csv=p=0", "-show_entries", "stream=codec_type,nb_frames"];
    let told = output(&ffprobe, &[&wanted[..], &[&handle.url()]].concat()).await;
    assert!(told.contains("video,100") && told.contains("audio,"), "{told}");
    assert!(handle.take_error().is_none());
}
