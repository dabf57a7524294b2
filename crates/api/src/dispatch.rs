//! From the name of an action to its answer.
//!
//! The list of actions is the union of the families' lists in `actions`; nothing else in the server knows an
//! action by name. What the specification has and no family answers is `UnsupportedOperation`.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};

use mps_wire::{ActionCoverage, ApiError, Refused, codes, schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::App;
use crate::{actions, error};

/// Who calls: known by a verified signature.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    /// The account that the key belongs to.
    pub(crate) account: i64,
}

/// A verified call of one action.
#[derive(Debug)]
pub(crate) struct Call<R> {
    /// Who calls.
    pub(crate) caller: Caller,
    /// The request, typed.
    pub(crate) request: R,
    /// The same request as checked JSON, to be stored or echoed; it has only the members that were sent.
    pub(crate) body: Value,
}

/// One action of the API.
pub(crate) trait Action: 'static {
    /// Its exact name.
    const NAME: &'static str;
    /// Members of its request that the specification knows and this server does not honour.
    const REFUSED: &'static [Refused] = &[];
    /// The same where the list has to be put together.
    fn refused() -> &'static [Refused] {
        Self::REFUSED
    }
    /// Its request as generated.
    type Request: DeserializeOwned + Send;
    /// Its response, without the request's id.
    type Response: Serialize + Send;

    /// Does what the action is for. Runs after the signature, the rate and the shape of the request were checked.
    fn handle(
        app: &App,
        call: Call<Self::Request>,
    ) -> impl Future<Output = Result<Self::Response, ApiError>> + Send;
}

type Answer = Pin<Box<dyn Future<Output = Result<Vec<u8>, ApiError>> + Send>>;

/// An action without its types: a line of a family's list.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    /// The action's name.
    pub(crate) name: &'static str,
    refused: fn() -> &'static [Refused],
    run: fn(Arc<App>, Caller, Value) -> Answer,
}

impl Entry {
    /// The entry of an action.
    pub(crate) const fn of<A: Action>() -> Self {
        Self { name: A::NAME, refused: A::refused, run: run::<A> }
    }

    /// Answers a call: the response's fields as a JSON object.
    pub(crate) fn answer(&self, app: Arc<App>, caller: Caller, params: Value) -> Answer {
        (self.run)(app, caller, params)
    }
}

fn run<A: Action>(app: Arc<App>, caller: Caller, params: Value) -> Answer {
    Box::pin(async move {
        let body = mps_wire::decode_value(A::NAME, params, A::refused())?;
        let request = A::Request::deserialize(&body)
            .map_err(|e| codes::invalid_parameter(format!("the request does not fit {}: {e}", A::NAME)))?;
        let response = A::handle(&app, Call { caller, request, body }).await?;
        serde_json::to_vec(&response).map_err(|e| {
            error::answer(
                mps_core::Error::internal("cannot write a response").with("action", A::NAME).because(e),
            )
        })
    })
}

static BUILT: LazyLock<HashMap<&'static str, Entry>> =
    LazyLock::new(|| actions::FAMILIES.iter().copied().flatten().map(|entry| (entry.name, *entry)).collect());

/// What a name stands for.
pub(crate) enum Found {
    /// An action that works.
    Built(&'static Entry),
    /// An action that the specification has and we do not.
    Unbuilt(&'static str),
}

/// Looks an action up by its exact name.
pub(crate) fn find(name: &str) -> Result<Found, ApiError> {
    if let Some(entry) = BUILT.get(name) {
        return Ok(Found::Built(entry));
    }
    if let Some(action) = schema::action(name) {
        return Ok(Found::Unbuilt(action.name));
    }
    let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
    Err(codes::invalid_action(format!("the API has no action `{shown}`")))
}

/// The answer for an action that is not built.
pub(crate) fn unbuilt(name: &str) -> ApiError {
    codes::unsupported_operation(format!("the action {name} is not supported by this server"))
}

/// What each built action refuses, sorted by action; the coverage table is made of it.
pub fn coverage() -> Vec<ActionCoverage> {
    let entries = actions::FAMILIES.iter().copied().flatten();
    let mut all: Vec<_> = entries.map(|e| ActionCoverage { name: e.name, refused: (e.refused)() }).collect();
    all.sort_by_key(|action| action.name);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_what_the_specification_calls_served() {
        let served: Vec<_> = schema::ACTIONS.iter().filter(|a| a.served).map(|a| a.name).collect();
        let built: Vec<_> = coverage().iter().map(|a| a.name).collect();
        assert_eq!(built, served);
    }

    #[test]
    fn no_action_is_listed_twice() {
        assert_eq!(BUILT.len(), coverage().len());
    }

    #[test]
    fn each_refused_member_is_one_that_the_specification_has() {
        for action in coverage() {
            let request = schema::action(action.name).map(|a| a.request);
            for refused in action.refused {
                let mut object = request;
                for name in refused.path.split('.') {
                    let member = object.and_then(|o| o.member(name));
                    let member =
                        member.unwrap_or_else(|| panic!("{}: no member {}", action.name, refused.path));
                    object = below(&member.kind);
                }
            }
        }
    }

    fn below(kind: &'static schema::Kind) -> Option<&'static schema::Object> {
        match kind {
            schema::Kind::Object(object) => Some(object),
            schema::Kind::List(inner) => below(inner),
            _ => None,
        }
    }
}
