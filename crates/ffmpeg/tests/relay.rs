//! Inputs behind a loopback relay: what a sandboxed tool fetches by ranges, and how a relay's failure is told.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use mps_core::{Blame, Kind, Retry};
use mps_ffmpeg::{ProbeOptions, SourceRef, probe, run};
use mps_testkit::media_files;
use support::{ffmpeg, tools};

/// Serves one body with ranges to whoever asks for `/film`, 502 for anything else; ends with the test process.
fn serve(body: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let body = body.clone();
            std::thread::spawn(move || answer(&stream, &body));
        }
    });
    port
}

fn answer(stream: &TcpStream, body: &[u8]) -> Option<()> {
    let lines: Vec<String> =
        BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let mut stream = stream;
    if !lines.first()?.starts_with("GET /film") {
        return write!(stream, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .ok();
    }
    let range =
        lines.iter().find_map(|line| line.strip_prefix("Range: bytes=")?.split('-').next()?.parse().ok());
    let from = range.unwrap_or(0).min(body.len());
    let (rest, whole) = (&body[from..], body.len());
    write!(
        stream,
        "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {from}-{}/{whole}\r\n\
         Accept-Ranges: bytes\r\nConnection: close\r\n\r\n",
        rest.len(),
        whole.saturating_sub(1),
    )
    .ok()?;
    stream.write_all(rest).ok()
}

#[tokio::test]
async fn a_film_behind_the_relay_is_probed_and_transcoded() {
    let Some(tools) = tools() else { return };
    let Some(path) = media_files::media("real/man_sample.mp4") else { return };
    let port = serve(std::fs::read(&path).unwrap());
    let relay = SourceRef::Relay(format!("http://127.0.0.1:{port}/film"));
    let options = ProbeOptions { verify: true, ..ProbeOptions::default() };
    let far = probe(&tools, &relay, &options).await.unwrap();
    let near = probe(&tools, &SourceRef::File(path), &options).await.unwrap();
    assert_eq!(far, near);

    let dir = tempfile::tempdir().unwrap();
    let mut job = ffmpeg("", dir.path());
    job.args = ["-i".into(), relay.operand()].into_iter().chain(support::args("-c copy out.mkv")).collect();
    job.loopback_port = relay.needs().1;
    run(&tools, job).await.unwrap();
    assert!(std::fs::metadata(dir.path().join("out.mkv")).unwrap().len() > 10_000);
}

#[tokio::test]
async fn a_failing_relay_is_outside_and_worth_another_try() {
    let Some(tools) = tools() else { return };
    let port = serve(Vec::new());
    let relay = SourceRef::Relay(format!("http://127.0.0.1:{port}/s3cret"));
    let error = probe(&tools, &relay, &ProbeOptions::default()).await.unwrap_err();
    let judged = (error.kind(), error.blame(), error.retry());
    assert_eq!(judged, (Kind::Unavailable, Blame::Outside, Retry::Later), "{error:?}");
    assert!(!error.chain().contains("s3cret"), "{error:?}");
}
