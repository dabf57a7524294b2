//! What the tests of the families share.

use serde_json::Value;

use super::{Family, Template, create};

/// A member's path in pointer form without the first `/`, values that are taken, values that are refused, and the
/// member whose code the refusal has; empty for the plain one.
pub(crate) type Case<'a> = (&'a str, &'a [Value], &'a [Value], &'a str);

/// Puts each value in its place in `whole`, which must be good itself.
#[track_caller]
pub(crate) fn check_cases(family: &dyn Family, whole: &Value, cases: &[Case<'_>]) {
    family.check(whole).unwrap_or_else(|error| panic!("{whole}: {error}"));
    for (path, good, bad, code) in cases {
        let code = match *code {
            "" => "InvalidParameterValue".to_owned(),
            member => format!("InvalidParameterValue.{member}"),
        };
        for value in *good {
            let body = with(whole, path, value);
            family.check(&body).unwrap_or_else(|error| panic!("{path} {value}: {error}"));
        }
        for value in *bad {
            let body = with(whole, path, value);
            let error = family.check(&body).expect_err(&format!("{path} {value} is taken"));
            assert_eq!(error.code, code, "{path} {value}: {}", error.message);
        }
    }
}

/// `whole` with `value` at a path whose parents are there; null takes the member away.
pub(crate) fn with(whole: &Value, path: &str, value: &Value) -> Value {
    let mut body = whole.clone();
    let (parent, name) = path.rsplit_once('/').map_or(("", path), |(parent, name)| (parent, name));
    let pointer = if parent.is_empty() { String::new() } else { format!("/{parent}") };
    let place = body.pointer_mut(&pointer).unwrap_or_else(|| panic!("there is no {parent}"));
    match place {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value.clone(),
        Value::Object(members) if value.is_null() => drop(members.remove(name)),
        other => other[name] = value.clone(),
    }
    body
}

/// A template of an account's own, made of a Create request.
pub(crate) fn stored(family: &dyn Family, request: &Value) -> Template {
    let content = create(family, request).unwrap();
    Template {
        definition: family.first_definition(),
        is_preset: false,
        name: content.name,
        alias: String::new(),
        comment: content.comment,
        body: content.body,
        create_time: "2026-01-01T00:00:00Z".to_owned(),
        update_time: "2026-01-01T00:00:00Z".to_owned(),
    }
}

/// Asserts that every preset is good by the rules its family has for callers.
#[track_caller]
pub(crate) fn check_presets(family: &dyn Family) {
    for preset in family.presets() {
        family.check(&preset.body).unwrap_or_else(|error| panic!("{}: {error}", preset.definition));
    }
    let numbers: Vec<_> = family.presets().iter().map(|preset| preset.definition).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] > pair[1]), "{numbers:?} do not fall");
}
