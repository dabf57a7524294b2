//! Traces go to a collector where one is configured.

use std::time::Instant;

use mps_e2e::{Bench, SOON, by_url};
use mps_testkit::made;
use mps_testkit::receiver::Receiver;
use serde_json::json;

use crate::{seconds, tools_or_return};

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_a_span_of_each_call_and_each_step() {
    tools_or_return!();
    let collector = Receiver::start().await;
    let endpoint = format!("http://{}", collector.host());
    let mut bench = Bench::with(|setup| setup.set("telemetry.otlp_endpoint", &endpoint)).await;
    let url = bench.web.offer("a.mp4", &made::clip(320, 180, "25", seconds(1)));
    let task = bench.server.process(&by_url(&url, "/x/", &[json!({"Definition": 100_010})])).await;
    bench.server.ended(&task, SOON).await;
    bench.server.terminate();
    assert!(bench.server.exit(seconds(60)).await.success());

    // The last batch is sent before the end.
    let begun = Instant::now();
    let told = loop {
        let told: String = collector.at("v1/traces").iter().map(|call| call.text.clone()).collect();
        if told.contains("transcode") || begun.elapsed() > seconds(10) {
            break told;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    for word in ["ProcessMedia", "call", "step", "source", "transcode", task.as_str()] {
        assert!(told.contains(word), "no {word} in the traces");
    }
}
