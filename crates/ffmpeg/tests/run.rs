//! Runs of the real ffmpeg: progress, limits, stalls, and that nothing is ever left behind.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mps_core::{Blame, Kind, Retry};
use mps_ffmpeg::{Limits, Progress, Run, Tool, run};
use support::{ENDLESS, args, ffmpeg, group_lives, tools, tools_with, until};

#[tokio::test]
async fn progress_grows_to_the_length_of_the_output() {
    let Some(tools) = tools() else { return };
    let dir = tempfile::tempdir().unwrap();
    let heard = Arc::new(Mutex::new(Vec::<Progress>::new()));
    let hear = Arc::clone(&heard);
    let mut job =
        ffmpeg("-f lavfi -i testsrc2=s=1280x720:r=25:d=4 -c:v libx264 -preset veryfast out.mp4", dir.path());
    job.on_progress = Some(Box::new(move |progress| hear.lock().unwrap().push(progress)));
    let report = run(&tools, job).await.unwrap();

    let heard = heard.lock().unwrap().clone();
    assert!(
        heard.windows(2).all(|w| w[0].out_time_us <= w[1].out_time_us && w[0].bytes <= w[1].bytes),
        "{heard:?}"
    );
    let last = heard.last().unwrap();
    assert!(last.is_end && (3_800_000..=4_000_000).contains(&last.out_time_us), "{last:?}");
    assert_eq!((last.frames, report.progress), (100, *last));
    let size = std::fs::metadata(dir.path().join("out.mp4")).unwrap().len();
    assert!(size > 10_000 && last.bytes <= size, "{last:?} of {size}");
    assert!(report.cpu_ms > 50 && report.max_rss_bytes > 20 << 20 && report.wall_ms > 20, "{report:?}");
    assert_eq!(tools.children().count(), 0);
}

#[tokio::test]
async fn a_cancelled_run_leaves_no_process() {
    let Some(tools) = tools() else { return };
    let dir = tempfile::tempdir().unwrap();
    let job = ffmpeg(ENDLESS, dir.path());
    let cancel = job.cancel.clone();
    let running = tokio::spawn({
        let tools = tools.clone();
        async move { run(&tools, job).await }
    });
    until("the start", || std::fs::metadata(dir.path().join("out.mp4")).is_ok_and(|f| f.len() > 0)).await;
    let [group] = tools.children().ids()[..] else { panic!("one child expected") };
    assert!(group_lives(group));
    cancel.cancel();
    let error = running.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
    assert!(!group_lives(group));
    assert_eq!(tools.children().count(), 0);
}

#[tokio::test]
async fn a_dropped_future_leaves_no_process() {
    let Some(tools) = tools() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut running = Box::pin(run(&tools, ffmpeg(ENDLESS, dir.path())));
    let started = tokio::time::timeout(Duration::from_millis(700), &mut running).await;
    assert!(started.is_err(), "it ended by itself");
    let [group] = tools.children().ids()[..] else { panic!("one child expected") };
    assert!(group_lives(group));
    drop(running);
    until("the end of the group", || !group_lives(group)).await;
    assert_eq!(tools.children().wait_all(Duration::from_secs(5)).await, 0);
}

