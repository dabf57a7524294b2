//! Fair share between accounts: each new step gets a tag in virtual time, and claims go by tag.
//!
//! An account's line ends at its tail, per priority. A new step begins where the line ends, or where the claims of
//! that priority have got to if that is further; so a light account is served next to the head of a long backlog,
//! and no claim ever has to look at more than the head of one index.

use mps_core::Result;

use crate::{Doing, Tx, on};

/// Prolongs the account's line by `cost`; gives back where the new piece begins.
pub async fn enter(tx: &mut Tx<'_>, account: i64, priority: i32, cost: i64) -> Result<i64> {
    let q = "INSERT INTO tails (account, prio, tail)
        VALUES ($1, $2, coalesce((SELECT tag FROM floors WHERE prio = $2), 0) + $3)
        ON CONFLICT (account, prio) DO UPDATE SET tail =
            CASE WHEN tails.tail + $3 > excluded.tail THEN tails.tail + $3 ELSE excluded.tail END
        RETURNING tail";
    let tail: i64 = on!(tx, c => sqlx::query_scalar(q)
        .bind(account)
        .bind(i64::from(priority))
        .bind(cost)
        .fetch_one(c).await)
    .doing("entering the line")?;
    Ok(tail - cost)
}

/// Notes that claims of this priority have got to `tag`.
pub async fn serve(tx: &mut Tx<'_>, priority: i64, tag: i64) -> Result<()> {
    let q = "INSERT INTO floors (prio, tag) VALUES ($1, $2) ON CONFLICT (prio) DO UPDATE SET tag =
        CASE WHEN excluded.tag > floors.tag THEN excluded.tag ELSE floors.tag END";
    on!(tx, c => sqlx::query(q).bind(priority).bind(tag).execute(c).await.map(drop)).doing("moving the line")
}
