//! Loads the queue of a database and measures it: accepts, claims, claims with finish, describes.
//!
//! `queue_load URL [STORED] [SECONDS]`: brings the queue to STORED waiting tasks (default 0), then runs each measure
//! for SECONDS (default 5). Every line is `name: rate/s p50 … p99 … cpu …`; times are in milliseconds, `cpu` in
//! microseconds of this process for each one done, which a busy machine disturbs least. The queue is left as it is,
//! so a second run on the same URL needs less loading.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use mps_core::clock::SystemClock;
use mps_core::task::{NewStep, NewTask};
use mps_core::{Kind, Result};
use mps_store::{Store, StoreOptions};
use mps_tasks::{Ask, Engine, EngineOptions, LocalBell, Outcome, Plain};
use serde_json::json;

const ACCOUNTS: i64 = 1_000;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(url) = arguments.first() else {
        eprintln!("usage: queue_load URL [STORED] [SECONDS]");
        return Ok(());
    };
    let number =
        |at: usize, default: u64| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (stored, seconds) = (number(1, 0) as i64, number(2, 5));
    let load = Load { time: Duration::from_secs(seconds), engine: engine(url).await?, next: Arc::default() };
    load.fill(stored).await?;
    load.measure("accept, 1 caller", 1, Load::accept).await?;
    load.measure("accept, 64 callers", 64, Load::accept).await?;
    load.measure("claim, 1 claimer", 1, |load| load.claim(1)).await?;
    load.measure("claim, 8 claimers", 8, |load| load.claim(1)).await?;
    load.measure("claim of 8, 8 claimers", 8, |load| load.claim(8)).await?;
    load.measure("claim and finish, 8 workers", 8, |load| load.work(1)).await?;
    load.measure("claim of 8 and finish, 8 workers", 8, |load| load.work(8)).await?;
    load.measure("describe, 64 callers", 64, Load::describe).await?;
    println!("memory: {} MiB", resident_mib());
    load.engine.store().close().await;
    Ok(())
}

async fn engine(url: &str) -> Result<Engine> {
    let began = Instant::now();
    let store = Store::open(url, StoreOptions::default()).await?;
    println!("opened in {} ms", began.elapsed().as_millis());
    let (clock, bell, shape) = (Arc::new(SystemClock), Arc::new(LocalBell::default()), Arc::new(Plain));
    Ok(Engine::new(store, clock, bell, shape, EngineOptions::default()))
}

#[derive(Clone)]
struct Load {
    time: Duration,
    engine: Engine,
    next: Arc<AtomicI64>,
}

impl Load {
    fn task(&self) -> NewTask {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        let step = NewStep {
            kind: "transcode".to_owned(),
            capability: 0,
            params: json!({"definition": 100_010, "output": "out/{inputName}.mp4", "padding": "x".repeat(150)}),
            after: Vec::new(),
            is_gate: false,
            cost: 1,
        };
        NewTask {
            account: 1_250_000_000 + at % ACCOUNTS,
            kind: "WorkflowTask".to_owned(),
            priority: (at % 21 - 10) as i32,
            session_id: None,
            session_context: String::new(),
            request: json!({"InputInfo": {"Type": "COS", "Object": "film.mp4"}, "padding": "x".repeat(300)}),
            notify: None,
            steps: vec![step],
        }
    }

    /// Accepts until so many steps wait.
    async fn fill(&self, stored: i64) -> Result<()> {
        let waiting = {
            let store = self.engine.store();
            store.read(|tx| Box::pin(mps_store::steps::counts(tx, i64::MAX))).await?.ready
        };
        let missing = (stored - waiting).max(0);
        let began = Instant::now();
        let left = Arc::new(AtomicI64::new(missing));
        let callers = (0..512).map(|_| {
            let (load, left) = (self.clone(), Arc::clone(&left));
            tokio::spawn(async move {
                while left.fetch_sub(1, Ordering::Relaxed) > 0 {
                    load.engine.accept(load.task()).await?;
                }
                Ok(())
            })
        });
        for caller in futures::future::join_all(callers).await {
            caller.map_err(|error| mps_core::Error::internal("a caller ended badly").because(error))??;
        }
        println!("stored {missing} more tasks in {:.1} s, {} waited", began.elapsed().as_secs_f64(), waiting);
        Ok(())
    }

