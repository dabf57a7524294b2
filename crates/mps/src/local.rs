//! The database of a server on this machine, for commands that work before it runs and while it runs.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use mps_backends::objects::local::SERVICE_BUCKET;
use mps_core::clock::{Clock as _, Millis, SystemClock};
use mps_core::{Error, Kind, Result};
use mps_store::accounts::{self, Account, Key};
use mps_store::buckets::{self, Bucket, Created};
use mps_store::{Store, StoreOptions, objects};

use crate::client::KeyPair;
use crate::config::Config;

/// The account of an empty data folder.
pub const FIRST_ACCOUNT: i64 = 1_250_000_000;
/// Its buckets.
pub const FIRST_BUCKETS: [&str; 2] = ["input-1250000000", "output-1250000000"];

/// Opens the configured database, makes it and the data folder if they are not there, and sees to it that the first
/// account exists.
pub async fn open(config: &Config) -> Result<Store> {
    make_folder(config)?;
    let options = StoreOptions {
        readers: u32::from(config.database.connections),
        cache_kib: config.database.cache_mib.saturating_mul(1_024),
        ..StoreOptions::default()
    };
    let store = Store::open(&config.database_url(), options).await?;
    initialise(&store, &config.region).await?;
    Ok(store)
}

/// Makes the data folder, readable by its owner only.
pub fn make_folder(config: &Config) -> Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.data).map_err(|error| {
        Error::internal(format!("cannot make the data folder {}", config.data.display())).because(error)
    })
}

/// Makes the first account of an empty database, and its buckets.
async fn initialise(store: &Store, region: &str) -> Result<()> {
    let now_ms = SystemClock.now_ms();
    let is_there =
        store.read(|tx| Box::pin(async move { accounts::get(tx, FIRST_ACCOUNT).await })).await?.is_some();
    if is_there {
        return Ok(());
    }
    let first = FIRST_BUCKETS.map(|name| bucket_row(name, FIRST_ACCOUNT, region, now_ms));
    store
        .write(move |tx| {
            let first = first.clone();
            Box::pin(async move {
                accounts::ensure(tx, FIRST_ACCOUNT, "first", now_ms).await?;
                for bucket in &first {
                    buckets::create(tx, bucket).await?;
                }
                Ok(())
            })
        })
        .await
}

fn bucket_row(name: &str, account: i64, region: &str, created_ms: Millis) -> Bucket {
    Bucket { name: name.to_owned(), account, region: region.to_owned(), created_ms }
}

/// Makes a bucket of an account that exists; whether it is new. An error where the name is taken or cannot be one.
pub async fn create_bucket(store: &Store, name: &str, account: i64, region: &str) -> Result<bool> {
    check_bucket_name(name)?;
    let row = bucket_row(name, account, region, SystemClock.now_ms());
    let created = store
        .write(move |tx| {
            let row = row.clone();
            Box::pin(async move {
                if accounts::get(tx, account).await?.is_none() {
                    return Err(Error::not_found(format!("there is no account {account}")));
                }
                buckets::create(tx, &row).await
            })
        })
        .await?;
    match created {
        Created::Made => Ok(true),
        Created::HadIt => Ok(false),
        Created::Taken => Err(Error::new(
            Kind::Conflict,
            format!("the bucket name {name} is taken by another account or in another region"),
        )),
    }
}

/// Lower-case letters, digits and hyphens, 3 to 63 of them: what S3 and COS both take.
fn check_bucket_name(name: &str) -> Result<()> {
    let fits = (3..=63).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if fits && name == SERVICE_BUCKET {
        return Err(Error::invalid(format!("{name:?} is the service's own bucket")));
    }
    if fits {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{name:?} cannot name a bucket: 3 to 63 lower-case letters, digits and hyphens, no hyphen at either end"
    )))
}

