//! What the service costs on top of ffmpeg: one rendition of 60 s of 1080p through the service, against the identical
//! command line run bare; and how soon after the call the encoder runs on an idle server.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mps::client::{KeyPair, Server as Client};
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::server::{Server, Started};
use crate::verdict::{at_most, ms, percentile};

const SECONDS: u32 = 60;
const PAIRS: usize = 5;
const STARTS: usize = 100;
const IDLE: Duration = Duration::from_millis(100);
pub(super) const BUCKET: &str = "input-1250000000";
pub(super) const CONFIG: &str = "[log]\nlevel = \"info,mps_ffmpeg=debug,mps_work=debug\"\nformat = \"json\"";

/// Who is told of the end of a task; asking again and again would cost what is to be measured.
pub(super) struct Receiver {
    listener: TcpListener,
    /// Its address.
    pub(super) url: String,
}

impl Receiver {
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/", listener.local_addr()?);
        Ok(Self { listener, url })
    }

    /// Its host and port.
    pub(super) fn host(&self) -> Result<String> {
        Ok(self.listener.local_addr()?.to_string())
    }

    /// Waits for the callback.
    pub(super) async fn told(&self) -> Result<()> {
        let (mut stream, _) = self.listener.accept().await?;
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            if stream.read_buf(&mut request).await? == 0 {
                bail!("the callback broke off");
            }
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await?;
        Ok(())
    }
}

pub(crate) async fn run() -> Result<bool> {
    let folder = tempfile::tempdir()?;
    let receiver = Receiver::start().await?;
    let host = receiver.host()?;
    let config = format!("{CONFIG}\n[network]\nallow_private = [\"{host}\"]");
    let server = Server::start(&folder.path().join("data"), &config).await?;
    let long = make_source(folder.path(), "long.mp4", "1920x1080", SECONDS)?;
    let short = make_source(folder.path(), "short.mp4", "320x180", 1)?;
    upload(&server, &long, "long.mp4").await?;

    let Starts { mut new, mut known, mut looks } = starts(&server, &short).await?;
    let p99 = percentile(&mut new, 0.99);
    for (what, times) in [
        ("submit to encoder started, a new source each time", &mut new),
        ("the same, a source that was looked into before", &mut known),
        ("a bare look into the same source, in turn", &mut looks),
    ] {
        let (p50, p99) = (percentile(times, 0.5), percentile(times, 0.99));
        println!("{what}: p50 {:.1} ms, p99 {:.1} ms of {STARTS}", ms(p50), ms(p99));
    }

    let (mut cpu, mut around, mut slower, mut argv) = (Vec::new(), Vec::new(), Vec::new(), None);
    for nth in 0..PAIRS {
        // In turn first and second, as the machine may be faster or slower by then.
        let bare_dir = folder.path().join(format!("bare-{nth}"));
        let (service, bare) = if let Some(argv) = argv.as_deref().filter(|_| nth % 2 == 1) {
            let bare = bare(argv, &bare_dir)?;
            (through_service(&server, &receiver, nth).await?.0, bare)
        } else {
            let (service, used) = through_service(&server, &receiver, nth).await?;
            let bare = bare(&used, &bare_dir)?;
            argv = Some(used);
            (service, bare)
        };
        println!(
            "service {:.2} s of CPU, {:.2} s, its encoder {:.2} s; bare {:.2} s of CPU, {:.2} s",
            service.cpu_s, service.wall_s, service.encoder_s, bare.cpu_s, bare.wall_s
        );
        cpu.push((service.cpu_s / bare.cpu_s - 1.0) * 100.0);
        // Two runs of the same encoder differ by more than the service takes: its own time is what lies around one.
        around.push((service.wall_s - service.encoder_s) * 1000.0);
        slower.push((service.encoder_s / bare.wall_s - 1.0) * 100.0);
    }
    let mut holds = at_most("submit to encoder started, p99", ms(p99), 20.0, "ms");
    println!("the encoder in the service against the bare one: {:+.1} % of wall time", median(&mut slower));
    holds &= at_most("overhead of wall time", median(&mut around), 100.0, "ms around the encoder");
    Ok(at_most("overhead", median(&mut cpu), 3.0, "% of CPU") && holds)
}

#[expect(clippy::struct_field_names, reason = "the names tell the unit")]
pub(super) struct Cost {
    cpu_s: f64,
    wall_s: f64,
    /// What of the wall time the encoder took.
    encoder_s: f64,
}

pub(super) fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn bare_look(source: &Path) -> Result<Duration> {
    let began = Instant::now();
    let look = Command::new(tool("ffprobe"))
        .args(["-v", "error", "-print_format", "json", "-show_format", "-show_streams"])
        .arg(source)
        .output()
        .context("cannot start ffprobe")?;
    let took = began.elapsed();
    if !look.status.success() {
        bail!("the bare look failed: {}", look.status);
    }
    Ok(took)
}

/// The program the environment names, or that of the search path.
pub(super) fn tool(name: &str) -> PathBuf {
    let named = std::env::var_os(format!("MPS_{}", name.to_uppercase()));
    named.map_or_else(|| PathBuf::from(name), PathBuf::from)
}

pub(super) fn make_source(folder: &Path, name: &str, size: &str, seconds: u32) -> Result<PathBuf> {
    let path = folder.join(name);
    let status = Command::new(tool("ffmpeg"))
        .args(["-v", "error", "-y", "-f", "lavfi", "-i"])
        .arg(format!("testsrc2=s={size}:r=25:d={seconds},noise=alls=12:allf=t"))
        .args(["-f", "lavfi", "-i", &format!("sine=f=440:d={seconds}")])
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-b:v", "8M", "-pix_fmt", "yuv420p", "-c:a", "aac"])
        .arg(&path)
        .status()
        .context("cannot start ffmpeg; use make bench, or name it in MPS_FFMPEG")?;
    if !status.success() {
        bail!("cannot make the source: {status}");
    }
    Ok(path)
}

