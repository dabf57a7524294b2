//! The tiny runs: each encoder and filter that plans rely on, to the end of a short generated medium.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use mps_core::{Kind, Result};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::State;
use crate::supervise::{Done, Job, Stdout, supervise};
use crate::{Limits, Tool, Tools, argv};

const AT_A_TIME: usize = 2;

/// Encoders of pictures with what they need beyond defaults.
const VIDEO_ENCODERS: &[(&str, &str)] = &[
    ("libx264", "-preset ultrafast"),
    ("libx265", "-preset ultrafast -x265-params log-level=error"),
    ("libsvtav1", "-preset 12"),
    ("libaom-av1", "-cpu-used 8"),
    ("librav1e", "-speed 10"),
    ("libvpx", "-deadline realtime"),
    ("libvpx-vp9", "-deadline realtime -cpu-used 8"),
    ("libvvenc", "-preset faster"),
    ("mpeg1video", ""),
    ("mpeg2video", ""),
    ("mpeg4", ""),
    ("libxvid", ""),
    ("flv", ""),
    ("wmv2", ""),
    ("msmpeg4", ""),
    ("h263", "-s 128x96"),
    ("dnxhd", "-profile:v dnxhr_sq -s 256x144 -pix_fmt yuv422p"),
    ("prores_ks", ""),
    ("gif", ""),
    ("libwebp", ""),
    ("libwebp_anim", ""),
    ("mjpeg", "-pix_fmt yuvj420p"),
    ("png", ""),
    ("apng", ""),
    ("libjxl", ""),
    ("h264_nvenc", "-s 256x256"),
    ("hevc_nvenc", "-s 256x256"),
    ("av1_nvenc", "-s 256x256"),
    ("h264_qsv", "-s 256x256"),
    ("hevc_qsv", "-s 256x256"),
    ("h264_vaapi", ""),
    ("hevc_vaapi", ""),
    ("h264_amf", "-s 256x256"),
    ("hevc_amf", "-s 256x256"),
];

/// Encoders of sound.
const AUDIO_ENCODERS: &[&str] = &[
    "aac",
    "libfdk_aac",
    "libmp3lame",
    "mp2",
    "libopus",
    "libvorbis",
    "flac",
    "alac",
    "ac3",
    "eac3",
    "pcm_s16le",
    "pcm_s16be",
    "pcm_s24le",
    "pcm_mulaw",
    "pcm_alaw",
    "libopencore_amrnb",
    "libvo_amrwbenc",
    "wmav2",
    "adpcm_ima_wav",
];

/// Filters of pictures with arguments; the part before `=` is what is tried.
const VIDEO_FILTERS: &[&str] = &[
    "scale=64:64:flags=bicubic",
    "pad=192:192:(ow-iw)/2:(oh-ih)/2",
    "crop=64:64",
    "bwdif=mode=send_frame",
    "yadif",
    "idet",
    "gblur=sigma=5",
    "boxblur=2",
    "fps=10",
    "framerate=fps=30",
    "format=yuv420p10le",
    "setsar=1",
    "setdar=16/9",
    "setpts=PTS/2",
    "setparams=color_primaries=bt709",
    "colorspace=all=bt709:iall=bt601-6-625",
    "trim=end_frame=3",
    "transpose=1",
    "hflip",
    "vflip",
    "rotate=PI/4",
    "select=gt(n\\,1)",
    "thumbnail=3",
    "tile=2x2",
    "palettegen",
    "hqdn3d",
    "nlmeans=r=3:p=3",
    "unsharp",
    "eq=contrast=1.1",
    "curves=preset=lighter",
    "drawbox",
    "delogo=x=8:y=8:w=16:h=16",
    "fade=out:2:2",
    "deband",
    "deblock",
    "minterpolate=fps=50",
    "tinterlace=interleave_top",
    "blackdetect",
    "freezedetect",
    "scdet",
    "cropdetect",
    "signalstats",
    "drawtext=text=x",
];

/// Graphs that need more than one input or a prepared one: the filter's name and the graph.
const VIDEO_GRAPHS: &[(&str, &str)] = &[
    ("overlay", "[0:v]split[a][b];[b]crop=32:32[c];[a][c]overlay=8:8"),
    ("split", "[0:v]split[a][b];[b]nullsink;[a]null"),
    ("concat", "[0:v]split[a][b];[a][b]concat=n=2:v=1:a=0"),
    ("hstack", "[0:v]split[a][b];[a][b]hstack"),
    ("vstack", "[0:v]split[a][b];[a][b]vstack"),
    ("paletteuse", "[0:v]split[a][b];[b]palettegen[p];[a][p]paletteuse"),
    ("alphamerge", "[0:v]split[a][b];[b]format=gray[m];[a][m]alphamerge"),
    ("zscale", "[0:v]setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709,zscale=64:64:t=linear"),
    (
        "tonemap",
        "[0:v]setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv,\
         zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable,zscale=t=bt709:m=bt709:r=tv,\
         format=yuv420p",
    ),
    ("libvmaf", "[0:v]split[a][b];[a][b]libvmaf"),
    ("xpsnr", "[0:v]split[a][b];[a][b]xpsnr"),
    ("psnr", "[0:v]split[a][b];[a][b]psnr"),
    ("ssim", "[0:v]split[a][b];[a][b]ssim"),
    ("libplacebo", "[0:v]libplacebo=w=64:h=64"),
];

