use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use mps_core::{Error, Kind};
use mps_store::{Lane, Store, StoreOptions, fair, on};
use mps_testkit::databases;

use crate::{on_each_database, query};

async fn floors(store: &Store) -> i64 {
    store
        .read(|tx| {
            Box::pin(async move {
                let q = "SELECT count(*) FROM floors";
                Ok(on!(tx, c => sqlx::query_scalar(q).fetch_one(c).await).expect("counted"))
            })
        })
        .await
        .expect("counted")
}

#[tokio::test]
async fn a_failing_change_is_undone_alone() {
    async fn check(store: &Store) {
        let writes = (0..100_i64).map(|at| {
            store.write(move |tx| {
                Box::pin(async move {
                    fair::serve(tx, at, 1).await?;
                    if at % 3 == 0 { Err(Error::invalid("no thanks")) } else { Ok(at) }
                })
            })
        });
        let outcomes = futures::future::join_all(writes).await;
        for (at, outcome) in (0..).zip(outcomes) {
            match outcome {
                Ok(value) => assert_eq!((value, at % 3 == 0), (at, false)),
                Err(error) => assert_eq!((error.message(), at % 3), ("no thanks", 0)),
            }
        }
        assert_eq!(floors(store).await, 66);
    }
    on_each_database!(check);
}

#[tokio::test]
async fn a_panicking_change_is_undone_and_the_writer_lives() {
    async fn check(store: &Store) {
        let panics = store.write(|tx| {
            Box::pin(async move {
                fair::serve(tx, 1, 1).await?;
                if floors_is_one(tx).await { panic!("a planned panic") } else { Ok(()) }
            })
        });
        let good = query!(store.write, fair::serve(2, 1));
        let (bad, good) = (panics.await, good);
        assert_eq!(bad.map_err(|error| error.kind()), Err(Kind::Internal));
        good.expect("stored");
        assert_eq!(floors(store).await, 1);
    }
    on_each_database!(check);
}

async fn floors_is_one(tx: &mut mps_store::Tx<'_>) -> bool {
    let q = "SELECT count(*) FROM floors WHERE prio = 1";
    let found: i64 = on!(tx, c => sqlx::query_scalar(q).fetch_one(c).await).expect("counted");
    found == 1
}

#[tokio::test]
async fn a_broken_statement_does_not_break_its_group() {
    async fn check(store: &Store) {
        let broken = store.write(|tx| {
            Box::pin(async move {
                let done =
                    on!(tx, c => sqlx::query("SELECT nothing FROM nowhere").execute(c).await.map(drop));
                done.map_err(|error| Error::internal("planned").because(error))
            })
        });
        let good =
            (0..20).map(|at| store.write(move |tx| Box::pin(async move { fair::serve(tx, at, 1).await })));
        let (broken, good) = tokio::join!(broken, futures::future::join_all(good));
        assert!(broken.is_err());
        assert!(good.iter().all(Result::is_ok));
        assert_eq!(floors(store).await, 20);
    }
    on_each_database!(check);
}

#[tokio::test]
async fn a_full_queue_refuses_new_tasks_but_still_takes_work() {
    for database in databases().await {
        let store = database.open_with(StoreOptions { queue: 32, ..StoreOptions::default() }).await;
        let (release, released) = tokio::sync::oneshot::channel::<()>();
        let (begin, holding) = tokio::sync::oneshot::channel::<()>();
        let holder = tokio::spawn({
            let store = store.clone();
            async move {
                store
                    .write_in(Lane::Accept, |_| {
                        Box::pin(async move {
                            begin.send(()).expect("awaited");
                            released.await.expect("released");
                            Ok(())
                        })
                    })
                    .await
            }
        });
        holding.await.expect("begun");
        let mut waiting: Vec<_> = Vec::new();
        let refused = loop {
            let mut next = Box::pin(
                store.write_in(Lane::Accept, |tx| Box::pin(async move { fair::serve(tx, 1, 1).await })),
            );
            match futures::poll!(&mut next) {
                std::task::Poll::Ready(answer) => break answer.expect_err("only a refusal is ready at once"),
                std::task::Poll::Pending => waiting.push(next),
            }
            assert!(waiting.len() <= 32, "the queue has no end");
        };
        assert_eq!(refused.kind(), Kind::Limit);
        assert!(refused.context().contains(&("code", "StoreBusy".to_owned())));
        let mut work = Box::pin(store.write(|tx| Box::pin(async move { fair::serve(tx, 2, 1).await })));
        assert!(futures::poll!(&mut work).is_pending());
        release.send(()).expect("held");
        holder.await.expect("joined").expect("stored");
        work.await.expect("stored");
        for write in waiting {
            write.await.expect("stored");
        }
        store.close().await;
    }
}

