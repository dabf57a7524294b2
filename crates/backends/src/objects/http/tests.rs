//! Servers that break off, lie, change, and go on for ever.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::TryStreamExt as _;
use mps_core::error::{Kind, Retry};

use super::HttpSource;
use crate::objects::ObjectStore as _;
use crate::testing::{Reply, Seen, Server, guard_for, noise};

const LIMIT: u64 = 10_000_000;

fn source(server: &Server) -> HttpSource {
    limited(server, LIMIT, Duration::from_secs(5))
}

fn limited(server: &Server, max_bytes: u64, idle: Duration) -> HttpSource {
    HttpSource::new(guard_for(&[server], idle), &server.url("/dir/clip%20one.mp4?sig=a%2Fb"), max_bytes)
        .unwrap()
}

async fn read(source: &HttpSource, range: Option<std::ops::Range<u64>>) -> mps_core::Result<Vec<u8>> {
    let chunks: Vec<Bytes> = source.read(source.key(), range).await?.try_collect().await?;
    Ok(chunks.concat())
}

#[tokio::test]
async fn a_good_server_gives_head_whole_and_ranges() {
    let file = noise(100_000);
    let server = {
        let file = file.clone();
        Server::start(move |seen, _| Reply::file(seen, &file, "\"v1\"").header("Content-Type", "video/mp4"))
            .await
    };
    let source = source(&server);
    assert_eq!((source.key(), source.file_name().as_str()), ("dir/clip one.mp4", "clip one.mp4"));
    let meta = source.head("dir/clip one.mp4").await.unwrap();
    assert_eq!(
        (meta.size_bytes, meta.etag.as_str(), meta.content_type.as_str()),
        (100_000, "v1", "video/mp4")
    );
    assert_eq!(read(&source, None).await.unwrap(), file);
    assert_eq!(read(&source, Some(500..900)).await.unwrap(), file[500..900]);
    assert_eq!(read(&source, Some(99_990..200_000)).await.unwrap(), file[99_990..]);
    assert_eq!(read(&source, Some(5..5)).await.unwrap(), b"");
    assert_eq!(read(&source, Some(100_000..100_001)).await.unwrap_err().kind(), Kind::InvalidInput);
    assert_eq!(source.head("other").await.unwrap_err().kind(), Kind::NotFound);
    let seen = server.seen();
    assert_eq!(seen[0].method, "HEAD");
    assert!(seen.iter().all(|seen| seen.target == "/dir/clip%20one.mp4?sig=a%2Fb"));
    assert!(seen.iter().all(|seen| seen.header("accept-encoding") == "identity"));
    assert_eq!(seen.last().unwrap().header("if-range"), "\"v1\"");
}

