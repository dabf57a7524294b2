//! How far this machine can confine a child: tried in a process of its own, not guessed from versions.

use std::process::ExitCode;

use landlock::{LandlockStatus, RulesetStatus};
use mps_core::{Error, Result};
use serde::{Deserialize, Serialize};

use super::{CHECK, files, syscalls};
use crate::LauncherSpec;

/// What the kernel enforces, for `doctor` and health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Support {
    /// Files are confined at all.
    pub files: bool,
    /// Every rule we use is enforced: files, TCP ports, signals to other processes.
    pub complete: bool,
    /// Version of the Landlock interface in effect; 0 without it.
    pub landlock_abi: i32,
    /// Dangerous system calls are refused.
    pub syscalls: bool,
    /// Sentences for whoever runs the server; empty when all is well.
    pub warnings: Vec<String>,
}

/// Asks the launcher to confine itself as a trial.
pub async fn support(launcher: &LauncherSpec) -> Result<Support> {
    let launcher = launcher.clone();
    let asked = tokio::task::spawn_blocking(move || {
        #[expect(clippy::disallowed_methods, reason = "this crate starts the processes")]
        let mut command = std::process::Command::new(&launcher.program);
        command.args(&launcher.args).arg(CHECK).env_clear().stdin(std::process::Stdio::null()).output()
    });
    let output = asked
        .await
        .map_err(|e| Error::internal("cannot ask what the sandbox can do").because(e))?
        .map_err(|e| Error::internal("cannot start the sandbox launcher").because(e))?;
    serde_json::from_slice(&output.stdout)
        .map_err(|e| Error::internal("the sandbox launcher gave no report").because(e))
}

/// Prints the report of this process.
pub(super) fn print() -> ExitCode {
    match serde_json::to_string(&try_out()) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(_) => ExitCode::FAILURE,
    }
}

fn try_out() -> Support {
    let mut warnings = Vec::new();
    let (files, complete, landlock_abi) = match files::try_out() {
        Ok(status) => {
            let abi = match status.landlock {
                LandlockStatus::Available { effective_abi, .. } => effective_abi as i32,
                LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => 0,
            };
            (files::is_enforced(&status), status.ruleset == RulesetStatus::FullyEnforced, abi)
        }
        Err(why) => {
            warnings.push(why);
            (false, false, 0)
        }
    };
    if !files {
        warnings.push(
            "this kernel has no Landlock: media tools are not confined to their job's files; use Linux 5.13 or \
             later with landlock among its security modules"
                .to_owned(),
        );
    } else if !complete {
        warnings.push(format!(
            "Landlock version {landlock_abi} of this kernel confines files but not every rule; Linux 6.12 has all"
        ));
    }
    let syscalls = match syscalls::filter(false) {
        Ok(()) => true,
        Err(why) => {
            warnings.push(why);
            false
        }
    };
    Support { files, complete, landlock_abi, syscalls, warnings }
}
