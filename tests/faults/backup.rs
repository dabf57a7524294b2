//! A copy of the data folder, taken while the server is stopped, is a whole backup.

use std::path::Path;

use mps_e2e::{Bench, SOON, by_url, results_of, template};
use mps_testkit::made;
use mps_testkit::server::{INPUT, OUTPUT, Setup};
use serde_json::json;

use crate::{seconds, tools_or_return};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_on_from_a_copy_of_a_stopped_ones_folder() {
    tools_or_return!();
    let mut bench = Bench::with(|setup| setup.set("workers.grace_s", "1")).await;
    let film = made::clip(160, 90, "25", seconds(1));
    let url = bench.web.offer("film.mp4", &film);
    let own = json!({"Name": "own", "Container": "mp4", "VideoTemplate": template("mp4", &json!({"Height": 128}))["VideoTemplate"],
        "AudioTemplate": template("mp4", &json!({}))["AudioTemplate"]});
    let own = bench.server.ok("CreateTranscodeTemplate", &own).await["Definition"].clone();
    bench.server.put(INPUT, "kept.mp4", std::fs::read(&film).expect("a film")).await;
    let done = bench.server.process(&by_url(&url, "/done/", &[json!({"Definition": own})])).await;
    let done_detail = bench.server.ended(&done, SOON).await;
    let path = results_of(&done_detail)[0]["Output"]["Path"].as_str().unwrap_or_default().to_owned();
    let output = bench.server.object(OUTPUT, &path).await.expect("the output");
    let held = by_url(&bench.web.url("held/film.mp4"), "/held/", &[json!({"Definition": own})]);
    let open = bench.server.process(&held).await;
    bench.server.until(&open, SOON, |detail| detail["Status"] == "PROCESSING").await;
    bench.server.terminate();
    assert_eq!(bench.server.exit(seconds(30)).await.code(), Some(0));

    let place = tempfile::tempdir().expect("a folder for the copy");
    let copy = place.path().join("copy");
    copy_folder(bench.server.data(), &copy);
    std::fs::remove_dir_all(bench.server.data()).expect("the original is gone");
    bench.web.release();
    let setup = Setup::default().allow(&bench.web.host()).allow(&bench.receiver.host());
    let second = setup.data(&copy).start().await;

    let key = bench.server.key();
    let answer =
        second.call_as(key, "DescribeTaskDetail", &json!({"TaskId": done})).await.expect("the old key");
    assert_eq!(answer["WorkflowTask"], done_detail["WorkflowTask"]);
    assert_eq!(second.object(OUTPUT, &path).await.as_deref(), Some(output.as_slice()));
    assert_eq!(second.object(INPUT, "kept.mp4").await, std::fs::read(&film).ok());
    let listed = second.ok("DescribeTranscodeTemplates", &json!({"Definitions": [own]})).await;
    assert_eq!(listed["TranscodeTemplateSet"][0]["Name"], "own", "{listed:#}");
    let detail = second.ended(&open, SOON).await;
    assert_eq!(results_of(&detail)[0]["Status"], "SUCCESS", "{detail:#}");
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder of the copy");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &to);
        } else {
            std::fs::copy(&path, &to).expect("a file of the copy");
        }
    }
}
