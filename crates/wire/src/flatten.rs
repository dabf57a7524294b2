//! Parameters of a query or a form: `A.B.0.C=1` stands for `{"A": {"B": [{"C": 1}]}}`.
//!
//! Indexes count from zero without gaps. Numbers stay text, which [`crate::decode`] reads as numbers.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::schema::{Action, Kind, Object};
use crate::{ApiError, codes};

/// Deepest nesting taken, in dots.
const DEPTH: usize = 32;

/// Parameters that belong to the transport and not to any action.
pub const COMMON: [&str; 12] = [
    "Action",
    "Language",
    "Nonce",
    "Region",
    "RequestClient",
    "SecretId",
    "Signature",
    "SignatureMethod",
    "Timestamp",
    "Token",
    "TraceId",
    "Version",
];

/// The decoded pairs of a query or of a form body, in their order.
pub fn parse(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

/// The first value of this name.
pub fn parameter<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The JSON that the parameters stand for in a request of `action`; the transport's own are left out.
///
/// Unknown names are kept, for the decoder to refuse in its words. Errors: `InvalidParameter` for a name
/// given twice, indexes with gaps, or one name used as a value and as a structure.
pub fn unflatten(action: &Action, parameters: &[(String, String)]) -> Result<Value, ApiError> {
    let mut root = BTreeMap::new();
    for (name, value) in parameters {
        if COMMON.contains(&name.as_str()) && action.request.member(name).is_none() {
            continue;
        }
        if name.bytes().filter(|byte| *byte == b'.').count() > DEPTH {
            return Err(codes::invalid_parameter("a parameter's name is nested too deeply"));
        }
        insert(&mut root, name, name, value)?;
    }
    object(root, Some(action.request), "")
}

/// The pairs that [`unflatten`] reads back: what a client sends of `value`; `null` members are left out.
pub fn flatten(value: &Value) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    collect(value, String::new(), &mut pairs);
    pairs
}

enum Node<'a> {
    Leaf(&'a str),
    Branch(BTreeMap<&'a str, Node<'a>>),
}

fn insert<'a>(
    level: &mut BTreeMap<&'a str, Node<'a>>,
    rest: &'a str,
    whole: &str,
    value: &'a str,
) -> Result<(), ApiError> {
    let clash = || codes::invalid_parameter(format!("the parameter `{}` is given twice", clip(whole)));
    let Some((name, rest)) = rest.split_once('.') else {
        return match level.insert(rest, Node::Leaf(value)) {
            None => Ok(()),
            Some(_) => Err(clash()),
        };
    };
    match level.entry(name).or_insert_with(|| Node::Branch(BTreeMap::new())) {
        Node::Branch(inner) => insert(inner, rest, whole, value),
        Node::Leaf(_) => Err(clash()),
    }
}

fn object(
    level: BTreeMap<&str, Node<'_>>,
    known: Option<&'static Object>,
    path: &str,
) -> Result<Value, ApiError> {
    let mut map = Map::new();
    for (name, node) in level {
        let kind = known.and_then(|object| object.member(name)).map(|member| &member.kind);
        map.insert(name.to_owned(), value_of(node, kind, &join(path, name))?);
    }
    Ok(Value::Object(map))
}

fn value_of(node: Node<'_>, kind: Option<&'static Kind>, path: &str) -> Result<Value, ApiError> {
    match (node, kind) {
        (Node::Leaf(text), Some(Kind::Bool)) => Ok(boolean(text)),
        (Node::Leaf(text), _) => Ok(Value::String(text.to_owned())),
        (Node::Branch(level), Some(Kind::List(inner))) => list(level, inner, path),
        (Node::Branch(level), Some(Kind::Object(known))) => object(level, Some(known), path),
        (Node::Branch(level), _) => object(level, None, path),
    }
}

fn list(level: BTreeMap<&str, Node<'_>>, inner: &'static Kind, path: &str) -> Result<Value, ApiError> {
    let count = level.len();
    let mut items: BTreeMap<usize, Node<'_>> = BTreeMap::new();
    for (name, node) in level {
        let index = name.parse().ok().filter(|index| *index < count);
        let taken = index.is_none_or(|index| items.insert(index, node).is_some());
        if taken {
            return Err(codes::invalid_parameter(format!(
                "`{}` is a list: its indexes must count 0, 1, 2… without gaps",
                clip(path)
            )));
        }
    }
    let items = items.into_iter().map(|(at, node)| value_of(node, Some(inner), &join(path, &at.to_string())));
    items.collect::<Result<Vec<_>, _>>().map(Value::Array)
}

/// Clients print a boolean as their language does: `true`, `True`, `1`.
fn boolean(text: &str) -> Value {
    if text.eq_ignore_ascii_case("true") || text == "1" {
        Value::Bool(true)
    } else if text.eq_ignore_ascii_case("false") || text == "0" {
        Value::Bool(false)
    } else {
        Value::String(text.to_owned())
    }
}

fn collect(value: &Value, path: String, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => pairs.push((path, value.to_string())),
        Value::String(text) => pairs.push((path, text.clone())),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, join(&path, &index.to_string()), pairs);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                collect(item, join(&path, name), pairs);
            }
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn clip(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