#[tokio::test]
async fn names_are_taken_from_the_path_and_made_harmless() {
    let server = Server::start(|_, _| Reply::new(200)).await;
    for (path, name) in [
        ("/a/b.mp4", "b.mp4"),
        ("/a/b/", "input"),
        ("", "input"),
        ("/a%2Fb.mp4", "a_b.mp4"),
        ("/%E8%A7%86%E9%A2%91.mp4?x=/y.avi", "视频.mp4"),
        ("/..%2F..%2Fetc", ".._.._etc"),
        ("/x/%2E%2E", "input"),
        ("/a%00b", "a_b"),
    ] {
        let source =
            HttpSource::new(guard_for(&[&server], Duration::from_secs(1)), &server.url(path), 1).unwrap();
        assert_eq!(source.file_name(), name, "{path}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_head_is_asked_for_one_byte() {
    for status in [400, 403, 404, 405, 500, 501] {
        let file = noise(1_000);
        let server = {
            let file = file.clone();
            let head = move |seen: &Seen, _| match seen.method.as_str() {
                "HEAD" => Reply::new(status),
                _ => Reply::file(seen, &file, "\"v\""),
            };
            Server::start(head).await
        };
        let source = source(&server);
        let known = source.known().await.unwrap();
        assert_eq!((known.size_bytes, known.has_ranges), (Some(1_000), true), "{status}");
        assert_eq!(read(&source, Some(10..20)).await.unwrap(), file[10..20]);
    }
}

#[tokio::test]
async fn a_server_without_ranges_is_read_from_the_start_and_cut() {
    let file = noise(50_000);
    let server = {
        let file = file.clone();
        let whole = move |seen: &Seen, _| match seen.method.as_str() {
            "HEAD" => Reply::new(200).header("Content-Length", file.len()),
            _ => Reply::new(200).body(file.clone()),
        };
        Server::start(whole).await
    };
    let source = source(&server);
    assert!(!source.known().await.unwrap().has_ranges);
    assert_eq!(read(&source, Some(40_000..40_010)).await.unwrap(), file[40_000..40_010]);
    assert_eq!(read(&source, Some(49_990..60_000)).await.unwrap(), file[49_990..]);
    assert_eq!(read(&source, None).await.unwrap(), file);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_continued_where_it_stopped() {
    let file = noise(100_000);
    let server = {
        let file = file.clone();
        let short = move |seen: &Seen, _| {
            let mut reply = Reply::file(seen, &file, "\"v\"");
            reply.body.truncate(30_000);
            reply
        };
        Server::start(short).await
    };
    let source = source(&server);
    assert_eq!(read(&source, None).await.unwrap(), file);
    assert_eq!(read(&source, Some(10..99_000)).await.unwrap(), file[10..99_000]);
    let starts: Vec<_> =
        server.seen().iter().filter_map(|s| s.range(100_000)).map(|(first, _)| first).collect();
    assert_eq!(starts[..3], [30_000, 60_000, 90_000]);
}

#[tokio::test]
async fn a_body_that_never_goes_on_is_given_up_for_later() {
    let server = Server::start(|seen, _| {
        let mut reply = Reply::file(seen, &noise(1_000), "\"v\"");
        reply.body.truncate(if seen.range(1_000).is_none_or(|(first, _)| first == 0) { 300 } else { 0 });
        reply
    })
    .await;
    let error = read(&source(&server), None).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Unavailable, Retry::Later));
    assert!(server.connections() < 10, "{}", server.connections());
}

#[tokio::test]
async fn a_wrong_length_is_a_changed_source() {
    let told_and_sent: [(u64, usize); 2] = [(1_000, 500), (500, 1_000)];
    for (told, sent) in told_and_sent {
        let server = Server::start(move |seen, _| match seen.method.as_str() {
            "HEAD" => Reply::new(200).header("Content-Length", told).header("Accept-Ranges", "bytes"),
            _ => Reply::file(seen, &noise(sent), "\"v\""),
        })
        .await;
        for range in [None, Some(100..200)] {
            let error = read(&source(&server), range).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.retry()),
                (Kind::Conflict, Retry::Later),
                "{told} {sent}: {error:?}"
            );
        }
    }
    // Without a length the surplus shows only in the bytes.
    let server = Server::start(|seen, _| match seen.method.as_str() {
        "HEAD" => Reply::new(200).header("Content-Length", 500).header("Accept-Ranges", "bytes"),
        _ => Reply { body: noise(1_000), ..Reply::new(200) },
    })
    .await;
    assert_eq!(read(&source(&server), None).await.unwrap_err().kind(), Kind::Conflict);
}

#[tokio::test]
async fn another_version_midway_is_an_error_and_never_a_mixture() {
    for keeps_length in [true, false] {
        let gets = AtomicUsize::new(0);
        let server = Server::start(move |seen, _| {
            let is_get = seen.method == "GET";
            let is_first = !is_get || gets.fetch_add(1, Ordering::SeqCst) == 0;
            let (size, tag) = if is_first {
                (1_000, "\"v1\"")
            } else {
                (if keeps_length { 1_000 } else { 1_200 }, "\"v2\"")
            };
            let mut reply = Reply::file(seen, &noise(size), tag);
            if is_get && is_first {
                reply.body.truncate(400);
            }
            reply
        })
        .await;
        let error = read(&source(&server), None).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (Kind::Conflict, Retry::Later), "{error:?}");
    }
}

