use mps_core::task::{NewTask, NotifyMode, Rules, StepState, TaskState};
use mps_core::{Error, Kind, Retry};
use mps_store::objects::{Condition, Origin, PublishObject};
use mps_store::usage::Usage;
use mps_store::{object_events, on, usage};
use mps_tasks::{Ask, Beat, Described, Engine, ListFilter, Outcome};
use mps_testkit::databases;
use serde_json::{Value, json};

use crate::kit::{ACCOUNT, Bench, LEASE_MS, START_MS, gate, step, task, told_by};

/// Runs a check on an engine over each database.
macro_rules! on_each {
    (|$bench:ident| $check:block) => {
        for database in databases().await {
            eprintln!("on {}", database.name);
            let $bench = Bench::on(&database).await;
            $check
            $bench.store.close().await;
        }
    };
}

fn outcome(result: Value) -> Outcome {
    Outcome { result, ..Outcome::default() }
}

#[tokio::test]
async fn an_accepted_task_is_waiting_and_findable_by_its_owner_only() {
    on_each!(|bench| {
        let id =
            bench.accept(NewTask { priority: 3, session_context: "c".into(), ..task(vec![step(&[])]) }).await;
        assert!(id.starts_with("7-WorkflowTask-") && id.ends_with("tt1"), "{id}");
        let view = bench.view(&id).await;
        assert_eq!((view.task.state, view.task.created_ms), (TaskState::Waiting, START_MS));
        assert_eq!((view.task.priority, view.task.session_context.as_str()), (3, "c"));
        assert_eq!(bench.engine.view(8, &id).await.expect("read"), None);
        let other = id.replace("tt1", "tt2");
        assert_eq!(bench.engine.view(ACCOUNT, &other).await.expect("read"), None);
        let mut guess = id.clone();
        guess.replace_range(id.len() - 5..id.len() - 3, "zz");
        assert_eq!(bench.engine.describe(ACCOUNT, &guess).await.expect("read"), None);
    });
}

#[tokio::test]
async fn what_cannot_be_a_task_is_refused() {
    on_each!(|bench| {
        let wrong = [
            task(vec![]),
            task(vec![step(&[0])]),
            task(vec![step(&[1]), step(&[])]),
            NewTask { priority: 11, ..task(vec![step(&[])]) },
        ];
        for new in wrong {
            let error = bench.engine.accept(new).await.expect_err("refused");
            assert_eq!(error.kind(), Kind::InvalidInput);
        }
    });
}

#[tokio::test]
async fn of_tasks_that_arrive_together_only_the_wrong_ones_are_refused() {
    on_each!(|bench| {
        let together = (0..150).map(|nth| {
            let session_id = Some(if nth % 50 == 7 { "same".to_owned() } else { format!("s{nth}") });
            let steps = (0..=nth % 3).map(|_| step(&[])).collect();
            // PostgreSQL cannot store this character, and says so for the whole statement.
            let session_context = if nth == 99 { "a\0b" } else { "ab" }.to_owned();
            bench.engine.accept(NewTask { session_id, session_context, ..task(steps) })
        });
        let outcomes = futures::future::join_all(together).await;
        let is_stored = |nth: usize| {
            outcomes[nth].is_ok() || (nth == 99 && bench.store.backend() == mps_store::Backend::Postgres)
        };
        let refused: Vec<usize> = (0..150).filter(|nth| !is_stored(*nth)).collect();
        assert_eq!(refused.len(), 2, "{refused:?}");
        assert!(refused.iter().all(|nth| nth % 50 == 7), "{refused:?}");
        for (nth, accepted) in outcomes.iter().enumerate() {
            let Ok(accepted) = accepted else { continue };
            let view = bench.view(&accepted.public_id).await;
            assert_eq!(view.steps.len(), nth % 3 + 1);
            assert_eq!(
                view.task.session_id,
                if nth % 50 == 7 { "same".to_owned() } else { format!("s{nth}") }
            );
        }
    });
}

