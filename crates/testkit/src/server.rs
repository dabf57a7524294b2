//! The real binary as a server of its own: an empty data folder, free ports, a key, signed calls.
//!
//! The binary is taken from the target folder of the running test (`cargo build -p mps` makes it) or from `MPS_BIN`.
//! What the media tools can do is found out once per build of them and then handed from folder to folder, so that a
//! server is ready in half a second.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use mps_core::clock::{Clock as _, SystemClock};
use mps_wire::auth::tc3;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::media_files;

/// The region of all test servers.
pub const REGION: &str = "ap-guangzhou";
/// The account of an empty data folder.
pub const ACCOUNT: i64 = 1_250_000_000;
/// Its bucket for results.
pub const OUTPUT: &str = "output-1250000000";
/// Its bucket for sources.
pub const INPUT: &str = "input-1250000000";

/// How a server is to be started.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    data: Option<PathBuf>,
    variables: Vec<(String, String)>,
    allowed: Vec<String>,
}

impl Setup {
    /// Uses this data folder, which stays when the server ends.
    #[must_use]
    pub fn data(mut self, folder: &Path) -> Self {
        self.data = Some(folder.to_owned());
        self
    }

    /// Sets a key of the configuration by its path: `workers.slots`.
    #[must_use]
    pub fn set(self, path: &str, value: &str) -> Self {
        let name = format!("MPS_{}", path.replace('.', "__").to_uppercase());
        self.variable(&name, value)
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Lets sources and callbacks reach this `host:port` although it is private.
    #[must_use]
    pub fn allow(mut self, host: &str) -> Self {
        self.allowed.push(host.to_owned());
        self
    }

    /// Starts a server and waits until it is ready.
    pub async fn start(&self) -> Server {
        let mut server = self.begin();
        server.settle_in().await;
        server
    }

    /// Starts a server and does not wait for it; it [settles in](Server::settle_in) later, or never.
    pub fn begin(&self) -> Server {
        Server::begin(self.clone())
    }
}

/// The key with which a test signs.
#[derive(Debug, Clone)]
pub struct Key {
    /// The account.
    pub account: i64,
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: String,
}

/// An error of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its code.
    pub code: String,
    /// Its sentence.
    pub message: String,
}

/// A running `mps serve`.
pub struct Server {
    setup: Setup,
    data: PathBuf,
    log: PathBuf,
    child: Child,
    pid: Option<u32>,
    endpoint: Value,
    key: Key,
    pub(crate) http: reqwest::Client,
    _kept: Option<tempfile::TempDir>,
}

impl Server {
    fn begin(setup: Setup) -> Self {
        let (data, kept) = if let Some(data) = &setup.data {
            (data.clone(), None)
        } else {
            let kept = tempfile::tempdir().expect("a folder for the server");
            (kept.path().join("data"), Some(kept))
        };
        let log = data.with_extension("log");
        borrow_capabilities(&data);
        let child = spawn(&setup, &data, &log, "serve");
        Self {
            setup,
            data,
            log,
            pid: child.id(),
            child,
            endpoint: Value::Null,
            key: Key { account: ACCOUNT, id: String::new(), secret: String::new() },
            http: client(),
            _kept: kept,
        }
    }

    /// Waits until a server that was only begun is ready, and makes its first key.
    pub async fn settle_in(&mut self) {
        self.until_ready().await;
        lend_capabilities(&self.data);
        self.key = self.new_key(ACCOUNT).await;
    }

    /// Starts the server anew on the same folder, with other settings if need be; it must have ended.
    pub async fn restart(&mut self, changed: impl FnOnce(Setup) -> Setup) {
        self.setup = changed(self.setup.clone());
        self.spawn_again();
        self.until_ready().await;
    }

    /// As [`restart`](Self::restart), but returns at once; whether it is ever ready is not asked.
    pub fn restart_blindly(&mut self, changed: impl FnOnce(Setup) -> Setup) {
        self.setup = changed(self.setup.clone());
        self.spawn_again();
    }

    fn spawn_again(&mut self) {
        self.child = spawn(&self.setup, &self.data, &self.log, "serve");
        self.pid = self.child.id();
    }

