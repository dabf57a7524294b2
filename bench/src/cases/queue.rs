//! A million queued tasks: memory, start, claims, fairness; and an empty server's memory and start.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use mps_core::clock::SystemClock;
use mps_core::task::{NewStep, NewTask};
use mps_store::{Store, StoreOptions};
use mps_tasks::{Ask, Engine, EngineOptions, LocalBell, Plain};
use serde_json::json;

use crate::cases::accept;
use crate::server::Server;
use crate::verdict::{at_most, ms, percentile};

/// Tasks in the full queue.
pub(crate) const MILLION: usize = 1_000_000;
const CLAIMERS: usize = 8;
const HOG: i64 = 7;
const LIGHT: i64 = 8;
const BACKLOG: usize = 50_000;
const LIGHT_TASKS: usize = 20;

pub(crate) async fn run() -> Result<bool> {
    let folder = tempfile::tempdir()?;
    let mut holds = true;

    let server = Server::start(&folder.path().join("empty"), "").await?;
    drop(server);
    let server = Server::start(&folder.path().join("empty"), "").await?;
    holds &= at_most("empty server ready", ms(server.ready_after), 150.0, "ms");
    holds &= at_most("empty server memory", server.resident_mib()?, 40.0, "MiB");
    drop(server);

    let data = folder.path().join("million");
    fill(&data, MILLION).await?;
    let server = Server::start(&data, accept::NO_WORKERS).await?;
    holds &= at_most("ready with a million queued", ms(server.ready_after), 300.0, "ms");
    holds &= at_most("memory with a million queued", server.resident_mib()?, 150.0, "MiB");
    drop(server);

    let engine = engine(&data).await?;
    let mut times = claims(&engine, Duration::from_secs(5)).await?;
    let p99 = percentile(&mut times, 0.99);
    println!("{} claims, p50 {:.2} ms", times.len(), ms(percentile(&mut times, 0.5)));
    engine.store().close().await;

    let waited = fairness(&folder.path().join("fair")).await?;
    holds &= at_most("a light account's wait", waited as f64, 100.0, "claims behind a backlog of 50,000");
    Ok(at_most("queue", ms(p99), 5.0, "ms p99 a claim with 8 claimers and a million queued") && holds)
}

async fn engine(data: &Path) -> Result<Engine> {
    std::fs::create_dir_all(data)?;
    let url = format!("sqlite://{}", data.join("mps.db").display());
    let store = Store::open(&url, StoreOptions::default()).await?;
    let (clock, bell) = (Arc::new(SystemClock), Arc::new(LocalBell::default()));
    Ok(Engine::new(store, clock, bell, Arc::new(Plain), EngineOptions::default()))
}

fn task(account: i64, nth: usize) -> NewTask {
    let step = NewStep {
        kind: "source".to_owned(),
        capability: 0,
        params: json!({"Type": "COS", "CosInputInfo": {"Bucket": "input-1250000000", "Region": "ap-guangzhou",
            "Object": format!("video/{nth}.mp4")}}),
        after: Vec::new(),
        is_gate: true,
        cost: 1,
    };
    NewTask {
        account,
        kind: "WorkflowTask".to_owned(),
        priority: 0,
        session_id: None,
        session_context: String::new(),
        request: accept::call(nth),
        notify: None,
        steps: vec![step],
    }
}

/// Brings the queue of a new data folder to this many waiting tasks; their public ids.
pub(crate) async fn fill(data: &Path, count: usize) -> Result<Vec<String>> {
    // The server makes the first account and its buckets.
    drop(Server::start(data, accept::NO_WORKERS).await?);
    let engine = engine(data).await?;
    let began = Instant::now();
    let next = Arc::new(AtomicUsize::new(0));
    let callers = (0..512).map(|_| {
        let (engine, next) = (engine.clone(), Arc::clone(&next));
        tokio::spawn(async move {
            let mut ids = Vec::new();
            loop {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                if nth >= count {
                    return Ok::<_, mps_core::Error>(ids);
                }
                ids.push(engine.accept(task(1_250_000_000, nth)).await?.public_id);
            }
        })
    });
    let mut ids = Vec::with_capacity(count);
    for caller in futures::future::join_all(callers).await {
        ids.extend(caller??);
    }
    engine.store().close().await;
    println!("stored {count} tasks in {:.0} s", began.elapsed().as_secs_f64());
    Ok(ids)
}

/// Claims by 8 claimers, each of which asks again at once.
async fn claims(engine: &Engine, time: Duration) -> Result<Vec<Duration>> {
    let until = Instant::now() + time;
    let claimers = (0..CLAIMERS).map(|_| {
        let engine = engine.clone();
        tokio::spawn(async move {
            let mut times = Vec::new();
            while Instant::now() < until {
                let asked = Instant::now();
                let ask = Ask { capabilities: vec![0], limit: 1, lease_ms: 3_600_000 };
                engine.claim(&ask).await?;
                times.push(asked.elapsed());
            }
            Ok::<_, mps_core::Error>(times)
        })
    });
    let mut times = Vec::new();
    for claimer in futures::future::join_all(claimers).await {
        times.extend(claimer??);
    }
    Ok(times)
}

/// The most claims that a light account's task waits behind another account's backlog.
async fn fairness(data: &Path) -> Result<usize> {
    let engine = engine(data).await?;
    for nth in 0..BACKLOG / 500 {
        let hogs = (0..500).map(|k| engine.accept(task(HOG, nth * 500 + k)));
        futures::future::try_join_all(hogs).await?;
    }
    let (mut worst, mut claimed) = (0, 0);
    for nth in 0..LIGHT_TASKS {
        let light = engine.accept(task(LIGHT, nth)).await?.id;
        let accepted_at = claimed;
        loop {
            let ask = Ask { capabilities: vec![0], limit: 1, lease_ms: 3_600_000 };
            let taken = engine.claim(&ask).await?;
            claimed += taken.len();
            if taken.iter().any(|step| step.task == light) {
                break;
            }
        }
        worst = worst.max(claimed - accepted_at);
    }
    engine.store().close().await;
    Ok(worst)
}
