//! Stopping on purpose: the first signal drains, the second stops now, and what was cut off is done later.

use std::time::Instant;

use mps_e2e::{Bench, SOON, by_url, notify, results_of};
use mps_testkit::databases::postgres;
use mps_testkit::made;
use mps_testkit::server::OUTPUT;
use serde_json::json;

use crate::{seconds, tools_or_return};

/// A task that reads its source only once the web server lets it.
async fn held(bench: &Bench, name: &str) -> String {
    bench.web.offer("film.mp4", &made::clip(160, 90, "25", seconds(1)));
    let mut request =
        by_url(&bench.web.url("held/film.mp4"), &format!("/{name}/"), &[json!({"Definition": 100_010})]);
    request["TaskNotifyConfig"] = notify(&bench.receiver.url(name), "Finish");
    let task = bench.server.process(&request).await;
    bench.server.until(&task, SOON, |detail| detail["Status"] == "PROCESSING").await;
    let limit = Instant::now() + SOON;
    while bench.web.held_requests() == 0 {
        assert!(Instant::now() < limit, "the source was not asked for");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    task
}

/// After the next start the task ends well, and is told of once.
async fn ends(bench: &Bench, task: &str, name: &str) {
    let detail = bench.server.ended(task, SOON).await;
    let results = results_of(&detail);
    assert_eq!(results[0]["Status"], "SUCCESS", "{detail:#}");
    let path = results[0]["Output"]["Path"].as_str().unwrap_or_default();
    assert!(bench.server.object(OUTPUT, path).await.is_some(), "no {path}");
    let calls = bench.receiver.wait(name, 1, SOON).await;
    assert!(calls.iter().all(|call| call.event_id == calls[0].event_id), "{calls:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_a_running_step_end_and_leaves_the_rest_for_later() {
    tools_or_return!();
    let mut bench = Bench::with(|setup| setup.set("workers.slots", "1")).await;
    let running = held(&bench, "running").await;
    let url = bench.web.url("film.mp4");
    let waiting = bench.server.process(&by_url(&url, "/waiting/", &[json!({"Definition": 100_010})])).await;
    bench.server.terminate();
    // It takes no calls any more, but waits for the step.
    let limit = Instant::now() + SOON;
    while bench.server.is_ready().await {
        assert!(Instant::now() < limit, "a stopping server says that it is ready");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(!bench.server.has_ended(), "it did not wait for the step");
    bench.web.release();
    assert_eq!(bench.server.exit(SOON).await.code(), Some(0));

    bench.server.restart(|setup| setup).await;
    ends(&bench, &running, "running").await;
    assert_eq!(results_of(&bench.server.ended(&waiting, SOON).await)[0]["Status"], "SUCCESS");
    assert_eq!(bench.web.held_requests(), requests_of_one_task(&bench).await, "the step was done again");
}

/// Requests for a held source that one undisturbed task makes.
async fn requests_of_one_task(bench: &Bench) -> usize {
    let before = bench.web.held_requests();
    let request = by_url(&bench.web.url("held/film.mp4"), "/again/", &[json!({"Definition": 100_010})]);
    let task = bench.server.process(&request).await;
    bench.server.ended(&task, SOON).await;
    bench.web.held_requests() - before
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_outlasts_the_grace_is_handed_back_and_done_after_the_next_start() {
    tools_or_return!();
    let mut bench = Bench::with(|setup| setup.set("workers.grace_s", "1")).await;
    let task = held(&bench, "long").await;
    bench.server.terminate();
    assert_eq!(bench.server.exit(seconds(30)).await.code(), Some(0));
    assert!(bench.server.programs().is_empty(), "programs outlive their server");
    bench.web.release();
    bench.server.restart(|setup| setup).await;
    ends(&bench, &task, "long").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_stops_now() {
    tools_or_return!();
    let mut bench = Bench::with(|setup| setup.set("workers.grace_s", "600")).await;
    let task = held(&bench, "cut").await;
    bench.server.terminate();
    let limit = Instant::now() + SOON;
    while bench.server.is_ready().await {
        assert!(Instant::now() < limit, "a stopping server says that it is ready");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(!bench.server.has_ended(), "it did not wait for the step");
    bench.server.terminate();
    let began = Instant::now();
    let status = bench.server.exit(SOON).await;
    assert!(began.elapsed() < seconds(10), "it took {:?} to stop now", began.elapsed());
    assert_eq!(status.code(), Some(0));
    bench.web.release();
    bench.server.restart(|setup| setup).await;
    ends(&bench, &task, "cut").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_worker_gives_its_step_to_another_at_once() {
    tools_or_return!();
    let Some(database) = postgres().await else {
        eprintln!("skipped: MPS_TEST_POSTGRES names no PostgreSQL server");
        return;
    };
    let bench = Bench::with(|setup| {
        setup
            .set("database.url", &database.url)
            .set("workers.enabled", "false")
            .set("workers.lease_s", "3600")
            .set("workers.grace_s", "1")
    })
    .await;
    let mut first = bench.server.worker();
    let task = held(&bench, "given").await;
    let status = first.stop(seconds(30)).await;
    assert_eq!(status.code(), Some(0));
    bench.web.release();
    let mut second = bench.server.worker();
    ends(&bench, &task, "given").await;
    assert_eq!(second.stop(seconds(30)).await.code(), Some(0));
}
