//! `mps buckets`: the local buckets. Works before the server runs and while it runs.

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::json;

use super::process::place::Place;
use super::{Local, day_and_time, print_json};
use crate::local::{self, FIRST_ACCOUNT};

/// Make and list buckets.
#[derive(Debug, Args)]
pub(super) struct Buckets {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a bucket; one that the account has already in that region is left as it is.
    Create {
        /// Its name; COS clients expect the form NAME-APPID
        name: String,
        /// Its region; the server's own by default
        #[arg(long)]
        region: Option<String>,
        /// The account, called AppId
        #[arg(long, value_name = "APPID", default_value_t = FIRST_ACCOUNT)]
        account: i64,
        /// Print {"AppId":…,"Bucket":"…","Region":"…"}
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        local: Local,
    },
    /// List buckets.
    List {
        /// Only those of this account
        #[arg(long, value_name = "APPID")]
        account: Option<i64>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        local: Local,
    },
    /// Print the file that holds an object.
    Path {
        /// The object: cos://bucket/key
        object: String,
        #[command(flatten)]
        local: Local,
    },
}

impl Buckets {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.what {
            What::Create { name, region, account, json, local } => {
                let config = local.load(None)?;
                let region = region.unwrap_or_else(|| config.region.clone());
                let region = config.region_aliases.get(&region).cloned().unwrap_or(region);
                let store = local::open(&config).await?;
                let made = local::create_bucket(&store, &name, account, &region).await;
                store.close().await;
                let is_new = made?;
                if !name.ends_with(&format!("-{account}")) {
                    eprintln!("note: COS clients expect a name that ends in -{account}");
                }
                if json {
                    println!(r#"{{"AppId":{account},"Bucket":"{name}","Region":"{region}"}}"#);
                } else {
                    println!("{name} {} in {region}", if is_new { "made" } else { "was there already" });
                }
                Ok(())
            }
            What::List { account, json, local } => {
                let store = local::open(&local.load(None)?).await?;
                let rows = local::list_buckets(&store, account).await;
                store.close().await;
                let rows = rows?;
                if json {
                    let items = rows.iter().map(|row| {
                        json!({"AppId": row.account, "Bucket": row.name, "Region": row.region,
                            "CreateTime": day_and_time(row.created_ms)})
                    });
                    return print_json(&items.collect());
                }
                for row in rows {
                    println!(
                        "{}  {}  {}  {}",
                        row.name,
                        row.region,
                        row.account,
                        day_and_time(row.created_ms)
                    );
                }
                Ok(())
            }
            What::Path { object, local } => {
                let Place::Cos { bucket, key } = Place::parse(&object) else {
                    bail!("{object} is no object of a local bucket; write cos://bucket/key");
                };
                match local::object_file(&local.load(None)?, &bucket, &key).await? {
                    Some(file) => println!("{}", file.display()),
                    None => bail!("there is no object {object}"),
                }
                Ok(())
            }
        }
    }
}
