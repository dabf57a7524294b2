//! Named places at which the process can be made to die, so that a test harness can prove what survives.
//!
//! Armed once by the binary from its config; without that a point costs one load.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// All points there are, each named after what has just been done, or is about to be.
pub const POINTS: [&str; 19] = [
    // Tasks and steps.
    "after-accept",
    "after-claim",
    "before-finish",
    "after-finish",
    "after-take-back",
    // Callbacks.
    "before-callback",
    "after-callback-sent",
    // Outputs of a step: the tools have run; a piece was sent to a foreign store; some or all files are staged; the
    // call that makes one visible there.
    "after-run",
    "after-piece",
    "after-put",
    "after-stage",
    "before-commit",
    "after-commit",
    // Objects of local buckets: the note of a blob, the blob in its place, its row.
    "after-note",
    "after-blob",
    "after-publish",
    // Uploads in parts.
    "after-part",
    "before-complete",
    "after-complete",
];

struct Armed {
    name: String,
    passes_left: AtomicU32,
    die: fn(),
}

static ARMED: OnceLock<Armed> = OnceLock::new();

/// Whether this is a point with an optional pass: `NAME`, or `NAME:N` with N from 1.
pub fn is_point(spec: &str) -> bool {
    parse(spec).is_some()
}

/// Arms one point: `NAME` dies at its first pass, `NAME:N` at its N-th, by calling `die`, which must not return.
/// Counts once a process; false if there is no such point, or one is armed already.
pub fn arm(spec: &str, die: fn()) -> bool {
    let Some((name, passes)) = parse(spec) else { return false };
    ARMED.set(Armed { name: name.to_owned(), passes_left: AtomicU32::new(passes), die }).is_ok()
}

fn parse(spec: &str) -> Option<(&str, u32)> {
    let (name, passes) = match spec.split_once(':') {
        Some((name, passes)) => (name, passes.parse().ok()?),
        None => (spec, 1_u32),
    };
    (passes > 0 && POINTS.contains(&name)).then_some((name, passes))
}

/// Dies here, without any cleaning up, if this point is armed and its turn has come.
pub fn point(name: &str) {
    if let Some(armed) = ARMED.get()
        && armed.name == name
        && armed.passes_left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        (armed.die)();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stay() {}

    #[test]
    fn only_known_points_can_be_armed() {
        for wrong in ["", "nowhere", "after-claim:0", "after-claim:x", "after-claim:"] {
            assert!(!is_point(wrong) && !arm(wrong, stay), "{wrong}");
        }
        for name in POINTS {
            assert!(is_point(name), "{name}");
            point(name);
        }
    }

    #[test]
    fn an_armed_point_is_passed_until_its_turn() {
        static DEATHS: AtomicU32 = AtomicU32::new(0);
        fn die() {
            DEATHS.fetch_add(1, Ordering::SeqCst);
        }
        assert!(arm("after-commit:3", die));
        assert!(!arm("after-claim", die), "one a process");
        for deaths in [0, 0, 1, 1] {
            point("after-commit");
            point("after-claim");
            assert_eq!(DEATHS.load(Ordering::SeqCst), deaths);
        }
    }
}
