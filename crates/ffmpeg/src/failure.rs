//! Why a run failed, in a sentence; whose fault it is; whether another try can help.
//!
//! The wait status decides first: a signal is a crash or a limit, an exit code is ffmpeg's own error number (its low
//! eight bits, which may look like 128 + a signal). Only then are a few sentences of the C library and of libav looked
//! for. What a sentence does not tell is taken for our fault, never silently for the user's.

use std::os::unix::process::ExitStatusExt;

use mps_core::task::Fault;
use mps_core::{Blame, Error, Kind, Retry};
use nix::sys::signal::Signal;

use crate::child::Ended;
use crate::sandbox::{LAUNCH_FAILED, LAUNCH_PREFIX};
use crate::supervise::Job;

/// Why we ended a run ourselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Cancelled,
    Wall,
    Stalled,
    Talkative,
}

/// What is known about a failed run. `ended` is absent when it never began.
pub(crate) fn explain(job: &Job, stop: Option<Stop>, ended: Option<&Ended>, stderr: &str) -> Error {
    let said = Said { job, stderr };
    let error = match (stop, ended) {
        (Some(stop), _) => stopped(job, stop),
        (None, Some(ended)) => match ended.status.signal() {
            Some(signal) => by_signal(job, signal, ended),
            // ffmpeg catches the signal of this limit and exits by itself.
            None if ended.cpu >= job.limits.cpu => too_much_cpu(job),
            None => by_code(&said, ended.status.code().unwrap_or(-1)),
        },
        (None, None) => Error::internal(format!("{} did not start", job.tool)),
    };
    let mut error = error.with("tool", job.tool);
    if let Some(ended) = ended {
        error = error.with("status", ended.status);
        error = error.with("cpu_ms", ended.cpu.as_millis()).with("max_rss_bytes", ended.max_rss_bytes);
    }
    let tail = said.tail();
    if tail.is_empty() { error } else { error.with("stderr", tail) }
}

fn stopped(job: &Job, stop: Stop) -> Error {
    let (tool, limits) = (job.tool, &job.limits);
    match stop {
        Stop::Cancelled => Error::new(Kind::Cancelled, format!("{tool} was stopped")),
        Stop::Wall => {
            let message = format!("{tool} took longer than the {} s allowed", limits.wall.as_secs());
            Error::new(Kind::Timeout, message).with_blame(Blame::Us).with_retry(Retry::Never)
        }
        Stop::Stalled => {
            let message = format!("{tool} got nowhere for {} s", limits.stall.as_secs());
            let blame = if job.loopback_port.is_some() { Blame::Outside } else { Blame::Us };
            Error::new(Kind::Timeout, message).with_blame(blame).with_retry(Retry::Later)
        }
        Stop::Talkative => {
            Error::new(Kind::Limit, format!("{tool} tells more about this input than is allowed"))
        }
    }
}

fn by_signal(job: &Job, signal: i32, ended: &Ended) -> Error {
    let (tool, limits) = (job.tool, &job.limits);
    let over_cpu = ended.cpu >= limits.cpu;
    match Signal::try_from(signal) {
        Ok(Signal::SIGXCPU) => too_much_cpu(job),
        Ok(Signal::SIGKILL) if over_cpu => too_much_cpu(job),
        Ok(Signal::SIGXFSZ) => Error::new(
            Kind::Limit,
            format!("an output would be larger than the {} bytes allowed", limits.file_bytes),
        ),
        Ok(Signal::SIGKILL) => Error::unavailable(format!("{tool} was killed, perhaps for want of memory"))
            .with_blame(Blame::Us)
            .with_retry(Retry::Later),
        Ok(Signal::SIGTERM | Signal::SIGINT) => {
            Error::unavailable(format!("{tool} was ended from outside")).with_blame(Blame::Us)
        }
        _ => Error::internal(format!("{tool} crashed")),
    }
}

fn too_much_cpu(job: &Job) -> Error {
    let seconds = job.limits.cpu.as_secs();
    Error::new(Kind::Limit, format!("{} used more than the {seconds} s of processor time allowed", job.tool))
}

/// The low eight bits of a negative error number, as ffmpeg exits.
const fn averror(number: i32) -> i32 {
    256 - number
}

