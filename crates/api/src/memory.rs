//! Answers of the database that are good for a moment.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use mps_core::clock::Millis;

/// Entries beyond which the stale ones, or if none is stale all, are dropped: names come from requests, and
/// nobody may fill the memory with invented ones.
const AT_MOST: usize = 10_000;

/// Values by key, each good for a fixed time after it was read.
pub(crate) struct Memory<K, V> {
    good_ms: Millis,
    entries: RwLock<HashMap<K, (V, Millis)>>,
}

impl<K: Hash + Eq, V: Clone> Memory<K, V> {
    pub(crate) fn new(good_for: Duration) -> Self {
        Self { good_ms: good_for.as_millis() as Millis, entries: RwLock::default() }
    }

    /// The value, if it was read within the good time before `now_ms`.
    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q, now_ms: Millis) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let (value, read_ms) = entries.get(key)?;
        self.is_good(*read_ms, now_ms).then(|| value.clone())
    }

    /// Remembers what was read at `now_ms`.
    pub(crate) fn put(&self, key: K, value: V, now_ms: Millis) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= AT_MOST {
            entries.retain(|_, (_, read_ms)| self.is_good(*read_ms, now_ms));
            if entries.len() >= AT_MOST {
                entries.clear();
            }
        }
        entries.insert(key, (value, now_ms));
    }

    /// Drops what was remembered, after this process changed it.
    pub(crate) fn forget<Q: Hash + Eq + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.entries.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// A clock set back makes everything stale rather than good for ever.
    fn is_good(&self, read_ms: Millis, now_ms: Millis) -> bool {
        (0..self.good_ms).contains(&(now_ms - read_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_good_for_its_time_only() {
        let memory = Memory::new(Duration::from_secs(1));
        memory.put("a", 1, 5_000);
        assert_eq!(memory.get("a", 5_999), Some(1));
        assert_eq!(memory.get("a", 6_000), None);
        assert_eq!(memory.get("a", 4_999), None);
    }

    #[test]
    fn invented_names_do_not_fill_the_memory() {
        let memory = Memory::new(Duration::from_secs(1));
        for name in 0..3 * AT_MOST {
            memory.put(name, (), 0);
        }
        assert!(memory.entries.read().unwrap().len() <= AT_MOST);
    }
}
