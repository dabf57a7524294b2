//! What packaging costs on top of Shaka Packager, which does it: finished renditions become an HLS of MPEG-4, clear and
//! with cbcs, through the service and by the identical command line run bare.
//!
//! The service packages what it has coded, so each pass codes first; only what comes after that is measured. The bare
//! packager works on renditions that the service's own encoder has made.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::overhead::{BUCKET, CONFIG, Receiver, bare, children_s, make_source, median, tool, upload};
use crate::server::{Server, mps};
use crate::verdict::{at_least, at_most};

const SECONDS: u32 = 120;
const PASSES: usize = 3;
/// Runs of the bare packager after each pass; it is quick.
const BARE: usize = 3;
/// Two sizes and one sound.
const RENDITIONS: f64 = 3.0;

/// `mps keyserver`, ended with this value.
struct Keyserver {
    child: Child,
    url: String,
}

impl Keyserver {
    fn start(folder: &Path) -> Result<Self> {
        let mut child = Command::new(mps()?)
            .args(["keyserver", "--listen", "127.0.0.1:0", "--seed-file"])
            .arg(folder.join("seed"))
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the key server")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("its output")?).read_line(&mut line)?;
        Ok(Self { child, url: line.trim().to_owned() })
    }
}

impl Drop for Keyserver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Seconds of CPU of one packaging.
struct Cost {
    packager_s: f64,
    /// The server itself, from the packager's start to the end of the task: playlists, digests, storing.
    around_s: f64,
}

pub(crate) async fn run() -> Result<bool> {
    let folder = tempfile::tempdir()?;
    let (receiver, keys) = (Receiver::start().await?, Keyserver::start(folder.path())?);
    let hosts = [receiver.host()?, keys.url.trim_start_matches("http://").to_owned()];
    let config = format!("{CONFIG}\n[network]\nallow_private = {}", json!(hosts));
    let server = Server::start(&folder.path().join("data"), &config).await?;
    upload(&server, &make_source(folder.path(), "long.mp4", "640x360", SECONDS)?, "long.mp4").await?;
    let template = template(&server).await?;

    let mut holds = true;
    for (kind, drm) in [("clear", Value::Null), ("cbcs", drm(&keys.url))] {
        let (mut packager, mut whole, mut alone) = (Vec::new(), Vec::new(), Vec::new());
        let dir = folder.path().join(kind);
        for nth in 0..PASSES {
            let (cost, [encoder, argv]) =
                pass(&server, &receiver, template, &drm, &format!("{kind}-{nth}")).await?;
            if nth == 0 {
                bare(&encoder, &dir)?;
            }
            // In turn, as the machine may be faster or slower by then.
            for _ in 0..BARE {
                alone.push(packaged(&argv, &dir)?);
            }
            println!(
                "{kind}: the packager {:.3} s of CPU, the server around it {:.3} s; bare {:.3} s",
                cost.packager_s,
                cost.around_s,
                alone[alone.len() - 1]
            );
            packager.push(cost.packager_s);
            whole.push(cost.packager_s + cost.around_s);
        }
        let (alone, packager, whole) = (median(&mut alone), median(&mut packager), median(&mut whole));
        let speed = |cpu_s: f64| f64::from(SECONDS) * RENDITIONS / cpu_s;
        println!(
            "{kind}: bare {:.0} rendition-seconds a CPU second, in the service {:.0}, with what the server does around it {:.0}",
            speed(alone),
            speed(packager),
            speed(whole)
        );
        let over = (packager / alone - 1.0) * 100.0;
        holds &= at_most(&format!("overhead over the bare packager, {kind}"), over, 5.0, "% of CPU");
        // The bare packager leaves files; the server has put them into a bucket, with a digest of each.
        holds &=
            at_least(&format!("packaging, {kind}"), speed(whole) / speed(alone), 0.8, "of the bare packager");
    }
    Ok(holds)
}