#[tokio::test]
async fn a_session_id_is_taken_once_in_three_days_and_an_empty_one_never() {
    on_each!(|bench| {
        let with = |session: &str| NewTask { session_id: Some(session.into()), ..task(vec![step(&[])]) };
        bench.accept(with("s")).await;
        let error = bench.engine.accept(with("s")).await.expect_err("refused");
        assert_eq!(error.kind(), Kind::Conflict);
        assert!(error.context().contains(&("code", "SessionId".to_owned())));
        let page = bench.engine.list(ACCOUNT, &ListFilter { limit: 10, ..ListFilter::default() }).await;
        assert_eq!(page.expect("listed").total, 1, "the refused task left nothing");
        bench.accept(with("")).await;
        bench.accept(with("")).await;
        bench.clock.advance(3 * 24 * 3_600_000);
        bench.accept(with("s")).await;
    });
}

#[tokio::test]
async fn results_pass_from_step_to_step_and_the_answer_is_ready_at_the_end() {
    on_each!(|bench| {
        let id = bench.accept(task(vec![gate(), step(&[0])])).await;
        let first = bench.claim(9).await;
        assert_eq!(first.len(), 1, "the second waits");
        bench.clock.advance(5);
        let metadata = Some(json!({"duration_us": 9}));
        let found = Outcome { result: json!({"probe": 1}), metadata, ..Outcome::default() };
        bench.engine.succeed(first[0], found).await.expect("stored");
        let described = bench.engine.describe(ACCOUNT, &id).await.expect("read");
        assert!(matches!(described, Some(Described::View(_))));
        let second = bench.claim(9).await;
        let job = bench.engine.job(second[0]).await.expect("read").expect("held");
        assert_eq!(job.steps[0].result, Some(json!({"probe": 1})));
        assert_eq!(job.task.metadata, Some(json!({"duration_us": 9})));
        bench.clock.advance(5);
        bench.engine.succeed(second[0], outcome(json!("file"))).await.expect("stored");
        let view = bench.view(&id).await;
        assert_eq!((view.task.begun_ms, view.task.finished_ms), (Some(START_MS), Some(START_MS + 10)));
        assert_eq!(view.steps[1].result, Some(json!("file")));
        let Some(Described::Ready(answer)) = bench.engine.describe(ACCOUNT, &id).await.expect("read") else {
            panic!("no ready answer");
        };
        assert_eq!(serde_json::from_str::<Value>(&answer).expect("JSON"), json!(view));
    });
}

#[tokio::test]
async fn an_end_and_the_next_claim_are_one_change() {
    on_each!(|bench| {
        let id = bench.accept(task(vec![gate(), step(&[0]), step(&[0])])).await;
        let first = bench.claim(1).await[0];
        let ask = Ask { capabilities: vec![0], limit: 1, lease_ms: LEASE_MS };
        let second = bench.engine.succeed_and_claim(first, outcome(json!(1)), &ask).await.expect("stored");
        assert_eq!((second.len(), second[0].ordinal), (1, 1));
        let states = bench.states(&id).await;
        assert_eq!(states, [StepState::Succeeded, StepState::Running, StepState::Ready]);
        let job = bench.engine.job(second[0]).await.expect("read").expect("held");
        assert_eq!(job.steps[0].result, Some(json!(1)));

        // An attempt that is void takes nothing either.
        let lost = bench.engine.succeed_and_claim(first, outcome(json!(2)), &ask).await;
        assert_eq!(lost.map_err(|error| error.kind()), Err(Kind::LostLease));
        assert_eq!(bench.states(&id).await, states);

        let third = bench.engine.succeed_and_claim(second[0], outcome(json!(2)), &ask).await.expect("stored");
        assert_eq!(third[0].ordinal, 2);
        let none = bench.engine.succeed_and_claim(third[0], outcome(json!(3)), &ask).await.expect("stored");
        assert_eq!((none.len(), bench.view(&id).await.task.state), (0, TaskState::Finished));
    });
}