#[tokio::test]
async fn closing_stores_what_was_submitted_and_refuses_the_rest() {
    async fn check(store: &Store) {
        let mut writes: Vec<_> = (0..300)
            .map(|at| Box::pin(store.write(move |tx| Box::pin(async move { fair::serve(tx, at, 1).await }))))
            .collect();
        for write in &mut writes {
            assert!(futures::poll!(write).is_pending());
        }
        let ((), stored) = tokio::join!(store.close(), futures::future::join_all(writes));
        assert!(stored.iter().all(Result::is_ok));
        let late = query!(store.write, fair::serve(1, 1));
        assert_eq!(late.map_err(|error| error.kind()), Err(Kind::Unavailable));
    }
    on_each_database!(check);
}

#[tokio::test]
async fn many_writers_and_readers_at_once_lose_nothing() {
    async fn check(store: &Store) {
        let store = Arc::new(store.clone());
        let tasks = (0..16).map(|worker: i64| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for at in 0..40 {
                    let lane = if at % 2 == 0 { Lane::Accept } else { Lane::Work };
                    let account = worker * 2 + i64::from(lane == Lane::Work);
                    store
                        .write_in(lane, move |tx| {
                            Box::pin(async move { fair::enter(tx, account, 0, 1).await.map(drop) })
                        })
                        .await
                        .expect("stored");
                    store.ping().await.expect("answers");
                }
            })
        });
        for task in futures::future::join_all(tasks).await {
            task.expect("joined");
        }
        let q = "SELECT CAST(sum(tail) AS BIGINT) FROM tails";
        let all: i64 = store
            .read(|tx| {
                Box::pin(
                    async move { Ok(on!(tx, c => sqlx::query_scalar(q).fetch_one(c).await).expect("sum")) },
                )
            })
            .await
            .expect("read");
        assert_eq!(all, 16 * 40);
    }
    on_each_database!(check);
}

#[tokio::test]
async fn a_snapshot_does_not_see_later_changes() {
    async fn check(store: &Store) {
        let writer = store.clone();
        let (before, after) = store
            .snapshot(|tx| {
                Box::pin(async move {
                    let q = "SELECT count(*) FROM floors";
                    let before: i64 =
                        on!(tx, c => sqlx::query_scalar(q).fetch_one(c).await).expect("counted");
                    query!(writer.write, fair::serve(1, 1)).expect("stored");
                    let after: i64 = on!(tx, c => sqlx::query_scalar(q).fetch_one(c).await).expect("counted");
                    Ok((before, after))
                })
            })
            .await
            .expect("read");
        assert_eq!((before, after, floors(store).await), (0, 0, 1));
    }
    on_each_database!(check);
}

#[tokio::test]
async fn opening_again_finds_what_was_stored() {
    for database in databases().await {
        let (first, second) = tokio::join!(database.open(), database.open());
        query!(first.write, fair::serve(3, 4)).expect("stored");
        first.close().await;
        assert_eq!(floors(&second).await, 1);
        second.close().await;
        assert_eq!(floors(&database.open().await).await, 1);
    }
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    for database in databases().await {
        let store = database.open().await;
        store
            .write(|tx| {
                Box::pin(async move {
                    let q = "INSERT INTO schema_versions (version) VALUES (9999)";
                    on!(tx, c => sqlx::query(q).execute(c).await.map(drop)).expect("stored");
                    Ok(())
                })
            })
            .await
            .expect("stored");
        store.close().await;
        let error = Store::open(&database.url, StoreOptions::default()).await.expect_err("refused");
        assert_eq!(error.kind(), Kind::InvalidInput);
    }
}

#[tokio::test]
async fn an_unknown_url_is_refused() {
    let error = Store::open("mysql://x", StoreOptions::default()).await.expect_err("refused");
    assert_eq!(error.kind(), Kind::InvalidInput);
}

#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    let database = mps_testkit::databases::sqlite();
    let store = database.open().await;
    query!(store.write, fair::serve(1, 1)).expect("stored");
    let dir = database.dir.as_ref().expect("a folder").path();
    let mut files = 0;
    for file in std::fs::read_dir(dir).expect("listed") {
        let file = file.expect("listed");
        let mode = file.metadata().expect("known").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.path().display());
        files += 1;
    }
    assert_eq!(files, 3, "the file, its log and its index");
}