const NO_SPACE: i32 = averror(libc::ENOSPC);
const FILE_TOO_BIG: i32 = averror(libc::EFBIG);
const NO_MEMORY: i32 = averror(libc::ENOMEM);
/// `AVERROR_INVALIDDATA` is made of the letters INDA; its low byte.
const INVALID_DATA: i32 = 256 - b'I' as i32;
/// ffmpeg's own status when a signal made it stop.
const ENDED_BY_SIGNAL: i32 = 255;
/// ffmpeg's own status when too many frames failed to decode.
const TOO_MANY_ERRORS: i32 = 69;

fn by_code(said: &Said<'_>, code: i32) -> Error {
    let tool = said.job.tool;
    let line = said.line();
    let has = |words: &[&str]| words.iter().any(|word| said.stderr.contains(word));
    let tell = |what: &str| if line.is_empty() { what.to_owned() } else { format!("{what}: {line}") };

    if code == i32::from(LAUNCH_FAILED) && said.stderr.contains(LAUNCH_PREFIX) {
        return Error::internal(tell(&format!("the sandbox of {tool} failed")));
    }
    if code == NO_SPACE || has(&["No space left on device", "Disk quota exceeded"]) {
        return Error::unavailable("no space is left on the disk for this job").with_blame(Blame::Us);
    }
    if code == FILE_TOO_BIG || has(&["File too large"]) {
        let allowed = said.job.limits.file_bytes;
        return Error::new(
            Kind::Limit,
            format!("an output would be larger than the {allowed} bytes allowed"),
        );
    }
    if code == ENDED_BY_SIGNAL && has(&["Immediate exit requested"]) {
        return Error::unavailable(format!("{tool} was ended from outside")).with_blame(Blame::Us);
    }
    if has(&["Picture size", "exceeds specified max pixel count"]) {
        return Error::new(Kind::Limit, tell("a picture of the input is larger than allowed"));
    }
    if has(&["exceeds max_streams"]) {
        return Error::new(Kind::Limit, tell("the input has more streams than allowed"));
    }
    if code == NO_MEMORY || has(&["Cannot allocate memory", "std::bad_alloc", "malloc of size"]) {
        let mib = said.job.limits.memory_bytes >> 20;
        return Error::new(
            Kind::Limit,
            tell(&format!("{tool} needs more than the {mib} MiB of memory allowed")),
        );
    }
    if has(&["no decoder found for"]) {
        let told = tell("the input is coded in a way that cannot be decoded here");
        return Fault::Source.of(Error::new(Kind::Unsupported, told));
    }
    if has(OURS) {
        // What follows the first complaint about a plan only repeats it.
        let message = format!("{tool} cannot do what was planned: {}", said.first_line());
        return Error::internal(message).with_retry(Retry::Never);
    }
    if said.job.loopback_port.is_some() && has(RELAY) {
        return Error::unavailable(tell("the input could not be fetched"));
    }
    if has(&["not in whitelist", "not on whitelist", "whitelist"]) {
        let told = "the input is a playlist or another kind of file that is not accepted";
        return Fault::Source.of(Error::invalid(told));
    }
    if code == INVALID_DATA || code == TOO_MANY_ERRORS || has(BROKEN) {
        return Fault::Source.of(Error::invalid(tell("the input is broken or not a media file")));
    }
    Error::internal(tell(&format!("{tool} failed with status {code}")))
}

/// Sentences about a plan that this build cannot carry out.
const OURS: &[&str] = &[
    "Unknown encoder",
    "Unknown decoder",
    "Unrecognized option",
    "Option not found",
    "No such filter",
    "Error parsing filterchain",
    "Error parsing a filter description",
    "Requested output format",
    "Unable to choose an output format",
    "Could not write header",
    "Error while opening encoder",
    "Failed to set value",
    "Error applying option",
];

/// Sentences about a relay that does not deliver.
const RELAY: &[&str] = &[
    "HTTP error",
    "Server returned",
    "Connection refused",
    "Connection reset",
    "Connection timed out",
    "Error reading HTTP response",
    "Input/output error",
    "I/O error",
    "Stream ends prematurely",
];

/// Sentences about an input that nobody can read.
const BROKEN: &[&str] = &[
    "Invalid data found when processing input",
    "moov atom not found",
    "could not find codec parameters",
    "Could not find codec parameters",
    "does not contain any stream",
    "matches no streams",
    "End of file",
    "Header missing",
];