#[tokio::test]
async fn a_stale_attempt_publishes_nothing() {
    on_each!(|bench| {
        make_bucket(&bench).await;
        let id = bench.accept(told_by(NotifyMode::Finish, vec![step(&[])])).await;
        let stale = bench.claim(1).await[0];
        bench.clock.advance(LEASE_MS);
        assert_eq!(bench.engine.sweep().await.expect("swept").lost, 1);
        let fresh = bench.claim(1).await[0];
        let publish = || Outcome {
            result: json!(1),
            metadata: Some(json!({})),
            publish: vec![object()],
            usage: vec![Usage { item: "x".into(), amount: 1, unit: "ms".into() }],
        };
        for lost in [
            bench.engine.succeed(stale, publish()).await,
            bench.engine.fail(stale, &Error::invalid("x")).await,
            bench.engine.hand_back(stale).await,
        ] {
            assert_eq!(lost.map_err(|error| error.kind()), Err(Kind::LostLease));
        }
        let beats = [Beat { taken: stale, progress: 99 }, Beat { taken: fresh, progress: 7 }];
        assert_eq!(bench.engine.heartbeat(&beats, LEASE_MS).await.expect("beat"), [false, true]);
        assert!(bench.engine.job(stale).await.expect("read").is_none());
        assert_eq!((events(&bench).await, used(&bench).await, bench.callbacks(&id).await.len()), (0, 0, 0));
        bench.engine.succeed(fresh, publish()).await.expect("stored");
        assert_eq!((events(&bench).await, used(&bench).await, bench.callbacks(&id).await.len()), (1, 1, 1));
        let again = bench.engine.succeed(fresh, publish()).await;
        assert_eq!(again.map_err(|error| error.kind()), Err(Kind::LostLease));
        assert_eq!((events(&bench).await, used(&bench).await, bench.callbacks(&id).await.len()), (1, 1, 1));
    });
}

fn object() -> PublishObject {
    PublishObject {
        bucket: "films".into(),
        key: "out.mp4".into(),
        blob_path: "blobs/1".into(),
        size_bytes: 3,
        etag: "e".into(),
        md5: "m".into(),
        content_type: "video/mp4".into(),
        meta: json!({}),
        created_ms: START_MS,
        origin: Origin::TaskOutput,
        condition: Condition::None,
    }
}

async fn make_bucket(bench: &Bench) {
    let made = bench.store.write(|tx| {
        Box::pin(async move {
            let q = "INSERT INTO buckets (name, account, region, created_ms) VALUES ('films', 7, 'r', 1)";
            on!(tx, c => sqlx::query(q).execute(c).await.map(drop)).expect("stored");
            Ok(())
        })
    });
    made.await.expect("stored");
}

async fn events(bench: &Bench) -> usize {
    let events = bench.store.read(|tx| Box::pin(object_events::after(tx, 0, 100))).await;
    events.expect("read").len()
}

async fn used(bench: &Bench) -> usize {
    let totals = bench.store.read(|tx| Box::pin(usage::totals(tx, ACCOUNT, 0, i64::MAX))).await;
    totals.expect("read").len()
}

#[tokio::test]
async fn an_outcome_that_cannot_be_stored_leaves_the_step_running() {
    on_each!(|bench| {
        let id = bench.accept(task(vec![step(&[])])).await;
        let taken = bench.claim(1).await[0];
        let publish = PublishObject { bucket: "no-such-bucket".into(), ..object() };
        let lost =
            bench.engine.succeed(taken, Outcome { publish: vec![publish], ..Outcome::default() }).await;
        assert_eq!(lost.map_err(|error| error.kind()), Err(Kind::NotFound));
        assert_eq!(bench.states(&id).await, [StepState::Running]);
        bench.engine.succeed(taken, Outcome::default()).await.expect("still held");
    });
}

#[tokio::test]
async fn in_finish_mode_the_owner_is_told_once() {
    on_each!(|bench| {
        let id = bench.accept(told_by(NotifyMode::Finish, vec![gate(), step(&[0])])).await;
        run_all(&bench.engine, &bench).await;
        assert_eq!(bench.told(&id).await, [("Finished".to_owned(), 100)]);
    });
}

#[tokio::test]
async fn in_change_mode_the_owner_is_told_of_each_change_with_growing_progress() {
    on_each!(|bench| {
        let id = bench.accept(told_by(NotifyMode::Change, vec![gate(), step(&[0]), step(&[0])])).await;
        run_all(&bench.engine, &bench).await;
        let told = bench.told(&id).await;
        let states: Vec<_> = told.iter().map(|(state, _)| state.as_str()).collect();
        assert_eq!(states, ["Processing", "Processing", "Processing", "Finished"]);
        assert_eq!(told.iter().map(|(_, progress)| *progress).collect::<Vec<_>>(), [0, 33, 66, 100]);
        let ids: std::collections::BTreeSet<_> =
            bench.callbacks(&id).await.into_iter().map(|callback| callback.event_id).collect();
        assert_eq!(ids.len(), 4, "each event has its own id");
    });
}

