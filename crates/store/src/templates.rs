//! The accounts' own templates: a body that is kept as the caller sent it, under a number of its family.

use mps_core::Result;
use mps_core::clock::Millis;
use serde_json::Value;

use crate::{Doing, Tx, on};

/// A stored template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Its number within family and account.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The checked body, in the caller's words.
    pub body: Value,
    /// When it was made.
    pub created_ms: Millis,
    /// When it was last changed.
    pub updated_ms: Millis,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    name: String,
    body: String,
    created_ms: i64,
    updated_ms: i64,
}

impl Row {
    fn into_template(self) -> Result<Template> {
        let body = serde_json::from_str(&self.body).doing("reading a template")?;
        let Self { id, name, body: _, created_ms, updated_ms } = self;
        Ok(Template { id, name, body, created_ms, updated_ms })
    }
}

/// The next number of a family, `first` at the beginning. Numbers are never used twice.
pub async fn next_id(tx: &mut Tx<'_>, family: &str, first: i64) -> Result<i64> {
    let q = "INSERT INTO counters (family, last) VALUES ($1, $2)
        ON CONFLICT (family) DO UPDATE SET last = counters.last + 1 RETURNING last";
    on!(tx, c => sqlx::query_scalar(q).bind(family).bind(first).fetch_one(c).await)
        .doing("numbering a template")
}

/// Stores a new template under a fresh number of its family and gives the number back.
pub async fn create(
    tx: &mut Tx<'_>,
    account: i64,
    family: &str,
    first_id: i64,
    name: &str,
    body: &Value,
    now_ms: Millis,
) -> Result<i64> {
    let id = next_id(tx, family, first_id).await?;
    let q = "INSERT INTO templates (account, family, id, name, body, created_ms, updated_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $6)";
    on!(tx, c => sqlx::query(q)
        .bind(account)
        .bind(family)
        .bind(id)
        .bind(name)
        .bind(body.to_string())
        .bind(now_ms)
        .execute(c).await.map(drop))
    .doing("storing a template")?;
    Ok(id)
}

/// A template of an account.
pub async fn get(tx: &mut Tx<'_>, account: i64, family: &str, id: i64) -> Result<Option<Template>> {
    let q = "SELECT id, name, body, created_ms, updated_ms FROM templates
        WHERE account = $1 AND family = $2 AND id = $3";
    let row: Option<Row> = on!(tx, c => sqlx::query_as(q)
        .bind(account)
        .bind(family)
        .bind(id)
        .fetch_optional(c).await)
    .doing("reading a template")?;
    row.map(Row::into_template).transpose()
}

/// Replaces name and body; whether there was such a template.
pub async fn update(
    tx: &mut Tx<'_>,
    account: i64,
    family: &str,
    id: i64,
    name: &str,
    body: &Value,
    now_ms: Millis,
) -> Result<bool> {
    let q = "UPDATE templates SET name = $4, body = $5, updated_ms = $6
        WHERE account = $1 AND family = $2 AND id = $3";
    let changed = on!(tx, c => sqlx::query(q)
        .bind(account)
        .bind(family)
        .bind(id)
        .bind(name)
        .bind(body.to_string())
        .bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected()))
    .doing("changing a template")?;
    Ok(changed == 1)
}

/// Removes a template; whether there was one.
pub async fn delete(tx: &mut Tx<'_>, account: i64, family: &str, id: i64) -> Result<bool> {
    let q = "DELETE FROM templates WHERE account = $1 AND family = $2 AND id = $3";
    let removed = on!(tx, c => sqlx::query(q)
        .bind(account)
        .bind(family)
        .bind(id)
        .execute(c).await.map(|done| done.rows_affected()))
    .doing("removing a template")?;
    Ok(removed == 1)
}

/// How many templates of a family an account has.
pub async fn count(tx: &mut Tx<'_>, account: i64, family: &str) -> Result<usize> {
    let q = "SELECT COUNT(*) FROM templates WHERE account = $1 AND family = $2";
    let count: i64 = on!(tx, c => sqlx::query_scalar(q).bind(account).bind(family).fetch_one(c).await)
        .doing("counting templates")?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// Names and numbers of the templates of a family, without their bodies.
pub async fn names(tx: &mut Tx<'_>, account: i64, family: &str) -> Result<Vec<(String, i64)>> {
    let q = "SELECT name, id FROM templates WHERE account = $1 AND family = $2";
    on!(tx, c => sqlx::query_as(q).bind(account).bind(family).fetch_all(c).await).doing("listing templates")
}

/// All templates of an account and family by number. An account has few, so filters and pages are the caller's.
pub async fn list(tx: &mut Tx<'_>, account: i64, family: &str) -> Result<Vec<Template>> {
    let q = "SELECT id, name, body, created_ms, updated_ms FROM templates
        WHERE account = $1 AND family = $2 ORDER BY id";
    let rows: Vec<Row> = on!(tx, c => sqlx::query_as(q).bind(account).bind(family).fetch_all(c).await)
        .doing("listing templates")?;
    rows.into_iter().map(Row::into_template).collect()
}