/// Filters of sound.
const AUDIO_FILTERS: &[&str] = &[
    "aresample=44100:async=1",
    "aformat=channel_layouts=mono",
    "asetpts=N/SR/TB",
    "asetnsamples=1024",
    "atrim=end=0.1",
    "volume=2",
    "loudnorm=I=-16",
    "dynaudnorm",
    "ebur128",
    "volumedetect",
    "silencedetect",
    "astats",
    "pan=mono|c0=c0",
    "atempo=1.5",
    "afade=out",
    "apad=whole_dur=0.5",
    "adelay=10",
    "afftdn",
    "anlmdn",
    "highpass",
    "lowpass",
    "equalizer=f=1000:g=3",
    "acompressor",
    "alimiter",
    "dialoguenhance",
    "rubberband=pitch=1.1",
    "aecho",
];

const AUDIO_GRAPHS: &[(&str, &str)] = &[
    ("amix", "[0:a]asplit[a][b];[a][b]amix"),
    ("asplit", "[0:a]asplit[a][b];[b]anullsink;[a]anull"),
    ("amerge", "[0:a]asplit[a][b];[a][b]amerge"),
    ("join", "[0:a]asplit[a][b];[a][b]join=inputs=2:channel_layout=stereo"),
];

const VIDEO_SOURCE: &str = "testsrc2=s=128x128:r=25:d=0.2";
const AUDIO_SOURCE: &str = "anoisesrc=d=0.3:c=pink:r=48000:seed=1";

/// What a build lists.
pub(super) struct Lists {
    pub(super) version: String,
    pub(super) encoders: BTreeSet<String>,
    pub(super) decoders: BTreeSet<String>,
    pub(super) muxers: BTreeSet<String>,
    pub(super) filters: BTreeSet<String>,
    pub(super) hwaccels: BTreeSet<String>,
}

/// What the trials showed, by name.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) encoders: BTreeMap<String, State>,
    pub(super) filters: BTreeMap<String, State>,
    pub(super) hwaccels: BTreeMap<String, State>,
}

pub(super) async fn lists(tools: &Tools) -> Result<Lists> {
    let ask = async |wish: &str| -> Result<String> {
        let done = supervise(tools, job(vec!["-hide_banner".into(), wish.into()], Stdout::Capture)).await?;
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    };
    let version = ask("-version").await?;
    let version = version.split_whitespace().nth(2).unwrap_or("unknown").to_owned();
    let hwaccels = ask("-hwaccels").await?;
    Ok(Lists {
        version,
        encoders: table(&ask("-encoders").await?),
        decoders: table(&ask("-decoders").await?),
        muxers: table(&ask("-muxers").await?),
        filters: table(&ask("-filters").await?),
        hwaccels: hwaccels
            .lines()
            .skip(1)
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .map(str::to_owned)
            .collect(),
    })
}

/// The names in a table of ffmpeg: flags, name, description. The legend above it has `=` where a name would be.
fn table(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in text.lines() {
        let mut fields = line.split_whitespace();
        let (Some(flags), Some(name)) = (fields.next(), fields.next()) else { continue };
        let is_flags =
            flags.len() <= 6 && flags.chars().all(|c| c == '.' || c == '|' || c.is_ascii_alphabetic());
        if line.starts_with(' ') && is_flags && name != "=" {
            names.extend(name.split(',').map(str::to_owned));
        }
    }
    names
}

#[derive(Clone, Copy)]
enum What {
    Encoder,
    Filter,
    Hwaccel,
}

/// Tries everything that is listed and relied on.
pub(super) async fn run_all(tools: &Tools, lists: &Lists) -> Result<Outcome> {
    let turns = Arc::new(Semaphore::new(AT_A_TIME));
    let mut running = JoinSet::new();
    for (what, name, plan) in plans(lists) {
        let (tools, turns) = (tools.clone(), Arc::clone(&turns));
        running.spawn(async move {
            let _turn = turns.acquire_owned().await;
            (what, name, attempt(&tools, &plan).await)
        });
    }
    let mut outcome = Outcome::default();
    while let Some(done) = running.join_next().await {
        let (what, name, state) =
            done.map_err(|e| mps_core::Error::internal("a trial broke off").because(e))?;
        let results = match what {
            What::Encoder => &mut outcome.encoders,
            What::Filter => &mut outcome.filters,
            What::Hwaccel => &mut outcome.hwaccels,
        };
        results.insert(name, state?);
    }
    Ok(outcome)
}