async fn run_all(engine: &Engine, bench: &Bench) {
    loop {
        let taken = bench.claim(1).await;
        let Some(taken) = taken.first() else { return };
        engine.succeed(*taken, Outcome::default()).await.expect("stored");
    }
}

#[tokio::test]
async fn a_failed_gate_fails_the_task_with_the_numbers_of_its_error() {
    on_each!(|bench| {
        let id = bench.accept(told_by(NotifyMode::Finish, vec![gate(), step(&[0])])).await;
        let taken = bench.claim(1).await[0];
        let error = Error::invalid("source file err").with("err_code", 70_000).with("err_ext", "SourceErr");
        bench.engine.fail(taken, &error).await.expect("stored");
        let view = bench.view(&id).await;
        assert_eq!(bench.states(&id).await, [StepState::Failed, StepState::Cancelled]);
        let failure = view.task.failure.expect("told");
        assert_eq!((failure.code, failure.word.as_str()), (70_000, "SourceErr"));
        assert_eq!(view.task.state, TaskState::Finished);
        assert_eq!(bench.callbacks(&id).await.len(), 1);
        let failed = ListFilter { has_failed_step: Some(true), limit: 10, ..ListFilter::default() };
        assert_eq!(bench.engine.list(ACCOUNT, &failed).await.expect("listed").total, 1);
    });
}

#[tokio::test]
async fn one_failed_step_of_three_leaves_the_others_and_the_task_alone() {
    on_each!(|bench| {
        let id = bench.accept(task(vec![step(&[]), step(&[]), step(&[])])).await;
        let taken = bench.claim(3).await;
        bench.engine.succeed(taken[0], Outcome::default()).await.expect("stored");
        bench.engine.fail(taken[1], &Error::invalid("no")).await.expect("stored");
        bench.engine.succeed(taken[2], Outcome::default()).await.expect("stored");
        let view = bench.view(&id).await;
        assert_eq!(bench.states(&id).await, [StepState::Succeeded, StepState::Failed, StepState::Succeeded]);
        assert_eq!((view.task.failure, view.task.state), (None, TaskState::Finished));
    });
}

#[tokio::test]
async fn a_passing_failure_waits_and_is_tried_again() {
    on_each!(|bench| {
        let id = bench.accept(task(vec![step(&[])])).await;
        let first = bench.claim(1).await[0];
        bench.engine.fail(first, &Error::unavailable("the source does not answer")).await.expect("stored");
        assert_eq!(bench.states(&id).await, [StepState::Delayed]);
        bench.clock.advance(999);
        assert_eq!(bench.engine.sweep().await.expect("swept").woken, 0);
        assert!(bench.claim(1).await.is_empty());
        bench.clock.advance(1);
        assert_eq!(bench.engine.sweep().await.expect("swept").woken, 1);
        let second = bench.claim(1).await[0];
        let after = Error::unavailable("busy").with_retry(Retry::AfterMs(60_000));
        bench.engine.fail(second, &after).await.expect("stored");
        bench.clock.advance(59_999);
        assert_eq!(bench.engine.sweep().await.expect("swept").woken, 0);
        bench.clock.advance(1);
        assert_eq!(bench.engine.sweep().await.expect("swept").woken, 1);
        let third = bench.claim(1).await[0];
        bench.engine.succeed(third, Outcome::default()).await.expect("stored");
        let step = bench.view(&id).await.steps.remove(0);
        assert_eq!((step.attempt, step.state, step.failure), (3, StepState::Succeeded, None));
    });
}

