//! How many `DescribeTaskDetail` calls a second with 100,000 tasks stored.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rand::seq::IndexedRandom;
use serde_json::json;

use crate::cases::{accept, queue};
use crate::load;
use crate::server::Server;
use crate::verdict::{at_least, at_most, ms, percentile};

const STORED: usize = 100_000;
const CONNECTIONS: usize = 64;

pub(crate) async fn run() -> Result<bool> {
    let folder = tempfile::tempdir()?;
    let ids = queue::fill(folder.path(), STORED).await?;
    let server = Server::start(folder.path(), accept::NO_WORKERS).await?;
    let mut random = rand::rng();
    let requests: Vec<Vec<u8>> = (0..20_000)
        .filter_map(|_| ids.choose(&mut random))
        .map(|id| server.request("DescribeTaskDetail", &json!({"TaskId": id})))
        .collect();
    let requests = Arc::new(requests);
    load::run(&server.api, Arc::clone(&requests), CONNECTIONS, Duration::from_secs(1)).await?.check()?;
    let cpu = server.cpu_seconds()?;
    let mut report = load::run(&server.api, requests, CONNECTIONS, Duration::from_secs(8)).await?.check()?;
    let cpu_us = (server.cpu_seconds()? - cpu) * 1e6 / report.answers as f64;
    let (p50, p99) = (percentile(&mut report.times, 0.5), percentile(&mut report.times, 0.99));
    println!("p50 {:.1} ms, {cpu_us:.0} µs of CPU a call", ms(p50));
    let holds = at_most("describe p99", ms(p99), 10.0, "ms");
    Ok(at_least("describe", report.rate(), 10_000.0, "/s with 100,000 tasks stored") && holds)
}
