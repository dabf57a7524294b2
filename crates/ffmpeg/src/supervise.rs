//! The watch over one child: reads what it says, notices when it stops getting anywhere, ends it, reaps it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mps_core::{Error, Result, Secret};
use nix::sys::signal::Signal;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::child::{Child, Ended, Group};
use crate::failure::{self, Stop};
use crate::progress::Parser;
use crate::run::{OnProgress, Report};
use crate::sandbox::{Errand, Policy};
use crate::stall::Stall;
use crate::{Limits, Tool, Tools};

/// What a child's standard output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stdout {
    /// ffmpeg's `-progress`.
    Progress,
    /// An answer to keep, up to [`Limits::stdout_bytes`].
    Capture,
}

/// A complete command line and its surroundings.
pub(crate) struct Job {
    pub(crate) tool: Tool,
    pub(crate) args: Vec<OsString>,
    /// Without one nothing may be written.
    pub(crate) dir: Option<PathBuf>,
    pub(crate) readable: Vec<PathBuf>,
    pub(crate) loopback_port: Option<u16>,
    pub(crate) stdin: Option<Secret>,
    pub(crate) limits: Limits,
    pub(crate) cancel: CancellationToken,
    pub(crate) stdout: Stdout,
    pub(crate) on_progress: Option<OnProgress>,
}

/// A run that ended with success.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) report: Report,
    pub(crate) stdout: Vec<u8>,
}

const STDERR_KEPT: usize = 16 << 10;
const DRAIN_AT_MOST: Duration = Duration::from_secs(2);

/// Starts the child and stays with it to the end.
pub(crate) async fn supervise(tools: &Tools, job: Job) -> Result<Done> {
    if job.cancel.is_cancelled() {
        return Err(failure::explain(&job, Some(Stop::Cancelled), None, ""));
    }
    let begun = Instant::now();
    let errand = errand(tools, &job)?;
    let mut child = tools.launchers.start(&errand).await.map_err(|e| {
        Error::internal(format!("cannot start {}", job.tool))
            .with("launcher", tools.launchers.spec.program.display())
            .because(e)
    })?;
    if tracing::enabled!(tracing::Level::DEBUG) {
        let argv: Vec<_> = job.args.iter().map(|arg| arg.to_string_lossy()).collect();
        let argv = serde_json::to_string(&argv).unwrap_or_default();
        tracing::debug!(tool = %job.tool, argv, "tool started");
    }
    let mut watch = Watch::new(job, begun);
    let ended = watch.follow(&mut child).await;
    let wall_ms = begun.elapsed().as_millis() as u64;
    let Watch { job, said, stop, .. } = watch;
    let stderr_tail = match &job.stdin {
        Some(secret) => secret.hide_in(&said.stderr()),
        None => said.stderr(),
    };
    let ended = ended.map_err(|e| Error::internal(format!("cannot await {}", job.tool)).because(e))?;
    if stop.is_some() || !ended.status.success() {
        return Err(failure::explain(&job, stop, Some(&ended), &stderr_tail));
    }
    let report = Report {
        cpu_ms: ended.cpu.as_millis() as u64,
        max_rss_bytes: ended.max_rss_bytes,
        wall_ms,
        progress: said.last,
        stderr_tail,
    };
    Ok(Done { report, stdout: said.answer })
}

