use mps_store::objects::{Condition, Origin, PublishObject};
use mps_store::sessions::REMEMBERED_MS;
use mps_store::usage::{Of, Usage};
use mps_store::{Store, on};
use serde_json::{Value, json};

use crate::{on_each_database, query};

#[tokio::test]
async fn templates_are_numbered_by_family_and_kept_as_sent() {
    async fn check(store: &Store) {
        let body = json!({"z": 1, "a": {"text": "Ω \u{0} \"", "list": [1.5, null]}, "big": 9_007_199_254_740_993_i64});
        let sent = body.clone();
        let create = query!(store.write, templates::create(7, "transcode", 1_000_000, "one", &sent, 5));
        assert_eq!(create.expect("made"), 1_000_000);
        for (family, account, expected) in
            [("transcode", 8, 1_000_001), ("snapshot", 7, 20), ("transcode", 7, 1_000_002)]
        {
            let first = if family == "snapshot" { 20 } else { 1_000_000 };
            let made = query!(store.write, templates::create(account, family, first, "n", &Value::Null, 6));
            assert_eq!(made.expect("made"), expected);
        }
        let found =
            query!(store.read, templates::get(7, "transcode", 1_000_000)).expect("read").expect("there");
        assert_eq!((found.body, found.name.as_str(), found.created_ms), (body, "one", 5));
        let ids: Vec<_> = query!(store.read, templates::list(7, "transcode"))
            .expect("listed")
            .iter()
            .map(|template| template.id)
            .collect();
        assert_eq!(ids, [1_000_000, 1_000_002]);
    }
    on_each_database!(check);
}

#[tokio::test]
async fn a_template_is_changed_and_removed_by_its_owner_only() {
    async fn check(store: &Store) {
        let id = query!(store.write, templates::create(7, "f", 1, "old", &json!({}), 5)).expect("made");
        assert!(!query!(store.write, templates::update(8, "f", id, "new", &json!([]), 9)).expect("asked"));
        assert!(query!(store.write, templates::update(7, "f", id, "new", &json!([]), 9)).expect("changed"));
        let found = query!(store.read, templates::get(7, "f", id)).expect("read").expect("there");
        assert_eq!(
            (found.name.as_str(), found.body, found.created_ms, found.updated_ms),
            ("new", json!([]), 5, 9)
        );
        assert!(!query!(store.write, templates::delete(8, "f", id)).expect("asked"));
        assert!(query!(store.write, templates::delete(7, "f", id)).expect("removed"));
        assert_eq!(query!(store.read, templates::get(7, "f", id)).expect("read"), None);
        let next = query!(store.write, templates::create(7, "f", 1, "x", &json!({}), 5)).expect("made");
        assert_eq!(next, id + 1, "a number is never used twice");
    }
    on_each_database!(check);
}

#[tokio::test]
async fn templates_are_counted_and_named_by_account_and_family() {
    async fn check(store: &Store) {
        for (account, family, name) in [(7, "f", "one"), (7, "f", "two"), (7, "g", "three"), (8, "f", "four")]
        {
            query!(store.write, templates::create(account, family, 1, name, &json!({}), 5)).expect("made");
        }
        assert_eq!(query!(store.read, templates::count(7, "f")).expect("counted"), 2);
        assert_eq!(query!(store.read, templates::count(9, "f")).expect("counted"), 0);
        let mut names = query!(store.read, templates::names(7, "f")).expect("listed");
        names.sort();
        assert_eq!(names, [("one".to_owned(), 1), ("two".to_owned(), 2)]);
    }
    on_each_database!(check);
}

