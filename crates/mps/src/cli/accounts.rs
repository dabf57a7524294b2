//! `mps accounts`: what the operator of a server decides about its accounts.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Local, day_and_time, print_json};
use crate::local;

/// List, activate and deactivate accounts.
#[derive(Debug, Args)]
pub(super) struct Accounts {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List accounts.
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        local: Local,
    },
}

impl Accounts {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.what {
            What::List { json, local } => {
                let store = local::open(&local.load(None)?).await?;
                let accounts = local::list_accounts(&store).await?;
                store.close().await;
                if json {
                    let items = accounts.iter().map(|account| {
                        json!({"AppId": account.id, "Name": account.name, "CreateTime": day_and_time(account.created_ms)})
                    });
                    return print_json(&items.collect());
                }
                for account in accounts {
                    println!("{}  {}  {}", account.id, day_and_time(account.created_ms), account.name);
                }
                Ok(())
            }
        }
    }
}