#[tokio::test]
async fn a_run_dropped_while_it_starts_leaves_no_process() {
    let Some(tools) = tools() else { return };
    let dir = tempfile::tempdir().unwrap();
    for micros in (0..3_000).step_by(150) {
        let running = run(&tools, ffmpeg(ENDLESS, dir.path()));
        let _ = tokio::time::timeout(Duration::from_micros(micros), running).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(tools.children().wait_all(Duration::from_secs(5)).await, 0);
}

#[tokio::test]
async fn shutdown_kills_and_awaits_all() {
    let Some(tools) = tools() else { return };
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let runs = dirs.each_ref().map(|dir| {
        let (tools, job) = (tools.clone(), ffmpeg(ENDLESS, dir.path()));
        tokio::spawn(async move { run(&tools, job).await })
    });
    until("two children", || tools.children().count() == 2).await;
    assert_eq!(tools.children().kill_all(Duration::from_secs(5)).await, 0);
    for run in runs {
        let error = run.await.unwrap().unwrap_err();
        assert_eq!(
            (error.kind(), error.blame(), error.retry()),
            (Kind::Unavailable, Blame::Us, Retry::Later)
        );
    }
}

#[tokio::test]
async fn a_child_that_gets_nowhere_is_ended() {
    let Some(tools) = tools() else { return };
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("in.nut");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // A writer that opens the pipe and says nothing.
    let _silent = std::fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    let mut job = ffmpeg(&format!("-f nut -i {} -c copy -f null -", pipe.display()), dir.path());
    job.readable.push(pipe);
    job.limits.stall = Duration::from_millis(600);
    let begun = Instant::now();
    let error = run(&tools, job).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Timeout, Retry::Later), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(tools.children().count(), 0);
}

#[tokio::test]
async fn a_child_that_ignores_the_polite_signal_is_killed() {
    let Some(tools) = tools() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut job = ffmpeg(ENDLESS, dir.path());
    job.limits.kill_grace = Duration::from_millis(200);
    let cancel = job.cancel.clone();
    let running = tokio::spawn({
        let tools = tools.clone();
        async move { run(&tools, job).await }
    });
    until("the start", || std::fs::metadata(dir.path().join("out.mp4")).is_ok_and(|f| f.len() > 0)).await;
    let group = tools.children().ids()[0];
    // Stopped, it cannot even hear the polite one.
    nix::sys::signal::killpg(nix::unistd::Pid::from_raw(group), nix::sys::signal::Signal::SIGSTOP).unwrap();
    cancel.cancel();
    assert_eq!(running.await.unwrap().unwrap_err().kind(), Kind::Cancelled);
    assert!(!group_lives(group));
}

#[tokio::test]
async fn limits_of_time_are_kept_and_told() {
    let Some(tools) = tools() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut job = ffmpeg(ENDLESS, dir.path());
    job.limits.wall = Duration::from_millis(500);
    let error = run(&tools, job).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Timeout, Retry::Never), "{error:?}");

    let mut job = ffmpeg(ENDLESS, dir.path());
    job.limits.cpu = Duration::from_secs(1);
    let error = run(&tools, job).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Limit, "{error:?}");
    assert!(error.message().contains("processor time"), "{error}");
}

#[tokio::test]
async fn limits_of_size_are_kept_and_told() {
    let Some(tools) = tools() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut job = ffmpeg("-f lavfi -i testsrc2=s=640x360:r=25:d=60 -c:v rawvideo out.nut", dir.path());
    job.limits.file_bytes = 1 << 20;
    let error = run(&tools, job).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Limit, Retry::Never), "{error:?}");
    assert!(error.message().contains("1048576 bytes"), "{error}");
    assert!(std::fs::metadata(dir.path().join("out.nut")).unwrap().len() <= 1 << 20);

    let mut job = ffmpeg(
        "-f lavfi -i color=s=7680x4320:r=25:d=2 -vf scale=8000:4000 -c:v rawvideo -f null -",
        dir.path(),
    );
    job.limits.memory_bytes = 300 << 20;
    let error = run(&tools, job).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Limit, "{error:?}");
    assert!(error.message().contains("memory"), "{error}");
}

