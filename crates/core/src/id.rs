//! Numbers that are made by us, in order of time, so that both databases keep the same text.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::clock::Millis;

/// Makes ids that grow with time: milliseconds since 2020 in the upper bits, 22 bits of sequence and node below.
///
/// Two processes may share a database if their `node` differs (0 to 1023); 4,096 ids fit a millisecond
/// and node, and a burst beyond that borrows from the next millisecond.
#[derive(Debug)]
pub struct Ids {
    node: i64,
    last: AtomicI64,
}

const EPOCH_MS: i64 = 1_577_836_800_000;
const SEQUENCE_BITS: u32 = 12;
const NODE_BITS: u32 = 10;

impl Ids {
    /// A maker for this process; `node` is taken modulo 1024.
    pub fn new(node: u16) -> Self {
        Self { node: i64::from(node % 1024), last: AtomicI64::new(0) }
    }

    /// The next id, larger than every one this maker gave before, whatever the clock does.
    pub fn next(&self, now_ms: Millis) -> i64 {
        let at = (now_ms - EPOCH_MS).max(0) << SEQUENCE_BITS;
        let mut last = self.last.load(Ordering::Relaxed);
        loop {
            let tick = at.max(last + 1);
            match self.last.compare_exchange_weak(last, tick, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    let (ms, sequence) = (tick >> SEQUENCE_BITS, tick & ((1 << SEQUENCE_BITS) - 1));
                    return (((ms << NODE_BITS) | self.node) << SEQUENCE_BITS) | sequence;
                }
                Err(seen) => last = seen,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_even_when_the_clock_goes_back() {
        let ids = Ids::new(3);
        let mut previous = 0;
        for now in [EPOCH_MS + 1_000, EPOCH_MS + 1_000, EPOCH_MS + 500, EPOCH_MS + 2_000] {
            for _ in 0..5_000 {
                let id = ids.next(now);
                assert!(id > previous);
                previous = id;
            }
        }
    }

    #[test]
    fn two_nodes_never_meet() {
        let (a, b) = (Ids::new(1), Ids::new(2));
        let of = |ids: &Ids| (0..100).map(|_| ids.next(EPOCH_MS + 9)).collect::<Vec<_>>();
        let (a, b) = (of(&a), of(&b));
        assert!(a.iter().all(|id| !b.contains(id)));
    }
}
