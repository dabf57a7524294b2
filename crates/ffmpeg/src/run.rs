//! Running a tool for a job: sandboxed, watched, limited, and always reaped.
//!
//! Time: progress is the output's time in microseconds and never goes back. A run fails when neither it nor the
//! written bytes move for long ([`Limits::stall`]), when it lasts too long, or when it is told to stop. Dropping the
//! future kills the whole group at once.

use std::ffi::OsString;
use std::path::PathBuf;

use mps_core::{Error, Result, Secret};
use tokio_util::sync::CancellationToken;

use crate::supervise::{Job, Stdout, supervise};
use crate::{Limits, Progress, Tool, Tools, argv};

/// The longest text on standard input: what a pipe holds before anybody reads.
pub const STDIN_BYTES: usize = 60 << 10;

/// Hears how far a run has come.
pub type OnProgress = Box<dyn FnMut(Progress) + Send>;

/// What to run, and what it may touch.
pub struct Run {
    /// The program. ffmpeg's guards are added here; other tools get their arguments as they are.
    pub tool: Tool,
    /// The plan's arguments, inputs by [`crate::SourceRef::operand`], outputs by names inside `dir`.
    pub args: Vec<OsString>,
    /// The job's folder: where the tool runs and the only place it writes. Must exist and be an absolute path.
    pub dir: PathBuf,
    /// Files and folders it may read besides.
    pub readable: Vec<PathBuf>,
    /// The relay's port, if the input comes from there.
    pub loopback_port: Option<u16>,
    /// What it reads on standard input, at most [`STDIN_BYTES`]: the way for keys, which a command line would show to
    /// every process of the machine. It goes into no log and no failure.
    pub stdin: Option<Secret>,
    /// How much it may take.
    pub limits: Limits,
    /// Ends the run with [`mps_core::Kind::Cancelled`].
    pub cancel: CancellationToken,
    /// Called about twice a second, and at the end.
    pub on_progress: Option<OnProgress>,
}

impl Run {
    /// A run with default limits that nobody watches.
    pub fn new(tool: Tool, args: Vec<OsString>, dir: impl Into<PathBuf>) -> Self {
        Self {
            tool,
            args,
            dir: dir.into(),
            readable: Vec::new(),
            loopback_port: None,
            stdin: None,
            limits: Limits::default(),
            cancel: CancellationToken::new(),
            on_progress: None,
        }
    }
}

/// How a successful run went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Processor time of all threads.
    pub cpu_ms: u64,
    /// Largest resident memory.
    pub max_rss_bytes: u64,
    /// Time on the wall.
    pub wall_ms: u64,
    /// The last progress told.
    pub progress: Progress,
    /// The end of what the tool complained about although it succeeded; for logs.
    pub stderr_tail: String,
}

/// Runs a tool to its end.
///
/// Errors say who is to blame and whether another try can help: a broken input is the caller's and final, a crash or
/// a full disk is ours and may pass, a limit reached is final. The message carries the tool's last meaningful line,
/// without our paths.
pub async fn run(tools: &Tools, run: Run) -> Result<Report> {
    let Run { tool, args, dir, readable, loopback_port, stdin, limits, cancel, on_progress } = run;
    if stdin.as_ref().is_some_and(|text| text.reveal().len() > STDIN_BYTES) {
        return Err(Error::internal("the text for standard input is too long"));
    }
    let (args, stdout) = match tool {
        Tool::Ffmpeg => (argv::ffmpeg_args(&args, &limits)?, Stdout::Progress),
        Tool::Ffprobe | Tool::Packager => (args, Stdout::Capture),
    };
    let dir = Some(dir);
    let job = Job { tool, args, dir, readable, loopback_port, stdin, limits, cancel, stdout, on_progress };
    Ok(supervise(tools, job).await?.report)
}
