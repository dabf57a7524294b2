use mps_core::Kind;
use mps_core::task::{NewStep, NewTask, StepState, TaskState};
use mps_store::steps::{Claim, Place};
use mps_store::{Store, Tx, fair, on, steps, tasks};
use serde_json::json;

use crate::{on_each_database, query};

fn step(capability: i32, after: Vec<usize>) -> NewStep {
    NewStep { kind: "work".to_owned(), capability, params: json!({"n": 1}), after, is_gate: false, cost: 1 }
}

fn task(account: i64, priority: i32, steps: Vec<NewStep>) -> NewTask {
    NewTask {
        account,
        kind: "WorkflowTask".to_owned(),
        priority,
        session_id: None,
        session_context: "ctx".to_owned(),
        request: json!({"Input": "x"}),
        notify: None,
        steps,
    }
}

/// Stores a task of id `id` whose steps have the ids that follow.
async fn add(store: &Store, id: i64, new: NewTask) {
    let stored = store.write(move |tx| {
        Box::pin(async move {
            let public_id = format!("public-{id}");
            tasks::insert(tx, &[tasks::NewRow { id, public_id: &public_id, task: &new, created_ms: id }])
                .await?;
            let tag = fair::enter(tx, new.account, new.priority, new.steps.len() as i64).await?;
            for (ordinal, step) in (0..).zip(&new.steps) {
                let (priority, tag) = (new.priority, tag + ordinal);
                let place = Place { id: id + 1 + ordinal, task: id, ordinal, priority, tag };
                steps::insert(tx, &[(place, step)]).await?;
            }
            Ok(())
        })
    });
    stored.await.expect("stored");
}

async fn claim(store: &Store, capability: i32, ceiling: i32, limit: i64) -> Vec<steps::Claimed> {
    let claim = Claim { capability, ceiling, limit, lease_until: 1_000, now_ms: 500 };
    query!(store.write, steps::claim(claim)).expect("claimed")
}

fn tasks_of(claimed: &[steps::Claimed]) -> Vec<i64> {
    claimed.iter().map(|step| step.task).collect()
}

#[tokio::test]
async fn a_view_holds_all_that_was_stored() {
    async fn check(store: &Store) {
        add(store, 10, task(7, 3, vec![step(2, vec![]), step(0, vec![0])])).await;
        let view = query!(store.read, tasks::view(10)).expect("read").expect("there");
        let task = &view.task;
        assert_eq!(
            (task.public_id.as_str(), task.priority, task.state),
            ("public-10", 3, TaskState::Waiting)
        );
        assert_eq!((&task.request, task.session_context.as_str()), (&json!({"Input": "x"}), "ctx"));
        let steps: Vec<_> =
            view.steps.iter().map(|s| (s.id, s.capability, s.state, s.after.clone())).collect();
        assert_eq!(steps, [(11, 2, StepState::Ready, vec![]), (12, 0, StepState::Blocked, vec![0])]);
        assert_eq!(query!(store.read, tasks::view(11)).expect("read"), None);
    }
    on_each_database!(check);
}

#[tokio::test]
async fn claims_go_by_class_then_priority_then_share() {
    async fn check(store: &Store) {
        for (id, account, priority) in
            [(10, 1, 0), (20, 1, 0), (30, 1, 0), (40, 2, 0), (50, 3, 5), (60, 3, -10)]
        {
            add(store, id, task(account, priority, vec![step(0, vec![])])).await;
        }
        add(store, 70, task(1, 10, vec![step(4, vec![])])).await;
        assert_eq!(tasks_of(&claim(store, 0, 10, 3).await), [50, 10, 40], "the light account is not behind");
        assert_eq!(tasks_of(&claim(store, 0, -1, 9).await), [60], "a ceiling reaches the lowest");
        assert_eq!(tasks_of(&claim(store, 0, 10, 9).await), [20, 30]);
        assert_eq!(tasks_of(&claim(store, 4, 10, 9).await), [70]);
        assert!(claim(store, 0, 10, 9).await.is_empty());
    }
    on_each_database!(check);
}

