//! `mps call`: one signed call to any server that speaks the API.

use clap::Args;

/// Sign and send one API call and print its answer.
#[derive(Debug, Args)]
pub(super) struct Call {
    /// The action, such as DescribeTasks
    action: String,
}

impl Call {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        anyhow::bail!("{}", self.action)
    }
}
