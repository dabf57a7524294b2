//! Load: ready-made requests over kept connections, so that the client takes little of the two cores.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came of a load.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Answers.
    pub(crate) answers: u64,
    /// Answers that carried an error.
    pub(crate) errors: u64,
    /// The first error's text.
    pub(crate) first_error: String,
    /// Time of each answer.
    pub(crate) times: Vec<Duration>,
    /// Time of the whole.
    pub(crate) took: Duration,
}

impl Report {
    /// Answers a second.
    pub(crate) fn rate(&self) -> f64 {
        self.answers as f64 / self.took.as_secs_f64()
    }

    /// Fails when any answer was an error.
    pub(crate) fn check(self) -> Result<Self> {
        if self.errors > 0 {
            bail!("{} of {} answers were errors: {}", self.errors, self.answers, self.first_error);
        }
        Ok(self)
    }
}

/// Sends the requests in turn over `connections` for `time`; the answer's body is only searched for an error.
pub(crate) async fn run(
    at: &str,
    requests: Arc<Vec<Vec<u8>>>,
    connections: usize,
    time: Duration,
) -> Result<Report> {
    let next = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(tokio::spawn(client(
            at.to_owned(),
            Arc::clone(&requests),
            Arc::clone(&next),
            began + time,
        )));
    }
    let mut report = Report::default();
    for client in clients {
        let part = client.await??;
        report.answers += part.answers;
        report.errors += part.errors;
        if report.first_error.is_empty() {
            report.first_error = part.first_error;
        }
        report.times.extend(part.times);
    }
    report.took = began.elapsed();
    Ok(report)
}

async fn client(
    at: String,
    requests: Arc<Vec<Vec<u8>>>,
    next: Arc<AtomicU64>,
    until: Instant,
) -> Result<Report> {
    let mut stream = TcpStream::connect(&at).await.with_context(|| format!("cannot reach {at}"))?;
    stream.set_nodelay(true)?;
    let mut report = Report::default();
    let mut buffer = Vec::with_capacity(16 * 1024);
    while Instant::now() < until {
        let nth = next.fetch_add(1, Ordering::Relaxed) as usize % requests.len();
        let sent = Instant::now();
        stream.write_all(&requests[nth]).await?;
        let body = answer(&mut stream, &mut buffer).await?;
        report.times.push(sent.elapsed());
        report.answers += 1;
        if find(&buffer[body..], b"\"Error\"").is_some() {
            report.errors += 1;
            if report.first_error.is_empty() {
                report.first_error = String::from_utf8_lossy(&buffer[body..]).into_owned();
            }
        }
    }
    Ok(report)
}

/// Reads one answer into `buffer`; returns where its body begins.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<usize> {
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        let Some(end) = find(buffer, b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&buffer[..end])?.to_ascii_lowercase();
        let length = head
            .split("content-length:")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next())
            .and_then(|text| text.trim().parse::<usize>().ok())
            .context("an answer without a length")?;
        while buffer.len() < end + 4 + length {
            if stream.read_buf(buffer).await? == 0 {
                bail!("the server closed the connection within an answer");
            }
        }
        return Ok(end + 4);
    }
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}