async fn template(server: &Server) -> Result<i64> {
    let rung = |height: u32, kbps: u32| {
        json!({
            "Video": {"Codec": "h264", "Fps": 25, "Bitrate": kbps, "Height": height},
            "Audio": {"Codec": "aac", "Bitrate": 96, "SampleRate": 48000, "AudioChannel": 2},
        })
    };
    let body = json!({"Format": "HLS", "SegmentType": "mp4-mp4-byterange", "StreamInfos": [rung(360, 5000), rung(180, 2500)]});
    let created = server.call("CreateAdaptiveDynamicStreamingTemplate", &body).await?;
    created["Definition"].as_i64().context("a number")
}

fn drm(keyserver: &str) -> Value {
    json!({"Type": "widevine", "SpekeDrm": {
        "ResourceId": "bench", "KeyServerUrl": format!("{keyserver}/speke"),
        "Vector": "0123456789abcdef0123456789abcdef", "EncryptionMethod": "cbcs", "EncryptionPreset": "preset0",
    }})
}

/// One ladder through the service; also the words of its encoder and of its packager.
async fn pass(
    server: &Server,
    receiver: &Receiver,
    template: i64,
    drm: &Value,
    name: &str,
) -> Result<(Cost, [Vec<String>; 2])> {
    let place = json!({"Bucket": BUCKET, "Region": "ap-guangzhou"});
    let mut item = json!({"Definition": template, "OutputObjectPath": format!("{name}.{{format}}")});
    if !drm.is_null() {
        item["DrmInfo"] = drm.clone();
    }
    let request = json!({
        "InputInfo": {"Type": "COS", "CosInputInfo": {"Bucket": BUCKET, "Region": "ap-guangzhou", "Object": "long.mp4"}},
        "OutputStorage": {"Type": "COS", "CosOutputStorage": place},
        "OutputDir": "/packaging/",
        "MediaProcessTask": {"AdaptiveDynamicStreamingTaskSet": [item]},
        "TaskNotifyConfig": {"NotifyType": "URL", "NotifyUrl": receiver.url, "NotifyMode": "Finish"},
    });
    let before = server.started("packager")?.len();
    let answer = server.call("ProcessMedia", &request).await?;
    let id = answer["TaskId"].as_str().context("no TaskId")?.to_owned();
    let told = receiver.told();
    tokio::pin!(told);
    let begun_s = loop {
        if server.started("packager")?.len() > before {
            break server.own_cpu_seconds()?;
        }
        let pause = tokio::time::sleep(Duration::from_millis(10));
        tokio::select! {
            ended = &mut told => {
                ended?;
                let detail = server.call("DescribeTaskDetail", &json!({"TaskId": id})).await?;
                bail!("the task ended without packaging: {detail}");
            }
            () = pause => {}
        }
    };
    told.await?;
    let around_s = server.own_cpu_seconds()? - begun_s;
    let packager_s = server.last_run_cpu_s()?;
    let encoder =
        server.started("ffmpeg")?.into_iter().rfind(|run| run.argv.iter().any(|word| word == "-c:v"));
    let packager = server.started("packager")?.pop();
    let argv = [encoder.context("no encoder")?.argv, packager.context("no packager")?.argv];
    Ok((Cost { packager_s, around_s }, argv))
}

/// Seconds of CPU of the same packaging without the service.
fn packaged(argv: &[String], dir: &Path) -> Result<f64> {
    let before_s = children_s()?;
    let mut child = Command::new(tool("packager"))
        .args(argv)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start the packager; use make bench, or name it in MPS_PACKAGER")?;
    let mut stdin = child.stdin.take().context("its input")?;
    stdin.write_all(flags(argv).as_bytes())?;
    drop(stdin);
    let status = child.wait()?;
    if !status.success() {
        bail!("the bare packager failed: {status}");
    }
    Ok(children_s()? - before_s)
}

/// Keys for the tracks that the words name; none where they name none.
fn flags(argv: &[String]) -> String {
    let labels =
        argv.iter().filter_map(|word| word.split(',').find_map(|field| field.strip_prefix("drm_label=")));
    let key = "00112233445566778899aabbccddeeff";
    let keys: Vec<String> =
        labels.map(|label| format!("label={label}:key_id={key}:key={key}:iv={key}")).collect();
    format!(
        "--enable_raw_key_encryption\n--protection_scheme=cbcs\n--clear_lead=0\n--keys={}\n--protection_systems=Widevine\n",
        keys.join(",")
    )
}
