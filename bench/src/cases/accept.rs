//! How many signed, fully checked, durable `ProcessMedia` calls a second, on an empty store and with a million steps
//! queued; the peer is a bare axum handler under the same load.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::server::Server;
use crate::verdict::{at_least, ms, percentile};
use crate::{cases::queue, load};

const CONNECTIONS: usize = 64;
const TIME: Duration = Duration::from_secs(8);
/// Only accepting is measured, so nobody works.
pub(crate) const NO_WORKERS: &str = "[workers]\nenabled = false\n[limits]\nrequests_per_second = 1000000";

/// A call with one rendition, about 1 KB with its headers.
pub(crate) fn call(nth: usize) -> Value {
    json!({
        "InputInfo": {"Type": "COS", "CosInputInfo": {
            "Bucket": "input-1250000000", "Region": "ap-guangzhou", "Object": format!("/video/episode-{nth}.mp4")}},
        "OutputStorage": {"Type": "COS", "CosOutputStorage": {
            "Bucket": "output-1250000000", "Region": "ap-guangzhou"}},
        "OutputDir": "/output/",
        "MediaProcessTask": {"TranscodeTaskSet": [{
            "Definition": 100_030, "OutputObjectPath": "{inputName}_{definition}.{format}"}]},
        "TasksPriority": 0,
        "SessionContext": "x".repeat(200),
    })
}

pub(crate) async fn run() -> Result<bool> {
    let folder = tempfile::tempdir()?;
    let bare = bare_rate().await?;
    println!("bare axum handler: {bare:.0}/s");

    let server = Server::start(&folder.path().join("empty"), NO_WORKERS).await?;
    let empty = measure(&server).await?;
    println!("empty store: {empty:.0}/s, {:.2} of the bare handler", empty / bare);
    drop(server);

    let data = folder.path().join("million");
    queue::fill(&data, queue::MILLION).await?;
    let server = Server::start(&data, NO_WORKERS).await?;
    let full = measure(&server).await?;
    println!("a million steps queued: {full:.0}/s, {:.2} of the bare handler", full / bare);

    let holds = at_least("accept on an empty store", empty, 5000.0, "/s");
    Ok(at_least("accept", full, 3000.0, "/s with 1,000,000 steps queued") && holds)
}

async fn measure(server: &Server) -> Result<f64> {
    let requests = Arc::new((0..5000).map(|nth| server.request("ProcessMedia", &call(nth))).collect());
    load::run(&server.api, Arc::clone(&requests), CONNECTIONS, Duration::from_secs(1)).await?.check()?;
    let cpu = server.cpu_seconds()?;
    let mut report = load::run(&server.api, requests, CONNECTIONS, TIME).await?.check()?;
    let cpu_us = (server.cpu_seconds()? - cpu) * 1e6 / report.answers as f64;
    let (p50, p99) = (percentile(&mut report.times, 0.5), percentile(&mut report.times, 0.99));
    println!("  p50 {:.1} ms, p99 {:.1} ms, {cpu_us:.0} µs of CPU a call", ms(p50), ms(p99));
    Ok(report.rate())
}

async fn bare_rate() -> Result<f64> {
    let mut child = Command::new(std::env::current_exe()?).arg("bare").stdout(Stdio::piped()).spawn()?;
    let mut address = String::new();
    let out = child.stdout.take().context("no output")?;
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut address)?;
    let at = address.trim().to_owned();
    let body = call(0).to_string();
    let request = format!("POST / HTTP/1.1\r\nHost: {at}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let requests = Arc::new(vec![request.into_bytes()]);
    let report = load::run(&at, requests, CONNECTIONS, Duration::from_secs(4)).await?;
    child.kill()?;
    child.wait()?;
    Ok(report.rate())
}

/// The peer: a handler that answers a constant.
pub(crate) fn bare() -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let answer = async |_body: String| "{\"Response\":{\"TaskId\":\"0\",\"RequestId\":\"0\"}}";
        axum::serve(listener, axum::Router::new().fallback(answer)).await?;
        Ok(())
    })
}