/// An account's buckets, or all of them.
pub async fn list_buckets(store: &Store, account: Option<i64>) -> Result<Vec<Bucket>> {
    store
        .read(move |tx| {
            Box::pin(async move {
                match account {
                    Some(account) => buckets::of_account(tx, account).await,
                    None => buckets::all(tx).await,
                }
            })
        })
        .await
}

/// The file that holds an object of a local bucket; none where there is no such object.
pub async fn object_file(config: &Config, bucket: &str, key: &str) -> Result<Option<PathBuf>> {
    let store = open(config).await?;
    let (bucket, key) = (bucket.to_owned(), key.to_owned());
    let found = store.read(|tx| Box::pin(async move { objects::find(tx, &bucket, &key).await })).await;
    store.close().await;
    let file = found?.map(|object| config.data.join(object.blob_path));
    Ok(file.map(|file| std::path::absolute(&file).unwrap_or(file)))
}

/// Lets an account use the API, or no longer.
pub async fn set_active(store: &Store, account: i64, is_active: bool) -> Result<()> {
    let was_there = store
        .write(move |tx| Box::pin(async move { accounts::set_active(tx, account, is_active).await }))
        .await?;
    if was_there { Ok(()) } else { Err(Error::not_found(format!("there is no account {account}"))) }
}

/// All accounts.
pub async fn list_accounts(store: &Store) -> Result<Vec<Account>> {
    store.read(|tx| Box::pin(async move { accounts::list(tx).await })).await
}

/// Makes a key of an account, and the account if it is not there; whether it was made comes second.
pub async fn create_key(store: &Store, account: i64, comment: &str) -> Result<(Key, bool)> {
    let now_ms = SystemClock.now_ms();
    let key = Key {
        secret_id: format!("AKID{}", random_word(32)?),
        account,
        secret_key: random_word(32)?,
        state: accounts::ACTIVE,
        created_ms: now_ms,
        comment: comment.to_owned(),
    };
    let row = key.clone();
    let is_new = store
        .write(move |tx| {
            let row = row.clone();
            Box::pin(async move {
                let is_new = accounts::ensure(tx, account, "", now_ms).await?;
                accounts::add_key(tx, &row).await?;
                Ok(is_new)
            })
        })
        .await?;
    Ok((key, is_new))
}

/// The keys of an account, revoked ones included.
pub async fn list_keys(store: &Store, account: i64) -> Result<Vec<Key>> {
    store.read(move |tx| Box::pin(async move { accounts::keys(tx, account).await })).await
}

/// Makes a key sign no more; an error where there is none.
pub async fn revoke_key(store: &Store, secret_id: &str) -> Result<()> {
    let id = secret_id.to_owned();
    let was_there = store
        .write(move |tx| {
            let id = id.clone();
            Box::pin(async move { accounts::revoke_key(tx, &id).await })
        })
        .await?;
    if was_there { Ok(()) } else { Err(Error::not_found(format!("there is no key {secret_id}"))) }
}

/// A key of the first account for the commands of the server's own operator; made if there is none.
pub async fn any_key(config: &Config) -> Result<KeyPair> {
    let store = open(config).await?;
    let keys = list_keys(&store, FIRST_ACCOUNT).await?;
    let key = match keys.into_iter().find(|key| key.state == accounts::ACTIVE) {
        Some(key) => key,
        None => create_key(&store, FIRST_ACCOUNT, "made by the command line").await?.0,
    };
    store.close().await;
    Ok(KeyPair { id: key.secret_id, secret: key.secret_key })
}

