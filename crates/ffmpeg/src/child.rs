//! A child process from start to reaping.
//!
//! A thread of its own starts the child and waits for it. The thread outlives the child, which dies with the thread
//! that started it, and the wait tells processor time and memory. The child leads a process group; whatever is left
//! of the group is killed before the leader is reaped, while its number cannot yet mean somebody else.
//!
//! A child is a launcher first, and that waits for its errand on standard input. So one can be started ahead of its
//! work: loading the program takes several times longer than what the launcher then does.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::{ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use tokio::sync::{oneshot, watch};
use wait4::Wait4;
use zeroize::Zeroizing;

use crate::LauncherSpec;

/// The children that run now. Clones share one list.
#[derive(Debug, Clone)]
pub struct Children(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    groups: Mutex<BTreeMap<u64, Group>>,
    count: watch::Sender<usize>,
    next: std::sync::atomic::AtomicU64,
}

impl Default for Children {
    fn default() -> Self {
        let (count, _) = watch::channel(0);
        Self(Arc::new(Shared { groups: Mutex::default(), count, next: 0.into() }))
    }
}

impl Children {
    /// How many children there are.
    pub fn count(&self) -> usize {
        *self.0.count.borrow()
    }

    /// Process ids of the children, which are also the ids of their groups.
    pub fn ids(&self) -> Vec<i32> {
        lock(&self.0.groups).values().filter_map(Group::id).collect()
    }

    /// Kills all children and waits until they are reaped, at most this long; tells how many are left.
    pub async fn kill_all(&self, at_most: Duration) -> usize {
        for group in lock(&self.0.groups).values() {
            group.signal(Signal::SIGKILL);
        }
        self.wait_all(at_most).await
    }

    /// Waits until no child is left, at most this long; tells how many are.
    pub async fn wait_all(&self, at_most: Duration) -> usize {
        let mut count = self.0.count.subscribe();
        let gone = count.wait_for(|left| *left == 0);
        let _ = tokio::time::timeout(at_most, gone).await;
        self.count()
    }

    fn add(&self, group: Group) -> u64 {
        let ticket = self.0.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut groups = lock(&self.0.groups);
        groups.insert(ticket, group);
        self.0.count.send_replace(groups.len());
        ticket
    }

    fn remove(&self, ticket: u64) {
        let mut groups = lock(&self.0.groups);
        groups.remove(&ticket);
        self.0.count.send_replace(groups.len());
    }
}

/// A process group that can be signalled until its leader is reaped.
#[derive(Debug, Clone)]
pub(crate) struct Group(Arc<Mutex<Option<Pid>>>);

impl Group {
    pub(crate) fn id(&self) -> Option<i32> {
        lock(&self.0).map(Pid::as_raw)
    }

    /// Sends a signal to every process of the group, if there still is one.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(leader) = *lock(&self.0) {
            // ESRCH here means that all are gone already.
            let _ = killpg(leader, signal);
        }
    }
}

/// How a child ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) cpu: Duration,
    pub(crate) max_rss_bytes: u64,
}

/// A running child. Dropping it kills the group; the thread reaps it.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) group: Group,
    pub(crate) stdout: Option<ChildStdout>,
    pub(crate) stderr: Option<ChildStderr>,
    ended: oneshot::Receiver<io::Result<Ended>>,
    is_reaped: bool,
}

impl Child {
    /// Waits for the end. Cancel safe: may be called again.
    pub(crate) async fn wait(&mut self) -> io::Result<Ended> {
        let ended = (&mut self.ended).await;
        self.is_reaped = true;
        ended.map_err(|_| io::Error::other("the thread of a child ended"))?
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.is_reaped {
            self.group.signal(Signal::SIGKILL);
        }
    }
}

/// Starts children and knows those that run. Clones share everything.
#[derive(Debug, Clone)]
pub(crate) struct Launchers {
    pub(crate) spec: LauncherSpec,
    pub(crate) children: Children,
    /// How many to keep waiting.
    keep: usize,
    spare: Arc<Mutex<Spare>>,
}

#[derive(Debug, Default)]
struct Spare {
    waiting: Vec<Waiting>,
    is_being_filled: bool,
}

/// How long after a start the place of its launcher is filled: what was started needs the processors first.
const FILL_AFTER: Duration = Duration::from_millis(100);

impl Launchers {
    pub(crate) fn new(spec: LauncherSpec, keep: usize) -> Self {
        Self { spec, children: Children::default(), keep, spare: Arc::default() }
    }

