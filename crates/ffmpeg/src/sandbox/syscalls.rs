//! seccomp: system calls that no media tool needs and many attacks begin with.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// Refused with EPERM whatever their arguments.
const REFUSED: &[libc::c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_personality,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_open,
    libc::SYS_pivot_root,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    // A new session or group would escape the kill of the job's group.
    libc::SYS_setsid,
    libc::SYS_setpgid,
];

/// Flags of `clone` that make namespaces.
const NAMESPACES: &[libc::c_int] = &[
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// Installs the filters; with `network` sockets of the Internet families exist, and Landlock narrows the port.
pub(super) fn filter(network: bool) -> Result<(), String> {
    let failed = |e: &dyn std::fmt::Display| format!("cannot filter system calls: {e}");
    // clone3 keeps its flags in memory where no filter can look; told that it does not exist, libc takes clone.
    let absent = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    apply(absent, libc::ENOSYS).map_err(|e| failed(&e))?;
    let refused = refused(network).map_err(|e| failed(&e))?;
    apply(refused, libc::EPERM).map_err(|e| failed(&e))
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn refused(network: bool) -> Result<Rules, seccompiler::BackendError> {
    let mut rules: Rules = REFUSED.iter().map(|&number| (number, Vec::new())).collect();

    let mut families = vec![libc::AF_UNIX];
    if network {
        families.extend([libc::AF_INET, libc::AF_INET6]);
    }
    let other_family = families
        .iter()
        .map(|&family| condition(0, SeccompCmpOp::Ne, family as u64))
        .collect::<Result<Vec<_>, _>>()?;
    let mut sockets = vec![SeccompRule::new(other_family)?];
    if network {
        // Landlock knows ports of TCP only, so datagrams and raw packets stay away altogether.
        for family in [libc::AF_INET, libc::AF_INET6] {
            for kind in [libc::SOCK_DGRAM, libc::SOCK_RAW] {
                sockets.push(SeccompRule::new(vec![
                    condition(0, SeccompCmpOp::Eq, family as u64)?,
                    condition(1, SeccompCmpOp::MaskedEq(0xf), kind as u64)?,
                ])?);
            }
        }
        // Data sent with the first packet would connect without asking Landlock.
        let fast_open = libc::MSG_FASTOPEN as u64;
        for (number, flags) in [(libc::SYS_sendto, 3), (libc::SYS_sendmsg, 2), (libc::SYS_sendmmsg, 3)] {
            let rule =
                SeccompRule::new(vec![condition(flags, SeccompCmpOp::MaskedEq(fast_open), fast_open)?])?;
            rules.insert(number, vec![rule]);
        }
    }
    rules.insert(libc::SYS_socket, sockets);

    let namespaces = NAMESPACES
        .iter()
        .map(|&flag| {
            let flag = u64::from(flag.unsigned_abs());
            SeccompRule::new(vec![condition(0, SeccompCmpOp::MaskedEq(flag), flag)?])
        })
        .collect::<Result<Vec<_>, _>>()?;
    rules.insert(libc::SYS_clone, namespaces);
    Ok(rules)
}

fn condition(
    argument: u8,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
}

fn apply(rules: Rules, errno: i32) -> Result<(), Box<dyn std::error::Error>> {
    let machine = std::env::consts::ARCH.try_into()?;
    let filter =
        SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno as u32), machine)?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter(&program)?;
    Ok(())
}
