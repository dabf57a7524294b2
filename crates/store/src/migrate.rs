//! Brings the tables up to date: numbered texts, each applied once, all in one transaction.

use mps_core::{Error, Result};
use sqlx::{AssertSqlSafe, Connection};

use crate::db::Tx;
use crate::fault::Doing;
use crate::{on, templates};

const MIGRATIONS: &[(i64, &str)] = &[(1, include_str!("../migrations/0001_first.sql"))];

/// The counter of openings.
const OPENINGS: &str = "store openings";

/// Applies what is missing and gives this opening a number. Several processes may start at once: the first does the
/// work, the others wait.
pub(crate) async fn run(tx: &mut Tx<'_>) -> Result<i64> {
    match tx {
        Tx::Lite(connection) => {
            let mut t = connection.begin_with("BEGIN IMMEDIATE").await.doing("locking the schema")?;
            apply(&mut Tx::Lite(&mut t)).await?;
            let opening = templates::next_id(&mut Tx::Lite(&mut t), OPENINGS, 1).await?;
            t.commit().await.doing("updating the schema")?;
            Ok(opening)
        }
        Tx::Pg(connection) => {
            let mut t = connection.begin().await.doing("locking the schema")?;
            let lock = "SELECT pg_advisory_xact_lock(6171626)";
            sqlx::query(lock).execute(&mut *t).await.doing("locking the schema")?;
            apply(&mut Tx::Pg(&mut t)).await?;
            let opening = templates::next_id(&mut Tx::Pg(&mut t), OPENINGS, 1).await?;
            t.commit().await.doing("updating the schema")?;
            Ok(opening)
        }
    }
}

async fn apply(tx: &mut Tx<'_>) -> Result<()> {
    let table = "CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT NOT NULL PRIMARY KEY)";
    on!(tx, c => sqlx::query(table).execute(c).await.map(drop)).doing("creating the schema table")?;
    let newest = "SELECT CAST(coalesce(max(version), 0) AS BIGINT) FROM schema_versions";
    let at: i64 =
        on!(tx, c => sqlx::query_scalar(newest).fetch_one(c).await).doing("reading the schema version")?;
    let known = MIGRATIONS.last().map_or(0, |(version, _)| *version);
    if at > known {
        return Err(Error::invalid("the database was made by a newer version of this program")
            .with("found", at)
            .with("known", known));
    }
    for (version, text) in MIGRATIONS.iter().filter(|(version, _)| *version > at) {
        let text = dialect(tx, text);
        on!(tx, c => sqlx::raw_sql(AssertSqlSafe(text)).execute(c).await.map(drop))
            .doing("updating the schema")?;
        let note = "INSERT INTO schema_versions (version) VALUES ($1)";
        on!(tx, c => sqlx::query(note).bind(version).execute(c).await.map(drop))
            .doing("updating the schema")?;
    }
    Ok(())
}

/// The text for one database: its byte-wise collation, and the lines meant for PostgreSQL.
fn dialect(tx: &Tx<'_>, text: &str) -> String {
    let (bytes, is_pg) = match tx {
        Tx::Lite(_) => ("COLLATE BINARY", false),
        Tx::Pg(_) => ("COLLATE \"C\"", true),
    };
    let lines = text.lines().filter_map(|line| match line.strip_prefix("--pg ") {
        Some(statement) => is_pg.then_some(statement),
        None => (!line.starts_with("--")).then_some(line),
    });
    lines.collect::<Vec<_>>().join("\n").replace("{bytes}", bytes)
}
