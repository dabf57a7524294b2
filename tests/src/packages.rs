//! Packages of two renditions and a sound, clear or encrypted, made of the same parts that the service is made of: what
//! players and tools are tried on.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mps_backends::guard::{Guard, Policy, Timeouts};
use mps_backends::keys::{Client, Patience};
use mps_core::{Error, Result, Secret};
use mps_ffmpeg::{LauncherSpec, Limits, Run, Tool, ToolPaths, Tools};
use mps_media::drm::tracks::{Kind, Track, key_of_each};
use mps_media::drm::{Drm, Iv, Key, KeySet, Package, SimpleAes, Speke, from_wire, hls, mpd, packager};
use mps_work::encrypt;
use serde::Deserialize;
use serde_json::Value;

/// Pictures a second, and seconds, of every package.
pub const RATE: u32 = 25;
/// See [`RATE`].
pub const SECONDS: u32 = 6;

/// What is to be made.
#[derive(Debug, Clone, Deserialize)]
pub struct Wish {
    /// Where; made if it is not there.
    pub folder: PathBuf,
    /// `HLS` or `MPEG-DASH`.
    pub format: String,
    /// `SegmentType` of the API.
    pub segment_type: String,
    /// `DrmInfo` of the API; without it the package is clear.
    pub drm: Option<Value>,
    /// The launcher of sandboxed tools: the service's own binary.
    pub binary: PathBuf,
    /// ffmpeg, ffprobe and packager.
    pub tools: [PathBuf; 3],
}

/// What was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// The tracks: two of pictures, one of sound.
    pub tracks: Vec<Track>,
    /// The keys in the order that [`mps_media::drm::tracks::wanted`] gives; none of a clear package.
    pub keys: Option<KeySet>,
    /// The place in `keys` of each track's.
    pub key_of_each: Vec<usize>,
}

/// The name of the file that a player opens.
pub const MASTER: &str = "master.m3u8";
/// The same of DASH.
pub const MANIFEST: &str = "manifest.mpd";

impl Wish {
    fn is_dash(&self) -> bool {
        self.format == "MPEG-DASH"
    }

    fn is_single_file(&self) -> bool {
        self.is_dash() || self.segment_type.ends_with("byterange")
    }

    fn extension(&self) -> &'static str {
        match (self.segment_type.starts_with("ts"), self.is_single_file()) {
            (true, _) => "ts",
            (false, true) => "mp4",
            (false, false) => "m4s",
        }
    }

    fn drm(&self) -> Result<Option<Drm>> {
        let Some(info) = &self.drm else { return Ok(None) };
        let package =
            Package { format: &self.format, segment_type: &self.segment_type, codecs: &["h264", "aac"] };
        let told = |error: mps_wire::ApiError| Error::invalid(format!("{}: {}", error.code, error.message));
        from_wire("item", info, package).map(Some).map_err(told)
    }
}

/// Makes the package.
pub async fn make(wish: &Wish) -> Result<Made> {
    let tools = tools(wish)?;
    std::fs::create_dir_all(&wish.folder).map_err(disk)?;
    let tracks = tracks();
    let drm = wish.drm()?;
    let keys = match &drm {
        Some(Drm::Speke(speke)) => Some(ask(speke, &tracks).await?),
        _ => None,
    };
    let flags = match (&drm, &keys) {
        (Some(Drm::Speke(speke)), Some(keys)) => Some(packager::flags(speke, &tracks, keys)?),
        _ => None,
    };
    sources(&tools, &wish.folder).await?;
    package(&tools, wish, &tracks, flags).await?;
    let key_of_each = match &drm {
        Some(Drm::Speke(speke)) => key_of_each(speke, &tracks),
        _ => Vec::new(),
    };
    match (&drm, &keys) {
        (Some(Drm::Speke(speke)), Some(keys)) => sign(wish, speke, &tracks, keys, &key_of_each)?,
        (Some(Drm::SimpleAes(aes)), _) => encrypt_segments(wish, aes, &tracks)?,
        _ => {}
    }
    Ok(Made { tracks, keys, key_of_each })
}

fn tracks() -> Vec<Track> {
    let track = |label: &str, stream, kind, height| Track { label: label.to_owned(), stream, kind, height };
    vec![
        track("video-1", Some(0), Kind::Video, 360),
        track("video-2", Some(1), Kind::Video, 180),
        track("audio", None, Kind::Audio, 0),
    ]
}

fn tools(wish: &Wish) -> Result<Tools> {
    let [ffmpeg, ffprobe, packager] = wish.tools.clone().map(Some);
    let launcher = LauncherSpec { program: wish.binary.clone(), args: vec![OsString::from("__exec")] };
    Tools::discover(&ToolPaths { ffmpeg, ffprobe, packager, ..ToolPaths::new(launcher) })
}

async fn ask(speke: &Speke, tracks: &[Track]) -> Result<KeySet> {
    let guard = Guard::new(Policy::parse(["127.0.0.0/8"])?, Timeouts::default())?;
    encrypt::keys(&Client::new(guard, Patience::default()), speke, tracks).await
}