#[tokio::test]
async fn a_newcomer_begins_where_the_line_has_got_to() {
    async fn check(store: &Store) {
        let enter =
            |account| async move { query!(store.write, fair::enter(account, 0, 10)).expect("entered") };
        assert_eq!((enter(1).await, enter(1).await, enter(2).await), (0, 10, 0));
        query!(store.write, fair::serve(0, 500)).expect("served");
        query!(store.write, fair::serve(0, 400)).expect("served");
        assert_eq!((enter(3).await, enter(1).await, enter(3).await), (500, 500, 510));
        let other = query!(store.write, fair::enter(1, 5, 10)).expect("entered");
        assert_eq!(other, 0, "each priority has its own line");
    }
    on_each_database!(check);
}

#[tokio::test]
async fn two_claimers_never_get_the_same_step() {
    async fn check(store: &Store) {
        for id in 0..60 {
            add(store, 100 + id * 10, task(id % 3, 0, vec![step(0, vec![])])).await;
        }
        let claims = (0..20).map(|_| claim(store, 0, 10, 4));
        let mut all: Vec<_> = futures::future::join_all(claims).await.concat().iter().map(|s| s.id).collect();
        all.sort_unstable();
        let before = all.len();
        all.dedup();
        assert_eq!((before, all.len()), (60, 60));
    }
    on_each_database!(check);
}

#[tokio::test]
async fn only_the_fence_of_the_attempt_opens_a_step() {
    async fn check(store: &Store) {
        add(store, 10, task(7, 0, vec![step(0, vec![])])).await;
        let taken = claim(store, 0, 10, 1).await.remove(0);
        let (id, fence) = (taken.id, taken.fence);
        assert_eq!(query!(store.read, steps::fence(id)).expect("read"), Some(fence));
        assert!(query!(store.write, steps::heartbeat(id, fence, 2_000, 40)).expect("beat"));
        assert!(query!(store.write, steps::heartbeat(id, fence, 2_000, 30)).expect("beat"));
        assert!(!query!(store.write, steps::heartbeat(id, fence - 1, 9_000, 99)).expect("beat"));
        let mut step = query!(store.read, tasks::view(10)).expect("read").expect("there").steps.remove(0);
        assert_eq!((step.state, step.progress, step.attempt), (StepState::Running, 40, 1));
        step.state = StepState::Succeeded;
        step.fence += 1;
        let late = step.clone();
        query!(store.write, steps::update(&step, fence, 0)).expect("stored");
        let stale = query!(store.write, steps::update(&late, fence, 0));
        assert_eq!(stale.map_err(|error| error.kind()), Err(Kind::Unavailable));
        assert!(!query!(store.write, steps::heartbeat(id, fence, 9_000, 99)).expect("beat"));
    }
    on_each_database!(check);
}

#[tokio::test]
async fn lost_leases_and_due_steps_are_found_in_time() {
    async fn check(store: &Store) {
        add(store, 10, task(7, 0, vec![step(0, vec![]), step(3, vec![])])).await;
        claim(store, 0, 10, 1).await;
        assert!(query!(store.read, steps::expired(999, 10)).expect("read").is_empty());
        let lost = query!(store.read, steps::expired(1_000, 10)).expect("read");
        assert_eq!(lost, [steps::Expired { task: 10, ordinal: 0, fence: 1 }]);
        let mut delayed = query!(store.read, tasks::view(10)).expect("read").expect("there").steps.remove(1);
        delayed.state = StepState::Delayed;
        query!(store.write, steps::update(&delayed, 0, 700)).expect("stored");
        assert_eq!(query!(store.read, steps::next_due()).expect("read"), Some(700));
        let counts = query!(store.read, steps::counts(10)).expect("counted");
        assert_eq!((counts.ready, counts.delayed, counts.running), (0, 1, 1));
        assert!(query!(store.write, steps::promote(699, 10)).expect("asked").is_empty());
        assert_eq!(query!(store.write, steps::promote(700, 10)).expect("woken"), [3]);
        assert_eq!(claim(store, 3, 10, 1).await.len(), 1);
    }
    on_each_database!(check);
}