pub(super) async fn upload(server: &Server, source: &Path, name: &str) -> Result<()> {
    let (id, secret) = server.key();
    let key = KeyPair { id: id.to_owned(), secret: secret.to_owned() };
    let client = Client::new(
        format!("http://{}", server.api).parse()?,
        server.buckets.parse()?,
        key,
        "ap-guangzhou".to_owned(),
    )?;
    client.put_file(BUCKET, name, source, |_| {}).await?;
    Ok(())
}

fn task(object: &str, output: &str) -> Value {
    let storage = json!({"Bucket": BUCKET, "Region": "ap-guangzhou"});
    json!({
        "InputInfo": {"Type": "COS", "CosInputInfo": {
            "Bucket": BUCKET, "Region": "ap-guangzhou", "Object": object}},
        "OutputStorage": {"Type": "COS", "CosOutputStorage": storage},
        "OutputDir": "/bench/",
        "MediaProcessTask": {"TranscodeTaskSet": [{"Definition": 100_030, "OutputObjectPath": output}]},
    })
}

async fn finish(server: &Server, id: &str, every: Duration) -> Result<()> {
    loop {
        let detail = server.call("DescribeTaskDetail", &json!({"TaskId": id})).await?;
        if detail["Status"] == "FINISH" {
            let result = &detail["WorkflowTask"]["MediaProcessResultSet"][0]["TranscodeTask"];
            if result["Status"] != "SUCCESS" {
                bail!("the task failed: {}", result["Message"]);
            }
            return Ok(());
        }
        tokio::time::sleep(every).await;
    }
}

#[derive(Default)]
struct Starts {
    /// From before each call to the moment its encoder was started, of sources never seen before.
    new: Vec<Duration>,
    /// The same, of these sources once more.
    known: Vec<Duration>,
    /// How long a bare ffprobe takes for the same source, which the start of a new one cannot do without.
    looks: Vec<Duration>,
}

async fn starts(server: &Server, source: &Path) -> Result<Starts> {
    let mut starts = Starts::default();
    // The first one reads the programs from the disk.
    for nth in 0..=STARTS {
        let name = format!("short-{nth}.mp4");
        upload(server, source, &name).await?;
        tokio::time::sleep(IDLE).await;
        let new = start(server, &name, &format!("new-{nth}.{{format}}")).await?;
        let known = start(server, &name, &format!("known-{nth}.{{format}}")).await?;
        let look = bare_look(source)?;
        if nth > 0 {
            starts.new.push(new);
            starts.known.push(known);
            starts.looks.push(look);
        }
        tokio::time::sleep(IDLE).await;
    }
    Ok(starts)
}

/// From before the call to the moment its encoder was started, as the server's own log tells it.
async fn start(server: &Server, object: &str, output: &str) -> Result<Duration> {
    let before = std::time::SystemTime::now();
    let answer = server.call("ProcessMedia", &task(object, output)).await?;
    let id = answer["TaskId"].as_str().context("no TaskId")?.to_owned();
    finish(server, &id, Duration::from_millis(20)).await?;
    // The server is idle once it has cleaned up and has launchers waiting again.
    tokio::time::sleep(IDLE).await;
    let started = server.encoder_starts()?;
    let Some(Started { at, .. }) = started.last() else { bail!("the log tells of no encoder") };
    Ok(at.duration_since(before).unwrap_or_default())
}

async fn through_service(server: &Server, receiver: &Receiver, nth: usize) -> Result<(Cost, Vec<String>)> {
    let mut task = task("long.mp4", &format!("long-{nth}.{{format}}"));
    task["TaskNotifyConfig"] =
        json!({"NotifyType": "URL", "NotifyUrl": receiver.url, "NotifyMode": "Finish"});
    let cpu = server.cpu_seconds()?;
    let begun = Instant::now();
    let answer = server.call("ProcessMedia", &task).await?;
    let id = answer["TaskId"].as_str().context("no TaskId")?.to_owned();
    receiver.told().await?;
    let wall_s = begun.elapsed().as_secs_f64();
    let cpu_s = server.cpu_seconds()? - cpu;
    finish(server, &id, Duration::from_millis(25)).await?;
    let started = server.encoder_starts()?.pop().context("the log tells of no encoder")?;
    let encoder_s = server.last_run_s()?;
    Ok((Cost { cpu_s, wall_s, encoder_s }, started.argv))
}

/// The same command line without the service: no sandbox, no probe, no store.
pub(super) fn bare(argv: &[String], dir: &Path) -> Result<Cost> {
    std::fs::create_dir_all(dir)?;
    let (cpu, begun) = (children_s()?, Instant::now());
    let status = Command::new(tool("ffmpeg"))
        .args(argv)
        .current_dir(dir)
        .stdout(Stdio::null())
        .stdin(Stdio::null())
        .status()?;
    if !status.success() {
        bail!("the bare command failed: {status}");
    }
    let wall_s = begun.elapsed().as_secs_f64();
    Ok(Cost { cpu_s: children_s()? - cpu, wall_s, encoder_s: wall_s })
}

/// Processor seconds of the children of this process that have ended.
pub(super) fn children_s() -> Result<f64> {
    let used = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let s = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 / 1e6;
    Ok(s(used.user_time()) + s(used.system_time()))
}
