//! Templates of every family: the system's presets, and each account's own in the database.
//!
//! A family says its name, its first number and its presets; what a body may hold is checked by `media` and the
//! family's actions. Bodies are kept in the API's words and handed to the steps that use them. An account's own
//! are remembered for a second: a change by this process is seen at once, one by another within the second.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mps_core::clock::Clock;
use mps_media::presets::Preset;
use mps_store::db::Lane;
use mps_store::{Store, templates};
use mps_wire::{ApiError, codes};
use serde_json::Value;

use crate::app::App;
use crate::memory::Memory;
use crate::{error, times};

const REMEMBERED: Duration = Duration::from_secs(1);
const DEFINITIONS: usize = 100;
const LIMIT: u64 = 10;

/// A family of templates.
pub(crate) trait Family: 'static {
    /// Its name in the database.
    const NAME: &'static str;
    /// The first number of an account's own; above every preset's.
    const FIRST: i64;
    /// The most that one page of a list holds.
    const LIMIT_AT_MOST: u64 = 100;
    /// The presets by number.
    fn presets() -> &'static BTreeMap<i64, Prepared>;
}

/// A preset with its body ready to be shared.
pub(crate) struct Prepared {
    preset: Preset,
    body: Arc<Value>,
}

/// The presets of a family by number.
pub(crate) fn prepare(presets: Vec<Preset>) -> BTreeMap<i64, Prepared> {
    let prepared = |preset: Preset| (preset.definition, Prepared { body: Arc::new(preset.body.clone()), preset });
    presets.into_iter().map(prepared).collect()
}

/// The accounts' own templates that were used lately.
pub(crate) struct Templates {
    store: Store,
    clock: Arc<dyn Clock>,
    seen: Memory<(i64, &'static str, i64), Option<Arc<Value>>>,
}

impl Templates {
    pub(crate) fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, seen: Memory::new(REMEMBERED) }
    }

    async fn own(&self, account: i64, family: &'static str, id: i64) -> Result<Option<Arc<Value>>, ApiError> {
        let now = self.clock.now_ms();
        if let Some(known) = self.seen.get(&(account, family, id), now) {
            return Ok(known);
        }
        let read = self.store.read(|tx| Box::pin(async move { templates::get(tx, account, family, id).await }));
        let body = read.await.map_err(error::answer)?.map(|row| Arc::new(row.body));
        self.seen.put((account, family, id), body.clone(), now);
        Ok(body)
    }
}

/// The body of a preset or of one of the account's own; `None` when there is no such number.
pub(crate) async fn body<F: Family>(app: &App, account: i64, id: i64) -> Result<Option<Arc<Value>>, ApiError> {
    match F::presets().get(&id) {
        Some(preset) => Ok(Some(Arc::clone(&preset.body))),
        None => app.templates.own(account, F::NAME, id).await,
    }
}

/// Stores a checked body; gives its number.
pub(crate) async fn create<F: Family>(app: &App, account: i64, body: Value) -> Result<i64, ApiError> {
    let now = app.clock.now_ms();
    let write = app.store.write_in(Lane::Accept, move |tx| {
        Box::pin(async move {
            templates::create(tx, account, F::NAME, F::FIRST, name_of(&body), &body, now).await
        })
    });
    let id = write.await.map_err(error::answer)?;
    app.templates.seen.forget(&(account, F::NAME, id));
    Ok(id)
}

/// Replaces the body of one of the account's own by what `change` makes of it.
pub(crate) async fn modify<F: Family>(
    app: &App,
    account: i64,
    id: i64,
    change: impl FnOnce(&Value) -> Result<Value, ApiError> + Send + 'static,
) -> Result<(), ApiError> {
    if F::presets().contains_key(&id) {
        let told = format!("the template {id} belongs to the system and cannot be changed");
        return Err(codes::invalid_parameter_value_modify_default_template(told));
    }
    let now = app.clock.now_ms();
    let write = app.store.write_in(Lane::Accept, move |tx| {
        Box::pin(async move {
            let Some(old) = templates::get(tx, account, F::NAME, id).await? else { return Ok(Err(absent(id))) };
            let new = match change(&old.body) {
                Ok(new) => new,
                Err(refused) => return Ok(Err(refused)),
            };
            templates::update(tx, account, F::NAME, id, name_of(&new), &new, now).await?;
            Ok(Ok(()))
        })
    });
    write.await.map_err(error::answer)??;
    app.templates.seen.forget(&(account, F::NAME, id));
    Ok(())
}