/// Letters and digits that nobody can guess.
pub fn random_word(length: usize) -> Result<String> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut word = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    while word.len() < length {
        getrandom::fill(&mut bytes)
            .map_err(|error| Error::internal(format!("the system gives no random numbers: {error}")))?;
        // A byte of 248 or more would make the first letters a little likelier than the rest.
        let fair =
            bytes.iter().filter(|byte| **byte < 248).map(|byte| char::from(LETTERS[usize::from(byte % 62)]));
        word.extend(fair.take(length - word.len()));
    }
    Ok(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(folder: &std::path::Path) -> Config {
        Config { data: folder.join("data"), ..Config::default() }
    }

    #[tokio::test]
    async fn an_empty_folder_gets_a_database_with_the_first_account_and_stays_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        for _ in 0..2 {
            let store = open(&config).await.unwrap();
            assert_eq!(list_accounts(&store).await.unwrap()[0].id, FIRST_ACCOUNT);
            store.close().await;
        }
        let mode = std::fs::metadata(&config.data).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[tokio::test]
    async fn a_revoked_key_is_listed_but_no_longer_used() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let first = any_key(&config).await.unwrap();
        assert_eq!(any_key(&config).await.unwrap().id, first.id);

        let store = open(&config).await.unwrap();
        revoke_key(&store, &first.id).await.unwrap();
        assert!(revoke_key(&store, "AKIDnobody").await.is_err());
        let second = any_key(&config).await.unwrap();
        assert_ne!(second.id, first.id);
        let states: Vec<i64> =
            list_keys(&store, FIRST_ACCOUNT).await.unwrap().iter().map(|key| key.state).collect();
        assert_eq!(states, [accounts::REVOKED, accounts::ACTIVE]);
    }

    #[tokio::test]
    async fn a_key_for_an_unknown_account_makes_the_account() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&config(folder.path())).await.unwrap();
        assert!(create_key(&store, 1_250_000_007, "").await.unwrap().1);
        assert!(!create_key(&store, 1_250_000_007, "").await.unwrap().1);
    }

    #[tokio::test]
    async fn the_first_account_has_buckets_and_can_make_more() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let store = open(&config).await.unwrap();
        let names = |rows: Vec<Bucket>| rows.into_iter().map(|row| row.name).collect::<Vec<_>>();
        assert_eq!(names(list_buckets(&store, Some(FIRST_ACCOUNT)).await.unwrap()), FIRST_BUCKETS);
        assert!(create_bucket(&store, "more-1250000000", FIRST_ACCOUNT, "ap-guangzhou").await.unwrap());
        assert!(!create_bucket(&store, "more-1250000000", FIRST_ACCOUNT, "ap-guangzhou").await.unwrap());
        let elsewhere =
            create_bucket(&store, "more-1250000000", FIRST_ACCOUNT, "ap-tokyo").await.unwrap_err();
        assert_eq!(elsewhere.kind(), Kind::Conflict);
        assert!(create_bucket(&store, "more", 7, "ap-guangzhou").await.is_err());
        let own = create_bucket(&store, SERVICE_BUCKET, FIRST_ACCOUNT, "ap-guangzhou").await.unwrap_err();
        assert!(own.message().contains("service's own"), "{own}");
        assert_eq!(list_buckets(&store, None).await.unwrap().len(), 3);
        assert_eq!(object_file(&config, "more-1250000000", "none").await.unwrap(), None);
    }

    #[test]
    fn a_bucket_is_named_as_s3_and_cos_both_take_it() {
        check_bucket_name("a-b-1250000000").unwrap();
        for bad in ["ab", "Upper", "a.b.c", "-ab", "ab-", "a/b", "name_x"] {
            assert!(check_bucket_name(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn an_account_can_be_deactivated_and_activated() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&config(folder.path())).await.unwrap();
        set_active(&store, FIRST_ACCOUNT, false).await.unwrap();
        assert!(!list_accounts(&store).await.unwrap()[0].is_active);
        set_active(&store, FIRST_ACCOUNT, true).await.unwrap();
        assert!(list_accounts(&store).await.unwrap()[0].is_active);
        assert!(set_active(&store, 7, true).await.is_err());
    }

    #[test]
    fn words_are_long_and_never_the_same() {
        let (one, other) = (random_word(32).unwrap(), random_word(32).unwrap());
        assert_eq!(one.len(), 32);
        assert_ne!(one, other);
    }
}