    async fn accept(self) -> Result<usize> {
        self.engine.accept(self.task()).await.map(|_| 1)
    }

    async fn claim(self, limit: usize) -> Result<usize> {
        let ask = Ask { capabilities: vec![0], limit, lease_ms: 3_600_000 };
        Ok(self.engine.claim(&ask).await?.len())
    }

    async fn work(self, limit: usize) -> Result<usize> {
        let ask = Ask { capabilities: vec![0], limit, lease_ms: 3_600_000 };
        let taken = self.engine.claim(&ask).await?;
        let finish = |taken| self.engine.succeed(taken, Outcome::default());
        let ends = futures::future::join_all(taken.into_iter().map(finish)).await;
        let count = ends.len();
        ends.into_iter().collect::<Result<Vec<()>>>()?;
        Ok(count)
    }

    async fn describe(self) -> Result<usize> {
        thread_local! {
            static KNOWN: std::cell::RefCell<Vec<(i64, String)>> = const { std::cell::RefCell::new(Vec::new()) };
        }
        let at = self.next.fetch_add(7_919, Ordering::Relaxed) as usize;
        let known = KNOWN.with_borrow(|known| known.get(at % known.len().max(1)).cloned());
        let Some((account, public_id)) = known else {
            let account = 1_250_000_000 + at as i64 % ACCOUNTS;
            let filter = mps_tasks::ListFilter { limit: 100, ..mps_tasks::ListFilter::default() };
            let page = self.engine.list(account, &filter).await?;
            KNOWN.with_borrow_mut(|known| {
                known.extend(page.tasks.into_iter().map(|task| (account, task.public_id)));
            });
            return Ok(0);
        };
        Ok(usize::from(self.engine.describe(account, &public_id).await?.is_some()))
    }

    /// Runs `act` over and over in `callers` places at once.
    async fn measure<F>(
        &self,
        name: &str,
        callers: usize,
        act: impl Fn(Self) -> F + Clone + Send + 'static,
    ) -> Result<()>
    where
        F: Future<Output = Result<usize>> + Send,
    {
        let (began, spent_ms) = (Instant::now(), cpu_ms());
        let running = (0..callers).map(|_| {
            let (load, act) = (self.clone(), act.clone());
            tokio::spawn(async move {
                let (mut done, mut times) = (0, Vec::new());
                while began.elapsed() < load.time {
                    let start = Instant::now();
                    match act(load.clone()).await {
                        Ok(count) => done += count,
                        Err(error) if error.kind() == Kind::Limit => {}
                        Err(error) => return Err(error),
                    }
                    times.push(start.elapsed());
                }
                Ok((done, times))
            })
        });
        let (mut done, mut times) = (0, Vec::new());
        for caller in futures::future::join_all(running).await {
            let caller = caller
                .map_err(|error| mps_core::Error::internal("a caller ended badly").because(error))??;
            done += caller.0;
            times.extend(caller.1);
        }
        let rate = done as f64 / began.elapsed().as_secs_f64();
        times.sort_unstable();
        let at = |percent: usize| {
            times.get((times.len() * percent / 100).min(times.len() - 1)).map_or(0.0, Duration::as_secs_f64)
                * 1e3
        };
        let each_us = (cpu_ms() - spent_ms) * 1_000 / (done as u64).max(1);
        println!("{name}: {rate:.0}/s p50 {:.2} p99 {:.2} cpu {each_us}", at(50), at(99));
        Ok(())
    }
}

/// Processor time of this process, user and system, to a hundredth of a second.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10
}

/// Resident memory of this process.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|text| text.split_whitespace().next()).and_then(|text| text.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
