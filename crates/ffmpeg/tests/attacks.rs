//! What hostile files and compromised tools try, and that the sandbox stands.

mod support;

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;

use mps_core::Kind;
use mps_ffmpeg::{ProbeOptions, Run, SourceRef, Tool, probe, run, sandbox};
use mps_testkit::media_files;
use support::{ffmpeg, launcher, tools, tools_with};

/// A run of a shell tool in place of the packager, as a tool under an attacker's control would act.
async fn act(program: &str, line: &[&str], dir: &Path) -> Result<(), mps_core::Error> {
    let job = Run::new(Tool::Packager, line.iter().map(Into::into).collect(), dir);
    run(&tools_with(program), job).await.map(|_| ())
}

#[tokio::test]
async fn the_kernel_enforces_what_we_rely_on() {
    let support = sandbox::support(&launcher()).await.unwrap();
    eprintln!("{support:?}");
    assert!(support.syscalls, "{support:?}");
    assert_eq!(support.files, support.landlock_abi > 0);
    assert_eq!(support.warnings.is_empty(), support.complete);
}

async fn confines_files() -> bool {
    let support = sandbox::support(&launcher()).await.unwrap();
    if !support.files {
        eprintln!("skipped: {:?}", support.warnings);
    }
    support.files
}

#[tokio::test]
async fn a_tool_reads_only_what_it_was_given() {
    if !confines_files().await {
        return;
    }
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mine, theirs) = (dir.path().join("mine"), other.path().join("theirs"));
    std::fs::write(&mine, "a").unwrap();
    std::fs::write(&theirs, "b").unwrap();
    act("/usr/bin/cat", &[mine.to_str().unwrap()], dir.path()).await.unwrap();
    for path in
        ["/etc/passwd", "/etc/hostname", "/proc/1/environ", "/proc/self/environ", theirs.to_str().unwrap()]
    {
        let error = act("/usr/bin/cat", &[path], dir.path()).await.unwrap_err();
        assert!(error.chain().contains("Permission denied"), "{path}: {}", error.chain());
    }
    let mut job = Run::new(Tool::Packager, vec![theirs.clone().into()], dir.path());
    job.readable.push(theirs);
    run(&tools_with("/usr/bin/cat"), job).await.unwrap();
}

#[tokio::test]
async fn a_tool_writes_only_its_folder_and_only_plain_files() {
    if !confines_files().await {
        return;
    }
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let outside = other.path().join("x");
    act("/usr/bin/touch", &["inside"], dir.path()).await.unwrap();
    assert!(dir.path().join("inside").is_file());
    assert!(act("/usr/bin/touch", &[outside.to_str().unwrap()], dir.path()).await.is_err());
    assert!(!outside.exists());
    assert!(act("/usr/bin/ln", &["-s", "/etc/passwd", "link"], dir.path()).await.is_err());
    assert!(act("/usr/bin/mkfifo", &["pipe"], dir.path()).await.is_err());
    assert!(std::fs::symlink_metadata(dir.path().join("link")).is_err());
    // A program that an attacker wrote into the folder does not run.
    std::fs::copy("/usr/bin/true", dir.path().join("dropped")).unwrap();
    let error = act("/usr/bin/env", &["./dropped"], dir.path()).await.unwrap_err();
    assert!(error.chain().contains("ermission"), "{}", error.chain());
}

#[tokio::test]
async fn a_tool_inherits_no_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let tools = tools_with("/usr/bin/env");
    let mut job = Run::new(Tool::Packager, vec!["-0".into()], dir.path());
    // Too much room for the few variables of ours would let a whole environment through.
    job.limits.stdout_bytes = 1024;
    run(&tools, job).await.unwrap();
}

