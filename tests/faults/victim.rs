//! A server that is killed again and again, with a client that goes on as if nothing had happened.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use mps_e2e::storage;
use mps_testkit::databases::fault_seed;
use mps_testkit::made;
use mps_testkit::receiver::Receiver;
use mps_testkit::server::{INPUT, OUTPUT, REGION, Server, Setup};
use mps_testkit::web::Web;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::jobs::{FILM_S, Jobs, Shelf};
use crate::uploads::Uploads;
use crate::{garbage, seconds};

/// How long a point may take to be passed, and a killed process to be gone.
const SOON: Duration = Duration::from_mins(2);

/// A server to be killed.
pub(crate) struct Victim {
    pub(crate) server: Server,
    pub(crate) rng: StdRng,
    pub(crate) kills: BTreeMap<String, u32>,
    /// Tasks that its client keeps under way.
    pub(crate) open: usize,
    jobs: Jobs,
    uploads: Option<Uploads>,
    /// Where outputs go, if not to its own bucket.
    store: Option<Server>,
    began: Instant,
    _web: Web,
}

impl Victim {
    /// Starts one with other settings.
    pub(crate) async fn start(changed: impl FnOnce(Setup) -> Setup) -> Self {
        Self::with_store(None, changed).await
    }

    /// As [`start`](Self::start), with outputs in a bucket of another server, which is not killed.
    pub(crate) async fn with_store(store: Option<Server>, changed: impl FnOnce(Setup) -> Setup) -> Self {
        let mut rng = seeded();
        let (web, receiver) = (Web::start().await, Receiver::start().await);
        let setup = Setup::default()
            .allow(&web.host())
            .allow(&receiver.host())
            .set("workers.slots", "3")
            .set("workers.poll_ms", "100")
            .set("network.callback_timeout_s", "1")
            .set("log.level", "warn");
        let setup = match &store {
            Some(store) => setup.set("aws.s3_endpoint_url", store.buckets()),
            None => setup,
        };
        let server = changed(setup).start().await;
        let film = made::clip(160, 90, "25", seconds(FILM_S));
        server.put(INPUT, "film.mp4", std::fs::read(&film).expect("a film")).await;
        let in_bucket =
            json!({"Type": "COS", "CosInputInfo": {"Bucket": INPUT, "Region": REGION, "Object": "film.mp4"}});
        let sources = [by_web(&web.offer("film.mp4", &film)), in_bucket];
        let absent = by_web(&web.url("status/404"));
        let target = store.as_ref().map_or_else(storage, bucket_of);
        let jobs = Jobs::new(receiver, sources, absent, target);
        let uploads = store.is_none().then(|| Uploads::new(rng.random()));
        let began = Instant::now();
        Self { server, rng, kills: BTreeMap::new(), open: 5, jobs, uploads, store, began, _web: web }
    }

    /// A life that ends at a point of the server.
    pub(crate) async fn die_at(&mut self, point: &str) {
        self.server.kill().await;
        self.server.restart_blindly(|setup| setup.set("faults.crash_point", point));
        self.live(Server::has_ended, &format!("{point} was not passed")).await;
        self.was_killed(point).await;
    }

    /// A life that ends at a moment by chance.
    pub(crate) async fn die_anytime(&mut self) {
        self.server.kill().await;
        // Some die while they start.
        let longest = if self.rng.random_ratio(1, 4) { 300 } else { 1_800 };
        let life = Duration::from_millis(self.rng.random_range(20..longest));
        self.server.restart_blindly(|setup| setup.set("faults.crash_point", ""));
        let killer = self.server.killer();
        let killing = async {
            tokio::time::sleep(life).await;
            killer.kill();
        };
        tokio::join!(killing, self.live(Server::has_ended, "it was not killed"));
        self.was_killed("at random").await;
    }

    async fn was_killed(&mut self, how: &str) {
        let status = self.server.exit(SOON).await;
        assert_eq!(status.signal(), Some(9), "{how}: ended by {status}");
        self.count(how);
        none_left(|| self.server.programs()).await;
    }