/// Removes one of the account's own. Tasks that were accepted with it are not touched.
pub(crate) async fn delete<F: Family>(app: &App, account: i64, id: i64) -> Result<(), ApiError> {
    if F::presets().contains_key(&id) {
        let told = format!("the template {id} belongs to the system and cannot be deleted");
        return Err(codes::invalid_parameter_value_delete_default_template(told));
    }
    let write = app.store.write_in(Lane::Accept, move |tx| {
        Box::pin(async move { templates::delete(tx, account, F::NAME, id).await })
    });
    let was_there = write.await.map_err(error::answer)?;
    app.templates.seen.forget(&(account, F::NAME, id));
    if was_there { Ok(()) } else { Err(absent(id)) }
}

/// Which templates a list wants; empty means all.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) definitions: Vec<i64>,
    /// `Preset` or `Custom`.
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) offset: u64,
    pub(crate) limit: Option<u64>,
}

/// A template as a list shows it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) id: i64,
    /// `Preset` or `Custom`.
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    /// The second name of a preset.
    pub(crate) alias: String,
    pub(crate) body: Arc<Value>,
    pub(crate) create_time: String,
    pub(crate) update_time: String,
}

/// How many templates there are of what was wanted, and the page that was asked for.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) total: u64,
    pub(crate) rows: Vec<Row>,
}

/// Lists presets, highest number first, then the account's own, newest first; `keep` is the family's own filter.
pub(crate) async fn list<F: Family>(
    app: &App,
    account: i64,
    wanted: Wanted,
    keep: impl Fn(&Value) -> bool,
) -> Result<Page, ApiError> {
    let limit = check_page::<F>(&wanted)?;
    let mut rows: Vec<Row> = F::presets().values().rev().map(preset_row).collect();
    if wanted.kind != "Preset" {
        let read = app.store.read(|tx| Box::pin(async move { templates::list(tx, account, F::NAME).await }));
        rows.extend(read.await.map_err(error::answer)?.into_iter().rev().map(own_row));
    }
    rows.retain(|row| {
        (wanted.definitions.is_empty() || wanted.definitions.contains(&row.id))
            && (wanted.kind.is_empty() || wanted.kind == row.kind)
            && (wanted.name.is_empty() || wanted.name == row.name)
            && keep(&row.body)
    });
    let total = rows.len() as u64;
    let offset = usize::try_from(wanted.offset).unwrap_or(usize::MAX);
    let rows = rows.into_iter().skip(offset).take(limit).collect();
    Ok(Page { total, rows })
}

fn check_page<F: Family>(wanted: &Wanted) -> Result<usize, ApiError> {
    if wanted.definitions.len() > DEFINITIONS {
        let told = format!("`Definitions` has at most {DEFINITIONS} items");
        return Err(codes::invalid_parameter_value_definitions(told));
    }
    if !matches!(wanted.kind.as_str(), "" | "Preset" | "Custom") {
        let told = format!("`Type` is Preset or Custom, not {:?}", wanted.kind);
        return Err(codes::invalid_parameter_value_type(told));
    }
    let limit = wanted.limit.unwrap_or(LIMIT);
    if !(1..=F::LIMIT_AT_MOST).contains(&limit) {
        let told = format!("`Limit` is 1 to {}, not {limit}", F::LIMIT_AT_MOST);
        return Err(codes::invalid_parameter_value_limit(told));
    }
    Ok(limit as usize)
}

fn preset_row(prepared: &Prepared) -> Row {
    let Prepared { preset, body } = prepared;
    Row {
        id: preset.definition,
        kind: "Preset",
        name: preset.name.clone(),
        alias: preset.alias.clone(),
        body: Arc::clone(body),
        create_time: preset.create_time.clone(),
        update_time: preset.update_time.clone(),
    }
}

fn own_row(own: templates::Template) -> Row {
    Row {
        id: own.id,
        kind: "Custom",
        name: own.name,
        alias: String::new(),
        body: Arc::new(own.body),
        create_time: times::written(Some(own.created_ms)),
        update_time: times::written(Some(own.updated_ms)),
    }
}

fn name_of(body: &Value) -> &str {
    body["Name"].as_str().unwrap_or_default()
}

fn absent(id: i64) -> ApiError {
    codes::resource_not_found_template_not_exist(format!("there is no template {id}"))
}
