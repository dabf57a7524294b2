//! `mps tasks`: list, show, abort.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::print_json;
use crate::client::Server;
use crate::client::discover::Target;
use crate::client::outcome::TaskReport;

/// List, show or abort tasks.
#[derive(Debug, Args)]
pub(super) struct Tasks {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List tasks, the newest first.
    List {
        /// Only those in this state
        #[arg(long, value_enum)]
        status: Option<Status>,
        /// Only finished ones of which a part failed
        #[arg(long)]
        failed: bool,
        /// At most this many of each state
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        limit: u64,
        /// Print the API's items as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        target: Target,
    },
    /// Show one task.
    Show {
        /// Its id
        id: String,
        /// Print the API's answer as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        target: Target,
    },
    /// Abort a task that waits.
    Abort {
        /// Its id
        id: String,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Status {
    Waiting,
    Processing,
    Finish,
}

impl Status {
    const ALL: [Self; 3] = [Self::Waiting, Self::Processing, Self::Finish];

    fn word(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Processing => "PROCESSING",
            Self::Finish => "FINISH",
        }
    }
}

impl Tasks {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.what {
            What::List { status, failed, limit, json, target } => {
                let server = target.server().await?;
                let wanted = match (status, failed) {
                    (Some(one), _) => vec![one],
                    (None, true) => vec![Status::Finish],
                    (None, false) => Status::ALL.to_vec(),
                };
                let mut all = Vec::new();
                for status in wanted {
                    let items = list(&server, status, failed, limit).await?;
                    if !json {
                        for item in &items {
                            println!("{}", line(status, item));
                        }
                    }
                    all.extend(items);
                }
                if json { print_json(&Value::Array(all)) } else { Ok(()) }
            }
            What::Show { id, json, target } => {
                let answer =
                    target.server().await?.call("DescribeTaskDetail", &json!({ "TaskId": id })).await?;
                if json {
                    return print_json(&answer);
                }
                show(&id, &answer);
                Ok(())
            }
            What::Abort { id, target } => {
                let params = json!({ "OperationType": "Abort", "TaskId": id });
                target.server().await?.call("ManageTask", &params).await?;
                println!("{id} aborted");
                Ok(())
            }
        }
    }
}

async fn list(server: &Server, status: Status, failed: bool, limit: u64) -> anyhow::Result<Vec<Value>> {
    let mut items = Vec::new();
    let mut token = String::new();
    while (items.len() as u64) < limit {
        let page = (limit - items.len() as u64).min(100);
        let mut params = json!({ "Status": status.word(), "Limit": page });
        if failed {
            params["SubTaskHasFailed"] = json!(true);
        }
        if !token.is_empty() {
            params["ScrollToken"] = json!(token);
        }
        let mut answer = server.call("DescribeTasks", &params).await?;
        let Value::Array(set) = answer["TaskSet"].take() else { break };
        items.extend(set);
        answer["ScrollToken"].as_str().unwrap_or_default().clone_into(&mut token);
        if token.is_empty() {
            break;
        }
    }
    Ok(items)
}

fn line(status: Status, item: &Value) -> String {
    let word = |name: &str| item[name].as_str().unwrap_or_default();
    let parts: Vec<&str> =
        item["SubTaskTypes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    format!("{}  {:<10}  {}  {}", word("CreateTime"), status.word(), word("TaskId"), parts.join(","))
        .trim_end()
        .to_owned()
}

fn show(id: &str, answer: &Value) {
    let report = TaskReport::read(answer);
    let word = |name: &str| answer[name].as_str().unwrap_or_default();
    println!("{id}  {}  {}%", report.status, report.percent());
    println!(
        "  created {}  begun {}  finished {}",
        word("CreateTime"),
        word("BeginProcessTime"),
        word("FinishTime")
    );
    if let Some(failure) = &report.failure {
        println!("  failed: {failure}");
    }
    for part in &report.parts {
        println!("  {}  {}  {}%", part.name, part.status, part.percent);
        if let Some(failure) = &part.failure {
            println!("    failed: {failure}");
        }
        for place in &part.outputs {
            println!("    {place}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_time_the_state_and_the_id() {
        let item = json!({"TaskId": "1-WorkflowTask-x", "CreateTime": "2026-01-01T00:00:00Z", "SubTaskTypes": ["Transcode"]});
        assert_eq!(
            line(Status::Finish, &item),
            "2026-01-01T00:00:00Z  FINISH      1-WorkflowTask-x  Transcode"
        );
    }
}
