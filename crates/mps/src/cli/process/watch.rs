//! Watching a task: a bar per wish on a terminal, a line per change elsewhere.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::client::outcome::{Part, TaskReport};
use crate::client::{CallError, Server};
use crate::config::environment::plain_terminal;

/// How often the server is asked, at first and at most.
const POLL: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// How often in a row the server may be out of reach before watching is given up: it may be restarting.
const PATIENCE: u32 = 30;

/// Asks until the task has ended; gives the report and the answer it was read from.
pub(super) async fn until_over(server: &Server, id: &str) -> anyhow::Result<(TaskReport, Value)> {
    let mut face = Face::new();
    let mut pause = POLL.0;
    let mut out_of_reach = 0;
    loop {
        match server.call("DescribeTaskDetail", &json!({ "TaskId": id })).await {
            Ok(answer) => {
                out_of_reach = 0;
                let report = TaskReport::read(&answer);
                face.show(&report);
                if report.is_over() {
                    return Ok((report, answer));
                }
            }
            Err(CallError::Unreachable { .. }) if out_of_reach < PATIENCE => out_of_reach += 1,
            Err(CallError::Refused { code, .. }) if code == "RequestLimitExceeded" => {}
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 5 / 4).min(POLL.1);
    }
}

/// The bar of an upload; not drawn where nobody watches.
pub(super) fn upload_bar(bytes: u64, name: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(bytes), draw_target());
    bar.set_style(style("{msg:24!} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}"));
    bar.set_message(format!("upload {name}"));
    bar
}

fn is_live() -> bool {
    std::io::stderr().is_terminal() && !plain_terminal()
}

fn draw_target() -> ProgressDrawTarget {
    if is_live() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

enum Face {
    Bars { all: MultiProgress, bars: Vec<ProgressBar> },
    Lines { said: Vec<(String, u64)>, status: String },
}

impl Face {
    fn new() -> Self {
        if is_live() {
            Self::Bars { all: MultiProgress::with_draw_target(draw_target()), bars: Vec::new() }
        } else {
            Self::Lines { said: Vec::new(), status: String::new() }
        }
    }

    fn show(&mut self, report: &TaskReport) {
        match self {
            Self::Bars { all, bars } => {
                for part in report.parts.iter().skip(bars.len()) {
                    let bar = all.add(ProgressBar::new(100));
                    bar.set_style(style("{msg:24!} {wide_bar} {pos:>3}% {elapsed}"));
                    bar.set_message(part.name.clone());
                    bars.push(bar);
                }
                for (bar, part) in bars.iter().zip(&report.parts) {
                    bar.set_position(part.percent);
                    if part.status == "FAIL" {
                        bar.abandon_with_message(format!("{} failed", part.name));
                    } else if part.status == "SUCCESS" {
                        bar.finish();
                    }
                }
                if report.is_over() {
                    bars.iter().filter(|bar| !bar.is_finished()).for_each(ProgressBar::abandon);
                    // The last bar leaves the cursor behind itself, where the results would be printed.
                    if !bars.is_empty() {
                        eprintln!();
                    }
                }
            }
            Self::Lines { said, status } => {
                if *status != report.status {
                    status.clone_from(&report.status);
                    eprintln!("{}", status.to_lowercase());
                }
                said.resize(report.parts.len(), (String::new(), 0));
                for (said, part) in said.iter_mut().zip(&report.parts) {
                    if is_news(said, part) {
                        *said = (part.status.clone(), part.percent);
                        eprintln!("{}: {} {}%", part.name, part.status.to_lowercase(), part.percent);
                    }
                }
            }
        }
    }
}

/// Another status, or ten percent more than was said last.
fn is_news(said: &(String, u64), part: &Part) -> bool {
    said.0 != part.status || part.percent >= said.1 + 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_for_a_change_and_for_every_tenth() {
        let part = |status: &str, percent| Part {
            name: "Transcode 1".into(),
            status: status.into(),
            percent,
            failure: None,
            outputs: Vec::new(),
        };
        let said = ("PROCESSING".to_owned(), 20);
        assert!(!is_news(&said, &part("PROCESSING", 29)));
        assert!(is_news(&said, &part("PROCESSING", 30)));
        assert!(is_news(&said, &part("SUCCESS", 20)));
    }
}
