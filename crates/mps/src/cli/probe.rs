//! `mps probe`: what a medium holds; a file of this machine is looked into here, the rest by the server.

use clap::Args;
use serde_json::json;

use super::print_json;
use super::process::place::Place;
use crate::client::discover::Target;

/// Say what a file or a URL holds.
#[derive(Debug, Args)]
pub(super) struct Probe {
    /// A file, http(s)://…, cos://bucket/key or s3://bucket/key
    source: String,
    #[command(flatten)]
    target: Target,
}

impl Probe {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let place = Place::parse(&self.source);
        let server = self.target.server().await?;
        let answer = server
            .call("DescribeMediaMetaData", &json!({ "InputInfo": place.as_input(&server.region)? }))
            .await?;
        print_json(&answer["MetaData"])
    }
}