#[tokio::test]
async fn patience_ends() {
    for database in databases().await {
        let rules = Rules { max_attempts: 2, max_losses: 2, ..Rules::default() };
        let bench = Bench::with_rules(&database, rules).await;
        let failing = bench.accept(task(vec![step(&[])])).await;
        for _ in 0..2 {
            let taken = bench.claim(1).await[0];
            bench.engine.fail(taken, &Error::unavailable("no")).await.expect("stored");
            bench.clock.advance(10_000);
            bench.engine.sweep().await.expect("swept");
        }
        assert_eq!(bench.states(&failing).await, [StepState::Failed]);
        let losing = bench.accept(task(vec![step(&[])])).await;
        for _ in 0..2 {
            assert_eq!(bench.claim(1).await.len(), 1);
            bench.clock.advance(LEASE_MS);
            bench.engine.sweep().await.expect("swept");
        }
        let step = bench.view(&losing).await.steps.remove(0);
        assert_eq!(
            (step.state, step.failure.map(|f| f.word)),
            (StepState::Failed, Some("InternalError.WorkerLost".into()))
        );
        bench.store.close().await;
    }
}

#[tokio::test]
async fn heartbeats_keep_a_step_and_store_its_progress() {
    on_each!(|bench| {
        let id = bench.accept(task(vec![step(&[])])).await;
        let taken = bench.claim(1).await[0];
        for progress in [10, 50, 40] {
            bench.clock.advance(LEASE_MS - 1);
            assert_eq!(bench.engine.sweep().await.expect("swept").lost, 0);
            let held = bench.engine.heartbeat(&[Beat { taken, progress }], LEASE_MS).await.expect("beat");
            assert_eq!(held, [true]);
        }
        let view = bench.view(&id).await;
        assert_eq!((view.steps[0].progress, view.progress()), (50, 50));
    });
}

#[tokio::test]
async fn a_restarted_process_can_take_everything_back_at_once() {
    on_each!(|bench| {
        let id = bench.accept(task(vec![step(&[]), step(&[])])).await;
        let taken = bench.claim(2).await;
        assert_eq!(bench.engine.take_back_all().await.expect("taken back"), 2);
        assert_eq!(bench.states(&id).await, [StepState::Ready, StepState::Ready]);
        let late = bench.engine.succeed(taken[0], Outcome::default()).await;
        assert_eq!(late.map_err(|error| error.kind()), Err(Kind::LostLease));
        assert_eq!(bench.claim(9).await.len(), 2);
    });
}

#[tokio::test]
async fn a_waiting_task_can_be_aborted_and_a_begun_one_not() {
    on_each!(|bench| {
        let waiting = bench.accept(told_by(NotifyMode::Finish, vec![step(&[]), step(&[0])])).await;
        bench.engine.abort(ACCOUNT, &waiting).await.expect("aborted");
        let view = bench.view(&waiting).await;
        assert_eq!((view.task.state, view.task.aborted), (TaskState::Finished, true));
        assert_eq!(bench.callbacks(&waiting).await.len(), 1);
        assert!(bench.claim(9).await.is_empty(), "nothing of it is left to do");
        let again = bench.engine.abort(ACCOUNT, &waiting).await;
        assert_eq!(again.map_err(|error| error.kind()), Err(Kind::Conflict));
        let begun = bench.accept(task(vec![step(&[])])).await;
        bench.claim(1).await;
        let refused = bench.engine.abort(ACCOUNT, &begun).await;
        assert_eq!(refused.map_err(|error| error.kind()), Err(Kind::Conflict));
        let foreign = bench.engine.abort(8, &begun).await;
        assert_eq!(foreign.map_err(|error| error.kind()), Err(Kind::NotFound));
    });
}

#[tokio::test]
async fn the_higher_priority_goes_first_and_the_lowest_goes_in_the_end() {
    on_each!(|bench| {
        let with = |priority| NewTask { priority, ..task(vec![step(&[])]) };
        let lowest = bench.accept(with(-10)).await;
        for _ in 0..80 {
            bench.accept(with(0)).await;
        }
        let urgent = bench.accept(with(10)).await;
        let lowest = bench.view(&lowest).await.task.id;
        let urgent = bench.view(&urgent).await.task.id;
        let mut order = Vec::new();
        for _ in 0..60 {
            order.push(bench.claim(1).await[0].task);
        }
        assert_eq!(order[0], urgent);
        assert!(order.contains(&lowest), "starved behind 80 of higher priority");
    });
}