/// The renditions, as an encoder leaves them to the packager.
async fn sources(tools: &Tools, folder: &Path) -> Result<()> {
    let picture = |size: &str| format!("testsrc2=s={size}:r={RATE}:d={SECONDS}");
    let encode = "-c:v libx264 -preset ultrafast -g 50 -sc_threshold 0 -pix_fmt yuv420p";
    for (name, input, codec) in [
        ("video-1", picture("640x360"), encode),
        ("video-2", picture("320x180"), encode),
        ("audio", format!("sine=f=440:r=48000:d={SECONDS}"), "-c:a aac -b:a 96k -ac 2"),
    ] {
        let line = format!("-f lavfi -i {input} {codec} {name}.source.mp4");
        run(tools, Tool::Ffmpeg, line.split_whitespace().map(OsString::from).collect(), folder, None).await?;
    }
    Ok(())
}

async fn package(tools: &Tools, wish: &Wish, tracks: &[Track], flags: Option<Secret>) -> Result<()> {
    let mut args: Vec<OsString> = Vec::new();
    for Track { label, kind, .. } in tracks {
        let (kind, group) = match kind {
            Kind::Video => ("video", ""),
            Kind::Audio => ("audio", ",hls_group_id=audio"),
        };
        let (extension, is_ts) = (wish.extension(), wish.extension() == "ts");
        let output = match (wish.is_single_file(), is_ts) {
            (true, _) => format!("output={label}.{extension}"),
            (false, true) => format!("segment_template={label}_$Number$.ts"),
            (false, false) => {
                format!("init_segment={label}_init.mp4,segment_template={label}_$Number$.{extension}")
            }
        };
        let words = format!(
            "in={label}.source.mp4,stream={kind},{output},playlist_name={label}.m3u8{group},drm_label={label}"
        );
        args.push(words.into());
    }
    let list = if wish.is_dash() {
        format!("--mpd_output={MANIFEST}")
    } else {
        format!("--hls_master_playlist_output={MASTER}")
    };
    args.extend([list, "--segment_duration=2".to_owned(), "--temp_dir=.tmp".to_owned()].map(OsString::from));
    args.extend(flags.is_some().then(|| OsString::from(packager::FLAG_FILE)));
    run(tools, Tool::Packager, args, &wish.folder, flags).await
}

async fn run(
    tools: &Tools,
    tool: Tool,
    args: Vec<OsString>,
    dir: &Path,
    stdin: Option<Secret>,
) -> Result<()> {
    let limits = Limits { wall: Duration::from_mins(1), memory_bytes: 4 << 30, ..Limits::default() };
    mps_ffmpeg::run(tools, Run { stdin, limits, ..Run::new(tool, args, dir) }).await.map(|_| ())
}

/// Brings what players are told in line with the key server's answer.
fn sign(wish: &Wish, speke: &Speke, tracks: &[Track], keys: &KeySet, key_of_each: &[usize]) -> Result<()> {
    for (track, place) in tracks.iter().zip(key_of_each) {
        let (label, key) = (&track.label, &keys.0[*place]);
        let head = if wish.is_single_file() { format!("{label}.mp4") } else { format!("{label}_init.mp4") };
        encrypt::keep_own_signals(&wish.folder.join(head), key, keys)?;
        if !wish.is_dash() {
            rewrite(&wish.folder.join(format!("{label}.m3u8")), |text| {
                Ok(hls::sign(text, key, speke.scheme))
            })?;
        }
    }
    if !wish.is_dash() {
        return Ok(());
    }
    rewrite(&wish.folder.join(MANIFEST), |text| mpd::sign(text, keys))
}

/// Encrypts the segments of a clear package.
fn encrypt_segments(wish: &Wish, aes: &SimpleAes, tracks: &[Track]) -> Result<()> {
    let key = Key::parse(aes.key.reveal())?;
    for Track { label, .. } in tracks {
        let segment = |number: u64| wish.folder.join(format!("{label}_{number}.{}", wish.extension()));
        for (sequence, path) in (1..).map(segment).take_while(|path| path.exists()).enumerate() {
            let (clear, iv) =
                (path.with_extension("clear"), aes.iv.unwrap_or_else(|| Iv::of_segment(sequence as u64)));
            std::fs::rename(&path, &clear).map_err(disk)?;
            encrypt::segment(&clear, None, &path, &key, &iv)?;
            std::fs::remove_file(&clear).map_err(disk)?;
        }
        rewrite(&wish.folder.join(format!("{label}.m3u8")), |text| Ok(hls::sign_simple(text, aes)))?;
    }
    Ok(())
}

fn rewrite(path: &Path, change: impl Fn(&str) -> Result<String>) -> Result<()> {
    let text = std::fs::read_to_string(path).map_err(disk)?;
    std::fs::write(path, change(&text)?).map_err(disk)
}

fn disk(error: std::io::Error) -> Error {
    Error::internal("cannot write a package").because(error)
}
