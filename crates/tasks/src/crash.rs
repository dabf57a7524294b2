//! Named places at which the process can be made to die, so that a test harness can prove what survives.
//!
//! Armed once by the binary from its config; without that a point costs one load.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// All points there are.
pub const POINTS: [&str; 6] = [
    "after-accept",
    "after-claim",
    "before-finish",
    "after-finish",
    "before-callback",
    "after-callback-sent",
];

struct Armed {
    name: String,
    passes_left: AtomicU32,
}

static ARMED: OnceLock<Armed> = OnceLock::new();

/// Arms one point: `NAME` dies at its first pass, `NAME:N` at its N-th. Counts once a process; false if the name is
/// unknown, N is no number above 0, or a point is armed already.
pub fn arm(spec: &str) -> bool {
    let (name, passes) = match spec.split_once(':') {
        Some((name, passes)) => (name, passes.parse().unwrap_or(0)),
        None => (spec, 1_u32),
    };
    if passes == 0 || !POINTS.contains(&name) {
        return false;
    }
    ARMED.set(Armed { name: name.to_owned(), passes_left: AtomicU32::new(passes) }).is_ok()
}

/// Dies here, without any cleaning up, if this point is armed and its turn has come.
pub fn point(name: &str) {
    if let Some(armed) = ARMED.get()
        && armed.name == name
        && armed.passes_left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_points_can_be_armed() {
        for wrong in ["", "nowhere", "after-claim:0", "after-claim:x", "after-claim:"] {
            assert!(!arm(wrong), "{wrong}");
        }
        for name in POINTS {
            point(name);
        }
    }

    #[test]
    fn an_armed_point_is_passed_until_its_turn() {
        assert!(arm("after-accept:1000000"));
        assert!(!arm("after-claim"), "one a process");
        point("after-accept");
        point("after-claim");
    }
}
