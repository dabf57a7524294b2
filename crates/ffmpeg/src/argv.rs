//! The guards of every command line, in one place so that no plan can forget one.
//!
//! A plan says what to do with its input; this module says how far the input is trusted: which demuxers and
//! protocols may open it, how many pixels and streams it may have. Playlists and concat scripts, which name other
//! files, are never opened.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use mps_core::{Error, Result};

use crate::Limits;

/// What a tool reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceRef {
    /// A file of this machine, by an absolute path.
    File(PathBuf),
    /// A file behind the loopback relay, such as `http://127.0.0.1:4000/token`.
    Relay(String),
}

impl SourceRef {
    /// What stands after `-i`.
    pub fn operand(&self) -> OsString {
        match self {
            Self::File(path) => file_operand(path.as_os_str()),
            Self::Relay(url) => OsString::from(url),
        }
    }

    /// What the sandbox must let through: files to read, and the relay's port.
    pub fn needs(&self) -> (Vec<PathBuf>, Option<u16>) {
        match self {
            Self::File(path) => (vec![path.clone()], None),
            Self::Relay(url) => (Vec::new(), relay_port(url)),
        }
    }
}

/// Demuxers for what users send. Each reads one file; none follows names inside it.
const DEMUXERS: &str = "mov,mp4,matroska,webm,mpegts,mpeg,mpegvideo,flv,avi,asf,mxf,gxf,nut,ogg,rm,dv,nsv,ivf,obu,\
    h261,h263,h264,hevc,vvc,evc,av1,m4v,vc1,cavsvideo,avs2,avs3,mjpeg,mjpeg_2000,yuv4mpegpipe,wtv,dxa,film_cpk,smk,\
    bink,4xm,roq,\
    mp3,aac,ac3,eac3,ac4,truehd,mlp,dts,dtshd,flac,wav,w64,aiff,au,caf,amr,amrnb,amrwb,ape,tta,wv,tak,mpc,mpc8,voc,\
    shn,dsf,iff,qcp,oma,aa,aax,spdif,sox,xwma,loas,latm,g722,g729,gsm,sbc,aptx,\
    gif,apng,image2,png_pipe,jpeg_pipe,jpegls_pipe,jpegxl_pipe,jpegxl_anim,j2k_pipe,webp_pipe,webp,webp_anim,bmp_pipe,\
    tiff_pipe,dds_pipe,dpx_pipe,exr_pipe,hdr_pipe,ico,pam_pipe,pbm_pipe,pgm_pipe,ppm_pipe,psd_pipe,qoi_pipe,\
    sgi_pipe,sunrast_pipe,pcx_pipe,\
    srt,ass,webvtt,sup,scc,ttml,sami,microdvd,lrc,mpl2,subviewer";

/// Forced formats of a plan's own inputs: generated sources, drawings, and the pipes to and from Rust.
const OWN_FORMATS: &[&str] = &[
    "lavfi",
    "nut",
    "rawvideo",
    "s16le",
    "s24le",
    "s32le",
    "f32le",
    "u8",
    "yuv4mpegpipe",
    "image2",
    "image2pipe",
    "ffmetadata",
    "srt",
    "ass",
    "webvtt",
    "svg_pipe",
];

/// The whole command line of ffprobe: what it is asked for, then the guarded input.
pub fn ffprobe_args(wishes: &[&str], source: &SourceRef, limits: &Limits) -> Vec<OsString> {
    let max_alloc = limits.max_alloc_bytes.to_string();
    let fixed = ["-hide_banner", "-v", "error", "-max_alloc", &max_alloc, "-print_format", "json=compact=1"];
    let mut args: Vec<OsString> = fixed.iter().chain(wishes).map(OsString::from).collect();
    args.extend(input_args(source, limits));
    args
}

/// Options that belong right before `-i`, and `-i` with its operand.
pub fn input_args(source: &SourceRef, limits: &Limits) -> Vec<OsString> {
    let mut args = guards(matches!(source, SourceRef::Relay(_)), DEMUXERS, limits);
    args.push("-i".into());
    args.push(source.operand());
    args
}

/// The whole command line of ffmpeg for a plan's arguments.
///
/// Every `-i` gets its guards; a bare path becomes `file:…`. Fails with [`mps_core::Kind::Internal`] when a plan
/// asks for an input that no guard allows: another protocol, or a format such as `hls` or `concat`.
pub fn ffmpeg_args(plan: &[OsString], limits: &Limits) -> Result<Vec<OsString>> {
    let max_alloc = limits.max_alloc_bytes.to_string();
    let quiet = ["-hide_banner", "-nostdin", "-y", "-v", "error"];
    let told = ["-progress", "pipe:1", "-stats_period", "0.5", "-max_alloc", &max_alloc];
    let mut args: Vec<OsString> = quiet.iter().chain(&told).map(OsString::from).collect();
    let mut forced_format: Option<&OsStr> = None;
    let mut rest = plan.iter();
    while let Some(arg) = rest.next() {
        match arg.as_bytes() {
            b"-i" => {
                let operand = rest.next().ok_or_else(|| Error::internal("a plan ends with -i"))?;
                input(&mut args, operand, forced_format.take(), limits)?;
            }
            b"-f" => {
                let format = rest.next().ok_or_else(|| Error::internal("a plan ends with -f"))?;
                forced_format = Some(format);
                args.extend([arg.clone(), format.clone()]);
            }
            b"-protocol_whitelist"
            | b"-format_whitelist"
            | b"-max_pixels"
            | b"-max_alloc"
            | b"-max_streams"
            | b"-progress" => {
                let option = arg.to_string_lossy().into_owned();
                return Err(Error::internal(format!("a plan must not set {option}")));
            }
            _ => args.push(arg.clone()),
        }
    }
    Ok(args)
}

