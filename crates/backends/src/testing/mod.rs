//! A server for tests that answers exactly what it is told to, honest or not.

pub(crate) mod bucket;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as it arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    /// The header of that lower-case name, or "".
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    /// First and last byte of `Range: bytes=a-b`, cut to `size`.
    pub(crate) fn range(&self, size: usize) -> Option<(usize, usize)> {
        let (first, last) = self.header("range").strip_prefix("bytes=")?.split_once('-')?;
        let last = last.parse().unwrap_or(usize::MAX).min(size.saturating_sub(1));
        Some((first.parse().ok()?, last))
    }
}

/// What to answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    /// What is sent, whatever the headers say.
    pub(crate) body: Vec<u8>,
    /// Sent before and instead of an end: a pause, and then nothing.
    pub(crate) hangs: bool,
    /// Repeat the body for ever.
    pub(crate) endless: bool,
    /// Pause between pieces of the body.
    pub(crate) pace: Option<(usize, Duration)>,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        let (headers, body) = (Vec::new(), Vec::new());
        Self { status, headers, body, hangs: false, endless: false, pace: None }
    }

    pub(crate) fn header(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// A body and its true length.
    pub(crate) fn body(self, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let length = body.len();
        Self { body, ..self }.header("Content-Length", length)
    }

    /// What a good server answers for a file.
    pub(crate) fn file(seen: &Seen, file: &[u8], etag: &str) -> Self {
        let base = |status| Self::new(status).header("ETag", etag).header("Accept-Ranges", "bytes");
        let if_range = seen.header("if-range");
        let range = seen.range(file.len()).filter(|_| if_range.is_empty() || if_range == etag);
        let full = match range {
            Some((first, _)) if first >= file.len() => {
                return base(416).header("Content-Range", format!("bytes */{}", file.len())).body("");
            }
            Some((first, last)) => base(206)
                .header("Content-Range", format!("bytes {first}-{last}/{}", file.len()))
                .body(&file[first..=last]),
            None => base(200).body(file),
        };
        if seen.method == "HEAD" { Self { body: Vec::new(), ..full } } else { full }
    }
}

/// A server on a port of its own; it ends with this value.
pub(crate) struct Server {
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers each request by `script`, which is told the request and how many came before it.
    pub(crate) async fn start(script: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        // Both families where there are two, so that no clothing of the loopback address is missed.
        let listener = match TcpListener::bind("[::]:0").await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind("0.0.0.0:0").await.unwrap(),
        };
        let port = listener.local_addr().unwrap().port();
        let (connections, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (counted, noted, script) = (connections.clone(), seen.clone(), Arc::new(script));
        let task = tokio::spawn(async move {
            let mut answering = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                let (noted, script) = (noted.clone(), script.clone());
                answering.spawn(async move {
                    let mut stream = stream;
                    let Some(request) = read(&mut stream).await else { return };
                    let before = {
                        let mut noted = noted.lock().unwrap();
                        noted.push(request.clone());
                        noted.len() - 1
                    };
                    let _ = write(&mut stream, script(&request, before)).await;
                });
            }
        });
        Self { port, connections, seen, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let pair = |line: &str| line.split_once(": ").map(|(name, v)| (name.to_ascii_lowercase(), v.to_owned()));
    let mut seen = Seen { method, target, headers: lines.filter_map(pair).collect(), body: Vec::new() };
    seen.body = bytes.split_off(end + 4);
    let length = seen.header("content-length").parse().unwrap_or(0);
    while seen.body.len() < length {
        if stream.read_buf(&mut seen.body).await.ok()? == 0 {
            return None;
        }
    }
    Some(seen)
}

async fn write(stream: &mut TcpStream, reply: Reply) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Told\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        for part in [name, ": ", value, "\r\n"] {
            head.push_str(part);
        }
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await?;
    loop {
        match reply.pace {
            Some((piece, pause)) => {
                for piece in reply.body.chunks(piece) {
                    stream.write_all(piece).await?;
                    tokio::time::sleep(pause).await;
                }
            }
            None => stream.write_all(&reply.body).await?,
        }
        if !reply.endless {
            break;
        }
    }
    if reply.hangs {
        tokio::time::sleep(Duration::from_mins(10)).await;
    }
    stream.shutdown().await
}

/// Bytes that differ from place to place.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    })
    .take(length)
    .collect()
}

/// A guard that lets the loopback ports of these servers through.
pub(crate) fn guard_for(servers: &[&Server], idle: Duration) -> crate::guard::Guard {
    let entries = servers.iter().map(|server| format!("127.0.0.1:{}", server.port));
    let policy = crate::guard::Policy::parse(entries).unwrap();
    let timeouts = crate::guard::Timeouts { connect: Duration::from_secs(2), idle };
    crate::guard::Guard::new(policy, timeouts).unwrap()
}
