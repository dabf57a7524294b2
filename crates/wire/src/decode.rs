//! From the JSON of a request to a typed, checked request.
//!
//! Everything that can be judged from the specification alone is judged here: names, types, what is
//! required, what is not built yet. Ranges and sense are left to the action. Costs one walk over the
//! JSON; does not panic and does not recurse deeper than the JSON does.

use serde::de::DeserializeOwned;
use serde_json::{Number, Value};

use crate::schema::{self, Action, Kind, Member, Object};
use crate::{ApiError, codes};

/// Longest piece of a caller's text repeated in a message, in characters.
const QUOTED: usize = 80;

/// A member that the specification knows and this server does not honour yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Refused {
    /// Member names from the request down, joined by dots, list indexes left out:
    /// `MediaProcessTask.TranscodeTaskSet.WatermarkSet`. What lies below is refused with it.
    pub path: &'static str,
    /// Why, as the second half of a sentence: `watermarks are not built yet`.
    pub why: &'static str,
}

/// What one served action does not honour; the coverage page is made of these.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct ActionCoverage {
    /// The action.
    pub name: &'static str,
    /// Its refused members.
    pub refused: &'static [Refused],
}

/// Checks `params` as a request of `action` and makes it typed.
///
/// Errors: `InvalidAction`, `UnknownParameter`, `MissingParameter`, `InvalidParameter`,
/// `InvalidParameterValue[.Member]` for a number that does not fit, `UnsupportedOperation` for a
/// present member listed in `refused`; each names the member with its whole path.
pub fn decode<Req: DeserializeOwned>(
    action: &str,
    params: Value,
    refused: &[Refused],
) -> Result<Req, ApiError> {
    let checked = decode_value(action, params, refused)?;
    serde_json::from_value(checked)
        .map_err(|error| codes::invalid_parameter(format!("the request does not fit {action}: {error}")))
}

/// Like [`decode`], but gives the checked JSON: numbers that came as strings are numbers, `null`
/// members and the tolerated `Action` and `Version` are gone.
pub fn decode_value(action: &str, params: Value, refused: &[Refused]) -> Result<Value, ApiError> {
    let known = schema::action(action).ok_or_else(|| {
        codes::invalid_action(format!("the API 2019-06-12 has no action {}", quote(action)))
    })?;
    let mut params = params;
    drop_common(known, &mut params);
    check_object(&mut params, known.request, &mut Path::new())?;
    refuse(&params, refused)?;
    Ok(params)
}

/// Checks `value` as the structure `object`, in place; `name` begins the paths of messages.
pub fn check(value: &mut Value, object: &'static Object, name: &str) -> Result<(), ApiError> {
    let mut path = Path::new();
    path.enter(Step::Name(name));
    check_object(value, object, &mut path)
}

