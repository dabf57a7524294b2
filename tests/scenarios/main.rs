//! Conversations with a running server, as data. `README.md` tells the form.

mod runner;

use mps_e2e::Bench;
use mps_testkit::server::INPUT;
use mps_testkit::{made, media_files};

/// Has all conversations of one file with a server of their own.
async fn converse(file: &str) {
    if media_files::tool("ffmpeg").is_none() {
        return;
    }
    let text = std::fs::read_to_string(media_files::repo_root().join("tests/scenarios").join(file))
        .expect("a file of conversations");
    let bench = Bench::with(|setup| setup.set("region_aliases", "ap-guangzhou-2=ap-guangzhou")).await;
    let clip = made::clip(320, 180, "25", std::time::Duration::from_secs(2));
    let bytes = std::fs::read(&clip).expect("a sample film");
    bench.server.put(INPUT, "clips/bunny.mp4", bytes.clone()).await;
    bench.web.offer("bunny.mp4", &clip);
    bench.web.offer_bytes("text.mp4", "this is no film\n".repeat(100).as_bytes());
    bench.web.offer_bytes("empty.mp4", b"");
    bench.web.offer_bytes("cut.mp4", &bytes[..bytes.len() / 2]);
    bench.web.offer_bytes("zeros.mp4", &vec![0; 64 * 1024]);
    runner::Runner::new(&bench).await.run(&text).await;
}

macro_rules! files {
    ($($name:ident)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            converse(concat!(stringify!($name), ".yaml")).await;
        }
    )* };
}

files! { transport parameters refused names pairs sources templates tasks callbacks edits }

#[test]
fn every_file_of_conversations_is_held() {
    let here = media_files::repo_root().join("tests/scenarios");
    let code = std::fs::read_to_string(here.join("main.rs")).expect("this file");
    let listed =
        code.split("files! { ").nth(1).and_then(|rest| rest.split(" }").next()).expect("the list above");
    let listed: Vec<&str> = listed.split(' ').collect();
    for entry in std::fs::read_dir(&here).expect("the folder of conversations").flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
            assert!(listed.contains(&stem), "{stem}.yaml is not listed");
        }
    }
}
