//! Templates of every family between the database and `media`, which knows what a body may hold.
//!
//! An account's own templates are remembered for a second: a change by this process is seen at once, one by
//! another within the second. A body is kept with the template's comment beside its members.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use mps_core::Result;
use mps_core::clock::Clock;
use mps_media::answer::times::iso;
use mps_media::templates::{self as rules, Content, Family, Need, Template};
use mps_store::{Lane, Store, Tx, templates as rows};
use mps_wire::{ApiError, codes};
use serde_json::Value;

use crate::app::App;
use crate::error;
use crate::memory::Memory;

const REMEMBERED: Duration = Duration::from_secs(1);
const COMMENT: &str = "Comment";

/// A family, as the actions hand it around.
pub(crate) type AnyFamily = &'static dyn Family;

type Bodies = Arc<BTreeMap<i64, Arc<Value>>>;

/// Bodies that tasks are made with.
pub(crate) struct Templates {
    store: Store,
    clock: Arc<dyn Clock>,
    presets: RwLock<HashMap<&'static str, Bodies>>,
    own: Memory<(i64, &'static str, i64), Option<Arc<Value>>>,
}

impl Templates {
    pub(crate) fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, presets: RwLock::default(), own: Memory::new(REMEMBERED) }
    }

    /// The body of a preset or of one of the account's own; `None` when there is no such number.
    pub(crate) async fn body(
        &self,
        account: i64,
        family: AnyFamily,
        id: i64,
    ) -> Result<Option<Arc<Value>>, ApiError> {
        if let Some(body) = self.presets(family).get(&id) {
            return Ok(Some(Arc::clone(body)));
        }
        let (name, now) = (family.name(), self.clock.now_ms());
        if let Some(known) = self.own.get(&(account, name, id), now) {
            return Ok(known);
        }
        let read = self.store.read(|tx| Box::pin(async move { rows::get(tx, account, name, id).await }));
        let body = read.await.map_err(error::answer)?.map(|row| Arc::new(row.body));
        self.own.put((account, name, id), body.clone(), now);
        Ok(body)
    }

    fn presets(&self, family: AnyFamily) -> Bodies {
        let known = self.presets.read().unwrap_or_else(PoisonError::into_inner).get(family.name()).cloned();
        known.unwrap_or_else(|| {
            let all = family.presets().into_iter().map(|preset| (preset.definition, Arc::new(preset.body)));
            let bodies = Bodies::new(all.collect());
            let mut presets = self.presets.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(presets.entry(family.name()).or_insert(bodies))
        })
    }
}

/// Makes a template of what a Create request says; gives its number.
pub(crate) async fn create(
    app: &App,
    account: i64,
    family: AnyFamily,
    request: &Value,
) -> Result<i64, ApiError> {
    let content = rules::create(family, request)?;
    let needs = family.needs(&content.body);
    let (content, body) = stored(content);
    let (name, first, now) = (family.name(), family.first_definition(), app.clock.now_ms());
    let write = app.store.write_in(Lane::Accept, move |tx| {
        Box::pin(async move {
            if rows::count(tx, account, name).await? >= rules::MAX_CUSTOM {
                let told =
                    format!("an account has at most {} {name} templates; delete some", rules::MAX_CUSTOM);
                return Ok(Err(codes::limit_exceeded_too_much_template(told)));
            }
            if let Some(absent) = first_absent(tx, account, needs).await? {
                return Ok(Err(absent));
            }
            rows::create(tx, account, name, first, &content.name, &body, now).await.map(Ok)
        })
    });
    let id = write.await.map_err(error::answer)??;
    app.templates.own.forget(&(account, name, id));
    Ok(id)
}

/// Changes what a Modify request names; `request` has the number in `Definition`.
pub(crate) async fn modify(
    app: &App,
    account: i64,
    family: AnyFamily,
    request: Value,
) -> Result<(), ApiError> {
    let id = request["Definition"].as_i64().unwrap_or_default();
    if let Some(preset) = rules::preset(family, id) {
        return rules::modify(family, &preset, &request).map(drop);
    }
    let now = app.clock.now_ms();
    let write = app.store.write_in(Lane::Accept, move |tx| {
        Box::pin(async move { change(tx, account, family, id, &request, now).await })
    });
    let changed = write.await.map_err(error::answer)?;
    app.templates.own.forget(&(account, family.name(), id));
    changed
}

async fn change(
    tx: &mut Tx<'_>,
    account: i64,
    family: AnyFamily,
    id: i64,
    request: &Value,
    now_ms: i64,
) -> Result<Result<(), ApiError>> {
    let Some(row) = rows::get(tx, account, family.name(), id).await? else { return Ok(Err(absent(id))) };
    let content = match rules::modify(family, &template(row), request) {
        Ok(content) => content,
        Err(refused) => return Ok(Err(refused)),
    };
    if let Some(absent) = first_absent(tx, account, family.needs(&content.body)).await? {
        return Ok(Err(absent));
    }
    let (content, body) = stored(content);
    rows::update(tx, account, family.name(), id, &content.name, &body, now_ms).await?;
    Ok(Ok(()))
}

/// The answer to the first of `needs` that the account does not have.
async fn first_absent(tx: &mut Tx<'_>, account: i64, needs: Vec<Need>) -> Result<Option<ApiError>> {
    for need in needs {
        if rows::get(tx, account, need.family, need.definition).await?.is_none() {
            return Ok(Some(need.absent));
        }
    }
    Ok(None)
}

/// Removes one of the account's own. Tasks that were accepted with it are not touched.
pub(crate) async fn delete(app: &App, account: i64, family: AnyFamily, id: i64) -> Result<(), ApiError> {
    rules::check_delete(family, id)?;
    let name = family.name();
    let write = app
        .store
        .write_in(Lane::Accept, move |tx| Box::pin(async move { rows::delete(tx, account, name, id).await }));
    let was_there = write.await.map_err(error::answer)?;
    app.templates.own.forget(&(account, name, id));
    if was_there { Ok(()) } else { Err(absent(id)) }
}

/// The answer of a Describe request.
pub(crate) async fn page(
    app: &App,
    account: i64,
    family: AnyFamily,
    request: &Value,
) -> Result<Value, ApiError> {
    let query = rules::query(family, request)?;
    let mut customs = Vec::new();
    if query.wants_custom() {
        let name = family.name();
        let read = app.store.read(|tx| Box::pin(async move { rows::list(tx, account, name).await }));
        customs = read.await.map_err(error::answer)?.into_iter().map(template).collect();
    }
    let mut page = rules::page(family, &query, customs);
    // A template may name files of a store that needs a key.
    mps_wire::redact(&mut page);
    Ok(page)
}

/// The content with the body as it is stored.
fn stored(content: Content) -> (Content, Value) {
    let mut body = content.body.clone();
    if !content.comment.is_empty() {
        body[COMMENT] = Value::from(content.comment.as_str());
    }
    (content, body)
}

fn template(row: rows::Template) -> Template {
    let mut body = row.body;
    let comment = body.as_object_mut().and_then(|body| body.remove(COMMENT));
    Template {
        definition: row.id,
        is_preset: false,
        name: row.name,
        alias: String::new(),
        comment: comment.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned(),
        body,
        create_time: iso(Some(row.created_ms)),
        update_time: iso(Some(row.updated_ms)),
    }
}

fn absent(id: i64) -> ApiError {
    codes::resource_not_found_template_not_exist(format!("there is no template {id}"))
}
