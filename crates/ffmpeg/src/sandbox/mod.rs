//! The sandbox: a launcher that limits itself and then becomes the tool.
//!
//! The service starts its own binary again (`mps __exec`) and hands it an [`Errand`]. That process has one thread, so
//! it may set limits, Landlock rules and a seccomp filter on itself safely before it turns into the tool. Whatever a
//! hostile file makes the tool do then, it reads only the inputs and system libraries, writes only the job's
//! folder, connects to one loopback port or nowhere, and dies with its parent.
//!
//! It does not decide what a job may read: that is in the [`Policy`] handed over.

mod files;
mod policy;
mod support;
mod syscalls;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{ExitCode, Stdio};

use mps_core::Secret;
use nix::fcntl::{FcntlArg, OFlag};
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;

pub use policy::{Confinement, Errand, Policy};
pub use support::{Support, support};

/// The exit status of a launcher that could not start its tool; its last line on stderr tells why.
pub const LAUNCH_FAILED: u8 = 125;

/// What such a line begins with.
pub(crate) const LAUNCH_PREFIX: &str = "sandbox: ";

/// The argument that asks for a report instead of a tool.
pub(crate) const CHECK: &str = "--check";

/// Becomes the tool that standard input tells of: one [`Errand`] as JSON, to the end of the stream.
///
/// Returns only when that is not possible, with [`LAUNCH_FAILED`], or when there is no errand after all. Called with
/// `--check` alone it prints what the kernel enforces as JSON and succeeds. Must be called before any thread is
/// started.
pub fn exec_main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    if args.into_iter().next().is_some_and(|first| first == CHECK) {
        return support::print();
    }
    let prepared = files::prepare();
    let mut text = Vec::new();
    let became = match std::io::stdin().lock().read_to_end(&mut text) {
        Ok(0) => return ExitCode::SUCCESS,
        Ok(_) => become_tool(&text, prepared),
        Err(e) => Err(format!("cannot read the errand: {e}")),
    };
    match became {
        Ok(never) => match never {},
        Err(why) => {
            eprintln!("{LAUNCH_PREFIX}{why}");
            ExitCode::from(LAUNCH_FAILED)
        }
    }
}

fn become_tool(
    errand: &[u8],
    prepared: Result<files::Prepared, String>,
) -> Result<std::convert::Infallible, String> {
    let Errand { program, args, dir, env, stdin, policy } =
        serde_json::from_slice(errand).map_err(|e| format!("cannot read the errand: {e}"))?;
    die_with(policy.parent)?;
    std::env::set_current_dir(&dir).map_err(|e| format!("cannot work in {}: {e}", dir.display()))?;
    limit(&policy)?;
    let stdin = standard_input(stdin)?;
    let enforced = confine(prepared, &policy)?;
    if policy.confinement == Confinement::Required && !enforced {
        return Err("this kernel cannot confine files, and the configuration requires it".to_owned());
    }
    #[expect(clippy::disallowed_methods, reason = "the launcher turns into the tool")]
    let failed = std::process::Command::new(&program).args(args).env_clear().envs(env).stdin(stdin).exec();
    Err(format!("cannot start {}: {failed}", program.display()))
}

/// A pipe that holds the text already: the tool finds it there, and neither a file nor a command line shows it.
fn standard_input(text: Option<Secret>) -> Result<Stdio, String> {
    let Some(text) = text else { return Ok(Stdio::null()) };
    let failed = |e: std::io::Error| format!("cannot hand over standard input: {e}");
    let (reader, mut writer) = std::io::pipe().map_err(failed)?;
    // Nobody reads yet, so a text that does not fit must fail rather than wait.
    nix::fcntl::fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(|e| failed(e.into()))?;
    writer.write_all(text.reveal().as_bytes()).map_err(failed)?;
    Ok(Stdio::from(reader))
}

/// Ties this process to the one that started it, which may already be gone.
fn die_with(parent: i32) -> Result<(), String> {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(|e| format!("cannot follow the parent: {e}"))?;
    if parent != 0 && nix::unistd::getppid().as_raw() != parent {
        return Err("the parent has gone".to_owned());
    }
    Ok(())
}

fn limit(policy: &Policy) -> Result<(), String> {
    let set = |resource, soft: u64, hard: u64| {
        let capped = nix::sys::resource::getrlimit(resource).map_or(hard, |(_, allowed)| hard.min(allowed));
        setrlimit(resource, soft.min(capped), capped).map_err(|e| format!("cannot limit {resource:?}: {e}"))
    };
    // The first second over is told by SIGXCPU; a tool that ignores it is killed two seconds later.
    set(Resource::RLIMIT_CPU, policy.cpu_s, policy.cpu_s.saturating_add(2))?;
    set(Resource::RLIMIT_AS, policy.memory_bytes, policy.memory_bytes)?;
    set(Resource::RLIMIT_FSIZE, policy.file_bytes, policy.file_bytes)?;
    set(Resource::RLIMIT_NOFILE, policy.open_files, policy.open_files)?;
    set(Resource::RLIMIT_CORE, 0, 0)?;
    if policy.nice > 0 {
        // Being refused a lower priority harms nobody.
        let _ = rustix::process::nice(policy.nice);
    }
    Ok(())
}

/// Applies Landlock and seccomp; tells whether files are really confined.
fn confine(prepared: Result<files::Prepared, String>, policy: &Policy) -> Result<bool, String> {
    prctl::set_no_new_privs().map_err(|e| format!("cannot give up privileges: {e}"))?;
    if policy.confinement == Confinement::Off {
        return Ok(false);
    }
    let enforced = files::confine(prepared?, policy)?;
    match syscalls::filter(policy.tcp_port.is_some()) {
        Err(why) if policy.confinement == Confinement::Required => Err(why),
        _ => Ok(enforced),
    }
}