#[tokio::test]
async fn a_passing_failure_passes() {
    for status in [500, 502, 503, 429] {
        let server = Server::start(move |seen, before| match before {
            1 | 3 => Reply::new(status).body("busy"),
            _ if seen.method == "HEAD" => Reply::new(405),
            _ => Reply::file(seen, &noise(1_000), "\"v\""),
        })
        .await;
        assert_eq!(read(&source(&server), None).await.unwrap(), noise(1_000), "{status}");
    }
    let busy = Server::start(|_, _| Reply::new(503).header("Retry-After", "30").body("")).await;
    let error = read(&source(&busy), None).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Unavailable, Retry::AfterMs(30_000)));
}

#[tokio::test]
async fn what_is_not_there_is_told_at_once_and_for_good() {
    for (status, kind) in [
        (404, Kind::NotFound),
        (410, Kind::NotFound),
        (401, Kind::Denied),
        (403, Kind::Denied),
        (400, Kind::InvalidInput),
        (418, Kind::InvalidInput),
    ] {
        let server = Server::start(move |_, _| Reply::new(status).body("no")).await;
        let begun = Instant::now();
        let error = source(&server).head("dir/clip one.mp4").await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, Retry::Never), "{status}");
        assert!(
            error.message().contains(&status.to_string()) && !error.message().contains("sig="),
            "{error}"
        );
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_closed_port_is_given_up_soon_and_for_later() {
    let server = Server::start(|_, _| Reply::new(200)).await;
    let source = source(&server);
    drop(server);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let begun = Instant::now();
    let error = read(&source, None).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Unavailable, Retry::Later));
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn the_limit_holds_for_told_and_untold_sizes() {
    let large = Server::start(|seen, _| Reply::file(seen, &noise(5_001), "\"v\"")).await;
    let error = limited(&large, 5_000, Duration::from_secs(5)).known().await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Limit, Retry::Never));
    let endless = Server::start(|seen, _| match seen.method.as_str() {
        "HEAD" => Reply::new(200),
        _ => Reply { body: noise(10_000), endless: true, ..Reply::new(200) },
    })
    .await;
    let source = limited(&endless, 1_000_000, Duration::from_secs(5));
    assert_eq!(source.head(source.key()).await.unwrap_err().kind(), Kind::Unsupported);
    assert_eq!(read(&source, None).await.unwrap_err().kind(), Kind::Limit);
    assert_eq!(read(&source, Some(0..25_000)).await.unwrap().len(), 25_000);
}

#[tokio::test]
async fn slow_is_fine_and_stuck_is_not() {
    let slow = Server::start(|seen, _| {
        let reply = Reply::file(seen, &noise(1_000), "\"v\"");
        Reply { pace: Some((100, Duration::from_millis(100))), ..reply }
    })
    .await;
    let idle = Duration::from_millis(500);
    assert_eq!(read(&limited(&slow, LIMIT, idle), None).await.unwrap(), noise(1_000));
    let stuck = Server::start(|seen, _| {
        let mut reply = Reply::file(seen, &noise(1_000), "\"v\"");
        let is_start = seen.range(1_000).is_none_or(|(first, _)| first == 0);
        reply.body.truncate(if is_start { 10 } else { 0 });
        reply.hangs = seen.method == "GET";
        reply
    })
    .await;
    let begun = Instant::now();
    let error = read(&limited(&stuck, LIMIT, idle), None).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Timeout, Retry::Later));
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_empty_file_is_empty() {
    for head in [200, 405] {
        let server = Server::start(move |seen, _| match seen.method.as_str() {
            "HEAD" if head == 405 => Reply::new(405),
            _ => Reply::file(seen, b"", "\"v\""),
        })
        .await;
        let source = source(&server);
        assert_eq!(source.head(source.key()).await.unwrap().size_bytes, 0);
        assert_eq!(read(&source, None).await.unwrap(), b"");
    }
}

#[tokio::test]
async fn it_can_only_be_read() {
    let server = Server::start(|_, _| Reply::new(200)).await;
    let source = source(&server);
    let staged = source.stage("x", crate::objects::PutOptions::default()).await;
    assert_eq!(staged.err().unwrap().kind(), Kind::Unsupported);
    assert_eq!(source.delete("x").await.unwrap_err().kind(), Kind::Unsupported);
    assert_eq!(server.connections(), 0);
}