fn plans(lists: &Lists) -> Vec<(What, String, Vec<String>)> {
    let video = || strings(&["-f", "lavfi", "-i", VIDEO_SOURCE]);
    let audio = || strings(&["-f", "lavfi", "-i", AUDIO_SOURCE]);
    let end = || strings(&["-f", "null", "-"]);
    let mut plans = Vec::new();
    let mut add =
        |what, name: &str, parts: [Vec<String>; 3]| plans.push((what, name.to_owned(), parts.concat()));

    for (name, options) in VIDEO_ENCODERS.iter().filter(|(name, _)| lists.encoders.contains(*name)) {
        let mut encode = strings(&["-frames:v", "3", "-c:v", name]);
        encode.extend(options.split_whitespace().map(str::to_owned));
        add(What::Encoder, name, [video(), encode, end()]);
    }
    for name in AUDIO_ENCODERS.iter().filter(|name| lists.encoders.contains(**name)) {
        let rate = if name.contains("amrnb") {
            "8000"
        } else if name.contains("amrwb") {
            "16000"
        } else {
            "48000"
        };
        add(What::Encoder, name, [audio(), strings(&["-ar", rate, "-ac", "1", "-c:a", name]), end()]);
    }
    let named = |graph: &'static str| (graph.split('=').next().unwrap_or(graph), graph);
    for (name, graph) in VIDEO_FILTERS.iter().map(|graph| named(graph)) {
        if lists.filters.contains(name) {
            add(What::Filter, name, [video(), strings(&["-vf", graph]), end()]);
        }
    }
    for (name, graph) in AUDIO_FILTERS.iter().map(|graph| named(graph)) {
        if lists.filters.contains(name) {
            add(What::Filter, name, [audio(), strings(&["-af", graph]), end()]);
        }
    }
    for (graphs, source) in [(VIDEO_GRAPHS, video()), (AUDIO_GRAPHS, audio())] {
        for (name, graph) in graphs.iter().filter(|(name, _)| lists.filters.contains(*name)) {
            add(What::Filter, name, [source.clone(), strings(&["-filter_complex", graph]), end()]);
        }
    }
    for name in &lists.hwaccels {
        let device = strings(&["-init_hw_device", name]);
        add(What::Hwaccel, name, [device, video(), strings(&["-frames:v", "1", "-f", "null", "-"])]);
    }
    plans
}

fn strings(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

/// A failure of the trial is a result; only a failure to try is an error.
async fn attempt(tools: &Tools, plan: &[String]) -> Result<State> {
    let plan: Vec<OsString> = plan.iter().map(OsString::from).collect();
    let args = argv::ffmpeg_args(&plan, &limits())?;
    match supervise(tools, job(args, Stdout::Progress)).await {
        Ok(Done { report, .. }) if report.progress.is_end => Ok(State::Works),
        Ok(_) => Ok(State::Broken("it ended without a result".to_owned())),
        Err(error) if error.kind() == Kind::Cancelled => Err(error),
        Err(error) => {
            let message = error.message();
            let reason = message.split_once(": ").map_or(message, |(_, reason)| reason);
            Ok(State::Broken(reason.to_owned()))
        }
    }
}

fn limits() -> Limits {
    let short = Duration::from_secs(30);
    Limits { wall: short, stall: short, stall_busy: short, cpu: short, nice: 10, ..Limits::default() }
}

fn job(args: Vec<OsString>, stdout: Stdout) -> Job {
    Job {
        tool: Tool::Ffmpeg,
        args,
        dir: None,
        readable: Vec::new(),
        loopback_port: None,
        stdin: None,
        limits: limits(),
        cancel: CancellationToken::new(),
        stdout,
        on_progress: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_tables_and_legends_are_not() {
        let encoders = "Encoders:\n V..... = Video\n .F.... = Frame-level\n ------\n V....D libx264   H.264\n A....D aac  AAC\n";
        assert_eq!(table(encoders), ["aac", "libx264"].map(str::to_owned).into());
        let filters = "Filters:\n  T.. = Timeline support\n  | = Source\n ------\n TS aap  AA->A  x\n .. acopy A->A y\n";
        assert_eq!(table(filters), ["aap", "acopy"].map(str::to_owned).into());
        let muxers =
            "Formats:\n D.. = Demuxing supported\n ---\n  E  mp4   MP4\n  E  stream_segment,ssegment x\n";
        assert_eq!(table(muxers), ["mp4", "ssegment", "stream_segment"].map(str::to_owned).into());
    }

    #[test]
    fn only_what_is_listed_is_tried() {
        let lists = Lists {
            version: String::new(),
            encoders: ["libx264".to_owned()].into(),
            decoders: BTreeSet::new(),
            muxers: BTreeSet::new(),
            filters: ["scale", "overlay", "aresample"].map(str::to_owned).into(),
            hwaccels: BTreeSet::new(),
        };
        let names: Vec<String> = plans(&lists).into_iter().map(|(_, name, _)| name).collect();
        assert_eq!(names, ["libx264", "scale", "aresample", "overlay"]);
    }
}