#[tokio::test]
async fn a_tool_connects_to_the_relay_and_to_nobody_else() {
    let Some(tools) = tools() else { return };
    if !confines_files().await {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (relay, other) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let ports = [&relay, &other].map(|listener| listener.local_addr().unwrap().port());
    for listener in [&relay, &other] {
        listener.set_nonblocking(true).unwrap();
    }
    let reach = async |port: u16, allowed: Option<u16>| {
        let mut job = ffmpeg(&format!("-i http://127.0.0.1:{port}/x -f null -"), dir.path());
        job.loopback_port = allowed;
        job.limits.wall = std::time::Duration::from_millis(700);
        run(&tools, job).await.unwrap_err()
    };
    reach(ports[1], Some(ports[0])).await;
    reach(ports[1], None).await;
    assert_eq!(other.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    reach(ports[0], Some(ports[0])).await;
    let (mut stream, _) = relay.accept().unwrap();
    stream.set_nonblocking(false).unwrap();
    let mut request = [0; 5];
    stream.read_exact(&mut request).unwrap();
    assert_eq!(&request, b"GET /");
}

#[tokio::test]
async fn plans_cannot_open_other_protocols_or_playlists() {
    let Some(tools) = tools() else { return };
    let dir = tempfile::tempdir().unwrap();
    for line in [
        "-i http://example.com/a.mp4 out.mp4",
        "-i http://127.0.0.1.evil.example:80/a.mp4 out.mp4",
        "-i https://127.0.0.1:80/a.mp4 out.mp4",
        "-i concat:a.ts|b.ts out.mp4",
        "-i subfile,,start,0,end,9,,:/etc/passwd out.mp4",
        "-f concat -i list.txt out.mp4",
        "-f hls -i list.m3u8 out.mp4",
        "-protocol_whitelist all -i a.mp4 out.mp4",
    ] {
        let error = run(&tools, ffmpeg(line, dir.path())).await.unwrap_err();
        assert!(error.message().starts_with("a plan must not"), "{line}: {error:?}");
    }
}

/// Files that pretend to be films and name other files.
fn disguises(secret: &str) -> Vec<(&'static str, String)> {
    vec![
        ("concat.mp4", format!("ffconcat version 1.0\nfile '{secret}'\n")),
        ("relative.mp4", "ffconcat version 1.0\nfile neighbour.mp4\n".to_owned()),
        ("playlist.mp4", format!("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{secret}\n#EXT-X-ENDLIST\n")),
        ("playlist.m3u8", format!("#EXTM3U\n#EXTINF:5,\nfile://{secret}\n#EXT-X-ENDLIST\n")),
        (
            "manifest.mp4",
            format!(
                "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"><BaseURL>{secret}</BaseURL></MPD>"
            ),
        ),
        (
            "picture.svg",
            format!("<svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"{secret}\"/></svg>"),
        ),
        ("session.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n".to_owned()),
        ("text.mp4", "This is not a film at all, only a few words in a text file.\n".repeat(20)),
    ]
}

#[tokio::test]
async fn disguised_files_are_refused_with_a_sentence() {
    let Some(tools) = tools() else { return };
    let dir = tempfile::tempdir().unwrap();
    let neighbour = dir.path().join("neighbour.mp4");
    if let Some(film) = media_files::media("real/man_sample.mp4") {
        std::fs::copy(film, &neighbour).unwrap();
    }
    for (name, body) in disguises(neighbour.to_str().unwrap()) {
        let path = dir.path().join(name);
        std::fs::write(&path, body).unwrap();
        let source = SourceRef::File(path.clone());
        let error = probe(&tools, &source, &ProbeOptions::default()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput, "{name}: {error:?}");
        assert!(!error.message().contains(dir.path().to_str().unwrap()), "{name}: {error}");

        // The whole folder readable, as no job would have it: the guards alone must hold.
        let mut job = ffmpeg("", dir.path());
        job.args = vec!["-i".into(), path.clone().into(), "-y".into(), "stolen.mkv".into()];
        job.readable.push(dir.path().to_owned());
        let error = run(&tools, job).await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput, "{name}: {error:?}");
        eprintln!("{name}: {error}");
    }
}

#[tokio::test]
async fn a_picture_bomb_is_refused_before_it_grows() {
    let Some(tools) = tools() else { return };
    let dir = tempfile::tempdir().unwrap();
    let make = "-f lavfi -i color=c=black:s=15000x12000:r=1:d=1 -frames:v 1 -c:v png bomb.png";
    let mut job = ffmpeg(make, dir.path());
    job.limits.memory_bytes = 8 << 30;
    run(&tools, job).await.unwrap();
    let bomb = dir.path().join("bomb.png");
    assert!(std::fs::metadata(&bomb).unwrap().len() < 2 << 20);

    let mut options = ProbeOptions { verify: true, ..ProbeOptions::default() };
    options.limits.max_pixels = 100_000_000;
    let error = probe(&tools, &SourceRef::File(bomb.clone()), &options).await.unwrap_err();
    assert!(matches!(error.kind(), Kind::Limit | Kind::InvalidInput), "{error:?}");

    let mut job = ffmpeg("-i bomb.png -vf scale=64:64 small.png", dir.path());
    job.limits.max_pixels = 100_000_000;
    let error = run(&tools, job).await.unwrap_err();
    assert!(matches!(error.kind(), Kind::Limit | Kind::InvalidInput), "{error:?}");
    eprintln!("{error}");
}

#[tokio::test]
async fn a_filter_cannot_open_files_on_its_own() {
    let Some(tools) = tools() else { return };
    if !confines_files().await {
        return;
    }
    let Some(film) = media_files::media("real/man_sample.mp4") else { return };
    let other = tempfile::tempdir().unwrap();
    let secret = other.path().join("secret.mp4");
    std::fs::copy(film, &secret).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let line = format!("-f lavfi -i movie={} -frames:v 1 out.png", secret.display());
    assert!(run(&tools, ffmpeg(&line, dir.path())).await.is_err());
    let mut allowed = ffmpeg(&line, dir.path());
    allowed.readable.push(secret);
    run(&tools, allowed).await.unwrap();
}
