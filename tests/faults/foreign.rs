//! Outputs in a store of others, where what is visible cannot be taken into our own transaction.

use std::os::unix::process::ExitStatusExt as _;

use mps_e2e::{Bench, SOON, by_url, results_of};
use mps_testkit::bucket::md5_hex;
use mps_testkit::made;
use mps_testkit::server::{OUTPUT, Setup};
use rand::Rng as _;
use serde_json::json;

use crate::tools_or_return;
use crate::victim::{Victim, bucket_of};

#[tokio::test(flavor = "multi_thread")]
async fn dying_around_a_commit_to_a_foreign_store_leaves_whole_objects() {
    tools_or_return!();
    let store = Setup::default().set("region_aliases", "us-east-1=ap-guangzhou").start().await;
    let mut victim = Victim::with_store(Some(store), |setup| setup).await;
    for most in [1, 3, 6] {
        for point in ["after-put", "after-stage", "before-commit", "after-commit", "before-finish"] {
            let pass = victim.rng.random_range(1..=most);
            victim.die_at(&format!("{point}:{pass}")).await;
        }
        for _ in 0..5 {
            victim.die_anytime().await;
        }
    }
    victim.conclude().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_in_parts_is_never_there_in_part() {
    tools_or_return!();
    let store = Setup::default().set("region_aliases", "us-east-1=ap-guangzhou").start().await;
    let mut bench = Bench::with(|setup| setup.set("aws.s3_endpoint_url", store.buckets())).await;
    let noise = "nullsrc=s=640x360:r=25:d=3,geq=lum='random(1)*255':cb=128:cr=128";
    let film = made::film(
        "mp4",
        &["-f", "lavfi", "-i", noise, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "1"],
    );
    let url = bench.web.offer("noise.mp4", &film);
    let mut request = by_url(
        &url,
        "/big/",
        &[json!({"Definition": 0, "OutputObjectPath": "noise.{format}", "RawParameter":
            {"Container": "mkv", "RemoveAudio": 1, "VideoTemplate": {"Codec": "copy", "Fps": 0, "Bitrate": 0}}})],
    );
    request["OutputStorage"] = bucket_of(&store);
    let task = bench.server.process(&request).await;
    for piece in [1, 9, 12, 10] {
        bench.server.kill().await;
        bench
            .server
            .restart_blindly(|setup| setup.set("faults.crash_point", &format!("after-piece:{piece}")));
        assert_eq!(bench.server.exit(SOON).await.signal(), Some(9), "at piece {piece}");
        assert!(store.object(OUTPUT, "big/noise.mkv").await.is_none(), "half an object at piece {piece}");
    }
    bench.server.restart(|setup| setup.set("faults.crash_point", "")).await;
    let detail = bench.server.ended(&task, SOON).await;
    let output = &results_of(&detail)[0]["Output"];
    let object = store.object(OUTPUT, "big/noise.mkv").await.expect("the output");
    assert!(object.len() > 12 * 1024 * 1024, "{} bytes are no two parts", object.len());
    assert_eq!(output["Md5"], md5_hex(&object), "{detail:#}");
}