struct Said<'a> {
    job: &'a Job,
    stderr: &'a str,
}

/// Lines that only say that something else went wrong.
const EMPTY_WORDS: &[&str] = &[
    "Conversion failed!",
    "Last message repeated",
    "Error opening output files",
    "Task finished with error code",
    "Terminating thread with return code",
    "Nothing was written into output file",
    "Exiting normally",
    "Error opening input file",
    "Error closing ",
    "Decoding error",
    "Decode error rate",
    "Could not open encoder before EOF",
    "Cannot determine format of input",
    "Error sending frames to consumers",
    "Error reinitializing filters",
    "Error parsing global options",
    "Invalid data found when processing input",
];

impl Said<'_> {
    /// The last line that tells something, without addresses and without our paths.
    fn line(&self) -> String {
        self.bare(self.telling().next_back().unwrap_or_default())
    }

    /// The first such line.
    fn first_line(&self) -> String {
        self.bare(self.telling().next().unwrap_or_default())
    }

    fn telling(&self) -> impl DoubleEndedIterator<Item = &str> {
        let lines = self.stderr.lines().map(str::trim);
        lines.filter(|line| !line.is_empty() && !EMPTY_WORDS.iter().any(|words| line.contains(words)))
    }

    fn bare(&self, line: &str) -> String {
        let line = line.strip_prefix(LAUNCH_PREFIX).unwrap_or(line);
        let line = without_component(line);
        self.discreet(line.strip_prefix("Error opening input: ").unwrap_or(line), 300)
    }

    /// The end of it all, for logs.
    fn tail(&self) -> String {
        let mut from = self.stderr.len().saturating_sub(2000);
        while !self.stderr.is_char_boundary(from) {
            from += 1;
        }
        self.discreet(&self.stderr[from..], 2000)
    }

    /// Puts names for our folders, files and tokens; drops control characters.
    fn discreet(&self, text: &str, at_most: usize) -> String {
        let mut text = text.to_owned();
        for path in &self.job.readable {
            let path = path.to_string_lossy();
            text = text.replace(&format!("file:{path}"), "the input").replace(&*path, "the input");
        }
        if let Some(dir) = &self.job.dir {
            let dir = dir.to_string_lossy();
            text = text.replace(&format!("{dir}/"), "").replace(&*dir, "the job's folder");
        }
        text = without_relay(&text).replace("file:", "");
        text.chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(at_most)
            .collect::<String>()
            .trim()
            .to_owned()
    }
}

/// Drops `[mov @ 0x55…] ` and the like from the start of a line.
fn without_component(line: &str) -> &str {
    let mut line = line;
    while let Some((component, rest)) = line.strip_prefix('[').and_then(|l| l.split_once("] ")) {
        if !component.contains(" @ 0x") {
            break;
        }
        line = rest;
    }
    line
}