/// What the launcher is told.
fn errand(tools: &Tools, job: &Job) -> Result<Zeroizing<Vec<u8>>> {
    let program = tools.path(job.tool)?;
    let limits = &job.limits;
    let temporary = job.dir.as_deref().map(|dir| dir.join(".tmp"));
    if let Some(temporary) = &temporary {
        std::fs::create_dir_all(temporary).map_err(|e| {
            Error::internal("cannot make a temporary folder").with("path", temporary.display()).because(e)
        })?;
    }
    let policy = Policy {
        parent: std::process::id() as i32,
        read: job.readable.iter().chain(&tools.readable).cloned().collect(),
        execute: vec![program.to_owned()],
        write: job.dir.clone(),
        tcp_port: job.loopback_port,
        cpu_s: limits.cpu.as_secs().max(1),
        memory_bytes: limits.memory_bytes,
        file_bytes: limits.file_bytes,
        open_files: limits.open_files,
        nice: limits.nice,
        confinement: tools.confinement,
    };
    let text = |word: &OsStr| {
        let text = word.to_str().ok_or_else(|| Error::internal("a word of a command line is not UTF-8"));
        text.map(str::to_owned)
    };
    let home = text(temporary.as_deref().unwrap_or(Path::new("/nonexistent")).as_os_str())?;
    let mut env = BTreeMap::from(
        [("LANG", "C.UTF-8"), ("FONTCONFIG_PATH", "/etc/fonts")]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    env.extend(["HOME", "TMPDIR", "XDG_CACHE_HOME"].map(|name| (name.to_owned(), home.clone())));
    let errand = Errand {
        program: program.to_owned(),
        args: job.args.iter().map(|arg| text(arg)).collect::<Result<_>>()?,
        dir: job.dir.clone().unwrap_or_else(|| PathBuf::from("/")),
        env,
        stdin: job.stdin.clone(),
        policy,
    };
    let text = serde_json::to_vec(&errand);
    text.map(Zeroizing::new).map_err(|e| Error::internal("a path of a job is not UTF-8").because(e))
}

/// Everything heard from the child.
#[derive(Debug, Default)]
struct Said {
    parser: Parser,
    line: Vec<u8>,
    last: crate::Progress,
    answer: Vec<u8>,
    complaints: Vec<u8>,
}

impl Said {
    fn stderr(&self) -> String {
        let text = String::from_utf8_lossy(&self.complaints);
        text.trim_end().to_owned()
    }

    /// Keeps the end of what is said on stderr.
    fn complain(&mut self, bytes: &[u8]) {
        self.complaints.extend_from_slice(bytes);
        if self.complaints.len() > 2 * STDERR_KEPT {
            let surplus = self.complaints.len() - STDERR_KEPT;
            self.complaints.drain(..surplus);
        }
    }

    /// Splits progress into lines; a line that never ends is thrown away.
    fn progress(&mut self, bytes: &[u8], on_progress: &mut Option<OnProgress>) {
        for &byte in bytes {
            if byte != b'\n' {
                if self.line.len() < 4096 {
                    self.line.push(byte);
                }
                continue;
            }
            let told = self.parser.line(&String::from_utf8_lossy(&self.line));
            self.line.clear();
            if let Some(progress) = told {
                self.last = progress;
                if let Some(hear) = on_progress {
                    hear(progress);
                }
            }
        }
    }
}

struct Watch {
    job: Job,
    said: Said,
    begun: Instant,
    stop: Option<Stop>,
    kill_at: Option<Instant>,
}

impl Watch {
    fn new(job: Job, begun: Instant) -> Self {
        Self { job, said: Said::default(), begun, stop: None, kill_at: None }
    }

    async fn follow(&mut self, child: &mut Child) -> io::Result<Ended> {
        let mut stdout = child.stdout.take().map(tokio::process::ChildStdout::from_std).transpose()?;
        let mut stderr = child.stderr.take().map(tokio::process::ChildStderr::from_std).transpose()?;
        let (mut out, mut err) = (vec![0; 16 << 10], vec![0; 4 << 10]);
        let group = child.group.clone();
        let cancel = self.job.cancel.clone();
        let mut stall = Stall::new(&self.job.limits, self.job.dir.clone(), group.id());
        let mut look = tokio::time::interval_at(self.begun + stall.period(), stall.period());
        let wall_over = self.begun + self.job.limits.wall;

        let ended = loop {
            let kill_at = self.kill_at;
            tokio::select! {
                ended = child.wait() => break ended?,
                n = read(&mut stdout, &mut out) => self.hear(n.map(|n| &out[..n]), &mut stdout, &group),
                n = read(&mut stderr, &mut err) => self.complaint(n.map(|n| &err[..n]), &mut stderr),
                () = cancel.cancelled(), if self.stop.is_none() => self.end(Stop::Cancelled, &group),
                () = tokio::time::sleep_until(wall_over), if self.stop.is_none() => self.end(Stop::Wall, &group),
                _ = look.tick(), if self.stop.is_none() => {
                    if stall.is_stalled(self.said.parser.pulse()).await {
                        self.end(Stop::Stalled, &group);
                    }
                }
                () = tokio::time::sleep_until(kill_at.unwrap_or(wall_over)), if kill_at.is_some() => {
                    group.signal(Signal::SIGKILL);
                    self.kill_at = None;
                }
            }
        };
        // The group is dead, so both pipes end as soon as they are empty.
        let drain = async {
            while stdout.is_some() || stderr.is_some() {
                tokio::select! {
                    n = read(&mut stdout, &mut out) => self.hear(n.map(|n| &out[..n]), &mut stdout, &group),
                    n = read(&mut stderr, &mut err) => self.complaint(n.map(|n| &err[..n]), &mut stderr),
                }
            }
        };
        let _ = tokio::time::timeout(DRAIN_AT_MOST, drain).await;
        Ok(ended)
    }

    /// Asks the group to end; the kill follows after the grace.
    fn end(&mut self, why: Stop, group: &Group) {
        self.stop = Some(why);
        self.kill_at = Some(Instant::now() + self.job.limits.kill_grace);
        group.signal(Signal::SIGTERM);
    }

    fn hear<R>(&mut self, bytes: Option<&[u8]>, pipe: &mut Option<R>, group: &Group) {
        match (bytes, self.job.stdout) {
            (None, _) => *pipe = None,
            (Some(bytes), Stdout::Progress) => self.said.progress(bytes, &mut self.job.on_progress),
            (Some(bytes), Stdout::Capture) => {
                let room = (self.job.limits.stdout_bytes as usize).saturating_sub(self.said.answer.len());
                self.said.answer.extend_from_slice(&bytes[..bytes.len().min(room)]);
                if bytes.len() > room && self.stop.is_none() {
                    self.end(Stop::Talkative, group);
                }
            }
        }
    }

    fn complaint<R>(&mut self, bytes: Option<&[u8]>, pipe: &mut Option<R>) {
        match bytes {
            None => *pipe = None,
            Some(bytes) => self.said.complain(bytes),
        }
    }
}

/// Reads what there is; nothing at the end or on failure. A pipe that ended is never ready again.
async fn read<R: AsyncRead + Unpin>(pipe: &mut Option<R>, buffer: &mut [u8]) -> Option<usize> {
    match pipe {
        Some(pipe) => pipe.read(buffer).await.ok().filter(|n| *n > 0),
        None => std::future::pending().await,
    }
}
