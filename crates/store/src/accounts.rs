//! Accounts and their keys.

use std::fmt;

use mps_core::clock::Millis;
use mps_core::{Error, Kind, Result};

use crate::{Doing, Tx, on};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Account {
    /// The number that callers call AppId.
    pub id: i64,
    /// A name for people.
    pub name: String,
    /// Whether the service was activated for it; until then its calls are refused.
    pub is_active: bool,
    /// When it was made.
    pub created_ms: Millis,
}

/// Makes an account unless it is there; whether it was made.
pub async fn ensure(tx: &mut Tx<'_>, id: i64, name: &str, now_ms: Millis) -> Result<bool> {
    let q = "INSERT INTO accounts (id, name, created_ms) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";
    let made = on!(tx, c => sqlx::query(q)
        .bind(id)
        .bind(name)
        .bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected()))
    .doing("making an account")?;
    Ok(made == 1)
}

/// The account, if there is one.
pub async fn get(tx: &mut Tx<'_>, id: i64) -> Result<Option<Account>> {
    let q = "SELECT id, name, is_active, created_ms FROM accounts WHERE id = $1";
    on!(tx, c => sqlx::query_as(q).bind(id).fetch_optional(c).await).doing("reading an account")
}

/// Activates the service for an account, or takes that back; whether there is such an account.
pub async fn set_active(tx: &mut Tx<'_>, id: i64, is_active: bool) -> Result<bool> {
    let q = "UPDATE accounts SET is_active = $2 WHERE id = $1";
    let changed = on!(tx, c => sqlx::query(q).bind(id).bind(is_active).execute(c).await.map(|done| done.rows_affected()))
        .doing("activating an account")?;
    Ok(changed == 1)
}

/// All accounts by id.
pub async fn list(tx: &mut Tx<'_>) -> Result<Vec<Account>> {
    let q = "SELECT id, name, is_active, created_ms FROM accounts ORDER BY id";
    on!(tx, c => sqlx::query_as(q).fetch_all(c).await).doing("listing accounts")
}

/// A pair of keys; printing it does not show the secret.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Key {
    /// The public half.
    pub secret_id: String,
    /// Whose it is.
    pub account: i64,
    /// The secret half.
    pub secret_key: String,
    /// [`ACTIVE`] or [`REVOKED`].
    pub state: i64,
    /// When it was made.
    pub created_ms: Millis,
    /// A note for people.
    pub comment: String,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret_id, account, secret_key: _, state, created_ms, comment } = self;
        f.debug_struct("Key")
            .field("secret_id", secret_id)
            .field("account", account)
            .field("state", state)
            .field("created_ms", created_ms)
            .field("comment", comment)
            .finish_non_exhaustive()
    }
}

/// A key that signs.
pub const ACTIVE: i64 = 1;
/// A key that no longer signs.
pub const REVOKED: i64 = 0;

/// Stores a key of an account that exists.
pub async fn add_key(tx: &mut Tx<'_>, key: &Key) -> Result<()> {
    if get(tx, key.account).await?.is_none() {
        return Err(Error::not_found("there is no such account").with("account", key.account));
    }
    let q = "INSERT INTO keys (secret_id, account, secret_key, state, created_ms, comment)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (secret_id) DO NOTHING";
    let made = on!(tx, c => sqlx::query(q)
        .bind(&key.secret_id)
        .bind(key.account)
        .bind(&key.secret_key)
        .bind(key.state)
        .bind(key.created_ms)
        .bind(&key.comment)
        .execute(c).await.map(|done| done.rows_affected()))
    .doing("storing a key")?;
    if made == 1 { Ok(()) } else { Err(Error::new(Kind::Conflict, "the secret id is taken")) }
}

/// The key of a secret id, revoked ones included.
pub async fn key(tx: &mut Tx<'_>, secret_id: &str) -> Result<Option<Key>> {
    let q =
        "SELECT secret_id, account, secret_key, state, created_ms, comment FROM keys WHERE secret_id = $1";
    on!(tx, c => sqlx::query_as(q).bind(secret_id).fetch_optional(c).await).doing("reading a key")
}

/// All keys of an account, oldest first.
pub async fn keys(tx: &mut Tx<'_>, account: i64) -> Result<Vec<Key>> {
    let q = "SELECT secret_id, account, secret_key, state, created_ms, comment FROM keys WHERE account = $1
        ORDER BY created_ms, secret_id";
    on!(tx, c => sqlx::query_as(q).bind(account).fetch_all(c).await).doing("listing keys")
}

/// Makes a key sign no more; whether there was such a key.
pub async fn revoke_key(tx: &mut Tx<'_>, secret_id: &str) -> Result<bool> {
    let q = "UPDATE keys SET state = 0 WHERE secret_id = $1";
    let changed =
        on!(tx, c => sqlx::query(q).bind(secret_id).execute(c).await.map(|done| done.rows_affected()))
            .doing("revoking a key")?;
    Ok(changed == 1)
}