/// Relay addresses hold a token.
fn without_relay(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("http://127.0.0.1:") {
        out.push_str(&rest[..at]);
        out.push_str("the input");
        let address = &rest[at..];
        let end =
            address.find(|c: char| c.is_whitespace() || matches!(c, '\'' | '"')).unwrap_or(address.len());
        let end = address[..end].trim_end_matches([':', ',', '.']).len();
        rest = &address[end..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::ExitStatus;
    use std::time::Duration;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::supervise::Stdout;
    use crate::{Limits, Tool};

    fn job() -> Job {
        Job {
            tool: Tool::Ffmpeg,
            args: Vec::new(),
            dir: Some(PathBuf::from("/data/jobs/7")),
            readable: vec![PathBuf::from("/data/blobs/ab/film.mp4")],
            loopback_port: None,
            stdin: None,
            limits: Limits::default(),
            cancel: CancellationToken::new(),
            stdout: Stdout::Progress,
            on_progress: None,
        }
    }

    fn exit(code: i32, stderr: &str) -> Error {
        ended(&job(), code << 8, stderr)
    }

    fn ended(job: &Job, raw: i32, stderr: &str) -> Error {
        let ended =
            Ended { status: ExitStatus::from_raw(raw), cpu: Duration::from_secs(1), max_rss_bytes: 1 };
        explain(job, None, Some(&ended), stderr)
    }

    #[test]
    fn a_broken_input_is_the_callers_and_final() {
        let error = exit(
            183,
            "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55d0] moov atom not found\n\
             [in#0 @ 0x1] Error opening input: Invalid data found when processing input\n\
             Error opening input file file:/data/blobs/ab/film.mp4.\n\
             Error opening input files: Invalid data found when processing input\n",
        );
        assert_eq!(
            (error.kind(), error.blame(), error.retry()),
            (Kind::InvalidInput, Blame::Caller, Retry::Never)
        );
        assert_eq!(error.message(), "the input is broken or not a media file: moov atom not found");
        assert!(!error.chain().contains("/data/"), "{}", error.chain());
    }

    #[test]
    fn a_code_that_looks_like_a_signal_is_no_crash() {
        let error = exit(228, "av_interleaved_write_frame(): No space left on device\n");
        assert_eq!(
            (error.kind(), error.blame(), error.retry()),
            (Kind::Unavailable, Blame::Us, Retry::Later)
        );
    }

    #[test]
    fn a_crash_is_ours_and_may_be_tried_again() {
        let error = ended(&job(), libc::SIGSEGV, "malloc_consolidate(): invalid chunk size\n");
        assert_eq!((error.kind(), error.blame(), error.retry()), (Kind::Internal, Blame::Us, Retry::Later));
        assert!(error.chain().contains("malloc_consolidate"), "{}", error.chain());
    }

    #[test]
    fn limits_are_told_by_name() {
        assert_eq!(ended(&job(), libc::SIGXFSZ, "").kind(), Kind::Limit);
        assert_eq!(ended(&job(), libc::SIGXCPU, "").kind(), Kind::Limit);
        let cpu = Job { limits: Limits { cpu: Duration::from_secs(1), ..Limits::default() }, ..job() };
        assert!(ended(&cpu, libc::SIGKILL, "").message().contains("processor time"));
        assert_eq!(ended(&job(), libc::SIGKILL, "").kind(), Kind::Unavailable);
        assert!(exit(244, "Cannot allocate memory").message().contains("MiB"));
    }

    #[test]
    fn a_plan_that_cannot_be_carried_out_is_not_the_users_fault() {
        let error = exit(
            8,
            "[vost#0 @ 0x5] Unknown encoder 'libfdk_aac'\nError opening output files: Encoder not found",
        );
        assert_eq!((error.kind(), error.retry()), (Kind::Internal, Retry::Never));
        assert!(error.message().contains("libfdk_aac"), "{error}");
    }

    #[test]
    fn a_source_that_nobody_can_decode_is_final() {
        let error = exit(234, "[aist#0:1/none @ 0x5] Decoding requested, but no decoder found for: none\n");
        assert_eq!((error.kind(), error.retry()), (Kind::Unsupported, Retry::Never));
        assert!(error.context().contains(&("err_code", "60000".to_owned())), "{error:?}");
    }

    #[test]
    fn a_relay_that_fails_may_recover_and_its_token_stays_secret() {
        let relay = Job { loopback_port: Some(4000), ..job() };
        let line = "[in#0 @ 0x1] Error opening input: Server returned 5XX Server Error reply
\
                    Error opening input file http://127.0.0.1:4000/s3cret.
\
                    Error opening input files: Server returned 5XX Server Error reply
";
        let error = ended(&relay, 251 << 8, line);
        assert_eq!(
            (error.kind(), error.blame(), error.retry()),
            (Kind::Unavailable, Blame::Outside, Retry::Later)
        );
        assert!(!error.chain().contains("s3cret"), "{}", error.chain());
        assert_eq!(error.message(), "the input could not be fetched: Server returned 5XX Server Error reply");
    }

    #[test]
    fn without_a_known_reason_nobody_else_is_blamed() {
        let error = exit(1, "");
        assert_eq!((error.kind(), error.blame()), (Kind::Internal, Blame::Us));
        assert_eq!(error.message(), "ffmpeg failed with status 1");
    }

    #[test]
    fn a_stalled_relay_is_outside_and_a_stalled_disk_ours() {
        let relay = Job { loopback_port: Some(1), ..job() };
        assert_eq!(explain(&relay, Some(Stop::Stalled), None, "").blame(), Blame::Outside);
        assert_eq!(explain(&job(), Some(Stop::Stalled), None, "").blame(), Blame::Us);
        assert_eq!(explain(&job(), Some(Stop::Cancelled), None, "").kind(), Kind::Cancelled);
    }
}
