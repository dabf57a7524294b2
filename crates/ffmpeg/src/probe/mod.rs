//! Looking into a medium: ffprobe in the sandbox, its answer as a typed [`MediaInfo`].
//!
//! A look costs about as much as decoding one key frame, and reads no more of the file than its index and its
//! beginning. Only a file that does not tell its length is read whole, and only if that is asked for.

mod codecs;
mod fields;
mod parse;
mod video;

use std::ffi::OsString;

use mps_core::{Error, Kind, MediaInfo, Result};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::supervise::{Done, Job, Stdout, supervise};
use crate::{Limits, Progress, SourceRef, Tool, Tools, argv};

pub use parse::parse;

/// How deep to look.
#[derive(Debug, Clone)]
pub struct ProbeOptions {
    /// Limits of each child; [`Limits::probe`] by default.
    pub limits: Limits,
    /// Also decode the first frame, so that a file with a sound index but unreadable pictures is refused.
    pub verify: bool,
    /// Read a whole file that does not tell its length.
    pub measure_length: bool,
    /// Ends the look with [`Kind::Cancelled`].
    pub cancel: CancellationToken,
}

impl Default for ProbeOptions {
    fn default() -> Self {
        Self {
            limits: Limits::probe(),
            verify: false,
            measure_length: true,
            cancel: CancellationToken::new(),
        }
    }
}

/// Tells what a medium holds.
///
/// Fails with [`Kind::InvalidInput`] when it is empty, broken, no media file, or of a kind that is not accepted; with
/// [`Kind::NotFound`] when there is no such file; with [`Kind::Limit`] when it is larger than the limits.
pub async fn probe(tools: &Tools, source: &SourceRef, options: &ProbeOptions) -> Result<MediaInfo> {
    check_file(source).await?;
    // The first key frame tells the pixel format; decoding what lies between costs three times as much in 4K.
    let wishes = ["-skip_frame", "nokey", "-show_format", "-show_streams", "-show_data"];
    let mut info = parse(&ask(tools, source, options, &wishes).await?)?;
    if parse::lacks_picture(&info) {
        // Some codecs mark no frame as a key.
        info = parse(&ask(tools, source, options, &wishes[2..]).await?)?;
    }
    if let Some(stream) = parse::lacks_size(&info) {
        // A prober built without this codec's decoder; ffmpeg itself may have it.
        let map = format!("0:{stream}");
        let wishes = ["-map", &map, "-frames:v", "1"];
        if let Ok(done) = output_run(tools, source, options, &wishes, "framecrc", Stdout::Capture).await {
            parse::add_size(&mut info, stream, &String::from_utf8_lossy(&done.stdout));
        }
    }
    if let Some(stream) = parse::wants_first_frame(&info) {
        let selector = stream.to_string();
        let frame = ["-show_frames", "-read_intervals", "%+#1", "-select_streams", &selector];
        // Without the frame the stream still has its transfer, so the look goes on.
        if let Ok(answer) = ask(tools, source, options, &frame).await {
            parse::add_first_frame(&mut info, stream, &answer);
        }
    }
    if options.verify {
        decode_first(tools, source, options, &info).await?;
    }
    if options.measure_length && parse::lacks_length(&info) {
        let end = measure_length(tools, source, options).await?;
        parse::set_length(&mut info, end);
    }
    Ok(info)
}

async fn check_file(source: &SourceRef) -> Result<()> {
    let SourceRef::File(path) = source else { return Ok(()) };
    match tokio::fs::metadata(path).await {
        Ok(facts) if !facts.is_file() => Err(Error::invalid("the input is not a file")),
        Ok(facts) if facts.len() == 0 => Err(Error::invalid("the input is empty")),
        Ok(_) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::not_found("the input does not exist").with("path", path.display()))
        }
        Err(e) => Err(Error::internal("cannot read the input").with("path", path.display()).because(e)),
    }
}

/// Runs ffprobe and reads its JSON.
async fn ask(tools: &Tools, source: &SourceRef, options: &ProbeOptions, wishes: &[&str]) -> Result<Value> {
    let args = argv::ffprobe_args(wishes, source, &options.limits);
    let done = supervise(tools, job(Tool::Ffprobe, args, Stdout::Capture, source, options)).await?;
    serde_json::from_slice(&done.stdout)
        .map_err(|e| Error::internal("cannot read what ffprobe tells").because(e))
}

async fn decode_first(
    tools: &Tools,
    source: &SourceRef,
    options: &ProbeOptions,
    info: &MediaInfo,
) -> Result<()> {
    let (index, count) = match (info.main_video(), info.main_audio()) {
        (Some(video), _) => (video.index, "-frames:v"),
        (None, Some(audio)) => (audio.index, "-frames:a"),
        (None, None) => return Ok(()),
    };
    let map = format!("0:{index}");
    let done = null_run(tools, source, options, &["-map", &map, count, "1"]).await.map_err(|error| {
        if error.kind() == Kind::Internal {
            Error::invalid("the first picture or sound of the input cannot be decoded").because(error)
        } else {
            error
        }
    })?;
    let progress = done.report.progress;
    if progress.frames == 0 && progress.out_time_us == 0 && count == "-frames:v" {
        return Err(Error::invalid("no picture of the input can be decoded"));
    }
    Ok(())
}

/// Reads every packet without decoding and gives the time of the last one and the number of frames.
async fn measure_length(tools: &Tools, source: &SourceRef, options: &ProbeOptions) -> Result<Progress> {
    let wishes = ["-map", "0:v?", "-map", "0:a?", "-c", "copy"];
    match null_run(tools, source, options, &wishes).await {
        Ok(done) => Ok(done.report.progress),
        Err(error) if matches!(error.kind(), Kind::Cancelled | Kind::Unavailable) => Err(error),
        // A length stays unknown rather than a readable file refused.
        Err(_) => Ok(Progress::default()),
    }
}

/// Runs ffmpeg over the source with an output that goes nowhere.
async fn null_run(
    tools: &Tools,
    source: &SourceRef,
    options: &ProbeOptions,
    wishes: &[&str],
) -> Result<Done> {
    output_run(tools, source, options, wishes, "null", Stdout::Progress).await
}

/// Runs ffmpeg over the source with standard output, where progress goes too, as its output.
async fn output_run(
    tools: &Tools,
    source: &SourceRef,
    options: &ProbeOptions,
    wishes: &[&str],
    format: &str,
    stdout: Stdout,
) -> Result<Done> {
    let mut plan: Vec<OsString> = vec!["-i".into(), source.operand()];
    plan.extend(wishes.iter().chain(&["-f", format, "-"]).map(OsString::from));
    let args = argv::ffmpeg_args(&plan, &options.limits)?;
    supervise(tools, job(Tool::Ffmpeg, args, stdout, source, options)).await
}

fn job(tool: Tool, args: Vec<OsString>, stdout: Stdout, source: &SourceRef, options: &ProbeOptions) -> Job {
    let (readable, loopback_port) = source.needs();
    Job {
        tool,
        args,
        dir: None,
        readable,
        loopback_port,
        stdin: None,
        limits: options.limits,
        cancel: options.cancel.clone(),
        stdout,
        on_progress: None,
    }
}
