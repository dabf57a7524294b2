//! `[faults]`: dying on purpose, for tests of what survives.

use crate::config::section::section;

section! {
    /// For tests of the server alone: how it is made to die.
    pub struct Faults {
        /// The place at which the process kills itself, as `name` or `name:n` for the n-th time it is passed. Empty:
        /// nowhere, as it must be wherever work is done.
        crash_point: String = String::new(),
    }
}
