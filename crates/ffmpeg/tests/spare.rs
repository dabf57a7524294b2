//! A launcher that waits for the next run.

mod support;

use std::path::Path;

use mps_ffmpeg::{Run, Tool, ToolPaths, Tools, run};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::{args, paths_of, until};

/// Runs a shell in the sandbox and tells its process id.
async fn pid_of_a_run(tools: &Tools, dir: &Path) -> i32 {
    std::fs::write(dir.join("run.sh"), "echo $$ >pid").unwrap();
    run(tools, Run::new(Tool::Packager, args("run.sh"), dir)).await.unwrap();
    std::fs::read_to_string(dir.join("pid")).unwrap().trim().parse().unwrap()
}

/// Processes that this one started and that still live.
fn waiting() -> Vec<i32> {
    let me = std::process::id().to_string();
    let stat_of = |pid: i32| std::fs::read_to_string(format!("/proc/{pid}/stat"));
    let is_mine = |pid: &i32| {
        stat_of(*pid).is_ok_and(|stat| {
            let mut fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
            fields.next() != Some("Z") && fields.next() == Some(&me)
        })
    };
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_mine).collect()
}

#[tokio::test]
async fn a_run_takes_the_launcher_that_waits_and_leaves_another() {
    let dir = tempfile::tempdir().unwrap();
    let tools = Tools::discover(&ToolPaths { spares: 1, ..paths_of("/bin/sh") }).unwrap();
    pid_of_a_run(&tools, dir.path()).await;
    until("a spare launcher", || waiting().len() == 1).await;
    let spare = waiting()[0];
    assert_eq!(tools.children().count(), 0, "a launcher without work is nobody's child to wait for");

    assert_eq!(pid_of_a_run(&tools, dir.path()).await, spare);
    until("the next spare launcher", || waiting().len() == 1 && waiting()[0] != spare).await;

    kill(Pid::from_raw(waiting()[0]), Signal::SIGKILL).unwrap();
    until("the end of the spare launcher", || waiting().is_empty()).await;
    pid_of_a_run(&tools, dir.path()).await;

    drop(tools);
    until("the end of all launchers", || waiting().is_empty()).await;
}

#[tokio::test]
async fn without_one_nothing_waits() {
    let dir = tempfile::tempdir().unwrap();
    let tools = Tools::discover(&paths_of("/bin/sh")).unwrap();
    pid_of_a_run(&tools, dir.path()).await;
    until("the end of all launchers", || waiting().is_empty()).await;
}
