//! Landlock: which files a child sees and which port it may connect to.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, PathFd,
    RestrictionStatus, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};

use super::Policy;

/// The newest rules these programs were tried under; an older kernel enforces the part it knows.
const TRIED: ABI = ABI::V6;

/// Libraries, fonts and facts about the machine. What is absent is passed over.
const SYSTEM_READ: &[&str] = &[
    "/etc/ld.so.cache",
    "/etc/fonts",
    "/etc/ssl/certs",
    "/etc/localtime",
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/usr/share/fontconfig",
    "/usr/share/zoneinfo",
    "/var/cache/fontconfig",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/dev/urandom",
    "/dev/random",
];

const SYSTEM_LIBRARIES: &[&str] = &["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"];

/// The rules about folders that hold for every child. Made before there is work, as opening what they name takes its time.
pub(super) struct Prepared(RulesetCreated);

/// Makes the rules that hold for every child.
pub(super) fn prepare() -> Result<Prepared, String> {
    let mut rules = ruleset()?;
    for path in SYSTEM_LIBRARIES {
        rules = allow(rules, Path::new(path), run()).map_err(failed)?;
    }
    for path in SYSTEM_READ.iter().map(Path::new).filter(|path| path.is_dir()) {
        rules = allow(rules, path, read()).map_err(failed)?;
    }
    Ok(Prepared(rules))
}

/// Restricts this process; tells whether files are confined, fully or to the extent of the kernel.
pub(super) fn confine(prepared: Prepared, policy: &Policy) -> Result<bool, String> {
    let Prepared(mut rules) = prepared;
    // Files may have been replaced since: a rule holds for the file, not for its name.
    for path in SYSTEM_READ.iter().map(Path::new).filter(|path| !path.is_dir()) {
        rules = allow(rules, path, read()).map_err(failed)?;
    }
    rules = allow(rules, Path::new("/dev/null"), read() | AccessFs::WriteFile).map_err(failed)?;
    for path in &policy.execute {
        rules = allow(rules, path, run()).map_err(failed)?;
    }
    for path in &policy.read {
        rules = allow(rules, path, read()).map_err(failed)?;
    }
    if let Some(folder) = &policy.write {
        rules = allow(rules, folder, writable()).map_err(failed)?;
    }
    if let Some(port) = policy.tcp_port {
        rules = rules.add_rule(NetPort::new(port, AccessNet::ConnectTcp)).map_err(failed)?;
    }
    Ok(is_enforced(&rules.restrict_self().map_err(failed)?))
}

/// Restricts this process to nothing at all and tells how that went: for the support report.
pub(super) fn try_out() -> Result<RestrictionStatus, String> {
    ruleset()?.restrict_self().map_err(|e| e.to_string())
}

pub(super) fn is_enforced(status: &RestrictionStatus) -> bool {
    status.ruleset != RulesetStatus::NotEnforced
}

fn read() -> BitFlags<AccessFs> {
    AccessFs::from_read(TRIED) & !AccessFs::Execute
}

fn run() -> BitFlags<AccessFs> {
    read() | AccessFs::Execute
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(e: landlock::RulesetError) -> String {
    format!("cannot confine files: {e}")
}

fn ruleset() -> Result<RulesetCreated, String> {
    let build = || {
        Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(TRIED))?
            .handle_access(AccessNet::from_all(TRIED))?
            .scope(Scope::from_all(TRIED))?
            .create()
    };
    build().map_err(failed)
}

/// Plain files and folders only: no links, pipes, sockets or devices that whoever collects the outputs could follow.
fn writable() -> BitFlags<AccessFs> {
    AccessFs::from_read(TRIED) & !AccessFs::Execute
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir
        | AccessFs::Refer
}

fn allow(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, landlock::RulesetError> {
    let Ok(fd) = PathFd::new(path) else { return Ok(rules) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(TRIED) };
    rules.add_rule(PathBeneath::new(fd, access))
}
