//! Serves the bucket door alone on a data folder, with an account, two keys and a bucket of its own, for the
//! checks in `tests/clients/s3_door.py`: `cargo run -p mps-api --example bucket_door -- DATA [ADDRESS]`.
//!
//! The first line it prints is a JSON object with `endpoint`, `secret_id`, `secret_key`, `other_id`, `other_key`
//! (of another account), `bucket` and `region`. After each line on standard input it prints the number of object
//! events so far.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use mps_api::Regions;
use mps_api::bucket_door::{BucketDoorLimits, BucketDoorParts, service};
use mps_backends::objects::local::LocalBuckets;
use mps_core::clock::{Clock, SystemClock};
use mps_store::{Store, StoreOptions, accounts, object_events};
use tokio::io::{AsyncBufReadExt, BufReader};

const ACCOUNTS: [i64; 2] = [1_250_000_000, 1_250_000_001];

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let data = PathBuf::from(arguments.next().ok_or("which data folder?")?);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    std::fs::create_dir_all(&data)?;
    let store = Store::open_sqlite(&data.join("mps.db"), &StoreOptions::default()).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    for account in ACCOUNTS {
        let now_ms = clock.now_ms();
        let key = accounts::Key {
            secret_id: format!("AKIDexample{account}"),
            account,
            secret_key: format!("secret{account}example"),
            state: accounts::ACTIVE,
            created_ms: now_ms,
            comment: String::new(),
        };
        store
            .write(move |tx| {
                Box::pin(async move {
                    accounts::ensure(tx, account, "example", now_ms).await?;
                    if accounts::key(tx, &key.secret_id).await?.is_none() {
                        accounts::add_key(tx, &key).await?;
                    }
                    Ok(())
                })
            })
            .await?;
    }
    let buckets = LocalBuckets::open(&data, store.clone(), clock.clone(), 1).await?;
    buckets.create_bucket(ACCOUNTS[0], "test-1250000000", "ap-guangzhou").await?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!(
        "{}",
        serde_json::json!({
            "endpoint": format!("http://{}", listener.local_addr()?),
            "secret_id": format!("AKIDexample{}", ACCOUNTS[0]),
            "secret_key": format!("secret{}example", ACCOUNTS[0]),
            "other_id": format!("AKIDexample{}", ACCOUNTS[1]),
            "other_key": format!("secret{}example", ACCOUNTS[1]),
            "bucket": "test-1250000000",
            "region": "ap-guangzhou",
        })
    );
    let door = service(BucketDoorParts {
        store: store.clone(),
        buckets,
        clock,
        regions: Regions::new("ap-guangzhou", BTreeMap::new()),
        domains: vec!["cos.{region}.myqcloud.com".to_owned()],
        limits: BucketDoorLimits::default(),
    });
    let served = tokio::spawn(async move { axum::serve(listener, door).await });
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while lines.next_line().await?.is_some() {
        let events = store.read(|tx| Box::pin(object_events::after(tx, 0, i64::MAX))).await?;
        println!("{}", events.len());
    }
    served.abort();
    store.close().await;
    Ok(())
}
