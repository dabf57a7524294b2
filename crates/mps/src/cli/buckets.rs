//! x
use clap::Args;
/// x
#[derive(Debug, Args)]
pub(super) struct Buckets {}
impl Buckets {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        anyhow::bail!("x")
    }
}
