//! Which program puts a child into its sandbox.

use std::ffi::OsString;
use std::path::PathBuf;

/// A program and its leading arguments; a policy, `--` and the tool's command line follow them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LauncherSpec {
    /// The program; it must end in [`crate::sandbox::exec_main`].
    pub program: PathBuf,
    /// Arguments before the policy.
    pub args: Vec<OsString>,
}

impl LauncherSpec {
    /// This very program, called as `… __exec`.
    ///
    /// It is named by `/proc/self/exe`, so that it is found even after an update has replaced the file.
    pub fn own() -> Self {
        Self { program: PathBuf::from("/proc/self/exe"), args: vec![OsString::from("__exec")] }
    }

    /// A program that does nothing but launch, such as `mps-exec`.
    pub fn program(path: impl Into<PathBuf>) -> Self {
        Self { program: path.into(), args: Vec::new() }
    }
}
