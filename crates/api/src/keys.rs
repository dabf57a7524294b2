//! The keys that calls are signed with, as the database has them now or had them a second ago.
//!
//! A key made or revoked by another process is seen within that second; an unknown id is asked for again
//! sooner, so that a key may be used the moment it was made.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mps_core::Result;
use mps_core::clock::Clock;
use mps_store::{Store, accounts};
use mps_wire::auth::tc3::SigningKey;

use crate::memory::Memory;

const REMEMBERED: Duration = Duration::from_secs(1);
const UNKNOWN_REMEMBERED: Duration = Duration::from_millis(100);

/// A key that may sign.
pub(crate) struct Key {
    /// The account it belongs to.
    pub(crate) account: i64,
    /// Whether the account was activated.
    pub(crate) is_activated: bool,
    /// The shared secret.
    pub(crate) secret: String,
    /// The signing key of the last day that was asked for.
    derived: Mutex<Option<(String, SigningKey)>>,
}

impl Key {
    /// The signing key of `date`, made once a day.
    pub(crate) fn signing_key(&self, date: &str) -> SigningKey {
        let mut last = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        match last.as_ref() {
            Some((day, key)) if day == date => key.clone(),
            _ => {
                let key = SigningKey::derive(&self.secret, date);
                *last = Some((date.to_owned(), key.clone()));
                key
            }
        }
    }
}

/// The keys of all accounts.
pub(crate) struct Keys {
    store: Store,
    clock: Arc<dyn Clock>,
    known: Memory<String, Arc<Key>>,
    unknown: Memory<String, ()>,
}

impl Keys {
    pub(crate) fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, known: Memory::new(REMEMBERED), unknown: Memory::new(UNKNOWN_REMEMBERED) }
    }

    /// The enabled key of this id; `None` when there is none or it is disabled.
    pub(crate) async fn find(&self, secret_id: &str) -> Result<Option<Arc<Key>>> {
        let now = self.clock.now_ms();
        if let Some(key) = self.known.get(secret_id, now) {
            return Ok(Some(key));
        }
        if self.unknown.get(secret_id, now).is_some() {
            return Ok(None);
        }
        let id = secret_id.to_owned();
        let read = self.store.read(|tx| {
            Box::pin(async move {
                let Some(key) = accounts::key(tx, &id).await? else { return Ok(None) };
                let owner = accounts::get(tx, key.account).await?;
                Ok(Some((key, owner.is_some_and(|account| account.is_active))))
            })
        });
        let Some((row, is_activated)) = read.await?.filter(|(row, _)| row.state == accounts::ACTIVE) else {
            self.unknown.put(secret_id.to_owned(), (), now);
            return Ok(None);
        };
        let key = Arc::new(Key {
            account: row.account,
            is_activated,
            secret: row.secret_key,
            derived: Mutex::new(None),
        });
        self.known.put(secret_id.to_owned(), Arc::clone(&key), now);
        Ok(Some(key))
    }
}
