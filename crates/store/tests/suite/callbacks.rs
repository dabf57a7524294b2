use mps_store::Store;
use mps_store::callbacks::{DELIVERED, DUE, GIVEN_UP, IN_LINE, NewCallback, Taken};

use crate::{on_each_database, query};

fn callback(id: i64, task: i64, destination: &str) -> NewCallback {
    NewCallback {
        id,
        event_id: format!("event-{id}"),
        task,
        account: 7,
        destination: destination.to_owned(),
        target: "{}".to_owned(),
        body: format!("{{\"id\":{id}}}"),
        created_ms: 100,
    }
}

async fn add(store: &Store, id: i64, task: i64, destination: &'static str) {
    query!(store.write, callbacks::insert(&callback(id, task, destination))).expect("stored");
}

async fn take(store: &Store, destination: &'static str, now_ms: i64) -> Vec<Taken> {
    query!(store.write, callbacks::take(destination, now_ms, now_ms + 1_000, 10)).expect("taken")
}

async fn states(store: &Store, task: i64) -> Vec<i64> {
    query!(store.read, callbacks::of_task(task)).expect("read").iter().map(|c| c.state).collect()
}

#[tokio::test]
async fn callbacks_of_one_task_go_one_after_the_other() {
    async fn check(store: &Store) {
        for id in 1..=3 {
            add(store, id, 50, "a").await;
        }
        add(store, 4, 51, "a").await;
        assert_eq!(states(store, 50).await, [DUE, IN_LINE, IN_LINE]);
        let taken = take(store, "a", 100).await;
        assert_eq!(taken.iter().map(|c| c.id).collect::<Vec<_>>(), [1, 4]);
        let first = taken[0].clone();
        assert!(query!(store.write, callbacks::end(&first, DELIVERED, 200, "")).expect("ended"));
        assert_eq!(states(store, 50).await, [DELIVERED, DUE, IN_LINE]);
        let second = take(store, "a", 200).await.remove(0);
        assert_eq!(second.id, 2);
        assert!(query!(store.write, callbacks::end(&second, GIVEN_UP, 300, "gone")).expect("ended"));
        assert_eq!(states(store, 50).await, [DELIVERED, GIVEN_UP, DUE]);
    }
    on_each_database!(check);
}

#[tokio::test]
async fn an_outcome_counts_for_its_own_attempt_only() {
    async fn check(store: &Store) {
        add(store, 1, 50, "a").await;
        let stale = take(store, "a", 100).await.remove(0);
        assert!(take(store, "a", 1_099).await.is_empty(), "nobody else takes it meanwhile");
        let fresh = take(store, "a", 1_100).await.remove(0);
        assert_eq!((stale.attempts, fresh.attempts, stale.event_id == fresh.event_id), (1, 2, true));
        let (id, fence) = (stale.id, stale.fence);
        assert!(!query!(store.write, callbacks::put_off(id, fence, 9_000, "x")).expect("asked"));
        assert!(!query!(store.write, callbacks::end(&stale, DELIVERED, 1_200, "")).expect("asked"));
        let (id, fence) = (fresh.id, fresh.fence);
        assert!(query!(store.write, callbacks::put_off(id, fence, 9_000, "no answer")).expect("put off"));
        assert!(take(store, "a", 8_999).await.is_empty());
        assert_eq!(take(store, "a", 9_000).await.len(), 1);
    }
    on_each_database!(check);
}

#[tokio::test]
async fn destinations_are_found_however_long_their_lines_are() {
    async fn check(store: &Store) {
        for id in 1..=200 {
            add(store, id, id, "dead").await;
        }
        add(store, 300, 300, "alive").await;
        add(store, 301, 301, "zebra").await;
        let due =
            |now_ms| async move { query!(store.read, callbacks::due_destinations(now_ms)).expect("read") };
        assert_eq!(due(100).await, ["alive", "dead", "zebra"]);
        assert!(due(99).await.is_empty());
        assert_eq!(take(store, "zebra", 100).await.len(), 1);
        assert_eq!(due(100).await, ["alive", "dead"]);
        assert_eq!(query!(store.read, callbacks::pending(1_000)).expect("counted"), 202);
        assert_eq!(query!(store.read, callbacks::pending(50)).expect("counted"), 50);
    }
    on_each_database!(check);
}

#[tokio::test]
async fn only_ended_callbacks_are_forgotten() {
    async fn check(store: &Store) {
        add(store, 1, 50, "a").await;
        add(store, 2, 51, "a").await;
        let taken = take(store, "a", 100).await.remove(0);
        query!(store.write, callbacks::end(&taken, DELIVERED, 200, "")).expect("ended");
        assert_eq!(query!(store.write, callbacks::forget(200, 10)).expect("asked"), 0);
        assert_eq!(query!(store.write, callbacks::forget(201, 10)).expect("forgotten"), 1);
        assert_eq!(query!(store.read, callbacks::pending(10)).expect("counted"), 1);
    }
    on_each_database!(check);
}
