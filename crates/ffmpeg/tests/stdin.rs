//! A secret on standard input: the tool reads it, and nobody else does.

mod support;

use std::time::Duration;

use mps_core::Secret;
use mps_ffmpeg::{Run, run};
use support::{tools_with, until};

const KEY: &str = "ffeeddccbbaa99887766554433221100";

fn reads(program_args: &[&str], dir: &std::path::Path, text: &str) -> Run {
    let args = program_args.iter().map(Into::into).collect();
    Run { stdin: Some(Secret::new(text)), ..Run::new(mps_ffmpeg::Tool::Packager, args, dir) }
}

#[tokio::test]
async fn a_tool_finds_the_text_under_the_name_that_flag_files_have() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("--keys={KEY}\n").repeat(1_000);
    let job = reads(&["/dev/stdin", "got"], dir.path(), &text);
    run(&tools_with("/usr/bin/cp"), job).await.unwrap();
    assert_eq!(std::fs::read_to_string(dir.path().join("got")).unwrap(), text);
}

#[tokio::test]
async fn no_command_line_and_no_environment_shows_it() {
    let dir = tempfile::tempdir().unwrap();
    let tools = tools_with("/usr/bin/sleep");
    let running = tokio::spawn({
        let (tools, job) = (tools.clone(), reads(&["30"], dir.path(), KEY));
        async move { run(&tools, job).await }
    });
    let told = |id: i32, file: &str| std::fs::read(format!("/proc/{id}/{file}")).unwrap_or_default();
    until("the start", || {
        tools.children().ids().iter().any(|id| told(*id, "cmdline").starts_with(b"/usr/bin/sleep"))
    })
    .await;
    let [id] = tools.children().ids()[..] else { panic!("one child expected") };
    for file in ["cmdline", "environ"] {
        let text = String::from_utf8_lossy(&told(id, file)).into_owned();
        assert!(!text.is_empty() && !text.contains(KEY), "{file}: {text}");
    }
    assert_eq!(tools.children().kill_all(Duration::from_secs(5)).await, 0);
    running.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn a_tool_that_repeats_it_is_not_quoted() {
    let dir = tempfile::tempdir().unwrap();
    let script = format!("echo cannot parse {KEY} >&2; exit 3");
    let error =
        run(&tools_with("/usr/bin/dash"), reads(&["/dev/stdin"], dir.path(), &script)).await.unwrap_err();
    let (short, whole) = (error.message().to_owned(), error.chain());
    assert!(whole.contains("cannot parse ******"), "{whole}");
    assert!(!whole.contains(KEY) && !short.contains(KEY) && !format!("{error:?}").contains(KEY), "{whole}");
}

#[tokio::test]
async fn a_text_that_no_pipe_holds_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let error =
        run(&tools_with("/usr/bin/cat"), reads(&[], dir.path(), &"x".repeat(70 << 10))).await.unwrap_err();
    assert!(error.message().contains("too long"), "{error}");
}
