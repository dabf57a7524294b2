//! `mps keys`: the pairs that sign calls and open the bucket endpoint. Works before the server runs and while it runs.

use clap::{Args, Subcommand};
use mps_store::accounts::ACTIVE;
use serde_json::json;

use super::{Local, day_and_time, print_json};
use crate::local::{self, FIRST_ACCOUNT};

/// Make, list and revoke keys.
#[derive(Debug, Args)]
pub(super) struct Keys {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a key pair; the account is made too if it is not there.
    Create {
        /// The account, called AppId
        #[arg(long, value_name = "APPID", default_value_t = FIRST_ACCOUNT, value_parser = clap::value_parser!(i64).range(1..))]
        account: i64,
        /// A note for people
        #[arg(long, default_value = "")]
        comment: String,
        /// Print {"AppId":…,"SecretId":"…","SecretKey":"…"}
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        local: Local,
    },
    /// List keys, without their secrets.
    List {
        /// The account, called AppId
        #[arg(long, value_name = "APPID", default_value_t = FIRST_ACCOUNT)]
        account: i64,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        local: Local,
    },
    /// Make a key sign no more; a running server stops taking it within a second.
    Revoke {
        /// Its SecretId
        secret_id: String,
        #[command(flatten)]
        local: Local,
    },
}

impl Keys {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.what {
            What::Create { account, comment, json, local } => {
                let store = local::open(&local.load(None)?).await?;
                let (key, is_new) = local::create_key(&store, account, &comment).await?;
                store.close().await;
                if is_new {
                    eprintln!("account {account} made");
                }
                if json {
                    println!("{}", created(account, &key.secret_id, &key.secret_key));
                } else {
                    println!(
                        "AppId      {account}\nSecretId   {}\nSecretKey  {}",
                        key.secret_id, key.secret_key
                    );
                }
                Ok(())
            }
            What::List { account, json, local } => {
                let store = local::open(&local.load(None)?).await?;
                let keys = local::list_keys(&store, account).await?;
                store.close().await;
                if json {
                    let items = keys.iter().map(|key| {
                        json!({"AppId": key.account, "SecretId": key.secret_id, "IsActive": key.state == ACTIVE,
                            "CreateTime": day_and_time(key.created_ms), "Comment": key.comment})
                    });
                    return print_json(&items.collect());
                }
                for key in keys {
                    let state = if key.state == ACTIVE { "active " } else { "revoked" };
                    let line = format!(
                        "{}  {state}  {}  {}",
                        key.secret_id,
                        day_and_time(key.created_ms),
                        key.comment
                    );
                    println!("{}", line.trim_end());
                }
                Ok(())
            }
            What::Revoke { secret_id, local } => {
                let store = local::open(&local.load(None)?).await?;
                let revoked = local::revoke_key(&store, &secret_id).await;
                store.close().await;
                revoked?;
                println!("{secret_id} revoked");
                Ok(())
            }
        }
    }
}

/// The line that scripts read; its form is a promise.
fn created(account: i64, secret_id: &str, secret_key: &str) -> String {
    format!(r#"{{"AppId":{account},"SecretId":"{secret_id}","SecretKey":"{secret_key}"}}"#)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_line_for_scripts_keeps_its_form() {
        assert_eq!(super::created(1, "AKIDx", "y"), r#"{"AppId":1,"SecretId":"AKIDx","SecretKey":"y"}"#);
    }
}
