//! x
use clap::Args;
/// x
#[derive(Debug, Args)]
pub(super) struct Doctor {}
impl Doctor {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        anyhow::bail!("x")
    }
}