#[tokio::test]
async fn a_session_id_is_refused_for_three_days() {
    async fn check(store: &Store) {
        assert!(query!(store.write, sessions::remember(7, "s", 1, 1_000)).expect("asked"));
        assert!(query!(store.write, sessions::remember(8, "s", 2, 1_000)).expect("asked"));
        let almost = 1_000 + REMEMBERED_MS - 1;
        assert!(!query!(store.write, sessions::remember(7, "s", 3, almost)).expect("asked"));
        assert!(query!(store.write, sessions::remember(7, "s", 4, almost + 1)).expect("asked"));
        assert!(!query!(store.write, sessions::remember(7, "s", 5, almost + 2)).expect("asked"));
        let forgotten = query!(store.write, sessions::forget(almost + 2, 100)).expect("forgotten");
        assert_eq!(forgotten, 1, "only the other account's");
    }
    on_each_database!(check);
}

#[tokio::test]
async fn use_is_added_up_by_item_and_time() {
    async fn check(store: &Store) {
        let used = |amount| Usage { item: "transcode".to_owned(), amount, unit: "ms".to_owned() };
        for (id, account, at_ms, amount) in [(1, 7, 10, 5), (2, 7, 20, 6), (3, 7, 30, 7), (4, 8, 20, 100)] {
            let of = Of { account, task: 1, step: 1, at_ms };
            query!(store.write, usage::add(id, of, &used(amount))).expect("noted");
        }
        let totals = query!(store.read, usage::totals(7, 10, 30)).expect("added up");
        assert_eq!(totals.len(), 1);
        assert_eq!(
            (totals[0].item.as_str(), totals[0].unit.as_str(), totals[0].amount),
            ("transcode", "ms", 11)
        );
    }
    on_each_database!(check);
}

fn object(key: &str) -> PublishObject {
    PublishObject {
        bucket: "films".to_owned(),
        key: key.to_owned(),
        blob_path: format!("blobs/{key}"),
        size_bytes: 3,
        etag: "e".to_owned(),
        md5: "m".to_owned(),
        content_type: "video/mp4".to_owned(),
        meta: json!({}),
        created_ms: 1,
        origin: Origin::Put,
        condition: Condition::None,
    }
}

async fn bucket(store: &Store) {
    store
        .write(|tx| {
            Box::pin(async move {
                let q = "INSERT INTO buckets (name, account, region, created_ms) VALUES ('films', 7, 'r', 1)";
                on!(tx, c => sqlx::query(q).execute(c).await.map(drop)).expect("stored");
                Ok(())
            })
        })
        .await
        .expect("stored");
}

#[tokio::test]
async fn keys_come_in_the_order_of_their_bytes() {
    async fn check(store: &Store) {
        bucket(store).await;
        let mut keys = vec!["b", "B", "a/b", "a", "a-b", "é", "z", "_", "日本", "a b", "A/é", "~", "aa"];
        for (version, key) in (1..).zip(keys.clone()) {
            query!(store.write, objects::publish(&object(key), version)).expect("published");
        }
        let found: Vec<String> = store
            .read(|tx| {
                Box::pin(async move {
                    let q = "SELECT key FROM objects WHERE bucket = $1 AND key > $2 ORDER BY key";
                    let rows = on!(tx, c => sqlx::query_scalar(q).bind("films").bind("A").fetch_all(c).await);
                    Ok(rows.expect("read"))
                })
            })
            .await
            .expect("read");
        keys.sort_unstable();
        assert_eq!(found, keys);
    }
    on_each_database!(check);
}

#[tokio::test]
async fn each_version_that_becomes_visible_raises_one_event() {
    async fn check(store: &Store) {
        bucket(store).await;
        query!(store.write, objects::publish(&object("k"), 11)).expect("published");
        query!(store.write, objects::publish(&object("k"), 12)).expect("published");
        let events = query!(store.read, object_events::after(0, 10)).expect("read");
        let seen: Vec<_> = events.iter().map(|event| (event.id, event.key.as_str(), event.account)).collect();
        assert_eq!(seen, [(11, "k", 7), (12, "k", 7)]);
        assert_eq!(query!(store.read, object_events::after(11, 10)).expect("read").len(), 1);
    }
    on_each_database!(check);
}