fn input(args: &mut Vec<OsString>, operand: &OsStr, format: Option<&OsStr>, limits: &Limits) -> Result<()> {
    let refused = |what: &str| {
        Error::internal(format!("a plan must not read {what}")).with("input", operand.to_string_lossy())
    };
    let format = match format {
        None => DEMUXERS,
        Some(format) => {
            let known = OWN_FORMATS.iter().find(|own| **own == format).copied();
            known
                .or_else(|| DEMUXERS.split(',').find(|name| *name == format))
                .ok_or_else(|| refused("this format"))?
        }
    };
    let text = operand.to_string_lossy();
    let is_relay = text.starts_with("http://");
    if is_relay && relay_port(&text).is_none() {
        return Err(refused("other machines"));
    }
    args.extend(guards(is_relay, format, limits));
    args.push("-i".into());
    if format == "lavfi" || is_relay || text.starts_with("file:") || is_pipe(&text) {
        args.push(operand.to_owned());
    } else if operand.as_bytes().first() == Some(&b'/') || !text.contains(':') {
        args.push(file_operand(operand));
    } else {
        return Err(refused("this protocol"));
    }
    Ok(())
}

fn is_pipe(operand: &str) -> bool {
    operand == "-" || operand.strip_prefix("pipe:").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
}

/// The options that limit what an input can be. `formats` is a comma-separated list of demuxers.
pub(crate) fn guards(is_relay: bool, formats: &str, limits: &Limits) -> Vec<OsString> {
    let protocols = if is_relay { "http,tcp" } else { "file,pipe,fd" };
    let (pixels, streams) = (limits.max_pixels.to_string(), limits.max_streams.to_string());
    [
        "-protocol_whitelist",
        protocols,
        "-format_whitelist",
        formats,
        "-max_pixels",
        &pixels,
        "-max_streams",
        &streams,
    ]
    .iter()
    .map(OsString::from)
    .collect()
}

fn file_operand(path: &OsStr) -> OsString {
    let mut operand = b"file:".to_vec();
    operand.extend_from_slice(path.as_bytes());
    OsString::from_vec(operand)
}

/// The port of an address of the loopback relay; nothing for any other address.
fn relay_port(url: &str) -> Option<u16> {
    let (host_port, _) = url.strip_prefix("http://")?.split_once('/')?;
    host_port.strip_prefix("127.0.0.1:")?.parse().ok()
}

/// The name of a file inside the job's folder as an output operand, safe from being read as an option or protocol.
pub fn output_operand(name: &Path) -> OsString {
    file_operand(name.as_os_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn guarded(line: &str) -> String {
        let args = ffmpeg_args(&args(line), &Limits::default()).unwrap();
        args.iter().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    fn refused(line: &str) -> bool {
        ffmpeg_args(&args(line), &Limits::default()).is_err()
    }

    #[test]
    fn every_input_gets_its_guards_right_before_it() {
        let line = guarded("-ss 5 -i /data/a.mp4 -f lavfi -i anullsrc -c:v libx264 -f mp4 out.mp4");
        let start = "-hide_banner -nostdin -y -v error -progress pipe:1 -stats_period 0.5 -max_alloc 1073741824 -ss 5";
        assert!(
            line.starts_with(&format!("{start} -protocol_whitelist file,pipe,fd -format_whitelist mov,mp4,"))
        );
        assert!(
            line.contains("-max_pixels 268435456 -max_streams 128 -i file:/data/a.mp4 -f lavfi "),
            "{line}"
        );
        assert!(line.ends_with(
            "-format_whitelist lavfi -max_pixels 268435456 -max_streams 128 -i anullsrc -c:v libx264 -f mp4 out.mp4"
        ));
    }

    #[test]
    fn a_relay_is_reached_by_http_alone() {
        let line = guarded("-i http://127.0.0.1:4000/token out.mp4");
        assert!(line.contains("-protocol_whitelist http,tcp "), "{line}");
        assert!(line.contains("-i http://127.0.0.1:4000/token"), "{line}");
        let relay = SourceRef::Relay("http://127.0.0.1:4000/token".to_owned());
        assert_eq!(relay.needs(), (Vec::new(), Some(4000)));
    }

    #[test]
    fn names_cannot_become_protocols_or_options() {
        assert!(guarded("-i -odd.mp4 out.mp4").contains("-i file:-odd.mp4"));
        let colon = SourceRef::File(PathBuf::from("/data/concat:x.mp4"));
        assert_eq!(colon.operand(), "file:/data/concat:x.mp4");
        assert_eq!(output_operand(Path::new("-o.mp4")), "file:-o.mp4");
    }

    #[test]
    fn what_follows_names_in_files_is_never_opened() {
        for format in ["hls", "dash", "concat", "concatf", "imf", "sdp", "rtsp", "tty"] {
            assert!(!DEMUXERS.split(',').any(|name| name == format), "{format}");
            assert!(refused(&format!("-f {format} -i list out.mp4")), "{format}");
        }
        assert!(DEMUXERS.split(',').all(|name| !name.is_empty() && !name.contains(char::is_whitespace)));
    }

    #[test]
    fn other_machines_and_protocols_are_refused() {
        for input in
            ["http://10.0.0.1/a", "http://127.0.0.1/a", "http://localhost:80/a", "tcp://h:1", "data:,x"]
        {
            assert!(refused(&format!("-i {input} out.mp4")), "{input}");
        }
        assert!(
            refused("-i")
                && refused("-f")
                && refused("-max_pixels 9 -i a out.mp4")
                && refused("-max_alloc 9 out.mp4")
        );
    }
}
