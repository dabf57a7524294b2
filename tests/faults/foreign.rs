//! Outputs in a store of others, where what is visible cannot be taken into our own transaction.

use mps_testkit::server::Setup;
use rand::Rng as _;

use crate::tools_or_return;
use crate::victim::Victim;

#[tokio::test(flavor = "multi_thread")]
async fn dying_around_a_commit_to_a_foreign_store_leaves_whole_objects() {
    tools_or_return!();
    let store = Setup::default().set("region_aliases", "us-east-1=ap-guangzhou").start().await;
    let mut victim = Victim::with_store(Some(store), |setup| setup).await;
    for most in [1, 3, 6] {
        for point in ["after-put", "after-stage", "before-commit", "after-commit", "before-finish"] {
            let pass = victim.rng.random_range(1..=most);
            victim.die_at(&format!("{point}:{pass}")).await;
        }
        for _ in 0..5 {
            victim.die_anytime().await;
        }
    }
    victim.conclude().await;
}