    /// Waits until the server says it is ready; panics with its log if it does not come to that.
    pub async fn until_ready(&mut self) {
        let limit = Instant::now() + Duration::from_mins(1);
        while !self.is_ready().await {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("the server ended with {status} before it was ready:\n{}", self.log_tail());
            }
            assert!(Instant::now() < limit, "the server is not ready:\n{}", self.log_tail());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether the server answers that it is ready.
    pub async fn is_ready(&mut self) -> bool {
        let Ok(text) = std::fs::read(self.data.join("run/endpoint.json")) else { return false };
        let Ok(endpoint) = serde_json::from_slice::<Value>(&text) else { return false };
        if endpoint["pid"].as_u64() != self.child.id().map(u64::from) {
            return false;
        }
        self.endpoint = endpoint;
        let answer =
            self.http.get(format!("{}/readyz", self.api())).timeout(Duration::from_secs(5)).send().await;
        answer.is_ok_and(|answer| answer.status() == 200)
    }

    /// The address of the API, without a slash at the end.
    pub fn api(&self) -> &str {
        self.endpoint["api"].as_str().unwrap_or_default()
    }

    /// `host:port` of the API.
    pub fn host(&self) -> &str {
        self.api().trim_start_matches("http://")
    }

    /// The address of the S3-compatible endpoint, without a slash at the end.
    pub fn buckets(&self) -> &str {
        self.endpoint["buckets"].as_str().unwrap_or_default()
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The key of the first account.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Makes a key by the command line.
    pub async fn new_key(&self, account: i64) -> Key {
        let account_text = account.to_string();
        let told = self.mps(&["keys", "create", "--account", &account_text, "--json"]).await;
        let told: Value = serde_json::from_slice(&told).expect("keys create prints JSON");
        let text = |name: &str| told[name].as_str().expect("a key has both halves").to_owned();
        Key { account, id: text("SecretId"), secret: text("SecretKey") }
    }

    /// Runs a command of `mps` on this server's data folder; gives what it prints, panics if it fails.
    pub async fn mps(&self, words: &[&str]) -> Vec<u8> {
        let mut command = mps();
        command.args(words).arg("--data").arg(&self.data);
        command.envs(self.setup.variables.iter().map(|(name, value)| (name, value)));
        let done = command.output().await.expect("mps starts");
        assert!(done.status.success(), "mps {words:?}: {}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    }

    /// Another process that works on this server's tasks.
    pub fn worker(&self) -> Worker {
        self.worker_with(|setup| setup)
    }

    /// As [`worker`](Self::worker), with other settings than the server's.
    pub fn worker_with(&self, changed: impl FnOnce(Setup) -> Setup) -> Worker {
        let log = self.data.with_extension("worker.log");
        let child = spawn(&changed(self.setup.clone()), &self.data, &log, "worker");
        Worker { pid: child.id(), child, work: self.data.join("work") }
    }

    /// The programs that its process has started and that still run, by their ids; also after its end.
    pub fn programs(&self) -> Vec<String> {
        programs(&self.data.join("work"), self.pid)
    }

    /// Signs and sends a call; gives `Response`, or the API's error.
    pub async fn call(&self, action: &str, params: &Value) -> Result<Value, Refused> {
        self.call_as(&self.key, action, params).await
    }

    /// As [`call`](Self::call) with another key.
    pub async fn call_as(&self, key: &Key, action: &str, params: &Value) -> Result<Value, Refused> {
        match self.try_call(key, action, params).await {
            Ok(answer) => answer,
            Err(error) => panic!("{action}: {error}\n{}", self.log_tail()),
        }
    }

    /// As [`call`](Self::call), for servers that may be gone: the outer error says that nobody answered.
    pub async fn try_call(
        &self,
        key: &Key,
        action: &str,
        params: &Value,
    ) -> Result<Result<Value, Refused>, reqwest::Error> {
        const CONTENT_TYPE: &str = "application/json; charset=utf-8";
        let body = params.to_string();
        let timestamp_s = now_s();
        let request = tc3::Request {
            method: "POST",
            host: self.host(),
            content_type: CONTENT_TYPE,
            query: "",
            body: body.as_bytes(),
            timestamp_s,
        };
        let authorization = tc3::sign(&request, &key.id, &key.secret).expect("today is a day");
        let answer = self
            .http
            .post(self.api())
            .header("Content-Type", CONTENT_TYPE)
            .header("X-TC-Action", action)
            .header("X-TC-Version", "2019-06-12")
            .header("X-TC-Timestamp", timestamp_s.to_string())
            .header("X-TC-Region", REGION)
            .header("Authorization", authorization)
            .timeout(Duration::from_secs(30))
            .body(body)
            .send()
            .await?;
        let text = answer.bytes().await?;
        let mut envelope: Value = serde_json::from_slice(&text)
            .unwrap_or_else(|_| panic!("{action}: no envelope: {}", String::from_utf8_lossy(&text)));
        let response = envelope["Response"].take();
        Ok(match response.get("Error") {
            None => Ok(response),
            Some(error) => Err(Refused {
                code: error["Code"].as_str().unwrap_or_default().to_owned(),
                message: error["Message"].as_str().unwrap_or_default().to_owned(),
            }),
        })
    }

    /// A call that must succeed.
    pub async fn ok(&self, action: &str, params: &Value) -> Value {
        self.call(action, params)
            .await
            .unwrap_or_else(|e| panic!("{action}: {}: {}\n{params:#}", e.code, e.message))
    }

    /// Starts a task; gives its id.
    pub async fn process(&self, params: &Value) -> String {
        let answer = self.ok("ProcessMedia", params).await;
        answer["TaskId"].as_str().expect("a task has an id").to_owned()
    }

    /// What is known of a task.
    pub async fn detail(&self, task: &str) -> Value {
        self.ok("DescribeTaskDetail", &json!({"TaskId": task})).await
    }

    /// Waits until a task has ended.
    pub async fn ended(&self, task: &str, at_most: Duration) -> Value {
        self.until(task, at_most, |detail| detail["Status"] == "FINISH").await
    }

    /// Waits until what is known of a task is as wanted.
    pub async fn until(&self, task: &str, at_most: Duration, wanted: impl Fn(&Value) -> bool) -> Value {
        let limit = Instant::now() + at_most;
        loop {
            let detail = self.detail(task).await;
            if wanted(&detail) {
                return detail;
            }
            assert!(Instant::now() < limit, "{task} after {at_most:?}: {detail:#}\n{}", self.log_tail());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks it to drain.
    pub fn terminate(&self) {
        self.signal(Signal::SIGTERM);
    }

    /// Ends it without any warning, and waits until it is gone.
    pub async fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        let _ = self.child.wait().await;
    }

    /// What ends it without any warning while somebody else talks to it.
    pub fn killer(&self) -> Killer {
        Killer(self.child.id())
    }

    /// Waits for its end.
    pub async fn exit(&mut self, at_most: Duration) -> ExitStatus {
        let ended = tokio::time::timeout(at_most, self.child.wait()).await;
        let Ok(status) = ended else {
            panic!("the server still runs after {at_most:?}:\n{}", self.log_tail());
        };
        status.expect("a child can be waited for")
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.child.id() {
            let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the end of the server's log\n{}", self.log_tail());
        }
    }
}

/// Ends a process without any warning.
#[derive(Debug, Clone, Copy)]
pub struct Killer(Option<u32>);

impl Killer {
    /// Does it. The process must not have been waited for before.
    pub fn kill(self) {
        if let Some(pid) = self.0 {
            let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
        }
    }
}

/// A running `mps worker`.
pub struct Worker {
    child: Child,
    pid: Option<u32>,
    work: PathBuf,
}

impl Worker {
    /// Waits for its end.
    pub async fn exit(&mut self, at_most: Duration) -> ExitStatus {
        let ended = tokio::time::timeout(at_most, self.child.wait()).await;
        ended.unwrap_or_else(|_| panic!("the worker still runs after {at_most:?}")).expect("a child ends")
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// As [`Server::programs`].
    pub fn programs(&self) -> Vec<String> {
        programs(&self.work, self.pid)
    }

    /// Ends it without any warning, and waits until it is gone.
    pub async fn kill(&mut self) {
        let _ = self.child.kill().await;
    }

    /// Asks it to drain and waits for its end.
    pub async fn stop(&mut self, at_most: Duration) -> ExitStatus {
        if let Some(pid) = self.child.id() {
            let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGTERM);
        }
        tokio::time::timeout(at_most, self.child.wait())
            .await
            .expect("a worker drains")
            .expect("a child can be waited for")
    }
}

/// A client without proxies.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("an HTTP client")
}

/// Seconds since 1970.
pub fn now_s() -> i64 {
    SystemClock.now_ms() / 1_000
}

/// The folder for what tests keep between runs: `target/e2e`.
pub fn scratch() -> PathBuf {
    let folder = profile_folder().parent().expect("a profile lies in the target folder").join("e2e");
    std::fs::create_dir_all(&folder).expect("a folder for what tests keep");
    folder
}

fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    test.ancestors().nth(2).expect("tests lie in target/PROFILE/deps").to_owned()
}

/// The program under test.
pub fn binary() -> PathBuf {
    let chosen = media_files::variable("MPS_BIN").map(PathBuf::from);
    chosen.unwrap_or_else(|| profile_folder().join("mps"))
}

#[expect(clippy::disallowed_methods, reason = "this starts the program under test")]
fn mps() -> Command {
    let path = binary();
    assert!(path.is_file(), "there is no {}; run `cargo build -p mps`", path.display());
    let mut command = Command::new(path);
    let ours = std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"MPS_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    for tool in ["ffmpeg", "ffprobe", "packager"] {
        if let Some(path) = media_files::tool(tool) {
            command.env(OsString::from(format!("MPS_{}", tool.to_uppercase())), path);
        }
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn spawn(setup: &Setup, data: &Path, log: &Path, what: &str) -> Child {
    if let Some(parent) = log.parent() {
        std::fs::create_dir_all(parent).expect("a folder for the log");
    }
    let log = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("a log");
    let mut command = mps();
    command.arg(what).arg("--data").arg(data);
    command.env("MPS_LISTEN", "127.0.0.1:0").env("MPS_BUCKETS__LISTEN", "127.0.0.1:0");
    command.env("MPS_NETWORK__ALLOW_PRIVATE", setup.allowed.join(","));
    for (name, value) in &setup.variables {
        command.env(name, value);
    }
    command.stdout(log.try_clone().expect("a log")).stderr(log);
    command.spawn().expect("mps starts")
}

/// Processes in the folders of a process, which are named after its id.
fn programs(work: &Path, pid: Option<u32>) -> Vec<String> {
    let (Ok(work), Some(pid)) = (work.canonicalize(), pid) else { return Vec::new() };
    let prefix = format!("{pid}-");
    let is_its_own = |folder: &Path| {
        let below = folder.strip_prefix(&work).ok().and_then(|below| below.iter().next());
        below.is_some_and(|name| name.to_string_lossy().starts_with(&prefix))
    };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let own = processes
        .filter(|process| std::fs::read_link(process.path().join("cwd")).is_ok_and(|at| is_its_own(&at)));
    own.map(|process| process.file_name().to_string_lossy().into_owned()).collect()
}

const CAPABILITIES: &str = "capabilities.json";

fn borrow_capabilities(data: &Path) {
    let cache = data.join("cache");
    if !cache.join(CAPABILITIES).exists() && std::fs::create_dir_all(&cache).is_ok() {
        let _ = std::fs::copy(scratch().join(CAPABILITIES), cache.join(CAPABILITIES));
    }
}

fn lend_capabilities(data: &Path) {
    let (from, to) = (data.join("cache").join(CAPABILITIES), scratch().join(CAPABILITIES));
    let (fresh, kept) = (std::fs::read(from).unwrap_or_default(), std::fs::read(&to).unwrap_or_default());
    if !fresh.is_empty() && fresh != kept {
        let part = scratch().join(format!("{CAPABILITIES}.{}", std::process::id()));
        let _ = std::fs::write(&part, fresh).and_then(|()| std::fs::rename(&part, &to));
    }
}