    /// Starts a child on an errand, with its output and errors piped and nothing to read.
    pub(crate) async fn start(&self, errand: &[u8]) -> io::Result<Child> {
        let spare = lock(&self.spare).waiting.pop();
        // A spare one may have died meanwhile, so its failure says nothing.
        let started = match spare {
            Some(spare) => spare.send(errand).await.ok(),
            None => None,
        };
        let child = match started {
            Some(child) => child,
            None => self.launch()?.send(errand).await?,
        };
        self.fill_later();
        Ok(child)
    }

    fn fill_later(&self) {
        let mut spare = lock(&self.spare);
        if spare.is_being_filled || spare.waiting.len() >= self.keep {
            return;
        }
        spare.is_being_filled = true;
        drop(spare);
        let (launchers, spare) =
            (Self { spare: Arc::default(), ..self.clone() }, Arc::downgrade(&self.spare));
        tokio::spawn(async move {
            tokio::time::sleep(FILL_AFTER).await;
            let Some(spare) = spare.upgrade() else { return };
            let mut spare = lock(&spare);
            spare.is_being_filled = false;
            while spare.waiting.len() < launchers.keep
                && let Ok(waiting) = launchers.launch()
            {
                spare.waiting.push(waiting);
            }
        });
    }

    fn launch(&self) -> io::Result<Waiting> {
        use std::os::unix::process::CommandExt;
        #[expect(clippy::disallowed_methods, reason = "the one place where media tools are started")]
        let mut command = Command::new(&self.spec.program);
        command.args(&self.spec.args).current_dir("/").env_clear().process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (errands, errand) = mpsc::channel();
        let children = self.children.clone();
        std::thread::Builder::new()
            .name("mps-child".to_owned())
            .stack_size(128 << 10)
            .spawn(move || live(command, &errand, &children))?;
        Ok(Waiting(errands))
    }
}

/// A launcher without an errand yet; it ends when this is dropped.
#[derive(Debug)]
struct Waiting(mpsc::Sender<Errand>);

struct Errand {
    text: Zeroizing<Vec<u8>>,
    tell_started: oneshot::Sender<io::Result<Child>>,
}

impl Waiting {
    async fn send(self, errand: &[u8]) -> io::Result<Child> {
        let gone = || io::Error::other("the thread of a child ended");
        let (tell_started, started) = oneshot::channel();
        self.0.send(Errand { text: Zeroizing::new(errand.to_owned()), tell_started }).map_err(|_| gone())?;
        started.await.map_err(|_| gone())?
    }
}

fn live(mut command: Command, errands: &mpsc::Receiver<Errand>, children: &Children) {
    let spawned = command.spawn();
    let Ok(Errand { text, tell_started }) = errands.recv() else {
        if let Ok(mut unneeded) = spawned {
            // Waiting closes its standard input first.
            let _ = unneeded.wait();
        }
        return;
    };
    let mut process = match spawned.and_then(|process| hand_over(process, &text)) {
        Ok(process) => process,
        Err(e) => {
            let _ = tell_started.send(Err(e));
            return;
        }
    };
    let leader = Pid::from_raw(process.id() as i32);
    let group = Group(Arc::new(Mutex::new(Some(leader))));
    let ticket = children.add(group.clone());
    let (tell_ended, ended) = oneshot::channel();
    let child = Child {
        group: group.clone(),
        stdout: process.stdout.take(),
        stderr: process.stderr.take(),
        ended,
        is_reaped: false,
    };
    // A receiver that is gone drops the child, and that kills it.
    let _ = tell_started.send(Ok(child));

    while matches!(
        waitid(Id::Pid(leader), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT),
        Err(nix::Error::EINTR)
    ) {}
    let mut open = lock(&group.0);
    let _ = killpg(leader, Signal::SIGKILL);
    let reaped = process.wait4().map(|used| Ended {
        status: used.status,
        cpu: used.rusage.utime + used.rusage.stime,
        max_rss_bytes: used.rusage.maxrss,
    });
    *open = None;
    drop(open);
    children.remove(ticket);
    let _ = tell_ended.send(reaped);
}

/// Gives a launcher its errand.
fn hand_over(mut process: std::process::Child, errand: &[u8]) -> io::Result<std::process::Child> {
    let given = process.stdin.take().map_or(Ok(()), |mut pipe| pipe.write_all(errand));
    if given.is_err() {
        let _ = process.kill();
        let _ = process.wait();
    }
    given.map(|()| process)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