#[tokio::test]
async fn a_plan_that_this_build_cannot_carry_out_is_our_fault() {
    let Some(tools) = tools() else { return };
    let dir = tempfile::tempdir().unwrap();
    for line in [
        "-f lavfi -i testsrc2=d=1 -c:v libnothing out.mp4",
        "-f lavfi -i testsrc2=d=1 -vf nofilter out.mp4",
        "-f lavfi -i testsrc2=d=1 -nooption 1 out.mp4",
    ] {
        let error = run(&tools, ffmpeg(line, dir.path())).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.blame(), error.retry()),
            (Kind::Internal, Blame::Us, Retry::Never),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_crash_is_told_from_an_exit_code() {
    let Some(tools) = tools() else { return };
    let dir = tempfile::tempdir().unwrap();
    let running = tokio::spawn({
        let (tools, job) = (tools.clone(), ffmpeg(ENDLESS, dir.path()));
        async move { run(&tools, job).await }
    });
    until("a child", || tools.children().count() == 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let group = tools.children().ids()[0];
    nix::sys::signal::killpg(nix::unistd::Pid::from_raw(group), nix::sys::signal::Signal::SIGSEGV).unwrap();
    let error = running.await.unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.blame(), error.retry()),
        (Kind::Internal, Blame::Us, Retry::Later),
        "{error:?}"
    );
    assert_eq!(error.message(), "ffmpeg crashed");
}

#[tokio::test]
async fn a_tool_that_cannot_be_started_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let broken = dir.path().join("ffmpeg");
    std::fs::write(&broken, "not a program").unwrap();
    std::fs::set_permissions(&broken, std::fs::Permissions::from_mode(0o755)).unwrap();
    let tools = tools_with(broken.to_str().unwrap());
    let error = run(&tools, ffmpeg("-i x out.mp4", dir.path())).await.unwrap_err();
    assert_eq!((error.kind(), error.blame()), (Kind::Internal, Blame::Us), "{error:?}");
    assert!(error.message().contains("cannot start"), "{error}");
}

#[tokio::test]
async fn endless_talk_is_bounded() {
    let tools = tools_with("/usr/bin/yes");
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { stdout_bytes: 1 << 20, ..Limits::probe() };
    let job = Run { limits, ..Run::new(Tool::Packager, args("x"), dir.path()) };
    let error = run(&tools, job).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Limit, "{error:?}");
}

/// The victim of the test below: runs in a process of its own until it is killed.
#[tokio::test]
#[ignore = "started by children_die_with_a_killed_parent"]
async fn helper_that_runs_until_killed() {
    #[expect(clippy::disallowed_methods, reason = "the test that starts this process tells the folder so")]
    let dir = std::env::var_os("MPS_TEST_DIR").unwrap();
    let tools = tools().unwrap();
    let _ = run(&tools, ffmpeg(ENDLESS, dir.as_ref())).await;
}

#[tokio::test]
async fn children_die_with_a_killed_parent() {
    if tools().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().canonicalize().unwrap();
    let children = || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        processes.filter(|p| std::fs::read_link(p.path().join("cwd")).is_ok_and(|cwd| cwd == folder)).count()
    };
    #[expect(clippy::disallowed_methods, reason = "a parent to be killed")]
    let mut parent = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "helper_that_runs_until_killed", "--ignored"])
        .env("MPS_TEST_DIR", &folder)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let output = folder.join("out.mp4");
    until("the encode", || std::fs::metadata(&output).is_ok_and(|f| f.len() > 0)).await;
    assert_eq!(children(), 1);
    parent.kill().unwrap();
    parent.wait().unwrap();
    until("the end of the child", || children() == 0).await;
}

#[tokio::test]
async fn the_packager_works_inside_the_sandbox() {
    let Some(tools) = tools() else { return };
    if tools.path(Tool::Packager).is_err() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let make = "-f lavfi -i testsrc2=s=320x180:r=25:d=4 -c:v libx264 -preset ultrafast -g 50 in.mp4";
    run(&tools, ffmpeg(make, dir.path())).await.unwrap();
    let line = "in=in.mp4,stream=video,init_segment=v/init.mp4,segment_template=v/$Number$.m4s \
                --segment_duration 2 --hls_master_playlist_output main.m3u8 --temp_dir .tmp";
    let report = run(&tools, Run::new(Tool::Packager, args(line), dir.path())).await.unwrap();
    assert!(report.max_rss_bytes > 0);
    assert!(dir.path().join("v/2.m4s").is_file() && dir.path().join("main.m3u8").is_file());
}
