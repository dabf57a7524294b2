//! Several processes on one PostgreSQL: a server that only takes calls, and workers that die under it.

use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use mps_testkit::databases::postgres;
use mps_testkit::server::{Server, Worker};
use rand::Rng as _;

use crate::victim::{Victim, none_left};
use crate::{seconds, tools_or_return};

/// What a worker passes.
const POINTS: [&str; 10] = [
    "after-claim",
    "after-run",
    "after-put",
    "after-note",
    "after-blob",
    "after-stage",
    "before-finish",
    "after-finish",
    "before-callback",
    "after-callback-sent",
];

/// A server's workers; the first is killed, then the second is the first.
struct Workers(Vec<Worker>);

impl Workers {
    fn start(server: &Server, point: &str) -> Worker {
        server.worker_with(|setup| setup.set("faults.crash_point", point))
    }

    /// The next worker to come dies at the point.
    async fn die_at(&mut self, victim: &mut Victim, point: &str) {
        self.kill_first(victim).await;
        self.0.push(Self::start(&victim.server, point));
        let doomed = self.0.last_mut().expect("just added");
        victim.live(|_| doomed.has_ended(), &format!("{point} was not passed by the worker")).await;
        let status = doomed.exit(seconds(10)).await;
        assert_eq!(status.signal(), Some(9), "{point}: ended by {status}");
        victim.count(point);
        none_left(|| doomed.programs()).await;
        self.0.pop();
        self.0.push(Self::start(&victim.server, ""));
    }

    /// The first worker dies after a moment by chance, and another one comes.
    async fn die_anytime(&mut self, victim: &mut Victim) {
        let moment = std::time::Instant::now() + Duration::from_millis(victim.rng.random_range(100..1_500));
        victim.live(|_| std::time::Instant::now() >= moment, "time stands still").await;
        self.kill_first(victim).await;
        self.0.push(Self::start(&victim.server, ""));
    }

    async fn kill_first(&mut self, victim: &mut Victim) {
        let mut first = self.0.remove(0);
        assert!(!first.has_ended(), "a worker ended by itself");
        first.kill().await;
        none_left(|| first.programs()).await;
        victim.count("worker at random");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_and_servers_die_apart_and_nothing_is_lost_or_doubled() {
    tools_or_return!();
    let Some(database) = postgres().await else {
        eprintln!("skipped: MPS_TEST_POSTGRES names no PostgreSQL server");
        return;
    };
    let mut victim = Victim::start(|setup| {
        setup
            .set("database.url", &database.url)
            .set("workers.enabled", "false")
            .set("workers.lease_s", "3")
            .set("workers.heartbeat_s", "1")
    })
    .await;
    // Steps of dead workers are away for a lease; others must go on meanwhile.
    victim.open = 12;
    let mut workers = Workers(Vec::new());
    for _ in 0..2 {
        workers.0.push(Workers::start(&victim.server, ""));
    }
    for point in POINTS {
        let pass = victim.rng.random_range(1..=3);
        workers.die_at(&mut victim, &format!("{point}:{pass}")).await;
        workers.die_anytime(&mut victim).await;
    }
    // Callbacks leave mostly by the workers, who know of them first.
    for point in ["after-accept", "after-publish", "after-part", "before-complete"] {
        let pass = victim.rng.random_range(1..=3);
        victim.die_at(&format!("{point}:{pass}")).await;
        victim.die_anytime().await;
        workers.die_anytime(&mut victim).await;
    }
    victim.revive().await;
    victim.settle().await;
    for mut worker in workers.0 {
        let status = worker.stop(seconds(40)).await;
        assert_eq!(status.code(), Some(0), "a worker drains");
    }
    victim.conclude().await;
}