    /// Notes a kill.
    pub(crate) fn count(&mut self, how: &str) {
        eprintln!("{:.1} s: killed {how}", self.began.elapsed().as_secs_f64());
        let name = how.split(':').next().unwrap_or(how);
        *self.kills.entry(name.to_owned()).or_default() += 1;
    }

    /// The client goes on until `over` says so.
    pub(crate) async fn live(&mut self, mut over: impl FnMut(&mut Server) -> bool, otherwise: &str) {
        let limit = Instant::now() + SOON;
        let Self { server, jobs, uploads, store, open, .. } = self;
        let mut is_ready = false;
        while !over(server) {
            assert!(Instant::now() < limit, "{otherwise}");
            is_ready = is_ready || server.is_ready().await;
            if !is_ready {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
            let place = shelf(server, store.as_ref());
            let acted = async {
                jobs.act(server, &place, *open).await?;
                match uploads {
                    Some(uploads) => uploads.act(server).await,
                    None => Ok(()),
                }
            };
            if acted.await.is_err() {
                // Gone, or on its way: the next life is asked anew.
                is_ready = false;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Starts it for good, waits for all ends, and checks everything.
    pub(crate) async fn conclude(mut self) {
        self.revive().await;
        self.settle().await;
        let store = self.store.as_ref();
        let keys = self.jobs.keys(&shelf(&self.server, store)).await;

        self.stop().await;
        garbage::no_work_left(&self.server);
        garbage::age_staging(&self.server);
        self.server.restart(|setup| setup).await;
        garbage::swept(&self.server).await;
        self.stop().await;
        if self.store.is_none() {
            garbage::only_objects(&self.server, OUTPUT, &keys);
        }
        self.jobs.nothing_more();
        let kills: u32 = self.kills.values().sum();
        let (tasks, took) = (self.jobs.len(), self.began.elapsed().as_secs());
        eprintln!("{kills} kills, {tasks} tasks, {} objects, {took} s: {:?}", keys.len(), self.kills);
    }

    /// Starts it for good.
    pub(crate) async fn revive(&mut self) {
        self.server.kill().await;
        self.server.restart(|setup| setup.set("faults.crash_point", "")).await;
    }

    /// Waits for all ends and checks them; nothing dies any more.
    pub(crate) async fn settle(&mut self) {
        self.jobs.settle(&self.server, &shelf(&self.server, self.store.as_ref())).await;
        if let Some(uploads) = &mut self.uploads {
            uploads.settle(&self.server).await;
        }
    }

    async fn stop(&mut self) {
        self.server.terminate();
        let status = self.server.exit(SOON).await;
        assert_eq!(status.code(), Some(0), "a stop ends with {status}");
    }
}

/// Chance from a seed that is told, or from the one to be replayed.
pub(crate) fn seeded() -> StdRng {
    let seed = fault_seed().unwrap_or_else(rand::random);
    eprintln!("seed {seed}: MPS_FAULT_SEED={seed} replays it");
    StdRng::seed_from_u64(seed)
}

/// Waits until the programs of a killed process are gone.
pub(crate) async fn none_left(programs: impl Fn() -> Vec<String>) {
    let limit = Instant::now() + seconds(10);
    while !programs().is_empty() {
        assert!(Instant::now() < limit, "programs outlive who started them: {:?}", programs());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn shelf<'a>(server: &'a Server, store: Option<&'a Server>) -> Shelf<'a> {
    Shelf { server: store.unwrap_or(server), bucket: OUTPUT, is_own: store.is_none() }
}

fn by_web(url: &str) -> Value {
    json!({"Type": "URL", "UrlInputInfo": {"Url": url}})
}

/// The other server's bucket as any S3 bucket is named.
pub(crate) fn bucket_of(store: &Server) -> Value {
    let key = store.key();
    json!({"Type": "AWS-S3", "S3OutputStorage": {"S3Bucket": OUTPUT, "S3Region": "us-east-1",
        "S3SecretId": key.id, "S3SecretKey": key.secret}})
}
