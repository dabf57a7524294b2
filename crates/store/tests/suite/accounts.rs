use mps_core::Kind;
use mps_store::Store;
use mps_store::accounts::{ACTIVE, Key, REVOKED};

use crate::{on_each_database, query};

fn key(secret_id: &str, account: i64) -> Key {
    Key {
        secret_id: secret_id.to_owned(),
        account,
        secret_key: "very secret".to_owned(),
        state: ACTIVE,
        created_ms: 5,
        comment: "for tests".to_owned(),
    }
}

#[tokio::test]
async fn an_account_is_made_once() {
    async fn check(store: &Store) {
        assert!(query!(store.write, accounts::ensure(7, "first", 1)).expect("made"));
        assert!(!query!(store.write, accounts::ensure(7, "second", 2)).expect("found"));
        let found = query!(store.read, accounts::get(7)).expect("read").expect("there");
        assert_eq!((found.name.as_str(), found.created_ms), ("first", 1));
        assert_eq!(query!(store.read, accounts::get(8)).expect("read"), None);
        assert_eq!(query!(store.read, accounts::list()).expect("read").len(), 1);
    }
    on_each_database!(check);
}

#[tokio::test]
async fn keys_are_added_listed_and_revoked() {
    async fn check(store: &Store) {
        let orphan = query!(store.write, accounts::add_key(&key("AKID0", 7)));
        assert_eq!(orphan.map_err(|error| error.kind()), Err(Kind::NotFound));
        query!(store.write, accounts::ensure(7, "first", 1)).expect("made");
        query!(store.write, accounts::add_key(&key("AKID1", 7))).expect("added");
        query!(store.write, accounts::add_key(&key("AKID2", 7))).expect("added");
        let again = query!(store.write, accounts::add_key(&key("AKID1", 7)));
        assert_eq!(again.map_err(|error| error.kind()), Err(Kind::Conflict));
        assert!(query!(store.write, accounts::revoke_key("AKID1")).expect("revoked"));
        assert!(!query!(store.write, accounts::revoke_key("AKID9")).expect("asked"));
        let keys = query!(store.read, accounts::keys(7)).expect("listed");
        let states: Vec<_> = keys.iter().map(|key| (key.secret_id.as_str(), key.state)).collect();
        assert_eq!(states, [("AKID1", REVOKED), ("AKID2", ACTIVE)]);
        assert_eq!(query!(store.read, accounts::key("AKID2")).expect("read"), Some(key("AKID2", 7)));
    }
    on_each_database!(check);
}

#[test]
fn a_printed_key_does_not_show_its_secret() {
    assert!(!format!("{:?}", key("AKID1", 7)).contains("very secret"));
}
