//! `mps accounts`: which accounts there are, and which may use the API.

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
    /// Let an account use the API.
    Activate(One),
    /// Refuse an account's calls with FailedOperation.InvalidMpsUser until it is activated again.
    Deactivate(One),
}

#[derive(Debug, Args)]
struct One {
    /// The account, called AppId
    #[arg(value_name = "APPID")]
    account: i64,
    #[command(flatten)]
    local: Local,
}

impl Accounts {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.what {
            What::List { json, local } => list(&local, json).await,
            What::Activate(one) => one.set(true).await,
            What::Deactivate(one) => one.set(false).await,
        }
    }
}

impl One {
    async fn set(self, is_active: bool) -> anyhow::Result<()> {
        let store = local::open(&self.local.load(None)?).await?;
        let done = local::set_active(&store, self.account, is_active).await;
        store.close().await;
        done?;
        println!("{} {}", self.account, state(is_active));
        Ok(())
    }
}

async fn list(local: &Local, json: bool) -> anyhow::Result<()> {
    let store = local::open(&local.load(None)?).await?;
    let accounts = local::list_accounts(&store).await;
    store.close().await;
    let accounts = accounts?;
    if json {
        let items = accounts.iter().map(|account| {
            json!({"AppId": account.id, "Name": account.name, "IsActive": account.is_active,
                "CreateTime": day_and_time(account.created_ms)})
        });
        return print_json(&items.collect());
    }
    for account in accounts {
        let (state, since) = (state(account.is_active), day_and_time(account.created_ms));
        println!("{}  {state}  {since}  {}", account.id, account.name);
    }
    Ok(())
}

fn state(is_active: bool) -> &'static str {
    if is_active { "active" } else { "deactivated" }
}