/// Old clients repeat these two in the body.
fn drop_common(action: &Action, params: &mut Value) {
    if let Value::Object(map) = params {
        for name in ["Action", "Version"] {
            if action.request.member(name).is_none() {
                map.remove(name);
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

/// Where the walk is; written out only for a message.
struct Path<'a> {
    steps: Vec<Step<'a>>,
}

impl<'a> Path<'a> {
    fn new() -> Self {
        Self { steps: Vec::with_capacity(8) }
    }

    fn enter(&mut self, step: Step<'a>) {
        self.steps.push(step);
    }

    fn leave(&mut self) {
        self.steps.pop();
    }

    fn text(&self) -> String {
        let words: Vec<String> = self
            .steps
            .iter()
            .map(|step| match step {
                Step::Name(name) => (*name).to_owned(),
                Step::Index(index) => index.to_string(),
            })
            .collect();
        words.join(".")
    }

    fn with(&self, last: &str) -> String {
        if self.steps.is_empty() { last.to_owned() } else { format!("{}.{last}", self.text()) }
    }

    fn last_name(&self) -> &str {
        let named = self.steps.iter().rev().find_map(|step| match step {
            Step::Name(name) => Some(*name),
            Step::Index(_) => None,
        });
        named.unwrap_or_default()
    }

    fn subject(&self) -> String {
        if self.steps.is_empty() { "the request".to_owned() } else { format!("`{}`", self.text()) }
    }
}

fn check_object(value: &mut Value, object: &'static Object, path: &mut Path<'_>) -> Result<(), ApiError> {
    let Value::Object(map) = value else {
        return Err(wrong_type(path, value, "an object"));
    };
    let mut has_null = false;
    for (name, value) in map.iter_mut() {
        let Some(member) = object.member(name) else {
            return Err(unknown(path, name, object));
        };
        if value.is_null() {
            has_null = true;
            continue;
        }
        path.enter(Step::Name(member.name));
        check_value(value, &member.kind, path)?;
        path.leave();
    }
    if has_null {
        map.retain(|_, value| !value.is_null());
    }
    match object.members.iter().find(|member| member.required && !map.contains_key(member.name)) {
        Some(absent) => Err(missing(path, absent)),
        None => Ok(()),
    }
}

fn check_value(value: &mut Value, kind: &'static Kind, path: &mut Path<'_>) -> Result<(), ApiError> {
    match kind {
        Kind::Text => check_text(value, path),
        Kind::Int | Kind::Uint | Kind::Float => check_number(value, kind, path),
        Kind::Bool if value.is_boolean() => Ok(()),
        Kind::Bool => Err(wrong_type(path, value, "true or false")),
        Kind::Object(object) => check_object(value, object, path),
        Kind::List(inner) => {
            let Value::Array(items) = value else {
                return Err(wrong_type(path, value, "a list"));
            };
            for (index, item) in items.iter_mut().enumerate() {
                path.enter(Step::Index(index));
                check_value(item, inner, path)?;
                path.leave();
            }
            Ok(())
        }
    }
}

fn check_text(value: &Value, path: &Path<'_>) -> Result<(), ApiError> {
    match value {
        Value::String(text) if text.contains('\0') => {
            Err(codes::invalid_parameter(format!("{} holds a NUL character; remove it", path.subject())))
        }
        Value::String(_) => Ok(()),
        _ => Err(wrong_type(path, value, "a string")),
    }
}

fn check_number(value: &mut Value, kind: &Kind, path: &Path<'_>) -> Result<(), ApiError> {
    let wanted = match kind {
        Kind::Int => "an integer",
        Kind::Uint => "an integer not below 0",
        _ => "a number",
    };
    if let Value::String(text) = value {
        let number = parse_number(text, kind).ok_or_else(|| wrong_type(path, value, wanted))?;
        *value = Value::Number(number);
    }
    let Value::Number(number) = value else {
        return Err(wrong_type(path, value, wanted));
    };
    let whole = match kind {
        Kind::Float => return Ok(()),
        Kind::Int if number.is_i64() => return Ok(()),
        Kind::Uint if number.is_u64() => return Ok(()),
        _ => number.as_f64().filter(|float| float.fract() == 0.0),
    };
    let Some(whole) = whole else {
        return Err(wrong_type(path, value, wanted));
    };
    // `3.0` is the integer 3 to many JSON writers; beyond 2^53 a float no longer says which integer.
    let exact = whole.abs() <= 9_007_199_254_740_992.0 && number.is_f64();
    if exact && (whole >= 0.0 || matches!(kind, Kind::Int)) {
        *value = Value::Number(Number::from(whole as i64));
        return Ok(());
    }
    Err(codes::value_of(
        path.last_name(),
        format!("{} is {number}, out of range: it must be {wanted} of 64 bits", path.subject()),
    ))
}

/// The number that `text` spells in decimal, in the narrowest form JSON has for it.
fn parse_number(text: &str, kind: &Kind) -> Option<Number> {
    let decimal = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    if !decimal {
        return None;
    }
    if let Ok(number) = text.parse::<i64>() {
        return Some(number.into());
    }
    if let Ok(number) = text.parse::<u64>() {
        return Some(number.into());
    }
    if matches!(kind, Kind::Float) { Number::from_f64(text.parse().ok()?) } else { None }
}

fn unknown(path: &Path<'_>, name: &str, object: &Object) -> ApiError {
    let near = object
        .members
        .iter()
        .map(|member| {
            (strsim::damerau_levenshtein(&clip(name).to_lowercase(), &member.name.to_lowercase()), member)
        })
        .filter(|(distance, member)| *distance <= member.name.len() / 3)
        .min_by_key(|(distance, _)| *distance);
    let hint = near.map(|(_, member)| format!("; did you mean `{}`?", member.name)).unwrap_or_default();
    codes::unknown_parameter(format!("the parameter `{}` is not defined{hint}", path.with(&clip(name))))
}

fn missing(path: &Path<'_>, member: &Member) -> ApiError {
    codes::missing_parameter(format!("the parameter `{}` is required", path.with(member.name)))
}

fn wrong_type(path: &Path<'_>, value: &Value, wanted: &str) -> ApiError {
    let given = match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    codes::invalid_parameter(format!("{} must be {wanted}, not {given}", path.subject()))
}

/// `text` short and without control characters, fit for a message.
fn clip(text: &str) -> String {
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut short: String = text.chars().take(QUOTED).map(clean).collect();
    if text.chars().nth(QUOTED).is_some() {
        short.push('…');
    }
    short
}

fn quote(text: &str) -> String {
    format!("`{}`", clip(text))
}

fn refuse(params: &Value, refused: &[Refused]) -> Result<(), ApiError> {
    match refused.iter().find(|rule| says_something(params, rule.path)) {
        None => Ok(()),
        Some(rule) => Err(codes::unsupported_operation(format!(
            "the parameter `{}` is not supported by this server: {}",
            whole_path(params, rule.path),
            rule.why
        ))),
    }
}

/// Whether something that is not blank lies at `rest` below `value`, in any item of the lists between.
fn says_something(value: &Value, rest: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| says_something(item, rest)),
        _ if rest.is_empty() => !is_blank(value),
        Value::Object(map) => {
            let (name, rest) = rest.split_once('.').unwrap_or((rest, ""));
            map.get(name).is_some_and(|inner| says_something(inner, rest))
        }
        _ => false,
    }
}

/// `rest` with the indexes of the lists on the way to what [`says_something`] found.
fn whole_path(mut value: &Value, mut rest: &str) -> String {
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Value::Array(items) = value {
            let Some(index) = items.iter().position(|item| says_something(item, rest)) else { break };
            steps.push(index.to_string());
            value = &items[index];
            continue;
        }
        let (name, below) = rest.split_once('.').unwrap_or((rest, ""));
        steps.push(name.to_owned());
        value = &value[name];
        rest = below;
    }
    steps.join(".")
}

/// Nothing was said: null, an empty string, an empty list, an object of nothing.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.values().all(is_blank),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
