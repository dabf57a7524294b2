//! One process with everything in it, on SQLite.

use rand::Rng as _;

use crate::tools_or_return;
use crate::victim::Victim;

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
    for _ in 0..80 {
        victim.die_anytime().await;
    }
    victim.conclude().await;
}
