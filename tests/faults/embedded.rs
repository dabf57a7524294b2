//! One process with everything in it, on SQLite.

use std::time::Duration;

use mps_testkit::server::{INPUT, OUTPUT, Setup};
use rand::Rng as _;

use crate::tools_or_return;
use crate::victim::{Victim, seeded};

/// What one process passes when its outputs stay in its own buckets.
const POINTS: [&str; 15] = [
    "after-accept",
    "after-claim",
    "before-finish",
    "after-finish",
    "before-callback",
    "after-callback-sent",
    "after-run",
    "after-put",
    "after-stage",
    "after-note",
    "after-blob",
    "after-publish",
    "after-part",
    "before-complete",
    "after-complete",
];

#[tokio::test(flavor = "multi_thread")]
async fn dying_at_any_point_loses_and_doubles_nothing() {
    tools_or_return!();
    let mut victim = Victim::start(|setup| setup).await;
    for most in [1, 2, 4, 6] {
        for point in POINTS {
            let pass = victim.rng.random_range(1..=most);
            victim.die_at(&format!("{point}:{pass}")).await;
        }
        // Also while it takes up again what an earlier death has cut off.
        victim.die_at("after-claim:2").await;
        victim.die_at("after-take-back").await;
    }
    victim.conclude().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dying_at_any_moment_loses_and_doubles_nothing() {
    tools_or_return!();
    let mut victim = Victim::start(|setup| setup).await;
    for _ in 0..70 {
        victim.die_anytime().await;
    }
    victim.conclude().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dying_while_an_empty_folder_is_filled_leaves_one_that_can_be_used() {
    let mut rng = seeded();
    for _ in 0..6 {
        let folder = tempfile::tempdir().expect("a folder");
        let setup = Setup::default().data(&folder.path().join("data"));
        let mut server = setup.begin();
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(rng.random_range(5..150))).await;
            server.kill().await;
            server.restart_blindly(|setup| setup);
        }
        server.settle_in().await;
        for bucket in [INPUT, OUTPUT] {
            server.put(bucket, "a.bin", vec![7; 1_000]).await;
            assert_eq!(server.keys(bucket, "").await, ["a.bin"]);
        }
    }
}