#[tokio::test]
async fn lists_are_paged_by_state_and_failure() {
    async fn check(store: &Store) {
        for id in 1..=25 {
            add(store, id * 10, task(7, 0, vec![step(0, vec![]), step(0, vec![])])).await;
        }
        add(store, 990, task(8, 0, vec![step(0, vec![])])).await;
        let filter = tasks::Filter {
            account: 7,
            state: TaskState::Waiting,
            has_failed_step: None,
            from_ms: 0,
            to_ms: i64::MAX,
        };
        let page = query!(store.read, tasks::list(&filter, i64::MAX, 10)).expect("listed");
        assert_eq!(
            page.iter().map(|t| t.id).collect::<Vec<_>>(),
            (160..=250).rev().step_by(10).collect::<Vec<_>>()
        );
        assert_eq!(page[0].step_kinds, ["work", "work"]);
        assert_eq!(query!(store.read, tasks::list(&filter, 160, 10)).expect("listed")[0].id, 150);
        assert_eq!(query!(store.read, tasks::count(&filter)).expect("counted"), 25);
        let window = tasks::Filter { from_ms: 20, to_ms: 40, ..filter };
        assert_eq!(query!(store.read, tasks::count(&window)).expect("counted"), 3);
        let failed = tasks::Filter { has_failed_step: Some(true), ..filter };
        let whole = tasks::Filter { has_failed_step: Some(false), ..filter };
        let counts = (
            query!(store.read, tasks::count(&failed)).expect("counted"),
            query!(store.read, tasks::count(&whole)).expect("counted"),
        );
        assert_eq!(counts, (0, 25));
    }
    on_each_database!(check);
}

/// The claim must find the head of its index and sort nothing, however long the queue is.
#[tokio::test]
async fn a_claim_reads_its_index_in_order() {
    async fn check(store: &Store) {
        let plan = store.read(|tx| {
            Box::pin(async move {
                let pick = "SELECT id FROM steps WHERE state = 1 AND cap = 0 AND prio <= 10
                    ORDER BY prio DESC, tag, id LIMIT 8";
                Ok(match tx {
                    Tx::Lite(c) => {
                        let q = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {pick}"));
                        let rows: Vec<(i64, i64, i64, String)> =
                            sqlx::query_as(q).fetch_all(&mut **c).await.expect("a plan");
                        rows.into_iter().map(|row| row.3).collect::<Vec<_>>()
                    }
                    Tx::Pg(c) => {
                        let off = "SET enable_seqscan = off";
                        sqlx::query(off).execute(&mut **c).await.expect("set");
                        let q = sqlx::AssertSqlSafe(format!("EXPLAIN {pick}"));
                        sqlx::query_scalar(q).fetch_all(&mut **c).await.expect("a plan")
                    }
                })
            })
        });
        let plan = plan.await.expect("read").join("\n");
        assert!(plan.contains("steps_ready"), "{plan}");
        assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
    on_each_database!(check);
}

#[tokio::test]
async fn just_in_time_compilation_is_off() {
    async fn check(store: &Store) {
        let jit = store.read(|tx| {
            Box::pin(async move {
                let Tx::Pg(_) = tx else { return Ok("off".to_owned()) };
                Ok(on!(tx, c => sqlx::query_scalar("SELECT current_setting('jit')").fetch_one(c).await)
                    .unwrap_or_default())
            })
        });
        assert_eq!(jit.await.expect("read"), "off");
    }
    on_each_database!(check);
}
