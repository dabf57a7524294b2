//! The server under measurement: the release binary on a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};
use mps_wire::auth::tc3;
use serde_json::Value;

/// A running server; dropping it stops it.
pub(crate) struct Server {
    child: Child,
    /// `host:port` of the API.
    pub(crate) api: String,
    /// Address of the buckets.
    pub(crate) buckets: String,
    /// The data folder.
    pub(crate) data: PathBuf,
    /// Its standard error.
    pub(crate) log: PathBuf,
    /// From the start to being ready.
    pub(crate) ready_after: Duration,
    id: String,
    secret: String,
}

/// The program beside this one.
pub(crate) fn mps() -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("mps");
    if !path.exists() {
        bail!("build first: {} is missing", path.display());
    }
    Ok(path)
}

impl Server {
    /// Starts one on `data` with these further lines of configuration.
    pub(crate) async fn start(data: &Path, config: &str) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        let file = data.join("bench.toml");
        let data_line = format!("data = \"{}\"", data.display());
        let listen = "listen = \"127.0.0.1:0\"";
        let text = format!("{listen}\n{data_line}\n{config}\n[buckets]\n{listen}\n");
        std::fs::write(&file, text)?;
        let log = data.join("bench.log");
        let _ = std::fs::remove_file(data.join("run/endpoint.json"));
        let began = Instant::now();
        let child = Command::new(mps()?)
            .args(["serve", "--config"])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log)?)
            .spawn()
            .context("cannot start the server")?;
        let mut server = Self {
            child,
            api: String::new(),
            buckets: String::new(),
            data: data.to_owned(),
            log,
            ready_after: Duration::ZERO,
            id: String::new(),
            secret: String::new(),
        };
        server.api = server.wait_for_address().await?;
        server.wait_until_ready().await?;
        server.ready_after = began.elapsed();
        server.take_key(&file)?;
        Ok(server)
    }

    async fn wait_for_address(&mut self) -> Result<String> {
        let path = self.data.join("run/endpoint.json");
        for _ in 0..20_000 {
            if let Ok(text) = std::fs::read(&path)
                && let Ok(endpoint) = serde_json::from_slice::<Value>(&text)
                && endpoint["pid"] == self.child.id()
            {
                endpoint["buckets"].as_str().unwrap_or_default().clone_into(&mut self.buckets);
                let api = endpoint["api"].as_str().unwrap_or_default();
                return Ok(api.trim_start_matches("http://").trim_end_matches('/').to_owned());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}: {}", std::fs::read_to_string(&self.log)?);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        bail!("the server does not start")
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        for _ in 0..20_000 {
            if get(&self.api, "/readyz").await.is_ok_and(|text| text.starts_with("HTTP/1.1 200")) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        bail!("the server does not get ready: {}", std::fs::read_to_string(&self.log)?)
    }

    fn take_key(&mut self, config: &Path) -> Result<()> {
        let said =
            Command::new(mps()?).args(["keys", "create", "--json", "--config"]).arg(config).output()?;
        let key: Value = serde_json::from_slice(&said.stdout).context("keys create")?;
        key["SecretId"].as_str().unwrap_or_default().clone_into(&mut self.id);
        key["SecretKey"].as_str().unwrap_or_default().clone_into(&mut self.secret);
        Ok(())
    }

    /// A whole signed HTTP request, good for five minutes.
    pub(crate) fn request(&self, action: &str, body: &Value) -> Vec<u8> {
        let body = body.to_string();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let timestamp_s = now.as_secs() as i64;
        let request = tc3::Request {
            method: "POST",
            host: &self.api,
            content_type: "application/json",
            query: "",
            body: body.as_bytes(),
            timestamp_s,
        };
        // The clock of the machine is never out of the calendar.
        let signed = tc3::sign(&request, &self.id, &self.secret).unwrap_or_default();
        format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nX-TC-Action: {action}\r\n\
             X-TC-Version: 2019-06-12\r\nX-TC-Timestamp: {timestamp_s}\r\nX-TC-Region: ap-guangzhou\r\n\
             Authorization: {signed}\r\nContent-Length: {}\r\n\r\n{body}",
            self.api,
            body.len()
        )
        .into_bytes()
    }

    /// One call; its `Response`.
    pub(crate) async fn call(&self, action: &str, body: &Value) -> Result<Value> {
        let text = exchange(&self.api, &self.request(action, body)).await?;
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        let mut answer: Value = serde_json::from_str(body).with_context(|| text.clone())?;
        let response = answer["Response"].take();
        if !response["Error"].is_null() {
            bail!("{action}: {}", response["Error"]);
        }
        Ok(response)
    }

    /// The key pair.
    pub(crate) fn key(&self) -> (&str, &str) {
        (&self.id, &self.secret)
    }

    /// The encoders started so far, as the log tells (level `mps_ffmpeg=debug`, format `json`).
    pub(crate) fn encoder_starts(&self) -> Result<Vec<Started>> {
        self.started("ffmpeg")
    }

    /// The runs of a tool that were started so far, as the log tells.
    pub(crate) fn started(&self, tool: &str) -> Result<Vec<Started>> {
        let (log, tool) = (std::fs::read_to_string(&self.log)?, format!("\"{tool}\""));
        let lines = log.lines().filter(|line| line.contains("\"tool started\"") && line.contains(&tool));
        lines
            .map(|line| {
                let line: Value = serde_json::from_str(line)?;
                let at: jiff::Timestamp = line["timestamp"].as_str().unwrap_or_default().parse()?;
                let argv = serde_json::from_str(line["argv"].as_str().unwrap_or_default())?;
                Ok(Started { at: at.into(), argv })
            })
            .collect()
    }

    /// How long the last encoder ran, in seconds, as the log tells (level `mps_work=debug`, format `json`).
    pub(crate) fn last_run_s(&self) -> Result<f64> {
        self.last_run("wall_ms")
    }

    /// How many seconds of CPU the last tool took, as the log tells.
    pub(crate) fn last_run_cpu_s(&self) -> Result<f64> {
        self.last_run("cpu_ms")
    }

    fn last_run(&self, figure: &str) -> Result<f64> {
        let log = std::fs::read_to_string(&self.log)?;
        let line = log.lines().rfind(|line| line.contains("\"run ended\"")).context("no run has ended")?;
        let line: Value = serde_json::from_str(line)?;
        Ok(line[figure].as_f64().context("a run without a time")? / 1000.0)
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in MiB.
    pub(crate) fn resident_mib(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
        let kib: f64 = line.split_whitespace().nth(1).unwrap_or_default().parse()?;
        Ok(kib / 1024.0)
    }

    /// Processor seconds of the server and of its children that have ended.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        self.ticks(11..15)
    }

    /// Processor seconds of the server alone.
    pub(crate) fn own_cpu_seconds(&self) -> Result<f64> {
        self.ticks(11..13)
    }

    fn ticks(&self, fields_of: std::ops::Range<usize>) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: f64 = fields[fields_of].iter().map(|text| text.parse::<f64>().unwrap_or_default()).sum();
        Ok(ticks / 100.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.child.id() as i32);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        for _ in 0..100 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn get(at: &str, path: &str) -> Result<String> {
    exchange(at, format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n").as_bytes()).await
}

async fn exchange(at: &str, request: &[u8]) -> Result<String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(at).await?;
    stream.write_all(request).await?;
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_ascii_lowercase()
                .split("content-length:")
                .nth(1)
                .and_then(|rest| rest.split("\r\n").next().map(str::trim).map(str::to_owned))
                .and_then(|text| text.parse::<usize>().ok());
            if length.is_some_and(|length| body.len() >= length) {
                break;
            }
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// An encoder that was started.
pub(crate) struct Started {
    /// When.
    pub(crate) at: SystemTime,
    /// Its arguments.
    pub(crate) argv: Vec<String>,
}