#[tokio::test]
async fn a_light_account_does_not_wait_behind_a_backlog() {
    on_each!(|bench| {
        for _ in 0..150 {
            bench.accept(task(vec![step(&[])])).await;
        }
        for _ in 0..50 {
            bench.clock.advance(100);
            let taken = bench.claim(1).await[0];
            bench.engine.succeed(taken, Outcome::default()).await.expect("stored");
        }
        let light =
            bench.engine.accept(NewTask { account: 8, ..task(vec![step(&[])]) }).await.expect("accepted");
        let mut waited = 0;
        while bench.claim(1).await[0].task != light.id {
            waited += 1;
        }
        assert!(waited <= 15, "waited for {waited} claims behind another's backlog of 100");
    });
}

#[tokio::test]
async fn pages_of_tasks_follow_each_other_without_repeats() {
    on_each!(|bench| {
        let mut all = Vec::new();
        for _ in 0..25 {
            bench.clock.advance(1_000);
            all.push(bench.accept(task(vec![step(&[])])).await);
        }
        bench.claim(3).await;
        all.reverse();
        let mut filter = ListFilter { limit: 10, ..ListFilter::default() };
        let (mut seen, mut pages) = (Vec::new(), 0);
        loop {
            let page = bench.engine.list(ACCOUNT, &filter).await.expect("listed");
            assert_eq!(page.total, 25);
            seen.extend(page.tasks.into_iter().map(|task| task.public_id));
            pages += 1;
            filter.token = page.next_token;
            if filter.token.is_empty() {
                break;
            }
        }
        assert_eq!((seen, pages), (all, 3));
        let running = ListFilter { state: Some(TaskState::Processing), limit: 10, ..ListFilter::default() };
        let running = bench.engine.list(ACCOUNT, &running).await.expect("listed");
        assert_eq!((running.total, running.tasks.len(), running.next_token.as_str()), (3, 3, ""));
        let (from_ms, to_ms) = (Some(START_MS + 2_000), Some(START_MS + 4_000));
        let window = ListFilter { from_ms, to_ms, limit: 10, ..ListFilter::default() };
        assert_eq!(bench.engine.list(ACCOUNT, &window).await.expect("listed").total, 3);
        let bad = ListFilter { token: "no token".into(), ..ListFilter::default() };
        let error = bench.engine.list(ACCOUNT, &bad).await.expect_err("refused");
        assert_eq!(error.kind(), Kind::InvalidInput);
    });
}

#[tokio::test]
async fn counts_tell_what_is_to_do() {
    on_each!(|bench| {
        bench.accept(told_by(NotifyMode::Change, vec![step(&[]), step(&[]), step(&[])])).await;
        let taken = bench.claim(2).await;
        bench.engine.fail(taken[0], &Error::unavailable("later")).await.expect("stored");
        let counts = bench.engine.counts().await.expect("counted");
        assert_eq!((counts.ready, counts.delayed, counts.running, counts.callbacks), (1, 1, 1, 1));
    });
}

#[tokio::test]
async fn two_steps_that_end_at_once_both_count() {
    on_each!(|bench| {
        let id = bench
            .accept(told_by(
                NotifyMode::Change,
                (0..8).map(|_| step(&[])).chain([step(&[0, 1, 2, 3, 4, 5, 6, 7])]).collect(),
            ))
            .await;
        let taken = bench.claim(8).await;
        let ends = taken.iter().map(|taken| bench.engine.succeed(*taken, Outcome::default()));
        for end in futures::future::join_all(ends).await {
            end.expect("stored");
        }
        assert_eq!(bench.states(&id).await[8], StepState::Ready);
        assert_eq!(bench.told(&id).await.len(), 9);
    });
}

#[tokio::test]
async fn engines_of_two_processes_share_a_queue() {
    for database in databases().await {
        let benches = [Bench::on(&database).await, Bench::on(&database).await];
        for at in 0..40 {
            benches[at % 2].accept(NewTask { account: at as i64 % 3, ..task(vec![step(&[])]) }).await;
        }
        let work = async |bench: &Bench| {
            let mut done = 0;
            loop {
                let taken = bench.claim(3).await;
                if taken.is_empty() {
                    return done;
                }
                for taken in taken {
                    bench.engine.succeed(taken, Outcome::default()).await.expect("stored");
                    done += 1;
                }
            }
        };
        let (a, b) = tokio::join!(work(&benches[0]), work(&benches[1]));
        assert_eq!(a + b, 40, "each step was done once");
        for bench in &benches {
            bench.store.close().await;
        }
    }
}
